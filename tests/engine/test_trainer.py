"""The trainer: what an update computes, and that no way of running changes it."""

import gc
import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

from tui_nn_datasets import stream
from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.training.events import Progress, RunEnded, RunStarted
from tui_nn_engine.training.threads import default_threads


def experiment(**changes: Any) -> Experiment:
    """2-8-1 on 40 points, 30 of them to train on, by batches of 7: the last one is ragged."""
    tree: dict[str, Any] = {
        "seed": 3,
        "data": {
            "name": "moons",
            "samples": 40,
            "validation_fraction": 0.1,
            "test_fraction": 0.15,
        },
        "layers": [
            {"type": "dense", "units": 8, "activation": "tanh"},
            {"type": "dense", "units": 1, "activation": "sigmoid"},
        ],
        "loss": {"type": "binary_crossentropy"},
        "optimizer": {"type": "adam", "learning_rate": 0.01},
        "training": {"epochs": 4, "batch_size": 7, "threads": 1},
    }
    for path, value in changes.items():
        tree[path] = {**tree[path], **value} if isinstance(tree.get(path), dict) else value
    return Experiment.parse(tree)


def weights(trainer: Trainer) -> bytes:
    return trainer.parameters.values.tobytes()


def finished(trainer: Trainer, interval: float = 0.05) -> Trainer:
    for _ in trainer.run(interval=interval):
        pass
    return trainer


def told(trainer: Trainer, **how: Any) -> tuple[list[float], list[list[float]]]:
    """All losses and all rows of epochs that a run tells."""
    losses: list[float] = []
    rows: list[list[float]] = []
    for event in trainer.run(**how):
        if isinstance(event, Progress):
            assert event.first_iteration == event.iteration - len(event.losses) + 1
            losses += event.losses.tolist()
            rows += event.epochs.values.tolist()
    return losses, rows


# -- ways of running ------------------------------------------------------------------------------


def test_a_loop_of_updates_equals_a_run() -> None:
    trainer = Trainer(experiment())
    losses = [trainer.update() for _ in range(trainer.total_iterations)]
    other = Trainer(experiment())
    assert told(other)[0] == losses
    assert weights(trainer) == weights(other)


def test_the_interval_cuts_progress_and_changes_no_number() -> None:
    often, seldom = Trainer(experiment()), Trainer(experiment())
    events = list(often.run(interval=0.0))
    assert [len(event.losses) for event in events if isinstance(event, Progress)] == [1] * 20
    whole = [event for event in seldom.run(interval=1e9) if isinstance(event, Progress)]
    assert len(whole) == 1
    assert whole[0].losses.tolist() == [
        loss for event in events if isinstance(event, Progress) for loss in event.losses
    ]
    rows = [row for e in events if isinstance(e, Progress) for row in e.epochs.values.tolist()]
    assert whole[0].epochs.values.tolist() == rows
    assert weights(often) == weights(seldom)


def test_pausing_is_not_calling_next() -> None:
    straight, paused = finished(Trainer(experiment())), Trainer(experiment())
    run = paused.run(interval=0.0)
    for _ in range(5):
        next(run)
    run.close()
    assert paused.state.iteration == 4
    for _ in paused.run(until=11, interval=0.0):
        pass
    assert paused.state.iteration == 11
    assert weights(finished(paused)) == weights(straight)


def test_a_run_tells_its_start_and_its_end() -> None:
    trainer = Trainer(experiment())
    started, *middle, ended = trainer.run()
    assert isinstance(started, RunStarted)
    assert (started.parameters, started.samples, started.batches_per_epoch) == (33, 31, 5)
    assert all(isinstance(event, Progress) for event in middle)
    assert isinstance(ended, RunEnded)
    assert (ended.reason, ended.epoch, ended.iteration) == ("completed", 4, 20)
    test = trainer.evaluate(trainer.data.test)
    assert (ended.test_loss, ended.test_metrics) == (test.loss, test.metrics)


def test_many_epochs_fit_in_one_progress() -> None:
    def rows(interval: float) -> list[list[list[float]]]:
        trainer = Trainer(experiment(training={"epochs": 50, "batch_size": 40}))
        events = trainer.run(interval=interval)
        return [e.epochs.values.tolist() for e in events if isinstance(e, Progress)]

    one_each, all_at_once = rows(0.0), rows(1e9)
    assert [len(table) for table in one_each] == [1] * 50
    assert [len(table) for table in all_at_once] == [50]
    assert [table[0] for table in one_each] == all_at_once[0]
    assert [row[:2] for row in all_at_once[0]] == [[n, n] for n in range(1, 51)]


def test_an_epoch_tells_its_figures_by_name() -> None:
    trainer = Trainer(experiment())
    epochs = [
        epoch for event in trainer.run() if isinstance(event, Progress) for epoch in event.epochs
    ]
    assert [(epoch.epoch, epoch.iteration) for epoch in epochs] == [(n, 5 * n) for n in range(1, 5)]
    after = trainer.evaluate(trainer.data.validation)
    assert (epochs[-1].val_loss, epochs[-1].val_metrics) == (after.loss, after.metrics)
    assert set(epochs[-1].metrics) == {"accuracy"}


