"""The learning-rate range test: how the loss answers to ever larger rates, tried on a copy.

Smith, Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3; there the rate grows
by equal steps, here by equal factors, so that all magnitudes are seen. It is the trainer itself
that makes the updates; only its schedule is another.
"""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.experiments.schedules import Counters, Course, Schedule
from tui_nn_engine.experiments.stopping import Stopping
from tui_nn_engine.primitives.updates import LBFGS
from tui_nn_engine.training.divergence import DivergedError
from tui_nn_engine.training.threads import limited
from tui_nn_engine.training.trainer import Trainer

Floats = NDArray[np.float64]
EXPLODED = 4.0  # times the lowest mean so far: from there on larger rates tell nothing more
MEMORY = 0.9  # of that mean of the losses so far: each counts a tenth less than the next
FEW = 10
WIDTH = 0.025  # of all updates: the standard deviation of the bell that the losses are smoothed by
FELL = 0.02  # the share of the first loss by which it must fall somewhere


@dataclass(frozen=True, slots=True, eq=False)
class RatesTried:
    """What is known so far: the loss at each rate, before the update with it; (n,) float64 each.

    `smoothed` is the mean weighted by a bell around each. Of `updates` n are made; with `done`
    there will be no more, and `why` says it where that was early or there is no suggestion.

    `suggestion` is a tenth of `lowest`, the rate at which the smoothed loss is lowest (the rule of
    Gugger 2018 and fastai: there it falls still, and some distance is kept from where it rises);
    `steepest` is the rate at which it falls fastest as log rate grows. None: it never fell.
    """

    updates: int
    rates: Floats = field(default_factory=lambda: np.empty(0))
    losses: Floats = field(default_factory=lambda: np.empty(0))
    smoothed: Floats = field(default_factory=lambda: np.empty(0))
    done: bool = False
    suggestion: float | None = None
    lowest: float | None = None
    steepest: float | None = None
    why: str = ""


class Growing(Schedule):
    """From `lowest` to `highest` by equal factors, over `updates` from iteration `first` on."""

    type: Literal["growing"] = "growing"
    lowest: float
    highest: float
    updates: int
    first: int

    def rate(self, base: float, iteration: int, course: Course, counters: Counters) -> float:  # noqa: ARG002
        """Of each update another."""
        share = min(max(iteration - self.first, 0) / (self.updates - 1), 1.0)
        return float(self.lowest * (self.highest / self.lowest) ** share)

    def changes_at(self, iteration: int, course: Course) -> int | None:  # noqa: ARG002
        """Each update."""
        return iteration + 1


class RangeTest:
    """The test from where a trainer stands, on a copy: the trainer stays as it is.

    Raises ValueError for rates that can't be tried, and where there is no rate to be found.
    """

    def __init__(
        self, trainer: Trainer, lowest: float = 1e-6, highest: float = 10.0, updates: int = 100
    ) -> None:
        _ensure_possible(trainer.experiment, lowest, highest, updates)
        self.updates, self._losses = updates, np.empty(0)
        self._first = trainer.state.iteration
        growing = Growing(lowest=lowest, highest=highest, updates=updates, first=self._first)
        self._rates = np.array(
            [growing.rate(0.0, self._first + made, _NO_COURSE, {}) for made in range(updates)]
        )
        self.copy = Trainer(_with(trainer, growing), trainer.data)
        self.copy.restore(trainer.state.snapshot())

    def run(self, interval: float = 0.05) -> Iterator[RatesTried]:
        """What is known, every `interval` seconds and at the end."""
        explosion = _Explosion()
        while self._losses.size < self.updates and not explosion.seen:
            try:
                self._try(explosion, time.perf_counter() + interval)
            except DivergedError:
                yield self._told(done=True, why="then the loss was no number any more")
                return
            yield self._told()
        yield self._told(done=True, why="then the loss exploded" if explosion.seen else "")

    def _try(self, explosion: "_Explosion", end: float) -> None:
        """Updates until this time, at least one."""
        copy = self.copy
        losses: list[float] = []
        try:
            with limited(copy.threads), np.errstate(all="ignore"):
                while self._losses.size + len(losses) < self.updates and not explosion.seen:
                    losses.append(copy.replay())
                    explosion.look(losses[-1])
                    if time.perf_counter() >= end:
                        break
        finally:
            self._losses = np.append(self._losses, losses)

    def _told(self, *, done: bool = False, why: str = "") -> RatesTried:
        losses = self._losses
        rates = self._rates[: losses.size]
        smoothed = _smooth(losses, WIDTH * self.updates)
        known = RatesTried(self.updates, rates, losses, smoothed, done, why=why)
        if not done:
            return known
        found = _lowest_and_steepest(smoothed)
        if found is None:
            said = f"the loss fell at no rate{'; ' if why else ''}{why}"
            return RatesTried(self.updates, rates, losses, smoothed, done, why=said)
        lowest, steepest = (float(rates[index]) for index in found)
        return RatesTried(
            self.updates,
            rates,
            losses,
            smoothed,
            done,
            _rounded(lowest / 10),
            lowest,
            steepest,
            why,
        )


