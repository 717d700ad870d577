"""All that changes while training, in one object: a checkpoint, a keyframe, a branch point."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tui_nn_engine.programs.parameters import Parameters, StateSpec

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A copy of a state at one moment."""

    iteration: int
    epoch: int
    batch: int
    arrays: Arrays


class TrainingState:
    """Parameters, state of the update rule, position, and what the epoch under way has shown.

    `iteration` updates are made, `epoch` epochs are complete, `batch` batches of the next one are
    done. `memory` is what schedule and stopping remember of the epochs: numbers as float64, arrays
    in the network's dtype. Programs hold the arrays: they are written in place and never replaced.
    """

    def __init__(
        self,
        parameters: Parameters,
        rule: tuple[StateSpec, ...],
        batches: int,
        outputs: tuple[int, ...],
        dtype: DTypeLike,
        memory: tuple[StateSpec, ...] = (),
    ) -> None:
        self.parameters = parameters
        self.iteration = self.epoch = self.batch = 0
        self._starts = {f"optimizer.{spec.name}": spec.start for spec in rule}
        self._starts |= {spec.name: spec.start for spec in memory}
        self.rule = {spec.name: np.full(spec.shape, spec.start, dtype) for spec in rule}
        self.memory: dict[str, NDArray[Any]] = {
            spec.name: np.full(spec.shape, spec.start, dtype if spec.shape else np.float64)
            for spec in memory
        }
        self.epoch_losses: NDArray[np.float64] = np.zeros(batches)
        self.epoch_outputs: NDArray[Any] = np.zeros(outputs, dtype)
        self.clock = {
            "iteration": np.zeros((), np.int64),
            "learning_rate": np.zeros((), dtype),
        }

    def slots(self) -> dict[str, NDArray[Any]]:
        """What programs read and write besides the parameters."""
        return {**self.clock, **self.rule}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every array that a snapshot holds, by name."""
        return {
            "parameters": self.parameters.values,
            **{f"optimizer.{name}": array for name, array in self.rule.items()},
            "epoch_losses": self.epoch_losses,
            "epoch_outputs": self.epoch_outputs,
            **self.memory,
        }

    def snapshot(self) -> Snapshot:
        """A copy of it all."""
        copies = {name: array.copy() for name, array in self.arrays().items()}
        return Snapshot(self.iteration, self.epoch, self.batch, copies)

    def restore(self, snapshot: Snapshot) -> None:
        """Become what it was. Raises ValueError, changing nothing, where it does not fit.

        Of what schedule and stopping remember nothing need be there, for either may have been put
        into the experiment of a saved run: then they begin here.
        """
        batches = len(self.epoch_losses)
        position = snapshot.epoch * batches + snapshot.batch
        if snapshot.batch >= batches or snapshot.iteration != position:
            raise ValueError(
                f"{snapshot.iteration} updates are not {snapshot.epoch} epochs of {batches} "
                f"batches and {snapshot.batch} more"
            )
        mine = self.arrays()
        for name, array in mine.items():
            other = snapshot.arrays.get(name)
            if other is None and name in self.memory:
                continue
            if other is None:
                raise ValueError(f"{name} is missing")
            if other.shape != array.shape or other.dtype != array.dtype:
                raise ValueError(
                    f"{name} is {other.dtype}{other.shape}, but the experiment needs "
                    f"{array.dtype}{array.shape}"
                )
        for name, array in mine.items():
            array[...] = snapshot.arrays.get(name, self._starts.get(name))
        self.iteration, self.epoch, self.batch = snapshot.iteration, snapshot.epoch, snapshot.batch

    def reset(self, seed: int) -> None:
        """Back to the beginning."""
        self.parameters.initialize(seed)
        for name, array in self.arrays().items():
            if name != "parameters":
                array[...] = self._starts.get(name, 0)
        self.iteration = self.epoch = self.batch = 0
