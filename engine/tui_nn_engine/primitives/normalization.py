"""Normalizing: to mean 0 and spread 1, over the features of a sample or the samples of a batch."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from tui_nn_engine.formulas.expressions import Expression, Quantity, part
from tui_nn_engine.formulas.functions import sqrt, total
from tui_nn_engine.primitives.linear import AddBias, rows
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import ALL, Index, Meaning, Reading

AnyArray = Any
Over = Literal["features", "batch"]
_AXIS = {"features": 1, "batch": 0}  # of the rows (batch · ..., features)


def _along(over: Over, element: tuple[int, ...]) -> tuple[Index, ...]:
    """All that is normalized together with this element."""
    return (*element[:-1], ALL) if over == "features" else (..., element[-1])


def _count(over: Over, slot: Slot) -> int:
    """How many numbers are normalized together."""
    width = slot.shape[-1]
    return width if over == "features" else slot.array.size // width


class Normalize(Primitive):
    """x̂ = (x − µ)/√(σ² + ε), µ and σ² of the numbers at hand; σ² is divided by their count.

    Over the features of each sample (Ba, Kiros & Hinton 2016), or for each feature over all other
    axes of the batch (Ioffe & Szegedy 2015). Writes x̂ (batch, ..., features), µ and σ²: (batch,
    ...) or (features,).
    """

    name = "normalize"
    formula = "x̂ = (x − µ)/√(σ² + ε)"

    def __init__(self, over: Over, epsilon: float) -> None:
        self.over, self.epsilon = over, epsilon

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """x̂, the mean, the variance."""
        shape = inputs[0].shape
        each = shape[:-1] if self.over == "features" else shape[-1:]
        return {"": shape, "µ": each, "σ²": each}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Two means and a division."""
        axis = _AXIS[self.over]
        x, out = rows(inputs[0]), rows(outputs[0])
        mean, variance = (array.reshape(-1) for array in outputs[1:])
        count, epsilon = np.array(x.shape[axis], x.dtype), np.array(self.epsilon, x.dtype)
        root, square = np.empty_like(mean), np.empty_like(x)
        each_mean, each_root = np.expand_dims(mean, axis), np.expand_dims(root, axis)

        def call() -> None:
            np.add.reduce(x, axis, out=mean)
            np.divide(mean, count, mean)
            np.subtract(x, each_mean, out)
            np.multiply(out, out, square)
            np.add.reduce(square, axis, out=variance)
            np.divide(variance, count, variance)
            np.add(variance, epsilon, root)
            np.sqrt(root, root)
            np.divide(out, each_root, out)

        return call

    def explain(self, read: Reading) -> Meaning:
        """Mean, variance, and how far from the mean this one is."""
        count = _count(self.over, read.inputs[0])
        x = read.input(0, *_along(self.over, read.element))
        mean = part("µ", total(x) / count)
        variance = part("σ²", total((x - mean) ** 2) / count)
        of = {
            "features": f"the {count} values of this sample",
            "batch": f"the {count} values that the batch has of this unit",
        }[self.over]
        return Meaning(
            read.lines((read.here(0) - mean) / _root(variance, self.epsilon)),
            f"How many standard deviations it lies above or below the mean µ of {of}: whatever "
            "the layers before do to size and place of their outputs, this layer gives on numbers "
            "around 0 of size 1.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """Through the value itself, the mean and the variance."""
        x_hat, _, variance = op.outputs
        backward = NormalizeGradient(self.over, self.epsilon)
        yield Contribution(op.inputs[0], (gradient, x_hat, variance), backward)


class NormalizeGradient(Primitive):
    """∂E/∂x = (g − mean(g) − x̂·mean(g·x̂))/√(σ² + ε), with g = ∂E/∂x̂ (Ioffe & Szegedy 2015, 3)."""

    name = "normalize back"
    formula = "∂E/∂x = (g − ḡ − x̂·k)/√(σ² + ε), g = ∂E/∂x̂, ḡ = mean(g), k = mean(g·x̂)"

    def __init__(self, over: Over, epsilon: float) -> None:
        self.over, self.epsilon = over, epsilon

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of x."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Two means, one division."""
        axis = _AXIS[self.over]
        g, x_hat, out = rows(inputs[0]), rows(inputs[1]), rows(outputs[0])
        variance: AnyArray = inputs[2].reshape(-1)
        count, epsilon = np.array(g.shape[axis], g.dtype), np.array(self.epsilon, g.dtype)
        mean, root, work = np.empty_like(variance), np.empty_like(variance), np.empty_like(g)
        each_mean, each_root = np.expand_dims(mean, axis), np.expand_dims(root, axis)

        def call() -> None:
            np.multiply(g, x_hat, work)
            np.add.reduce(work, axis, out=mean)
            np.divide(mean, count, mean)
            np.multiply(x_hat, each_mean, work)
            np.add.reduce(g, axis, out=mean)
            np.divide(mean, count, mean)
            np.subtract(g, each_mean, out)
            np.subtract(out, work, out)
            np.add(variance, epsilon, root)
            np.sqrt(root, root)
            np.divide(out, each_root, out)

        return call

    def explain(self, read: Reading) -> Meaning:
        """What is left of the error when mean and spread are kept as they are."""
        place, count = _along(self.over, read.element), _count(self.over, read.inputs[0])
        g, x_hat = read.input(0, *place), read.input(1, *place)
        mean = part("ḡ", total(g) / count)
        along = part("k", total(g * x_hat) / count)
        each = read.element[:-1] if self.over == "features" else read.element[-1:]
        variance = Quantity("σ²", read.input(2, *each).value)
        left = read.here(0) - mean - read.here(1) * along
        return Meaning(
            read.lines(left / _root(variance, self.epsilon)),
            "Moving all values alike, or spreading them alike, changes nothing after normalizing: "
            "so from the error is taken what all have in common (ḡ) and what goes along with x̂ "
            "(k); the rest is scaled as the values were.",
        )


class Standardize(Primitive):
    """x̂ = (x − µ)/√(σ² + ε) with µ and σ² (features,) given: batch normalization in use."""

    name = "standardize"
    formula = "x̂ = (x − µ)/√(σ² + ε)"

    def __init__(self, epsilon: float) -> None:
        self.epsilon = epsilon

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of x."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A difference and a division."""
        x, mean, variance = inputs
        out, root, epsilon = outputs[0], np.empty_like(variance), np.array(self.epsilon, x.dtype)

        def call() -> None:
            np.add(variance, epsilon, root)
            np.sqrt(root, root)
            np.subtract(x, mean, out)
            np.divide(out, root, out)

        return call

    def explain(self, read: Reading) -> Meaning:
        """With what training has seen."""
        unit = read.element[-1]
        right = (read.here(0) - read.input(1, unit)) / _root(read.input(2, unit), self.epsilon)
        return Meaning(
            read.lines(right),
            "Mean and variance are those that training has seen, so that what is said of a sample "
            "does not depend on the others beside it.",
        )


class Scale(Primitive):
    """γ ⊙ x̂: each feature of (batch, ..., features) times its factor γ (features,)."""

    name = "scale"
    formula = "γ ⊙ x̂"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of x̂."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One broadcast product."""
        return partial(np.multiply, inputs[0], inputs[1], outputs[0])

    def explain(self, read: Reading) -> Meaning:
        """A value, or an error, times γ."""
        lines = read.lines(read.here(0) * read.input(1, read.element[-1]))
        if read.inputs[0].of is not None:
            return Meaning(lines, "The error goes back through the same factor γ.")
        return Meaning(
            lines,
            "γ is learned: the layer may give its output any spread again, if that lowers the "
            "loss.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """∂E/∂γ = Σ δ ⊙ x̂ over the rows, ∂E/∂x̂ = γ ⊙ δ."""
        x_hat, gamma = op.inputs
        yield Contribution(gamma, (gradient, x_hat), ScaleGradient())
        yield Contribution(x_hat, (gradient, gamma), Scale())


class ScaleGradient(Primitive):
    """∂E/∂γ = Σ δ ⊙ x̂ over the rows of the batch."""

    name = "scale gradient"
    formula = "∂E/∂γ = Σδ·x̂"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(features,)."""
        return {"": inputs[0].shape[-1:]}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Products, and a product with a row of ones as their sum."""
        delta, x_hat = rows(inputs[0]), rows(inputs[1])
        work, ones = np.empty_like(delta), np.ones(len(delta), delta.dtype)

        def call() -> None:
            np.multiply(delta, x_hat, work)
            np.dot(ones, work, outputs[0])

        return call

    def explain(self, read: Reading) -> Meaning:
        """Error times what γ was multiplied with, over all rows."""
        terms = read.input(0, ..., *read.element) * read.input(1, ..., *read.element)
        return Meaning(
            read.lines(total(terms)),
            "How much the loss changes when γ does: the error times the normalized value that γ "
            "is multiplied with, over all samples.",
            terms,
        )


class Shift(AddBias):
    """β is added to every row: (batch, ..., features) + (features,)."""

    name = "shift"
    formula = "h = γ ⊙ x̂ + β"

    def explain(self, read: Reading) -> Meaning:
        """With β."""
        return Meaning(
            read.lines(read.here(0) + read.input(1, read.element[-1])),
            "β is learned: the layer may move its output anywhere again, if that lowers the loss.",
        )


class MovingAverage(Primitive):
    """m ← α·m + (1 − α)·(this batch's): what use after training will take for the batch's own.

    Inputs are the average and the batch's number, both (features,); α is `momentum`.
    """

    def __init__(self, name: str, symbol: str, momentum: float) -> None:
        self.name, self.symbol, self.momentum = f"moving {name}", symbol, momentum
        self.formula = f"{symbol} ← α·{symbol} + (1 − α)·{symbol}_B"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of the average."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """In place."""
        batch, average = inputs[1], outputs[0]
        keep = np.array(self.momentum, average.dtype)
        rest, work = np.array(1 - self.momentum, average.dtype), np.empty_like(average)

        def call() -> None:
            np.multiply(average, keep, average)
            np.multiply(batch, rest, work)
            np.add(average, work, average)

        return call

    def explain(self, read: Reading) -> Meaning:
        """Mostly what it was."""
        alpha = Quantity("α", self.momentum)
        batch = Quantity(f"{self.symbol}_B", read.input(1, *read.element).value)
        return Meaning(
            read.lines(alpha * read.here(0) + (1 - alpha) * batch),
            "A running average over the batches. Training does not use it: it stands in for the "
            "batch when single samples are predicted or evaluated.",
        )


def _root(variance: Expression, epsilon: float) -> Expression:
    return sqrt(variance + Quantity("ε", epsilon))
