"""Activations: each is its block in the experiment file and the operation it runs as.

An elementwise activation says how f(z) and its slope f'(z) are computed; the gradient operation
dE/dz = dE/dh * f'(z) is the same for all.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from math import pi, sqrt
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.primitives.erf import erf
from tui_nn_engine.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.schema import OneOf, Shorthand

# Arrays of the network's dtype, written in place: NumPy's own signatures are narrower than that.
AnyArray = Any

_FLAT = 40.0  # beyond ±40 Φ is 0 or 1 to the last bit, while z³ may overflow


class Activation(Shorthand, Primitive):
    """An activation h = f(z); `type` is its name in the experiment file."""

    value_formula: ClassVar[str]

    @property
    def name(self) -> str:  # type: ignore[override]
        """As in the experiment file."""
        return self.type

    @property
    def formula(self) -> str:  # type: ignore[override]
        """h = f(z), written out."""
        return self.value_formula

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of z."""
        return {"": inputs[0].shape}


class Elementwise(Activation):
    """An activation that works on each element alone."""

    slope_formula: ClassVar[str]

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:
        """A call that writes f'(z) into `slope`; h = f(z) is at hand."""
        raise NotImplementedError

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """dE/dz = dE/dh * f'(z)."""
        yield Contribution(op.inputs[0], (gradient, *op.inputs, op.output), Slope(self))


class Slope(Primitive):
    """δ = dE/dh * f'(z), with f'(z) kept as a second output."""

    name = "error × slope"

    def __init__(self, activation: Elementwise) -> None:
        self.activation = activation
        self.formula = f"δ = ∂E/∂h · f′(z), f′(z) = {activation.slope_formula}"

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


class Linear(Elementwise):
    """f(z) = z."""

    type: Literal["linear"] = "linear"
    aliases: ClassVar[tuple[str, ...]] = ("identity", "none")
    summary: ClassVar[str] = "f(z) = z: for regression outputs"
    value_formula: ClassVar[str] = "h = z"
    slope_formula: ClassVar[str] = "1"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A copy."""
        return partial(np.copyto, outputs[0], inputs[0])

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """1 everywhere."""
        return partial(slope.fill, 1)


class Step(Elementwise):
    """Heaviside step: 0 below 0, 1 above, `at_zero` at 0; no slope, so it passes no error on."""

    type: Literal["step"] = "step"
    aliases: ClassVar[tuple[str, ...]] = ("heaviside", "threshold")
    summary: ClassVar[str] = "0 or 1: the classic neuron; has no slope to learn by"
    value_formula: ClassVar[str] = "h = 1 if z > 0, 0 if z < 0"
    slope_formula: ClassVar[str] = "0"
    at_zero: Annotated[float, Field(ge=0, le=1, description="what the step gives at exactly 0")] = (
        0.0
    )

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """NumPy's heaviside."""
        return partial(np.heaviside, inputs[0], _scalar(self.at_zero, outputs[0]), outputs[0])

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """0 everywhere (at 0 by convention)."""
        return partial(slope.fill, 0)


class Sign(Elementwise):
    """sgn(z): -1, 0 or +1; no slope."""

    type: Literal["sign"] = "sign"
    aliases: ClassVar[tuple[str, ...]] = ("sgn", "signum")
    summary: ClassVar[str] = "−1, 0 or +1; has no slope to learn by"
    value_formula: ClassVar[str] = "h = sgn(z)"
    slope_formula: ClassVar[str] = "0"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """NumPy's sign."""
        return partial(np.sign, inputs[0], outputs[0])

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """0 everywhere (at 0 by convention)."""
        return partial(slope.fill, 0)


class Sigmoid(Elementwise):
    """1 / (1 + exp(-z)), by way of tanh, which overflows nowhere."""

    type: Literal["sigmoid"] = "sigmoid"
    aliases: ClassVar[tuple[str, ...]] = ("logistic",)
    summary: ClassVar[str] = "between 0 and 1: a probability, for yes/no outputs"
    value_formula: ClassVar[str] = "h = 1/(1 + e⁻ᶻ)"
    slope_formula: ClassVar[str] = "h(1 − h)"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """(1 + tanh(z/2)) / 2."""
        return _bind_sigmoid(inputs[0], outputs[0])

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """h (1 - h)."""
        one = _scalar(1, h)

        def call() -> None:
            np.subtract(one, h, slope)
            np.multiply(slope, h, slope)

        return call


class Tanh(Elementwise):
    """Hyperbolic tangent."""

    type: Literal["tanh"] = "tanh"
    summary: ClassVar[str] = "between −1 and 1, centred on 0"
    value_formula: ClassVar[str] = "h = tanh z"
    slope_formula: ClassVar[str] = "1 − h²"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """NumPy's tanh."""
        return partial(np.tanh, inputs[0], outputs[0])

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """1 - h^2."""
        one = _scalar(1, h)

        def call() -> None:
            np.multiply(h, h, slope)
            np.subtract(one, slope, slope)

        return call


