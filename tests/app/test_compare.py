"""Compare mode: runs laid beside each other, named, deleted, brought back; comparison files."""

import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, OptionList, Static

from tui_nn.forms.picker import Picker
from tui_nn.modes.compare import Compare
from tui_nn.widgets.ask_text import AskText
from tui_nn.widgets.curve import Curve
from tui_nn.widgets.difference_table import DifferenceTable
from tui_nn.widgets.run_table import RunTable
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.records import Label, Record
from tui_nn_engine.training.runs import Outcome, Run, runs_folder

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 36)])
TREE: dict[str, Any] = {
    "data": {"name": "moons", "samples": 40, "validation_fraction": 0.25},
    "layers": [{"type": "dense", "units": 1, "activation": "sigmoid"}],
    "loss": "binary_crossentropy",
    "optimizer": {"type": "sgd", "learning_rate": 0.1},
    "training": {"epochs": 5},
}
RATES = {"slow": 0.01, "middle": 0.1, "fast": 1.0}


@pytest.fixture
def runs() -> None:
    """Three runs with names, one rate each; the newest is "fast"."""
    for name, rate in RATES.items():
        tree = TREE | {"optimizer": {"type": "sgd", "learning_rate": rate}}
        for _ in Run(Trainer(Experiment.parse(tree)), runs_folder() / name).record():
            pass


class Comparing:
    """What Compare mode shows."""

    def __init__(self, app: Any) -> None:
        self.app = app

    @property
    def mode(self) -> Compare:
        mode = self.app.app.screen_stack[0]
        assert isinstance(mode, Compare)
        return mode

    @property
    def names(self) -> list[str]:
        """Of the runs listed; the engine's own are left out."""
        rows = self.mode.query_one(RunTable).rows
        return [str(row.values["name"]) for row in rows if str(row.values["name"])[:2] != "20"]

    @property
    def problem(self) -> str:
        return str(self.mode.query_one("#problem", Static).render())

    def series(self, curve: str) -> dict[str, float]:
        """The letters of the curves drawn, each with its last value."""
        found = {}
        for one in self.mode.query_one(f"#{curve}", Curve).series:
            bucket = one.history.at(10**9)
            assert bucket is not None
            found[one.name] = bucket.mean
        return found

    async def enter(self, count: int = 3) -> None:
        """Into the mode, until the runs are listed."""
        await self.app.mode("5", "compare")
        await self.until_listed(count)

    async def until_listed(self, count: int) -> None:
        await self.app.until(lambda: len(self.names) == count, f"{count} runs")

    async def to(self, name: str) -> None:
        """Make the run of this name the current one."""
        table = self.mode.query_one(RunTable)
        await self.app.until(lambda: self.app.app.focused is table, "focus on the runs")
        for _ in table.rows:
            await self.app.press("up")
        while table.current is None or table.current.values["name"] != name:
            await self.app.press("down")


@pytest.fixture
def comparing(runs: None) -> Callable[[Any], Comparing]:
    return Comparing


@SIZES
async def test_chosen_runs_lie_over_each_other_and_what_differs_is_told(
    laboratory: Any, comparing: Any, xor: Path, size: tuple[int, int]
) -> None:
    async with laboratory(xor, size) as app:
        compare = comparing(app)
        await compare.enter()
        await app.shows("val accuracy")
        for rate in ("=1 ", "=0.1 ", "=0.01 "):
            await app.shows(rate)
        for name in ("fast", "slow"):
            await app.shows(name)
            await compare.to(name)
            await app.press("space")
        await app.until(lambda: len(compare.series("loss")) == 2, "two curves")
        told = {name: Record.read(runs_folder() / name).last for name in RATES}
        expected = {"a": told["fast"]["val_loss"], "b": told["slow"]["val_loss"]}
        assert compare.series("loss") == pytest.approx(expected)
        await app.press("v")
        expected = {"a": told["fast"]["accuracy"], "b": told["slow"]["accuracy"]}
        assert compare.series("metric") == pytest.approx(expected)
        if size[0] == 80:
            await app.press("p")
            await app.shows("Loss, training")
            await app.press("p", "p")
        await app.shows("optimizer.learning_rate")
        table = compare.mode.query_one(DifferenceTable)
        await app.until(lambda: table.region.height > 2, "the table")
        (line,) = [one for one in app.screen().splitlines() if one[2:].startswith("optimizer.l")]
        assert line.strip("│ ").split()[1:] == ["1", "0.01"]
        if size[0] == 80:
            await app.press("p")
        await compare.to("slow")
        await app.press("space")
        await app.until(lambda: [*compare.series("loss")] == ["a"], "one curve")
        await app.press("a")
        await app.until(lambda: not compare.series("loss"), "no curve")


