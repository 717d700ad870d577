"""One field on the screen: its label, its editor, what it means, and what is wrong with it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.text import Text as RichText
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Label, Select, Static, TextArea

from tui_nn.draft import edited
from tui_nn.forms.spec import Choice, Number, Numbers, Spec
from tui_nn.forms.values import (
    number_of,
    numbers_of,
    table_of,
    text_of,
    without_header,
    wrong_number,
)
from tui_nn_engine.blocks.paths import Steps, steps_of
from tui_nn_engine.blocks.schema import Problem

_MOST_BYTES = 2**20


class Edited(Message):
    """A person changed a field; None: it was emptied, so that its default holds."""

    def __init__(self, path: str, value: Any) -> None:
        super().__init__()
        self.path, self.value = path, value


class Field(Vertical):
    """The part all fields share. `value` is what stands in the experiment, right or wrong."""

    DEFAULT_CSS = """
    Field {
        height: auto;
        margin-bottom: 1;
        .field-row { height: auto; }
        .field-label { width: 21; padding-right: 1; text-style: bold; }
        .field-help { color: $text-muted; height: auto; }
        .field-problem { color: $text-error; height: auto; display: none; }
        &.-wrong > .field-problem { display: block; }
        &.-wrong > .field-row > .field-label { color: $text-error; }
        .field-row:focus-within > .field-label { text-style: bold underline; color: $text-accent; }
        Input, Select { width: 1fr; }
        Select Static#label { height: 1; text-wrap: nowrap; text-overflow: ellipsis; }
        Select > SelectOverlay {
            width: 60; max-width: 100vw; max-height: 16; constrain: inside inside;
        }
    }
    """

    def __init__(self, spec: Spec, path: str, value: Any) -> None:
        super().__init__()
        self.spec, self.path, self.value = spec, path, value
        self.problems: tuple[Problem, ...] = ()
        self._label = Label(spec.label, classes="field-label", markup=False)
        self._help = Static(spec.help, classes="field-help", markup=False)
        self._help.display = bool(spec.help)
        self._problem = Static(classes="field-problem", markup=False)

    def compose(self) -> ComposeResult:
        """Label and editor side by side, the words below."""
        with Horizontal(classes="field-row"):
            yield self._label
            yield from self.compose_editor()
        yield self._help
        yield self._problem

    def compose_editor(self) -> ComposeResult:
        """What the value is edited in."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """What was shown before there was an editor."""
        self.render_value()

    def render_value(self) -> None:
        """Bring the editor to `value`, leaving it alone where it says that already."""
        raise NotImplementedError

    def show(self, value: Any) -> None:
        """Show what now stands in the experiment, as after an undo."""
        self.value = value
        if self.is_mounted:
            self.render_value()

    def move(self, path: str) -> None:
        """Stand for the same field of another block from now on; `show` is to follow."""
        self.path = path

    def show_problems(self, problems: Iterable[Problem]) -> tuple[Problem, ...]:
        """Show those that are this field's; returns the others."""
        problems = tuple(problems)
        self.problems = tuple(one for one in problems if self.owns(one))
        words = list(dict.fromkeys(self.words(one) for one in self.problems))
        self.set_class(bool(words), "-wrong")
        self._problem.update("\n".join(f"✗ {line}" for line in words[:3]))
        return tuple(one for one in problems if one not in self.problems)

    def owns(self, problem: Problem) -> bool:
        """Whether it is this field's, or of something within its value."""
        return problem.path == self.path or self.holds(problem.path)

    def holds(self, path: str) -> bool:
        """Whether a place is within this field's block."""
        return path.startswith(self.path) and path[len(self.path) :].startswith((".", "["))

    def words(self, problem: Problem) -> str:
        """What is wrong, in this field's words."""
        return problem.message

    @on(Edited)
    def _edited_inside(self, event: Edited) -> None:
        """Keep up with what was edited within the value, unless that is another block's by now."""
        if self.holds(event.path):
            self.value = edited(self.value, self._inside(event.path), event.value)

    def _inside(self, path: str) -> Steps:
        """The rest of a path within this field's value."""
        return steps_of(path[len(self.path) :].lstrip("."))

    @property
    def effective(self) -> Any:
        """What holds: the value, or the default where there is none."""
        return self.spec.default if self.value is None else self.value

    def edit(self, value: Any) -> None:
        """Take over what a person did, and tell it."""
        if value != self.value or type(value) is not type(self.value):
            self.value = value
            self.post_message(Edited(self.path, value))


