"""A slot: a named array that the operations of a program read and write."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.generic]
Role = Literal["input", "target", "parameter", "state", "value", "gradient"]


@dataclass(eq=False, slots=True)
class Slot:
    """A named array that operations read and write; within one update it is written once.

    `role` "parameter" and "state" outlive the update; `of` is the slot a gradient belongs to.
    """

    name: str
    array: Array
    role: Role = "value"
    of: "Slot | None" = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.array.shape