class ReLU(Elementwise):
    """max(0, z); slope 0 at 0, as TensorFlow and PyTorch."""

    type: Literal["relu"] = "relu"
    summary: ClassVar[str] = "max(0, z): the default of hidden layers"
    value_formula: ClassVar[str] = "h = max(0, z)"
    slope_formula: ClassVar[str] = "1 if z > 0 else 0"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """NumPy's maximum."""
        return partial(np.maximum, inputs[0], _scalar(0, outputs[0]), out=outputs[0])

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """The sign of h, which is 0 or positive."""
        return partial(np.sign, h, slope)


class LeakyReLU(Elementwise):
    """z above 0, negative_slope * z below (Maas et al. 2013); Keras's default slope."""

    type: Literal["leaky_relu"] = "leaky_relu"
    summary: ClassVar[str] = "relu that leaks below 0, so no unit dies"
    value_formula: ClassVar[str] = "h = z if z > 0 else a·z"
    slope_formula: ClassVar[str] = "1 if z > 0 else a"
    negative_slope: Annotated[float, Field(ge=0, le=1, description="slope below 0")] = 0.2

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """max(z, a z), for 0 <= a <= 1."""
        z, h = inputs[0], outputs[0]
        a = _scalar(self.negative_slope, h)

        def call() -> None:
            np.multiply(z, a, h)
            np.maximum(z, h, out=h)

        return call

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """1 or a."""
        a, one = _scalar(self.negative_slope, z), _scalar(1, z)
        return lambda: np.copyto(slope, np.where(z > 0, one, a))


class ELU(Elementwise):
    """z above 0, alpha (exp(z) - 1) below (Clevert et al. 2016)."""

    type: Literal["elu"] = "elu"
    summary: ClassVar[str] = "smooth below 0, down to −alpha"
    value_formula: ClassVar[str] = "h = z if z > 0 else α(eᶻ − 1)"
    slope_formula: ClassVar[str] = "1 if z > 0 else h + α"
    alpha: Annotated[float, Field(gt=0, description="how far it goes below 0")] = 1.0

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """expm1 of the negative part."""
        return _bind_elu(inputs[0], outputs[0], 1.0, self.alpha)

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:
        """1 above, h + alpha below."""
        return _bind_elu_slope(z, h, slope, 1.0, self.alpha)


class SELU(Elementwise):
    """Self-normalizing ELU (Klambauer et al. 2017)."""

    type: Literal["selu"] = "selu"
    summary: ClassVar[str] = "elu that keeps signals at unit spread; with lecun_normal"
    value_formula: ClassVar[str] = "h = λ·elu(z), α = 1.6733, λ = 1.0507"
    slope_formula: ClassVar[str] = "λ if z > 0 else h + λα"
    alpha: ClassVar[float] = 1.6732632423543772
    scale: ClassVar[float] = 1.0507009873554805

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """expm1 of the negative part."""
        return _bind_elu(inputs[0], outputs[0], self.scale, self.scale * self.alpha)

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:
        """scale above, h + scale * alpha below."""
        return _bind_elu_slope(z, h, slope, self.scale, self.scale * self.alpha)


class GELU(Elementwise):
    """z Φ(z), Φ the normal distribution (Hendrycks & Gimpel 2016), exact or by their tanh."""

    type: Literal["gelu"] = "gelu"
    summary: ClassVar[str] = "z·Φ(z): smooth relu of transformers"
    value_formula: ClassVar[str] = "h = z·Φ(z)"
    slope_formula: ClassVar[str] = "Φ(z) + z·φ(z)"
    approximate: Annotated[bool, Field(description="by tanh instead of the exact Φ")] = False

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """z times the distribution."""
        z, h = inputs[0], outputs[0]
        return lambda: np.multiply(z, self._distribution(z), h)

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """Φ(z) + z Φ'(z)."""

        def call() -> None:
            phi, near = self._distribution(z), np.clip(z, -_FLAT, _FLAT)
            if self.approximate:
                inner = sqrt(2 / pi) * (1 + 3 * 0.044715 * near * near)
                density = 2 * phi * (1 - phi) * inner
            else:
                density = np.exp(-0.5 * near * near) * (1 / sqrt(2 * pi))
            np.add(phi, near * density, slope)

        return call

    def _distribution(self, z: AnyArray) -> AnyArray:
        if self.approximate:
            near = np.clip(z, -_FLAT, _FLAT)
            return 0.5 * (1 + np.tanh(sqrt(2 / pi) * (near + 0.044715 * near * near * near)))
        return 0.5 * (1 + erf(z * sqrt(0.5)))


