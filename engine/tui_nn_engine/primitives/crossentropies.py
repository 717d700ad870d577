"""Cross-entropies: losses of probabilities.

Where the output is a softmax or sigmoid, they work from its logits z, which is stable for any z and
gives the simple gradient p - t.
"""

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.formulas.expressions import Expression, Quantity, lift, part
from tui_nn_engine.formulas.functions import absolute, exp, largest, ln, smallest, total
from tui_nn_engine.primitives.activations import Activation, Sigmoid, Softmax
from tui_nn_engine.primitives.loss import AnyArray, Difference, Loss, LossGradient, LossOp
from tui_nn_engine.primitives.softmax import softmax
from tui_nn_engine.primitives.targets import SmoothTargets
from tui_nn_engine.programs.program import Builder, Call, Contribution, Slot
from tui_nn_engine.programs.reading import ALL, Equation, Reading

LabelSmoothing = Annotated[
    float,
    Field(ge=0, lt=1, description="certainty taken from the true answer and shared out among all"),
]
EPSILON = 1e-7  # Keras's: probabilities are kept this far from 0 and 1
_SATURATED = 12.0  # |z| from which 1 − sigmoid(z) has lost digits that count
TINY = 1e-300
_SURPRISE = (
    "The natural logarithm makes it the surprise at the truth: 0 where the output was sure of it, "
    "large where it thought the truth unlikely."
)
_OUTSIDE = (
    "The output is so near 0 or 1 that the loss takes it for the nearest number it allows: a "
    "small change of it changes nothing."
)


def _binary(y: Expression, target: Expression) -> Expression:
    return -(target * ln(y) + (1 - target) * ln(1 - y))


def _surprise(p: Expression, target: Expression) -> Expression:
    return target * ln(p)


def _is_outside(y: Expression) -> bool:
    """Whether any of the probabilities is taken for another."""
    return bool(np.any((np.asarray(y.value) < EPSILON) | (np.asarray(y.value) > 1 - EPSILON)))


def kept_within(y: Expression) -> Expression:
    """y as the loss takes it; said only where that makes a difference."""
    return largest(EPSILON, smallest(y, 1 - EPSILON)) if _is_outside(y) else y


class _BinaryFromLogits(LossOp):
    """log(1 + exp(-|z|)) + max(z, 0) - z t; inputs z, t and y = sigmoid(z)."""

    name = "binary_crossentropy"
    formula = f"E = {_binary(Quantity('y'), Quantity('t')).text()}, y = sigmoid(z)"
    meaning = _SURPRISE

    def of_outputs(self, *inputs: Expression) -> Expression:
        z, target, y = inputs
        if np.abs(z.value).max() < _SATURATED:
            return total(_binary(y, target))
        # Where y is 0 or 1 to many digits, 1 − y has lost its own: the same, by way of z.
        return total(largest(z, 0) - z * target + ln(1 + exp(-absolute(z))))

    def parts(self, read: Reading) -> tuple[Equation, ...]:
        z, y = read.here(0), read.here(2)
        return (read.recalled(y, 1 / (1 + exp(-z))),)

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        z, target, _ = inputs
        zero, soft, work = np.array(0, z.dtype), np.empty_like(z), np.empty_like(z)

        def call() -> None:
            np.logaddexp(zero, z, soft)
            np.multiply(z, target, work)
            np.subtract(soft, work, terms)

        return call

    def share(self, inputs: tuple[Slot, ...], loss: Slot) -> Contribution:  # noqa: ARG002
        z, target, y = inputs
        return Contribution(z, (y, target), Difference(self, output="z"))


