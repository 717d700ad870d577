"""Weights followed through training: their values after every update."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.programs.weights import weight_named
from tui_nn_engine.training.trainer import Trainer

PORTION = 256  # rows at first; a portion of more updates doubles them


class Trace:
    """Records chosen weights of a trainer, a row an update, until `take` is called.

    Raises ValueError for a weight that does not exist.
    """

    def __init__(self, trainer: Trainer, names: Sequence[str]) -> None:
        weights = [weight_named(name, trainer.parameters) for name in names]
        self.weights = tuple(dict.fromkeys(weight.name for weight in weights))
        self._trainer = trainer
        positions = dict.fromkeys(weight.position for weight in weights)
        self._positions = np.array(list(positions), np.intp)
        self._rows = np.empty((PORTION, len(self.weights)), trainer.parameters.values.dtype)
        self._count = 0

    def record(self) -> None:
        """Keep the values as they are now: to be called after each update."""
        if self._count == len(self._rows):
            self._rows = np.concatenate((self._rows, np.empty_like(self._rows)))
        row = self._rows[self._count]
        self._trainer.parameters.values.take(self._positions, 0, row, "clip")
        self._count += 1

    def take(self) -> tuple[int, NDArray[np.float64]]:
        """What was recorded since the last call: the first update's number, and its values.

        Values are (updates, weights), the last of them those of the update made last.
        """
        values = self._rows[: self._count].astype(np.float64)
        self._count = 0
        return self._trainer.state.iteration - len(values) + 1, values
