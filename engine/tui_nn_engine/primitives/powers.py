"""Powers of each input: with them a weighted sum draws curves."""

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np

from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import Meaning, Reading


class Powers(Primitive):
    """h = [x, x², ..., x^degree]: all inputs (batch, ..., features), then all squares, and on."""

    name = "powers"
    formula = "h = [x, x², …]"

    def __init__(self, degree: int) -> None:
        self.degree = degree

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, ..., features · degree)."""
        *place, features = inputs[0].shape
        return {"": (*place, features * self.degree)}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Each power from the one before."""
        x = inputs[0]
        blocks = _blocks(outputs[0], self.degree)

        def call() -> None:
            np.copyto(blocks[0], x)
            for before, power in pairwise(blocks):
                np.multiply(before, x, power)

        return call

    def explain(self, read: Reading) -> Meaning:
        """One power of one input."""
        *place, unit = read.element
        power, source = divmod(unit, read.inputs[0].shape[-1])
        x = read.input(0, *place, source)
        if not power:
            return Meaning(read.lines(x), "The first power: the input as it is.")
        return Meaning(
            read.lines(x ** (power + 1)),
            "The input multiplied with itself. To the layer after it this is one more input: what "
            "is a straight line in the powers is a curve in the input.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """By the power rule."""
        yield Contribution(op.inputs[0], (gradient, op.inputs[0]), PowersGradient(self.degree))


class PowersGradient(Primitive):
    """dE/dx = Σ_k δ_k · k · x^(k − 1), with δ_k the error of the k-th power."""

    name = "errors back"
    formula = "∂E/∂x = Σ δₖ·k·x^(k − 1)"

    def __init__(self, degree: int) -> None:
        self.degree = degree

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of x."""
        return {"": inputs[1].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """By Horner's rule: (((K·δ_K) x + (K − 1)·δ_(K−1)) x + ...) + δ_1."""
        gradient, x = inputs
        out = outputs[0]
        blocks = _blocks(gradient, self.degree)
        counts = [np.array(power, x.dtype) for power in range(1, self.degree + 1)]
        work = np.empty_like(x)
        last, *others = reversed(list(zip(blocks, counts, strict=True)))

        def call() -> None:
            np.multiply(*last, out)
            for delta, power in others:
                np.multiply(out, x, out)
                np.multiply(delta, power, work)
                np.add(out, work, out)

        return call

    def explain(self, read: Reading) -> Meaning:
        """The errors of all its powers, each times the power's slope."""
        *place, source = read.element
        width, x = read.outputs[0].shape[-1], read.here(1)
        terms = [read.input(0, *place, source)]
        for power in range(2, self.degree + 1):
            delta = read.input(0, *place, source + (power - 1) * width)
            slope = power * x if power == 2 else power * x ** (power - 1)
            terms.append(delta * slope)
        return Meaning(
            read.lines(reduce(add, terms)),
            "The input goes into every power: x^k grows by k·x^(k − 1) where x grows by 1, and by "
            "the chain rule all paths add up.",
        )


def _blocks(array: Array, degree: int) -> list[Array]:
    """The part of each power: views (batch, ..., features)."""
    width = array.shape[-1] // degree
    return [array[..., start : start + width] for start in range(0, array.shape[-1], width)]