class _BinaryFromProbabilities(LossOp):
    """-[t ln y + (1 - t) ln(1 - y)] with y kept within [1e-7, 1 - 1e-7], as Keras does."""

    name = "binary_crossentropy"
    formula = f"E = {_binary(Quantity('y'), Quantity('t')).text()}"
    meaning = _SURPRISE

    def of_outputs(self, *inputs: Expression) -> Expression:
        y, target = inputs
        return total(_binary(kept_within(y), target))

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        y, t = inputs

        def call() -> None:
            p = np.clip(y, EPSILON, 1 - EPSILON)
            np.negative(t * np.log(p) + (1 - t) * np.log1p(-p), terms)

        return call

    def share(self, inputs: tuple[Slot, ...], loss: Slot) -> Contribution:  # noqa: ARG002
        return Contribution(inputs[0], inputs, _BinaryProbabilityGradient(self))


class _BinaryProbabilityGradient(LossGradient):
    """(y - t) / (y (1 - y)) inside the clip, 0 outside."""

    def slope(self, y: Expression, target: Expression) -> Expression:
        """0 where y is taken for another number, which does not change with it."""
        return lift(0) if _is_outside(y) else (y - target) / (y * (1 - y))

    def why(self, y: float, target: float) -> str:
        """Which way, or why none."""
        return _OUTSIDE if _is_outside(lift(y)) else super().why(y, target)

    def bind_gradient(self, inputs: Sequence[AnyArray], delta: AnyArray, factor: AnyArray) -> Call:
        y, t = inputs

        def call() -> None:
            p = np.clip(y, EPSILON, 1 - EPSILON)
            np.copyto(delta, np.where(p == y, factor * (p - t) / (p * (1 - p)), 0))

        return call


class BinaryCrossentropy(Loss):
    """-[t ln y + (1 - t) ln(1 - y)], mean over outputs and samples, natural logarithm."""

    type: Literal["binary_crossentropy"] = "binary_crossentropy"
    aliases: ClassVar[tuple[str, ...]] = ("log_loss", "bce")
    summary: ClassVar[str] = "for yes/no outputs (sigmoid)"
    label_smoothing: LabelSmoothing = 0.0

    def aims(self, builder: Builder, target: Slot) -> Slot:
        """Each a little nearer to 1/2."""
        return _smoothed(builder, target, self.label_smoothing, 2)

    def operation(
        self, builder: Builder, output: Slot, target: Slot
    ) -> tuple[LossOp, tuple[Slot, ...]]:
        """From the logits of a sigmoid, else from probabilities."""
        if z := logits_of(builder, output, Sigmoid):
            return _BinaryFromLogits(), (z, target, output)
        return _BinaryFromProbabilities(), (output, target)


class CategoricalFromLogits(LossOp):
    """t (log Σ exp(z) - z); inputs z, t and p = softmax(z)."""

    name = "categorical_crossentropy"
    formula = f"E = −Σ {_surprise(Quantity('p'), Quantity('t')).text()}, p = softmax(z)"
    meaning = _SURPRISE
    averaged = False

    def of_outputs(self, *inputs: Expression) -> Expression:
        """−Σ t ln p."""
        z, target, p = inputs
        if not (np.asarray(p.value) < TINY).any():
            return -total(_surprise(p, target))
        # Where p is 0 to the last bit it has no logarithm: the same, by way of z.
        peak = Quantity("max(z)", float(np.max(z.value)))
        return total(target * (part("ln Σ", ln(total(exp(z - peak)))) - (z - peak)))

    def parts(self, read: Reading) -> tuple[Equation, ...]:
        """The probability looked at."""
        *place, unit = read.element
        return (read.recalled(read.here(2), softmax(read.input(0, *place, ALL), unit)),)

    def weight(self, outputs: int) -> float:  # noqa: ARG002
        """Terms are summed."""
        return 1.0

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        """Each output's term."""
        z, target, _ = inputs
        peak, total = np.empty((len(z), 1), z.dtype), np.empty((len(z), 1), z.dtype)

        def call() -> None:
            np.maximum.reduce(z, 1, None, peak, keepdims=True)
            np.subtract(z, peak, terms)
            np.add.reduce(np.exp(terms), 1, None, total, keepdims=True)
            np.log(total, total)
            np.subtract(total, terms, terms)
            np.multiply(terms, target, terms)

        return call

    def share(self, inputs: tuple[Slot, ...], loss: Slot) -> Contribution:  # noqa: ARG002
        """That of the logits or probabilities."""
        z, target, p = inputs
        return Contribution(z, (p, target), Difference(self, output="z"))


