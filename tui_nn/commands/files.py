"""Experiment files and runs named on the command line, and the experiments in them."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui_nn.commands.failures import Failure

if TYPE_CHECKING:
    from tui_nn_engine import Experiment


def experiment_file(value: str) -> Path:
    """The path of a file that exists. Raises Failure naming the nearest file or command."""
    path = Path(value)
    if path.is_dir():
        raise Failure(f"{path} is a folder; name the experiment file{_inside(path)}")
    if not path.exists():
        raise Failure(f"there is no file {value!r}{_nearest(path, _commands())}")
    return path


def experiment_or_run(value: str) -> Path:
    """An experiment file, or the folder of a run. Raises Failure."""
    return Path(value) if (Path(value) / "experiment.toml").is_file() else experiment_file(value)


def folder_of_run(value: str) -> Path:
    """The folder of a run. Raises Failure."""
    folder = Path(value)
    if not (folder / "experiment.toml").is_file():
        raise Failure(f"{folder} is not the folder of a run: it holds no experiment.toml")
    return folder


def comparison_file(value: str) -> Path:
    """A comparison file, or one that comes with tui-nn by its name. Raises Failure."""
    from tui_nn.comparisons import shipped

    known = shipped()
    return known[value] if value in known and not Path(value).exists() else experiment_file(value)


override = click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="PATH=VALUE",
    help="Put a value into the experiment: --set training.epochs=3. May be repeated.",
)


def read_experiment(file: Path, assignments: Iterable[str]) -> "Experiment":
    """The experiment of a file, overridden first, so that --set can mend it.

    Raises ExperimentError with all problems.
    """
    from tui_nn_engine.experiments.experiment import Experiment, overridden
    from tui_nn_engine.experiments.files import read_text, tree_of

    return Experiment.parse(overridden(tree_of(read_text(file)), assignments))


def _commands() -> list[str]:
    """The commands that a first word might have meant; none once a command is named."""
    ctx = click.get_current_context()
    group = ctx.parent.command if ctx.parent and not ctx.info_name else None
    return group.list_commands(ctx) if isinstance(group, click.Group) else []


def _nearest(path: Path, commands: list[str]) -> str:
    if command := difflib.get_close_matches(str(path), commands, n=1):
        return f" and no such command; did you mean the command {command[0]!r}?"
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    except OSError:
        return f"; there is no folder {str(path.parent)!r} either"
    if close := difflib.get_close_matches(path.name, names, n=1):
        return f"; did you mean {str(path.with_name(close[0]))!r}?"
    return " and no such command; `tui-nn --help` lists them" if commands else ""


def _inside(folder: Path) -> str:
    files = sorted(str(file) for file in folder.glob("*.toml"))
    return f": {' or '.join(files[:3])}" if files else ""
