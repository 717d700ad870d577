"""A question of a lesson: the field for its answer, and what is said to it."""

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label

PROMPT = "your answer, as 0.25 or -1/3"
WORD = "your answer, a word"
HANDED_ON = {"n", "b", "x", "space", "question_mark"}


def _hand_on(key: str, action: str, name: str, display: str, tooltip: str) -> Binding:
    """A key that is none of the answer's while the field is empty."""
    on = f"hand_on('{action}')"
    return Binding(key, on, name, key_display=display, priority=True, tooltip=tooltip)


class Answer(Input):
    """A field for an answer. While it is empty, keys that begin no number do what they do outside.

    A word may begin with any letter: where one is asked for, only escape leads out.
    """

    BINDINGS = [
        # No priority: it would overtake the digits typed just before it.
        Binding("enter", "submit", "check", tooltip="Check the answer"),
        _hand_on("n,right,space", "turn(1)", "next", "n", "On to the next step, unanswered"),
        _hand_on("b,left", "turn(-1)", "back", "b", "Back to the step before"),
        _hand_on("s", "show", "show it", "s", "Show the answer"),
        _hand_on("x", "walk", "Step mode", "x", "The numbers of this step at work"),
        Binding("escape", "screen.out", "leave the field", tooltip="Out of the field"),
        _hand_on("question_mark", "app.help", "help", "?", "All keys"),
    ]

    @dataclass
    class HandedOn(Message):
        """A key was not for the field: this action is wanted."""

        action: str

    def __init__(self) -> None:
        super().__init__(compact=True)
        self.for_number = True
        self.offered = False

    def action_hand_on(self, action: str) -> None:
        """Leave it to whoever can."""
        self.post_message(self.HandedOn(action))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is being typed is text."""
        if action != "hand_on":
            return super().check_action(action, parameters)
        return self._free and (self.offered or parameters != ("show",))

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """What is handed on is not consumed."""
        on = self._free and (key in HANDED_ON or (key == "s" and self.offered))
        return not on and super().check_consume_key(key, character)

    @property
    def _free(self) -> bool:
        return not self.value and self.for_number

    def watch_value(self) -> None:
        """The first letter makes a page-turner a field."""
        self.refresh_bindings()


class ExerciseBox(Vertical):
    """The question, the field, and what is said to the answer."""

    DEFAULT_CSS = """
    ExerciseBox {
        height: auto; border: round $accent; border-title-color: $text-accent;
        border-title-style: bold; padding: 0 1;
        & > #question { width: 1fr; text-style: bold; }
        & > #said { width: 1fr; }
        & > Answer { width: 1fr; }
        & > .gone { display: none; }
        &.-right { border: round $success; border-title-color: $text-success; }
    }
    """

    @dataclass
    class Submitted(Message):
        """An answer was given."""

        text: str

    def compose(self) -> ComposeResult:
        """Question, field, verdict."""
        yield Label(id="question", markup=False)
        yield Answer()
        yield Label(id="said", classes="gone")

    @property
    def field(self) -> Answer:
        """The field."""
        return self.query_one(Answer)

    def ask(self, title: str, question: str, *, for_number: bool) -> None:
        """Put a question; what was said to the answer before stays."""
        self.border_title = title
        self.remove_class("-right")
        self.query_one("#question", Label).update(question)
        self.query_one("#question").remove_class("gone")
        field = self.field
        field.remove_class("gone")
        field.value, field.for_number, field.offered = "", for_number, False
        field.placeholder = PROMPT if for_number else WORD

    def rest(self, title: str) -> None:
        """There is no more to ask."""
        self.border_title = title
        self.add_class("-right")
        self.query_one("#question").add_class("gone")
        self.field.add_class("gone")

    def say(self, text: str, style: str = "") -> None:
        """Say something to the answer; "" is silence."""
        said = self.query_one("#said", Label)
        said.update(Content.assemble((text, style)))
        said.set_class(not text, "gone")

    def offer(self) -> None:
        """Enough was tried: s shows the answer."""
        self.field.offered = True
        self.refresh_bindings()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Have it judged, whoever does that."""
        event.stop()
        self.post_message(self.Submitted(event.value))
