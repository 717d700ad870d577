"""The folders that `train` keeps runs in, and going on with them."""

import errno
import json
import os
import shutil
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from rich.progress import Progress as Bar

from tui_nn.cli import main
from tui_nn.commands.live import LiveReport
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.events import RunEnded, Saved, SaveFailed
from tui_nn_engine.training.runs import Run, read_metrics


def tui_nn(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="tui-nn")


def events(result: Result) -> list[dict]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_holds_a_run_is_kept(xor, tmp_path):
    run = tmp_path / "a run"
    assert tui_nn("train", xor, "--out", run).exit_code == 0
    before = contents(run)
    result = tui_nn("train", xor, "--out", run)
    assert result.exit_code == 2
    assert f"tui-nn train --resume '{run}'" in result.stderr
    assert contents(run) == before


def test_a_folder_that_can_not_be_made(xor):
    result = tui_nn("train", xor, "--out", xor / "run")
    assert result.exit_code == 2
    assert "Not a directory" in result.stderr
    assert "--out" in result.stderr


def test_runs_started_together_get_folders_of_their_own(xor, tmp_path):
    for _ in range(3):
        assert tui_nn("train", xor, "--quiet").exit_code == 0
    assert len(list((tmp_path / "runs").iterdir())) == 3


def test_resume_trains_on(xor, tmp_path):
    run = tmp_path / "run"
    tui_nn("train", xor, "--out", run)
    result = tui_nn("train", "--resume", run, "--set", "training.epochs=8", "--json")
    assert result.exit_code == 0
    found = events(result)
    assert found[0]["iteration"] == 10
    assert [event["epoch"] for event in found if event["event"] == "epoch_ended"] == [6, 7, 8]
    assert [row.epoch for row in read_metrics(run / "metrics.jsonl")] == list(range(1, 9))
    assert Experiment.load(run / "experiment.toml").training.epochs == 8
    whole = Trainer(Experiment.load(xor).overridden(["training.epochs=8"]))
    list(whole.run())
    assert Run.resume(run).trainer.parameters.values.tobytes() == whole.parameters.values.tobytes()


def test_a_file_with_resume_keeps_what_belongs_to_the_run(xor, tmp_path):
    run = tmp_path / "run"
    change = "training.changes=[{iteration = 4, learning_rate = 0.5}]"
    tui_nn("train", xor, "--out", run, "--set", "training.threads=2", "--set", change)
    assert tui_nn("train", xor, "--resume", run, "--set", "training.epochs=6").exit_code == 0
    training = Experiment.load(run / "experiment.toml").training
    assert (training.epochs, training.threads, len(training.changes)) == (6, 2, 1)


def test_resume_of_what_is_no_run(tmp_path):
    result = tui_nn("train", "--resume", tmp_path / "nothing")
    assert result.exit_code == 2
    assert "is not the folder of a run" in result.stderr


def test_resume_of_a_damaged_checkpoint(xor, tmp_path):
    run = tmp_path / "run"
    tui_nn("train", xor, "--out", run)
    checkpoint = run / "checkpoints" / "last.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:-40])
    result = tui_nn("train", "--resume", run)
    assert result.exit_code == 2
    assert str(checkpoint) in result.stderr


def test_resume_and_out_exclude_each_other(xor, tmp_path):
    assert tui_nn("train", xor, "--resume", tmp_path, "--out", tmp_path / "x").exit_code == 2


# -- folders that can't be written in ----------------------------------------------------------


@pytest.fixture
def read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which no file can be made, not even by root, whom no mode of a folder stops."""
    folder = tmp_path / "ro"
    folder.mkdir()
    for name in ("TemporaryFile", "mkstemp"):
        made = getattr(tempfile, name)

        def refuse(*words: Any, dir: Path, made: Any = made, **options: Any) -> Any:  # noqa: A002
            if folder in (dir, *dir.parents):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(dir))
            return made(*words, dir=dir, **options)

        monkeypatch.setattr(tempfile, name, refuse)
    return folder


def test_a_folder_that_can_not_be_written_in_is_told_before_training(xor, read_only):
    result = tui_nn("train", xor, "--out", read_only)
    assert result.exit_code == 2
    expected = f"Error: can't write in {read_only}: Permission denied; name another folder with"
    assert expected in result.stderr
    assert result.stdout == ""


def test_a_run_that_can_not_be_written_in_does_not_go_on(xor, tmp_path, read_only):
    tui_nn("train", xor, "--out", tmp_path / "run")
    shutil.copytree(tmp_path / "run", read_only, dirs_exist_ok=True)
    before = contents(read_only)
    result = tui_nn("train", "--resume", read_only, "--set", "training.epochs=8")
    assert result.exit_code == 2
    assert f"can't write in {read_only}: Permission denied; make it writable" in result.stderr
    assert result.stdout == ""
    assert contents(read_only) == before


def test_a_comparison_says_that_its_folder_can_not_be_written_in(xor, read_only):
    xor.write_text(xor.read_text() + "[compare]\nseed = [0, 1]\n")
    result = tui_nn("compare", xor, "--out", read_only)
    assert result.exit_code == 2
    assert f"can't write in {read_only}: Permission denied; name another folder" in result.stderr


def test_a_comparison_that_is_complete_is_told_again_from_where_nothing_can_be_written(
    xor, tmp_path, read_only
):
    xor.write_text(xor.read_text() + "[compare]\nseed = [0, 1]\n")
    tui_nn("compare", xor, "--out", tmp_path / "out")
    shutil.copytree(tmp_path / "out", read_only, dirs_exist_ok=True)
    result = tui_nn("compare", xor, "--out", read_only)
    assert result.exit_code == 0
    assert "2 runs, 2 of them ended before" in result.stdout


@pytest.mark.parametrize(("last", "kept"), [(Saved("x", 9), True), (SaveFailed("x", "!"), False)])
def test_a_run_is_said_to_be_kept_where_its_end_is(last, kept):
    text = StringIO()
    report = LiveReport(Bar(console=Console(file=text)))
    for event in (SaveFailed("x", "!"), Saved("x", 3), last, RunEnded("completed", 1, 9, out="r")):
        report.show(event)
    assert ("The run is kept in r" in text.getvalue()) == kept


# -- runs that were broken off before they were saved ------------------------------------------


@pytest.fixture
def broken_off(xor: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that was killed in its first update."""

    class Killed(BaseException):
        pass

    def killed(trainer: Trainer) -> float:
        raise Killed

    folder = tmp_path / "kk"
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_update", killed)
        with pytest.raises(Killed):
            tui_nn("train", xor, "--out", folder)
    assert not (folder / "checkpoints" / "last.safetensors").exists()
    return folder