@SIZES
async def test_the_filter_narrows_the_list_and_says_what_is_wrong(
    laboratory: Any, comparing: Any, xor: Path, size: tuple[int, int]
) -> None:
    async with laboratory(xor, size) as app:
        compare = comparing(app)
        await compare.enter()
        await app.press("slash")
        field = compare.mode.query_one(Input)
        await app.until(lambda: app.app.focused is field, "the filter")
        for key in "optimizer.learning_rate >= 0.1":
            await app.press({" ": "space", ".": "full_stop"}.get(key, key))
        await compare.until_listed(2)
        assert sorted(compare.names) == ["fast", "middle"]
        field.value = "optimizer.lerning_rate >= 0.1"
        await app.shows("did you mean")
        assert "'optimizer.learning_rate'" in compare.problem
        await compare.until_listed(3)  # nothing is hidden by a mistake
        field.value = "data.name = moons, name = slow"
        await compare.until_listed(1)
        await app.press("enter", "a")
        await app.until(lambda: len(compare.series("loss")) == 1, "its curve")
        field.value = "fast"
        await app.until(lambda: not compare.series("loss"), "no curve of what is not listed")
        await compare.until_listed(1)
        await app.press("a")
        await app.until(lambda: len(compare.series("loss")) == 1, "the other's curve")
        field.value = ""
        await app.until(lambda: len(compare.series("loss")) == 2, "both")
        await app.press("a")
        await app.until(lambda: not compare.series("loss"), "none")
        await app.press("slash", "escape")
        assert isinstance(app.app.focused, RunTable)


async def test_runs_are_sorted_by_key_and_by_a_click(
    laboratory: Any, comparing: Any, xor: Path
) -> None:
    async with laboratory(xor) as app:
        compare = comparing(app)
        await compare.enter()
        assert compare.names == ["fast", "middle", "slow"]
        await app.press("s")
        await app.until(lambda: compare.names == ["fast", "middle", "slow"], "by name")
        await app.shows("▲name")
        await app.press("S")
        await app.until(lambda: compare.names == ["slow", "middle", "fast"], "the other way")
        heading = next(line for line in app.screen().splitlines() if "▼name" in line)
        losses = {name: Record.read(runs_folder() / name).last["loss"] for name in RATES}
        offset = (heading.index(" loss") + 3, app.screen().splitlines().index(heading))
        await app.pilot.click(offset=offset)
        by_loss = sorted(losses, key=lambda name: losses[name])
        await app.until(lambda: compare.names == by_loss, "by loss")
        await app.pilot.click(offset=offset)
        await app.until(lambda: compare.names == by_loss[::-1], "the other way by loss")


@SIZES
async def test_a_run_is_renamed_tagged_deleted_and_brought_back(
    laboratory: Any, comparing: Any, xor: Path, size: tuple[int, int]
) -> None:
    async with laboratory(xor, size) as app:
        compare = comparing(app)
        await compare.enter()
        await compare.to("middle")
        await app.press("n")
        await app.until(lambda: isinstance(app.app.screen, AskText), "the question")
        app.app.screen.query_one(Input).value = " the best "
        await app.press("enter")
        await app.until(lambda: "the best" in compare.names, "the name")
        await app.press("g")
        await app.until(lambda: isinstance(app.app.screen, AskText), "the question")
        app.app.screen.query_one(Input).value = "kept, shown"
        await app.press("enter")
        await app.until(lambda: "the best #kept #shown" in compare.names, "the tags")
        assert Label.of(runs_folder() / "middle") == Label("the best", ("kept", "shown"))
        await app.press("n")
        await app.until(lambda: isinstance(app.app.screen, AskText), "the question")
        await app.press("escape")
        await app.press("x")
        await compare.until_listed(2)
        assert not (runs_folder() / "middle").exists()
        await app.shows("Deleted when the app ends")
        await app.press("ctrl+z")
        await compare.until_listed(3)
        await app.until(lambda: "Deleted" not in app.screen(), "no word of it")
        assert Label.of(runs_folder() / "middle").name == "the best"
        await compare.to("slow")
        await app.press("delete")
        await compare.until_listed(2)
    assert not (runs_folder() / "slow").exists()
    assert not [*runs_folder().glob(".*")]


async def test_the_run_that_is_open_is_not_deleted(
    laboratory: Any, comparing: Any, xor: Path
) -> None:
    async with laboratory(xor) as app:
        await app.press("space")
        await app.state("completed")
        compare = comparing(app)
        await compare.enter()
        await compare.to(app.folder.name)
        await app.press("x")
        await app.shows("open in Train")
        assert app.folder.exists()


