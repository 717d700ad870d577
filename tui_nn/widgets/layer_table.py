"""The layers while they learn: shapes, parameters, and how large their numbers are."""

import math

import numpy as np
from numpy.typing import NDArray
from rich.text import Text
from textual.widgets import DataTable

from tui_nn_engine.health import COLUMNS
from tui_nn_engine.protocol import Opened

HEADERS = (
    "layer",
    "output",
    "parameters",
    "weights mean ± spread",
    "activation mean ± spread",
    "|gradient|",
    "|Δw|/|w|",
    "dead",
)


class LayerTable(DataTable[Text]):
    """One row a layer; refreshed with each health report."""

    def __init__(self) -> None:
        super().__init__(show_cursor=False, zebra_stripes=True)

    def on_mount(self) -> None:
        """The columns stand from the start."""
        self.add_columns(*HEADERS)

    def show(self, opened: Opened, health: NDArray[np.float64] | None) -> None:
        """Show these layers; without health the numbers are not there yet."""
        rows = [self._row(opened, health, index) for index in range(len(opened.layers))]
        if len(rows) != self.row_count:
            self.clear()
            for row in rows:
                self.add_row(*row)
            return
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                if self.get_cell_at((y, x)) != cell:  # type: ignore[arg-type]
                    self.update_cell_at((y, x), cell, update_width=True)  # type: ignore[arg-type]

    def _row(self, opened: Opened, health: NDArray[np.float64] | None, index: int) -> list[Text]:
        values = dict.fromkeys(COLUMNS, math.nan)
        if health is not None and index < len(health):
            values = dict(zip(COLUMNS, health[index].tolist(), strict=True))
        cells = [
            opened.layers[index],
            opened.shapes[index],
            f"{opened.parameters[index]:,}" if opened.parameters[index] else "",
            spread(values["weight_mean"], values["weight_std"]),
            spread(values["activation_mean"], values["activation_std"]),
            short(values["gradient_norm"]),
            short(values["update_ratio"]),
            "" if math.isnan(values["dead"]) else f"{values['dead']:.0%}",
        ]
        return [
            Text(cell, justify="left" if column < 2 else "right")
            for column, cell in enumerate(cells)
        ]


def short(value: float) -> str:
    """Three significant digits, "" for nan."""
    return "" if math.isnan(value) else f"{value:.3g}"


def spread(mean: float, deviation: float) -> str:
    """mean ± standard deviation."""
    return "" if math.isnan(mean) else f"{mean:.3f} ± {deviation:.3f}"
