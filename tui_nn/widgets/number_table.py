"""A table of numbers: a label a row, points in line, what was just written marked."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from rich.text import Text

from tui_nn.widgets.figures import aligned, figure
from tui_nn.widgets.row_list import RowList

Floats = NDArray[np.float64]
GAPS = (4, 1)  # at most and at least, between two columns
WRITTEN = "▸"


class NumberTable(RowList):
    """Rows of numbers (rows, columns), listed in a given order. Only what is in view is formatted,
    with fewer digits than asked for where the columns would not fit.
    """

    HEADING = 1

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._title = self._order_name = ""
        self._headings: tuple[str, ...] = ()
        self._label: Callable[[int], str] = str
        self._values: Floats = np.empty((0, 0))
        self._written: NDArray[np.bool_] = np.empty((0, 0), dtype=bool)
        self._order: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._digits = 4
        self._notes: Mapping[tuple[int, int], str] = MappingProxyType({})
        self._window: tuple[range, int] | None = None
        self._cells: list[list[str]] = []
        self._label_width = 0
        self._gap = GAPS[1]

    def show_table(
        self,
        title: str,
        headings: Sequence[str],
        label: Callable[[int], str],
        values: Floats,
        written: NDArray[np.bool_],
        order: tuple[NDArray[np.intp], str],
        current: int | None,
        digits: int,
        notes: Mapping[tuple[int, int], str] = MappingProxyType({}),
        *,
        reveal: bool = True,
    ) -> None:
        """Show `values` (rows, columns) in `order`; `current` and `label` count unsorted rows.

        `notes` are words instead of a number, by row and column. With `reveal` the current row is
        brought into view where it has moved.
        """
        self._notes = notes
        self._title, self._headings, self._label = title, tuple(headings), label
        self._values, self._written, self._digits = values, written, digits
        self._order, self._order_name = order
        self._window = None
        found = np.flatnonzero(self._order == (-1 if current is None else current))
        self.set_rows(len(values), int(found[0]) if len(found) else None, reveal=reveal)
        self._say_what_is_shown()

    def entry(self, row: int) -> int:
        """The unsorted number of a listed row."""
        return int(self._order[row])

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say which rows are in view."""
        super().watch_scroll_y(old_value, new_value)
        self._say_what_is_shown()

    def on_resize(self) -> None:
        """Keep the current row in view, and say which rows are."""
        super().on_resize()
        self._window = None
        self._say_what_is_shown()

    def _say_what_is_shown(self) -> None:
        shown, total = self.visible_rows, len(self._values)
        note = self._order_name if self._order_name != "in order" else ""
        if 0 < len(shown) < total:
            note = f"{len(shown)} of {total:,} shown, {self._order_name}"
        below = self.styles.border_bottom[0] not in {"", "none"}
        self.border_title = self._title if below or not note else f"{self._title}: {note}"
        self.border_subtitle = note if below else ""

    @property
    def plain(self) -> str:
        """All rows as text, tab between columns, in the order shown."""
        rows = ["\t".join(["", *self._headings])]
        for entry in self._order.tolist():
            cells = [figure(value, self._digits) for value in self._values[entry]]
            for column in range(len(cells)):
                cells[column] = self._notes.get((entry, column), cells[column])
            rows.append("\t".join([self._label(entry).strip("› "), *cells]))
        return f"{self._title}\n" + "\n".join(rows)

    def heading_text(self, width: int) -> Text:
        """The names of the columns; ▸ stands before those with something just written."""
        self._format(width)
        style = self.get_component_rich_style("rows--heading")
        line = Text(" " * self._label_width, style=style)
        for column, heading in enumerate(self._headings):
            mark = WRITTEN if self._written[:, column].any() else ""
            cell = f"{mark}{heading}".rjust(self._width(column))
            line.append(" " * self._gap + cell)
        return line

    def row_text(self, row: int, width: int) -> Text:
        """The label and the numbers of one row."""
        self._format(width)
        assert self._window is not None  # noqa: S101 - made by _format
        index = row - self._window[0].start
        if not 0 <= index < len(self._cells[0]):
            return Text()
        entry = self.entry(row)
        line = Text(self._label(entry).ljust(self._label_width))
        written = self.get_component_rich_style("rows--written", partial=True)
        for column, cells in enumerate(self._cells):
            cell = cells[index].rjust(self._width(column))
            line.append(" " * self._gap)
            line.append(cell, written if self._written[entry, column] else "")
        if row == self._current:
            line.pad_right(max(width - line.cell_len, 0))
            line.stylize_before(self.get_component_rich_style("rows--current", partial=True))
        return line

    def _format(self, width: int) -> None:
        """Make the cells in view, with as many digits as there is room for."""
        if self._window == (self.visible_rows, width):
            return
        self._window = self.visible_rows, width
        entries = self._order[self.visible_rows.start : self.visible_rows.stop]
        labels = [self._label(int(entry)) for entry in entries]
        self._label_width = max(map(len, labels), default=0)
        for digits in range(self._digits, 1, -1):
            columns = self._values[entries].T
            for cells in (
                [aligned(column, digits) for column in columns],
                [[figure(value, digits) for value in column] for column in columns],
            ):
                self._cells = cells
                self._write_notes(entries)
                if self._fits(width):
                    return

    def _write_notes(self, entries: NDArray[np.intp]) -> None:
        for (row, column), note in self._notes.items():
            for index in np.flatnonzero(entries == row):
                self._cells[column][index] = note

    def _fits(self, width: int) -> bool:
        """Whether there is room for the cells; then they are spread over it."""
        columns = range(len(self._cells))
        room = width - self._label_width - sum(map(self._width, columns))
        self._gap = min(max(room // max(len(columns), 1), GAPS[1]), GAPS[0])
        return room >= GAPS[1] * len(columns)

    def _width(self, column: int) -> int:
        widest = max(map(len, self._cells[column]), default=0)
        return max(widest, len(self._headings[column]) + len(WRITTEN))
