"""Which samples an update sees: the training data in batches, in an order of its own each epoch."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_datasets import stream
from tui_nn_engine.experiments.experiment import Training
from tui_nn_engine.programs.program import Program

Array = NDArray[Any]


class Batches:
    """`x` (samples, ...) and `y` (samples, outputs), cut as `training` says.

    The order of an epoch is a pure function of seed and epoch. The last batch may be smaller.
    """

    def __init__(self, x: Array, y: Array, training: Training, seed: int) -> None:
        self.x, self.y, self.seed = x, y, seed
        self.size = training.batch_size
        self.samples = len(x)
        self.count = math.ceil(self.samples / self.size)
        self.shares = np.full(self.count, self.size / self.samples)
        """Of the samples, (batches,)."""
        self.shares[-1] = (self.samples - self.size * (self.count - 1)) / self.samples
        self._shuffled = training.shuffle and self.count > 1
        self._order: tuple[int, NDArray[np.intp] | None] = (-1, None)

    def place(self, batch: int) -> slice:
        """Where a batch lies in its epoch's order."""
        start = batch * self.size
        return slice(start, min(start + self.size, self.samples))

    def load(self, program: Program, epoch: int, place: slice) -> None:
        """Put the batch at this place of an epoch into a program of its size."""
        order = self._order_of(epoch)
        if order is None:
            np.copyto(program.x.array, self.x[place])
            np.copyto(program.y.array, self.y[place])
        else:
            chosen = order[place]
            self.x.take(chosen, 0, program.x.array, "clip")
            self.y.take(chosen, 0, program.y.array, "clip")

    def targets(self, epoch: int) -> Array:
        """All targets in the order of this epoch."""
        return self.ordered(self.y, epoch)

    def ordered(self, samples: Array, epoch: int) -> Array:
        """What has a row for each sample, in the order of this epoch."""
        order = self._order_of(epoch)
        return samples if order is None else samples.take(order, 0)

    def _order_of(self, epoch: int) -> NDArray[np.intp] | None:
        """None: as they are. A full batch needs no order."""
        known, order = self._order
        if known != epoch:
            order = None
            if self._shuffled:
                order = stream(self.seed, "order", epoch).permutation(self.samples)
            self._order = epoch, order
        return order
