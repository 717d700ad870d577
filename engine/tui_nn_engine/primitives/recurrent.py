"""What a recurrent cell computes at one time step: net inputs, gates, the new state.

Arrays are (batch, units), those of all gates together (batch, gates · units).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from tui_nn_engine.expressions import Expression, Quantity, formula, part
from tui_nn_engine.functions import total, when
from tui_nn_engine.primitives.activation import AnyArray, Elementwise
from tui_nn_engine.primitives.linear import (
    BiasGradient,
    InputGradient,
    KernelGradient,
    product_into,
)
from tui_nn_engine.primitives.squashing import Sigmoid, Tanh
from tui_nn_engine.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.reading import ALL, Meaning, Reading


class _Alike(Primitive):
    """Its value has the shape of its first input."""

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of the first input."""
        return {"": inputs[0].shape}


class RecurrentProduct(_Alike):
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


class Gates(_Alike):
    """All gates of a cell at once: each has its columns of z and its activation.

    `gates` are their letters, with the activation of each.
    """

    name = "gates"

    def __init__(self, gates: Sequence[tuple[str, Elementwise]]) -> None:
        self.gates = tuple(gates)
        of_z = (formula(letter, f.equation(Quantity("z"))) for letter, f in self.gates)
        self.formula = ", ".join(dict.fromkeys(of_z))

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


class GateSlopes(_Alike):
    """δ = dE/d(gate) * f'(z) of all gates at once."""

    name = "error × slope"

    def __init__(self, gates: Gates) -> None:
        self.gates = gates
        symbols = Quantity("∂E/∂g"), Quantity("z"), Quantity("g")
        told = (formula("δ", self._equation(f, *symbols)) for _, f in gates.gates)
        self.formula = "; ".join(dict.fromkeys(told))

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


class GateProduct(_Alike):
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


