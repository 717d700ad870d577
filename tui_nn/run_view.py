"""What Compare mode shows: runs filtered and sorted, curves of the chosen ones, what differs.

Made in a thread, for it reads files and goes through whole runs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tui_nn.history import History
from tui_nn.outline import outline
from tui_nn.run_filter import filtered, value_of
from tui_nn.run_shelf import Shelf, title_of
from tui_nn.widgets.run_table import COLUMNS, Row, Sorting
from tui_nn_engine.blocks.paths import steps_of, value_at
from tui_nn_engine.comparisons.comparison import in_words, short_names
from tui_nn_engine.training.records import Record, differences

Curves = dict[str, History]
MOST = 52
"""So many runs at most are laid over each other: a letter each."""
MOSTLY = ("optimizer", "rule", "schedule", "training", "seed", "loss")
SELDOM = ("layers", "data", "dtype")
"""Where defaults need not be told."""
_TOLD = re.compile(r"data\.name|layers\[\d+\]\.(units|type|activation)|training\.changes")
"""Places that other columns tell of, and long ones."""


@dataclass(frozen=True)
class Wish:
    """What is to be shown."""

    filter: str = ""
    sorting: Sorting = field(default_factory=Sorting)
    chosen: tuple[Path, ...] = ()
    """Folders of runs, or of comparisons for all their runs."""


@dataclass(frozen=True, eq=False)
class View:
    """What there is to show."""

    rows: tuple[Row, ...]
    columns: dict[str, str]
    """The columns that tell rows apart, with their headings."""
    common: tuple[str, ...]
    """Data and network, where all rows have the same."""
    sorting: Sorting
    count: int
    """Of all runs, filtered out ones too."""
    problem: str
    """What is wrong with the filter; then all runs are shown."""
    every_chosen: tuple[Path, ...]
    """The folders of all chosen runs, also of those that the filter hides."""
    chosen: tuple[Record, ...]
    """Those that are listed."""
    curves: tuple[Curves, ...]
    """Of each chosen run its figures over the epochs."""
    metric: str
    differing: dict[str, tuple[Any, ...]]
    """By path what each chosen run has there."""


class Viewer:
    """Makes views; what has not changed since the last one is kept."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._curves: dict[Path, tuple[Record, Curves]] = {}
        self._last: tuple[tuple[Record, ...], Wish, View] | None = None

    def look(self, wish: Wish) -> View:
        """Read what is new and make a view of it, the same one where nothing is new."""
        records = self._shelf.read()
        if self._last is None or self._last[:2] != (records, wish):
            self._last = records, wish, self._view(records, wish)
        return self._last[2]

    def _view(self, records: tuple[Record, ...], wish: Wish) -> View:
        try:
            shown, problem = filtered(records, wish.filter), ""
        except ValueError as error:
            shown, problem = list(records), str(error)
        listed = {record.folder for record in shown}
        every = tuple(
            dict.fromkeys(
                record
                for path in wish.chosen
                for record in records
                if path in {record.folder, record.folder.parent}
            )
        )
        chosen = tuple(record for record in every if record.folder in listed)[:MOST]
        names = short_names(_where_they_differ(chosen, shown))
        best = _best(chosen if len(chosen) > 1 else shown)
        rows = [Row(record, _values(record, names, best)) for record in shown]
        return View(
            tuple(_sorted(rows, wish.sorting)),
            _columns(rows, best),
            tuple(str(rows[0].values[column]) for column in _same(rows)),
            wish.sorting,
            len(records),
            problem,
            tuple(record.folder for record in every),
            chosen,
            tuple(self._curves_of(record) for record in chosen),
            _metric(chosen),
            differences([record.experiment for record in chosen]),
        )

    def _curves_of(self, record: Record) -> Curves:
        known = self._curves.get(record.folder)
        if known is None or known[0] is not record:
            known = record, curves(record)
            self._curves[record.folder] = known
        return known[1]


