"""Losses of the error e = y − t that are not its square: gentler with outliers, or a root."""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.formulas.expressions import ATOM, Expression, Quantity, lift
from tui_nn_engine.formulas.functions import absolute, cosh, exp, ln, sign, sqrt, tanh, total, when
from tui_nn_engine.primitives.loss import AnyArray, Loss, LossGradient, LossOp
from tui_nn_engine.programs.program import Call, Contribution, Slot
from tui_nn_engine.programs.reading import Reading

_LARGE = 300.0  # cosh of more is near the largest number there is
_LN_2 = float(np.log(2))


class _ErrorOp(LossOp):
    """Mean over the outputs of a term f(e), each by itself."""

    hint = ""  # what its slope shows

    def __init__(self, name: str) -> None:
        self.name = name
        term = self.term(Quantity("y") - Quantity("t"))
        text = term.text()
        self.formula = f"E = mean {text if term.binding(None) == ATOM else f'({text})'}"

    def term(self, error: Expression) -> Expression:
        """f(e)."""
        raise NotImplementedError

    def slope(self, error: Expression) -> Expression:
        """f'(e)."""
        raise NotImplementedError

    def write(self, error: AnyArray, terms: AnyArray) -> None:
        """Compute f(e) of every element into `terms`."""
        raise NotImplementedError

    def write_slope(self, error: AnyArray, slopes: AnyArray) -> None:
        """Compute f'(e) of every element into `slopes`."""
        raise NotImplementedError

    def of_outputs(self, *inputs: Expression) -> Expression:
        y, target = inputs
        return total(self.term(y - target))

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        y, target = inputs
        error = np.empty_like(terms)

        def call() -> None:
            np.subtract(y, target, error)
            self.write(error, terms)

        return call

    def share(self, inputs: tuple[Slot, ...], loss: Slot) -> Contribution:  # noqa: ARG002
        return Contribution(inputs[0], inputs, _ErrorSlope(self))


class _ErrorSlope(LossGradient):
    """factor * f'(y - t)."""

    def __init__(self, loss: _ErrorOp) -> None:
        self.of_error = loss
        super().__init__(loss)

    def slope(self, y: Expression, target: Expression) -> Expression:
        """f'(y − t)."""
        return self.of_error.slope(y - target)

    def why(self, y: float, target: float) -> str:
        """Which way, and how the size of the error counts."""
        return f"{super().why(y, target)} {self.of_error.hint}"

    def bind_gradient(self, inputs: Sequence[AnyArray], delta: AnyArray, factor: AnyArray) -> Call:
        y, target = inputs
        error, slopes = np.empty_like(delta), np.empty_like(delta)

        def call() -> None:
            np.subtract(y, target, error)
            self.of_error.write_slope(error, slopes)
            np.multiply(slopes, factor, delta)

        return call


class _AbsoluteOp(_ErrorOp):
    meaning = "Each output's distance from its target: an error twice as large costs twice as much."
    hint = "Only the side counts, not how far it is: an outlier pulls no harder than any other."

    def term(self, error: Expression) -> Expression:
        return absolute(error)

    def slope(self, error: Expression) -> Expression:
        return sign(error)

    def write(self, error: AnyArray, terms: AnyArray) -> None:
        np.abs(error, terms)

    def write_slope(self, error: AnyArray, slopes: AnyArray) -> None:
        np.sign(error, slopes)


class _HuberOp(_ErrorOp):
    meaning = "Small errors count by their square, large ones only by their size."
    hint = "Up to delta the slope is the error itself, beyond it stays delta: no outlier runs off."

    def __init__(self, name: str, delta: float) -> None:
        self.delta = delta
        super().__init__(name)

    def term(self, error: Expression) -> Expression:
        delta, half = Quantity("delta", self.delta), Quantity("½", 0.5)
        linear = delta * (absolute(error) - half * delta)
        return when(absolute(error) > delta, linear, half * error**2)

    def slope(self, error: Expression) -> Expression:
        delta = Quantity("delta", self.delta)
        return when(absolute(error) > delta, delta * sign(error), error)

    def write(self, error: AnyArray, terms: AnyArray) -> None:
        # With c = min(|e|, delta): c (|e| − c/2) is either branch, and overflows in neither.
        size = np.abs(error)
        capped = np.minimum(size, self.delta)
        np.multiply(capped, size - capped / 2, terms)

    def write_slope(self, error: AnyArray, slopes: AnyArray) -> None:
        np.clip(error, -self.delta, self.delta, slopes)


class _LogCoshOp(_ErrorOp):
    meaning = "Like half the square for small errors, like the size for large ones, and smooth."
    hint = "The slope is tanh of the error: near 0 the error itself, far from it never beyond ±1."

    def term(self, error: Expression) -> Expression:
        if np.max(np.abs(error.value), initial=0) > _LARGE:  # the same, by way of the size
            return absolute(error) + ln((1 + exp(-2 * absolute(error))) / 2)
        return ln(cosh(error))

    def slope(self, error: Expression) -> Expression:
        return tanh(error)

    def write(self, error: AnyArray, terms: AnyArray) -> None:
        # Near 0 cosh is 1 to the last digits, and its logarithm would have lost them.
        size = np.abs(error)
        near = np.log1p(2 * np.sinh(np.minimum(size, 1) / 2) ** 2)
        np.copyto(terms, np.where(size < 1, near, size + np.log1p(np.exp(-2 * size)) - _LN_2))

    def write_slope(self, error: AnyArray, slopes: AnyArray) -> None:
        np.tanh(error, slopes)


