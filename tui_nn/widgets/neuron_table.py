"""The neurons of one layer: net input, output and error of each, for one sample."""

import numpy as np
from textual.message import Message

from tui_nn.widgets.moment import Moment
from tui_nn.widgets.number_table import NumberTable


class NeuronTable(NumberTable):
    """One row a neuron; a click or the arrows choose it."""

    class Chosen(Message):
        """This unit of the shown layer is wanted."""

        def __init__(self, unit: int) -> None:
            super().__init__()
            self.unit = unit

    def show(self, moment: Moment) -> None:
        """Show the chosen layer."""
        view = moment.view
        values = moment.units(view.layer)
        written = np.zeros(values.shape, dtype=bool)
        written[:] = [moment.just_wrote(view.layer, part) for part in ("z", "h", "error")]
        self.show_table(
            f"neurons of {view.layer}",
            ("z", "h", f"error {moment.error_sign}"),
            lambda unit: f"{'›' if unit == view.unit else ' '}{moment.number(view.layer, unit)}",
            values,
            written,
            moment.unit_order,
            view.unit,
            moment.digits,
        )

    def choose(self, row: int) -> None:
        """Say which neuron it is."""
        self.post_message(self.Chosen(self.entry(row)))
