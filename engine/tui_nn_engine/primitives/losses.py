"""Losses: each is its block in the experiment file and the operation it runs as.

A loss operation writes the mean over the batch (its value, a scalar) and the loss of each sample.
Where the output is a softmax or sigmoid, the cross-entropies work from its logits z, which is
stable for any z and gives the simple gradient p - t. Operations write from one array into another:
in place, NumPy takes three times as long on a single number.
"""

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from operator import mul
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from tui_nn_engine.expressions import (
    Expression,
    Part,
    Quantity,
    absolute,
    exp,
    formula,
    largest,
    lift,
    ln,
    smallest,
    total,
)
from tui_nn_engine.primitives.activations import Sigmoid, Softmax
from tui_nn_engine.primitives.linear import rows
from tui_nn_engine.primitives.softmax import softmax
from tui_nn_engine.program import Array, Builder, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.reading import ALL, Equation, Meaning, Reading
from tui_nn_engine.schema import Kind, OneOf

AnyArray = Any
EPSILON = 1e-7  # Keras's: probabilities are kept this far from 0 and 1


_SATURATED = 12.0  # |z| from which 1 − sigmoid(z) has lost digits that count
_TINY = 1e-300
_SURPRISE = (
    "The natural logarithm makes it the surprise at the truth: 0 where the output was sure of it, "
    "large where it thought the truth unlikely."
)
_OUTSIDE = (
    "The output is so near 0 or 1 that the loss takes it for the nearest number it allows: a "
    "small change of it changes nothing."
)


