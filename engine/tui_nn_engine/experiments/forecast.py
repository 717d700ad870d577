"""The learning rates of a run, before it is trained."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.experiments.schedules import Course, Exponential, Step, Waiting

POINTS = 800
MOST_EPOCHS = 2000  # of an example: each of its epochs is counted
FALLING = 0.25  # of an example's epochs: in them the loss falls


@dataclass(frozen=True, eq=False)
class Forecast:
    """The rate of each of these updates, counted from 1: int64 and float64, (n,) both.

    Where it depends on the loss, `rates` are those as long as that falls, and `example` (n,) those
    of a run whose loss falls for its first `falling` epochs and then stays.
    """

    updates: NDArray[np.int64]
    rates: NDArray[np.float64]
    example: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    falling: int = 0
    factors: bool = False
    """Whether it changes by factors, so that a logarithmic axis shows it best."""


def forecast(experiment: Experiment, samples: int) -> Forecast:
    """Of a run of the experiment on so many training samples, as the trainer would ask for them."""
    training = experiment.training
    size = min(training.batch_size, samples)
    course = Course(-(-samples // size), samples)
    schedule = experiment.schedule.settled(training.epochs)
    experiment = experiment.model_copy(update={"schedule": schedule})
    waits = isinstance(schedule, Waiting)
    epochs = min(training.epochs, MOST_EPOCHS) if waits else training.epochs
    updates = np.unique(np.linspace(1, epochs * course.batches, POINTS).astype(np.int64))

    counters = {one.name: np.full(one.shape, one.start) for one in schedule.counters}
    rates = _rates(experiment, updates, course, counters)
    factors = isinstance(schedule, Step | Exponential | Waiting)
    if not waits:
        return Forecast(updates, rates, factors=factors)
    falling = max(1, int(epochs * FALLING))
    example: list[NDArray[np.float64]] = []
    for epoch in range(epochs):
        first, last = np.searchsorted(updates, np.arange(epoch, epoch + 2) * course.batches + 1)
        example.append(_rates(experiment, updates[first:last], course, counters))
        loss = float(max(falling - epoch, 1))
        schedule.epoch_ended(loss, loss, counters)
    return Forecast(updates, rates, np.concatenate(example), falling, factors)


def _rates(
    experiment: Experiment, updates: NDArray[np.int64], course: Course, counters: dict[str, Any]
) -> NDArray[np.float64]:
    found = (experiment.learning_rate_at(int(one) - 1, course, counters) for one in updates)
    return np.fromiter(found, np.float64, len(updates))
