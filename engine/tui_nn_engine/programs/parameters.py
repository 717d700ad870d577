"""The parameters of a network: one flat vector of values, one of gradients, named views on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tui_nn_engine.programs.initializers import Initializer
from tui_nn_engine.programs.regularizers import Regularizer


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter array before it exists: name ("dense_1.kernel"), shape, how it starts, whether
    it is trained and then what its size costs.
    """

    name: str
    shape: tuple[int, ...]
    initializer: Initializer
    trainable: bool = True
    regularizer: Regularizer | None = None

    @property
    def penalty(self) -> Regularizer | None:
        """What its size adds to what training makes small: nothing where it is frozen."""
        return self.regularizer if self.trainable else None

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return prod(self.shape)


@dataclass(frozen=True)
class StateSpec:
    """One array of an update rule's state before it exists: name, shape, its numbers at first."""

    name: str
    shape: tuple[int, ...]
    start: float = 0.0


ADDRESSABLE = 2**48  # numbers that no machine has the memory for


class Parameters:
    """All parameters of a network in one vector: the trainable ones first, then the frozen.

    `values` (parameters,) holds everything, `gradients` (trainable,) only what is trained, so an
    update rule works on one contiguous vector. `views` and `gradient_views` give the same memory
    its names and shapes. Raises MemoryError where there are too many.
    """

    def __init__(self, specs: Sequence[ParameterSpec], dtype: DTypeLike) -> None:
        self.specs = tuple(specs)
        if (count := sum(spec.size for spec in specs)) > ADDRESSABLE:
            raise MemoryError(f"{count:,} parameters")  # NumPy would speak of a dimension
        ordered = sorted(specs, key=lambda spec: not spec.trainable)
        self.trainable_size = sum(spec.size for spec in specs if spec.trainable)
        self.values: NDArray[np.floating] = np.zeros(count, dtype)
        self.gradients: NDArray[np.floating] = np.zeros(self.trainable_size, dtype)
        self.places: dict[str, slice] = {}
        start = 0
        for spec in ordered:
            self.places[spec.name] = slice(start, start + spec.size)
            start += spec.size
        self.views = self.named(self.values)
        self.gradient_views = {
            spec.name: self.gradients[self.places[spec.name]].reshape(spec.shape)
            for spec in specs
            if spec.trainable
        }

    @property
    def trainable(self) -> NDArray[np.floating]:
        """The part of `values` that is trained: a view, (trainable,)."""
        return self.values[: self.trainable_size]

    def named(self, vector: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
        """Views by name on a vector laid out like `values` or, without the frozen, `gradients`."""
        return {
            spec.name: vector[self.places[spec.name]].reshape(spec.shape)
            for spec in self.specs
            if self.places[spec.name].stop <= vector.size
        }

    def initialize(self, seed: int) -> None:
        """Give every parameter its starting value, a pure function of seed, name and shape."""
        for spec in self.specs:
            self.views[spec.name][...] = spec.initializer.initial(spec.shape, seed, spec.name)
