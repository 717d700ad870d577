"""The contracts on imports in pyproject.toml hold, and would be broken by what they forbid."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    folders = (root, root / "engine", root / "datasets")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"]
    return subprocess.run(
        [*command, "--no-cache"], cwd=root, env=environment, capture_output=True, text=True
    )


def test_imports_run_one_way():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("datasets/tui_nn_datasets/toys.py", "import tui_nn_engine.blocks.paths"),
        ("engine/tui_nn_engine/blocks/paths.py", "import tui_nn.palette"),
        ("engine/tui_nn_engine/training/runs.py", "import rich.console"),
        ("engine/tui_nn_engine/programs/program.py", "import tui_nn_engine.training.trainer"),
        ("engine/tui_nn_engine/training/trainer.py", "import tui_nn_engine.training.runs"),
        ("tui_nn/commands/train.py", "import textual"),
    ],
)
def test_an_import_the_other_way_is_found(tmp_path, file, statement):
    for part in ("pyproject.toml", "tui_nn", "engine", "datasets"):
        (tmp_path / part).symlink_to(ROOT / part)
    copied_into(tmp_path, file, statement)
    done = lint_imports(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "BROKEN" in done.stdout


def copied_into(root: Path, file: str, statement: str) -> None:
    """Replace the links on the way to a file by folders, and the file by one that imports more."""
    here = root
    for part in Path(file).parts[:-1]:
        here = here / part
        origin = here.resolve()
        here.unlink()
        here.mkdir()
        for entry in origin.iterdir():
            (here / entry.name).symlink_to(entry)
    last = root / file
    text = last.read_text()
    last.unlink()
    last.write_text(f"{text}\n{statement}\n")
