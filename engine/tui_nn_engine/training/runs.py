"""The folder of one run: experiment.toml, metrics.jsonl, checkpoints, log, run.json (how long it
has computed, and how it ended); and where runs live.

A run saves itself while it is trained. Nothing that goes wrong with a disk stops the training.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np

from tui_nn_engine.blocks import strict_json
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.experiments.files import ensure_writable, write_atomically
from tui_nn_engine.experiments.resuming import resumed
from tui_nn_engine.training import checkpoint
from tui_nn_engine.training.checkpoint import Checkpoint, CheckpointError
from tui_nn_engine.training.claim import Claim, claimed
from tui_nn_engine.training.events import (
    EpochEnded,
    Epochs,
    Event,
    Progress,
    Reason,
    RunEnded,
    RunStarted,
    Saved,
    SaveFailed,
)
from tui_nn_engine.training.state import Snapshot
from tui_nn_engine.training.timeline import Timeline
from tui_nn_engine.training.trainer import After, Trainer

AUTOSAVE_SECONDS = 30.0
SAVING_SHARE = 0.05  # of the time: epochs that end faster than that are not all saved


def runs_folder() -> Path:
    """Where runs are kept: $TUI_NN_RUNS, else a folder of the user's."""
    if given := os.environ.get("TUI_NN_RUNS"):
        return Path(given)
    from platformdirs import user_data_path

    return user_data_path("tui-nn") / "runs"


def new_folder(name: str) -> Path:
    """A folder name nobody uses yet, by date, time and data set; it is not made here."""
    stem = f"{datetime.now():%Y%m%d-%H%M%S}-{name}"
    folder, count = runs_folder() / stem, 2
    while folder.exists():
        folder, count = runs_folder() / f"{stem}-{count}", count + 1
    return folder


@dataclass(frozen=True)
class Outcome:
    """How long a run has computed, and how it ended, where it has."""

    seconds: float = 0.0
    ended: RunEnded | None = None

    @classmethod
    def of(cls, folder: Path) -> Self:
        """As the folder says; nothing where it says nothing, or no sense."""
        try:
            told = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            ended = RunEnded(**told["ended"]) if told.get("ended") else None
            if ended is not None and ended.reason not in get_args(Reason):
                raise ValueError(ended.reason)
            return cls(float(told["seconds"]), ended)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls()

    def write(self, folder: Path) -> None:
        """Into the folder, atomically. Raises OSError."""
        ended = None
        if self.ended is not None:
            told = ((item.name, getattr(self.ended, item.name)) for item in fields(self.ended))
            ended = {name: value for name, value in told if name != "out"}
        text = strict_json.dumps({"seconds": self.seconds, "ended": ended})
        write_atomically(folder / "run.json", text.encode())


def is_run(folder: Path) -> bool:
    """Whether a run was begun there; an experiment.toml alone may be anybody's."""
    return (folder / "run.json").is_file() or _last(folder).is_file()


def trained(folder: Path, experiment: Experiment | None = None, data: Any = None) -> Trainer:
    """A trainer where the last checkpoint of a run stands; nothing in its folder is changed.

    `experiment` replaces the one of the folder, see `resumed`. Raises CheckpointError where there
    is no checkpoint or it does not fit, ExperimentError, `tui_nn_datasets.DataError`.
    """
    path = _last(folder)
    if not path.exists():
        raise _no_checkpoint(folder)
    loaded = checkpoint.load(path)
    at = loaded.snapshot
    trainer = Trainer(_wanted(folder, experiment, at.iteration, at.epoch + (at.batch > 0)), data)
    if trainer.data.sha256 != loaded.data_sha256:
        raise CheckpointError(
            f"{path} was trained on other data than {trainer.data.dataset.name!r} is now; "
            "restore that data or start a new run"
        )
    try:
        trainer.restore(at)
    except ValueError as error:
        raise CheckpointError(f"{path} does not fit experiment.toml: {error}") from None
    return trainer


def _last(folder: Path) -> Path:
    return folder / "checkpoints" / "last.safetensors"


def _wanted(
    folder: Path, experiment: Experiment | None, iteration: int = 0, epochs: int = 0
) -> Experiment:
    stored = Experiment.load(folder / "experiment.toml")
    return stored if experiment is None else resumed(stored, experiment, iteration, epochs)


def _no_checkpoint(folder: Path) -> CheckpointError:
    why = "is it the folder of a run?"
    if is_run(folder):
        why = "its run was broken off before the first; resumed, it begins anew"
    elif (folder / "experiment.toml").exists():
        why = f"no run was begun there; open or train the file {folder / 'experiment.toml'} itself"
    return CheckpointError(f"{folder} holds no checkpoint; {why}")