# -- against a reference --------------------------------------------------------------------------


def reference(trainer: Trainer, epochs: int, batch: int) -> tuple[list[np.ndarray], list[float]]:
    """SGD on dense(tanh), dense(softmax), cross-entropy, in float64, written out."""
    rate, seed = trainer.learning_rate, trainer.experiment.seed
    w1, b1, w2, b2 = (array.copy() for array in trainer.parameters.views.values())
    x, t = trainer.data.train.x, np.eye(3)[trainer.data.train.y]
    epoch_losses = []
    for epoch in range(epochs):
        order = stream(seed, "order", epoch).permutation(len(x))
        total = 0.0
        for start in range(0, len(x), batch):
            chosen = order[start : start + batch]
            xb, tb = x[chosen], t[chosen]
            h = np.tanh(xb @ w1 + b1)
            z = h @ w2 + b2
            p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            total += -np.log(p[tb == 1]).sum()
            delta2 = (p - tb) / len(xb)
            delta1 = delta2 @ w2.T * (1 - h**2)
            w2 -= rate * h.T @ delta2
            b2 -= rate * delta2.sum(axis=0)
            w1 -= rate * xb.T @ delta1
            b1 -= rate * delta1.sum(axis=0)
        epoch_losses.append(total / len(x))
    return [w1, b1, w2, b2], epoch_losses


def test_a_ragged_last_batch_equals_the_reference() -> None:
    trainer = Trainer(
        experiment(
            dtype="float64",
            data={"name": "gaussians", "samples": 250, "classes": 3, "test_fraction": 0}
            | {"validation_fraction": 0},
            layers=[
                {"type": "dense", "units": 6, "activation": "tanh"},
                {"type": "dense", "units": 3, "activation": "softmax"},
            ],
            loss={"type": "categorical_crossentropy"},
            optimizer={"type": "sgd", "learning_rate": 0.3},
            training={"epochs": 3, "batch_size": 30},
        )
    )
    assert trainer.samples == 250
    expected, epoch_losses = reference(trainer, 3, 30)
    _, rows = told(trainer)
    assert trainer.state.iteration == 3 * 9
    for mine, theirs in zip(trainer.parameters.views.values(), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose([row[2] for row in rows], epoch_losses, rtol=1e-13)


def test_the_loss_of_an_epoch_is_weighted_by_samples() -> None:
    losses, rows = told(Trainer(experiment()))
    first = np.average(losses[:5], weights=[7, 7, 7, 7, 3])
    assert rows[0][2] == pytest.approx(first, rel=1e-15)
    assert rows[0][2] != pytest.approx(np.mean(losses[:5]), rel=1e-6)


def test_the_accuracy_of_an_epoch_is_of_the_outputs_before_each_update() -> None:
    trainer, right = Trainer(experiment()), 0
    for _ in range(trainer.batches_per_epoch):
        program = trainer.load()
        outputs = trainer.predict(program.x.array)
        right += int(((outputs > 0.5) == (program.y.array > 0.5)).sum())
        trainer.update()
    assert trainer.take_ended().column("accuracy").tolist() == [right / trainer.samples]


def test_every_epoch_sees_each_sample_once_in_an_order_of_its_own() -> None:
    trainer = Trainer(experiment())
    orders = []
    for _ in range(2):
        seen = []
        for _ in range(trainer.batches_per_epoch):
            seen.append(trainer.load().x.array.copy())
            trainer.update()
        orders.append(np.concatenate(seen))
    assert not np.array_equal(orders[0], orders[1])
    for seen_x in orders:
        assert sorted(map(tuple, seen_x)) == sorted(map(tuple, trainer.data.train.x))


def test_without_shuffling_batches_are_slices() -> None:
    trainer = Trainer(experiment(training={"shuffle": False}))
    for _ in range(2):
        for start in range(0, trainer.samples, 7):
            program = trainer.load()
            assert np.array_equal(program.x.array, trainer.data.train.x[start : start + 7])
            assert np.array_equal(program.y.array, trainer.y[start : start + 7])
            trainer.update()


def test_a_full_batch_is_one_update_an_epoch_in_the_order_of_the_data() -> None:
    trainer = Trainer(experiment(training={"batch_size": 1000}))
    assert trainer.batches_per_epoch == 1
    assert np.array_equal(trainer.load().x.array, trainer.data.train.x)
    finished(trainer)
    assert (trainer.state.iteration, trainer.state.epoch) == (4, 4)


# -- what a person changes ------------------------------------------------------------------------


def test_a_changed_rate_is_recorded_and_a_replay_repeats_it() -> None:
    trainer = Trainer(experiment())
    for _ in trainer.run(until=8):
        pass
    trainer.change_learning_rate(0.5)
    trainer.change_learning_rate(0.1)
    assert trainer.learning_rate == 0.1
    losses, _ = told(trainer)
    changes = trainer.experiment.training.changes
    assert [(change.iteration, change.learning_rate) for change in changes] == [(8, 0.1)]
    replay = Trainer(Experiment.from_toml(trainer.experiment.to_toml(defaults=True)))
    assert told(replay)[0][8:] == losses
    assert weights(replay) == weights(trainer)
    assert weights(finished(Trainer(experiment()))) != weights(trainer)


def test_going_back_before_a_change_uses_the_old_rate() -> None:
    trainer = Trainer(experiment())
    start = trainer.state.snapshot()
    for _ in range(3):
        trainer.update()
    trainer.change_learning_rate(0.5)
    trainer.update()
    after = weights(trainer)
    trainer.restore(start)
    for _ in range(4):
        trainer.update()
    assert weights(trainer) == after


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf, 1e39])
def test_an_impossible_rate_is_refused_and_changes_nothing(rate: float) -> None:
    trainer = Trainer(experiment())
    with pytest.raises(ExperimentError, match="learning_rate"):
        trainer.change_learning_rate(rate)
    assert trainer.learning_rate == 0.01
    assert trainer.experiment.training.changes == ()


