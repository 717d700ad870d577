"""A small list to choose one thing from, over the screen."""

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option


class Picker(ModalScreen[str | None]):
    """Gives the name that was chosen, None if none was."""

    DEFAULT_CSS = """
    Picker { align: center middle; }
    Picker > Vertical {
        width: 84; max-width: 96%; height: auto; max-height: 90%;
        border: round $primary; background: $surface; padding: 0 1;
        border-title-color: $text; border-title-style: bold;
    }
    Picker OptionList, Picker OptionList:focus {
        height: auto; border: none; background: transparent; padding: 0;
    }
    Picker Label { color: $text-muted; width: 1fr; }
    """
    BINDINGS = [("escape", "dismiss(None)", "Cancel")]

    def __init__(self, title: str, options: dict[str, str]) -> None:
        super().__init__()
        self._title, self._options = title, options

    def compose(self) -> ComposeResult:
        """Each name with a word on it."""
        width = max(map(len, self._options), default=0)
        with Vertical() as box:
            box.border_title = self._title
            yield OptionList(
                *(
                    Option(Text.assemble((name.ljust(width), "bold"), "  ", (said, "dim")), id=name)
                    for name, said in self._options.items()
                )
            )
            yield Label("↑↓ and Enter, or click · Esc: leave it", markup=False)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)
