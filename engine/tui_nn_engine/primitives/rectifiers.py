"""Rectifiers: activations that pass large net inputs on and hold back negative ones."""

from collections.abc import Sequence
from functools import partial
from math import pi
from math import sqrt as root
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.formulas.expressions import Expression, Quantity, part
from tui_nn_engine.formulas.functions import Function, exp, largest, ln, sqrt, tanh, when
from tui_nn_engine.primitives.activation import AnyArray, Elementwise, bind_sigmoid, scalar
from tui_nn_engine.primitives.erf import erf
from tui_nn_engine.programs.program import Array, Call

_LARGE = 500.0  # e to the power of this is near the largest number there is
_FLAT = 40.0  # beyond ±40 Φ is 0 or 1 to the last bit, while z³ may overflow


class ReLU(Elementwise):
    """max(0, z); slope 0 at 0, as TensorFlow and PyTorch."""

    type: Literal["relu"] = "relu"
    summary: ClassVar[str] = "max(0, z): the default of hidden layers"
    can_die: ClassVar[bool] = True

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """NumPy's maximum."""
        return partial(np.maximum, inputs[0], scalar(0, outputs[0]), out=outputs[0])

    def equation(self, z: Expression) -> Expression:
        """max(0, z)."""
        return largest(0, z)

    def slope(self, z: Expression, h: Expression) -> Expression:  # noqa: ARG002
        """1 above 0."""
        return when(z > 0, 1, 0)

    def why(self, z: float) -> str:
        """Whether it passes."""
        if z > 0:
            return "z is positive, so relu passes it on as it is."
        if z <= 0:
            return f"z is {'negative' if z else '0'}, so relu passes nothing on: the output is 0."
        return "Relu passes on what is positive and nothing else."

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """The sign of h, which is 0 or positive."""
        return partial(np.sign, h, slope)


class LeakyReLU(Elementwise):
    """z above 0, negative_slope * z below (Maas et al. 2013); Keras's default slope."""

    type: Literal["leaky_relu"] = "leaky_relu"
    summary: ClassVar[str] = "relu that leaks below 0, so no unit dies"
    negative_slope: Annotated[float, Field(ge=0, le=1, description="slope below 0")] = 0.2

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """max(z, a z), for 0 <= a <= 1."""
        z, h = inputs[0], outputs[0]
        a = scalar(self.negative_slope, h)

        def call() -> None:
            np.multiply(z, a, h)
            np.maximum(z, h, out=h)

        return call

    def equation(self, z: Expression) -> Expression:
        """z, or a little of it."""
        return when(z > 0, z, Quantity("a", self.negative_slope) * z)

    def slope(self, z: Expression, h: Expression) -> Expression:  # noqa: ARG002
        """1, or a."""
        return when(z > 0, 1, Quantity("a", self.negative_slope))

    def why(self, z: float) -> str:
        """How much passes."""
        if z > 0:
            return "z is positive, so it is passed on as it is."
        if z <= 0:
            return "z is not positive, so only the share a of it leaks through."
        return "What is positive is passed on as it is, of what is negative only the share a."

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """1 or a."""
        a, one = scalar(self.negative_slope, z), scalar(1, z)
        return lambda: np.copyto(slope, np.where(z > 0, one, a))


class ELU(Elementwise):
    """z above 0, alpha (exp(z) - 1) below (Clevert et al. 2016)."""

    type: Literal["elu"] = "elu"
    summary: ClassVar[str] = "smooth below 0, down to −alpha"
    alpha: Annotated[float, Field(gt=0, description="how far it goes below 0")] = 1.0

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """expm1 of the negative part."""
        return _bind_elu(inputs[0], outputs[0], 1.0, self.alpha)

    def equation(self, z: Expression) -> Expression:
        """z, or α (e^z − 1)."""
        return when(z > 0, z, Quantity("α", self.alpha) * (exp(z) - 1))

    def slope(self, z: Expression, h: Expression) -> Expression:
        """1, or h + α."""
        return when(z > 0, 1, h + Quantity("α", self.alpha))

    def why(self, z: float) -> str:
        """Which branch."""
        return _bent(z, "it is passed on as it is", "it is bent towards −α")

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:
        """1 above, h + alpha below."""
        return _bind_elu_slope(z, h, slope, 1.0, self.alpha)


class SELU(Elementwise):
    """Self-normalizing ELU (Klambauer et al. 2017)."""

    type: Literal["selu"] = "selu"
    summary: ClassVar[str] = "elu that keeps signals at unit spread; with lecun_normal"
    alpha: ClassVar[float] = 1.6732632423543772
    scale: ClassVar[float] = 1.0507009873554805

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """expm1 of the negative part."""
        return _bind_elu(inputs[0], outputs[0], self.scale, self.scale * self.alpha)

    def equation(self, z: Expression) -> Expression:
        """λ times z or α (e^z − 1)."""
        return Quantity("λ", self.scale) * when(z > 0, z, Quantity("α", self.alpha) * (exp(z) - 1))

    def slope(self, z: Expression, h: Expression) -> Expression:
        """λ, or h + λ α."""
        scale = Quantity("λ", self.scale)
        return when(z > 0, scale, h + scale * Quantity("α", self.alpha))

    def why(self, z: float) -> str:
        """Which branch."""
        return _bent(z, "it is passed on times λ = 1.0507", "it is bent towards −λ·α = −1.7581")

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:
        """scale above, h + scale * alpha below."""
        return _bind_elu_slope(z, h, slope, self.scale, self.scale * self.alpha)


