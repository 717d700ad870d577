"""Asks for a line of text."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from tui_nn.widgets.dialogs import FRAME


class AskText(ModalScreen[str | None]):
    """Asks for a line of text, which may be empty; None where the person thinks better of it."""

    DEFAULT_CSS = f"AskText {{ {FRAME} }}"
    BINDINGS = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, title: str, value: str, hint: str = "") -> None:
        super().__init__()
        self._title, self._value, self._hint = title, value, hint

    def compose(self) -> ComposeResult:
        """Title, hint, the field."""
        with Vertical():
            yield Label(self._title, classes="title", markup=False)
            if self._hint:
                yield Label(self._hint, classes="hint")
            yield Input(self._value)
            yield Label("enter: take it   escape: leave it as it is", classes="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it."""
        self.dismiss(event.value.strip())
