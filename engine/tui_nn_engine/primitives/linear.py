"""Linear operations: products with a weight matrix, sums, reshaping, masking."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod

import numpy as np

from tui_nn_engine.formulas.functions import total
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import ALL, Meaning, Reading


def rows(array: Array) -> Array:
    """The array as a matrix of its last axis: (..., features) -> (rows, features), a view.

    Raises ValueError for an array that would have to be copied.
    """
    found = array.reshape(-1, array.shape[-1])
    if not np.may_share_memory(found, array):
        raise ValueError(f"an array of strides {array.strides} is no matrix of its last axis")
    return found


def product_into(out: Array) -> Callable[..., object]:
    """np.dot, or np.matmul for a part of an array, into which np.dot can't write."""
    return np.dot if out.flags.c_contiguous else np.matmul


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

    def explain(self, read: Reading) -> Meaning:
        """Each input times the weight of its connection, summed up."""
        *place, unit = read.element
        terms = read.input(0, *place, ALL) * read.input(1, ALL, unit)
        return Meaning(
            read.lines(total(terms)),
            "Each input is multiplied by the weight of its connection to this unit, and the "
            "products are added up: a large weight lets its input count for much.",
        )

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
        return partial(product_into(outputs[0]), rows(inputs[0]).T, rows(inputs[1]), outputs[0])

    def explain(self, read: Reading) -> Meaning:
        """Input times error, summed over the rows."""
        source, unit = read.element
        terms = read.input(0, ..., source) * read.input(1, ..., unit)
        return Meaning(
            read.lines(total(terms)),
            "How much the loss changes when this weight does. The net input changes by the "
            "connection's input for each unit of weight, and the loss by the error for each unit "
            f"of net input: by the chain rule the two are multiplied.{_mean_of(read)}",
            terms,
        )


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
        out = rows(outputs[0])
        return partial(product_into(out), rows(inputs[0]), inputs[1].T, out)

    def explain(self, read: Reading) -> Meaning:
        """The errors of all units it feeds, each times the weight of the connection."""
        *place, unit = read.element
        terms = read.input(0, *place, ALL) * read.input(1, unit, ALL)
        return Meaning(
            read.lines(total(terms)),
            "The errors of the units it feeds come back through the same connections: each is "
            "multiplied by the weight it once went through, and by the chain rule all paths add "
            "up. This says how much the loss changes when this output does.",
        )


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

    def explain(self, read: Reading) -> Meaning:
        """Sum and bias."""
        lines = read.lines(read.here(0) + read.input(1, read.element[-1]))
        return Meaning(
            lines,
            "The bias is added to the weighted sum: it moves the point from which the unit "
            "responds, whatever its inputs are.",
        )

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

    def explain(self, read: Reading) -> Meaning:
        """The errors of all rows."""
        terms = read.input(0, ..., *read.element)
        return Meaning(
            read.lines(total(terms)),
            "A bias is a weight whose input is always 1: the net input changes just as much as "
            f"the bias does, so its gradient is the error itself.{_mean_of(read)}",
            terms,
        )


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

    def explain(self, read: Reading) -> Meaning:
        """The same number at another place."""
        shape, origin = read.outputs[0].shape, read.inputs[0].shape
        place = np.unravel_index(np.ravel_multi_index(read.element, shape), origin)
        lines = read.lines(read.input(0, *(int(index) for index in place)))
        return Meaning(lines, "The same number at another place: nothing is computed.")

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

    def explain(self, read: Reading) -> Meaning:
        """A value times its mask, or an error times it."""
        lines = read.lines(read.here(0) * read.here(1))
        mask = read.here(1).scalar
        if read.inputs[0].of is not None:
            effect = "dropped, no error goes" if mask == 0 else "scaled up, its error is too"
            told = f"Errors go back the way the values came: {effect}."
        elif mask == 0:
            told = "Dropped in this update: the units after it must do without."
        else:
            told = (
                "Kept in this update, and scaled up so that the sum stays about the same though "
                "others are dropped."
            )
        return Meaning(lines, told if mask == mask else "The value times its mask.")

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """Each factor gets the gradient times the other."""
        left, right = op.inputs
        yield Contribution(left, (gradient, right), Multiply())
        yield Contribution(right, (gradient, left), Multiply())


class Add(Primitive):
    """h = x + n: element by element; n (noise, another sum) has the shape of x."""

    name = "add"

    def __init__(self, formula: str = "h = x + n") -> None:
        self.formula = formula

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of x."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One sum."""
        return partial(np.add, inputs[0], inputs[1], outputs[0])

    def explain(self, read: Reading) -> Meaning:
        """Both added."""
        lines = read.lines(read.here(0) + read.here(1))
        return Meaning(
            lines,
            "Both are added. As each counts in full, what comes back goes to each in full.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """Each addend gets the whole gradient."""
        for slot in op.inputs:
            yield Contribution(slot, (gradient,))


def _mean_of(read: Reading) -> str:
    """Where the mean over the batch is, if there are several samples."""
    samples = read.inputs[0].shape[0]
    if samples == 1:
        return ""
    return (
        f" The gradient of the batch is the mean of its {samples} samples' own gradients; the "
        f"1/{samples} of that mean is in the errors already, so here they are only added up."
    )
