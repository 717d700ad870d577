"""The command line in this process: what it says, and its exit codes."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tui_nn.cli import main
from tui_nn.commands.reports import json_lines
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.events import Epochs, Progress, RunEnded, SaveFailed
from tui_nn_engine.training.runs import Run


def tui_nn(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="tui-nn")


def strict(lines: str) -> list[dict]:
    """The lines as strict JSON, which knows no NaN."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return [json.loads(line, parse_constant=refuse) for line in lines.splitlines()]


def events(result: Result) -> list[dict]:
    return strict(result.stdout)


# -- words -------------------------------------------------------------------------------------


def test_help_names_commands_and_examples():
    result = tui_nn("--help")
    assert result.exit_code == 0
    assert "tui-nn train mnist.toml" in result.stdout
    assert all(command in result.stdout for command in ("check", "data", "train"))


def test_version():
    assert tui_nn("--version").stdout == "tui-nn, version 0.1.0\n"


def test_no_terminal_is_told(xor):
    for words in ((), (xor,)):
        result = tui_nn(*words)
        assert result.exit_code == 2
        assert "needs a terminal" in result.stderr
        assert "tui-nn train FILE" in result.stderr


def test_a_mistyped_command_is_told_with_the_nearest():
    result = tui_nn("trian")
    assert result.exit_code == 2
    assert "did you mean the command 'train'" in result.stderr


@pytest.mark.parametrize("command", [[], ["train"], ["check"]])
def test_a_mistyped_file_is_told_with_the_nearest(xor, command):
    result = tui_nn(*command, xor.with_name("xro.toml"))
    assert result.exit_code == 2
    assert f"did you mean {str(xor)!r}" in result.stderr


def test_a_file_in_a_folder_that_is_not_there(tmp_path):
    result = tui_nn("train", tmp_path / "no" / "x.toml")
    assert result.exit_code == 2
    assert "there is no folder" in result.stderr


def test_a_folder_is_no_file(xor):
    result = tui_nn("train", xor.parent)
    assert result.exit_code == 2
    assert f"is a folder; name the experiment file: {xor}" in result.stderr


def test_a_file_may_be_named_like_a_command(tmp_path, xor, monkeypatch):
    monkeypatch.chdir(tmp_path)
    xor.rename("train")
    assert "needs a terminal" in tui_nn("./train").stderr  # it is the app that would open
    assert tui_nn("train", "train", "--quiet").exit_code == 0


def test_train_needs_an_experiment_or_a_run():
    result = tui_nn("train")
    assert result.exit_code == 2
    assert "--resume DIR" in result.stderr


# -- check -------------------------------------------------------------------------------------


def test_check_tells_all_problems_with_their_paths(xor):
    xor.write_text(xor.read_text().replace("units = 4", "units = 0").replace("rate =", "rat ="))
    result = tui_nn("check", xor)
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "layers[0].units: must be at least 1 (is 0)",
        "optimizer.learning_rat: is not known here; did you mean 'learning_rate'?",
    ]


def test_check_finds_a_network_that_does_not_fit_its_data(xor):
    result = tui_nn("check", xor, "--set", "layers[1].units=3")
    assert result.exit_code == 2
    assert result.stdout.startswith("layers[1].units: ")


def test_check_tells_that_data_is_missing(mnist):
    result = tui_nn("check", mnist, "--set", "data.name=mnist")
    assert result.exit_code == 2
    assert result.stdout.startswith("data: ")
    assert "tui-nn data fetch mnist" in result.stdout


def test_check_of_a_sound_file(xor):
    result = tui_nn("check", xor)
    assert result.exit_code == 0
    assert "17 parameters, 10 updates" in result.stdout
    assert not (xor.parent / "runs").exists()


def test_set_can_mend_a_file(xor):
    xor.write_text(xor.read_text().replace("units = 4", "units = 0"))
    assert tui_nn("check", xor, "--set", "layers[0].units=4").exit_code == 0


# -- train -------------------------------------------------------------------------------------


def test_train_tells_all_problems_on_stderr(xor):
    result = tui_nn("train", xor, "--set", "layers[0].units=0", "--set", "training.epoch=3")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert f"{xor} has 2 problems:" in result.stderr
    assert "\n  layers[0].units: must be at least 1 (is 0)\n" in result.stderr
    assert "\n  training.epoch: is not known here; did you mean 'epochs'?" in result.stderr
    assert not (xor.parent / "runs").exists()


