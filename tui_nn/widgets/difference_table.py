"""What differs between the experiments of runs, a column a run, and their last figures."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import ScrollableContainer
from textual.widgets import Static

from tui_nn.widgets.plot import number
from tui_nn_engine.comparisons.comparison import in_words
from tui_nn_engine.training.records import Record

SAME = "Choose two runs or more with space to see where their experiments differ."


class DifferenceTable(ScrollableContainer):
    """Scrolls both ways; arrows move it."""

    DEFAULT_CSS = """
    DifferenceTable {
        height: auto; scrollbar-size: 1 1;
        & > Static { width: auto; height: auto; }
    }
    """
    BORDER_TITLE = "What differs"

    def compose(self) -> ComposeResult:
        """The table, or why there is none."""
        yield Static(SAME, markup=False)

    def show(
        self,
        marks: Sequence[tuple[str, str]],
        records: Sequence[Record],
        differing: Mapping[str, Sequence[Any]],
    ) -> None:
        """`marks` are the letter and the colour of each run, `differing` is as `differences`."""
        table = _table(marks, records, differing) if len(records) > 1 else SAME
        self.query_one(Static).update(table)


def _table(
    marks: Sequence[tuple[str, str]],
    records: Sequence[Record],
    differing: Mapping[str, Sequence[Any]],
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for letter, color in marks:
        heading = Text(letter, f"bold {color}".strip())
        table.add_column(heading, justify="right", no_wrap=True, max_width=24, overflow="ellipsis")
    for path, values in differing.items():
        table.add_row(Text(path), *("–" if one is None else Text(in_words(one)) for one in values))
    for name in dict.fromkeys(name for record in records for name in record.last):
        told = (record.last.get(name) for record in records)
        cells = ("–" if value is None else number(value) for value in told)
        table.add_row(Text(name, style="bold"), *cells)
    return table
