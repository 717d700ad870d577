"""An update is a program: a flat list of operations on named, preallocated slots.

Training calls every operation, stepping calls the next one, explaining reads the slots. The
backward half is derived: walking the forward operations in reverse, each primitive says which
operations its gradient is, and contributions to the same slot are summed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Literal, get_args

import numpy as np
from numpy.typing import DTypeLike

from tui_nn_engine.reading import Meaning, Reading
from tui_nn_engine.slots import Array as Array
from tui_nn_engine.slots import Role as Role
from tui_nn_engine.slots import Slot as Slot

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


@dataclass(eq=False)
class Program:
    """The operations of one update for one batch size, in order, and the slots at its ends."""

    ops: tuple[Op, ...]
    x: Slot
    y: Slot
    output: Slot
    loss: Slot | None = None
    penalties: tuple[Slot, ...] = ()
    compute: tuple[Call, ...] = field(init=False)
    update: tuple[Call, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.compute = tuple(op.call for op in self.ops if op.phase != "update")
        self.update = tuple(op.call for op in self.ops if op.phase == "update")

    @property
    def batch(self) -> int:
        """Samples that one run takes."""
        return self.x.shape[0]

    @property
    def loss_value(self) -> float:
        """The mean loss of the batch. Raises ValueError for a program compiled without one."""
        if self.loss is None:
            raise ValueError("this program has no loss")
        value: float = self.loss.array.item()
        return value

    @property
    def penalty(self) -> float:
        """What the sizes of weights cost, as last computed."""
        return float(sum(slot.array.item() for slot in self.penalties))

    def slots(self) -> dict[str, Slot]:
        """Every slot by name, in the order in which they are first touched."""
        found = {self.x.name: self.x, self.y.name: self.y}
        for op in self.ops:
            for slot in (*op.inputs, *op.outputs):
                found.setdefault(slot.name, slot)
        return found

    def first_not_finite(self) -> Op | None:
        """The first operation that wrote an infinite number or NaN, or None."""
        for op in self.ops:
            if op.phase != "update" and not all(np.isfinite(s.array).all() for s in op.outputs):
                return op
        return None


class Builder:
    """Compiles a program: layers and losses `apply` primitives, `differentiate` adds the rest.

    `parameters` are slots shared by all programs of one network; `gradients` are the slots their
    gradients must end in. `training` tells layers such as dropout what they are compiled for.
    """

    def __init__(
        self,
        dtype: DTypeLike,
        parameters: Mapping[str, Slot],
        gradients: Mapping[str, Slot],
        state: Mapping[str, Slot],
        *,
        seed: int,
        training: bool,
    ) -> None:
        self.dtype = np.dtype(dtype)
        self.parameters = parameters
        self.state = state
        self.seed = seed
        self.training = training
        self.penalties: list[Slot] = []
        self.ends: tuple[Slot, ...] = ()
        self.ops: list[Op] = []
        self.path = ""
        self.phase: Phase = "forward"
        self._gradients: dict[Slot, Slot] = {parameters[n]: g for n, g in gradients.items()}
        self._differentiable: set[Slot] = set(self._gradients)

    @contextmanager
    def within(self, path: str, phase: Phase | None = None) -> Iterator[None]:
        """Operations applied inside belong to this layer (and phase)."""
        before = self.path, self.phase
        self.path, self.phase = path, phase or self.phase
        try:
            yield
        finally:
            self.path, self.phase = before

    def parameter(self, name: str) -> Slot:
        """The parameter `name` of the layer being built."""
        return self.parameters[f"{self.path}.{name}"]

    def gradient(self, parameter: Slot) -> Slot | None:
        """The slot that the gradient of a trainable parameter must end in; None for others."""
        return self._gradients.get(parameter)

    def slot(self, name: str, shape: Sequence[int], role: Role = "value") -> Slot:
        """A new slot of the network's dtype, named within the layer being built."""
        full = f"{self.path}.{name}" if self.path else name
        return Slot(full, np.zeros(tuple(shape), self.dtype), role)

    def apply(self, primitive: Primitive, *inputs: Slot, name: str) -> Slot:
        """Append an operation; returns the slot of its value, named `name` within the layer."""
        outputs = tuple(
            self.slot(f"{name}.{suffix}" if suffix else name, shape)
            for suffix, shape in primitive.outputs(*inputs).items()
        )
        if self._differentiable.intersection(inputs):
            self._differentiable.add(outputs[0])
        return self.append(primitive, inputs, outputs).output

    def append(self, primitive: Primitive, inputs: Sequence[Slot], outputs: Sequence[Slot]) -> Op:
        """Append an operation that writes slots which exist already."""
        call = primitive.bind([s.array for s in inputs], [s.array for s in outputs])
        op = Op(self.phase, self.path, primitive, tuple(inputs), tuple(outputs), call)
        self.ops.append(op)
        return op

    def producer(self, slot: Slot) -> Op | None:
        """The operation whose value this slot is."""
        return next((op for op in self.ops if op.output is slot), None)

    def differentiate(self, *ends: Slot) -> None:
        """Append the backward half: dE/d(slot) for every trainable parameter, in reverse order.

        E is the sum of the scalars `ends`.
        """
        self.ends = ends
        forward = tuple(self.ops)
        uses = _count_uses(forward)
        shares: dict[Slot, list[Slot]] = {}
        for op in reversed(forward):
            gradient = op.output if op.output in ends else self._total(op.output, shares)
            if gradient is None:
                continue
            with self.within(op.path, "backward"):
                for share in op.primitive.gradients(op, gradient):
                    if share.of in self._differentiable:
                        single = uses[share.of] == 1
                        shares.setdefault(share.of, []).append(self._share(share, single=single))
        for parameter in self._gradients:
            with self.within(parameter.name.rpartition(".")[0], "backward"):
                self._total(parameter, shares)

    def _share(self, share: Contribution, *, single: bool) -> Slot:
        of = share.of
        if share.primitive is None:
            return share.inputs[0]
        extra = dict(share.primitive.outputs(*share.inputs))
        shape = extra.pop("")
        if single and of in self._gradients:
            target = self._gradients[of]
        else:
            name = f"dE/d({of.name})" if single else f"dE/d({of.name}) #{len(self.ops)}"
            target = Slot(name, np.zeros(shape, self.dtype), "gradient", of)
        others = [self.slot(suffix, shape) for suffix, shape in extra.items()]
        self.append(share.primitive, share.inputs, (target, *others))
        return target

    def _total(self, slot: Slot, shares: dict[Slot, list[Slot]]) -> Slot | None:
        """dE/d(slot): the only share itself, or the sum of all (chain rule for several paths)."""
        found = shares.get(slot)
        if not found:
            return None
        place = self._gradients.get(slot)
        if len(found) == 1 and place in {None, found[0]}:
            if found[0].of is slot:
                found[0].name = f"dE/d({slot.name})"
            return found[0]
        target = place or Slot(f"dE/d({slot.name})", np.zeros_like(slot.array), "gradient", slot)
        self.append(Sum(), found, (target,))
        shares[slot] = [target]
        return target


class Sum(Primitive):
    """Adds its inputs: where a value acts on the loss along several paths, the shares add up."""

    name = "sum"
    formula = "∂E/∂h = Σ shares"

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
        lines = read.lines(reduce(add, shares))
        return Meaning(
            lines,
            f"It acts on the loss along {len(shares)} paths; by the chain rule what comes back "
            "along each of them adds up.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """Each addend gets the whole gradient."""
        for slot in op.inputs:
            yield Contribution(slot, (gradient,))


def _count_uses(ops: Sequence[Op]) -> dict[Slot, int]:
    uses: dict[Slot, int] = {}
    for op in ops:
        for slot in op.inputs:
            uses[slot] = uses.get(slot, 0) + 1
    return uses
