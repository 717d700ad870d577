"""The rates told before training are those of the training."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.experiments.forecast import MOST_EPOCHS, POINTS, forecast

SCHEDULES: list[dict[str, Any]] = [
    {"type": "constant", "warmup": 2},
    {"type": "inverse_scaling"},
    {"type": "step", "step_size": 3},
    {"type": "exponential"},
    {"type": "cosine", "unit": "iterations"},
    {"type": "one_cycle"},
]


def experiment(schedule: dict[str, Any], **training: Any) -> Experiment:
    return Experiment.parse(
        {
            "data": {"name": "moons", "samples": 40},
            "layers": [{"type": "dense", "units": 1, "activation": "sigmoid"}],
            "loss": "binary_crossentropy",
            "optimizer": {"type": "sgd", "learning_rate": 0.2},
            "schedule": schedule,
            "training": {"epochs": 12, "batch_size": 9, **training},
        }
    )


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda one: str(one["type"]))
def test_it_is_what_training_does(schedule: dict[str, Any]) -> None:
    trainer = Trainer(experiment(schedule, changes=[{"iteration": 40, "learning_rate": 0.07}]))
    told = forecast(experiment(schedule), trainer.samples)
    changed = forecast(trainer.experiment, trainer.samples)
    found = []
    while not trainer.done:
        found.append(trainer.learning_rate)
        trainer.update()
    assert told.updates.tolist() == list(range(1, len(found) + 1))
    assert told.rates[:40].tolist() == found[:40]
    assert changed.rates.tolist() == found
    assert set(found[40:]) == {0.07}
    assert not len(told.example)


@pytest.mark.parametrize("kind", ["adaptive", "reduce_on_plateau"])
def test_what_waits_for_the_loss_is_told_by_an_example(kind: str) -> None:
    told = forecast(experiment({"type": kind, "patience": 2}), 32)
    assert set(told.rates) == {0.2}
    lowered = np.flatnonzero(np.diff(told.example)) // 4
    assert told.falling == 3
    assert lowered.tolist() == [
        4,
        6,
        8,
        10,
    ]  # epochs 4 and 5 brought nothing, so the sixth is lower
    assert told.example[-1] == pytest.approx(0.2 / (5 if kind == "adaptive" else 10) ** 4)
    assert told.factors


def test_a_long_run_is_told_by_some_of_its_updates() -> None:
    told = forecast(experiment({"type": "cosine"}, epochs=100_000), 32)
    assert (told.updates[0], told.updates[-1], len(told.updates)) == (1, 400_000, POINTS)
    waits = forecast(experiment({"type": "adaptive"}, epochs=100_000), 32)
    assert waits.updates[-1] == 4 * MOST_EPOCHS
    assert len(waits.example) == len(waits.updates)
