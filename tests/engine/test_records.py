"""What the folder of a run tells without being trained; ranking; how experiments differ."""

import json
from pathlib import Path
from typing import Any

import pytest

from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.training.events import EpochEnded, RunEnded
from tui_nn_engine.training.records import Label, Record, differences, rank, ranking_figure
from tui_nn_engine.training.runs import Outcome, Run


def experiment(**changes: Any) -> Experiment:
    return Experiment.parse(
        {
            "data": {"name": "moons", "samples": 40, "test_fraction": 0.25},
            "layers": [{"type": "dense", "units": 1, "activation": "sigmoid"}],
            "loss": "binary_crossentropy",
            "optimizer": {"type": "sgd", "learning_rate": 0.1},
            "training": {"epochs": 3, "batch_size": 15},
        }
        | changes
    )


def record(losses: list[float], reason: str | None = "completed", **changes: Any) -> Record:
    rows = tuple(EpochEnded(i, 5 * i, loss, {"accuracy": 0.5}) for i, loss in enumerate(losses, 1))
    ended = RunEnded(reason, len(losses), 5 * len(losses)) if reason else None  # type: ignore[arg-type]
    return Record(Path(), experiment(**changes), rows, Outcome(1.0, ended), Label())


def test_a_run_tells_how_it_ended_and_how_long_it_took(tmp_path: Path) -> None:
    trainer = Trainer(experiment())
    seconds = 0.0
    for event in Run(trainer, tmp_path).record(until=4, interval=0.0):
        seconds += getattr(event, "seconds", 0.0)
    Run(trainer, tmp_path).save()
    assert Record.read(tmp_path).state == "unfinished"
    run = Run.resume(tmp_path)
    *_, ended = run.record()
    found = Record.read(tmp_path)
    assert isinstance(ended, RunEnded)
    assert found.state == "completed"
    assert found.ended == RunEnded("completed", 3, 6, "", ended.test_loss, ended.test_metrics)
    assert found.last["test_loss"] == ended.test_loss
    assert found.last["loss"] == found.epochs[-1].loss
    assert found.values("loss") == [epoch.loss for epoch in found.epochs]


def test_the_time_goes_on_when_a_run_is_resumed_and_its_end_is_forgotten(tmp_path: Path) -> None:
    for _ in Run(Trainer(experiment()), tmp_path).record():
        pass
    first = Outcome.of(tmp_path)
    longer = Run.resume(tmp_path, experiment(training={"epochs": 30, "batch_size": 15}))
    for event in longer.record(until=8, interval=0.0):
        assert not isinstance(event, RunEnded)
    longer.save()
    later = Outcome.of(tmp_path)
    assert later.ended is None
    assert later.seconds > first.seconds > 0


def test_a_diverged_run_is_told(tmp_path: Path) -> None:
    wild = experiment(
        layers=[{"type": "dense", "units": 1}],
        loss="mean_squared_error",
        optimizer={"type": "sgd", "learning_rate": 1e3},
        training={"epochs": 99},
    )
    for _ in Run(Trainer(wild), tmp_path).record():
        pass
    found = Record.read(tmp_path)
    assert found.state == "diverged"
    assert found.ended is not None
    assert "not finite" in found.ended.message


@pytest.mark.parametrize(
    "text", ["", "7", "[]", "{", '{"seconds": "x"}', '{"seconds": 1, "ended": {"reason": "odd"}}',
             '{"seconds": 1, "ended": {"reason": "odd", "epoch": 1, "iteration": 1}}'],
)  # fmt: skip
def test_a_damaged_outcome_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    assert Outcome.of(tmp_path) == Outcome()


def test_a_label_is_written_and_read(tmp_path: Path) -> None:
    assert Label.of(tmp_path) == Label()
    label = Label("the first · größer", ("slow", "kept"))
    label.write(tmp_path)
    assert Label.of(tmp_path) == label
    (tmp_path / "about.json").write_text(json.dumps({"name": "x"}))
    assert Label.of(tmp_path) == Label()


def test_a_folder_without_an_experiment_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError):
        Record.read(tmp_path)


def test_the_best_figure_ranks_and_diverged_and_empty_runs_come_last() -> None:
    records = [
        record([0.1], "diverged"),
        record([0.5, 0.2, 0.3]),
        record([], None),
        record([0.4, float("nan")]),
        record([0.3], None),
    ]
    assert ranking_figure(records) == "loss"
    assert rank(records, "loss") == [1, 4, 3, 0, 2]
    assert records[1].best("loss") == 0.2
    assert records[1].best("val_loss") is None


def test_runs_with_different_losses_are_ranked_by_their_metric() -> None:
    records = [record([0.1]), record([0.2], loss="mean_squared_error")]
    assert ranking_figure(records) == "accuracy"
    rows = (EpochEnded(1, 5, 0.9, {"accuracy": 0.75}),)
    better = Record(Path(), experiment(), rows, Outcome(), Label())
    assert rank([*records, better], "accuracy") == [2, 0, 1]


def test_only_what_differs_is_listed_defaults_told_where_they_matter() -> None:
    found = differences(
        [
            experiment(),
            experiment(optimizer={"type": "sgd", "learning_rate": 0.1, "momentum": 0.9}, seed=2),
            experiment(optimizer="adam"),
        ]
    )
    assert found == {
        "optimizer.type": ("sgd", "sgd", "adam"),
        "optimizer.learning_rate": (0.1, 0.1, 0.001),
        "optimizer.momentum": (0.0, 0.9, None),
        "seed": (0, 2, 0),
    }
    assert differences([experiment(), experiment()]) == {}
    two = experiment(layers=[{"type": "dense", "units": 4}, *experiment().tree()["layers"]])
    assert differences([experiment(), two])["layers[0].units"] == (1, 4)
