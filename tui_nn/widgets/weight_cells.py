"""A small table of weights: a row a unit, a coloured cell with its number for each input."""

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_nn.palette import DIVERGING, DIVERGING_DARK
from tui_nn.widgets.pixels import shades
from tui_nn.widgets.still import Still

CELL = 8
UNIT = 6  # cells of a unit's number
Floats = NDArray[np.float64]


class WeightCells(Still):
    """Blue is a weight below 0, orange one above, to the greatest of all."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._weights: Floats = np.empty((0, 0))
        self._names: tuple[str, ...] = ()
        self._units: tuple[str, ...] = ()
        self._greatest = 1.0

    @staticmethod
    def fits(inputs: int, width: int) -> bool:
        """Whether there is room for the numbers."""
        return UNIT + inputs * CELL <= width

    def show(
        self, weights: Floats, names: tuple[str, ...], units: tuple[str, ...], greatest: float
    ) -> None:
        """Show weights (units, inputs) of inputs and units of these names."""
        self._weights, self._names, self._units = weights, names, units
        self._greatest = greatest or 1.0
        self.news()

    def draw(self, width: int, height: int) -> list[Strip]:  # noqa: ARG002
        """The names of the inputs, a line a unit, and how many there was no room for."""
        dim, bold = Style(dim=True), Style(bold=True)
        names = "".join(name[: CELL - 1].center(CELL) for name in self._names)
        strips = [Strip([Segment("unit".rjust(UNIT - 1) + " ", dim), Segment(names, bold)])]
        palette = DIVERGING_DARK if self.app.current_theme.dark else DIVERGING
        table = shades(self._weights / (2 * self._greatest) + 0.5, palette, 32)
        rows = self._weights[: height - 1 if len(self._weights) < height else height - 2]
        for unit, row, codes in zip(self._units, rows, table, strict=False):
            cells = [Segment(" " * (UNIT - 1 - cell_len(unit)) + unit + " ", dim)]
            for value, code in zip(row.tolist(), codes.tolist(), strict=True):
                cells += [coloured(value, code), Segment(" ")]
            strips.append(Strip(cells))
        if len(rows) < len(self._weights):
            more = f"and {len(self._weights) - len(rows)} more, for which there is no room"
            strips.append(Strip([Segment(more, dim)]))
        return strips


def coloured(value: float, code: int, width: int = CELL - 1) -> Segment:
    """A number on its colour 0xRRGGBB, so many cells wide; one that rounds to 0 has no sign."""
    ink = "#ffffff" if _luminance(code) < 128 else "#000000"
    ground = None if code < 0 else f"#{code:06x}"
    text = f"{value:z.2f}" if abs(value) < 1000 else f"{value:.0e}"
    return Segment(text.center(width), Style(color=ink, bgcolor=ground))


def _luminance(code: int) -> float:
    """From 0 to 255 (ITU-R BT.601)."""
    red, green, blue = code >> 16 & 255, code >> 8 & 255, code & 255
    return 0.299 * red + 0.587 * green + 0.114 * blue
