"""A line that stands for a run so far: where one stands on it, and a click away every other place.

A mode that mounts it calls `show(place, tip)` whenever the run has moved on; a click posts
`TimelineBar.Chosen`, which `Transport` answers by going there.
"""

from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

START = "0 "
SMALLEST = 8  # cells of a line that is worth clicking on


class TimelineBar(Widget):
    """From the start (left) to the farthest iteration of this run (right); ● is the place."""

    DEFAULT_CSS = "TimelineBar { height: 1; padding: 0 1; text-wrap: nowrap; }"

    hovered: reactive[int | None] = reactive(None)
    """The iteration under the mouse."""

    @dataclass
    class Chosen(Message):
        """Somebody wants to be at this iteration."""

        iteration: int

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self.place = self.tip = 0
        self.tooltip = "Click: go to that iteration (g asks for one, B one update back)"

    def show(self, place: int, tip: int) -> None:
        """Stand at iteration `place` of a run that reached `tip`."""
        if (place, tip) != (self.place, self.tip):
            self.place, self.tip = place, tip
            self.refresh()

    def render(self) -> Text:
        """The line, the place on it, and the iteration under the mouse or at the tip."""
        line, cells = Text(START, style="dim", no_wrap=True), self._cells
        if not cells:
            return line
        column = round(self.place / self.tip * (cells - 1)) if self.tip else 0
        here = self.app.theme_variables["primary"]
        line.append("━" * column, style=here)
        line.append("●", style=f"bold {here}")
        line.append("╌" * (cells - 1 - column))
        end = f"→ {self.hovered:,}" if self.hovered is not None else f"{self.tip:,}"
        return line.append(f" {end}", style="dim" if self.hovered is None else "bold")

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell where a click would lead."""
        self.hovered = self._under(event)

    def on_leave(self) -> None:
        """Tell the tip again."""
        self.hovered = None

    def on_click(self, event: events.Click) -> None:
        """Ask to go there."""
        iteration = self._under(event)
        if iteration is not None:
            self.post_message(self.Chosen(iteration))

    @property
    def _cells(self) -> int:
        """Of the line itself; the number at its end has room for its longest."""
        cells = self.content_size.width - len(START) - len(f" → {self.tip:,}")
        return cells if cells >= SMALLEST else 0

    def _under(self, event: events.MouseEvent) -> int | None:
        offset, cells = event.get_content_offset(self), self._cells
        if offset is None or not cells or not self.tip:
            return None
        share = (offset.x - len(START)) / (cells - 1)
        return round(min(max(share, 0.0), 1.0) * self.tip)