class Softplus(Elementwise):
    """log(1 + exp(z)), stable for large |z|."""

    type: Literal["softplus"] = "softplus"
    summary: ClassVar[str] = "log(1 + eᶻ): a rounded relu, always positive"
    value_formula: ClassVar[str] = "h = log(1 + eᶻ)"
    slope_formula: ClassVar[str] = "1/(1 + e⁻ᶻ)"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """logaddexp(0, z)."""
        return partial(np.logaddexp, _scalar(0, outputs[0]), inputs[0], outputs[0])

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:  # noqa: ARG002
        """sigmoid(z)."""
        return _bind_sigmoid(z, slope)


class Swish(Elementwise):
    """z sigmoid(z) (Ramachandran et al. 2017), also called SiLU."""

    type: Literal["swish"] = "swish"
    aliases: ClassVar[tuple[str, ...]] = ("silu",)
    summary: ClassVar[str] = "z·sigmoid(z): smooth, dips below 0"
    value_formula: ClassVar[str] = "h = z/(1 + e⁻ᶻ)"
    slope_formula: ClassVar[str] = "s + h(1 − s), s = 1/(1 + e⁻ᶻ)"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """z times its sigmoid."""
        z, h = inputs[0], outputs[0]
        sigmoid = _bind_sigmoid(z, h)

        def call() -> None:
            sigmoid()
            np.multiply(h, z, h)

        return call

    def bind_slope(self, z: AnyArray, h: AnyArray, slope: AnyArray) -> Call:
        """s + h (1 - s)."""
        sigmoid = _bind_sigmoid(z, slope)

        def call() -> None:
            sigmoid()
            np.add(slope, h * (1 - slope), slope)

        return call


class Softmax(Activation):
    """exp(z) / Σ exp(z) along the last axis, from z minus its maximum (overflows nowhere)."""

    type: Literal["softmax"] = "softmax"
    summary: ClassVar[str] = "probabilities that sum to 1: for one class of several"
    value_formula: ClassVar[str] = "pᵢ = e^zᵢ / Σ e^zⱼ"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Shift, exponentiate, normalize."""
        z: AnyArray = inputs[0]
        p: AnyArray = outputs[0]
        edge = np.empty((*z.shape[:-1], 1), z.dtype)

        def call() -> None:
            np.maximum.reduce(z, -1, None, edge, keepdims=True)
            np.subtract(z, edge, p)
            np.exp(p, p)
            np.add.reduce(p, -1, None, edge, keepdims=True)
            np.divide(p, edge, p)

        return call

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """dE/dz_i = p_i (dE/dp_i - Σ_j dE/dp_j p_j)."""
        yield Contribution(op.inputs[0], (gradient, op.output), SoftmaxGradient())


class SoftmaxGradient(Primitive):
    """dE/dz_i = p_i (g_i - Σ_j g_j p_j), with g = dE/dp: every output depends on every z."""

    name = "error × Jacobian"
    formula = "δᵢ = pᵢ(gᵢ − Σ gⱼpⱼ)"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of p."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Elementwise and one sum a row."""
        g: AnyArray = inputs[0]
        p: AnyArray = inputs[1]
        delta: AnyArray = outputs[0]

        def call() -> None:
            np.multiply(g, p, delta)
            np.subtract(g, delta.sum(-1, keepdims=True), delta)
            np.multiply(delta, p, delta)

        return call


def _scalar(value: float, like: AnyArray) -> AnyArray:
    # A 0-d array of the same dtype is twice as fast as a Python float, and promotes nothing.
    return np.array(value, like.dtype)


def _bind_sigmoid(z: AnyArray, h: AnyArray) -> Call:
    # To and fro between two arrays: in place, NumPy takes three times as long on a single number.
    half, work = _scalar(0.5, h), np.empty_like(h)

    def call() -> None:
        np.multiply(z, half, work)
        np.tanh(work, h)
        np.multiply(h, half, work)
        np.add(work, half, h)

    return call


def _bind_elu(z: AnyArray, h: AnyArray, above: float, below: float) -> Call:
    def call() -> None:
        np.minimum(z, 0, out=h)
        np.expm1(h, h)
        np.copyto(h, np.where(z > 0, above * z, below * h))

    return call


def _bind_elu_slope(z: AnyArray, h: AnyArray, slope: AnyArray, above: float, below: float) -> Call:
    above_array = _scalar(above, h)
    return lambda: np.copyto(slope, np.where(z > 0, above_array, h + below))


ACTIVATIONS: tuple[type[Activation], ...] = (
    Linear,
    Step,
    Sign,
    Sigmoid,
    Tanh,
    ReLU,
    LeakyReLU,
    ELU,
    SELU,
    GELU,
    Softplus,
    Swish,
    Softmax,
)
AnyActivation = Annotated[Activation, OneOf(ACTIVATIONS)]
