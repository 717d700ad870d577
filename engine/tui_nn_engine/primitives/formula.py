"""What an update rule is made of: elementwise operations on the flat vectors of parameters."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from tui_nn_engine.formulas.expressions import Expression, Quantity
from tui_nn_engine.programs.program import Array, Builder, Call, Primitive, Slot
from tui_nn_engine.programs.reading import Meaning, Reading


def hyperparameter(builder: Builder, name: str, value: float) -> Slot:
    """A hyperparameter as a constant 0-d slot."""
    return Slot(name, np.array(value, builder.dtype), "input")


class Formula(Primitive):
    """An elementwise operation on the flat vectors.

    `left` is the symbol of its value, `symbols` those of its inputs, `equation` its formula in them
    and `why` a sentence; `compute(*inputs, *outputs)` runs it.
    """

    def __init__(
        self,
        name: str,
        left: str,
        symbols: str,
        equation: Callable[..., Expression],
        why: Callable[..., str],
        compute: Callable[..., None],
    ) -> None:
        self.name, self.left, self.symbols = name, left, symbols.split()
        self.equation, self.why, self.compute = equation, why, compute
        arrow = "←" if left in self.symbols else "="
        self.formula = f"{left} {arrow} {equation(*map(Quantity, self.symbols)).text()}"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of its first input."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """compute(*inputs, *outputs)."""
        return partial(self.compute, *inputs, *outputs)

    def explain(self, read: Reading) -> Meaning:
        """Its equation, for one weight."""
        inputs = [
            read.input(position, *(read.element if slot.shape else ()), as_=symbol)
            for position, (slot, symbol) in enumerate(zip(read.inputs, self.symbols, strict=True))
        ]
        lines = read.lines(self.equation(*inputs), as_=self.left)
        return Meaning(lines, self.why(*inputs))
