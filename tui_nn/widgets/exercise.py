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


def _pass(key: str, action: str, name: str, display: str, tooltip: str) -> Binding:
    """A key that is none of the answer's while the field is empty."""
    return Binding(key, action, name, key_display=display, priority=True, tooltip=tooltip)


class Answer(Input):
    """A field for an answer. While it is empty, the keys that no number begins with turn pages."""

    BINDINGS = [
        Binding("enter", "submit", "check", priority=True, tooltip="Check the answer"),
        _pass("n,right,space", "turn(1)", "next", "n", "On to the next step, without an answer"),
        _pass("b,left", "turn(-1)", "back", "b", "Back to the step before"),
        _pass("x", "walk", "Step mode", "x", "The numbers of this step at work"),
        _pass("s", "give", "show it", "s", "Show the answer"),
        Binding("escape", "screen.out", "leave the field", tooltip="Then digits change the mode"),
        _pass("question_mark", "app.toggle_help", "help", "?", "All keys"),
    ]

    @dataclass
    class Turn(Message):
        """To another step, without an answer."""

        direction: int

    class Walk(Message):
        """To the numbers at work."""

    class Give(Message):
        """The answer is to be shown."""

    def __init__(self) -> None:
        super().__init__(compact=True)
        self.for_number = True
        self.offered = False

    def action_walk(self) -> None:
        """Look at the numbers instead."""
        self.post_message(self.Walk())

    def action_turn(self, direction: int) -> None:
        """Leave it unanswered."""
        self.post_message(self.Turn(direction))

    def action_give(self) -> None:
        """Give up."""
        self.post_message(self.Give())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What is being typed is text."""
        passes = not self.value and self.for_number
        return {
            "turn": passes,
            "walk": passes,
            "app.toggle_help": passes,
            "give": passes and self.offered,
        }.get(action, True)

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
