"""True classes against guesses, and how well each class is known."""

from dataclasses import dataclass

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.color import Color
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui_nn_engine.inspection.mistakes import Mistakes

RIGHT, WRONG = Color.parse("#1272bd"), Color.parse("#c96008")
FIGURES = (" precision", "  recall", "     F1", " samples")
CORNER = "true╲is"
LABEL = 10  # cells of a class's name, at most
HINT = "arrows or a click choose a cell: its samples are shown"
Cell = tuple[int, int]


class ConfusionMatrix(Widget, can_focus=True):
    """Rows are true classes, columns guesses; blue where they are the same, orange where not.

    The arrows or a click choose a cell, escape none. What there is no room for is left out, around
    the chosen cell, and the heading says so.
    """

    DEFAULT_CSS = "ConfusionMatrix { width: 1fr; height: 1fr; }"
    BINDINGS = [
        Binding("up", "move(-1, 0)", "Cell above", show=False),
        Binding("down", "move(1, 0)", "Cell below", show=False),
        Binding("left", "move(0, -1)", "Cell left", show=False),
        Binding("right", "move(0, 1)", "Cell right", show=False),
        Binding("escape", "release", "All samples"),
    ]

    @dataclass
    class Chosen(Message):
        """A cell (true class, guess) was chosen; (-1, -1): none."""

        cell: Cell

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self._found: Mistakes | None = None
        self.cell: Cell = (-1, -1)

    def begin(self, names: tuple[str, ...]) -> None:
        """Other classes."""
        self._names, self._found, self.cell = names, None, (-1, -1)
        self.refresh()

    def show(self, found: Mistakes) -> None:
        """Show these counts."""
        self._found = found
        self.refresh()

    # -- choosing -------------------------------------------------------------------------------

    def action_move(self, down: int, right: int) -> None:
        """Choose the neighbour."""
        last = len(self._names) - 1
        row, column = self.cell
        if row < 0:
            self._choose((0, 0))
        else:
            self._choose((min(max(row + down, 0), last), min(max(column + right, 0), last)))

    def action_release(self) -> None:
        """Choose none."""
        self._choose((-1, -1))

    def _choose(self, cell: Cell) -> None:
        self.cell = cell
        self.refresh()
        self.post_message(self.Chosen(cell))

    def on_click(self, event: events.Click) -> None:
        """The cell under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None or self._found is None:
            return
        rows, columns, label, cell = self._layout(self._found)
        row, column = offset.y - 2, (offset.x - label) // cell
        if 0 <= row < len(rows) and offset.x >= label and column < len(columns):
            self._choose((rows[row], columns[column]))

    # -- drawing --------------------------------------------------------------------------------

    def _layout(self, found: Mistakes) -> tuple[range, range, int, int]:
        """Rows and columns in view, cells of a name, cells of a number."""
        label = max(len(CORNER), min(max(map(len, self._names), default=1), LABEL) + 2)
        cell = max(len(str(int(found.matrix.max(initial=0)))) + 2, 4)
        count = len(self._names)
        rows = _window(self.cell[0], count, max(self.size.height - 5, 1))
        columns = _window(self.cell[1], count, max((self.size.width - label) // cell, 1))
        return rows, columns, label, cell

    def render_line(self, y: int) -> Strip:
        """Two lines of heading, the rows, two lines about the chosen class and the keys."""
        found, width = self._found, self.size.width
        if found is None:
            return Strip.blank(width, self.rich_style)
        rows, columns, label, cell = self._layout(found)
        if y == 0:
            segments = [Segment(self._heading(found, rows, columns), Style(bold=True))]
        elif y == 1:
            segments = self._names_of(columns, label, cell)
        elif y - 2 < len(rows):
            segments = self._row(found, rows[y - 2], columns, label, cell)
        elif y == len(rows) + 3:
            segments = [Segment(self._about(found))]
        elif y == len(rows) + 4:
            segments = [Segment(HINT, Style(dim=True))]
        else:
            segments = [Segment("")]
        return Strip(segments).adjust_cell_length(width).apply_style(self.rich_style)

    def _heading(self, found: Mistakes, rows: range, columns: range) -> str:
        right, count = int(np.trace(found.matrix)), int(found.matrix.sum())
        text = f"{found.accuracy:.1%} right: {right:,} of {count:,} ({found.part})"
        if len(rows) < len(self._names) or len(columns) < len(self._names):
            text += f"; {len(rows)} × {len(columns)} of {len(self._names)} classes shown"
        return text

    def _names_of(self, columns: range, label: int, cell: int) -> list[Segment]:
        style = Style(dim=True)
        names = "".join(f"{self._names[k][: cell - 2]} ".rjust(cell) for k in columns)
        segments = [
            Segment(CORNER.ljust(label), style),
            Segment(names, Style(bold=True)),
        ]
        return [*segments, Segment("".join(self._fitting(columns, label, cell)), style)]

    def _fitting(self, columns: range, label: int, cell: int) -> list[str]:
        """As many of the figures as there is room for."""
        room, fitting = self.size.width - label - cell * len(columns), []
        for name in FIGURES:
            room -= len(name)
            if room < 0:
                break
            fitting.append(name)
        return fitting

    def _row(
        self, found: Mistakes, row: int, columns: range, label: int, cell: int
    ) -> list[Segment]:
        total = max(int(found.matrix[row].sum()), 1)
        name = self._names[row][: label - 2].rjust(label - 1)
        segments = [Segment(f"{name} ", Style(bold=True))]
        for column in columns:
            count = int(found.matrix[row, column])
            text = (f"{count} " if count else "· ").rjust(cell)
            segments.append(Segment(text, self._style(row, column, count / total)))
        values = [f"{value:.1%}" for value in found.figures[row]]
        values.append(f"{int(found.matrix[row].sum()):,}")
        names = self._fitting(columns, label, cell)
        text = "".join(v.rjust(len(f)) for v, f in zip(values, names, strict=False))
        return [*segments, Segment(text)]

    def _style(self, row: int, column: int, share: float) -> Style:
        if (row, column) == self.cell:
            return Style(reverse=True, bold=True)
        _, _, background, foreground = self.colors
        if not share:
            return Style(color=background.blend(foreground, 0.4).rich_color)
        colour = RIGHT if row == column else WRONG
        strength = 0.2 + 0.6 * share if row == column else min(0.25 + 2 * share, 0.85)
        return Style(bgcolor=background.blend(colour, strength).rich_color)

    def _about(self, found: Mistakes) -> str:
        k = self.cell[0]
        name = "mean of the classes" if k < 0 else self._names[k]
        precision, recall, f1 = found.figures.mean(axis=0) if k < 0 else found.figures[k]
        return f"{name}: precision {precision:.1%}  recall {recall:.1%}  F1 {f1:.1%}"


def _window(chosen: int, count: int, room: int) -> range:
    """`room` of `count`, with the chosen one among them."""
    if room >= count:
        return range(count)
    first = min(max(chosen - room // 2, 0), count - room)
    return range(first, first + room)
