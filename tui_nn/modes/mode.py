"""What all modes share: the lines at the top, the mode's own panes, the keys at the bottom."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.events import Resize
from textual.geometry import Offset
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from tui_nn.modes import MODES
from tui_nn.monitor import Monitor
from tui_nn.widgets.key_line import KeyLine
from tui_nn.widgets.status_line import Counters, RunTitle


class ModeBar(Static):
    """The modes, with their keys, the one on screen marked; each can be clicked."""

    DEFAULT_CSS = "ModeBar { width: auto; height: 1; }"

    def __init__(self, current: str) -> None:
        line = ""
        for number, mode in enumerate(MODES, 1):
            label = f"{number} {mode.capitalize()}"
            if mode == current:  # its mark covers the spaces beside it
                line = f"{line.removesuffix(' ')}[reverse] {label} [/]"
            else:
                line += f"[@click=app.switch_mode('{mode}')]{label}[/] "
        super().__init__(f"{line}[@click=app.help]?[/] [@click=app.quit]q[/] ")


class Mode(Screen[None]):
    """One of the app's modes. Subclasses yield their panes in `compose_mode`."""

    DEFAULT_CSS = """
    Mode > #top { height: 1; background: $panel;  }
    """

    name_of_mode = ""
    BINDINGS = [Binding("question_mark", "app.help", "Help", key_display="?")]

    class Entered(Message):
        """The mode is on screen, for the first time or again."""

    def compose(self) -> ComposeResult:
        """The run and the modes, the counters, the panes, the footer."""
        with Horizontal(id="top"):
            yield RunTitle()
            yield ModeBar(self.name_of_mode)
        yield Counters()
        yield from self.compose_mode()
        yield KeyLine()

    def compose_mode(self) -> ComposeResult:
        """The mode's own panes."""
        raise NotImplementedError

    def on_resize(self, event: Resize) -> None:
        """A size that the terminal no longer has changes nothing: laid out for it, the screen would
        tell itself of it again, after the present one, and of that one again after it.
        """
        if event.size != self.app.size:
            event.prevent_default()

    def get_widget_and_offset_at(self, x: int, y: int) -> tuple[Widget | None, Offset | None]:
        """Of Textual, which asks where a selection of text begins: not in what has just been
        removed and only stands in the picture still. It would end there with an error.
        """
        widget, offset = super().get_widget_and_offset_at(x, y)
        gone = widget is not None and widget.parent is None
        return (None, None) if gone else (widget, offset)

    def on_screen_resume(self) -> None:
        """What happened meanwhile is to be shown."""
        self.post_message(self.Entered())

    def show_status(self, monitor: Monitor, title: str) -> None:
        """Show the run in the lines at the top; `title` is its data and network."""
        self.query_one(RunTitle).show(monitor, title)
        self.query_one(Counters).show(monitor)