class Run:
    """A trainer and the folder that keeps what it does."""

    def __init__(
        self, trainer: Trainer, folder: Path | None = None, timeline: Timeline | None = None
    ) -> None:
        self.trainer = trainer
        self.timeline = timeline or Timeline(trainer)
        self.folder = folder or new_folder(trainer.experiment.data.name)
        self._last_save = time.monotonic()
        self._next_save = 0.0
        self._failed = False
        self._outcome = Outcome()
        self._told = trainer.state.iteration  # epochs until there are in metrics.jsonl
        self._claim: Claim | None = None

    @classmethod
    def resume(cls, folder: Path, experiment: Experiment | None = None, data: Any = None) -> Self:
        """Go on where the last checkpoint stands, or from the start if there is none yet.

        `experiment` replaces the one of the folder, see `resumed`. Raises CheckpointError where
        no run was begun, the checkpoint does not fit or another process has the run open,
        ExperimentError, `tui_nn_datasets.DataError`.
        """
        if not is_run(folder):
            raise _no_checkpoint(folder)
        try:
            claim = claimed(folder)
        except BlockingIOError as error:
            raise CheckpointError(f"{folder}: {_reason(error)}") from None
        if not _last(folder).exists():
            run = cls(Trainer(_wanted(folder, experiment), data), folder)
        else:
            run = cls(trained(folder, experiment, data), folder)
            run._outcome = Outcome.of(folder)
            run.trainer.seconds = run._outcome.seconds
        run._claim = claim
        run.forget_after(run.trainer.state.iteration)
        return run

    @property
    def checkpoint_path(self) -> Path:
        """Where autosaves go."""
        return _last(self.folder)

    def begin(self) -> None:
        """Write down what there is before the first update; `record` does it, too.

        Raises OSError where the folder can't be written in, or another process does.
        """
        ensure_writable(self.checkpoint_path.parent)
        self._claim = self._claim or claimed(self.folder)
        if not (self.folder / "run.json").exists():  # first: it says that the rest is a run's
            self._outcome.write(self.folder)
        self.trainer.experiment.save(self.folder / "experiment.toml", defaults=True)

    def release(self) -> None:
        """Nothing more is written here: another process may go on with the run."""
        self._claim = None

    # -- training, recorded ---------------------------------------------------------------------

    def record(
        self, until: int | None = None, interval: float = 0.05, after: After | None = None
    ) -> Iterator[Event]:
        """`Trainer.run`, with metrics written and checkpoints saved on the way."""
        for event in self.trainer.run(until, interval, after):
            match event:
                case RunStarted():
                    yield replace(event, out=str(self.folder))
                    if failed := self._begin():
                        yield failed
                case RunEnded():
                    self._outcome = replace(self._outcome, ended=event)
                    yield self.save()
                    yield replace(event, out=str(self.folder))
                case Progress():
                    yield from self.write(event)
                case _:
                    yield event

    def write(self, progress: Progress) -> list[Event]:
        """Write progress down, save where it is time to; returns all that is to be told of it.

        It is done when this returns: whoever stops listening after the first event loses nothing.
        """
        told: list[Event] = [progress]
        self._outcome = Outcome(self._outcome.seconds + progress.seconds)
        if failed := self._append_metrics(progress.epochs):
            told.append(failed)
        if self._save_is_due(progress):
            told.append(self.save())
        return told

    def save(self, path: Path | None = None) -> Saved | SaveFailed:
        """Write a checkpoint of the farthest state, and the experiment with all its changes."""
        path = path or self.checkpoint_path
        snapshot = self.timeline.farthest()
        if not _is_finite(snapshot):
            with suppress(OSError):
                self._outcome.write(self.folder)  # that it diverged
            return SaveFailed(str(path), f"the weights are not finite; {_what_is_kept(path)}")
        started = time.monotonic()
        try:
            self.trainer.experiment.save(self.folder / "experiment.toml", defaults=True)
            checkpoint.save(path, Checkpoint(snapshot, self.trainer.data.sha256))
            self._outcome.write(self.folder)
            found: Saved | SaveFailed = Saved(str(path), snapshot.iteration)
        except OSError as error:
            found = SaveFailed(str(path), f"{_reason(error)}; {_what_is_kept(path)}")
        self._last_save = time.monotonic()
        self._next_save = self._last_save + (self._last_save - started) / SAVING_SHARE
        return found

    def branch(self, change: Callable[[], None]) -> tuple["Run", list[Saved | SaveFailed]]:
        """Make a change in the past: from here on, this is another run in a folder of its own.

        This one is saved at its tip first; where that fails, OSError is raised and nothing is
        changed. What `change` raises goes on; then nothing is changed either.
        """
        saved = self.save()
        if isinstance(saved, SaveFailed) and _is_finite(self.timeline.farthest()):
            raise OSError(
                f"a change in the past begins another run, but this one can't be saved before: "
                f"{saved.path}: {saved.message}"
            )
        change()
        self.timeline.branch()
        run = Run(self.trainer, timeline=self.timeline)
        self.trainer.seconds = 0.0  # another run, another time
        told = [saved]
        if run.trainer.state.iteration:
            here = run.trainer.state.iteration
            rows = [r for r in read_metrics(self.folder / "metrics.jsonl") if r.iteration <= here]
            told += [each for each in (run._write_metrics(rows), run.save()) if each is not None]
        return run, told

    def _save_is_due(self, progress: Progress) -> bool:
        if self.timeline.in_past:  # nothing new yet
            return False
        now = time.monotonic()
        if now - self._last_save >= AUTOSAVE_SECONDS:
            return True
        return len(progress.epochs) > 0 and now >= self._next_save

    def _begin(self) -> SaveFailed | None:
        try:
            self.begin()
        except OSError as error:
            return self._failure(self.folder / "experiment.toml", error)
        return None

    # -- metrics.jsonl --------------------------------------------------------------------------

    def _append_metrics(self, epochs: Epochs) -> SaveFailed | None:
        """What is trained again, coming from the past, is there already."""
        rows = [row for row in epochs if is_kept(row.epoch)] if len(epochs) else []
        rows = [row for row in rows if row.iteration > self._told]
        if len(epochs):
            self._told = max(self._told, int(epochs.column("iteration")[-1]))
        return self._write_metrics(rows)

    def _write_metrics(self, rows: Sequence[EpochEnded]) -> SaveFailed | None:
        if not rows:
            return None
        path = self.folder / "metrics.jsonl"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.writelines(strict_json.dumps(asdict(row)) + "\n" for row in rows)
        except OSError as error:
            return self._failure(path, error)
        self._failed = False
        return None

    def _failure(self, path: Path, error: OSError) -> SaveFailed | None:
        """Tell a failing disk once, until it works again."""
        told, self._failed = self._failed, True
        return None if told else SaveFailed(str(path), f"{_reason(error)}; training goes on")

    def forget_after(self, iteration: int) -> None:
        """Drop the lines of epochs that will be trained again."""
        path = self.folder / "metrics.jsonl"
        lines = [row for row in read_metrics(path) if row.iteration <= iteration]
        text = "".join(strict_json.dumps(asdict(row)) + "\n" for row in lines)
        # Where the disk does not let it, the lines to come will replace these when read.
        with suppress(OSError):
            if path.exists() and path.read_bytes() != text.encode():
                write_atomically(path, text.encode())


