"""Losses that ask for a margin: right is not enough, it must be right by 1."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from tui_nn_engine.formulas.expressions import Expression, Quantity
from tui_nn_engine.formulas.functions import largest, total, when
from tui_nn_engine.primitives.loss import AnyArray, Loss, LossGradient, LossOp
from tui_nn_engine.programs.program import Call, Contribution, Slot


def _margin(y: Expression, target: Expression) -> Expression:
    return 1 - _side(target) * y


def _side(target: Expression) -> Expression:
    """−1 or +1; said only where there are targets of 0."""
    return 2 * target - 1 if np.any(np.asarray(target.value) == 0) else target


def _sides(target: AnyArray) -> AnyArray:
    return np.where(target == 0, np.array(-1, target.dtype), target)


class _HingeOp(LossOp):
    name = "hinge"
    formula = f"E = mean {largest(0, _margin(Quantity('y'), Quantity('t'))).text()}"
    meaning = (
        "Nothing where the output is on its target's side of 0 by 1 or more; else what is missing."
    )

    def of_outputs(self, *inputs: Expression) -> Expression:
        y, target = inputs
        return total(largest(0, _margin(y, target)))

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        y, target = inputs
        return lambda: np.maximum(1 - _sides(target) * y, 0, out=terms)

    def share(self, inputs: tuple[Slot, ...], loss: Slot) -> Contribution:  # noqa: ARG002
        return Contribution(inputs[0], inputs, _HingeSlope(self))


class _HingeSlope(LossGradient):
    """-t within the margin, 0 beyond it (and at its edge)."""

    def slope(self, y: Expression, target: Expression) -> Expression:
        """By whether something is missing."""
        return when(_margin(y, target) > 0, -_side(target), 0)

    def why(self, y: float, target: float) -> str:
        """Whether it is far enough on its side."""
        side = -1.0 if target == 0 else target
        if not 1 - side * y > 0:
            return "The output is on the right side by 1 or more: nothing to gain, nothing changes."
        way = "rise" if side > 0 else "fall"
        return f"The output is not yet far enough on its target's side of 0: it must {way}."

    def bind_gradient(self, inputs: Sequence[AnyArray], delta: AnyArray, factor: AnyArray) -> Call:
        y, target = inputs

        def call() -> None:
            side = _sides(target)
            np.copyto(delta, np.where(1 - side * y > 0, -factor * side, 0))

        return call


class Hinge(Loss):
    """max(0, 1 - t y), mean over outputs and samples, for targets t of -1 and +1.

    Targets of 0 and 1 are taken as -1 and +1, as Keras does; so several classes are learned each
    against all others. An output's class is its side of 0: the metric accuracy goes by that.
    (PyTorch's HingeEmbeddingLoss is another thing, a loss of distances.)
    """

    type: Literal["hinge"] = "hinge"
    summary: ClassVar[str] = "max(0, 1 − t·y), t of −1 and +1 (0 is taken as −1): a wide margin"
    boundary: ClassVar[float] = 0.0

    def primitive(self) -> LossOp:
        """What is missing of the margin."""
        return _HingeOp()
