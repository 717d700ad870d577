"""How weights start: each initializer gives an array as a pure function of shape, seed and name."""

from math import prod, sqrt
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from tui_nn_datasets import stream
from tui_nn_engine.blocks.schema import OneOf, Shorthand

Shape = tuple[int, ...]
Array = NDArray[np.float64]


class Initializer(Shorthand):
    """The part all initializers share."""

    def initial(self, shape: Shape, seed: int, name: str) -> Array:
        """Starting values (`shape`, float64) of the parameter `name`."""
        return self._draw(shape, stream(seed, f"initial {name}"))

    def _draw(self, shape: Shape, random: np.random.Generator) -> Array:
        raise NotImplementedError


class Zeros(Initializer):
    """All zero."""

    type: Literal["zeros"] = "zeros"
    summary: ClassVar[str] = "all zero (hidden units then stay alike: right for biases only)"

    def _draw(self, shape: Shape, random: np.random.Generator) -> Array:  # noqa: ARG002
        return np.zeros(shape)


class Constant(Initializer):
    """All equal to one value."""

    type: Literal["constant"] = "constant"
    summary: ClassVar[str] = "all equal to one value"
    value: Annotated[float, Field(description="the value of every weight")] = 0.0

    def _draw(self, shape: Shape, random: np.random.Generator) -> Array:  # noqa: ARG002
        return np.full(shape, self.value)


class Given(Initializer):
    """The values stand in the experiment file, nested as the parameter's shape."""

    type: Literal["given"] = "given"
    aliases: ClassVar[tuple[str, ...]] = ("array", "values")
    summary: ClassVar[str] = "the numbers written in the experiment"
    values: Annotated[
        list[float] | list[list[float]],
        Field(description="nested as the parameter's shape"),
    ] = []

    @field_validator("values")
    @classmethod
    def _rectangular(cls, rows: list[Any]) -> list[Any]:
        lengths = {len(row) for row in rows if isinstance(row, list)}
        if len(lengths) > 1:
            raise ValueError(f"rows must be equally long (have {sorted(lengths)} numbers)")
        return rows

    @property
    def shape(self) -> Shape:
        """The shape of the given array."""
        return np.shape(self.values)

    def _draw(self, shape: Shape, random: np.random.Generator) -> Array:  # noqa: ARG002
        return np.asarray(self.values, dtype=np.float64).reshape(shape)


class Uniform(Initializer):
    """Uniform between two bounds."""

    type: Literal["uniform"] = "uniform"
    aliases: ClassVar[tuple[str, ...]] = ("random_uniform",)
    summary: ClassVar[str] = "uniform between two bounds"
    minval: Annotated[float, Field(description="lower bound")] = -0.05
    maxval: Annotated[float, Field(description="upper bound")] = 0.05

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.minval > self.maxval:
            raise ValueError(f"minval ({self.minval}) must not be above maxval ({self.maxval})")
        return self

    def _draw(self, shape: Shape, random: np.random.Generator) -> Array:
        return random.uniform(self.minval, self.maxval, shape)


class Normal(Initializer):
    """Normal (Gaussian)."""

    type: Literal["normal"] = "normal"
    aliases: ClassVar[tuple[str, ...]] = ("random_normal",)
    summary: ClassVar[str] = "normal (Gaussian) with given mean and spread"
    mean: Annotated[float, Field(description="mean")] = 0.0
    stddev: Annotated[float, Field(ge=0, description="standard deviation")] = 0.05

    def _draw(self, shape: Shape, random: np.random.Generator) -> Array:
        return random.normal(self.mean, self.stddev, shape)


class _Scaled(Initializer):
    """Spread scaled to the size of the layer, so that signals keep their size through it."""

    def _variance(self, fan_in: int, fan_out: int) -> float:
        raise NotImplementedError


class _ScaledUniform(_Scaled):
    def _draw(self, shape: Shape, random: np.random.Generator) -> Array:
        limit = sqrt(3 * self._variance(*fans(shape)))
        return random.uniform(-limit, limit, shape)


