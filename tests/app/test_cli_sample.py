"""`tui-nn sample`: text of a run, the same each time, and what it can't be asked for."""

import pytest
from click.testing import CliRunner

from tui_nn.cli import main
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.runs import Run


def tui_nn(*words):
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="tui-nn")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One dense layer at every step tells the next letter from the one before."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "own.txt").write_text("abc\n" * 60)
    experiment = {
        "data": {"name": "text", "path": str(folder / "own.txt"), "window": 8, "stride": 4},
        "layers": [{"type": "dense", "units": 4, "activation": "softmax"}],
        "loss": {"type": "categorical_crossentropy"},
        "optimizer": {"type": "adam", "learning_rate": 0.1},
        "training": {"epochs": 60, "threads": 1},
    }
    for _ in Run(Trainer(Experiment.parse(experiment)), folder).record():
        pass
    return folder


def test_it_writes_what_it_learned(run):
    result = tui_nn("sample", run, "--count", 2, "--length", 6, "--temperature", 0)
    assert result.exit_code == 0, result.output
    assert result.stdout == "abc\nab\n" * 2
    started = tui_nn("sample", run, "--count", 1, "--length", 4, "--start", "b", "--temperature", 0)
    assert started.stdout == "bc\nab\n"


def test_the_same_seed_writes_the_same(run):
    words = ("sample", run, "--temperature", 20, "--length", 30)
    one, same, other = (tui_nn(*words, "--seed", seed).stdout for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert len(set(tui_nn(*words, "--seed", 1, "--count", 3).stdout)) <= 5


def test_a_capital_is_the_small_letter_where_the_text_has_only_that(run):
    small = tui_nn("sample", run, "--start", "ab", "--count", 1)
    assert tui_nn("sample", run, "--start", "Ab", "--count", 1).stdout[1:] == small.stdout[1:]


def test_the_folder_stays_as_it_was(run):
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    tui_nn("sample", run)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_what_it_cannot_be_asked_for(run, tmp_path):
    unknown = tui_nn("sample", run, "--start", "z")
    assert unknown.exit_code == 2
    assert "--start: 'own.txt' holds no 'z'" in unknown.stderr
    no_number = tui_nn("sample", run, "--temperature", "nan")
    assert no_number.exit_code == 2
    assert "--temperature is no number" in no_number.stderr
    nothing = tui_nn("sample", tmp_path)
    assert nothing.exit_code == 2
    assert "is not the folder of a run" in nothing.stderr
    xor = {
        "data": {"name": "xor"},
        "layers": [{"type": "dense", "units": 1}],
        "loss": {"type": "mean_squared_error"},
        "training": {"epochs": 1},
    }
    for _ in Run(Trainer(Experiment.parse(xor)), tmp_path / "xor").record():
        pass
    refused = tui_nn("sample", tmp_path / "xor")
    assert refused.exit_code == 2
    assert "'xor' is no text" in refused.stderr