def test_data_that_is_missing_is_bad_input(mnist):
    result = tui_nn("train", mnist, "--set", "data.name=mnist")
    assert result.exit_code == 2
    assert "tui-nn data fetch mnist" in result.stderr


def test_lines_one_an_epoch(xor, tmp_path):
    result = tui_nn("train", xor, "--out", tmp_path / "run")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "xor: 4 samples, 17 parameters, 1 thread" or "threads" in lines[0]
    assert lines[1] == f"The run is kept in {tmp_path / 'run'}"
    assert [line.partition(",")[0] for line in lines[2:7]] == [f"Epoch {n}/5" for n in range(1, 6)]
    assert lines[7:] == ["Completed: epoch 5, 10 updates"]


def test_verbose_lines_are_worded_as_in_scikit_learn(xor):
    trainer = Trainer(Experiment.load(xor))
    losses = [
        loss for event in trainer.run() if isinstance(event, Progress) for loss in event.losses
    ]
    lines = tui_nn("train", xor, "--verbose").stdout.splitlines()[2:]
    expected = [f"Iteration {n}, loss = {loss:.8f}" for n, loss in enumerate(losses, 1)]
    assert [line for line in lines if line.startswith("Iteration")] == expected
    assert lines[1] == expected[1]
    assert lines[2].startswith("Epoch 1/5, loss = ")


def test_quiet_is_quiet(xor):
    result = tui_nn("train", xor, "--quiet")
    assert (result.exit_code, result.output) == (0, "")


def test_json_is_one_event_a_line(mnist, tmp_path):
    words = ("--set", "layers[0].units=8", "--set", "training.epochs=2", "--out", tmp_path / "run")
    result = tui_nn("train", mnist, "--json", *words)
    assert result.exit_code == 0
    found = events(result)
    started, ended = found[0], found[-1]
    assert started["event"] == "run_started"
    assert started["parameters"] == 784 * 8 + 8 + 8 * 10 + 10
    assert started["experiment"]["training"]["epochs"] == 2
    assert started["threads"] >= 1
    assert started["out"] == ended["out"] == str(tmp_path / "run")
    progress = [event for event in found if event["event"] == "progress"]
    assert progress[0]["first_iteration"] == 1
    for event in progress:
        assert event["iteration"] == event["first_iteration"] + len(event["losses"]) - 1
    assert sum(len(event["losses"]) for event in progress) == ended["iteration"] == 142
    epochs = [event for event in found if event["event"] == "epoch_ended"]
    assert [event["epoch"] for event in epochs] == [1, 2]
    assert epochs[0]["iteration"] == 71
    for event in epochs:
        assert set(event["metrics"]) == set(event["val_metrics"]) == {"accuracy"}
        assert event["loss"] > 0
        assert event["val_loss"] > 0
        before = found[found.index(event) - 1]
        assert before["event"] in {"progress", "epoch_ended"}
    assert (ended["event"], ended["reason"], ended["epoch"]) == ("run_ended", "completed", 2)
    assert ended["test_loss"] > 0
    assert ended["test_metrics"]["accuracy"] > 0.5


def test_json_stays_strict_where_a_figure_is_no_number(capsys):
    epochs = Epochs(("epoch", "iteration", "loss", "r2"), np.array([[1, 2, np.inf, np.nan]]))
    losses = np.array([1.0, np.nan, -np.inf])
    json_lines(Progress(2, 2, 0, 0, losses, epochs, 0.1, 0.0))
    progress, epoch = strict(capsys.readouterr().out)
    assert progress["losses"] == [1.0, None, None]
    assert (epoch["epoch"], epoch["loss"], epoch["metrics"]) == (1, None, {"r2": None})


def test_events_do_not_wait_in_a_buffer(monkeypatch):
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with os.fdopen(writer, "w") as out, os.fdopen(reader) as read:
        monkeypatch.setattr(sys, "stdout", out)
        json_lines(RunEnded("completed", 1, 2))
        (event,) = strict(read.readline())
    assert (event["event"], event["iteration"]) == ("run_ended", 2)


