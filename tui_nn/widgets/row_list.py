"""Rows that are drawn when they come into view: a thousand cost as much as ten."""

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class RowList(ScrollView, can_focus=True):
    """A scrolling list below an optional heading line.

    A click or the arrows choose a row, a double click or enter go where it leads. Subclasses draw
    `row_text` (and `heading_text`), say what `choose` and `enter` mean, and call `set_rows` when
    there is news.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Row above", show=False),
        Binding("down", "move(1)", "Row below", show=False),
        Binding("enter", "enter", "Go there", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--heading",
        "rows--current",
        "rows--written",
    }
    DEFAULT_CSS = """
    RowList {
        height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1;
        & > .rows--heading { color: $text-secondary; text-style: bold; }
        & > .rows--current { background: $primary-muted; color: $text-primary; text-style: bold; }
        & > .rows--written { background: $accent-muted; color: $text-accent; text-style: bold; }
    }
    """
    HEADING = 0

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._count = 0
        self._current: int | None = None
        self._in_view = True

    def set_rows(self, count: int, current: int | None, *, reveal: bool = True) -> None:
        """There are so many rows now; `current`, if any, is marked, and brought into view."""
        moved = (count, current) != (self._count, self._current)
        self._count, self._current = count, current
        self.virtual_size = Size(1, count + self.HEADING)
        if moved:
            self._in_view = reveal
            if reveal:
                self.reveal(self._current)
        self.refresh()

    def row_text(self, row: int, width: int) -> Text:
        """One row."""
        raise NotImplementedError

    def choose(self, row: int) -> None:
        """A row is wanted."""
        raise NotImplementedError

    def enter(self, row: int) -> None:
        """Go where a row leads; nowhere, unless a subclass says so."""

    @property
    def chosen_row(self) -> int | None:
        """The row that the arrows start from."""
        return self._current

    def action_move(self, direction: int) -> None:
        """Choose the row above or below."""
        row = self.chosen_row
        if self._count:
            last = self._count - 1
            self.choose(0 if row is None else min(max(row + direction, 0), last))

    def action_enter(self) -> None:
        """Go where the chosen row leads."""
        row = self.chosen_row
        if row is not None and row < self._count:
            self.enter(row)

    def heading_text(self, width: int) -> Text:  # noqa: ARG002
        """The line above the rows."""
        return Text()

    @property
    def visible_rows(self) -> range:
        """The rows in view."""
        first = round(self.scroll_offset.y)
        return range(first, min(first + max(self.size.height - self.HEADING, 0), self._count))

    def render_line(self, y: int) -> Strip:
        """The heading, or the row that the list is scrolled to."""
        width = self.scrollable_content_region.width
        row = y - self.HEADING + round(self.scroll_offset.y)
        if y < self.HEADING:
            text = self.heading_text(width)
        else:
            text = self.row_text(row, width) if row < self._count else Text()
        text.no_wrap = True
        text.truncate(width, overflow="ellipsis")
        strip = Strip(text.render(self.app.console), text.cell_len)
        return strip.adjust_cell_length(self.size.width).apply_style(self.rich_style)

    def on_resize(self) -> None:
        """Keep the current row in view, if it was brought there."""
        if self._in_view:
            self.reveal(self._current)

    def on_click(self, event: events.Click) -> None:
        """Choose the row under the mouse; the second click of two goes where it leads."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self.HEADING:
            return
        row = offset.y - self.HEADING + round(self.scroll_offset.y)
        if row < self._count:
            (self.enter if event.chain == 2 else self.choose)(row)

    def reveal(self, row: int | None) -> None:
        """Scroll as little as needed, with two rows to spare where there is room."""
        height = self.size.height - self.HEADING
        if row is None or height < 1:
            return
        spare = min(2, (height - 1) // 2)
        top = round(self.scroll_offset.y)
        low, high = row + spare - height + 1, row - spare
        target = max(0, min(max(top, low), high))
        if target != top:
            self.scroll_to(y=target, animate=False, immediate=True)