class Loss(Kind):
    """A loss E(y, t) between a network's output y and its targets t, both (batch, ..., outputs)."""

    def emit(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """Append the loss; returns the slot of the mean loss of the batch, a scalar."""
        raise NotImplementedError


class _LossOp(Primitive):
    """Writes the mean loss, the loss of each sample, and what its gradient will need again."""

    meaning = ""
    averaged: ClassVar[bool] = True  # over the outputs; else they are summed

    def of_outputs(self, *inputs: Expression) -> Expression:
        """The loss of one sample from all its outputs (vectors of the inputs), not averaged."""
        raise NotImplementedError

    def parts(self, read: Reading) -> tuple[Equation, ...]:  # noqa: ARG002
        """What comes before the loss: how the output looked at was made, if that is fused."""
        return ()

    def explain(self, read: Reading) -> Meaning:
        """The loss of the sample at hand, and the mean over the batch."""
        each = self.of_outputs(*(read.sample(position) for position in range(len(read.inputs))))
        width, batch = read.inputs[0].array[0].size, read.outputs[1].shape[0]
        if self.averaged and width > 1:
            each = each / width
        told = f"{self.meaning} The smaller, the better."
        if batch == 1:
            return Meaning((*self.parts(read), *read.lines(each)), told)
        mean = read.lines(total(read.output(1, ...)) / batch)
        sample = read.lines(each, 1, read.element[0])
        told += f" The loss of the batch is the mean over its {batch} samples."
        return Meaning((*self.parts(read), *sample, *mean), told)

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """A scalar; (batch,); the shape of the output."""
        shape = inputs[0].shape
        return {"": (), "per sample": shape[:1], "per output": shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Per output, summed to per sample, averaged over the batch."""
        mean, each, per_output = outputs
        batch = len(each)
        write = self.bind_terms([rows(array) for array in inputs], rows(per_output))
        flat: AnyArray = per_output.reshape(batch, -1)
        weight = np.full(flat.shape[1], self.weight(flat.shape[1]), flat.dtype)
        share = np.full(batch, 1 / batch, flat.dtype)
        sum_outputs = partial(np.dot, flat, weight, each)
        average = partial(np.dot, each, share, mean)

        def call() -> None:
            write()
            sum_outputs()
            average()

        return call

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        """A call that writes the loss of every output of every sample."""
        raise NotImplementedError

    def weight(self, outputs: int) -> float:
        """What each output's term counts in its sample's loss; 1/outputs: their mean."""
        return 1 / outputs


class _LossGradient(Primitive):
    """dE/d(input of the loss): a formula of the loss's inputs, times one factor."""

    name = "loss gradient"
    output = "y"  # what the gradient is of, by its symbol

    def __init__(self, loss: _LossOp) -> None:
        self.loss = loss
        outputs, batch = Quantity("outputs"), Quantity("batch")
        slope = self.slope(Quantity("y"), Quantity("t"))
        factor = outputs * batch if loss.averaged else batch
        self.formula = formula(f"∂E/∂{self.output}", slope / factor)

    def slope(self, y: Expression, target: Expression) -> Expression:
        """The derivative of one output's term."""
        raise NotImplementedError

    def explain(self, read: Reading) -> Meaning:
        """The slope of the output's term, its share of the means taken."""
        y, target = read.here(0), read.here(1)
        batch, width = read.outputs[0].shape[0], read.outputs[0].array[0].size
        slope = self.slope(y, target)
        counts = [lift(width)] if self.loss.averaged and width > 1 else []
        if batch > 1:
            counts.append(lift(batch))
        if counts:
            slope = slope / reduce(mul, counts)
        shared = f" Divided by {batch}, for the loss is the mean of {batch} samples." * (batch > 1)
        return Meaning(read.lines(slope), f"{self.why(y.scalar, target.scalar)}{shared}")

    def why(self, y: float, target: float) -> str:
        """Which way the output should go."""
        start = f"How much the loss changes when {'the net input' if self.output == 'z' else 'y'}"
        start += " does."
        if y > target:
            return f"{start} The output is larger than its target: to lower the loss it must fall."
        if y < target:
            return f"{start} The output is smaller than its target: to lower the loss it must rise."
        return f"{start} The output is its target: nothing to mend." if y == target else start

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of the network's output."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """The formula, with 1/batch and each output's weight in its factor."""
        delta = outputs[0]
        batch, width = delta.shape[0], int(np.prod(delta.shape[1:]))
        factor = np.array(self.loss.weight(width) / batch, delta.dtype)
        return self.bind_gradient(inputs, delta, factor)

    def bind_gradient(self, inputs: Sequence[AnyArray], delta: AnyArray, factor: AnyArray) -> Call:
        """A call that writes `factor` times the gradient of each term into `delta`."""
        raise NotImplementedError


class _Difference(_LossGradient):
    """factor * scale * (y - t)."""

    def __init__(self, loss: _LossOp, *, output: str, scale: float = 1.0) -> None:
        self.output, self.scale = output, scale
        super().__init__(loss)

    def slope(self, y: Expression, target: Expression) -> Expression:
        """y − t; twice that where the square is not halved."""
        return 2 * (y - target) if self.scale == 2 and self.loss.averaged else y - target

    def why(self, y: float, target: float) -> str:
        """Where the short form comes from."""
        told = super().why(y, target)
        if self.output == "y":
            return told
        return f"{told} (The slopes of the loss and of the activation, multiplied, are just y − t.)"

    def bind_gradient(self, inputs: Sequence[AnyArray], delta: AnyArray, factor: AnyArray) -> Call:
        y, target = inputs[0], inputs[1]
        scale, work = np.array(factor * self.scale, delta.dtype), np.empty_like(delta)

        def call() -> None:
            np.subtract(y, target, work)
            np.multiply(work, scale, delta)

        return call


def _binary(y: Expression, target: Expression) -> Expression:
    return -(target * ln(y) + (1 - target) * ln(1 - y))


def _surprise(p: Expression, target: Expression) -> Expression:
    return target * ln(p)


def _is_outside(y: Expression) -> bool:
    """Whether any of the probabilities is taken for another."""
    return bool(np.any((np.asarray(y.value) < EPSILON) | (np.asarray(y.value) > 1 - EPSILON)))


def _kept_within(y: Expression) -> Expression:
    """y as the loss takes it; said only where that makes a difference."""
    return largest(EPSILON, smallest(y, 1 - EPSILON)) if _is_outside(y) else y


class _SquaredError(_LossOp):
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

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:  # noqa: ARG002
        yield Contribution(op.inputs[0], op.inputs, _Difference(self, output="y", scale=2.0))


class MeanSquaredError(Loss):
    """Mean over outputs and samples of (y - t)^2."""

    type: Literal["mean_squared_error"] = "mean_squared_error"
    aliases: ClassVar[tuple[str, ...]] = ("mse", "squared_error")
    summary: ClassVar[str] = "mean of (y − t)²: the default of regression"

    def emit(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """From the output as it is."""
        primitive = _SquaredError(self.type, half=False)
        return builder.apply(primitive, output, target, name="E")


class HalfSquaredError(Loss):
    """1/2 the sum over outputs of (y - t)^2, mean over samples: the textbook's E."""

    type: Literal["half_squared_error"] = "half_squared_error"
    summary: ClassVar[str] = "½ Σ (y − t)²: the lecture's, whose slope is y − t"

    def emit(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """From the output as it is."""
        primitive = _SquaredError(self.type, half=True)
        return builder.apply(primitive, output, target, name="E")


class _BinaryFromLogits(_LossOp):
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

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:  # noqa: ARG002
        z, target, y = op.inputs
        yield Contribution(z, (y, target), _Difference(self, output="z"))


class _BinaryFromProbabilities(_LossOp):
    """-[t ln y + (1 - t) ln(1 - y)] with y kept within [1e-7, 1 - 1e-7], as Keras does."""

    name = "binary_crossentropy"
    formula = f"E = {_binary(Quantity('y'), Quantity('t')).text()}"
    meaning = _SURPRISE

    def of_outputs(self, *inputs: Expression) -> Expression:
        y, target = inputs
        return total(_binary(_kept_within(y), target))

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        y, t = inputs

        def call() -> None:
            p = np.clip(y, EPSILON, 1 - EPSILON)
            np.negative(t * np.log(p) + (1 - t) * np.log1p(-p), terms)

        return call

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:  # noqa: ARG002
        yield Contribution(op.inputs[0], op.inputs, _BinaryProbabilityGradient(self))


class _BinaryProbabilityGradient(_LossGradient):
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

    def emit(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """From the logits of a sigmoid, else from probabilities."""
        producer = builder.producer(output)
        if producer and isinstance(producer.primitive, Sigmoid):
            z = producer.inputs[0]
            return builder.apply(_BinaryFromLogits(), z, target, output, name="E")
        return builder.apply(_BinaryFromProbabilities(), output, target, name="E")


class _CategoricalFromLogits(_LossOp):
    """t (log Σ exp(z) - z); inputs z, t and p = softmax(z)."""

    name = "categorical_crossentropy"
    formula = f"E = −Σ {_surprise(Quantity('p'), Quantity('t')).text()}, p = softmax(z)"
    meaning = _SURPRISE
    averaged = False

    def of_outputs(self, *inputs: Expression) -> Expression:
        z, target, p = inputs
        if not (np.asarray(p.value) < _TINY).any():
            return -total(_surprise(p, target))
        # Where p is 0 to the last bit it has no logarithm: the same, by way of z.
        peak = Quantity("max(z)", float(np.max(z.value)))
        return total(target * (Part("ln Σ", ln(total(exp(z - peak)))) - (z - peak)))

    def parts(self, read: Reading) -> tuple[Equation, ...]:
        *place, unit = read.element
        return (read.recalled(read.here(2), softmax(read.input(0, *place, ALL), unit)),)

    def weight(self, outputs: int) -> float:  # noqa: ARG002
        return 1.0

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
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

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:  # noqa: ARG002
        z, target, p = op.inputs
        yield Contribution(z, (p, target), _Difference(self, output="z"))


class _CategoricalFromProbabilities(_LossOp):
    """-t ln y with y kept within [1e-7, 1 - 1e-7]; y is taken as it is, not normalized."""

    name = "categorical_crossentropy"
    formula = f"E = −Σ {_surprise(Quantity('y'), Quantity('t')).text()}"
    meaning = _SURPRISE
    averaged = False

    def of_outputs(self, *inputs: Expression) -> Expression:
        y, target = inputs
        return -total(_surprise(_kept_within(y), target))

    def weight(self, outputs: int) -> float:  # noqa: ARG002
        return 1.0

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        y, t = inputs
        return lambda: np.multiply(-np.log(np.clip(y, EPSILON, 1 - EPSILON)), t, terms)

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:  # noqa: ARG002
        yield Contribution(op.inputs[0], op.inputs, _CategoricalProbabilityGradient(self))


class _CategoricalProbabilityGradient(_LossGradient):
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

    def emit(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """From the logits of a softmax, else from probabilities."""
        producer = builder.producer(output)
        if producer and isinstance(producer.primitive, Softmax):
            z = producer.inputs[0]
            return builder.apply(_CategoricalFromLogits(), z, target, output, name="E")
        return builder.apply(_CategoricalFromProbabilities(), output, target, name="E")


LOSSES: tuple[type[Loss], ...] = (
    CategoricalCrossentropy,
    BinaryCrossentropy,
    MeanSquaredError,
    HalfSquaredError,
)
AnyLoss = Annotated[Loss, OneOf(LOSSES)]
