"""Small dialogs: ask for a number, ask for a decision, choose a saved run."""

import math
from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, OptionList
from textual.widgets.option_list import Option

Parse = Callable[[str], float]

FRAME = """
    align: center middle;
    & > Vertical {
        width: 64; max-width: 95%; height: auto; max-height: 95%;
        padding: 1 2; background: $surface; border: round $primary;
    }
    .title { text-style: bold; width: 1fr; }
    .hint { color: $text-muted; width: 1fr; }
    .problem { color: $text-error; width: 1fr; }
"""


def parse_positive(text: str) -> float:
    """A finite number above 0. Raises ValueError that says what is wrong."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number; write it as 0.01 or 1e-2") from None
    if not (math.isfinite(value) and value > 0):
        raise ValueError("must be greater than 0 and finite")
    return value


def parse_finite(text: str) -> float:
    """A finite number. Raises ValueError that says what is wrong."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{text!r} is no number; write it as -0.5 or 1e-2") from None
    if not math.isfinite(value):
        raise ValueError("must be finite")
    return value


def parse_whole(text: str) -> float:
    """A whole number of at least 1. Raises ValueError that says what is wrong."""
    try:
        value = int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None
    if not 1 <= value <= 10**9:
        raise ValueError("must be at least 1, and at most a billion")
    return value


def epochs_parser(begun: int) -> Parse:
    """Reads how many epochs to train in all: as many as have begun, or more.

    It raises ValueError that says what is wrong.
    """

    def parse(text: str) -> float:
        epochs = parse_whole(text)
        if epochs < begun:
            raise ValueError(f"not fewer than the {begun:,} that have begun; g goes back to one")
        return epochs

    return parse


def place_parser(here: int, tip: int, total: int, batches: int) -> Parse:
    """Reads a place in a run of `total` updates, `batches` an epoch, `tip` of them made so far.

    "500", "+100" and "-100" (from `here`), "epoch 3" (its end), "start", "end" (the tip). It
    raises ValueError that says what is wrong.
    """

    def parse(text: str) -> float:
        words = text.replace(",", "").lower().split()
        named = {"start": 0, "end": tip}
        try:
            match words:
                case [word] if word in named:
                    iteration = named[word]
                case ["epoch", number]:
                    iteration = int(number) * batches
                case [number]:
                    iteration = int(number) + (here if number[0] in "+-" else 0)
                case _:
                    raise ValueError
        except ValueError:
            raise ValueError("write it as 500, +100, -100, epoch 3, start or end") from None
        if not 0 <= iteration <= max(total, tip):
            raise ValueError(f"{iteration:,} is not within 0 and {max(total, tip):,}, the last")
        return iteration

    return parse


class Ask(ModalScreen[float | None]):
    """Asks for a number; None where the person thinks better of it."""

    DEFAULT_CSS = f"Ask {{ {FRAME} }}"
    BINDINGS = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, title: str, value: str, parse: Parse, hint: str = "") -> None:
        super().__init__()
        self._title, self._value, self._parse, self._hint = title, value, parse, hint

    def compose(self) -> ComposeResult:
        """Title, hint, the field, what is wrong with it."""
        with Vertical():
            yield Label(self._title, classes="title")
            if self._hint:
                yield Label(self._hint, classes="hint")
            yield Input(self._value)
            yield Label("", classes="problem")
            yield Label("enter: take it   escape: leave it as it is", classes="hint")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once what is wrong."""
        self.query_one(".problem", Label).update(self._problem(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take it, if it is right."""
        if not self._problem(event.value):
            self.dismiss(self._parse(event.value))

    def _problem(self, text: str) -> str:
        try:
            self._parse(text)
        except ValueError as error:
            return f"✗ {error}"
        return ""


class Decide(ModalScreen[str | None]):
    """Asks for one of a few decisions, each a button; None for escape."""

    DEFAULT_CSS = f"""
    Decide {{ {FRAME}
        Horizontal {{ height: auto; margin-top: 1; }}
        Button {{ margin-right: 1; }}
    }}
    """
    BINDINGS = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("left", "app.focus_previous", "Previous", show=False),
        Binding("right", "app.focus_next", "Next", show=False),
    ]

    def __init__(self, title: str, text: str, choices: dict[str, str]) -> None:
        super().__init__()
        self._title, self._text, self._choices = title, text, choices

    def compose(self) -> ComposeResult:
        """Title, text, a button a choice."""
        with Vertical():
            yield Label(self._title, classes="title")
            yield Label(self._text, classes="hint")
            with Horizontal():
                for index, (key, label) in enumerate(self._choices.items()):
                    yield Button(label, id=key, variant="default" if index else "primary")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """That is the decision."""
        self.dismiss(event.button.id)


class Choose(ModalScreen[str | None]):
    """Choose one of several named things; None for escape."""

    DEFAULT_CSS = f"Choose {{ {FRAME} OptionList {{ height: auto; max-height: 20; }} }}"
    BINDINGS = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], empty: str) -> None:
        super().__init__()
        self._title, self._options, self._empty = title, options, empty

    def compose(self) -> ComposeResult:
        """Title and the list."""
        with Vertical():
            yield Label(self._title, classes="title")
            if self._options:
                yield OptionList(*(Option(label, id=key) for key, label in self._options))
            else:
                yield Label(self._empty, classes="hint")
            yield Label("enter: take it   escape: leave it", classes="hint")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """That one."""
        self.dismiss(event.option.id)
