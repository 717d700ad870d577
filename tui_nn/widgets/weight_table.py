"""The weights of one neuron: before the update, their gradient, their change, after it."""

from textual.message import Message

from tui_nn.widgets.moment import GRADIENT, Moment
from tui_nn.widgets.number_table import NumberTable

FROZEN = "frozen"


class WeightTable(NumberTable):
    """One row a weight; a click or the arrows choose it, enter follows it to its source."""

    class Chosen(Message):
        """The weight from this input of the shown neuron is wanted (the last may be its bias)."""

        def __init__(self, source: int) -> None:
            super().__init__()
            self.source = source

    class Followed(Message):
        """The neuron that this weight comes from is wanted."""

        def __init__(self, source: int) -> None:
            super().__init__()
            self.source = source

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._sources = 0
        self._shown = ("", -1, -1)

    def show(self, moment: Moment) -> None:
        """Show the weights into the chosen neuron, from the first row on until one is chosen."""
        view = moment.view
        before, self._shown = self._shown, (view.layer, view.unit, view.source)
        if before[:2] != self._shown[:2]:
            self.scroll_home(animate=False, immediate=True)
        self._sources = moment.inputs
        title = f"weights into {moment.unit_name}"
        if moment.gate:
            title += f", gate {moment.gate}"
        if not len(view.weights):
            title = f"{view.layer} has no weights"
        frozen = moment.frozen
        self.show_table(
            title,
            ("old w", moment.gradient_name, "change Δw", "new w"),
            moment.weight_label,
            view.weights,
            moment.weights_written,
            moment.weight_order,
            min(view.source, len(view.weights) - 1) if len(view.weights) else None,
            moment.digits,
            {(int(row), GRADIENT): FROZEN for row in frozen.nonzero()[0]},
            reveal=before[:2] == self._shown[:2] and before != self._shown,
        )

    def choose(self, row: int) -> None:
        """Say which weight it is."""
        self.post_message(self.Chosen(self.entry(row)))

    def enter(self, row: int) -> None:
        """Say where the weight comes from."""
        source = self.entry(row)
        if source < self._sources:
            self.post_message(self.Followed(source))
