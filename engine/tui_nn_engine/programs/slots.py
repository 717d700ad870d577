"""A slot: a named array that the operations of a program read and write."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
Role = Literal["input", "target", "parameter", "state", "value", "gradient"]


@dataclass(eq=False, slots=True)
class Slot:
    """A named array that operations read and write; within one update it is written once.

    `role` "parameter" and "state" outlive the update; `of` is the slot a gradient belongs to.
    A part (one time step, one gate) is a view of another slot, `whole`, at `index`.
    """

    name: str
    array: Array
    role: Role = "value"
    of: "Slot | None" = None
    whole: "Slot | None" = None
    index: tuple[Any, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.array.shape

    def part(self, name: str, *index: Any, of: "Slot | None" = None) -> "Slot":
        """The part at `index` (integers, slices) as a slot of its own on the same memory."""
        return Slot(name, self.array[index], self.role, of or self.of, self, index)

    def wholes(self) -> "Iterator[Slot]":
        """All that it is a part of, the nearest first."""
        if self.whole is not None:
            yield self.whole
            yield from self.whole.wholes()


def layer_of(path: str) -> str:
    """The layer in the path or name of what is within it: "lstm_1" of "lstm_1/t=3.h"."""
    return path.partition("/")[0].partition(".")[0]
