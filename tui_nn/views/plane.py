"""The decision boundary of two inputs, or the curve fitted to one; the output and every neuron."""

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize
from textual.widgets import Static

from tui_nn.views.view import View
from tui_nn.widgets.boundary import Boundary
from tui_nn.widgets.fitted_curve import FittedCurve
from tui_nn.widgets.neuron_pictures import NeuronPictures
from tui_nn_engine import protocol
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.inspection.surface import Surface

UNTRAINED = "Not trained yet: space trains, and the picture follows."


class Plane(View):
    """What the network gives everywhere, with the data points on it; it moves while it trains."""

    label = "Boundary"

    @staticmethod
    def suits(subject: Subject) -> bool:
        """One or two inputs."""
        return len(subject.inputs) in {1, 2} and len(subject.points) > 0

    def title(self) -> str:
        """Of one input it is a curve."""
        one = self.subject is not None and len(self.subject.inputs) == 1
        return "Curve" if one else self.label

    def compose(self) -> ComposeResult:
        """The output large, the neurons small."""
        with Container(id="large"):
            yield Boundary()
            yield FittedCurve()
        with Container(id="small"):
            yield Static(id="hint")
            yield NeuronPictures()

    def begin(self, subject: Subject) -> None:
        """The points of this data."""
        self.subject = subject
        two = len(subject.inputs) == 2
        self.query_one(Boundary).display = two
        self.query_one(FittedCurve).display = not two
        if two:
            self.query_one(Boundary).begin(subject)
        else:
            self.query_one(FittedCurve).begin(subject)

    def request(self) -> protocol.Inspect:
        """As many points as there are pixels."""
        width = self.query_one("#large").size.width
        if self.subject is not None and len(self.subject.inputs) == 1:
            return protocol.Inspect("surface", columns=max(2 * width, 20), rows=1)
        columns, rows = self.query_one(Boundary).pixels
        return protocol.Inspect("surface", columns=columns, rows=rows)

    def on_resize(self, event: Resize) -> None:  # noqa: ARG002
        """Other pixels."""
        self.call_after_refresh(self.want)

    def show(self, sight: object) -> None:
        """The newest picture."""
        if not isinstance(sight, Surface) or self.subject is None:
            return
        if len(sight.span) == 4:
            self.query_one(Boundary).show(sight)
        else:
            self.query_one(FittedCurve).show(sight)
        self.query_one(NeuronPictures).show(sight)
        self.query_one("#hint", Static).update("" if sight.iteration else UNTRAINED)