class CategoricalFromProbabilities(LossOp):
    """-t ln y with y kept within [1e-7, 1 - 1e-7]; y is taken as it is, not normalized."""

    name = "categorical_crossentropy"
    formula = f"E = −Σ {_surprise(Quantity('y'), Quantity('t')).text()}"
    meaning = _SURPRISE
    averaged = False

    def of_outputs(self, *inputs: Expression) -> Expression:
        """−Σ t ln p."""
        y, target = inputs
        return -total(_surprise(kept_within(y), target))

    def weight(self, outputs: int) -> float:  # noqa: ARG002
        """Terms are summed."""
        return 1.0

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        """Each output's term."""
        y, t = inputs
        return lambda: np.multiply(-np.log(np.clip(y, EPSILON, 1 - EPSILON)), t, terms)

    def share(self, inputs: tuple[Slot, ...], loss: Slot) -> Contribution:  # noqa: ARG002
        """That of the logits or probabilities."""
        return Contribution(inputs[0], inputs, _CategoricalProbabilityGradient(self))


class _CategoricalProbabilityGradient(LossGradient):
    """-t / y inside the clip, 0 outside."""

    def slope(self, y: Expression, target: Expression) -> Expression:
        """0 where y is taken for another number, which does not change with it."""
        return lift(0) if _is_outside(y) else -(target / y)

    def why(self, y: float, target: float) -> str:
        """Only the true class counts."""
        if _is_outside(lift(y)):
            return _OUTSIDE
        if target == 0:
            return "This is not the true class: the loss looks at the probability of that alone."
        return "The loss falls as the probability of the true class rises, fastest where it is low."

    def bind_gradient(self, inputs: Sequence[AnyArray], delta: AnyArray, factor: AnyArray) -> Call:
        y, t = inputs

        def call() -> None:
            p = np.clip(y, EPSILON, 1 - EPSILON)
            np.copyto(delta, np.where(p == y, -factor * t / p, 0))

        return call


class CategoricalCrossentropy(Loss):
    """-Σ t ln p over the classes, mean over samples; targets are class numbers or one-hot rows."""

    type: Literal["categorical_crossentropy"] = "categorical_crossentropy"
    aliases: ClassVar[tuple[str, ...]] = (
        "sparse_categorical_crossentropy",
        "cross_entropy",
        "crossentropy",
    )
    summary: ClassVar[str] = "for one class of several (softmax)"
    label_smoothing: LabelSmoothing = 0.0

    def aims(self, builder: Builder, target: Slot) -> Slot:
        """Each class gets a little of the certainty."""
        return _smoothed(builder, target, self.label_smoothing, target.shape[-1])

    def operation(
        self, builder: Builder, output: Slot, target: Slot
    ) -> tuple[LossOp, tuple[Slot, ...]]:
        """From the logits of a softmax, else from probabilities."""
        if z := logits_of(builder, output, Softmax):
            return CategoricalFromLogits(), (z, target, output)
        return CategoricalFromProbabilities(), (output, target)


def logits_of(builder: Builder, output: Slot, activation: type[Activation]) -> Slot | None:
    """The z that an output was made from, where that activation made it."""
    producer = builder.producer(output)
    made = producer is not None and isinstance(producer.primitive, activation)
    return producer.inputs[0] if producer is not None and made else None


def _smoothed(builder: Builder, target: Slot, smoothing: float, alternatives: int) -> Slot:
    if not smoothing:
        return target
    return builder.apply(SmoothTargets(smoothing, alternatives), target, name="t′")