class GELU(Elementwise):
    """z Φ(z), Φ the normal distribution (Hendrycks & Gimpel 2016), exact or by their tanh."""

    type: Literal["gelu"] = "gelu"
    summary: ClassVar[str] = "z·Φ(z): smooth relu of transformers"
    approximate: Annotated[bool, Field(description="by tanh instead of the exact Φ")] = False

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """z times the distribution."""
        z, h = inputs[0], outputs[0]
        return lambda: np.multiply(z, self._distribution(z), h)

    def equation(self, z: Expression) -> Expression:
        """z Φ(z)."""
        return z * self._phi(z)

    def slope(self, z: Expression, h: Expression) -> Expression:  # noqa: ARG002
        """Φ(z) + z φ(z)."""
        phi = self._phi(z)
        if not self.approximate:
            return phi + z * Function("φ({})", _density, z)
        inner = sqrt(2 / Quantity("π", pi)) * (1 + 3 * 0.044715 * z**2)
        return phi + z * (2 * phi * (1 - phi) * inner)

    def why(self, z: float) -> str:  # noqa: ARG002
        """What Φ is."""
        return (
            "z is multiplied by Φ(z), the share of a normal distribution that lies below z: nearly "
            "all of a large z passes, nearly nothing of a very negative one."
        )

    def _phi(self, z: Expression) -> Expression:
        if not self.approximate:
            return Function("Φ({})", self._distribution, z)
        inner = sqrt(2 / Quantity("π", pi)) * (z + 0.044715 * z**3)
        return part(f"Φ({z.text()})", 0.5 * (1 + tanh(inner)))

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """Φ(z) + z Φ'(z)."""

        def call() -> None:
            phi, near = self._distribution(z), np.clip(z, -_FLAT, _FLAT)
            if self.approximate:
                inner = root(2 / pi) * (1 + 3 * 0.044715 * near * near)
                density = 2 * phi * (1 - phi) * inner
            else:
                density = np.exp(-0.5 * near * near) * (1 / root(2 * pi))
            np.add(phi, near * density, slope)

        return call

    def _distribution(self, z: AnyArray) -> AnyArray:
        if self.approximate:
            near = np.clip(z, -_FLAT, _FLAT)
            return 0.5 * (1 + np.tanh(root(2 / pi) * (near + 0.044715 * near * near * near)))
        return 0.5 * (1 + erf(np.asarray(z) * root(0.5)))


class Softplus(Elementwise):
    """log(1 + exp(z)), stable for large |z|."""

    type: Literal["softplus"] = "softplus"
    summary: ClassVar[str] = "log(1 + eᶻ): a rounded relu, always positive"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """logaddexp(0, z)."""
        return partial(np.logaddexp, scalar(0, outputs[0]), inputs[0], outputs[0])

    def equation(self, z: Expression) -> Expression:
        """ln(1 + e^z); where that is too large for any calculator, the same by way of e^(−z)."""
        return z + ln(1 + exp(-z)) if np.any(z.value > _LARGE) else ln(1 + exp(z))

    def slope(self, z: Expression, h: Expression) -> Expression:  # noqa: ARG002
        """1 / (1 + e^(−z))."""
        return 1 / (1 + exp(-z))

    def why(self, z: float) -> str:  # noqa: ARG002
        """Its shape."""
        return "A rounded relu: near z where z is large, near 0 where it is very negative."

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """sigmoid(z)."""
        return bind_sigmoid(z, slope)


class Swish(Elementwise):
    """z sigmoid(z) (Ramachandran et al. 2017), also called SiLU."""

    type: Literal["swish"] = "swish"
    aliases: ClassVar[tuple[str, ...]] = ("silu",)
    summary: ClassVar[str] = "z·sigmoid(z): smooth, dips below 0"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """z times its sigmoid."""
        z, h = inputs[0], outputs[0]
        sigmoid = bind_sigmoid(z, h)

        def call() -> None:
            sigmoid()
            np.multiply(h, z, h)

        return call

    def equation(self, z: Expression) -> Expression:
        """z / (1 + e^(−z))."""
        return z / (1 + exp(-z))

    def slope(self, z: Expression, h: Expression) -> Expression:
        """s + h (1 − s)."""
        s = part("s", 1 / (1 + exp(-z)))
        return s + h * (1 - s)

    def why(self, z: float) -> str:  # noqa: ARG002
        """Its shape."""
        return (
            "z is multiplied by its own sigmoid: nearly all of a large z passes, nearly nothing of "
            "a very negative one."
        )

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:
        """s + h (1 - s)."""
        sigmoid = bind_sigmoid(z, slope)

        def call() -> None:
            sigmoid()
            np.add(slope, h * (1 - slope), slope)

        return call


def _bind_elu(z: AnyArray, h: AnyArray, above: float, below: float) -> Call:
    def call() -> None:
        np.minimum(z, 0, out=h)
        np.expm1(h, h)
        np.copyto(h, np.where(z > 0, above * z, below * h))

    return call


def _bind_elu_slope(z: AnyArray, h: AnyArray, slope: AnyArray, above: float, below: float) -> Call:
    above_array = scalar(above, h)
    return lambda: np.copyto(slope, np.where(z > 0, above_array, h + below))


def _bent(z: float, above: str, below: str) -> str:
    if z > 0:
        return f"z is positive, so {above}."
    return f"z is not positive, so {below}." if z <= 0 else f"Above 0 {above}, below {below}."


def _density(z: AnyArray) -> AnyArray:
    """φ(z) of the standard normal distribution."""
    return np.exp(-0.5 * np.square(z)) / root(2 * pi)
