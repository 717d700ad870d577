"""Linear operations: products with a weight matrix, adding a bias, reshaping, masking."""

from collections.abc import Iterator, Sequence
from functools import partial
from math import prod

import numpy as np

from tui_nn_engine.program import Array, Call, Contribution, Op, Primitive, Slot


def rows(array: Array) -> Array:
    """The array as a matrix of its last axis: (..., features) -> (rows, features), a view."""
    return array.reshape(-1, array.shape[-1])


class MatMul(Primitive):
    """xW: every row of x (batch, ..., inputs) times the kernel W (inputs, units)."""

    name = "matmul"
    formula = "xW"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, ..., units)."""
        x, kernel = inputs
        return {"": (*x.shape[:-1], kernel.shape[1])}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One BLAS product."""
        return partial(np.dot, rows(inputs[0]), inputs[1], rows(outputs[0]))

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """dE/dW = xᵀ δ and dE/dx = δ Wᵀ."""
        x, kernel = op.inputs
        yield Contribution(kernel, (x, gradient), KernelGradient())
        yield Contribution(x, (gradient, kernel), InputGradient())


class KernelGradient(Primitive):
    """dE/dW = xᵀ δ: summed over all rows of the batch."""

    name = "kernel gradient"
    formula = "∂E/∂W = xᵀδ"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(inputs, units)."""
        x, delta = inputs
        return {"": (x.shape[-1], delta.shape[-1])}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One BLAS product."""
        return partial(np.dot, rows(inputs[0]).T, rows(inputs[1]), outputs[0])


class InputGradient(Primitive):
    """dE/dx = δ Wᵀ: each error, sent back along the connection it came through."""

    name = "errors back"
    formula = "∂E/∂x = δWᵀ"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, ..., inputs)."""
        delta, kernel = inputs
        return {"": (*delta.shape[:-1], kernel.shape[0])}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One BLAS product."""
        return partial(np.dot, rows(inputs[0]), inputs[1].T, rows(outputs[0]))


class AddBias(Primitive):
    """z = a + b: the bias row (units,) is added to every row."""

    name = "add bias"
    formula = "z = xW + b"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of a."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One broadcast addition."""
        return partial(np.add, inputs[0], inputs[1], outputs[0])

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """δ passes through; the bias gets the sum of δ over the rows."""
        product, bias = op.inputs
        yield Contribution(bias, (gradient,), BiasGradient())
        yield Contribution(product, (gradient,))


class BiasGradient(Primitive):
    """dE/db = Σ δ over the rows of the batch."""

    name = "bias gradient"
    formula = "∂E/∂b = Σδ"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(units,)."""
        return {"": inputs[0].shape[-1:]}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A product with a row of ones: twice as fast as a sum over the first axis."""
        delta = rows(inputs[0])
        return partial(np.dot, np.ones(len(delta), delta.dtype), delta, outputs[0])


class Reshape(Primitive):
    """The same numbers in the same order under another shape (`sample`: shape of one sample)."""

    name = "reshape"
    formula = "h = reshape(x)"

    def __init__(self, sample: Sequence[int]) -> None:
        self.sample = tuple(sample)

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, *sample)."""
        return {"": (inputs[0].shape[0], *self.sample)}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One copy."""
        source, target = inputs[0], outputs[0]
        if prod(source.shape) != prod(target.shape):
            raise ValueError(f"can't reshape {source.shape} to {target.shape}")
        return partial(np.copyto, target, source.reshape(target.shape))

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """The same, back."""
        yield Contribution(op.inputs[0], (gradient,), Reshape(op.inputs[0].shape[1:]))


class Multiply(Primitive):
    """h = x ⊙ m: element by element; m (a mask, a gate) has the shape of x."""

    name = "multiply"
    formula = "h = x ⊙ m"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of x."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One product."""
        return partial(np.multiply, inputs[0], inputs[1], outputs[0])

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """Each factor gets the gradient times the other."""
        left, right = op.inputs
        yield Contribution(left, (gradient, right), Multiply())
        yield Contribution(right, (gradient, left), Multiply())
