"""A comparison told: bars on a terminal, lines for pipes and programs, and the ranking."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from tui_nn.commands.console import Console
from tui_nn.commands.reports import number, plural, write
from tui_nn_engine.blocks import strict_json
from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.comparisons.comparing import Told, unfinished
from tui_nn_engine.comparisons.comparison import Member
from tui_nn_engine.sessions.protocol import Refused
from tui_nn_engine.training.events import Progress, RunEnded, RunStarted, as_json
from tui_nn_engine.training.records import Record, figures, rank, ranking_figure


class Report:
    """Counts, and is silent; those below tell what they are told."""

    def __init__(self, members: Sequence[Member], folder: Path) -> None:
        self.members, self.folder = members, folder
        self.ended = self.before = len(members) - len(unfinished(members, folder))

    def open(self) -> None:
        """Before the first event."""

    def show(self, told: Told) -> None:
        """Follow one event."""
        self.ended += isinstance(told.event, RunEnded)

    def close(self) -> None:
        """After the last event of a comparison that was not stopped."""

    def standing(self) -> str:
        """How far it is."""
        return f"{self.ended} of {plural(len(self.members), 'run')} ended"

    def opening(self) -> str:
        """What is about to be done."""
        known = f", {self.before} of them ended before" if self.before else ""
        runs = plural(len(self.members), "run")
        return f"{runs}{known}\nThe runs are kept in {self.folder}"


class Lines(Report):
    """A line for each run that ends, then the ranking."""

    def open(self) -> None:
        """What is about to be done."""
        write(f"{self.opening()}\n")

    def show(self, told: Told) -> None:
        """An ended run."""
        super().show(told)
        if isinstance(told.event, RunEnded):
            name, event = self.members[told.member].name, told.event
            loss = "" if event.test_loss is None else f", test loss = {number(event.test_loss)}"
            write(f"{self.standing()}: {name}: {event.how}{loss}\n")

    def close(self) -> None:
        """The ranking, as wide as it is."""
        console = Console(highlight=False, width=200)
        console.print(ranking_table(Ranking.of(self.members, self.folder)))


class JsonLines(Report):
    """One event a line, with the name of its run; of progress the epochs that ended in it."""

    def open(self) -> None:
        """How many runs there are."""
        tree = {"event": "comparison", "runs": len(self.members), "ended": self.before}
        write(f"{strict_json.dumps(tree | {'folder': str(self.folder)})}\n")

    def show(self, told: Told) -> None:
        """All but the single losses."""
        super().show(told)
        event = told.event
        run = {"run": self.members[told.member].name}
        if isinstance(event, Progress):
            trees = [as_json(epoch) for epoch in event.epochs]
        elif isinstance(event, Refused):
            trees = [{"event": "refused", "message": event.message}]
        else:
            trees = [as_json(event)]
        write("".join(f"{strict_json.dumps(run | tree)}\n" for tree in trees))

    def close(self) -> None:
        """The ranking."""
        ranking = Ranking.of(self.members, self.folder)
        runs = [
            {
                "run": member.name,
                "data": member.experiment.data.name,
                "rank": place,
                "settings": member.settings,
                "state": record.state,
                "best": record.best(ranking.figure) if ranking.figure else None,
                "last": record.last,
                "seconds": record.outcome.seconds,
                "folder": str(record.folder),
            }
            for place, member, record in ranking.rows
        ]
        tree = {"event": "ranking", "figure": ranking.figure, "runs": runs}
        write(f"{strict_json.dumps(tree)}\n")


@contextmanager
def live(members: Sequence[Member], folder: Path) -> Iterator[Report]:
    """Inside, a bar stands for all runs, and one for each under way; warnings pass above them."""
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(compact=True),
        console=Console(highlight=False),
        transient=True,
        expand=True,
        redirect_stderr=sys.stderr.isatty(),
    )
    with bar:
        yield LiveReport(bar, members, folder)


class LiveReport(Report):
    """Keeps the bars up to date and shows the ranking at the end."""

    def __init__(self, bar: Bar, members: Sequence[Member], folder: Path) -> None:
        super().__init__(members, folder)
        self.bar = bar
        self.tasks: dict[int, TaskID] = {}
        self.all = bar.add_task(
            "all runs", total=len(members), completed=self.ended, figures=self.standing()
        )

    def open(self) -> None:
        """What is about to be done."""
        self.bar.console.print(Text(self.opening()))

    def show(self, told: Told) -> None:
        """Move the bars."""
        super().show(told)
        event = told.event
        match event:
            case RunStarted():
                total = event.experiment["training"]["epochs"] * event.batches_per_epoch
                self.tasks[told.member] = self.bar.add_task(
                    Text(self.members[told.member].name).markup,
                    total=total,
                    completed=event.iteration,
                    figures="",
                )
            case Progress() if told.member in self.tasks:
                fields: dict[str, Any] = {"completed": event.iteration}
                if len(event.losses):
                    fields["figures"] = f"loss {number(float(event.losses[-1]))}"
                self.bar.update(self.tasks[told.member], **fields)
            case RunEnded() | Refused():
                if told.member in self.tasks:
                    self.bar.remove_task(self.tasks.pop(told.member))
                self.bar.update(self.all, completed=self.ended, figures=self.standing())

    def close(self) -> None:
        """The ranking."""
        self.bar.console.print(ranking_table(Ranking.of(self.members, self.folder)))


@dataclass(frozen=True)
class Ranking:
    """The runs of a comparison, best first, and the figure that says so.

    Figures of different data say nothing about each other: each data set has places of its own.
    """

    figure: str
    rows: tuple[tuple[int, Member, Record], ...]

    @classmethod
    def of(cls, members: Sequence[Member], folder: Path) -> "Ranking":
        """As their folders tell."""
        found: list[tuple[Member, Record]] = []
        for member in members:
            try:
                found.append((member, Record.read(folder / member.folder)))
            except ExperimentError:  # it could not even begin
                continue
        name = ranking_figure([record for _, record in found])
        rows = []
        for data in dict.fromkeys(member.experiment.data.name for member, _ in found):
            of_it = [one for one in found if one[0].experiment.data.name == data]
            order = rank([record for _, record in of_it], name)
            rows += [(place, *of_it[index]) for place, index in enumerate(order, 1)]
        return cls(name, tuple(rows))


def ranking_table(ranking: Ranking) -> Table:
    """What differs, the figure best and last, the metrics, the test, the time."""
    figure = ranking.figure or "loss"
    more = _metrics(ranking)
    table = Table(
        title=f"Ranked by the best {figure}", title_justify="left", box=box.SIMPLE_HEAD,
        pad_edge=False, padding=(0, 1, 0, 0),
    )  # fmt: skip
    table.add_column("", justify="right")
    headings = list(dict.fromkeys(key for _, member, _ in ranking.rows for key in member.settings))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for heading in ("best", "last", *more, "seconds"):
        table.add_column(heading.replace("_", " "), justify="right", min_width=8)
    table.add_column("")
    for place, member, record in ranking.rows:
        if place == 1 and table.row_count:
            table.add_section()
        best, last = record.best(figure), record.last
        told = [best, last.get(figure), *(last.get(name) for name in more)]
        settings = [
            member.settings.get(heading, "").removeprefix(f"{heading}=") for heading in headings
        ]
        cells = [
            str(place),
            *settings,
            *("" if value is None else number(value) for value in told),
            f"{record.outcome.seconds:.1f}",
            "" if record.state == "completed" else record.state,
        ]
        table.add_row(*map(Text, cells))
    return table


def _metrics(ranking: Ranking) -> list[str]:
    """The first metric, of the validation data where there is any, and the test's figures."""
    records = [record for _, _, record in ranking.rows]
    known = next((record for record in records if record.epochs), None)
    if known is None:
        return []
    names = [*figures(known.epochs[-1])]
    metric = next((name for name in names if "loss" not in name), None)
    found = []
    if metric is not None:
        found.append(f"val_{metric}" if f"val_{metric}" in names else metric)
        found.append(f"test_{metric}")
    found = [name for name in ("test_loss", *found) if name != ranking.figure]
    has = {name for record in records for name in record.last}
    return [name for name in found if name in has]