async def test_an_experiment_is_opened_as_a_new_one(
    laboratory: Any, comparing: Any, xor: Path
) -> None:
    async with laboratory(xor) as app:
        await app.mode("1", "build")
        compare = comparing(app)
        await compare.enter()
        await compare.to("slow")
        await app.press("b")
        await app.until(lambda: app.app.current_mode == "build", "Build")
        assert Experiment.parse(app.desk.draft.tree).data.name == "moons"
        await app.shows("moons")
        before = [*runs_folder().glob("*/run.json")]
        await app.press("f5")
        await app.state("completed")
        assert app.folder not in [path.parent for path in before]
        assert Record.read(app.folder).last == Record.read(runs_folder() / "slow").last


COMPARISON = """
[data]
name = "moons"
samples = 40
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
[loss]
type = "binary_crossentropy"
[training]
epochs = 20
[compare.optimizer]
"plain" = { type = "sgd" }
"with momentum" = { type = "sgd", momentum = 0.9 }
"""


async def test_a_comparison_file_runs_live_to_its_ranking(laboratory: Any, tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(COMPARISON)
    async with laboratory(path, (80, 24)) as app:
        assert app.app.current_mode == "compare"
        compare = Comparing(app)
        await compare.until_listed(2)
        assert sorted(compare.names) == ["plain", "with momentum"]
        await app.shows("two.toml: all runs have ended, the best")
        await app.shows("with momentum: val loss")
        runs = [Record.read(folder.parent) for folder in runs_folder().glob("two/*/run.json")]
        assert [run.state for run in runs] == ["completed"] * 2
        await app.until(lambda: compare.names == ["with momentum", "plain"], "a ranking")
        assert [*compare.series("loss")] == ["a", "b"]  # drawn without being chosen
        await compare.to("plain")
        await app.press("space")
        await app.until(lambda: [*compare.series("loss")] == ["a"], "one of them")
        last = next(run.last for run in runs if run.label.name == "with momentum")
        assert compare.series("loss")["a"] == pytest.approx(last["val_loss"])


async def test_what_is_wrong_with_a_comparison_file_is_said(
    laboratory: Any, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(COMPARISON.replace("units = 1", "units = 0"))
    async with laboratory(path) as app:
        await app.shows("layers[0].units: must be at least 1")
        await app.shows("No run has been saved yet")


async def test_a_comparison_is_stopped_and_gone_on_with(laboratory: Any, tmp_path: Path) -> None:
    path = tmp_path / "long.toml"
    path.write_text(COMPARISON.replace("epochs = 20", "epochs = 1000000"))
    async with laboratory(path) as app:
        compare = Comparing(app)
        await compare.until_listed(2)
        await app.shows("▶ long.toml: 0 of 2 runs ended")
        await app.until(lambda: all(row.values["epoch"] for row in _rows(compare)), "progress")
        await compare.to("plain")
        await app.press("x")
        await app.shows("is being trained")
        await app.press("c")
        await app.until(lambda: isinstance(app.app.screen, Picker), "the choice")
        options = app.app.screen.query_one(OptionList)
        assert options.get_option_at_index(0).id == "stop long.toml"
        assert options.get_option("strategies")
        await app.press("enter")
        await app.shows("0 of 2 runs ended; the same command goes on with the others")
        await app.until(lambda: not compare.mode.standings, "the end")
        (again,) = [row for row in _rows(compare) if row.values["name"] == "plain"]
        folder = again.record.folder
        epoch = Record.read(folder).epochs[-1].epoch
        assert (folder / "checkpoints" / "last.safetensors").exists()
        compare.mode.run_comparison(path)
        await app.until(lambda: Record.read(folder).epochs[-1].epoch > epoch, "more than was there")
    # The app is closed: the comparison under way was saved, and has ended.
    told = json.loads((folder / "run.json").read_text())
    assert told["seconds"] > 0
    assert Outcome.of(folder).ended is None


async def test_what_was_begun_when_one_leaves_is_left_in_order(
    laboratory: Any, tmp_path: Path
) -> None:
    path = tmp_path / "long.toml"
    path.write_text(COMPARISON.replace("epochs = 20", "epochs = 1000000"))
    async with laboratory(None) as app:
        await app.mode("5", "compare")
        Comparing(app).mode.run_comparison(path)
    gc.collect()  # a pipe left open would be told of now, and fail


def _rows(compare: Comparing) -> Any:
    return compare.mode.query_one(RunTable).rows
