"""How weights and gradients are spread, at the start and now."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal

from tui_nn.views.view import View
from tui_nn.widgets.spread_plots import SpreadPlot, SpreadRows
from tui_nn_engine.inspection.spread import Spread
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.sessions import protocol

FROZEN = "Frozen: training computes no gradient for it."
NO_GRADIENT = "This network learns by a rule or not at all: there are no gradients."


class Spreads(View):
    """The arrays of parameters above, histograms of the chosen one below."""

    label = "Histograms"
    BINDINGS = [Binding("y", "log_axis", "Log", tooltip="Counts on a logarithmic axis, or not")]

    def __init__(self) -> None:
        super().__init__()
        self._found: Spread | None = None

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Parameters."""
        return subject.parameters

    def compose(self) -> ComposeResult:
        """The list, the two plots."""
        yield SpreadRows()
        with Horizontal(id="histograms"):
            yield SpreadPlot("Weights", id="of-weights")
            yield SpreadPlot("Gradients", id="of-gradients")

    def enter(self) -> None:
        """The arrows are for the list."""
        self.query_one(SpreadRows).focus()

    def request(self) -> protocol.Inspect:
        """All arrays."""
        return protocol.Inspect("spread")

    def show(self, sight: object) -> None:
        """List and plots."""
        if isinstance(sight, Spread):
            self._found = sight
            self.query_one(SpreadRows).show(sight)
            self._plot(sight)

    def action_log_axis(self) -> None:
        """Few beside many are seen then."""
        for plot in self.query(SpreadPlot):
            plot.change_axis()

    def on_spread_rows_chosen(self) -> None:
        """Other histograms."""
        if self._found is not None:
            self._plot(self._found)

    def _plot(self, found: Spread) -> None:
        row = self.query_one(SpreadRows).chosen_row or 0
        figures = found.figures[row]
        self.query_one("#of-weights", SpreadPlot).show(
            found.weights[row], found.weight_ranges[row], figures[:, :2], "They are not finite."
        )
        self.query_one("#of-gradients", SpreadPlot).show(
            found.gradients[row],
            found.gradient_ranges[row],
            figures[:, 2:],
            FROZEN if found.samples else NO_GRADIENT,
        )
