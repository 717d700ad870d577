"""What happened, a line an event."""

from collections.abc import Sequence

from rich.text import Text
from textual.events import Resize
from textual.widgets import RichLog

from tui_nn.monitor import Entry

SIGNS = {"information": " ", "warning": "⚠", "error": "✗"}


class EventLog(RichLog):
    """Events as the monitor keeps them; wrapped anew where the width is another."""

    def __init__(self, *, id: str) -> None:  # noqa: A002  as every widget has it
        super().__init__(id=id, wrap=True, max_lines=1000, min_width=1)
        self._log: Sequence[Entry] = ()
        self._logged = 0
        self._written = 0
        self._width = 0

    def show(self, log: Sequence[Entry], logged: int) -> None:
        """Show the newest of the `logged` events that there were in all."""
        self._log, self._logged = log, logged
        self._catch_up()

    def on_show(self) -> None:
        """What was told while it was hidden could not be wrapped."""
        self.call_after_refresh(self._catch_up)

    def on_resize(self, event: Resize) -> None:  # noqa: ARG002
        """Wrap anew; Textual calls what the base class does besides."""
        self.call_after_refresh(self._catch_up)

    def _catch_up(self) -> None:
        width = self.scrollable_content_region.width
        if not width:
            return
        if width != self._width:
            self._width, self._written = width, 0
            self.clear()
        new = min(self._logged - self._written, len(self._log))
        self._written = self._logged
        for entry in list(self._log)[-new:] if new else ():
            self.write(self._line(entry), expand=True)

    def _line(self, entry: Entry) -> Text:
        sign = SIGNS[entry.severity]
        colour = self.app.theme_variables.get(f"text-{entry.severity}", "") if sign != " " else ""
        return Text(f"{entry.time} {sign} {entry.text}", style=colour)
