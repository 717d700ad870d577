"""What a program is made of: operations, each bound from a primitive, which is one kind of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal, get_args

import numpy as np

from tui_nn_engine.formulas.functions import ALL_SHOWN, many
from tui_nn_engine.programs.reading import Meaning, Reading
from tui_nn_engine.programs.slots import Array, Slot

Call = Callable[[], object]
Phase = Literal["forward", "loss", "backward", "update"]
PHASES: tuple[Phase, ...] = get_args(Phase)


class Primitive:
    """One kind of operation: what it computes, which operations its gradient is.

    `name` is what the list of operations shows, `formula` the operation in the field's notation.
    """

    # Not annotated: activations are pydantic models as well, which would take these for fields.
    name = ""
    formula = ""

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """Shapes of what it writes, by suffix; the first is its value and has the suffix ''."""
        raise NotImplementedError

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A call without arguments that computes `outputs` in place from `inputs`."""
        raise NotImplementedError

    def explain(self, read: Reading) -> Meaning:
        """One element of its output as equations, with a sentence for who never saw a gradient."""
        raise NotImplementedError

    def gradients(self, op: "Op", gradient: Slot) -> "Iterator[Contribution]":  # noqa: ARG002
        """The share of dE/d(input) for each differentiable input, given dE/d(op's value)."""
        return iter(())


@dataclass(frozen=True, slots=True)
class Contribution:
    """A share of the gradient of slot `of`: `primitive` applied to `inputs`.

    Without a primitive the single input passes through as it is.
    """

    of: Slot
    inputs: tuple[Slot, ...]
    primitive: Primitive | None = None


@dataclass(eq=False, slots=True)
class Op:
    """One operation of an update: `call()` computes `outputs` from `inputs`."""

    phase: Phase
    path: str
    primitive: Primitive
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    call: Call

    @property
    def output(self) -> Slot:
        """Its value: the first output."""
        return self.outputs[0]

    @property
    def keeps(self) -> bool:
        """Whether it changes what a layer keeps for itself, which is not trained."""
        return self.output.role == "parameter" and self.output.name.startswith(f"{self.path}.")


class Sum(Primitive):
    """Adds its inputs: where a value acts on the loss along several paths, the shares add up.

    `of` is the letter of that value: W of a kernel.
    """

    name = "sum"

    def __init__(self, of: str = "h") -> None:
        self.formula = f"∂E/∂{of} = Σ shares"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape that all inputs have."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Left to right, so that the order of summation is fixed."""
        out = outputs[0]

        def call() -> None:
            np.copyto(out, inputs[0])
            for array in inputs[1:]:
                np.add(out, array, out)

        return call

    def explain(self, read: Reading) -> Meaning:
        """One addend a path."""
        shares = [read.here(position) for position in range(len(read.inputs))]
        lines = read.lines(reduce(add, shares) if len(shares) <= ALL_SHOWN else many(shares))
        return Meaning(
            lines,
            f"It acts on the loss along {len(shares)} paths; by the chain rule what comes back "
            "along each of them adds up.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """Each addend gets the whole gradient."""
        for slot in op.inputs:
            yield Contribution(slot, (gradient,))
