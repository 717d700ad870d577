"""What the network gets wrong: a confusion matrix with its samples, or residuals."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.widget import Widget

from tui_nn.views.view import View
from tui_nn.widgets.case_list import CaseList, CaseRows
from tui_nn.widgets.confusion_matrix import ConfusionMatrix
from tui_nn.widgets.residual_plot import ResidualPlot
from tui_nn_engine.inspection.mistakes import Mistakes, Residuals
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.sessions import protocol

PART = Binding("p", "part", "Data", tooltip="Test, validation or training data")


class Errors(View):
    """A part of the data, its figures, and single samples; in a narrow terminal one of the two."""

    BINDINGS = [
        PART,
        Binding("s", "samples", "Samples", tooltip="The samples, or the figures of all of them"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.part = ""

    def begin(self, subject: Subject) -> None:
        """The part to look at first."""
        self.subject = subject
        if self.part not in subject.parts:
            self.part = subject.parts[0]

    def action_part(self) -> None:
        """The next part of the data."""
        if self.subject is not None:
            self.part = self.subject.part_after(self.part)
            self.want()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Where both are on screen there is nothing to change between."""
        return action != "samples" or self.screen.has_class("-narrow")

    def action_samples(self) -> None:
        """Samples instead of figures, or back; what took the keys has gone from the screen."""
        self.toggle_class("samples")
        self.focus()
        self.call_after_refresh(self.enter)

    def _focus_on(self, widget: Widget, *, among_samples: bool) -> None:
        """Give it the keys if it is in the half that is on screen."""
        narrow = self.screen.has_class("-narrow")
        hidden = narrow and self.has_class("samples") != among_samples
        (self if hidden else widget).focus()


class Confusion(Errors):
    """Classes: who was taken for whom."""

    label = "Mistakes"
    BINDINGS = [
        Binding("enter", "first", "Layers", tooltip="What the layers make of the first sample"),
        Binding("u", "label", "Label", tooltip="The next of several labels"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._label = 0

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Classes, or labels: then one of them, without it and with it."""
        return bool(subject.classes or subject.labels)

    @property
    def _names(self) -> tuple[str, ...]:
        if self.subject is None:
            return ()
        if not self.subject.labels:
            return self.subject.classes
        label = self.subject.labels[self._label]
        return (f"not {label}", label)

    def compose(self) -> ComposeResult:
        """The matrix left, samples right."""
        with Container(id="all"):
            yield ConfusionMatrix()
        yield CaseList()

    def begin(self, subject: Subject) -> None:
        """The classes of this data."""
        before, names = self.subject, self._names
        if before is None or before.labels != subject.labels:
            self._label = 0
        super().begin(subject)
        self.set_class(not subject.image, "-numbers")
        if names != self._names:
            self.query_one(ConfusionMatrix).begin(self._names)

    def enter(self) -> None:
        """The arrows are for the matrix."""
        self._focus_on(self.query_one(ConfusionMatrix), among_samples=False)

    def request(self) -> protocol.Inspect:
        """The part, and the samples of the chosen cell."""
        cell = self.query_one(ConfusionMatrix).cell
        return protocol.Inspect("mistakes", part=self.part, cell=cell, output=self._label)

    def show(self, sight: object) -> None:
        """Counts and samples."""
        if isinstance(sight, Mistakes) and self.subject is not None and sight.label == self._label:
            self.query_one(ConfusionMatrix).show(sight)
            self.query_one(CaseList).show_mistakes(sight, self.subject, self._names)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only labels are looked at one by one."""
        if action == "label":
            return self.subject is not None and bool(self.subject.labels)
        return super().check_action(action, parameters)

    def action_first(self) -> None:
        """Look at the first sample of the cell, or of all."""
        self.query_one(CaseList).open_first()

    def action_label(self) -> None:
        """The next label."""
        if self.subject is not None:
            self._label = (self._label + 1) % len(self.subject.labels)
            self.query_one(ConfusionMatrix).begin(self._names)
            self.want()

    def on_confusion_matrix_chosen(self) -> None:
        """Other samples."""
        self.want()


class Misses(Errors):
    """Numbers: how far off."""

    label = "Residuals"
    BINDINGS = [Binding("u", "output", "Output", tooltip="The next of several outputs")]

    def __init__(self) -> None:
        super().__init__()
        self._output = 0

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Numbers to predict."""
        return bool(subject.targets)

    def compose(self) -> ComposeResult:
        """The plot left, samples right."""
        with Container(id="all"):
            yield ResidualPlot()
        yield CaseList()

    def enter(self) -> None:
        """The arrows are for the rows."""
        self._focus_on(self.query_one(CaseRows), among_samples=True)

    def request(self) -> protocol.Inspect:
        """The part and the output."""
        return protocol.Inspect("mistakes", part=self.part, output=self._output)

    def show(self, sight: object) -> None:
        """The plot and samples."""
        if isinstance(sight, Residuals) and self.subject is not None:
            self.query_one(ResidualPlot).show(sight, self.subject.targets[sight.output])
            self.query_one(CaseList).show_residuals(sight, self.subject)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A single output has no next."""
        if action == "output":
            return self.subject is not None and len(self.subject.targets) > 1
        return super().check_action(action, parameters)

    def action_output(self) -> None:
        """The next output."""
        if self.subject is not None:
            self._output = (self._output + 1) % len(self.subject.targets)
            self.want()
