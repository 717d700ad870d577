"""`tui-nn rates`: the range test without a screen."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui_nn.cli import main
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.rate_range import RangeTest


@pytest.fixture
def moons(moons: Path) -> Path:
    """By gradient descent, and at a rate that is not its default."""
    descent = ["optimizer.type=sgd", "optimizer.learning_rate=0.05"]
    Experiment.load(moons).overridden(descent).save(moons)
    return moons


def rates(*words: object) -> Result:
    return CliRunner().invoke(main, ["rates", *map(str, words)], prog_name="tui-nn")


def test_the_table_ends_with_a_suggestion_that_can_be_taken(moons: Path, tmp_path: Path) -> None:
    result = rates(moons)
    assert result.exit_code == 0, result.output
    *_, told = RangeTest(Trainer(Experiment.load(moons))).run()
    lines = result.output.splitlines()
    assert lines[0].split() == ["rate", "loss", "smoothed"]
    assert sum(line.endswith("  lowest") for line in lines) == 1
    assert f"Suggested: {told.suggestion:g}, a tenth of" in result.output
    assert "(now: 0.05)" in result.output
    how = lines[-1].removeprefix("Take it by: ").split()
    words = ["train", str(moons), *how, "--out", str(tmp_path / "run")]
    assert CliRunner().invoke(main, words).exit_code == 0
    used = Experiment.load(tmp_path / "run" / "experiment.toml")
    assert used.method.learning_rate == told.suggestion


def test_json_holds_all_of_it(moons: Path) -> None:
    result = rates(moons, "--json", "--from", "1e-4", "--to", "1", "--updates", "30")
    told = json.loads(result.output)
    assert (len(told["rates"]), told["rates"][0]) == (30, 1e-4)
    assert len(told["losses"]) == len(told["smoothed"]) == 30
    assert told["suggestion"] == pytest.approx(told["lowest"] / 10, rel=0.05)
    assert told["steepest"] in told["rates"]


def test_where_nothing_falls_it_says_so(moons: Path) -> None:
    result = rates(moons, "--from", "1e-12", "--to", "1e-10")
    assert result.exit_code == 0
    assert "After 100 of 100 rates: the loss fell at no rate." in result.output
    assert "No rate is suggested" in result.output


def test_bad_input_is_told(moons: Path) -> None:
    for words, says in (
        (("--from", "1", "--to", "0.1"), "the rates must grow"),
        (("--updates", "3"), "10 to 100,000 updates"),
        (("--set", "layers[0].units=0"), "must be at least 1"),
    ):
        result = rates(moons, *words)
        assert result.exit_code == 2
        assert says in result.output
