"""Step mode's dialogs: where to stop, what to watch, a gradient checked, an update written down."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final

from rich.markup import escape
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from tui_nn.monitor import Monitor
from tui_nn.palette import class_color, class_marker
from tui_nn.widgets.curve import Curve, Series, SeriesStyle
from tui_nn.widgets.dialogs import FRAME
from tui_nn.widgets.figures import figure
from tui_nn_engine.sessions import protocol
from tui_nn_engine.stepping.gradient_check import GradientChecked

Send = Callable[[protocol.Command], None]

CONDITIONS: Final = (
    "loss < 0.1   gradient > 10   iteration 500   epoch 3   dead dense_1   dead dense_1[3]"
)
FORMATS: Final = {".md": "markdown", ".csv": "csv", ".json": "json", ".txt": "text"}
REFRESH = 0.2  # seconds: a run may go on behind a dialog


class _Listed(ModalScreen[None]):
    """A dialog over a list that the engine keeps; delete takes out what is marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Close"),
        Binding("delete,backspace", "remove", "Remove", tooltip="What is marked in the list"),
    ]

    def __init__(self, monitor: Monitor, send: Send) -> None:
        super().__init__()
        self.monitor, self.send = monitor, send
        self._shown: tuple[str, ...] | None = None

    def on_mount(self) -> None:
        """Show what there is, and what comes."""
        self._refresh()
        self.set_interval(REFRESH, self._refresh)

    def _entries(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _set(self, entries: tuple[str, ...]) -> None:
        raise NotImplementedError

    def _label(self, entry: str) -> str:
        return entry

    def _refresh(self) -> None:
        entries, options = self._entries(), self.query_one(OptionList)
        if entries != self._shown:
            self._shown = entries
            options.clear_options()
            options.add_options([Option(escape(self._label(entry))) for entry in entries])
            if entries:
                options.highlighted = len(entries) - 1
        else:
            for index, entry in enumerate(entries):
                options.replace_option_prompt_at_index(index, escape(self._label(entry)))
        options.display = bool(entries)
        self.query_one("#empty").display = not entries
        self.query_one("#remove", Button).disabled = not entries

    def action_remove(self) -> None:
        """Take out what is marked."""
        entries, marked = self._entries(), self.query_one(OptionList).highlighted
        if marked is not None and marked < len(entries):
            self._set((*entries[:marked], *entries[marked + 1 :]))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """With the mouse."""
        if event.button.id == "remove":
            self.action_remove()
        elif event.button.id == "close":
            self.dismiss(None)


class Breakpoints(_Listed):
    """Conditions at which training stops; each can be typed, and taken out again."""

    DEFAULT_CSS = f"""
    Breakpoints {{ {FRAME}
        OptionList {{ height: auto; max-height: 8; }}
        Horizontal {{ height: auto; margin-top: 1; }}
        Button {{ margin-right: 1; }}
    }}
    """

    def __init__(self, monitor: Monitor, send: Send) -> None:
        super().__init__(monitor, send)
        self._logged = monitor.logged
        self._typed = ""

    def compose(self) -> ComposeResult:
        """The list, a field for one more, examples, what is wrong."""
        with Vertical():
            yield Label("Training stops where one of these becomes true", classes="title")
            yield OptionList()
            yield Label("None yet: training goes on to its end.", classes="hint", id="empty")
            yield Input(placeholder="loss < 0.1")
            yield Label("", classes="problem")
            yield Label(f"For example: {escape(CONDITIONS)}", classes="hint")
            with Horizontal():
                yield Button("Add", id="add", variant="primary")
                yield Button("Remove", id="remove")
                yield Button("Close", id="close")
            yield Label("enter: add   delete: remove the marked   escape: close", classes="hint")

    def on_mount(self) -> None:
        """Type at once."""
        super().on_mount()
        self.query_one(Input).focus()

    def _entries(self) -> tuple[str, ...]:
        return self.monitor.breakpoints

    def _set(self, entries: tuple[str, ...]) -> None:
        self._logged = self.monitor.logged
        self.send(protocol.Break(entries))

    def _refresh(self) -> None:
        """The engine understood a condition, or says why not."""
        if self._entries() != self._shown and self._shown is not None:
            self._say("")
            field = self.query_one(Input)
            if field.value == self._typed:
                field.value = ""
        super()._refresh()
        new = min(self.monitor.logged - self._logged, len(self.monitor.log))
        if new > 0:
            self._logged = self.monitor.logged
            for entry in list(self.monitor.log)[-new:]:
                if entry.severity == "warning":
                    self._say(f"✗ {entry.text}")

    def _say(self, problem: str) -> None:
        self.query_one(".problem", Label).update(escape(problem))

    def on_input_submitted(self) -> None:
        """One more."""
        self._typed = self.query_one(Input).value
        if self._typed.strip():
            self._set((*self._entries(), self._typed))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """With the mouse."""
        if event.button.id == "add":
            self.on_input_submitted()
        else:
            super().on_button_pressed(event)


class WatchList(_Listed):
    """The watched weights over time."""

    DEFAULT_CSS = f"""
    WatchList {{ {FRAME}
        & > Vertical {{ width: 100; height: 32; }}
        Curve {{ height: 1fr; min-height: 6; }}
        OptionList {{ height: auto; max-height: 8; }}
        Horizontal {{ height: auto; margin-top: 1; }}
        Button {{ margin-right: 1; }}
    }}
    """

    def compose(self) -> ComposeResult:
        """Curves, and below them what they are now."""
        with Vertical():
            yield Label("Watched weights, before and after each update", classes="title")
            yield Curve([], empty="Train on (space, N) and the curves grow.")
            yield OptionList()
            yield Label(
                "None yet: choose a weight in the table or the picture, and press w.",
                classes="hint",
                id="empty",
            )
            with Horizontal():
                yield Button("Remove", id="remove")
                yield Button("Close", id="close", variant="primary")
            yield Label("delete: remove the marked   escape: close", classes="hint")

    def on_mount(self) -> None:
        """The arrows mark a weight."""
        super().on_mount()
        self.query_one(OptionList).focus()

    def _entries(self) -> tuple[str, ...]:
        return tuple(self.monitor.watched)

    def _set(self, entries: tuple[str, ...]) -> None:
        self.send(protocol.Watch(entries))

    def _label(self, entry: str) -> str:
        place = self._entries().index(entry)
        value = self.monitor.watched_now.get(entry, float("nan"))
        return f"{class_marker(place)} {entry} = {figure(value, 6)}"

    def _refresh(self) -> None:
        curve, new = self.query_one(Curve), self._entries() != self._shown
        super()._refresh()
        if new:
            curve.series = [
                Series(name, history, SeriesStyle(class_color(i), class_marker(i), smoothed=False))
                for i, (name, history) in enumerate(self.monitor.watched.items())
            ]
        curve.data_changed()


class GradientComparison(ModalScreen[None]):
    """One weight's gradient by backpropagation and by two forward passes."""

    DEFAULT_CSS = f"GradientComparison {{ {FRAME} & > Vertical {{ width: 76; }} }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,c", "dismiss(None)", "Close"),
    ]

    def __init__(self, checked: GradientChecked, digits: int) -> None:
        super().__init__()
        self._text = comparison(checked, max(digits, 6))

    def compose(self) -> ComposeResult:
        """The two numbers, and how they came about."""
        with Vertical():
            yield Label("Backpropagation against the numerical gradient", classes="title")
            yield Static(escape(self._text))
            yield Button("Close", variant="primary")

    def on_button_pressed(self) -> None:
        """With the mouse."""
        self.dismiss(None)


