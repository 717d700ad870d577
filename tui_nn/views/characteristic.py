"""How well one class is told from the rest, at every threshold: the ROC curve."""

from textual.app import ComposeResult
from textual.binding import Binding

from tui_nn.views.errors import PART
from tui_nn.views.view import View
from tui_nn.widgets.roc_plot import RocPlot
from tui_nn_engine.inspection.roc import Roc
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.sessions import protocol


class Characteristic(View):
    """The ROC curve of one class against the rest; of two, of the second."""

    label = "ROC"
    BINDINGS = [
        PART,
        Binding("u", "positive", "Class", tooltip="The next class against the rest"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._part = ""
        self._positive = 0

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Classes, or labels."""
        return bool(subject.classes or subject.labels)

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.subject.classes or self.subject.labels) if self.subject else ()

    def compose(self) -> ComposeResult:
        """The plot alone."""
        yield RocPlot()

    def begin(self, subject: Subject) -> None:
        """The part and the class to look at first."""
        before, self.subject = self._names, subject
        if before != self._names:
            self._positive = 1 if len(subject.classes) == 2 else 0
        if self._part not in subject.parts:
            self._part = subject.parts[0]

    def enter(self) -> None:
        """The arrows are for the cursor."""
        self.query_one(RocPlot).focus()

    def request(self) -> protocol.Inspect:
        """The part and the class."""
        return protocol.Inspect("roc", part=self._part, output=self._positive)

    def show(self, sight: object) -> None:
        """The curve."""
        if isinstance(sight, Roc) and self.subject is not None:
            self.query_one(RocPlot).show(sight, self._names[sight.positive])

    def action_part(self) -> None:
        """The next part of the data."""
        if self.subject is not None:
            self._part = self.subject.part_after(self._part)
            self.want()

    def action_positive(self) -> None:
        """The next class, or label."""
        if self.subject is not None:
            self._positive = (self._positive + 1) % len(self._names)
            self.want()