def focus_field(form: Widget, place: str) -> None:
    """Put the focus on the innermost field that holds `place`, else on the first there is."""
    fields = list(form.query(Field))
    over = [one for one in fields if one.owns(Problem(place, ""))]
    for nearest in [*sorted(over, key=lambda one: -len(one.path)), *fields][:1]:
        for target in [widget for widget in nearest.query("*") if widget.focusable][:1]:
            target.focus(scroll_visible=False)
            form.call_after_refresh(target.scroll_visible, animate=False)


class TextField(Field):
    """A number or a text; empty means the default."""

    def __init__(self, spec: Spec, path: str, value: Any) -> None:
        super().__init__(spec, path, value)
        usual = "needed" if spec.required else text_of(spec.default) or spec.nothing or "as usual"
        self._input = Input(text_of(value), placeholder=usual, compact=True, select_on_focus=False)

    def compose_editor(self) -> ComposeResult:
        """A line of text."""
        yield self._input

    def render_value(self) -> None:
        """Leave the text alone while it says the value already: 1e-3 stays 1e-3."""
        if self._read(self._input.value) != self.value:
            self._input.value = text_of(self.value)

    def move(self, path: str) -> None:
        """What was typed last is told of the block where it was."""
        self.edit(self._read(self._input.value))
        super().move(path)

    def words(self, problem: Problem) -> str:
        """A comma is the commonest reason why a number is none."""
        comma = isinstance(self.spec.content, Number) and "," in self._input.value
        hint = "; write the decimals after a point, as 0.001" if comma else ""
        return f"{problem.message}{hint}"

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.edit(self._read(self._input.value))  # by now it may be more than the event says

    def _read(self, text: str) -> Any:
        content = self.spec.content
        if isinstance(content, Number):
            return number_of(text, whole=content.whole)
        return text or None


class TruthField(Field):
    """Yes or no, said in words beside the box."""

    DEFAULT_CSS = """
    TruthField Checkbox { padding: 0; }
    """

    def __init__(self, spec: Spec, path: str, value: Any) -> None:
        super().__init__(spec, path, value)
        on = self.effective is True
        self._box = Checkbox(text_of(on), on, compact=True)

    def compose_editor(self) -> ComposeResult:
        """A box to tick."""
        yield self._box

    def render_value(self) -> None:
        """Tick it or not; anything but true and false is shown as no, with its problem."""
        self._box.value = self.effective is True
        self._box.label = text_of(self._box.value)

    @on(Checkbox.Changed)
    def _changed(self, event: Checkbox.Changed) -> None:
        event.stop()
        self._box.label = text_of(self._box.value)
        if self._box.value is not (self.effective is True):
            self.edit(self._box.value)


