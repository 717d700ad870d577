"""What an LSTM's cell does at one time step: it is kept, written and shown by its gates."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from tui_nn_engine.formulas.expressions import Expression, Quantity, formula, part
from tui_nn_engine.primitives.activation import AnyArray, Elementwise
from tui_nn_engine.primitives.recurrent import Alike, through
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Slot
from tui_nn_engine.programs.reading import Meaning, Reading


class CellState(Alike):
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


class CellOutput(Alike):
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


class CellSlope(Alike):
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
