"""`tui-nn step`: one update on paper, the same numbers as Step mode's."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui_nn.cli import main
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.stepping.handout import handout
from tui_nn_engine.stepping.handout_formats import FORMATS
from tui_nn_engine.stepping.stepper import Stepper


def step(*words: object) -> Result:
    return CliRunner().invoke(main, ["step", *map(str, words)], prog_name="tui-nn")


def told(
    file: Path, style: str, iteration: int = 1, sample: int = 1, notation: Notation | None = None
) -> str:
    trainer = Trainer(Experiment.load(file))
    for _ in range(iteration - 1):
        trainer.update()
    return FORMATS[style](handout(Stepper(trainer), sample - 1, notation or Notation()))


@pytest.mark.parametrize("style", FORMATS)
@pytest.mark.parametrize("iteration", [1, 2, 7, 10])
def test_it_prints_that_update(xor: Path, style: str, iteration: int) -> None:
    result = step(xor, "--iteration", iteration, "--format", style, "--sample", 2)
    assert result.exit_code == 0
    assert result.stdout == told(xor, style, iteration, 2)
    assert result.stderr == ""


def test_without_options_it_is_the_first_update_as_text(xor: Path) -> None:
    result = step(xor)
    assert result.stdout == told(xor, "text")
    assert result.stdout.startswith("xor: update 1, sample 1 of 2\n")


def test_notation_is_chosen(xor: Path) -> None:
    result = step(xor, "--names", "code", "--error", "e", "--digits", 7, "--format", "json")
    assert result.stdout == told(xor, "json", notation=Notation("code", "e", 7))
    assert json.loads(result.stdout)["error"] == "e = −∂E/∂z"


@pytest.mark.parametrize(
    ("name", "style"),
    [("a.md", "markdown"), ("a.csv", "csv"), ("a.json", "json"), ("a.txt", "text"), ("a", "text")],
)
def test_a_file_is_written_in_the_format_of_its_name(xor: Path, name: str, style: str) -> None:
    out = xor.with_name(name)
    result = step(xor, "--out", out)
    assert (result.exit_code, result.output) == (0, "")
    assert out.read_text(encoding="utf-8") == told(xor, style)
    assert step(xor, "--out", out, "--format", "csv").exit_code == 0
    assert out.read_text(encoding="utf-8") == told(xor, "csv")


def test_no_run_is_left_behind(xor: Path, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    assert step(xor, "--iteration", 10).exit_code == 0
    assert set(tmp_path.rglob("*")) == before


def test_an_experiment_is_overridden(xor: Path) -> None:
    result = step(
        xor, "--set", "optimizer.type=sgd", "--iteration", 11, "--set", "training.epochs=6"
    )
    assert result.exit_code == 0
    assert "Update rule: sgd, learning rate 0.1" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--iteration", 11], "makes 10 updates, so there is no update 11; add epochs: --set"),
        (["--iteration", 11], "training.epochs=6"),
        (
            ["--iteration", 4, "--set", "stopping.loss=100"],
            "training ends after update 2 (the loss is",
        ),
        (["--iteration", 0], "0 is not in the range x>=1"),
        (["--sample", 3], "this batch has 2 samples: there is no sample 3"),
        (["--sample", 0], "0 is not in the range x>=1"),
        (["--digits", 18], "18 is not in the range 1<=x<=17"),
        (["--format", "pdf"], "'pdf' is not one of"),
        (["--names", "w"], "'w' is not one of"),
        (["--set", "training.epoch=3"], "did you mean 'epochs'?"),
        (["--set", "loss.type=mse2"], "loss"),
    ],
)
def test_bad_input_is_told(xor: Path, words: list[object], message: str) -> None:
    result = step(xor, *words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_a_file_that_can_not_be_written_is_told(xor: Path) -> None:
    result = step(xor, "--out", xor / "below" / "a.md")
    assert result.exit_code == 2
    assert f"can't write {xor / 'below' / 'a.md'}" in result.stderr


def test_a_file_that_is_not_there_is_told(xor: Path) -> None:
    result = step(xor.with_name("xro.toml"))
    assert result.exit_code == 2
    assert f"did you mean {str(xor)!r}" in result.stderr


@pytest.mark.parametrize("iteration", [2, 9])
def test_divergence_has_its_own_exit_code(xor: Path, iteration: int) -> None:
    wild = ["optimizer.type=sgd", "optimizer.learning_rate=1e38", "layers[1].activation=linear"]
    wild += ["loss.type=mean_squared_error", "layers[0].activation=linear"]
    words = [word for each in wild for word in ("--set", each)]
    result = step(xor, *words, "--iteration", iteration)
    assert result.exit_code == 3
    assert result.stderr.startswith("Diverged: update 2 gave a number that is not finite")
    assert result.stdout == ""


def test_help_says_how_it_counts() -> None:
    result = step("--help")
    words = " ".join(result.stdout.split())
    assert "Which update, counted from 1, the first; those before it are trained first." in words
    assert "Which sample of its batch to follow, counted from 1." in words
