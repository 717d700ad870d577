"""Losses: each is its block in the experiment file and the operation it runs as.

A loss operation writes the mean over the batch (its value, a scalar) and the loss of each sample.
Where the output is a softmax or sigmoid, the cross-entropies work from its logits z, which is
stable for any z and gives the simple gradient p - t. Operations write from one array into another:
in place, NumPy takes three times as long on a single number.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from tui_nn_engine.primitives.activations import Sigmoid, Softmax
from tui_nn_engine.primitives.linear import rows
from tui_nn_engine.program import Array, Builder, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.schema import Kind, OneOf

AnyArray = Any
EPSILON = 1e-7  # Keras's: probabilities are kept this far from 0 and 1


class Loss(Kind):
    """A loss E(y, t) between a network's output y and its targets t, both (batch, ..., outputs)."""

    def emit(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """Append the loss; returns the slot of the mean loss of the batch, a scalar."""
        raise NotImplementedError


class _LossOp(Primitive):
    """Writes the mean loss, the loss of each sample, and what its gradient will need again."""

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

    def __init__(self, loss: _LossOp, formula: str) -> None:
        self.loss, self.formula = loss, formula

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

    def __init__(self, loss: _LossOp, formula: str, scale: float = 1.0) -> None:
        super().__init__(loss, formula)
        self.scale = scale

    def bind_gradient(self, inputs: Sequence[AnyArray], delta: AnyArray, factor: AnyArray) -> Call:
        y, target = inputs[0], inputs[1]
        scale, work = np.array(factor * self.scale, delta.dtype), np.empty_like(delta)

        def call() -> None:
            np.subtract(y, target, work)
            np.multiply(work, scale, delta)

        return call


class _SquaredError(_LossOp):
    def __init__(self, name: str, formula: str, *, half: bool) -> None:
        self.name, self.formula, self.half = name, formula, half

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
        formula = "∂E/∂y = (y − t)/batch" if self.half else "∂E/∂y = 2(y − t)/(outputs·batch)"
        yield Contribution(op.inputs[0], op.inputs, _Difference(self, formula, 2.0))


class MeanSquaredError(Loss):
    """Mean over outputs and samples of (y - t)^2."""

    type: Literal["mean_squared_error"] = "mean_squared_error"
    aliases: ClassVar[tuple[str, ...]] = ("mse", "squared_error")
    summary: ClassVar[str] = "mean of (y − t)²: the default of regression"

    def emit(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """From the output as it is."""
        primitive = _SquaredError(self.type, "E = mean (y − t)²", half=False)
        return builder.apply(primitive, output, target, name="E")


class HalfSquaredError(Loss):
    """1/2 the sum over outputs of (y - t)^2, mean over samples: the textbook's E."""

    type: Literal["half_squared_error"] = "half_squared_error"
    summary: ClassVar[str] = "½ Σ (y − t)²: the lecture's, whose slope is y − t"

    def emit(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """From the output as it is."""
        primitive = _SquaredError(self.type, "E = ½ Σ (y − t)²", half=True)
        return builder.apply(primitive, output, target, name="E")


class _BinaryFromLogits(_LossOp):
    """log(1 + exp(-|z|)) + max(z, 0) - z t; inputs z, t and y = sigmoid(z)."""

    name = "binary_crossentropy"
    formula = "E = −[t·ln y + (1 − t)·ln(1 − y)], y = sigmoid(z)"

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
        yield Contribution(z, (y, target), _Difference(self, "∂E/∂z = (y − t)/(outputs·batch)"))


class _BinaryFromProbabilities(_LossOp):
    """-[t ln y + (1 - t) ln(1 - y)] with y kept within [1e-7, 1 - 1e-7], as Keras does."""

    name = "binary_crossentropy"
    formula = "E = −[t·ln y + (1 − t)·ln(1 − y)]"

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        y, t = inputs

        def call() -> None:
            p = np.clip(y, EPSILON, 1 - EPSILON)
            np.negative(t * np.log(p) + (1 - t) * np.log1p(-p), terms)

        return call

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:  # noqa: ARG002
        yield Contribution(
            op.inputs[0],
            op.inputs,
            _BinaryProbabilityGradient(self, "∂E/∂y = (y − t)/(y(1 − y))/(outputs·batch)"),
        )


class _BinaryProbabilityGradient(_LossGradient):
    """(y - t) / (y (1 - y)) inside the clip, 0 outside."""

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
    formula = "E = −Σ t·ln p, p = softmax(z)"

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
        yield Contribution(z, (p, target), _Difference(self, "∂E/∂z = (p − t)/batch"))


class _CategoricalFromProbabilities(_LossOp):
    """-t ln y with y kept within [1e-7, 1 - 1e-7]; y is taken as it is, not normalized."""

    name = "categorical_crossentropy"
    formula = "E = −Σ t·ln y"

    def weight(self, outputs: int) -> float:  # noqa: ARG002
        return 1.0

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        y, t = inputs
        return lambda: np.multiply(-np.log(np.clip(y, EPSILON, 1 - EPSILON)), t, terms)

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:  # noqa: ARG002
        formula = "∂E/∂y = −t/y/batch"
        yield Contribution(op.inputs[0], op.inputs, _CategoricalProbabilityGradient(self, formula))


class _CategoricalProbabilityGradient(_LossGradient):
    """-t / y inside the clip, 0 outside."""

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
