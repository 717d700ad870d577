"""What a recurrent cell computes at one time step: net inputs, gates, the new state.

Arrays are (batch, units), those of all gates together (batch, gates · units).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from tui_nn_engine.formulas.expressions import Expression, part
from tui_nn_engine.formulas.functions import total
from tui_nn_engine.primitives.activation import AnyArray, Elementwise
from tui_nn_engine.primitives.linear import (
    BiasGradient,
    InputGradient,
    KernelGradient,
    product_into,
)
from tui_nn_engine.primitives.squashing import Sigmoid, Tanh
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import ALL, Meaning, Reading


class Alike(Primitive):
    """Its value has the shape of its first input."""

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of the first input."""
        return {"": inputs[0].shape}


class RecurrentProduct(Alike):
    """z = a + h′U: what the inputs send to each unit, and what the units sent each other before.

    Inputs a (batch, units), or a row b (units,) that is added for each sample; h′ (batch, memory),
    the state of the step before; U (memory, units).
    """

    name = "recurrent product"

    def __init__(self, *, row: bool = False) -> None:
        self.row = row
        self.formula = "s = b + h′U" if row else "z = a + h′U"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, units)."""
        _, before, kernel = inputs
        return {"": (before.shape[0], kernel.shape[1])}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One BLAS product, and a sum."""
        a, before, kernel = inputs
        z: AnyArray = outputs[0]
        product = product_into(z)

        def call() -> None:
            product(before, kernel, z)
            np.add(z, a, z)

        return call

    def explain(self, read: Reading) -> Meaning:
        """What each unit sent, and what comes from the inputs."""
        sample, unit = read.element
        a = read.input(0, unit) if self.row else read.here(0)
        terms = total(read.input(1, sample, ALL) * read.input(2, ALL, unit))
        return Meaning(
            read.lines(a + terms),
            "To what comes from the inputs is added what the layer gave one time step before, "
            "through weights of its own: this is how it remembers.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """δ passes to a; U and the state before get theirs as in a dense layer."""
        a, before, kernel = op.inputs
        yield Contribution(a, (gradient,), BiasGradient() if self.row else None)
        yield Contribution(kernel, (before, gradient), KernelGradient())
        yield Contribution(before, (gradient, kernel), InputGradient())


class Gates(Alike):
    """All gates of a cell at once: each has its columns of z and its activation.

    `gates` are their letters, with the activation of each.
    """

    name = "gates"

    def __init__(self, gates: Sequence[tuple[str, Elementwise]]) -> None:
        self.gates = tuple(gates)
        kinds = dict.fromkeys(f.type for _, f in self.gates)
        alike = {kind: [letter for letter, f in self.gates if f.type == kind] for kind in kinds}
        told = (f"{', '.join(letters)} = {kind}(z)" for kind, letters in alike.items())
        self.formula = "; ".join(told)

    def gate(self, column: int, columns: int) -> tuple[str, Elementwise]:
        """The letter and the activation of the gate that a column belongs to."""
        return self.gates[column * len(self.gates) // columns]

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Sigmoid and tanh together, as one tanh; others by their own calls."""
        z, gates = inputs[0], outputs[0]
        if {type(f) for _, f in self.gates} <= {Sigmoid, Tanh}:
            return self._bind_squashing(z, gates)
        width = z.shape[1] // len(self.gates)
        views = [slice(place * width, (place + 1) * width) for place in range(len(self.gates))]
        calls = [
            f.bind([z[:, view]], [gates[:, view]])
            for (_, f), view in zip(self.gates, views, strict=True)
        ]

        def call() -> None:
            for each in calls:
                each()

        return call

    def _bind_squashing(self, z: AnyArray, gates: AnyArray) -> Call:
        """sigmoid(z) = (1 + tanh(z/2))/2, to the bit as the activation computes it alone."""
        scale = _row(self, z, lambda f: 0.5 if isinstance(f, Sigmoid) else 1.0)
        shift = _row(self, z, lambda f: 0.5 if isinstance(f, Sigmoid) else 0.0)
        work = np.empty_like(gates)

        def call() -> None:
            np.multiply(z, scale, work)
            np.tanh(work, gates)
            np.multiply(gates, scale, work)
            np.add(work, shift, gates)

        return call

    def explain(self, read: Reading) -> Meaning:
        """f of one net input."""
        z = read.here(0)
        letter, f = self.gate(read.element[1], read.outputs[0].shape[1])
        return Meaning(read.lines(f.equation(z)), f"{_TOLD.get(letter, '')}{f.why(z.scalar)}")

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """dE/dz = dE/d(gate) * f'(z), gate by gate."""
        yield Contribution(op.inputs[0], (gradient, *op.inputs, op.output), GateSlopes(self))


_TOLD = {
    "i": "The input gate: how much of the candidate is written into the cell. ",
    "f": "The forget gate: how much of the cell is kept. ",
    "c̃": "The candidate: what could be written into the cell. ",
    "o": "The output gate: how much of the cell is shown. ",
    "z": "The update gate: how much of the state stays as it was. ",
    "r": "The reset gate: how much of the state before the candidate is made from. ",
    "h̃": "The candidate for the new state. ",
}


def _row(gates: Gates, like: AnyArray, value: Any) -> AnyArray:
    """One number for each column, by the activation of its gate."""
    width = like.shape[1] // len(gates.gates)
    return np.repeat([value(f) for _, f in gates.gates], width).astype(like.dtype)


class GateSlopes(Alike):
    """δ = dE/d(gate) * f'(z) of all gates at once."""

    name = "error × slope"
    formula = "δ = ∂E/∂g·f′(z)"

    def __init__(self, gates: Gates) -> None:
        self.gates = gates

    def _equation(
        self, f: Elementwise, error: Expression, z: Expression, gate: Expression
    ) -> Expression:
        return error * part(f"f′({z.text()})", f.slope(z, gate))

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Of sigmoid and tanh the slopes are (1 − g)·g and (1 − g)·(1 + g)."""
        gradient, z, gates = inputs
        delta = outputs[0]
        work: AnyArray = np.empty_like(delta)
        if {type(f) for _, f in self.gates.gates} <= {Sigmoid, Tanh}:
            shift = _row(self.gates, z, lambda f: 0.0 if isinstance(f, Sigmoid) else 1.0)
            one, other = np.array(1, z.dtype), np.empty_like(work)

            def squashing() -> None:
                np.subtract(one, gates, work)
                np.add(gates, shift, other)
                np.multiply(work, other, work)
                np.multiply(work, gradient, delta)

            return squashing
        width = z.shape[1] // len(self.gates.gates)
        views = [slice(at * width, (at + 1) * width) for at in range(len(self.gates.gates))]
        calls = [
            f.bind_slope(z[:, view], gates[:, view], work[:, view])
            for (_, f), view in zip(self.gates.gates, views, strict=True)
        ]

        def call() -> None:
            for each in calls:
                each()
            np.multiply(work, gradient, delta)

        return call

    def explain(self, read: Reading) -> Meaning:
        """The slope, then δ."""
        error, z, gate = (read.here(position) for position in range(3))
        _, f = self.gates.gate(read.element[1], read.outputs[0].shape[1])
        return Meaning(
            read.lines(self._equation(f, error, z, gate)),
            "By the chain rule the error of the gate is multiplied by the slope of its activation "
            f"at z. Where {f.type} is flat, the gate is wide open or shut, and little passes.",
        )


class GateProduct(Alike):
    """A gate and what it gates, element by element; or an error and what its path was gated by."""

    name = "gate"

    def __init__(self, symbols: str, sentence: str) -> None:
        self.formula, self.sentence = symbols, sentence

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One product."""
        return partial(np.multiply, inputs[0], inputs[1], outputs[0])

    def explain(self, read: Reading) -> Meaning:
        """Both multiplied."""
        return Meaning(read.lines(read.here(0) * read.here(1)), self.sentence)

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """Each factor gets the gradient times the other."""
        left, right = op.inputs
        yield Contribution(left, (gradient, right), through("gate", "factor"))
        yield Contribution(right, (gradient, left), through("factor", "gate"))


def through(of: str, factor: str) -> GateProduct:
    """The error of `of`, which was multiplied by `factor` on its way."""
    return GateProduct(
        f"∂E/∂{of} = error ⊙ {factor}",
        f"On the way forwards it was multiplied by the {factor}, so its error is, too, by the "
        "chain rule. A factor near 0 stops the error, one near 1 lets it pass as it is.",
    )