class CellState(_Alike):
    """c = f ⊙ c′ + i ⊙ c̃ (Hochreiter & Schmidhuber 1997; Gers et al. 2000).

    Inputs c′, f, i, c̃: the cell before, forget gate, input gate, candidate.
    """

    name = "cell state"
    formula = "c = f ⊙ c′ + i ⊙ c̃"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Two products and a sum."""
        before, f, i, candidate = inputs
        cell: AnyArray = outputs[0]
        work = np.empty_like(cell)

        def call() -> None:
            np.multiply(f, before, cell)
            np.multiply(i, candidate, work)
            np.add(cell, work, cell)

        return call

    def explain(self, read: Reading) -> Meaning:
        """What is kept and what is written."""
        before, f, i, candidate = (read.here(position) for position in range(4))
        return Meaning(
            read.lines(f * before + i * candidate),
            "Of what the cell held, the forget gate keeps a share; of the candidate, the input "
            "gate writes a share. As this is a sum, errors travel back through time along it "
            "almost unchanged while the forget gate is open.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """Each factor of the two products gets the gradient times the other."""
        before, f, i, candidate = op.inputs
        yield Contribution(i, (gradient, candidate), through("i", "candidate"))
        yield Contribution(f, (gradient, before), through("f", "cell before"))
        yield Contribution(candidate, (gradient, i), through("c̃", "input gate"))
        yield Contribution(before, (gradient, f), through("c′", "forget gate"))


class CellOutput(_Alike):
    """h = o ⊙ f(c), with f(c) kept as a second output. Inputs c, o."""

    name = "cell output"

    def __init__(self, activation: Elementwise) -> None:
        self.activation = activation
        self.formula = formula("h", Quantity("o") * activation.equation(Quantity("c")))

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of c, twice."""
        return {"": inputs[0].shape, "f(c)": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """The activation and a product."""
        squash = self.activation.bind(inputs[:1], outputs[1:])
        multiply = partial(np.multiply, inputs[1], outputs[1], outputs[0])

        def call() -> None:
            squash()
            multiply()

        return call

    def explain(self, read: Reading) -> Meaning:
        """What of the cell is shown."""
        c, o = read.here(0), read.here(1)
        return Meaning(
            read.lines(o * part(f"f({c.text()})", self.activation.equation(c))),
            "The cell, squeezed, and of that the share the output gate lets through: this is what "
            "the layer gives at this time step, and what it hears of itself at the next.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """The output gate gets the gradient times f(c), the cell times o and the slope at c."""
        c, o = op.inputs
        squeezed = op.outputs[1]
        yield Contribution(o, (gradient, squeezed), through("o", "squeezed cell"))
        yield Contribution(c, (gradient, o, c, squeezed), CellSlope(self.activation))


class CellSlope(_Alike):
    """dE/dc = dE/dh * o * f'(c). Inputs dE/dh, o, c, f(c)."""

    name = "error × slope"

    def __init__(self, activation: Elementwise) -> None:
        self.activation = activation
        symbols = map(Quantity, ("∂E/∂h", "o", "c", "f(c)"))
        self.formula = formula("∂E/∂c", self._equation(*symbols))

    def _equation(
        self, error: Expression, o: Expression, c: Expression, squeezed: Expression
    ) -> Expression:
        return error * o * part(f"f′({c.text()})", self.activation.slope(c, squeezed))

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """The slope and two products."""
        gradient, o, c, squeezed = inputs
        work: AnyArray = np.empty_like(outputs[0])
        slope, delta = self.activation.bind_slope(c, squeezed, work), outputs[0]

        def call() -> None:
            slope()
            np.multiply(work, o, work)
            np.multiply(work, gradient, delta)

        return call

    def explain(self, read: Reading) -> Meaning:
        """The slope, then the product."""
        return Meaning(
            read.lines(self._equation(*(read.here(position) for position in range(4)))),
            "The share of the cell's error that comes from what it showed at this time step: "
            "through the output gate, and the slope of its activation.",
        )


class Mixture(_Alike):
    """h = z ⊙ h′ + (1 − z) ⊙ h̃ (Cho et al. 2014). Inputs h′, z, h̃."""

    name = "new state"
    formula = "h = z ⊙ h′ + (1 − z) ⊙ h̃"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """h̃ + z (h′ − h̃)."""
        before, z, candidate = inputs
        h: AnyArray = outputs[0]
        work = np.empty_like(h)

        def call() -> None:
            np.subtract(before, candidate, work)
            np.multiply(work, z, work)
            np.add(work, candidate, h)

        return call

    def explain(self, read: Reading) -> Meaning:
        """What stays and what is new."""
        before, z, candidate = (read.here(position) for position in range(3))
        return Meaning(
            read.lines(z * before + (1 - z) * candidate),
            "The update gate decides, unit by unit, how much of the state stays as it was (z near "
            "1) and how much the candidate takes its place (z near 0).",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """z gets the difference of what it chooses between, both others their share."""
        before, z, candidate = op.inputs
        yield Contribution(z, (gradient, before, candidate), ChoiceGradient())
        yield Contribution(candidate, (gradient, z), RestGradient())
        yield Contribution(before, (gradient, z), through("h′", "update gate"))


class ChoiceGradient(_Alike):
    """dE/dz = dE/dh ⊙ (h′ − h̃)."""

    name = "gate"
    formula = "∂E/∂z = ∂E/∂h ⊙ (h′ − h̃)"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A difference and a product."""
        gradient, before, candidate = inputs
        work: AnyArray = np.empty(outputs[0].shape, outputs[0].dtype)

        def call() -> None:
            np.subtract(before, candidate, work)
            np.multiply(work, gradient, outputs[0])

        return call

    def explain(self, read: Reading) -> Meaning:
        """The error times what the gate chooses between."""
        error, before, candidate = (read.here(position) for position in range(3))
        return Meaning(
            read.lines(error * (before - candidate)),
            "The update gate moves the state from the candidate towards the state before: where "
            "these are alike, it does not matter.",
        )


class RestGradient(_Alike):
    """dE/dh̃ = dE/dh ⊙ (1 − z)."""

    name = "gate"
    formula = "∂E/∂h̃ = ∂E/∂h ⊙ (1 − z)"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A difference and a product."""
        gradient, z = inputs
        one, work = np.array(1, z.dtype), np.empty(z.shape, z.dtype)

        def call() -> None:
            np.subtract(one, z, work)
            np.multiply(work, gradient, outputs[0])

        return call

    def explain(self, read: Reading) -> Meaning:
        """The error times the share that the candidate had."""
        error, z = read.here(0), read.here(1)
        return Meaning(
            read.lines(error * (1 - z)),
            "The candidate had the share 1 − z of the new state, so it gets that share of its "
            "error.",
        )


class ResetSum(_Alike):
    """z = a + r ⊙ s: the reset gate works on what the state sends. Inputs a, r, s."""

    name = "reset"
    formula = "z = a + r ⊙ s"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A product and a sum."""
        a, r, s = inputs
        z: AnyArray = outputs[0]

        def call() -> None:
            np.multiply(r, s, z)
            np.add(z, a, z)

        return call

    def explain(self, read: Reading) -> Meaning:
        """What the reset gate lets through, and what comes from the inputs."""
        a, r, s = (read.here(position) for position in range(3))
        return Meaning(
            read.lines(a + r * s),
            "The candidate's net input: from the inputs in full, from the state before only what "
            "the reset gate lets through.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """a gets all of it, the factors each the gradient times the other."""
        a, r, s = op.inputs
        yield Contribution(a, (gradient,))
        yield Contribution(r, (gradient, s), through("r", "state sent"))
        yield Contribution(s, (gradient, r), through("s", "reset gate"))


class Carry(_Alike):
    """h = ĥ where the step is real (mask 1), else h′. Inputs ĥ, h′, mask (batch,)."""

    name = "padding"
    formula = "h = ĥ if m = 1, else h′"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A copy, and another where the step is real."""
        new, before, mask = inputs
        h: AnyArray = outputs[0]
        real, column = np.empty(mask.shape, bool), mask
        rows = real[:, None]

        def call() -> None:
            np.not_equal(column, 0, real)
            np.copyto(h, before)
            np.copyto(h, new, where=rows)

        return call

    def explain(self, read: Reading) -> Meaning:
        """One of both."""
        m = read.input(2, read.element[0])
        return Meaning(
            read.lines(when(m > 0, read.here(0), read.here(1))),
            "This step is padding: the state stays as it was."
            if m.scalar == 0
            else "This step is real, not padding: the new state counts.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """The gradient goes to the one that was taken."""
        new, before, mask = op.inputs
        yield Contribution(new, (gradient, mask), Carried(real=True))
        yield Contribution(before, (gradient, mask), Carried(real=False))


class Carried(_Alike):
    """The gradient where the step was `real` (or was not), else 0. Inputs gradient, mask."""

    name = "padding"

    def __init__(self, *, real: bool) -> None:
        self.real = real
        self.formula = "∂E/∂ĥ = ∂E/∂h·m" if real else "∂E/∂h′ = ∂E/∂h·(1 − m)"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A product, row by row."""
        gradient, mask = inputs
        factor = np.empty((len(mask), 1), mask.dtype)
        column, out, real = factor[:, 0], outputs[0], self.real
        one = np.array(1, mask.dtype)

        def call() -> None:
            if real:
                np.copyto(column, mask)
            else:
                np.subtract(one, mask, column)
            np.multiply(gradient, factor, out)

        return call

    def explain(self, read: Reading) -> Meaning:
        """All of it, or nothing."""
        m = read.input(1, read.element[0])
        return Meaning(
            read.lines(read.here(0) * (m if self.real else 1 - m)),
            "The error goes where the state came from: the step itself where it is real, past it "
            "where it is padding.",
        )
