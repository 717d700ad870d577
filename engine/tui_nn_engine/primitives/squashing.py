"""Activations that bound their output, or leave it as it is: linear, step, sign, sigmoid, tanh."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.formulas.expressions import Expression, lift
from tui_nn_engine.formulas.functions import exp, sign, tanh, when
from tui_nn_engine.primitives.activation import AnyArray, Elementwise, bind_sigmoid, scalar
from tui_nn_engine.programs.program import Array, Call


class Linear(Elementwise):
    """f(z) = z."""

    type: Literal["linear"] = "linear"
    aliases: ClassVar[tuple[str, ...]] = ("identity", "none")
    summary: ClassVar[str] = "f(z) = z: for regression outputs"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A copy."""
        return partial(np.copyto, outputs[0], inputs[0])

    def equation(self, z: Expression) -> Expression:
        """z."""
        return z

    def slope(self, z: Expression, h: Expression) -> Expression:  # noqa: ARG002
        """1."""
        return lift(1)

    def why(self, z: float) -> str:  # noqa: ARG002
        """It passes on."""
        return "Linear: the net input is passed on as it is."

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """1 everywhere."""
        return partial(slope.fill, 1)


class Step(Elementwise):
    """Heaviside step: 0 below 0, 1 above, `at_zero` at 0; no slope, so it passes no error on."""

    type: Literal["step"] = "step"
    aliases: ClassVar[tuple[str, ...]] = ("heaviside", "threshold")
    summary: ClassVar[str] = "0 or 1: the classic neuron; has no slope to learn by"
    at_zero: Annotated[float, Field(ge=0, le=1, description="what the step gives at exactly 0")] = (
        0.0
    )

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """NumPy's heaviside."""
        return partial(np.heaviside, inputs[0], scalar(self.at_zero, outputs[0]), outputs[0])

    def equation(self, z: Expression) -> Expression:
        """1 above 0, 0 below."""
        if self.at_zero in {0, 1}:
            return when(z >= 0 if self.at_zero else z > 0, 1, 0)
        return when(z > 0, 1, when(z < 0, 0, self.at_zero))

    def slope(self, z: Expression, h: Expression) -> Expression:  # noqa: ARG002
        """0."""
        return lift(0)

    def why(self, z: float) -> str:
        """On which side of 0."""
        if z > 0:
            return "z is above the threshold 0, so the unit fires: 1."
        if z < 0:
            return "z is below the threshold 0, so the unit stays silent: 0."
        return "The unit fires (1) where z is above the threshold 0, else it stays silent (0)."

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """0 everywhere (at 0 by convention)."""
        return partial(slope.fill, 0)


class Sign(Elementwise):
    """sgn(z): -1, 0 or +1; no slope."""

    type: Literal["sign"] = "sign"
    aliases: ClassVar[tuple[str, ...]] = ("sgn", "signum")
    summary: ClassVar[str] = "−1, 0 or +1; has no slope to learn by"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """NumPy's sign."""
        return partial(np.sign, inputs[0], outputs[0])

    def equation(self, z: Expression) -> Expression:
        """sgn(z)."""
        return sign(z)

    def slope(self, z: Expression, h: Expression) -> Expression:  # noqa: ARG002
        """0."""
        return lift(0)

    def why(self, z: float) -> str:
        """On which side of 0."""
        side = "z is positive: +1." if z > 0 else "z is negative: −1." if z < 0 else ""
        return f"Only the sign of the net input counts. {side}".strip()

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """0 everywhere (at 0 by convention)."""
        return partial(slope.fill, 0)


class Sigmoid(Elementwise):
    """1 / (1 + exp(-z)), by way of tanh, which overflows nowhere."""

    type: Literal["sigmoid"] = "sigmoid"
    aliases: ClassVar[tuple[str, ...]] = ("logistic",)
    summary: ClassVar[str] = "between 0 and 1: a probability, for yes/no outputs"
    bounds: ClassVar[tuple[float, float] | None] = (0, 1)

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """(1 + tanh(z/2)) / 2."""
        return bind_sigmoid(inputs[0], outputs[0])

    def equation(self, z: Expression) -> Expression:
        """1 / (1 + e^(−z))."""
        return 1 / (1 + exp(-z))

    def slope(self, z: Expression, h: Expression) -> Expression:  # noqa: ARG002
        """h (1 − h)."""
        return h * (1 - h)

    def why(self, z: float) -> str:
        """On which side of one half."""
        side = "positive, so the output is above" if z > 0 else "negative, so the output is below"
        told = f" Here z is {side} 0.5." if z > 0 or z < 0 else ""
        return f"Sigmoid squeezes any net input into the range from 0 to 1.{told}"

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """h (1 - h)."""
        one = scalar(1, h)

        def call() -> None:
            np.subtract(one, h, slope)
            np.multiply(slope, h, slope)

        return call


class Tanh(Elementwise):
    """Hyperbolic tangent."""

    type: Literal["tanh"] = "tanh"
    summary: ClassVar[str] = "between −1 and 1, centred on 0"
    bounds: ClassVar[tuple[float, float] | None] = (-1, 1)

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """NumPy's tanh."""
        return partial(np.tanh, inputs[0], outputs[0])

    def equation(self, z: Expression) -> Expression:
        """tanh z."""
        return tanh(z)

    def slope(self, z: Expression, h: Expression) -> Expression:  # noqa: ARG002
        """1 − h²."""
        return 1 - h**2

    def why(self, z: float) -> str:  # noqa: ARG002
        """Its range."""
        return "Tanh squeezes any net input into the range from −1 to 1 and keeps its sign."

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """1 - h^2."""
        one = scalar(1, h)

        def call() -> None:
            np.multiply(h, h, slope)
            np.subtract(one, slope, slope)

        return call
