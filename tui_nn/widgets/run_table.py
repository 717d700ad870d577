"""The saved runs as rows: what each is, how it differs from the chosen ones, its figures."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.text import Text
from textual import events
from textual.message import Message

from tui_nn.widgets.plot import number
from tui_nn.widgets.row_list import RowList
from tui_nn_engine.training.records import Record

COLUMNS: dict[str, tuple[int, int]] = {
    "name": (18, 40),
    "data": (6, 12),
    "network": (12, 30),
    "differs": (18, 60),
    "epoch": (6, 7),
    "loss": (9, 9),
    "val_loss": (9, 9),
    "best": (13, 14),
    "metric": (9, 9),
    "val_metric": (12, 13),
    "test": (9, 13),
    "seconds": (6, 8),
}
"""The columns, with the least and the most width of each."""
SPREAD = (
    "data",
    "name",
    "differs",
    "network",
    "val_metric",
    "metric",
    "loss",
    "val_loss",
    "best",
    "test",
    "epoch",
    "seconds",
)
"""Which are made wider first, where there is room."""
FIRST_TO_GO = ("seconds", "epoch", "network", "best", "data", "test", "metric", "val_metric")
"""Which are left out first, where there is not room for all."""
SPARED = ("seconds", "epoch", "network", "best")
"""Which are left out also where else what differs would be cut below `READABLE`."""
READABLE = 32
NUMBERS = ("epoch", "loss", "val_loss", "best", "metric", "val_metric", "test", "seconds")
BEFORE_ITS_END = dict.fromkeys(("stopped early", "loss reached", "time up"), "⊣")
SHORT = 5
"""Cells that are left of a name at least, with the ellipsis before it: …rate=0.01."""
STATES = {"diverged": "✗", "unfinished": "…", **BEFORE_ITS_END}
"""How a run stands, in a sign; one that is complete needs none."""


@dataclass(frozen=True)
class Row:
    """What the table shows of a run; `values` are numbers or words by column."""

    record: Record
    values: dict[str, str | float | None]


@dataclass(frozen=True)
class Sorting:
    """By which column, and which way."""

    column: str = ""
    descending: bool = False


class RunTable(RowList):
    """Rows of runs. Space chooses for the comparison, a click on a heading sorts by its column."""

    HEADING = 1
    DEFAULT_CSS = "RunTable { min-height: 3; }"

    class Moved(Message):
        """Another row is the current one."""

    class Toggled(Message):
        """The current run is to be chosen, or no longer."""

    class Entered(Message):
        """The current run is to be opened."""

    @dataclass
    class Sort(Message):
        """Sort by this column."""

        column: str = field(default="")

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self.rows: tuple[Row, ...] = ()
        self._chosen: Mapping[Path, tuple[str, str]] = {}
        self._sorting = Sorting()
        self._headings: Mapping[str, str] = {}
        self._needed: dict[str, int] = {}
        self._fitting: tuple[int, dict[str, int]] = (0, {})
        self._current_folder: Path | None = None

    def show(
        self,
        rows: Sequence[Row],
        headings: Mapping[str, str],
        chosen: Mapping[Path, tuple[str, str]],
        sorting: Sorting,
    ) -> None:
        """Show these rows, of them the columns in `headings`; `chosen` gives the mark and the
        colour of each chosen run's curve.
        """
        self.rows, self._chosen, self._sorting = tuple(rows), chosen, sorting
        self._headings = headings
        self._needed = {
            column: max(len(heading) + 1, self._widest(column))
            for column, heading in headings.items()
        }
        self._fitting = (0, {})
        folders = [row.record.folder for row in rows]
        current = min(self._current or 0, len(rows) - 1) if rows else None
        if self._current_folder in folders:
            current = folders.index(self._current_folder)
        self.set_rows(len(rows), current, reveal=current != self._current)
        self._current_folder = folders[current] if current is not None else None

    @property
    def columns(self) -> tuple[str, ...]:
        """Those there is room for."""
        return tuple(self._widths(self._room) if self._room else self._headings)

    @property
    def current(self) -> Row | None:
        """The row that keys are about."""
        return self.rows[self._current] if self._current is not None and self.rows else None

    def choose(self, row: int) -> None:
        """Make it the current one."""
        self._current_folder = self.rows[row].record.folder
        self.set_rows(len(self.rows), row)
        self.post_message(self.Moved())

    def enter(self, row: int) -> None:
        """A double click or enter."""
        self.choose(row)
        self.post_message(self.Entered())

    def on_click(self, event: events.Click) -> None:
        """A click on a heading sorts, one on the mark chooses."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < self.HEADING:
            end = 4
            for column, width in self._widths(self._room).items():
                end += width + 1
                if offset.x < end:
                    self.post_message(self.Sort(column))
                    return
        elif offset.x < 4 and event.chain == 1:
            self.call_after_refresh(self.post_message, self.Toggled())  # once the row is current

    def heading_text(self, width: int) -> Text:
        """The columns, the one that sorts marked."""
        line = Text("    ", style=self.get_component_rich_style("rows--heading"))
        for column, cells in self._widths(width).items():
            heading = self._headings[column]
            if column == self._sorting.column:
                heading = f"{'▼' if self._sorting.descending else '▲'}{heading}"
            line.append(_fitted(heading, cells, column in NUMBERS) + " ")
        return line

    def row_text(self, row: int, width: int) -> Text:
        """One run."""
        shown = self.rows[row]
        mark, color = self._chosen.get(shown.record.folder, ("", ""))
        line = Text()
        line.append(f" {mark:<1} ", f"bold {color}".strip())
        line.append(STATES.get(shown.record.state, " "))
        for column, cells in self._widths(width).items():
            value = shown.values.get(column)
            text = value if isinstance(value, str) else _number(value, column)
            if column == "differs":
                text = shortened(text, cells)
            line.append(_fitted(text, cells, column in NUMBERS) + " ", "")
        if row == self._current:
            line.pad_right(max(width - line.cell_len, 0))
            line.stylize_before(self.get_component_rich_style("rows--current", partial=True))
        return line

    @property
    def _room(self) -> int:
        return self.scrollable_content_region.width

    def _widths(self, width: int) -> dict[str, int]:
        """Of the columns there is room for, from the least width up."""
        if self._fitting[0] != width:
            self._fitting = width, self._fitted_to(width)
        return self._fitting[1]

    def _fitted_to(self, width: int) -> dict[str, int]:
        found = {
            column: COLUMNS[column][0] if column in NUMBERS else min(COLUMNS[column][0], needed)
            for column, needed in self._needed.items()
        }
        wished = max(min(self._needed.get("differs", 0), READABLE) - found.get("differs", 0), 0)
        for column in FIRST_TO_GO:
            least = sum(found.values()) + len(found) + 4
            if least + (wished if column in SPARED else 0) <= width:
                break
            found.pop(column, None)
        spare = width - 4 - sum(found.values()) - len(found)
        for column in sorted(found, key=SPREAD.index):
            more = min(self._needed[column], COLUMNS[column][1]) - found[column]
            step = max(min(more, spare), 0)
            found[column] += step
            spare -= step
        return found

    def _widest(self, column: str) -> int:
        measure: Callable[[Row], int] = lambda row: (  # noqa: E731
            len(value) if isinstance(value := row.values.get(column), str) else 7
        )
        return max(map(measure, self.rows), default=0)


def shortened(text: str, cells: int) -> str:
    """What differs ("adam learning_rate=0.01 seed=2") in so many cells, its values whole: names
    lose their beginnings, the longest first, then the last words go.
    """
    words = [list(word.rpartition("=")) for word in text.split(" ")]
    while len(shown := " ".join(map("".join, words))) > cells:
        longest = max(words, key=lambda word: len(word[0]))
        if len(longest[0]) <= SHORT:
            break
        longest[0] = f"…{longest[0][2:]}"
    if len(shown) <= cells:
        return shown
    while " " in shown and len(shown) + 2 > cells:
        shown = shown.rpartition(" ")[0]
    return f"{shown} …"


def _number(value: float | None, column: str) -> str:
    if value is None:
        return ""
    if not math.isfinite(value):
        return str(value)
    return {"epoch": f"{value:.0f}", "seconds": f"{value:.1f}"}.get(column) or number(value)


def _fitted(text: str, cells: int, right: bool) -> str:
    if len(text) > cells:
        text = text[: cells - 1] + "…"
    return text.rjust(cells) if right else text.ljust(cells)
