"""A run that ends before its last epoch: what screen and command line say of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from textual.widgets import Input

from tui_nn.cli import main
from tui_nn.forms.field import Field
from tui_nn.forms.parts import PartList
from tui_nn.run_filter import filtered
from tui_nn.widgets.dialogs import Ask
from tui_nn.widgets.run_table import RunTable
from tui_nn_engine import Experiment
from tui_nn_engine.training.records import Record
from tui_nn_engine.training.runs import runs_folder

MOONS = """seed = 3
[data]
name = "moons"
samples = 40
noise = 0.4
validation_fraction = 0.3
[[layers]]
type = "dense"
units = 6
activation = "tanh"
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
[loss]
type = "binary_crossentropy"
[optimizer]
type = "adam"
learning_rate = 0.3
[training]
epochs = 60
batch_size = 9
threads = 1
"""
WHY = "val_loss did not get better by 0.0001 for 4 epochs; the weights are those after epoch"
PATIENT = "[stopping]\npatience = 4\nrestore_best_weights = true\n"


@pytest.fixture
def moons(tmp_path: Path) -> Path:
    path = tmp_path / "moons.toml"
    path.write_text(MOONS)
    return path


def tui_nn(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="tui-nn")


def test_the_command_line_says_why_and_ends_well(moons: Path, tmp_path: Path) -> None:
    moons.write_text(MOONS + PATIENT)
    result = tui_nn("train", moons, "--out", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert "Stopped early: epoch " in result.output
    assert WHY in result.output
    assert Record.read(tmp_path / "run").state == "stopped early"
    again = tui_nn("train", "--resume", tmp_path / "run", "--json")
    ended = json.loads(again.output.splitlines()[-1])
    assert (ended["event"], ended["reason"]) == ("run_ended", "stopped_early")
    assert ended["message"].startswith(WHY)


def test_more_patience_goes_on(moons: Path, tmp_path: Path) -> None:
    moons.write_text(MOONS + PATIENT)
    assert tui_nn("train", moons, "--out", tmp_path / "run").exit_code == 0
    more = tui_nn("train", "--resume", tmp_path / "run", "--set", "stopping.patience=60")
    assert "Completed: epoch 60" in more.output


def test_check_offers_the_figure_that_there_is(moons: Path) -> None:
    moons.write_text(MOONS + "[stopping]\npatience = 4\nmonitor = 'val_r2'\n")
    result = tui_nn("check", moons)
    assert result.exit_code == 2
    assert "stopping.monitor: the targets of 'moons' give no r2" in result.output
    assert "to mend it: monitor the loss" in result.output


async def test_compare_mode_marks_it_and_finds_it(laboratory: Any, moons: Path) -> None:
    for name, stopping in (("whole", ""), ("patient", PATIENT)):
        moons.write_text(MOONS + stopping)
        assert tui_nn("train", moons, "--out", runs_folder() / name).exit_code == 0
    async with laboratory(moons) as app:
        await app.mode("5", "compare")
        await app.until(lambda: len(app.app.screen.query_one(RunTable).rows) == 2, "both runs")
        await app.until(lambda: app.screen().count("⊣") == 1, "one mark")
        table = app.app.screen.query_one(RunTable)
        records = [row.record for row in table.rows]
        (found,) = filtered(records, "state = stopped early")
        assert found.folder.name == "patient"


async def test_from_the_form_to_the_last_epoch_and_on(laboratory: Any, moons: Path) -> None:
    async with laboratory(moons) as app:
        await app.mode("1", "build")
        await app.until(lambda: isinstance(app.app.focused, PartList), "the list of parts")
        listing = app.app.screen.query_one(PartList)
        listing.highlighted = listing.index_of("stopping")
        find = lambda: [  # noqa: E731
            one for one in app.app.screen.query(Field)
            if one.is_mounted and one.path == "stopping.loss"
        ]  # fmt: skip
        (field,) = await app.until(find, "the form")
        assert field.query_one(Input).placeholder == "never"
        field.query_one(Input).value = "0.42"
        await app.until(lambda: app.desk.draft.value("stopping.loss") == 0.42, "the loss")
        opened = lambda: app.monitor.opened.experiment["stopping"].get("loss") == 0.42  # noqa: E731
        await app.until(opened, "the edit in the run")
        await app.press("escape")
        await app.mode("2", "train")
        await app.press("space")
        await app.state("completed")
        await app.until(lambda: "loss reached" in app.title, "the state")
        assert ": loss reached" in app.counters
        assert "information: loss reached: the loss is 0.4" in app.log
        expected = Experiment.load(moons).overridden(["stopping.loss=0.42"])
        assert app.saved() == app.plain(expected)
        assert app.monitor.epoch < 60
        await app.press("m")
        await app.until(lambda: isinstance(app.app.screen, Ask), "the question")
        app.app.screen.query_one(Input).value = "60"
        await app.press("enter")
        await app.state("paused")
        assert "loss reached" not in app.title
        await app.press("space")
        await app.state("completed")
        assert app.monitor.epoch == 60
