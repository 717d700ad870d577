"""The learning-rate range test: what it tells, and that the run it is made in stays as it is."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from desks import desk

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.sessions.protocol import (
    LookAt,
    Pause,
    Play,
    StateChanged,
    Step,
    TryRates,
    Update,
)
from tui_nn_engine.training.rate_range import RangeTest, RatesTried


def experiment(**changes: Any) -> Experiment:
    return Experiment.parse(
        {
            "seed": 3,
            "data": {"name": "moons", "samples": 60},
            "layers": [
                {"type": "dense", "units": 6, "activation": "tanh"},
                {"type": "dense", "units": 1, "activation": "sigmoid"},
            ],
            "loss": "binary_crossentropy",
            "optimizer": {"type": "sgd", "learning_rate": 0.05},
            "training": {"epochs": 3, "batch_size": 16, "threads": 1},
            **changes,
        }
    )


def tried(trainer: Trainer, *where: Any) -> RatesTried:
    *_, told = RangeTest(trainer, *where).run()
    return told


def everything(trainer: Trainer) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in trainer.state.snapshot().arrays.items()}


def test_the_rates_grow_by_equal_factors() -> None:
    told = tried(Trainer(experiment()), 1e-4, 1.0, 41)
    assert told.done
    assert (told.rates[0], told.rates[-1], told.losses.size) == (1e-4, 1.0, 41)
    np.testing.assert_allclose(told.rates[1:] / told.rates[:-1], 10**0.1, rtol=1e-12)


def test_the_losses_are_those_of_a_training_with_these_rates() -> None:
    """Each rate set by hand before its update: what a person could have done."""
    trainer, by_hand = Trainer(experiment()), Trainer(experiment())
    trainer.change_learning_rate(0.2)
    by_hand.change_learning_rate(0.2)
    for _ in range(5):
        trainer.update()
        by_hand.update()
    told = tried(trainer, 1e-3, 1.0, 20)
    losses = []
    for rate in told.rates.tolist():
        by_hand.change_learning_rate(rate)
        losses.append(by_hand.update())
    assert told.losses.tolist() == losses


def test_nothing_of_the_run_is_touched() -> None:
    made_of = experiment(schedule="cosine", stopping={"patience": 2, "restore_best_weights": True})
    trainer, alone = Trainer(made_of), Trainer(made_of)
    for _ in range(6):
        trainer.update()
        alone.update()
    before = trainer.experiment
    tried(trainer)
    assert trainer.experiment is before
    for _ in trainer.run():
        pass
    for _ in alone.run():
        pass
    assert everything(trainer) == everything(alone)


def test_the_suggestion_is_a_tenth_of_the_rate_with_the_lowest_loss() -> None:
    told = tried(Trainer(experiment()))
    assert told.lowest is not None
    assert told.steepest is not None
    assert told.suggestion == float(f"{told.lowest / 10:.2g}")
    index = int(np.argmin(told.smoothed))
    assert told.lowest == told.rates[index]
    assert told.steepest <= told.lowest
    assert told.smoothed.min() < told.smoothed[0]
    slopes = np.gradient(told.smoothed)
    assert told.steepest == told.rates[int(np.argmin(slopes[: index + 1]))]


def test_it_ends_where_the_loss_explodes() -> None:
    wild = experiment(
        data={"name": "diabetes"},
        layers=[{"type": "dense", "units": 1}],
        loss="mean_squared_error",
    )
    told = tried(Trainer(wild), 1e-4, 1e4, 200)
    assert told.why == "then the loss exploded"
    assert 10 < told.losses.size < 200
    assert told.suggestion is not None
    assert told.lowest is not None
    assert told.lowest < told.rates[-1]


def test_it_ends_where_the_loss_is_no_number() -> None:
    wild = experiment(
        data={"name": "diabetes"},
        layers=[{"type": "dense", "units": 1}],
        loss="mean_squared_error",
    )
    told = tried(Trainer(wild), 1e30, 1e38, 20)
    assert "no number" in told.why
    assert told.suggestion is None
    assert np.isfinite(told.losses).all()


def test_where_the_loss_never_falls_nothing_is_suggested() -> None:
    told = tried(Trainer(experiment()), 1e-12, 1e-10, 30)
    assert (told.suggestion, told.lowest, told.steepest) == (None, None, None)
    assert told.why == "the loss fell at no rate"


def test_smoothing_spares_a_straight_line() -> None:
    told = tried(Trainer(experiment()), 1e-12, 1e-10, 40)
    inner = told.smoothed[5:-5]
    assert inner.std() < told.losses[5:-5].std()
    assert told.losses.min() <= inner.min() <= inner.max() <= told.losses.max()


@pytest.mark.parametrize(
    ("changes", "where", "says"),
    [
        ({"optimizer": "lbfgs", "training": {"batch_size": 100}}, (), "L-BFGS searches"),
        ({}, (0.1, 0.01), "must grow from above 0"),
        ({}, (0.0, 1.0), "must grow from above 0"),
        ({}, (1e-3, math.inf), "must grow"),
        ({}, (1e-3, 1e200), "infinite as a float32"),
        ({}, (1e-100, 1.0), "a rate of 1e-100 changes nothing; begin with 1.2e-38 or more"),
        ({}, (1e-3, 1.0, 9), "10 to 100,000 updates"),
    ],
)
def test_what_can_not_be_tried_is_told(changes: Any, where: Any, says: str) -> None:
    trainer = Trainer(experiment(**changes))
    with pytest.raises(ValueError, match=says):
        RangeTest(trainer, *where)


def test_where_nothing_learns_there_is_no_rate() -> None:
    tree = experiment().tree()
    del tree["loss"], tree["optimizer"]
    tree["rule"] = {"type": "fixed"}
    with pytest.raises(ValueError, match="nothing learns"):
        RangeTest(Trainer(Experiment.parse(tree)))


# -- the session --------------------------------------------------------------------------------


def test_a_session_tells_of_it_and_trains_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    tree = experiment().tree()
    table, alone = desk(tree, tmp_path / "a"), desk(tree, tmp_path / "b")
    for one in (table, alone):
        one(Update())
    table(TryRates(1e-4, 1.0, 30))
    assert table.last(RatesTried) == table.heard[-1]
    assert not table.last(RatesTried).losses.size
    table.work()
    told = table.last(RatesTried)
    assert (told.done, told.losses.size) == (True, 30)
    assert table.last(StateChanged).iteration == 1
    for one in (table, alone):
        one(Play())
        one.work()
    assert everything(table.run.trainer) == everything(alone.run.trainer)


@pytest.mark.parametrize("command", [Pause(), Update(), Play(), Step(1)])
def test_it_is_called_off(command: Any, tmp_path: Path) -> None:
    table = desk(experiment().tree(), tmp_path)
    table(TryRates(updates=100_000))
    table.session.work()
    table(LookAt())
    assert table.session.running
    table(command)
    table.work()
    assert not table.last(RatesTried).done


def test_what_trains_is_paused_first(tmp_path: Path) -> None:
    table = desk(experiment().tree(), tmp_path)
    table(Play(until=2))
    table(TryRates(updates=10))
    assert table.last(StateChanged).state in {"ready", "paused"}
    table.work()
    assert table.last(RatesTried).done


def test_an_update_laid_open_stays_as_it_is(tmp_path: Path) -> None:
    table = desk(experiment().tree(), tmp_path)
    table(Step(10_000))
    assert table.session.stepping.stepper is not None
    trainer, cursor = table.session.stepping.stepper.trainer, table.session.stepping.cursor
    weights = trainer.parameters.values.tobytes()
    table(TryRates(updates=20))
    table.work()
    fresh = tried(Trainer(experiment()), 1e-6, 10.0, 20)
    assert table.last(RatesTried).losses.tolist() == fresh.losses.tolist()
    assert table.session.stepping.cursor == cursor
    assert trainer.parameters.values.tobytes() == weights


def test_where_nothing_can_be_tried_a_session_says_why(tmp_path: Path) -> None:
    table = desk(experiment().tree(), tmp_path)
    table(TryRates(1.0, 0.1))
    assert (table.last(RatesTried).done, table.last(RatesTried).suggestion) == (True, None)
    assert "must grow" in table.last(RatesTried).why
    assert not table.session.running
