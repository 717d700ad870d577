"""What training tells: typed events, the same for screen, command line and tests."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Reason = Literal[
    "completed", "stopped_early", "loss_reached", "time_up",
    "diverged", "interrupted", "terminated",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins or goes on: what is trained, and on what."""

    experiment: dict[str, Any]
    parameters: int
    threads: int
    samples: int
    batches_per_epoch: int
    iteration: int = 0
    out: str | None = None


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """An epoch's figures; the loss is the sample-weighted mean of its batches' before updates."""

    epoch: int
    iteration: int
    loss: float
    metrics: dict[str, float]
    val_loss: float | None = None
    val_metrics: dict[str, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Epochs:
    """The epochs ended since the last progress, a row each, without an object for each.

    `values` is float64 (epochs, columns); the columns are "epoch", "iteration", "loss", the
    metrics, "penalty" where the size of weights costs (of those that the epoch's last update
    found; no part of the loss), and, where there is validation data, "val_loss" and the metrics
    with "val_".
    """

    columns: tuple[str, ...] = ()
    values: NDArray[np.float64] = field(default_factory=lambda: np.empty((0, 0)))

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[EpochEnded]:
        for row in self.values.tolist():
            yield self._event(dict(zip(self.columns, row, strict=True)))

    def column(self, name: str) -> NDArray[np.float64]:
        """The values of one column, (epochs,)."""
        return self.values[:, self.columns.index(name)]

    @staticmethod
    def _event(row: dict[str, float]) -> EpochEnded:
        epoch, iteration, loss = int(row.pop("epoch")), int(row.pop("iteration")), row.pop("loss")
        val_loss = row.pop("val_loss", None)
        val = {name[4:]: value for name, value in row.items() if name.startswith("val_")}
        metrics = {name: value for name, value in row.items() if not name.startswith("val_")}
        return EpochEnded(epoch, iteration, loss, metrics, val_loss, val or None)


@dataclass(frozen=True, slots=True, eq=False)
class Progress:
    """What happened since the last one: every loss, every ended epoch.

    `iteration` updates are made; `losses` float64 belongs to updates `first_iteration` to
    `iteration`, counted from 1. `epoch` (from 1) is under way, `batch` of its batches are done.
    `seconds` were spent computing.
    """

    iteration: int
    epoch: int
    batch: int
    first_iteration: int
    losses: NDArray[np.float64]
    epochs: Epochs
    learning_rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint was written."""

    path: str
    iteration: int


@dataclass(frozen=True, slots=True)
class SaveFailed:
    """A checkpoint could not be written; the one before is intact and training goes on."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """A condition stopped training after this many updates; `reason` is one sentence.

    Training can go on.
    """

    iteration: int
    reason: str


@dataclass(frozen=True, slots=True)
class RunEnded:
    """No more updates: why, and how the network does on its test data."""

    reason: Reason
    epoch: int
    iteration: int
    message: str = ""
    test_loss: float | None = None
    test_metrics: dict[str, float] | None = None
    out: str | None = None

    @property
    def done(self) -> bool:
        """Whether there is nothing left to train: its epochs are complete, or it may end before."""
        return self.reason in {"completed", "stopped_early", "loss_reached", "time_up"}

    @property
    def how(self) -> str:
        """The reason as people read it: "stopped early"."""
        return self.reason.replace("_", " ")


Event = RunStarted | Progress | Saved | SaveFailed | Stopped | RunEnded


def as_json(event: Event | EpochEnded) -> dict[str, Any]:
    """An event as one JSON object; what is unknown (None) is left out."""
    name = re.sub(r"(?<!^)([A-Z])", r"_\1", type(event).__name__).lower()
    found: dict[str, Any] = {"event": name}
    for item in fields(event):
        value = getattr(event, item.name)
        if value is None or isinstance(value, Epochs) or (isinstance(value, str) and not value):
            continue
        found[item.name] = value.tolist() if isinstance(value, np.ndarray) else value
    return found
