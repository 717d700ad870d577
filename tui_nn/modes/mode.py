"""What all modes share: the line at the top, the mode's own panes, the keys at the bottom."""

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer

from tui_nn.widgets.status_line import StatusLine


class Mode(Screen[None]):
    """One of the app's modes. Subclasses yield their panes in `compose_mode`."""

    def compose(self) -> ComposeResult:
        """The status line, the panes, the footer."""
        yield StatusLine()
        yield from self.compose_mode()
        yield Footer(show_command_palette=False)

    def compose_mode(self) -> ComposeResult:
        """The mode's own panes."""
        raise NotImplementedError
