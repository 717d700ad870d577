"""Going back in training: keyframes under a memory budget, and deterministic replay between them.

An update is a pure function of the state before it, so any iteration is reached by restoring a
keyframe at or before it and training on. Nothing is done per update: keyframes are kept between
portions of training, and no more often than costs some 2 % of the time.
"""

import time
from bisect import bisect_right, insort
from collections.abc import Iterator

import numpy as np

from tui_nn_engine.training.state import Snapshot
from tui_nn_engine.training.threads import limited
from tui_nn_engine.training.trainer import Trainer

BUDGET = 256 * 2**20
SHARE = 0.02  # of the time may be spent on keyframes
MOST = 4096  # keyframes: thinning looks at each
OVERHEAD = 2**11  # bytes a keyframe takes besides its numbers


class Timeline:
    """The past of a trainer, within `budget` bytes (the place it was left at comes on top).

    Iteration 0 needs no keyframe: initial weights are a pure function of the seed.
    """

    def __init__(self, trainer: Trainer, budget: int = BUDGET) -> None:
        self.trainer = trainer
        self.budget = budget
        self.keyframes: list[Snapshot] = []
        self._tip: Snapshot | None = None
        self._bytes = 0
        self._due = 0.0

    @property
    def tip(self) -> int:
        """The farthest iteration of this run."""
        here = self.trainer.state.iteration
        return max(here, self._tip.iteration) if self._tip else here

    @property
    def in_past(self) -> bool:
        """Whether this run has been farther than where it stands."""
        return self.trainer.state.iteration < self.tip

    def farthest(self) -> Snapshot:
        """The state at the tip: what a checkpoint must hold."""
        if self._tip is not None and self.in_past:
            return self._tip
        return self.trainer.state.snapshot()

    # -- keyframes ------------------------------------------------------------------------------

    def observe(self) -> None:
        """Call it between portions of training: keeps a keyframe where it is time for one."""
        if self._tip is not None and not self.in_past:
            self._tip = None
        if time.perf_counter() >= self._due:
            self._keep()

    def branch(self) -> None:
        """Forget what came after this place."""
        here = self.trainer.state.iteration
        self._tip = None
        # One of this very moment may have been taken before the change that makes the branch.
        self.keyframes = [each for each in self.keyframes if each.iteration < here]
        self._bytes = sum(map(_size, self.keyframes))

    def _keep(self) -> None:
        begun = time.perf_counter()
        place = self._before(self.trainer.state.iteration)
        if place is None or place.iteration != self.trainer.state.iteration:
            taken = self.trainer.state.snapshot()
            insort(self.keyframes, taken, key=_iteration)
            self._bytes += _size(taken)
            while self._bytes > self.budget or len(self.keyframes) > MOST:
                self._thin()
        now = time.perf_counter()
        self._due = now + (now - begun) / SHARE

    def _thin(self) -> None:
        """Drop the keyframe that leaves the smallest gap, measured by the root of its distance.

        So gaps grow with the square root of the distance: going back a little is quick, and the
        largest gap is but twice what evenly spread keyframes would leave.
        """
        kept = np.array([0, *map(_iteration, self.keyframes), self.tip + 1], np.float64)
        distance = np.abs(kept[1:-1] - self.trainer.state.iteration) + 1
        dropped = int(np.argmin((kept[2:] - kept[:-2]) / np.sqrt(distance)))
        self._bytes -= _size(self.keyframes.pop(dropped))

    def _before(self, iteration: int) -> Snapshot | None:
        """The nearest keyframe at or before an iteration."""
        index = bisect_right(self.keyframes, iteration, key=_iteration)
        found = self.keyframes[index - 1] if index else None
        if self._tip is not None and self._tip.iteration == iteration:
            return self._tip
        return found

    # -- travelling -----------------------------------------------------------------------------

    def travel(self, iteration: int, interval: float = 0.05) -> Iterator[int]:
        """Go to an iteration up to the tip; yields where it stands, the last time having arrived.

        It works in portions of `interval` seconds and may be dropped between two of them: then it
        stands where it was last said to. Nothing is told of the epochs on the way, for they were
        told before. It arrives by an update, which can be looked at then, but at the start and at
        the tip. Raises ValueError for an iteration that has not been reached yet.
        """
        trainer = self.trainer
        if not 0 <= iteration <= self.tip:
            raise ValueError(f"iteration {iteration} is not within 0 and {self.tip}")
        if iteration < trainer.state.iteration and not self.in_past:
            self._tip = trainer.state.snapshot()
        self._restore_before(iteration)
        # New keyframes at 1, 2, 4, 8 ... updates before the end: going back again is quick.
        way = iteration - trainer.state.iteration
        marks = {iteration - 2**power for power in range(max(way, 1).bit_length())}
        while trainer.state.iteration < iteration:
            self._replay(iteration, marks, interval)
            yield trainer.state.iteration
        if not way:
            yield iteration

    def _restore_before(self, iteration: int) -> None:
        """Be at the nearest place before an iteration that can be had at once; or at it."""
        here = self.trainer.state.iteration
        at_tip = self._tip is not None and self._tip.iteration == iteration
        keyframe = self._before(iteration if at_tip else iteration - 1)
        nearest = keyframe.iteration if keyframe else 0
        if nearest <= here <= iteration:
            return
        if keyframe is None:
            self.trainer.rewind()
        else:
            self.trainer.restore(keyframe)

    def _replay(self, iteration: int, marks: set[int], interval: float) -> None:
        """Updates for `interval` seconds, at least one."""
        trainer, update = self.trainer, self.trainer.replay
        state, end = trainer.state, time.perf_counter() + interval
        with limited(trainer.threads), np.errstate(all="ignore"):
            while state.iteration < iteration:
                update()
                if state.iteration in marks:
                    self._keep()
                if time.perf_counter() >= end:
                    break
        self.observe()


def _iteration(snapshot: Snapshot) -> int:
    return snapshot.iteration


def _size(snapshot: Snapshot) -> int:
    return OVERHEAD + sum(array.nbytes for array in snapshot.arrays.values())
