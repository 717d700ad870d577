"""One unit of a recurrent layer, a row a time step: gates, states, errors, shares of a gradient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from textual.message import Message

from tui_nn.widgets.moment import Moment
from tui_nn.widgets.number_table import NumberTable

CUT = "╫"
"""Stands where a truncated window begins: no error goes back past it."""
PADDED = "pad"
LABEL, COLUMN = 3, 7  # cells that a row's name, and a column at least, take


class TimeTable(NumberTable):
    """One row a time step; a click or the arrows choose it."""

    class Chosen(Message):
        """This time step is wanted."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._moment: Moment | None = None

    def on_resize(self) -> None:
        """As many columns as fit."""
        super().on_resize()
        if self._moment is not None:
            self.show(self._moment)

    def show(self, moment: Moment) -> None:
        """Show the chosen unit, and what each step put into the gradient of the chosen weight."""
        view, through = moment.view, moment.view.through
        self._moment = moment
        if through is None:
            return
        columns = time_columns(moment)
        room = max((self.size.width - LABEL) // COLUMN, 2)
        shown = sorted(columns, key=lambda column: column.rank)[:room]
        picked = [column for column in columns if column in shown]
        values = np.stack([column.values for column in picked], axis=1)
        cuts = set(through.cuts)

        def label(row: int) -> str:
            mark = "›" if row + 1 == view.time else " "
            padded = f" {PADDED}" if through.padded[row] else ""
            return f"{mark}{CUT if row + 1 in cuts else ''}{row + 1}{padded}"

        hidden = len(columns) - len(picked)
        note = f" ({hidden} more columns: wider)" if hidden else ""
        self.show_table(
            f"{moment.unit_name} of {view.layer} over time{note}",
            tuple(column.heading for column in picked),
            label,
            values,
            np.zeros(values.shape, dtype=bool),
            (np.arange(len(values)), "in order"),
            view.time - 1,
            moment.digits,
        )

    def choose(self, row: int) -> None:
        """Say which time step it is."""
        self.post_message(self.Chosen(row + 1))


@dataclass(frozen=True, eq=False)
class TimeColumn:
    """A number at each time step; those of a low rank stay where there is little room."""

    heading: str
    values: NDArray[np.float64]
    rank: int


def time_columns(moment: Moment) -> list[TimeColumn]:
    """Gates, cell, state, then errors: forwards the first matter more, on the way back these."""
    view, through = moment.view, moment.view.through
    if through is None:
        return []
    back = moment.looks_back
    sign, minus = (-1.0, "−") if moment.textbook else (1.0, "")
    has_cell = bool(np.isfinite(through.cell).any())
    found = [
        TimeColumn(letter, values, (5 if at == view.gate else 7) if back else 1)
        for at, (letter, values) in enumerate(zip(through.gates, through.values.T, strict=True))
    ]
    if has_cell:
        found.append(TimeColumn("c", through.cell[:, 0], 6 if back else 0))
    found.append(TimeColumn("h", through.states[:, view.unit], 4 if back else 0))
    after = 0 if back else 8
    if has_cell:
        found.append(TimeColumn(f"{minus}∂c", sign * through.cell[:, 1], after + 3))
    found.append(TimeColumn(f"{minus}∂h", sign * through.errors[:, view.unit], after + 2))
    delta = f"{moment.error_sign}{moment.gate}"
    found.append(TimeColumn(delta, sign * through.deltas, after + 1))
    if view.rows:
        weight = moment.weight_label(view.source)
        found.append(TimeColumn(f"→∂{weight}" if moment.paper else "→∂w", through.shares, after))
    return found
