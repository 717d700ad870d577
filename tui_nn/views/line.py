"""The loss between the weights at the start, the best, and those now."""

from textual.app import ComposeResult
from textual.binding import Binding

from tui_nn.views.view import View
from tui_nn.widgets.path_plot import PathPlot
from tui_nn_engine.inspection.path import LossPath
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.sessions import protocol


class LossLine(View):
    """Loss on the straight line between two sets of weights."""

    label = "Loss line"
    BINDINGS = [
        Binding("u", "ends", "Ends", tooltip="Between which weights: start, best, now"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._ends, self._choices = 0, 1

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Parameters."""
        return subject.parameters

    def compose(self) -> ComposeResult:
        """The plot alone."""
        yield PathPlot()

    def request(self) -> protocol.Inspect:
        """Between these ends."""
        return protocol.Inspect("path", ends=self._ends)

    def show(self, sight: object) -> None:
        """The plot."""
        if isinstance(sight, LossPath):
            self.query_one(PathPlot).show(sight)
            if len(sight.choices) != self._choices:
                self._choices = len(sight.choices)
                self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Without best weights there is only one pair."""
        return action != "ends" or self._choices > 1

    def action_ends(self) -> None:
        """The next pair."""
        self._ends = (self._ends + 1) % self._choices
        self.want()
