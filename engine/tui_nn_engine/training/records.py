"""What the folder of a run tells of it, read without training anything; and how runs differ."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from tui_nn_engine.experiments.differences import all_differences
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.experiments.files import write_atomically
from tui_nn_engine.metrics import is_better_large
from tui_nn_engine.training.events import EpochEnded, RunEnded
from tui_nn_engine.training.runs import Outcome, read_metrics


@dataclass(frozen=True)
class Label:
    """What a person calls a run: a name and tags; kept in about.json."""

    name: str = ""
    tags: tuple[str, ...] = ()
    place: int = 0
    """Among the runs of a comparison."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """As the folder says; nothing where it says nothing, or no sense."""
        try:
            told = json.loads((folder / "about.json").read_text(encoding="utf-8"))
            return cls(str(told["name"]), tuple(map(str, told["tags"])), int(told["place"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return cls()

    def write(self, folder: Path) -> None:
        """Into the folder, atomically. Raises OSError."""
        text = json.dumps(asdict(self), ensure_ascii=False)
        write_atomically(folder / "about.json", text.encode())


@dataclass(frozen=True, eq=False)
class Record:
    """A run as its folder tells it."""

    folder: Path
    experiment: Experiment
    epochs: tuple[EpochEnded, ...]
    outcome: Outcome
    label: Label

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Raises ExperimentError where its experiment can't be read."""
        experiment = Experiment.load(folder / "experiment.toml")
        epochs = tuple(read_metrics(folder / "metrics.jsonl"))
        return cls(folder, experiment, epochs, Outcome.of(folder), Label.of(folder))

    @cached_property
    def tree(self) -> dict[str, Any]:
        """The experiment with its defaults as plain tables and lists."""
        return self.experiment.tree(defaults=True)

    @cached_property
    def given(self) -> dict[str, Any]:
        """The experiment without what is at its default, be it written in its file or not."""
        return self.experiment.model_dump(mode="json", exclude_defaults=True)

    @property
    def ended(self) -> RunEnded | None:
        """How it ended, if it has."""
        return self.outcome.ended

    @property
    def state(self) -> str:
        """In a word."""
        return self.ended.how if self.ended is not None else "unfinished"

    @property
    def last(self) -> dict[str, float]:
        """Figures of the last epoch, and of the test data: loss, val_loss, test_loss, ..."""
        found = figures(self.epochs[-1]) if self.epochs else {}
        if self.ended is not None and self.ended.test_loss is not None:
            tests = {"loss": self.ended.test_loss, **(self.ended.test_metrics or {})}
            found |= {f"test_{name}": value for name, value in tests.items()}
        return found

    def best(self, name: str) -> float | None:
        """The best that a figure was after any epoch; None where it never was a number."""
        values = [value for value in self.values(name) if math.isfinite(value)]
        pick = max if is_better_large(name) else min
        return pick(values, default=None)

    def values(self, name: str) -> list[float]:
        """A figure after each epoch that was told."""
        told = (figures(epoch).get(name) for epoch in self.epochs)
        return [value for value in told if value is not None]


def figures(epoch: EpochEnded) -> dict[str, float]:
    """By name: loss, the metrics, and those of the validation data with "val_"."""
    found = {"loss": epoch.loss, **epoch.metrics}
    if epoch.val_loss is not None:
        found["val_loss"] = epoch.val_loss
        found |= {f"val_{name}": value for name, value in (epoch.val_metrics or {}).items()}
    return found


def ranking_figure(records: Sequence[Record]) -> str:
    """The figure that runs are ranked by: the loss where all minimize the same one, else the first
    metric; of the validation data where all have some. "" while there is nothing to rank.
    """
    known = [figures(record.epochs[-1]) for record in records if record.epochs]
    if not known:
        return ""
    losses = {repr(record.experiment.loss) for record in records}
    metrics = [name for name in known[0] if name != "loss" and not name.startswith("val_")]
    name = "loss" if len(losses) == 1 or not metrics else metrics[0]
    validated = all(f"val_{name}" in one for one in known)
    return f"val_{name}" if validated else name


def rank(records: Sequence[Record], name: str) -> list[int]:
    """The places of the records, best first by the best of this figure; those without one last."""

    def key(index: int) -> tuple[bool, bool, float]:
        record = records[index]
        value = record.best(name)
        sign = -1.0 if is_better_large(name) else 1.0
        return value is None, record.state == "diverged", sign * (value or 0.0)

    return sorted(range(len(records)), key=key)


def differences(experiments: Sequence[Experiment]) -> dict[str, tuple[Any, ...]]:
    """Where experiments differ, by path as in `all_differences`; BLAS threads are passed over."""
    found = all_differences(experiments)
    return {path: values for path, values in found.items() if path != "training.threads"}