class ChoiceField(Field):
    """One of a few values; one that is none of them stays and is shown as it is."""

    def __init__(self, spec: Spec, path: str, value: Any) -> None:
        super().__init__(spec, path, value)
        prompt = (spec.nothing or "as usual") if spec.optional else "choose"
        self._select: Select[Any] = Select(
            self.options(),
            prompt=prompt,
            allow_blank=spec.optional or self.chosen is None,
            value=Select.NULL if self.chosen is None else self.chosen,
            compact=True,
        )

    def compose_editor(self) -> ComposeResult:
        """A list that opens."""
        yield self._select

    def names(self) -> list[tuple[Any, str]]:
        """The values there are, each with a word on it."""
        content = self.spec.content
        return [(value, "") for value in content.values] if isinstance(content, Choice) else []

    @property
    def chosen(self) -> Any:
        """Which of them holds."""
        value = self.effective
        return text_of(value) if isinstance(value, list | dict) else value

    def options(self) -> list[tuple[RichText, Any]]:
        """What the list holds: all values, and the present one if it is none of them."""
        names = self.names()
        if self.chosen is not None and self.chosen not in [name for name, _ in names]:
            names = [(self.chosen, "✗ not known"), *names]
        return [
            (RichText.assemble((text_of(name), "bold"), "  ", (said, "dim")), name)
            for name, said in names
        ]

    def render_value(self) -> None:
        """Offer what there is and choose what holds."""
        wished = Select.NULL if self.chosen is None else self.chosen
        if self._select.value != wished:
            self._select.set_options(self.options())
            self._select.value = wished

    def take(self, name: Any) -> None:
        """A person chose it."""
        self.edit(name)

    @on(Select.Changed)
    def _changed(self, event: Select.Changed) -> None:
        event.stop()
        if event.select is self._select:
            name = self._select.selection
            if name != self.chosen and (name is not None or self.spec.optional):
                self.take(name)


class NumbersField(Field):
    """A list or a table of numbers, typed, pasted, or read from a CSV file."""

    DEFAULT_CSS = """
    NumbersField TextArea { width: 1fr; height: auto; min-height: 2; max-height: 10; }
    NumbersField > .numbers-actions { height: 1; }
    """

    def __init__(self, spec: Spec, path: str, value: Any) -> None:
        super().__init__(spec, path, value)
        self._area = TextArea(
            table_of(value), compact=True, soft_wrap=False, tab_behavior="focus",
            placeholder="0.5 -0.2 0.1",
        )  # fmt: skip

    @property
    def _content(self) -> Numbers:
        content = self.spec.content
        return content if isinstance(content, Numbers) else Numbers(frozenset({1, 2}))

    def _read(self) -> Any:
        word = self._area.text.strip()
        if word in self._content.words:
            return word
        return numbers_of(self._area.text, self._content.ranks, whole=self._content.whole)

    def compose_editor(self) -> ComposeResult:
        """A grid of numbers."""
        yield self._area

    def compose(self) -> ComposeResult:
        """How to write it, and a way to a file."""
        yield from super().compose()
        rows = "a line a row" + (
            "; end a single row with ;" if {1, 2} <= self._content.ranks else ""
        )
        rows += ", a | after each time step" if 3 in self._content.ranks else ""
        rows += "".join(f"; or {word}" for word in self._content.words)
        with Horizontal(classes="numbers-actions"):
            yield Button("Read a CSV file…", compact=True)
            yield Label(f"  {rows}", classes="field-hint")

    def render_value(self) -> None:
        """Leave the text alone while it says the value already."""
        if self._read() != self.value:
            self._area.text = table_of(self.value)

    def move(self, path: str) -> None:
        """What was typed last is told of the block where it was."""
        self.edit(self._read())
        super().move(path)

    def words(self, problem: Problem) -> str:
        """Where the number is that is none."""
        if self._read() in self._content.words:
            return problem.message
        return wrong_number(self._area.text) or problem.message

    @on(TextArea.Changed)
    def _changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.edit(self._read())

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._read_file()

    @work
    async def _read_file(self) -> None:
        from textual_fspicker import FileOpen, Filters

        csv = Filters(("CSV", lambda path: path.suffix.lower() == ".csv"), ("All", lambda _: True))
        path = await self.app.push_screen_wait(FileOpen(title="Numbers from", filters=csv))
        if path is None:
            return
        try:
            self._area.text = without_header(read_table(path))
        except (OSError, ValueError) as error:
            self.notify(f"can't read {path}: {error}", severity="error")


def read_table(path: Path) -> str:
    """The text of a small file. Raises OSError, or ValueError where it is no text or too large."""
    with path.open("rb") as file:
        raw = file.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise ValueError("it is larger than 1 MB; such weights belong into a checkpoint")
    return raw.decode("utf-8-sig").strip()