def curves(record: Record) -> Curves:
    """The figures of a run over its epochs."""
    if not record.epochs:
        return {}
    epochs = np.array([epoch.epoch for epoch in record.epochs], np.float64)
    found: Curves = {}
    for name in record.last:
        values = record.values(name)
        if len(values) == len(epochs):
            found[name] = History()
            found[name].add(epochs, values)
    return found


def _same(rows: Sequence[Row]) -> tuple[str, ...]:
    """Of data and network those that are the same in all rows."""
    return tuple(
        column
        for column in ("data", "network")
        if len(rows) > 1 and len({row.values[column] for row in rows}) == 1
    )


def _columns(rows: Sequence[Row], best: str) -> dict[str, str]:
    """Those with something in them, that is not the same everywhere."""
    metrics = {_metric([row.record]) for row in rows} - {""}
    metric = metrics.pop() if len(metrics) == 1 else "metric"
    headings = {
        "val_loss": "val loss",
        "best": f"best {best.replace('_', ' ')}",
        "metric": metric,
        "val_metric": f"val {metric}",
        "test": f"test {metric}",
        "seconds": "time",
    }
    same = _same(rows)
    return {
        column: headings.get(column, column)
        for column in COLUMNS
        if column == "name"
        or (column not in same and any(row.values[column] not in {None, ""} for row in rows))
    }


def _values(record: Record, names: dict[str, str], best: str) -> dict[str, str | float | None]:
    last, metric = record.last, _metric([record])
    return {
        "name": " #".join((title_of(record), *record.label.tags)),
        "data": record.experiment.data.title,
        "network": outline(record.experiment),
        "differs": _differing(record, names),
        "epoch": record.epochs[-1].epoch if record.epochs else 0,
        "loss": last.get("loss"),
        "val_loss": last.get("val_loss"),
        "best": record.best(best),
        "metric": last.get(metric),
        "val_metric": last.get(f"val_{metric}"),
        "test": last.get(f"test_{metric}"),
        "seconds": record.outcome.seconds or None,
    }


def _where_they_differ(chosen: Sequence[Record], shown: Sequence[Record]) -> list[str]:
    """The places where the chosen runs differ, then those where all that are listed do."""
    paths: list[str] = []
    for records in (chosen, shown):
        differing = differences([record.experiment for record in records])
        paths += sorted((path for path in differing if path not in paths), key=_weight)
    return paths


def _differing(record: Record, names: dict[str, str]) -> str:
    """Its values at the places that differ: sgd learning_rate=0.1 seed=2."""
    found = []
    for path in names:
        value = value_of(record, path)
        if value is None or value is False or _TOLD.match(path):
            continue
        if path.startswith(SELDOM) and value_at(record.given, steps_of(path)) is None:
            continue
        bare = path.endswith(".type")
        found.append(in_words(value) if bare else f"{names[path]}={in_words(value)}")
    return " ".join(found)


def _weight(path: str) -> int:
    """What one tries out most comes first."""
    return next((at for at, start in enumerate(MOSTLY) if path.startswith(start)), len(MOSTLY))


def _best(records: Sequence[Record]) -> str:
    """The loss whose best is told: of the validation data, where all runs have some."""
    known = [record.last for record in records if record.epochs]
    return "val_loss" if all("val_loss" in last for last in known) else "loss"


def _metric(records: Sequence[Record]) -> str:
    """The first metric that there is."""
    for record in records:
        for epoch in record.epochs[:1]:
            for name in epoch.metrics:
                return name
    return ""


def _sorted(rows: list[Row], sorting: Sorting) -> list[Row]:
    """Rows without a value in that column come last, whichever way."""
    column = sorting.column
    if not column:
        return rows
    has = [row for row in rows if row.values.get(column) not in {None, ""}]
    without = [row for row in rows if row.values.get(column) in {None, ""}]
    return [*sorted(has, key=lambda row: _key(row, column), reverse=sorting.descending), *without]


def _key(row: Row, column: str) -> tuple[bool, float, str]:
    value = row.values[column]
    if isinstance(value, str):
        return True, 0.0, value.casefold()
    number = float("inf") if value is None or value != value else value  # NaN is larger than all
    return False, number, ""