def _is_finite(snapshot: Snapshot) -> bool:
    return bool(np.isfinite(snapshot.arrays["parameters"]).all())


def _what_is_kept(path: Path) -> str:
    return "the checkpoint before is intact" if path.exists() else "there is no checkpoint yet"


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def is_kept(epoch: int) -> bool:
    """Whether an epoch's line is written: all to 10,000, then each tenth to 100,000, and so on."""
    stride: int = 10 ** max(0, len(str(epoch - 1)) - 4)
    return epoch % stride == 0


def _row(told: dict[str, Any]) -> EpochEnded:
    """What was no finite number stands there as null."""
    nan = float("nan")
    row = EpochEnded(**told)
    metrics, validated = row.metrics, row.val_metrics
    return replace(
        row,
        loss=nan if row.loss is None else row.loss,
        metrics=_with_nan(metrics),
        val_loss=nan if row.val_loss is None and validated is not None else row.val_loss,
        val_metrics=None if validated is None else _with_nan(validated),
    )


def _with_nan(metrics: dict[str, float]) -> dict[str, float]:
    return {name: float("nan") if value is None else value for name, value in metrics.items()}


def read_metrics(path: Path) -> list[EpochEnded]:
    """The epochs of a metrics.jsonl; a torn line is passed over.

    An epoch told again, as after a run was killed and resumed, replaces what was told from there.
    """
    found: list[EpochEnded] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    for line in lines:
        try:
            row = _row(json.loads(line))
            while found and found[-1].iteration >= row.iteration:
                found.pop()
        except (ValueError, TypeError, RecursionError):
            continue
        found.append(row)
    return found