_NO_COURSE = Course(1, 1)


def _ensure_possible(experiment: Experiment, lowest: float, highest: float, updates: int) -> None:
    if isinstance(experiment.optimizer, LBFGS):
        raise ValueError("L-BFGS searches the length of each step itself: there is no rate to find")
    if not experiment.method.learns:
        raise ValueError("nothing learns here, so there is no learning rate to find")
    if not (0 < lowest < highest < math.inf):
        raise ValueError(
            f"the rates must grow from above 0 (they go from {lowest:g} to {highest:g})"
        )
    if highest > float(np.finfo(experiment.dtype).max):
        raise ValueError(f"{highest:g} is infinite as a {experiment.dtype}")
    if lowest < (least := float(np.finfo(np.float32).tiny)):
        raise ValueError(f"a rate of {lowest:g} changes nothing; begin with {least:.2g} or more")
    if not 10 <= updates <= 100_000:
        raise ValueError(f"10 to 100,000 updates can be made (not {updates:,})")


def _with(trainer: Trainer, growing: Growing) -> Experiment:
    """The trainer's experiment with growing rates, and nothing that would end or change it."""
    training = trainer.experiment.training.model_copy(update={"changes": ()})
    changed = {"schedule": growing, "training": training, "stopping": Stopping()}
    return trainer.experiment.model_copy(update=changed)


class _Explosion:
    """Sees when the mean of the last losses is far above its lowest."""

    def __init__(self) -> None:
        self.seen = False
        self._mean = self._weight = 0.0
        self._count, self._lowest = 0, math.inf

    def look(self, loss: float) -> None:
        """At one more; the first few make no mean."""
        self._mean = MEMORY * self._mean + (1 - MEMORY) * loss
        self._weight = MEMORY * self._weight + 1 - MEMORY
        self._count += 1
        if self._count >= FEW:
            now = self._mean / self._weight
            self._lowest = min(self._lowest, now)
            self.seen = now > EXPLODED * self._lowest


def _smooth(losses: Floats, width: float) -> Floats:
    """The mean around each, weighted by a bell of this standard deviation; shape (n,)."""
    reach = math.ceil(3 * width)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    if not losses.size:
        return losses
    inside = slice(reach, reach + losses.size)
    weights: Floats = np.convolve(np.ones(losses.size), bell)[inside]
    smoothed: Floats = np.convolve(losses, bell)[inside] / weights
    return smoothed


def _lowest_and_steepest(smoothed: Floats) -> tuple[int, int] | None:
    """Where it is lowest, and where, before that, it falls fastest; None: it does not fall."""
    if smoothed.size < 3:
        return None
    lowest = int(np.argmin(smoothed))
    if not smoothed[0] - smoothed[lowest] > FELL * abs(smoothed[0]):
        return None
    steepest = int(np.argmin(np.gradient(smoothed)[: lowest + 1]))
    return lowest, steepest


def _rounded(rate: float) -> float:
    """To two digits that count."""
    return float(f"{rate:.2g}")