def test_a_run_that_diverges(xor, tmp_path):
    words = ("--set", "optimizer.learning_rate=1e30", "--out", tmp_path / "run", "--json")
    result = tui_nn("train", xor, "--set", "layers[0].activation=linear", *words)
    assert result.exit_code == 3
    assert "Diverged: update " in result.stderr
    assert "dense_" in result.stderr
    assert "smaller learning rate" in result.stderr
    ended = events(result)[-1]
    assert (ended["event"], ended["reason"]) == ("run_ended", "diverged")
    assert "dense_" in ended["message"]


def test_what_is_wrong_with_a_layer_is_told_at_the_end(xor):
    bias = "layers[0].bias_initializer={ type = 'constant', value = -100.0 }"
    dead = ("--set", "layers[0].activation=relu", "--set", bias)
    many = ("--set", "data.samples=40", "--set", "training.epochs=2")
    result = tui_nn("train", xor, *dead, *many)
    assert result.exit_code == 0
    assert "dense_1 is dead: 100 % of its ReLU units gave 0" in result.stderr
    assert "Try: a smaller learning rate, biases" in result.stderr
    assert "dense_2" not in result.stderr
    assert tui_nn("train", xor, *dead, *many, "--quiet").stderr == ""


def test_what_can_not_be_saved_is_warned_of_and_training_goes_on(xor, monkeypatch):
    monkeypatch.setattr(Run, "save", lambda run: SaveFailed("last", "No space left on device"))
    result = tui_nn("train", xor, "--quiet")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "Warning: last: No space left on device",
        "The end of the run is not saved: No space left on device",
    ]


def test_an_internal_error_is_short_and_its_traceback_in_the_log(xor, tmp_path, monkeypatch):
    def broken(trainer: Trainer) -> float:
        raise RuntimeError("a fault put in by the test")

    monkeypatch.setattr(Trainer, "_update", broken)
    result = tui_nn("train", xor, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "internal error, RuntimeError: a fault put in by the test" in result.stderr
    assert "Traceback" not in result.output
    assert str(tmp_path / "run" / "log") in result.stderr
    assert "Traceback" in (tmp_path / "run" / "log").read_text()


def test_an_internal_error_outside_a_run(xor, tmp_path, monkeypatch):
    def broken(text: str) -> None:
        raise RuntimeError("a fault put in by the test")

    monkeypatch.setattr("tui_nn_engine.experiments.files.tree_of", broken)
    assert tui_nn("check", xor).exit_code == 1
    assert "a fault put in by the test" in (tmp_path / "runs" / "log").read_text()


# -- data --------------------------------------------------------------------------------------


def test_data_lists_tab_separated_where_piped():
    head, *rows = (line.split("\t") for line in tui_nn("data").stdout.splitlines())
    assert head == ["name", "kind", "shape", "dtype", "samples", "task", "classes", "source"]
    table = {row[0]: row for row in rows}
    assert table["mnist_small"][1:7] == [
        "images", "28 × 28", "uint8", "10000", "classification", "10",
    ]  # fmt: skip
    assert "tui-nn data fetch mnist" in table["mnist"][7]
    assert table["diabetes"][6] == "-"


def test_data_as_json():
    entries = json.loads(tui_nn("data", "--json").stdout)
    iris = next(entry for entry in entries if entry["name"] == "iris")
    assert (iris["shape"], iris["classes"], iris["available"]) == ([4], 3, True)


def test_fetch_from_a_folder_that_lacks_the_files(tmp_path):
    result = tui_nn("data", "fetch", "mnist", "--from", tmp_path)
    assert result.exit_code == 2
    assert "train-images-idx3-ubyte" in result.stderr


def test_fetch_installs_and_fetches(tmp_path, monkeypatch):
    monkeypatch.setattr("tui_nn_datasets.install_mnist", lambda folder: folder / "installed")
    result = tui_nn("data", "fetch", "mnist", "--from", tmp_path)
    assert str(tmp_path / "installed") in result.stdout

    def fetch(progress) -> Path:
        for done in (0, 50, 100):
            progress("train-images", done, 100)
        return tmp_path / "fetched"

    monkeypatch.setattr("tui_nn_datasets.fetch_mnist", fetch)
    assert str(tmp_path / "fetched") in tui_nn("data", "fetch", "mnist").stdout


def test_only_known_data_is_fetched():
    result = tui_nn("data", "fetch", "imagenet")
    assert result.exit_code == 2
    assert "mnist" in result.stderr
