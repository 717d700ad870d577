"""How far a person has come in the lessons: a small JSON file among the user's data.

Writing never stops a lesson: where the file can't be written, `save` says so and goes on.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from tui_nn_engine.blocks.schema import Block
from tui_nn_engine.experiments.files import write_atomically

LARGEST = 4 * 2**20


def progress_file() -> Path:
    """Where it is kept: $TUI_NN_PROGRESS, else in the user's data folder."""
    if given := os.environ.get("TUI_NN_PROGRESS"):
        return Path(given)
    from platformdirs import user_data_path

    return user_data_path("tui-nn") / "progress.json"


class Done(Block):
    """What is done of one lesson: the step that was open last, and the exercises solved.

    An exercise is named by its place, "2.0": the first value of the third step. `attempts` counts
    the answers given to each, right or wrong.
    """

    step: int = Field(default=0, ge=0)
    seen: tuple[int, ...] = ()
    solved: tuple[str, ...] = ()
    attempts: dict[str, int] = {}


class _File(Block):
    version: int = 1
    lessons: dict[str, Done] = {}


@dataclass
class Progress:
    """All lessons' progress; `warning` tells what was wrong with the file it was read from."""

    path: Path
    lessons: dict[str, Done] = field(default_factory=dict)
    warning: str = ""

    @classmethod
    def load(cls, path: Path | None = None) -> "Progress":
        """Read the file. A damaged one is put aside under another name, and a new one begun."""
        path = path or progress_file()
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError("it is too large")
            read = _File.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls(path)
        except OSError as error:
            return cls(path, warning=f"can't read your progress, {path}: {error.strerror}")
        except (ValueError, ValidationError, RecursionError):
            return cls(path, warning=_put_aside(path))
        return cls(path, dict(read.lessons))

    def of(self, lesson: str) -> Done:
        """What is done of a lesson."""
        return self.lessons.get(lesson, Done())

    def opened(self, lesson: str, step: int) -> None:
        """This step is on the screen."""
        seen = tuple(sorted({*self.of(lesson).seen, step}))
        self._change(lesson, step=step, seen=seen)

    def answered(self, lesson: str, step: int, value: int, *, solved: bool) -> None:
        """An exercise was tried."""
        done, place = self.of(lesson), f"{step}.{value}"
        attempts = {**done.attempts, place: done.attempts.get(place, 0) + 1}
        all_solved = tuple(sorted({*done.solved, place})) if solved else done.solved
        self._change(lesson, attempts=attempts, solved=all_solved)

    def is_solved(self, lesson: str, step: int, value: int) -> bool:
        """Whether the exercise of that value has been solved."""
        return f"{step}.{value}" in self.of(lesson).solved

    def forget(self, lesson: str) -> None:
        """Begin the lesson anew."""
        self.lessons.pop(lesson, None)

    def save(self) -> str:
        """Write the file atomically; returns what went wrong, or ""."""
        tree = _File(lessons=self.lessons).model_dump(mode="json")
        try:
            write_atomically(self.path, json.dumps(tree, indent=1).encode())
        except OSError as error:
            return f"can't keep your progress in {self.path}: {error.strerror or error}"
        return ""

    def _change(self, lesson: str, **values: Any) -> None:
        self.lessons[lesson] = self.of(lesson).model_copy(update=values)


def _put_aside(path: Path) -> str:
    aside = path.with_name(f"{path.name}.damaged")
    count = 2
    while aside.exists():
        aside, count = path.with_name(f"{path.name}.damaged-{count}"), count + 1
    try:
        path.rename(aside)
    except OSError as error:
        return f"your progress in {path} can't be read, nor put aside: {error.strerror}"
    return f"your progress could not be read; the file is kept as {aside}, a new one is begun"