class _BiasOp(_ErrorOp):
    meaning = "Each output's error with its sign: too much here makes up for too little there."
    hint = "It is the same whatever the output is: this loss always falls as the output does."

    def term(self, error: Expression) -> Expression:
        return error

    def slope(self, error: Expression) -> Expression:  # noqa: ARG002
        return lift(1)

    def write(self, error: AnyArray, terms: AnyArray) -> None:
        np.copyto(terms, error)

    def write_slope(self, error: AnyArray, slopes: AnyArray) -> None:  # noqa: ARG002
        slopes.fill(1)


class _RootOp(LossOp):
    """√(mean (y − t)²), the mean over outputs and samples before the root."""

    meaning = "Each output's distance from its target, squared; the root brings back its unit."
    formula = "E = √(mean (y − t)²)"

    def __init__(self, name: str) -> None:
        self.name = name

    def of_outputs(self, *inputs: Expression) -> Expression:
        y, target = inputs
        return total((y - target) ** 2)

    def of_batch(self, mean: Expression) -> Expression:
        return sqrt(mean)

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        y, target = inputs
        error = np.empty_like(terms)

        def call() -> None:
            np.subtract(y, target, error)
            np.multiply(error, error, terms)

        return call

    def bind_average(self, each: AnyArray, mean: AnyArray) -> Call:
        square = np.empty_like(mean)
        average = super().bind_average(each, square)

        def call() -> None:
            average()
            np.sqrt(square, mean)

        return call

    def share(self, inputs: tuple[Slot, ...], loss: Slot) -> Contribution:
        return Contribution(inputs[0], (*inputs, loss), _RootSlope(self))


class _RootSlope(LossGradient):
    """factor * (y - t) / E; 0 where E is 0."""

    def slope(self, y: Expression, target: Expression) -> Expression:
        """(y − t)/E."""
        return (y - target) / Quantity("E")

    def here(self, read: Reading, y: Expression, target: Expression) -> Expression:
        """With the loss of this batch."""
        loss = read.input(2)
        return lift(0) if loss.value == 0 else (y - target) / loss

    def why(self, y: float, target: float) -> str:
        """Which way, and what the root does."""
        told = super().why(y, target)
        return f"{told} Divided by the loss, for the slope of a root is 1 over twice that root."

    def bind_gradient(self, inputs: Sequence[AnyArray], delta: AnyArray, factor: AnyArray) -> Call:
        y, target, loss = inputs
        error, scale = np.empty_like(delta), np.empty_like(factor)

        def call() -> None:
            np.subtract(y, target, error)
            if loss.item() == 0:  # every error is 0
                scale.fill(0)
            else:
                np.divide(factor, loss, scale)
            np.multiply(error, scale, delta)

        return call


class MeanAbsoluteError(Loss):
    """Mean over outputs and samples of |y - t|; its slope at 0 is 0."""

    type: Literal["mean_absolute_error"] = "mean_absolute_error"
    aliases: ClassVar[tuple[str, ...]] = ("mae", "l1")
    summary: ClassVar[str] = "mean of |y − t|: outliers count no more than they are"

    def primitive(self) -> LossOp:
        """Absolute errors."""
        return _AbsoluteOp(self.type)


class RootMeanSquaredError(Loss):
    """Root of the mean over outputs and samples of (y - t)^2, in the unit of the targets.

    The root is taken for each batch, so the loss of an epoch is the mean of its batches' roots, a
    little less than the root over all samples, which is the metric `rmse`.
    """

    type: Literal["root_mean_squared_error"] = "root_mean_squared_error"
    aliases: ClassVar[tuple[str, ...]] = ("rmse",)
    summary: ClassVar[str] = "√(mean of (y − t)²): in the unit of the targets"

    def primitive(self) -> LossOp:
        """Squared errors, then a root."""
        return _RootOp(self.type)


class Huber(Loss):
    """½ e² up to |e| = delta, beyond it delta (|e| − ½ delta), mean of all (Huber 1964).

    Keras's and PyTorch's (whose SmoothL1Loss is this divided by delta).
    """

    type: Literal["huber"] = "huber"
    summary: ClassVar[str] = "squared near the target, straight beyond delta: bears outliers"
    delta: Annotated[float, Field(gt=0, description="error from which it grows straight")] = 1.0

    def primitive(self) -> LossOp:
        """Squares and straight lines."""
        return _HuberOp(self.type, self.delta)


class LogCosh(Loss):
    """ln cosh(y - t), mean over outputs and samples; exact for tiny and for huge errors."""

    type: Literal["log_cosh"] = "log_cosh"
    aliases: ClassVar[tuple[str, ...]] = ("logcosh",)
    summary: ClassVar[str] = "ln cosh(y − t): like huber, but smooth"

    def primitive(self) -> LossOp:
        """Logarithms of the hyperbolic cosine."""
        return _LogCoshOp(self.type)


class MeanBiasError(Loss):
    """Mean of y - t: positive where the outputs are too large on the whole.

    A figure, not a loss to train with: it has no minimum, and errors of either sign cancel. The
    checks refuse it; regression reports it as the metric `mbe`.
    """

    type: Literal["mean_bias_error"] = "mean_bias_error"
    aliases: ClassVar[tuple[str, ...]] = ("mbe",)
    summary: ClassVar[str] = "mean of y − t: a figure only, for it has no minimum"

    def primitive(self) -> LossOp:
        """Errors with their signs."""
        return _BiasOp(self.type)
