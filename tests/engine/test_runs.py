"""The folder of a run: it resumes exactly, and no failing disk stops the training."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.training import checkpoint, runs
from tui_nn_engine.training.checkpoint import CheckpointError
from tui_nn_engine.training.events import (
    EpochEnded,
    Event,
    Progress,
    RunEnded,
    RunStarted,
    Saved,
    SaveFailed,
)
from tui_nn_engine.training.runs import Run, is_kept, new_folder, read_metrics


def experiment(**changes: Any) -> Experiment:
    """Five batches an epoch, the last one ragged; dropout, so that masks must come back too."""
    return Experiment.parse(
        {
            "data": {
                "name": "moons",
                "samples": 40,
                "validation_fraction": 0.1,
                "test_fraction": 0.15,
            },
            "layers": [
                {"type": "dense", "units": 6, "activation": "tanh"},
                {"type": "dropout", "rate": 0.25},
                {"type": "dense", "units": 1, "activation": "sigmoid"},
            ],
            "loss": {"type": "binary_crossentropy"},
            "optimizer": {"type": "adam", "learning_rate": 0.02},
            "training": {"epochs": 3, "batch_size": 7, "threads": 1},
        }
        | changes
    )


def everything(trainer: Trainer) -> dict[str, Any]:
    found = trainer.state.snapshot()
    arrays = {name: array.tobytes() for name, array in found.arrays.items()}
    return {"place": (found.iteration, found.epoch, found.batch), **arrays}


def recorded(run: Run, until: int | None = None) -> list[Event]:
    return list(run.record(until, interval=0.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


# -- resume ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("iteration", range(1, 16))
def test_a_run_resumes_exactly_from_any_iteration(folder: Path, iteration: int) -> None:
    straight = Run(Trainer(experiment()), folder.with_name("straight"))
    recorded(straight)
    first = Run(Trainer(experiment()), folder)
    recorded(first, until=iteration)
    assert isinstance(first.save(), Saved)
    kept = first.checkpoint_path.read_bytes()
    recorded(first, until=iteration + 4)  # killed: what came after the checkpoint comes again
    first.checkpoint_path.write_bytes(kept)
    resumed = Run.resume(folder)
    assert resumed.trainer.state.iteration == iteration
    recorded(resumed)
    assert everything(resumed.trainer) == everything(straight.trainer)
    assert read_metrics(folder / "metrics.jsonl") == read_metrics(straight.folder / "metrics.jsonl")


def test_a_run_saved_between_two_operations_resumes_exactly(folder: Path) -> None:
    straight = Trainer(experiment())
    recorded(Run(straight, folder.with_name("straight")))
    run = Run(Trainer(experiment()), folder)
    recorded(run, until=7)
    stepper = Stepper(run.trainer)
    stepper.go_to(len(stepper.ops) - 2)
    with stepper.undone():
        assert isinstance(run.save(), Saved)
    resumed = Run.resume(folder)
    assert resumed.trainer.state.iteration == 7
    recorded(resumed)
    assert everything(resumed.trainer) == everything(straight)


def test_a_changed_rate_and_more_epochs_survive_resuming(folder: Path) -> None:
    run = Run(Trainer(experiment()), folder)
    recorded(run, until=6)
    run.trainer.change_learning_rate(0.2)
    run.trainer.train_until(4)
    run.save()
    resumed = Run.resume(folder)
    assert resumed.trainer.learning_rate == 0.2
    recorded(run)
    recorded(resumed)
    assert resumed.trainer.state.epoch == 4
    assert everything(resumed.trainer) == everything(run.trainer)


def test_resuming_drops_the_lines_that_come_again(folder: Path) -> None:
    run = Run(Trainer(experiment()), folder)
    recorded(run, until=7)
    run.save()
    kept = run.checkpoint_path.read_bytes()
    recorded(run)
    run.checkpoint_path.write_bytes(kept)
    metrics = folder / "metrics.jsonl"
    assert [row.epoch for row in read_metrics(metrics)] == [1, 2, 3]
    resumed = Run.resume(folder)
    assert [row.epoch for row in read_metrics(metrics)] == [1]
    recorded(resumed)
    assert [row.epoch for row in read_metrics(metrics)] == [1, 2, 3]
    assert len(metrics.read_text().splitlines()) == 3


def test_arrays_of_the_callers_resume_on_the_same_arrays_only(folder: Path) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(30, 2)), random.integers(0, 2, 30)
    blocks = experiment(data={"name": "arrays"})
    run = Run(Trainer(blocks, data=(x, y)), folder)
    recorded(run, until=4)
    run.save()
    assert Run.resume(folder, data=(x, y)).trainer.state.iteration == 4
    with pytest.raises(CheckpointError, match="was trained on other data"):
        Run.resume(folder, data=(x + 1e-9, y))


def test_other_data_is_refused(folder: Path) -> None:
    run = Run(Trainer(experiment()), folder)
    recorded(run, until=4)
    run.save()
    data = {"name": "moons", "samples": 40, "seed": 1, "test_fraction": 0.15}
    other = experiment(data=data | {"validation_fraction": 0.1})
    other.save(folder / "experiment.toml")
    with pytest.raises(CheckpointError, match=r"other data than 'moons' is now.*start a new run"):
        Run.resume(folder)


def test_a_changed_network_is_refused(folder: Path) -> None:
    run = Run(Trainer(experiment()), folder)
    recorded(run, until=4)
    run.save()
    path = folder / "experiment.toml"
    path.write_text(path.read_text().replace("units = 6", "units = 7"))
    with pytest.raises(CheckpointError, match=r"does not fit experiment\.toml: parameters is"):
        Run.resume(folder)
    path.write_text(path.read_text().replace("units = 7", "units = 6"))
    path.write_text(path.read_text().replace("batch_size = 7", "batch_size = 8"))
    with pytest.raises(CheckpointError, match=r"does not fit experiment\.toml"):
        Run.resume(folder)


def test_a_folder_without_a_checkpoint_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no checkpoint; is it the folder of a run"):
        Run.resume(tmp_path)


# -- what is written ------------------------------------------------------------------------------


def test_a_run_leaves_its_experiment_metrics_and_checkpoint(folder: Path) -> None:
    run = Run(Trainer(experiment()), folder)
    events = recorded(run)
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunEnded)
    assert events[0].out == events[-1].out == str(folder)
    assert isinstance(events[-2], Saved)
    assert Experiment.load(folder / "experiment.toml") == run.trainer.experiment
    told = [row for e in events if isinstance(e, Progress) for row in e.epochs]
    assert read_metrics(folder / "metrics.jsonl") == told
    loaded = checkpoint.load(run.checkpoint_path)
    assert loaded.snapshot.iteration == 15
    assert loaded.snapshot.arrays["parameters"].tobytes() == run.trainer.parameters.values.tobytes()
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == [
        "experiment.toml",
        "last.safetensors",
        "lock",
        "metrics.jsonl",
        "run.json",
    ]


def test_saves_take_a_small_share_of_the_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = {"epochs": 100, "batch_size": 50, "threads": 1}
    trainer = Trainer(experiment(training=training))
    made = 0
    packed = checkpoint.pack

    def counted(content: checkpoint.Checkpoint) -> bytes:
        nonlocal made
        made += 1
        return packed(content)

    # An epoch takes a second, a save takes two.
    monkeypatch.setattr(checkpoint, "pack", counted)
    monkeypatch.setattr(runs.time, "monotonic", lambda: trainer.state.iteration + 2.0 * made)
    events = recorded(Run(trainer, folder))
    saved = [event.iteration for event in events if isinstance(event, Saved)]
    assert saved == [1, 31, 61, 91, 100]  # by share each 40 seconds, by the autosave each 30


def test_a_long_epoch_is_saved_every_30_seconds(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(experiment())
    # An update takes 16 seconds, and an epoch has five.
    monkeypatch.setattr(runs.time, "monotonic", lambda: 16.0 * trainer.state.iteration)
    events = recorded(Run(trainer, folder), until=4)
    assert [event.iteration for event in events if isinstance(event, Saved)] == [2, 4]


@pytest.mark.parametrize(
    ("epoch", "kept"),
    [
        (1, True),
        (9_999, True),
        (10_000, True),
        (10_001, False),
        (10_010, True),
        (99_990, True),
        (100_000, True),
        (100_010, False),
        (100_100, True),
        (1_000_000, True),
        (1_000_100, False),
        (1_001_000, True),
    ],
)
def test_the_lines_of_long_runs_are_thinned(epoch: int, kept: bool) -> None:
    assert is_kept(epoch) == kept


def test_a_million_epochs_are_some_thousand_lines() -> None:
    assert sum(map(is_kept, range(1, 1_000_001))) == 10_000 + 9_000 + 9_000


def test_torn_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    good = '{"epoch": 1, "iteration": 5, "loss": 0.5, "metrics": {"accuracy": 0.5}}\n'
    path.write_text(good + "[1]\n{}\n7\n\n" + '{"epoch": 2, "iterat')
    assert read_metrics(path) == [EpochEnded(1, 5, 0.5, {"accuracy": 0.5})]
    path.write_bytes(b"\xff\xfe\x00")
    assert read_metrics(path) == []
    assert read_metrics(tmp_path / "none") == []


def test_an_epoch_told_again_replaces_what_followed(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    line = '{{"epoch": {0}, "iteration": {0}, "loss": {1}, "metrics": {{}}}}\n'
    path.write_text("".join(line.format(*row) for row in [(1, 9), (2, 8), (3, 7), (2, 6)]))
    assert [(row.epoch, row.loss) for row in read_metrics(path)] == [(1, 9), (2, 6)]


def test_a_new_folder_is_nobodys_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_NN_RUNS", str(tmp_path))
    names = set()
    for _ in range(3):
        folder = new_folder("iris")
        folder.mkdir()
        names.add(folder)
    assert len(names) == 3
    assert {folder.parent for folder in names} == {tmp_path}


# -- disks that fail ------------------------------------------------------------------------------


def no_space(handle: int) -> None:
    """Stands for `os.fsync`: files can be opened and written to, but nothing gets through."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_and_the_old_checkpoint_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(Trainer(experiment()), folder)
    recorded(run, until=3)
    run.save()
    before = run.checkpoint_path.read_bytes()
    monkeypatch.setattr(os, "fsync", no_space)
    events = recorded(run)
    failed = [event for event in events if isinstance(event, SaveFailed)]
    assert failed
    assert all("No space left on device" in event.message for event in failed)
    assert failed[-1].message.endswith("the checkpoint before is intact")
    assert isinstance(events[-1], RunEnded)
    assert events[-1].reason == "completed"
    assert run.checkpoint_path.read_bytes() == before
    assert [item.name for item in run.checkpoint_path.parent.iterdir()] == ["last.safetensors"]
    monkeypatch.undo()
    assert isinstance(run.save(), Saved)
    assert Run.resume(folder).trainer.state.iteration == 15