def comparison(checked: GradientChecked, digits: int) -> str:
    """Both numbers, their difference, the two forward passes, and what checking all would cost."""
    e, weight = figure(checked.epsilon, digits), checked.weight
    rows = [
        ("weight w", f"{weight} = {figure(checked.value, digits)}"),
        (f"E(w + {e})", figure(checked.above, 12)),
        (f"E(w − {e})", figure(checked.below, 12)),
        ("numerical", f"(E(w + ε) − E(w − ε)) / 2ε = {figure(checked.numerical, digits)}"),
        ("backpropagation", f"∂E/∂w = {figure(checked.backprop, digits)}"),
        ("difference", f"{figure(checked.difference, 2)}, relative"),
    ]
    wide = max(len(name) for name, _ in rows)
    lines = [f"{name:<{wide}}  {value}" for name, value in rows]
    mark = "✓" if checked.agrees else "✗"
    cost = (
        f"So checked, all {checked.parameters:,} weights need {checked.passes:,} forward passes; "
        "backpropagation needs one pass forward and one back for all of them."
    )
    return "\n".join([*lines, "", f"{mark} {checked.sentence}", "", cost])


class WriteDown(ModalScreen[protocol.Export | None]):
    """Asks for the file that the update is written into; its ending is the format."""

    DEFAULT_CSS = f"""
    WriteDown {{ {FRAME}
        Horizontal {{ height: auto; margin-top: 1; }}
        Button {{ margin-right: 1; }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, iteration: int) -> None:
        super().__init__()
        self._stem = f"update-{iteration}"

    def compose(self) -> ComposeResult:
        """The file, and a button a format."""
        with Vertical():
            yield Label("Write the whole update down, as a handout", classes="title")
            yield Label(
                "Every operation with its formula, numbers and result, and the tables; for the "
                "sample and in the notation on screen. The ending says how:",
                classes="hint",
            )
            yield Input(f"{self._stem}.md")
            yield Label("", classes="problem")
            with Horizontal():
                for ending, name in FORMATS.items():
                    yield Button(f"{name} ({ending})", id=name, compact=True)
            yield Label("enter: write it   escape: leave it", classes="hint")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once what is wrong, or what would be replaced."""
        self.query_one(".problem", Label).update(escape(self._problem(event.value)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Write it, if it can be."""
        path = Path(event.value).expanduser().absolute()
        if path.suffix in FORMATS and path.parent.is_dir():
            self.dismiss(protocol.Export(str(path), FORMATS[path.suffix]))  # type: ignore[arg-type]

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Another format: another ending."""
        ending = next(end for end, name in FORMATS.items() if name == event.button.id)
        field = self.query_one(Input)
        field.value = str(Path(field.value or self._stem).with_suffix(ending))
        field.focus()

    def _problem(self, text: str) -> str:
        path = Path(text).expanduser().absolute()
        if path.suffix not in FORMATS:
            return f"✗ end the name in {', '.join(FORMATS)}"
        if not path.parent.is_dir():
            return f"✗ there is no folder {path.parent}"
        return "this file exists and is replaced" if path.exists() else ""
