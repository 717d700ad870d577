"""What becomes of a recurrent layer's state at a step that is padding: it stays as it was."""

from collections.abc import Iterator, Sequence

import numpy as np

from tui_nn_engine.formulas.functions import when
from tui_nn_engine.primitives.activation import AnyArray
from tui_nn_engine.primitives.recurrent import Alike
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Slot
from tui_nn_engine.programs.reading import Meaning, Reading


class Carry(Alike):
    """h = ĥ where the step is real (mask 1), else h′. Inputs ĥ, h′, mask (batch,)."""

    name = "padding"
    formula = "h = ĥ if m = 1, else h′"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A copy, and another where the step is real."""
        new, before, mask = inputs
        h: AnyArray = outputs[0]
        real, column = np.empty(mask.shape, bool), mask
        rows = real[:, None]

        def call() -> None:
            np.not_equal(column, 0, real)
            np.copyto(h, before)
            np.copyto(h, new, where=rows)

        return call

    def explain(self, read: Reading) -> Meaning:
        """One of both."""
        m = read.input(2, read.element[0])
        return Meaning(
            read.lines(when(m > 0, read.here(0), read.here(1))),
            "This step is padding: the state stays as it was."
            if m.scalar == 0
            else "This step is real, not padding: the new state counts.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """The gradient goes to the one that was taken."""
        new, before, mask = op.inputs
        yield Contribution(new, (gradient, mask), Carried(real=True))
        yield Contribution(before, (gradient, mask), Carried(real=False))


class Carried(Alike):
    """The gradient where the step was `real` (or was not), else 0. Inputs gradient, mask."""

    name = "padding"

    def __init__(self, *, real: bool) -> None:
        self.real = real
        self.formula = "∂E/∂ĥ = ∂E/∂h·m" if real else "∂E/∂h′ = ∂E/∂h·(1 − m)"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A product, row by row."""
        gradient, mask = inputs
        factor = np.empty((len(mask), 1), mask.dtype)
        column, out, real = factor[:, 0], outputs[0], self.real
        one = np.array(1, mask.dtype)

        def call() -> None:
            if real:
                np.copyto(column, mask)
            else:
                np.subtract(one, mask, column)
            np.multiply(gradient, factor, out)

        return call

    def explain(self, read: Reading) -> Meaning:
        """All of it, or nothing."""
        m = read.input(1, read.element[0])
        return Meaning(
            read.lines(read.here(0) * (m if self.real else 1 - m)),
            "The error goes where the state came from: the step itself where it is real, past it "
            "where it is padding.",
        )
