"""Training shown on a terminal: a bar while it runs, a table at the end."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from tui_nn.commands.console import Console
from tui_nn.commands.reports import number, opening, plural
from tui_nn_engine.training.events import (
    EpochEnded,
    Event,
    Progress,
    RunEnded,
    RunStarted,
    Saved,
    SaveFailed,
)


@contextmanager
def live() -> Iterator[Callable[[Event], None]]:
    """Inside, a bar stands on the terminal; warnings pass above it."""
    bar = Bar(
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[figures]}"),
        TextColumn("{task.fields[rate]}"),
        TextColumn("ETA"),
        TimeRemainingColumn(compact=True),
        console=Console(highlight=False),
        transient=True,
        expand=True,
        redirect_stderr=sys.stderr.isatty(),
    )
    with bar:
        yield LiveReport(bar).show


class LiveReport:
    """Keeps the bar up to date and tells the figures at the end."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar
        self.task: TaskID | None = None
        self.samples_per_update = 0.0
        self.epochs = 0
        self.last: EpochEnded | None = None
        self.kept = True

    def show(self, event: Event) -> None:
        """Follow one event."""
        match event:
            case RunStarted():
                self._start(event)
            case Progress() if self.task is not None:
                self.bar.update(self.task, **self._standing(event))
            case Saved() | SaveFailed():
                self.kept = isinstance(event, Saved)
            case RunEnded():
                self.bar.console.print(self._table(event))
                if event.done and event.message:
                    self.bar.console.print(Text(event.message))
                if self.kept:
                    self.bar.console.print(Text(f"The run is kept in {event.out}"))

    def _start(self, started: RunStarted) -> None:
        self.epochs = started.experiment["training"]["epochs"]
        self.samples_per_update = started.samples / started.batches_per_epoch
        self.bar.console.print(Text(opening(started)))
        self.task = self.bar.add_task(
            "",
            total=self.epochs * started.batches_per_epoch,
            completed=started.iteration,
            epoch=f"-/{self.epochs}",
            figures="",
            rate="",
        )

    def _standing(self, progress: Progress) -> dict[str, Any]:
        fields: dict[str, Any] = {"completed": progress.iteration}
        fields["epoch"] = f"{progress.epoch}/{self.epochs}"
        if len(progress.epochs):
            *_, self.last = progress.epochs
        if len(progress.losses):
            fields["figures"] = f"loss {number(float(progress.losses[-1]))}"
            if self.last is not None and self.last.val_loss is not None:
                fields["figures"] += f"  val {number(self.last.val_loss)}"
        if progress.seconds > 0:
            rate = len(progress.losses) * self.samples_per_update / progress.seconds
            fields["rate"] = f"{rate:,.0f} samples/s"
        return fields

    def _table(self, ended: RunEnded) -> Table:
        """The figures of the last epoch beside those on the test data."""
        columns: dict[str, dict[str, float]] = {}
        if self.last is not None:
            columns["training"] = {"loss": self.last.loss, **self.last.metrics}
            if self.last.val_loss is not None:
                columns["validation"] = {
                    "loss": self.last.val_loss,
                    **(self.last.val_metrics or {}),
                }
        if ended.test_loss is not None:
            columns["test"] = {"loss": ended.test_loss, **(ended.test_metrics or {})}
        title = f"{ended.how.capitalize()}: {plural(ended.iteration, 'update')}"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("")
        for name in columns:
            table.add_column(name, justify="right")
        names = dict.fromkeys(name for figures in columns.values() for name in figures)
        for name in names:
            values = (figures.get(name) for figures in columns.values())
            table.add_row(name, *("" if value is None else number(value) for value in values))
        return table