class _ScaledNormal(_Scaled):
    # Keras truncates at two standard deviations and divides by this, the spread that remains.
    _kept: ClassVar[float] = 0.87962566103423978

    def _draw(self, shape: Shape, random: np.random.Generator) -> Array:
        drawn = random.standard_normal(shape)
        while (outside := np.abs(drawn) > 2).any():
            drawn[outside] = random.standard_normal(int(outside.sum()))
        return drawn * (sqrt(self._variance(*fans(shape))) / self._kept)


class _Glorot(_Scaled):
    def _variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / (fan_in + fan_out)


class _He(_Scaled):
    def _variance(self, fan_in: int, fan_out: int) -> float:  # noqa: ARG002
        return 2 / fan_in


class _LeCun(_Scaled):
    def _variance(self, fan_in: int, fan_out: int) -> float:  # noqa: ARG002
        return 1 / fan_in


class GlorotUniform(_Glorot, _ScaledUniform):
    """Glorot & Bengio 2010: uniform with variance 2 / (fan_in + fan_out)."""

    type: Literal["glorot_uniform"] = "glorot_uniform"
    aliases: ClassVar[tuple[str, ...]] = ("glorot", "xavier", "xavier_uniform")
    summary: ClassVar[str] = "variance 2/(in + out): good for tanh, sigmoid, softmax"


class GlorotNormal(_Glorot, _ScaledNormal):
    """Glorot & Bengio 2010: truncated normal with variance 2 / (fan_in + fan_out)."""

    type: Literal["glorot_normal"] = "glorot_normal"
    aliases: ClassVar[tuple[str, ...]] = ("xavier_normal",)
    summary: ClassVar[str] = "like glorot_uniform, normal"


class HeUniform(_He, _ScaledUniform):
    """He et al. 2015: uniform with variance 2 / fan_in."""

    type: Literal["he_uniform"] = "he_uniform"
    aliases: ClassVar[tuple[str, ...]] = ("he", "kaiming_uniform")
    summary: ClassVar[str] = "variance 2/in: good for relu and its kin"


class HeNormal(_He, _ScaledNormal):
    """He et al. 2015: truncated normal with variance 2 / fan_in."""

    type: Literal["he_normal"] = "he_normal"
    aliases: ClassVar[tuple[str, ...]] = ("kaiming_normal",)
    summary: ClassVar[str] = "like he_uniform, normal"


class LecunUniform(_LeCun, _ScaledUniform):
    """LeCun et al. 1998: uniform with variance 1 / fan_in."""

    type: Literal["lecun_uniform"] = "lecun_uniform"
    aliases: ClassVar[tuple[str, ...]] = ("lecun",)
    summary: ClassVar[str] = "variance 1/in: good for selu"


class LecunNormal(_LeCun, _ScaledNormal):
    """LeCun et al. 1998: truncated normal with variance 1 / fan_in."""

    type: Literal["lecun_normal"] = "lecun_normal"
    summary: ClassVar[str] = "like lecun_uniform, normal"


class Orthogonal(Initializer):
    """Saxe et al. 2014: rows (or columns, the fewer) of length `gain`, at right angles."""

    type: Literal["orthogonal"] = "orthogonal"
    summary: ClassVar[str] = "keeps the length of what it multiplies: for recurrent weights"
    gain: Annotated[float, Field(description="the length of each row or column")] = 1.0

    def _draw(self, shape: Shape, random: np.random.Generator) -> Array:
        rows, columns = prod(shape[:-1]), shape[-1]
        drawn = random.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(drawn)
        q *= np.sign(np.diag(r))  # else some orthogonal matrices would be likelier than others
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


def fans(shape: Shape) -> tuple[int, int]:
    """Inputs and outputs that one weight array connects: (fan_in, fan_out), as Keras counts."""
    if len(shape) < 2:
        size = prod(shape)
        return size, size
    field = prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


INITIALIZERS: tuple[type[Initializer], ...] = (
    GlorotUniform,
    GlorotNormal,
    HeUniform,
    HeNormal,
    LecunUniform,
    LecunNormal,
    Uniform,
    Normal,
    Orthogonal,
    Constant,
    Zeros,
    Given,
)
AnyInitializer = Annotated[Initializer, OneOf(INITIALIZERS)]
