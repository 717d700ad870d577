"""Training that ends before its last epoch: when, why, with which weights, wherever one goes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from desks import desk

from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.data.prepared import prepare
from tui_nn_engine.experiments.stopping import Figure
from tui_nn_engine.metrics import metrics_for
from tui_nn_engine.sessions.protocol import Back, GoTo, Play, Refused, StateChanged, TrainUntil
from tui_nn_engine.training.events import RunEnded
from tui_nn_engine.training.records import Record
from tui_nn_engine.training.runs import Run
from tui_nn_engine.training.timeline import Timeline


def experiment(stopping: dict[str, Any], **more: Any) -> Experiment:
    training = {"epochs": 60, "batch_size": 9, "threads": 1}
    return Experiment.parse(
        {
            "seed": 3,
            "data": {"name": "moons", "samples": 40, "noise": 0.4, "validation_fraction": 0.3},
            "layers": [
                {"type": "dense", "units": 6, "activation": "tanh"},
                {"type": "dense", "units": 1, "activation": "sigmoid"},
            ],
            "loss": "binary_crossentropy",
            "optimizer": {"type": "adam", "learning_rate": 0.3},
            "training": training,
            "stopping": stopping,
            **more,
        }
    )


PATIENT = {"patience": 4, "restore_best_weights": True}
ENDINGS: dict[str, tuple[dict[str, Any], str]] = {
    "patience": ({"patience": 4}, "stopped_early"),
    "best weights": (PATIENT, "stopped_early"),
    "loss": ({"loss": 0.42}, "loss_reached"),
    "best of all epochs": ({"restore_best_weights": True}, "completed"),
}
NAMED = pytest.mark.parametrize("name", ENDINGS)


def everything(trainer: Trainer) -> dict[str, bytes]:
    arrays = {name: array.tobytes() for name, array in trainer.state.snapshot().arrays.items()}
    return {**arrays, "place": f"{trainer.state.iteration} {trainer.done}".encode()}


def trained(made_of: Experiment) -> tuple[Trainer, RunEnded]:
    trainer = Trainer(made_of)
    *_, ended = trainer.run(interval=0.0)
    assert isinstance(ended, RunEnded)
    return trainer, ended


@NAMED
def test_it_says_why_it_ended(name: str) -> None:
    stopping, reason = ENDINGS[name]
    trainer, ended = trained(experiment(stopping))
    assert (ended.reason, ended.epoch) == (reason, trainer.state.epoch)
    assert ended.done
    assert ended.how == reason.replace("_", " ")
    assert (ended.epoch < 60) == (reason != "completed")
    assert ended.iteration == ended.epoch * trainer.batches_per_epoch
    assert ended.message


def test_the_weights_in_the_end_are_those_of_the_best_epoch() -> None:
    trainer, ended = trained(experiment(PATIENT))
    again = Trainer(experiment({}))
    vals: list[float] = []
    weights = []
    for _ in range(ended.epoch):
        for _ in range(again.batches_per_epoch):
            again.update()
        vals.append(again.evaluate(again.data.validation).loss)
        weights.append(again.parameters.values.copy())
    best = int(np.argmin(vals))
    assert ended.message == (
        "val_loss did not get better by 0.0001 for 4 epochs; "
        f"the weights are those after epoch {best + 1}"
    )
    assert trainer.parameters.values.tobytes() == weights[best].tobytes() != weights[-1].tobytes()
    assert trainer.state.memory["stopping.last"].tobytes() == weights[-1].tobytes()
    assert ended.test_loss == trainer.evaluate(trainer.data.test).loss


@NAMED
def test_going_back_and_forth_changes_nothing(name: str) -> None:
    trainer = Trainer(experiment(ENDINGS[name][0]))
    timeline, fresh = Timeline(trainer), {0: everything(trainer)}
    while not trainer.done:
        trainer.update()
        fresh[trainer.state.iteration] = everything(trainer)
        if trainer.state.iteration % 7 == 0:
            timeline.observe()
    end = trainer.state.iteration
    for destination in (end - 1, 2, end - 5, end, 0, 9, end):
        for _ in timeline.travel(destination):
            pass
        assert everything(trainer) == fresh[destination]
    assert everything(Trainer(trainer.experiment)) == fresh[0]


@NAMED
@pytest.mark.parametrize("left", [1, 6])
def test_a_resumed_run_ends_as_it_would_have(name: str, left: int, tmp_path: Path) -> None:
    straight, ended = trained(experiment(ENDINGS[name][0]))
    run = Run(Trainer(experiment(ENDINGS[name][0])), tmp_path)
    for _ in run.record(until=ended.iteration - left):
        pass
    run.save()
    resumed = Run.resume(tmp_path)
    *_, again = resumed.record()
    assert isinstance(again, RunEnded)
    assert (again.reason, again.iteration, again.message, again.test_loss) == (
        ended.reason, ended.iteration, ended.message, ended.test_loss,
    )  # fmt: skip
    assert everything(resumed.trainer) == everything(straight)
    # Ended and saved, it stays so; and its folder says how.
    *_, once_more = Run.resume(tmp_path).record()
    assert (once_more.reason, once_more.message) == (ended.reason, ended.message)  # type: ignore[union-attr]
    assert Record.read(tmp_path).state == ended.how


@NAMED
def test_a_run_that_ended_can_go_on(name: str) -> None:
    """Then what ended it is gone, and it equals a run that never had it."""
    trainer, ended = trained(experiment(ENDINGS[name][0]))
    trainer.train_until(65)
    assert not trainer.done
    stopping = trainer.experiment.stopping
    assert stopping.patience is stopping.loss is None
    trainer.update()
    straight = Trainer(trainer.experiment)
    while straight.state.iteration < trainer.state.iteration:
        straight.update()
    told = everything(trainer)
    assert {name: told[name] for name in everything(straight)} == everything(straight)
    for _ in trainer.run():
        pass
    assert trainer.state.epoch == 65
    again, _ = trained(trainer.experiment)
    assert again.parameters.values.tobytes() == trainer.parameters.values.tobytes()
    assert ended.iteration < trainer.state.iteration


def test_more_patience_wakes_a_run_that_was_saved(tmp_path: Path) -> None:
    run = Run(Trainer(experiment(PATIENT)), tmp_path)
    for _ in run.record():
        pass
    patient = run.trainer.experiment.overridden(["stopping.patience=9"])
    resumed = Run.resume(tmp_path, patient)
    assert not resumed.trainer.done
    for _ in resumed.record():
        pass
    straight, _ = trained(patient)
    assert everything(resumed.trainer) == everything(straight)


def test_a_weight_changed_in_the_end_is_changed_in_a_replay() -> None:
    trainer, _ = trained(experiment(PATIENT))
    timeline, end = Timeline(trainer), trainer.state.iteration
    trainer.change_weight("dense_1.bias[0]", 2.5)
    told = everything(trainer)
    timeline.branch()
    for destination in (end - 9, end):
        for _ in timeline.travel(destination):
            pass
    assert everything(trainer) == told
    again, _ = trained(trainer.experiment)
    assert everything(again) == told
    assert again.parameters.views["dense_1.bias"][0] == 2.5


@NAMED
def test_a_branch_remembers_what_was_before_it(name: str, tmp_path: Path) -> None:
    run = Run(Trainer(experiment(ENDINGS[name][0])), tmp_path / "first")
    for _ in run.record():
        pass
    end = run.trainer.state.iteration
    for _ in run.timeline.travel(end - 6):
        pass
    branch, _ = run.branch(lambda: run.trainer.change_learning_rate(0.01))
    for _ in branch.record():
        pass
    straight, _ = trained(branch.trainer.experiment)
    assert everything(branch.trainer) == everything(straight)
    assert straight.experiment.training.changes[0].iteration == end - 6


def test_without_stopping_nothing_is_remembered() -> None:
    assert not Trainer(experiment({})).state.memory


# -- time ---------------------------------------------------------------------------------------


def test_where_its_time_was_up_is_written_down_and_repeated(tmp_path: Path) -> None:
    run = Run(Trainer(experiment({"seconds": 1e-9})), tmp_path)
    *_, ended = run.record(interval=0.0)
    assert isinstance(ended, RunEnded)
    assert (ended.reason, ended.iteration) == ("time_up", 1)
    assert ended.message == "1e-09 s of computing are over"
    (change,) = run.trainer.experiment.training.changes
    assert (change.iteration, change.seconds) == (1, 1e-9)
    resumed = Run.resume(tmp_path)
    assert resumed.trainer.done
    assert everything(resumed.trainer) == everything(run.trainer)


def test_a_replay_of_that_asks_no_clock() -> None:
    tree = experiment({"seconds": 1e-9, "restore_best_weights": True}).tree()
    tree["training"]["changes"] = [{"iteration": 11, "seconds": 1e-9}]
    trainer, ended = trained(Experiment.parse(tree))
    assert (ended.reason, ended.iteration) == ("time_up", 11)
    assert "weights are those after epoch" in ended.message
    progress, (epochs, batch) = trainer.progress([], 0.0), divmod(11, trainer.batches_per_epoch)
    assert (progress.epoch, progress.batch) == (epochs + 1, batch)
    trainer.train_until(60)
    assert not trainer.done
    for _ in trainer.run():
        pass
    assert trainer.state.epoch == 60


def test_another_time_is_another_limit() -> None:
    tree = experiment({"seconds": 1e9}).tree()
    tree["training"]["changes"] = [{"iteration": 11, "seconds": 1e-9}]
    assert trained(Experiment.parse(tree))[1].reason == "completed"


def test_a_resumed_run_knows_how_long_it_has_computed(tmp_path: Path) -> None:
    run = Run(Trainer(experiment({"seconds": 1e9})), tmp_path)
    for _ in run.record(until=5):
        pass
    run.save()
    assert Run.resume(tmp_path).trainer.seconds > 0


# -- the session --------------------------------------------------------------------------------


def test_a_session_tells_why_and_goes_on(tmp_path: Path) -> None:
    table = desk(experiment(PATIENT).tree(), tmp_path)

    def standing() -> tuple[str, str]:
        told = table.last(StateChanged)
        return told.state, told.ended_early

    table(Play())
    table.work()
    assert standing() == ("completed", "stopped early")
    end = table.last(StateChanged).iteration
    table(Play())
    assert isinstance(table.heard[-1], Refused)
    table(Back())
    table.work()
    assert standing() == ("paused", "")
    table(GoTo(end))
    table.work()
    assert standing() == ("completed", "stopped early")
    table(TrainUntil(60))
    assert standing() == ("paused", "")
    table(Play())
    table.work()
    told = table.last(StateChanged)
    assert (told.epoch, told.ended_early) == (60, "")


# -- what is checked ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "says", "remedy"),
    [
        ({"stopping.monitor": "r2"}, "give no r2, but loss, accuracy", "loss"),
        ({"stopping.monitor": "val_mae"}, "give no mae, but loss, accuracy", "val_loss"),
        (
            {"stopping.monitor": "val_accuracy", "data.validation_fraction": 0},
            "there is no val_accuracy, for no data is set aside",
            "accuracy",
        ),
    ],
)
def test_a_figure_that_there_is_not_is_told(
    changes: dict[str, Any], says: str, remedy: str
) -> None:
    wrong = experiment(PATIENT).overridden(
        f"{path}={value!r}" if isinstance(value, str) else f"{path}={value}"
        for path, value in changes.items()
    )
    with pytest.raises(ExperimentError) as caught:
        Trainer(wrong)
    (problem,) = caught.value.problems
    assert problem.path == "stopping.monitor"
    assert says in problem.message
    assert problem.fixed is not None  # type: ignore[attr-defined]
    assert problem.fixed.stopping.monitor == remedy  # type: ignore[attr-defined]
    Trainer(problem.fixed)  # type: ignore[attr-defined]


def test_every_metric_but_the_bias_can_be_monitored() -> None:
    names, block = {"loss"}, experiment({}).data
    labels = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]] * 5)
    inputs = np.arange(40.0).reshape(20, 2)
    for targets in (labels[:, 0].astype(int), labels, labels + 0.5):
        data = prepare(block, 0, "float64", (inputs, targets))
        names |= set(metrics_for(data, None))
    known = set(Figure.__args__)  # type: ignore[attr-defined]
    assert known == {f"{val}{name}" for name in names - {"mbe"} for val in ("", "val_")}
