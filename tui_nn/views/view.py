"""What all views of Inspect mode share."""

from typing import ClassVar

from textual.binding import Binding
from textual.message import Message
from textual.widget import Widget

from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.sessions import protocol


class View(Widget, can_focus=True):
    """One way to look at a network. Subclasses say what suits it, what they ask for, and show it.

    `show` is called with each answer of the engine, whatever the view it is for.
    """

    DEFAULT_CSS = "View { height: 1fr; width: 1fr; }"
    BINDINGS = [
        Binding("t", "screen.view(1)", "View", tooltip="The next view (T: the one before)"),
    ]
    label: ClassVar[str]

    class Wanted(Message):
        """Something else is wanted of the engine: `request` says what."""

    def __init__(self) -> None:
        super().__init__(id=type(self).__name__.lower())
        self.subject: Subject | None = None

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Whether there is something to see of this data."""
        raise NotImplementedError

    def begin(self, subject: Subject) -> None:
        """Be about this data from now on; forget what was shown of other data."""
        self.subject = subject

    def request(self) -> protocol.Inspect:
        """What the engine is to tell while this view is on screen."""
        raise NotImplementedError

    def show(self, sight: object) -> None:
        """Show what the engine has told, if it is for this view."""
        raise NotImplementedError

    def title(self) -> str:
        """What its tab says."""
        return self.label

    def enter(self) -> None:
        """It is on screen now: give the focus to what takes keys."""
        self.focus()

    def want(self) -> None:
        """Ask for what `request` says now."""
        self.post_message(self.Wanted())