def test_a_folder_that_cant_be_made_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    run = Run(Trainer(experiment()), tmp_path / "file" / "run")
    events = recorded(run)
    assert isinstance(events[-1], RunEnded)
    assert events[-1].reason == "completed"
    messages = [event.message for event in events if isinstance(event, SaveFailed)]
    assert sum("training goes on" in message for message in messages) == 1
    assert all("Not a directory" in message for message in messages)
    assert messages[-1].endswith("there is no checkpoint yet")


LIMITED = """
import resource, signal, sys
from pathlib import Path
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.runs import Run
from tui_nn_engine.training.events import SaveFailed

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
run = Run.resume(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (512, resource.RLIM_INFINITY))
events = list(run.record(interval=0.0))
failed = [event for event in events if isinstance(event, SaveFailed)]
print(len(failed) > 0, "File too large" in failed[-1].message, events[-1].reason)
"""


def test_a_write_that_the_system_cuts_short_leaves_the_old_checkpoint(folder: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    run = Run(Trainer(experiment()), folder)
    recorded(run, until=3)
    run.save()
    run.release()
    before = run.checkpoint_path.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["True", "True", "completed"], done.stderr
    assert run.checkpoint_path.read_bytes() == before
    assert Run.resume(folder).trainer.state.iteration == 3


def test_weights_that_are_not_finite_overwrite_nothing(folder: Path) -> None:
    run = Run(Trainer(experiment()), folder)
    recorded(run, until=3)
    run.save()
    before = run.checkpoint_path.read_bytes()
    run.trainer.parameters.values[2] = np.nan
    failed = run.save()
    assert isinstance(failed, SaveFailed)
    assert "not finite" in failed.message
    assert run.checkpoint_path.read_bytes() == before
    events = recorded(run)
    assert isinstance(events[-1], RunEnded)
    assert events[-1].reason == "diverged"
    assert run.checkpoint_path.read_bytes() == before


def test_what_is_no_finite_number_is_null_in_the_file_and_nan_again_when_read(
    tmp_path: Path,
) -> None:
    nan = float("nan")
    run = Run(Trainer(experiment()), tmp_path)
    rows = [EpochEnded(1, 6, 0.5, {"r2": nan}, nan, {"r2": 0.1}), EpochEnded(2, 12, nan, {})]
    assert run._write_metrics(rows) is None
    text = (tmp_path / "metrics.jsonl").read_text()
    assert "NaN" not in text
    assert text.count("null") == 5  # with what a run without validation lacks
    assert repr(read_metrics(tmp_path / "metrics.jsonl")) == repr(rows)
