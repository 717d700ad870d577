"""Bringing inputs and targets to a range that is easy to learn from, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Scaler:
    """x -> (x - shift) / scale; images have one shift and scale, all else one a feature."""

    shift: Floats
    scale: Floats

    @classmethod
    def fit(cls, kind: str, x: NDArray[Any], *, whole: bool) -> "Scaler":
        """Fit on training inputs x (samples, ..., features), samples and time steps alike.

        `whole`: one range for all of them.
        """
        if kind == "none":
            return cls(np.zeros(1), np.ones(1))
        axis = None if whole else tuple(range(x.ndim - 1))
        values = x.astype(np.float64)
        if kind == "minmax":
            low = np.min(values, axis=axis)
            shift, scale = low, np.max(values, axis=axis) - low
        else:
            # By powers of two, which cost no bit: the square of 1e200 is none, that of 1e-200 is 0.
            _, exponent = np.frexp(np.max(np.abs(values), axis=axis))
            values = np.ldexp(values, -exponent)
            shift, scale = np.mean(values, axis=axis), np.std(values, axis=axis)
            shift, scale = np.ldexp(shift, exponent), np.ldexp(scale, exponent)
        scale = np.where(scale > 0, scale, 1.0)  # a constant column carries nothing: leave it at 0
        return cls(np.atleast_1d(shift), np.atleast_1d(scale))

    def apply(self, x: NDArray[Any], dtype: DTypeLike) -> Floats:
        """Scaled copy of x, contiguous, of the given dtype."""
        # In the precision of x: float32 could not tell the years 2023.1 and 2023.2 well apart.
        out = np.array(x, dtype=np.promote_types(x.dtype, dtype), order="C")
        out -= self.shift.astype(out.dtype)
        out /= self.scale.astype(out.dtype)
        return out.astype(dtype, copy=False)

    def invert(self, x: Floats) -> Floats:
        """Back to the units of the data."""
        return np.asarray(x * self.scale + self.shift, dtype=x.dtype)
