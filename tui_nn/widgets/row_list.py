"""Rows that are drawn when they come into view: a thousand cost as much as ten."""

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class RowList(ScrollView, can_focus=True):
    """A scrolling list below an optional heading line; a click chooses a row.

    Subclasses draw `row_text` (and `heading_text`), say what `choose` means, and call `set_rows`
    when there is news.
    """

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

    def set_rows(self, count: int, current: int | None) -> None:
        """There are so many rows now; `current`, if any, is brought into view."""
        moved = (count, current) != (self._count, self._current)
        self._count, self._current = count, current
        self.virtual_size = Size(1, count + self.HEADING)
        if moved:
            self._reveal()
        self.refresh()

    def row_text(self, row: int, width: int) -> Text:
        """One row."""
        raise NotImplementedError

    def choose(self, row: int) -> None:
        """A row was clicked."""
        raise NotImplementedError

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
        """Keep the current row in view."""
        self._reveal()

    def on_click(self, event: events.Click) -> None:
        """Choose the row under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self.HEADING:
            return
        row = offset.y - self.HEADING + round(self.scroll_offset.y)
        if row < self._count:
            self.choose(row)

    def _reveal(self) -> None:
        """Scroll as little as needed, with two rows to spare where there is room."""
        height = self.size.height - self.HEADING
        if self._current is None or height < 1:
            return
        spare = min(2, (height - 1) // 2)
        top = round(self.scroll_offset.y)
        low, high = self._current + spare - height + 1, self._current - spare
        target = max(0, min(max(top, low), high))
        if target != top:
            self.scroll_to(y=target, animate=False, immediate=True)
