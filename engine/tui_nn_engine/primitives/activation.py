"""What an activation is: its block in the experiment file and the operation it runs as.

An elementwise activation says how f(z) and its slope f'(z) are computed; the gradient operation
dE/dz = dE/dh * f'(z) is the same for all.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, ClassVar

import numpy as np

from tui_nn_engine.blocks.schema import Shorthand
from tui_nn_engine.formulas.expressions import Expression, Quantity, formula, part
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import Meaning, Reading

# Arrays of the network's dtype, written in place: NumPy's own signatures are narrower than that.
AnyArray = Any

_NEARLY_FLAT = 0.05


class Activation(Shorthand, Primitive):
    """An activation h = f(z); `type` is its name in the experiment file."""

    @property
    def name(self) -> str:  # type: ignore[override]
        """As in the experiment file."""
        return self.type

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of z."""
        return {"": inputs[0].shape}


class Elementwise(Activation):
    """An activation that works on each element alone.

    `bounds` are what it nears for large net inputs on either side, where it goes flat. Where
    `can_die`, an output of 0 has slope 0.
    """

    bounds: ClassVar[tuple[float, float] | None] = None
    can_die: ClassVar[bool] = False

    def equation(self, z: Expression) -> Expression:
        """f(z)."""
        raise NotImplementedError

    def slope(self, z: Expression, h: Expression) -> Expression:
        """f'(z), where h = f(z) is at hand."""
        raise NotImplementedError

    def why(self, z: float) -> str:
        """What f does to this z, in a sentence."""
        raise NotImplementedError

    @property
    def formula(self) -> str:  # type: ignore[override]
        """h = f(z), written out."""
        return formula("h", self.equation(Quantity("z")))

    @property
    def slope_formula(self) -> str:
        """f'(z), written out."""
        return self.slope(Quantity("z"), Quantity("h")).text()

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:
        """A call that writes f'(z) into `slope`; h = f(z) is at hand."""
        raise NotImplementedError

    def explain(self, read: Reading) -> Meaning:
        """f of one net input."""
        z = read.here(0)
        return Meaning(read.lines(self.equation(z)), self.why(z.scalar))

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """dE/dz = dE/dh * f'(z)."""
        yield Contribution(op.inputs[0], (gradient, *op.inputs, op.output), Slope(self))


class Slope(Primitive):
    """δ = dE/dh * f'(z), with f'(z) kept as a second output."""

    name = "error × slope"

    def __init__(self, activation: Elementwise) -> None:
        self.activation = activation
        symbols = Quantity("∂E/∂h"), Quantity("z"), Quantity("h")
        self.formula = formula("δ", self._equation(*symbols))

    def _equation(self, error: Expression, z: Expression, h: Expression) -> Expression:
        return error * part(f"f′({z.text()})", self.activation.slope(z, h))

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of z, twice."""
        return {"": inputs[0].shape, "f'(z)": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """The slope, then one product."""
        gradient, z, h = inputs
        delta, slope = outputs
        write_slope = self.activation.bind_slope(z, h, slope)
        multiply = partial(np.multiply, gradient, slope, delta)

        def call() -> None:
            write_slope()
            multiply()

        return call

    def explain(self, read: Reading) -> Meaning:
        """The slope, then δ."""
        error, z, h = (read.here(position) for position in range(3))
        lines = read.lines(self._equation(error, z, h))
        slope = self.activation.slope(z, h).scalar
        kind = self.activation.type
        told = "By the chain rule the error of the output is multiplied by the slope of f at z."
        if slope == 0:
            told += f" Here {kind} is flat (slope 0): a small change of z changes nothing, so no "
            told += "error passes and the weights of this unit do not learn from this sample."
        elif slope == 1:
            told += " Here the slope is 1: z acts on the loss just as the output does."
        elif abs(slope) < _NEARLY_FLAT:
            told += f" Here {kind} is nearly flat (saturated), so little of the error passes."
        return Meaning(lines, told)


def scalar(value: float, like: AnyArray) -> AnyArray:
    """A 0-d array of the same dtype: twice as fast as a Python float, and promotes nothing."""
    return np.array(value, like.dtype)


def bind_sigmoid(z: AnyArray, h: AnyArray) -> Call:
    """A call that writes 1 / (1 + exp(-z)) into h, as (1 + tanh(z/2)) / 2."""
    # To and fro between two arrays: in place, NumPy takes three times as long on a single number.
    half, work = scalar(0.5, h), np.empty_like(h)

    def call() -> None:
        np.multiply(z, half, work)
        np.tanh(work, h)
        np.multiply(h, half, work)
        np.add(work, half, h)

    return call
