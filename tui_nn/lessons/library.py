"""The lessons there are, and a lesson by its name, its number or its path."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_nn.lessons.lesson import Lesson


@dataclass(frozen=True)
class Entry:
    """A lesson of the list. `number` counts as the course does: 6 is L6; 0 has no number."""

    name: str
    number: int
    title: str
    summary: str
    exercises: int
    step_titles: tuple[str, ...]

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.step_titles)


class UnknownLessonError(ValueError):
    """There is no lesson of that name."""


@cache
def entries() -> tuple[Entry, ...]:
    """The lessons that come with tui-nn, in order. Reads files; no network is built."""
    found = [_entry(file) for file in _files()]
    return tuple(sorted(found, key=lambda entry: (entry.number, entry.name)))


def find(word: str) -> str:
    """The name of the lesson meant by its name or number: "backpropagation", "L6", "6".

    Raises UnknownLessonError that names the nearest.
    """
    number = word.removeprefix("L").removeprefix("l")
    for entry in entries():
        if word == entry.name or (number.isdecimal() and int(number) == entry.number > 0):
            return entry.name
    from tui_nn_engine.blocks.schema import nearest

    names = [entry.name for entry in entries()]
    raise UnknownLessonError(
        f"there is no lesson {word!r}; {nearest(word, names)} (a file of your own: name its path)"
    )


def load(word: str) -> "Lesson":
    """By name, number, or the path of a file (anything that ends in .toml or has a /).

    Raises UnknownLessonError, and ExperimentError with all problems of the file.
    """
    from tui_nn.lessons.lesson import Lesson

    if is_path(word):
        return Lesson.load(word)
    return Lesson.from_toml(_folder().joinpath(f"{find(word)}.toml").read_text("utf-8"))


def name_of(word: str) -> str:
    """The name of what `load` would load: a file's is its stem. Raises UnknownLessonError."""
    return Path(word).stem if is_path(word) else find(word)


def is_path(word: str) -> bool:
    """Whether a file is meant."""
    return word.endswith(".toml") or "/" in word or "\\" in word


def is_lesson(path: Path) -> bool:
    """Whether a file tells a story, be it right or wrong: its experiments alone would not.

    Raises ExperimentError where it can't be read.
    """
    from tui_nn_engine.experiments.files import read_text

    return (
        re.search(r"^\s*(\[\[\s*steps\s*\]\]|steps\s*=)", read_text(path), re.MULTILINE) is not None
    )


def _folder() -> Traversable:
    return files("tui_nn.lessons")


def _files() -> list[Traversable]:
    return [file for file in _folder().iterdir() if file.name.endswith(".toml")]


def _entry(file: Traversable) -> Entry:
    tree = tomllib.loads(file.read_text("utf-8"))
    steps = tree["steps"]
    exercises = sum("exercise" in value for step in steps for value in step.get("values", ()))
    name = file.name.removesuffix(".toml")
    titles = tuple(step["title"] for step in steps)
    return Entry(name, tree["number"], tree["title"], tree["summary"], exercises, titles)
