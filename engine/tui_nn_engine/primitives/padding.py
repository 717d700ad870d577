"""Which time steps are real and which are padding, and what that counts in a loss."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tui_nn_engine.formulas.expressions import lift
from tui_nn_engine.formulas.functions import largest, total, when
from tui_nn_engine.programs.program import Array, Call, Primitive, Slot
from tui_nn_engine.programs.reading import ALL, Meaning, Reading

AnyArray = Any


def real_steps(x: AnyArray, padding: float) -> AnyArray:
    """(batch, time) bool: steps of x that have a number other than `padding`, or are one."""
    differs = x != padding
    return differs.any(axis=-1) if differs.ndim == 3 else differs


class RealSteps(Primitive):
    """m (batch, time): 0 where all numbers of a step of x (batch, time, ...) are `padding`, else 1.

    On x (batch, time) of tokens it is 0 where the token is. As Keras's Masking and mask_zero.
    """

    name = "real steps"

    def __init__(self, padding: float) -> None:
        self.padding = padding
        self.formula = f"m = 0 if x is {padding:g}, else 1"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, time)."""
        return {"": inputs[0].shape[:2]}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A comparison."""
        x, m = inputs[0], outputs[0]
        return lambda: np.copyto(m, real_steps(x, self.padding))

    def explain(self, read: Reading) -> Meaning:
        """By the number that is farthest from padding."""
        sample, time = read.element
        step = read.input(0, sample, time, ...) if len(read.inputs[0].shape) == 3 else read.here(0)
        values = np.atleast_1d(step.value)
        far = int(np.argmax(np.abs(values - self.padding)))
        one = step.at(far) if np.ndim(step.value) else step
        away = largest(one - self.padding, self.padding - one)
        told = "is padding" if one.scalar == self.padding else "is real"
        return Meaning(
            read.lines(when(away > 0, 1, 0)),
            f"A step whose numbers are all {self.padding:g} is padding, there to make all "
            f"sequences equally long. This one {told}.",
        )


class StepShare(Primitive):
    """s = m · n / Σm: what each of the n time steps of a batch counts in its loss, on average 1.

    Padding counts nothing, so that the loss is the mean over the real steps of the batch, as in
    Keras. Input m (batch, time).
    """

    name = "share of a step"
    formula = "s = m·n/Σm"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, time)."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A sum and a product; where nothing is real nothing counts."""
        m: AnyArray = inputs[0]
        share: AnyArray = outputs[0]

        def call() -> None:
            np.multiply(m, share.dtype.type(m.size / max(float(m.sum()), 1.0)), share)

        return call

    def explain(self, read: Reading) -> Meaning:
        """By how many steps are real."""
        m = read.here(0)
        steps = int(np.prod(read.inputs[0].shape))
        real = largest(total(read.input(0, ALL, ALL)), 1)
        return Meaning(
            read.lines(m * lift(steps) / real),
            "Padding counts nothing. Each real step counts as much more as there is padding, so "
            "that the loss of the batch is the mean over its real steps.",
        )
