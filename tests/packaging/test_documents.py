"""What README.md and docs/reference.md show works as it stands there."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tui_nn.review import review
from tui_nn_engine.checks.usual import usual_network
from tui_nn_engine.comparisons.comparison import Comparison

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TABLE = "size,rooms,city,price\n" + "".join(
    f"{size},{size // 20},{'Wien' if size % 3 else 'Graz'},{size * 3 + 7}\n"
    for size in range(40, 80)
)
MOONS = {"data": {"name": "moons", "samples": 40}, "loss": {"type": "binary_crossentropy"}}
OUTPUT = {"type": "dense", "units": 1, "activation": "sigmoid"}


def blocks(language: str) -> Iterator[Any]:
    """All blocks of a language, each with the file and the line it stands in."""
    for file in ("README.md", "docs/reference.md"):
        text = (ROOT / file).read_text("utf-8")
        for found in BLOCK.finditer(text):
            if found[1] == language:
                line = text[: found.start()].count("\n") + 1
                yield pytest.param(found[2], id=f"{file}:{line}")


def the_block(holds: str) -> str:
    """The first block of TOML that holds this text."""
    return next(one.values[0] for one in blocks("toml") if holds in one.values[0])


def commands() -> list[str]:
    """The lines of the shell blocks that call the program; set-up and developing are CI's."""
    lines = [line for block in blocks("sh") for line in block.values[0].splitlines()]
    return [line for line in lines if line.startswith("tui-nn ")]


def tui_nn(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    """Run a line of a shell block, up to a pipe."""
    words = shlex.split(command.partition("|")[0], comments=True)
    return subprocess.run(
        [sys.executable, "-m", *[words[0].replace("-", "_"), *words[1:]]],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the commands are called: an experiment, its table, new rows of it."""
    (tmp_path / "houses.csv").write_text(TABLE)
    (tmp_path / "new.csv").write_text(TABLE)
    (tmp_path / "experiment.toml").write_text(
        'data = { name = "csv", path = "houses.csv", target = "price" }\n'
        'layers = [{ type = "dense", units = 3 }, { type = "dense", units = 1 }]\n'
        'loss = "mse"\noptimizer = "adam"\ntraining = { epochs = 3, batch_size = 8 }\n'
    )
    return tmp_path


@pytest.mark.parametrize("command", commands())
def test_the_commands_of_the_readme_run(folder: Path, command: str) -> None:
    if "rates.toml" in command:
        shorter = the_block("# rates.toml").replace("epochs = 20", "epochs = 2")
        (folder / "rates.toml").write_text(shorter)
        (folder / "iris.toml").write_text(
            'data = { name = "iris", validation_fraction = 0.2 }\n'
            'layers = [{ type = "dense", units = 4 },\n'
            '          { type = "dense", units = 3, activation = "softmax" }]\n'
            'loss = "categorical_crossentropy"\noptimizer = "adam"\n'
        )
    if "sample" in command:
        (folder / "experiment.toml").write_text(
            'data = { name = "words" }\n'
            'layers = [{ type = "masking" },\n'
            '          { type = "dense", units = 27, activation = "softmax" }]\n'
            'loss = "categorical_crossentropy"\ntraining = { epochs = 1 }\n'
        )
    if "--iteration 500" in command:
        words = (folder / "experiment.toml").read_text()
        (folder / "experiment.toml").write_text(words.replace("epochs = 3", "epochs = 200"))
    if "runs/first" in command and "--out runs/first" not in command:
        made = tui_nn(folder, "tui-nn train experiment.toml --out runs/first")
        assert made.returncode == 0, made.stderr
    done = tui_nn(folder, command)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", blocks("toml"))
def test_what_a_file_may_say_is_accepted(folder: Path, text: str) -> None:
    tree = tomllib.loads(text)
    if "steps" in tree:
        (folder / "neuron.toml").write_text(text)
        done = tui_nn(folder, "tui-nn lesson neuron.toml")
        assert done.returncode == 0, done.stderr
    elif "compare" in tree:
        (folder / "experiment.toml").rename(folder / "iris.toml")
        (folder / "rates.toml").write_text(text)
        assert Comparison.load(folder / "rates.toml").members()
    else:
        (folder / "names.txt").write_text("anna\nbert\nclara\n" * 20)
        found = review(completed(tree, folder))
        assert found.problems == ()
        assert found.experiment is not None


def completed(tree: dict[str, Any], folder: Path) -> dict[str, Any]:
    """An experiment with these parts: whatever else it needs is put beside them."""
    if "path" in tree.get("data", {}):
        tree["data"]["path"] = str(folder / tree["data"]["path"])
    if "layers" not in tree:
        whole = MOONS | {"layers": [OUTPUT]} | tree
        data = review(whole).data
        if "data" not in tree or data is None:
            return whole
        usual = usual_network(data, "small")
        padded = [{"type": "masking"}] if data.dataset.steps else []
        return tree | usual | {"layers": [*padded, *usual["layers"]]}
    if "data" not in tree:
        tree["layers"] = [*tree["layers"], OUTPUT]
    return MOONS | tree if "data" not in tree else tree


@pytest.mark.parametrize("text", blocks("python"))
def test_the_python_of_the_readme_runs(folder: Path, text: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", text], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "RunEnded" in done.stdout


@pytest.mark.parametrize("text", blocks("console"))
def test_what_the_readme_shows_of_a_wrong_file_is_shown(folder: Path, text: str) -> None:
    command, _, shown = text.partition("\n")
    right = the_block("[[layers]]")
    wrong = right.replace("units = 10", "units = 0").replace("learning_rate", "lerning_rate")
    (folder / "bad.toml").write_text(wrong)
    done = tui_nn(folder, command.removeprefix("$ "))
    assert done.returncode == 2
    assert done.stdout.strip() == shown.strip()


def test_every_block_is_of_a_language_that_is_tried() -> None:
    for file in ("README.md", "docs/reference.md"):
        text = (ROOT / file).read_text("utf-8")
        assert {found[1] for found in BLOCK.finditer(text)} <= {"sh", "toml", "python", "console"}
        assert len(BLOCK.findall(text)) == text.count("\n```") // 2
