"""The decision boundary of two inputs, or the curve fitted to one; the output and every neuron."""

from dataclasses import replace

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container
from textual.events import Resize
from textual.widgets import Static

from tui_nn.views.view import View
from tui_nn.widgets.boundary import Boundary
from tui_nn.widgets.fitted_curve import FittedCurve
from tui_nn.widgets.neuron_pictures import NeuronPictures
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.inspection.surface import Surface
from tui_nn_engine.sessions import protocol

UNTRAINED = "Not trained yet: space trains, and the picture follows."


class Plane(View):
    """What the network gives everywhere, with the data points on it; it moves while it trains."""

    label = "Boundary"
    BINDINGS = [Binding("u", "output", "Output", tooltip="The next of several outputs")]

    def __init__(self) -> None:
        super().__init__()
        self._output = 0
        self._surface: Surface | None = None

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
        if self.subject is None or self.subject.data != subject.data:
            self._output = 0
        self.subject, self._surface = subject, None
        self._begin_picture()

    def _begin_picture(self) -> None:
        if self.subject is None:
            return
        subject = self.subject
        if self._outputs > 1:
            subject = subject.of_output(self._output)
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
        self._surface = sight
        self.query_one(NeuronPictures).show(sight)
        self.query_one("#hint", Static).update("" if sight.iteration else UNTRAINED)
        if self._outputs > 1:
            sight = replace(sight, outputs=sight.outputs[self._output : self._output + 1])
        if len(sight.span) == 4:
            self.query_one(Boundary).show(sight)
        else:
            self.query_one(FittedCurve).show(sight)

    # -- several outputs ------------------------------------------------------------------------

    @property
    def _outputs(self) -> int:
        """Labels, or targets; 1 where there are classes."""
        subject = self.subject
        return len(subject.labels or subject.targets) if subject and not subject.classes else 1

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A single output has no next."""
        return action != "output" or self._outputs > 1

    def action_output(self) -> None:
        """The next label, or target."""
        self._output = (self._output + 1) % self._outputs
        self._begin_picture()
        self.show(self._surface)