def test_a_run_broken_off_before_its_first_checkpoint_begins_anew(xor, broken_off):
    (broken_off / "metrics.jsonl").write_text(
        '{"epoch": 1, "iteration": 2, "loss": 9.0, "metrics": {"accuracy": 0.5}}\n'
    )
    taken = tui_nn("train", xor, "--out", broken_off)
    assert taken.exit_code == 2
    assert f"go on with it by `tui-nn train --resume {broken_off}`" in taken.stderr
    result = tui_nn("train", "--resume", broken_off)
    assert result.exit_code == 0
    assert f"{broken_off} holds no checkpoint yet, so its run begins anew" in result.stderr
    whole = Trainer(Experiment.load(xor))
    list(whole.run())
    kept = Run.resume(broken_off).trainer.parameters.values
    assert kept.tobytes() == whole.parameters.values.tobytes()
    rows = read_metrics(broken_off / "metrics.jsonl")
    assert [row.epoch for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0].loss < 9.0
    assert tui_nn("train", "--resume", broken_off).stderr == ""  # it has a checkpoint now


def test_an_experiment_of_ones_own_is_not_taken_for_a_run(xor):
    own = xor.rename(xor.with_name("experiment.toml"))
    before = own.read_bytes()
    result = tui_nn("train", own, "--out", own.parent)
    assert result.exit_code == 2
    assert f"{own} is there already and is no run's" in result.stderr
    assert "name another folder" in result.stderr
    assert "--resume" not in result.stderr
    result = tui_nn("train", "--resume", own.parent)
    assert result.exit_code == 2
    assert f"no run was begun there; open or train the file {own} itself" in result.stderr
    assert own.read_bytes() == before


# -- what may change in a run ------------------------------------------------------------------


def test_what_can_not_change_in_a_run_is_named_and_refused(xor, tmp_path):
    run = tmp_path / "run"
    tui_nn("train", xor, "--out", run)
    before = contents(run)
    words = ("layers[0].activation=relu", "seed=7", "training.epochs=9", "data.scaling=minmax")
    result = tui_nn("train", "--resume", run, *(each for w in words for each in ("--set", w)))
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"Error: {run} has 3 problems:",
        "  layers[0].activation: is 'tanh' in this run and can't become 'relu'; start a new run",
        "  seed: is 0 in this run and can't become 7; start a new run",
        "  data.scaling: is 'none' in this run and can't become 'minmax'; start a new run",
    ]
    fewer = tui_nn("train", "--resume", run, "--set", "training.epochs=4")
    assert fewer.exit_code == 2
    assert "training.epochs: is 4, but 5 are begun; name no fewer" in fewer.stderr
    assert contents(run) == before


def test_the_rate_may_be_another_from_here_on(xor, tmp_path):
    run = tmp_path / "run"
    tui_nn("train", xor, "--out", run)
    more = ("train", "--resume", run, "--set", "training.epochs=6")
    refused = tui_nn(*more, "--set", "optimizer.learning_rate=0.01")
    assert refused.exit_code == 2
    change = "{iteration = 10, learning_rate = 0.01}"
    assert f"or add to training.changes {change}" in refused.stderr
    assert tui_nn(*more, "--set", f"training.changes=[{change}]").exit_code == 0
    again = Trainer(Experiment.load(run / "experiment.toml"))
    list(again.run())
    kept = Run.resume(run).trainer.parameters.values
    assert again.parameters.values.tobytes() == kept.tobytes()


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_training_on_beyond_a_schedule_says_so(xor, tmp_path, schedule):
    run = tmp_path / "run"
    words = ("--set", f"schedule={schedule}")
    tui_nn("train", xor, "--out", run, *words)
    assert "schedule" not in tui_nn("train", "--resume", run).stderr
    for file in ((), (xor, *words)):
        result = tui_nn("train", *file, "--resume", run, "--set", "training.epochs=7")
        assert result.exit_code == 0
        assert result.stderr == (
            f"Warning: the {schedule} schedule has the length the run began with, 5 epochs; "
            "those after it train at its lowest rate\n"
        )
    assert Experiment.load(run / "experiment.toml").schedule.length == 5
