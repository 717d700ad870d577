"""All losses there are, and the squared errors."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np

from tui_nn_engine.blocks.schema import OneOf
from tui_nn_engine.formulas.expressions import Expression, Quantity
from tui_nn_engine.formulas.functions import total
from tui_nn_engine.primitives.crossentropies import BinaryCrossentropy, CategoricalCrossentropy
from tui_nn_engine.primitives.divergence import KLDivergence
from tui_nn_engine.primitives.errors import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanBiasError,
    RootMeanSquaredError,
)
from tui_nn_engine.primitives.loss import AnyArray, Difference, Loss, LossOp
from tui_nn_engine.primitives.margins import Hinge
from tui_nn_engine.programs.program import Call, Contribution, Slot


class _SquaredError(LossOp):
    meaning = "Each output's distance from its target, squared: large errors count most."

    def __init__(self, name: str, *, half: bool) -> None:
        self.name, self.half = name, half
        square = (Quantity("y") - Quantity("t")) ** 2
        self.formula = f"E = ½·Σ {square.text()}" if half else f"E = mean {square.text()}"

    @property
    def averaged(self) -> bool:  # type: ignore[override]
        return not self.half

    def of_outputs(self, *inputs: Expression) -> Expression:
        y, target = inputs
        squares = total((y - target) ** 2)
        return Quantity("½", 0.5) * squares if self.half else squares

    def weight(self, outputs: int) -> float:
        return 0.5 if self.half else 1 / outputs

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        y, target = inputs
        work = np.empty_like(terms)

        def call() -> None:
            np.subtract(y, target, work)
            np.multiply(work, work, terms)

        return call

    def share(self, inputs: tuple[Slot, ...], loss: Slot) -> Contribution:  # noqa: ARG002
        return Contribution(inputs[0], inputs, Difference(self, output="y", scale=2.0))


class MeanSquaredError(Loss):
    """Mean over outputs and samples of (y - t)^2."""

    type: Literal["mean_squared_error"] = "mean_squared_error"
    aliases: ClassVar[tuple[str, ...]] = ("mse", "squared_error")
    summary: ClassVar[str] = "mean of (y − t)²: the default of regression"

    def primitive(self) -> LossOp:
        """Squared errors."""
        return _SquaredError(self.type, half=False)


class HalfSquaredError(Loss):
    """1/2 the sum over outputs of (y - t)^2, mean over samples: the textbook's E."""

    type: Literal["half_squared_error"] = "half_squared_error"
    summary: ClassVar[str] = "½ Σ (y − t)²: the lecture's, whose slope is y − t"

    def primitive(self) -> LossOp:
        """Squared errors."""
        return _SquaredError(self.type, half=True)


LOSSES: tuple[type[Loss], ...] = (
    CategoricalCrossentropy,
    BinaryCrossentropy,
    MeanSquaredError,
    HalfSquaredError,
    MeanAbsoluteError,
    RootMeanSquaredError,
    Huber,
    LogCosh,
    Hinge,
    KLDivergence,
    MeanBiasError,
)
AnyLoss = Annotated[Loss, OneOf(LOSSES)]

__all__ = [
    "LOSSES",
    "AnyLoss",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "HalfSquaredError",
    "Hinge",
    "Huber",
    "KLDivergence",
    "LogCosh",
    "Loss",
    "MeanAbsoluteError",
    "MeanBiasError",
    "MeanSquaredError",
    "RootMeanSquaredError",
]
