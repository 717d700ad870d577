"""The weights of one neuron: before the update, their gradient, their change, after it."""

from textual.message import Message

from tui_nn.widgets.moment import Moment
from tui_nn.widgets.number_table import NumberTable


class WeightTable(NumberTable):
    """One row a weight, by the input it comes from; a click follows it there."""

    class Chosen(Message):
        """This input of the shown neuron is wanted (the bias is none)."""

        def __init__(self, source: int) -> None:
            super().__init__()
            self.source = source

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._sources = 0

    def show(self, moment: Moment) -> None:
        """Show the weights into the chosen neuron."""
        view = moment.view
        self._sources = len(view.weights) - view.has_bias
        title = f"weights into unit {view.unit + 1}"
        if not len(view.weights):
            title = f"{view.layer} has no weights"
        self.show_table(
            title,
            ("old w", "∂E/∂w", "change Δw", "new w"),
            moment.weight_label,
            view.weights,
            moment.weights_written,
            moment.weight_order,
            None,
            moment.digits,
        )

    def choose(self, row: int) -> None:
        """Say where the weight comes from."""
        source = self.entry(row)
        if source < self._sources:
            self.post_message(self.Chosen(source))