def test_training_on_equals_having_asked_for_more_epochs() -> None:
    more, trainer = Trainer(experiment(training={"epochs": 7})), finished(Trainer(experiment()))
    assert trainer.done
    trainer.train_until(7)
    assert not trainer.done
    assert trainer.experiment.training.epochs == 7
    assert weights(finished(trainer)) == weights(finished(more))


def test_more_epochs_may_be_asked_for_while_it_runs() -> None:
    trainer = Trainer(experiment())
    for event in trainer.run(interval=0.0):
        if isinstance(event, Progress) and event.iteration == 18:
            trainer.train_until(5)
    assert trainer.state.epoch == 5


def test_restart_gives_the_same_numbers_again() -> None:
    trainer = Trainer(experiment())
    fresh = trainer.state.snapshot()
    first = told(trainer, until=13)
    trainer.change_learning_rate(1.0)
    trainer.restart()
    assert trainer.experiment.training.changes == ()
    again = trainer.state.snapshot()
    assert (again.iteration, again.epoch, again.batch) == (0, 0, 0)
    for name, array in fresh.arrays.items():
        assert array.tobytes() == again.arrays[name].tobytes(), name
    assert told(trainer, until=13) == first


# -- threads, frozen parameters, evaluation, memory ----------------------------------------------


def test_threads_are_resolved_and_kept_in_the_experiment() -> None:
    unsaid = experiment().tree()
    del unsaid["training"]["threads"]
    trainer = Trainer(Experiment.parse(unsaid))
    assert trainer.threads == default_threads() >= 1
    assert trainer.experiment.training.threads == trainer.threads
    started = next(trainer.run())
    assert isinstance(started, RunStarted)
    assert started.threads == trainer.threads
    assert started.experiment["training"]["threads"] == trainer.threads
    assert Trainer(experiment(training={"threads": 2})).threads == 2


def test_frozen_parameters_never_change() -> None:
    trainer = Trainer(
        experiment(
            layers=[
                {"type": "dense", "units": 8, "activation": "tanh", "kernel_trainable": False},
                {"type": "dense", "units": 1, "activation": "sigmoid", "bias_trainable": False},
            ]
        )
    )
    before = {name: view.copy() for name, view in trainer.parameters.views.items()}
    finished(trainer)
    changed = {
        name for name, view in trainer.parameters.views.items() if (view != before[name]).any()
    }
    assert changed == {"dense_1.bias", "dense_2.kernel"}


def test_a_network_with_everything_frozen_runs() -> None:
    frozen = {"kernel_trainable": False, "bias_trainable": False}
    layers = [{"type": "dense", "units": 1, "activation": "sigmoid", **frozen}]
    trainer = Trainer(experiment(layers=layers))
    before = weights(trainer)
    _, rows = told(trainer)
    assert len(rows) == 4
    assert weights(trainer) == before


def test_long_runs_keep_memory_constant() -> None:
    trainer = Trainer(experiment(training={"epochs": 100_000}))

    def held_after(iterations: int) -> int:
        for _ in trainer.run(until=trainer.state.iteration + iterations, interval=0.01):
            pass
        gc.collect()  # cycles that wait to be found are not held
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        held_after(500)  # what is made once, in libraries too, is made now
        early = held_after(2000)
        assert held_after(4000) - early < 10_000
    finally:
        tracemalloc.stop()


def test_evaluating_and_predicting_change_no_training() -> None:
    straight, other = Trainer(experiment()), Trainer(experiment())
    for _ in range(13):
        straight.update()
        other.evaluate(other.data.train)
        other.predict(np.zeros((3, 2)))
        other.update()
    assert weights(straight) == weights(other)
