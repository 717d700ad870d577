"""What the layers make of one sample: a coloured cell a unit, layer below layer."""

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_nn.palette import DIVERGING, DIVERGING_DARK
from tui_nn.widgets.pixels import draw, shades
from tui_nn.widgets.plot import number
from tui_nn.widgets.still import StillScroll
from tui_nn.widgets.weight_cells import CELL, coloured
from tui_nn_engine.inspection.trace import Trace

WIDEST = 4  # cells of one whose number is not
GREATEST = 3  # units named of a layer that is too large for numbers
Floats = NDArray[np.float64]


class LayerStrips(StillScroll):
    """Blue below 0 and orange above, to the greatest of the layer; numbers where they fit."""

    def __init__(self) -> None:
        super().__init__()
        self._found: Trace | None = None
        self._outputs: tuple[str, ...] = ()

    def show(self, found: Trace, outputs: tuple[str, ...] = ()) -> None:
        """Show this sample; `outputs` are the names of the last layer's units."""
        self._found, self._outputs = found, outputs
        self.news()

    def draw(self, width: int) -> list[Strip]:
        """A heading and a strip for each layer."""
        found = self._found
        if found is None:
            return []
        strips, start = [], 0
        for name, shape, told in zip(found.layers, found.shapes, found.told, strict=True):
            values = found.values[start : start + told].astype(np.float64)
            start += told
            strips.append(Strip([Segment(_heading(name, shape, values), Style(bold=True))]))
            units = int(shape.rpartition("×")[2])  # of a layer through time: of each step
            through_time = "×" in shape
            if told * CELL <= 2 * width:
                last = name == found.layers[-1] and units == len(self._outputs)
                names = self._outputs if last else tuple(str(k + 1) for k in range(units))
                strips += self._numbers(values, width, names)
            else:
                strips += self._pixels(values, width, units if through_time else 0)
                text = _greatest(values, units if through_time else 0)
                strips.append(Strip([Segment(text, Style(dim=True))]))
            strips.append(Strip([Segment("")]))
        return strips[:-1]

    def _shares(self, values: Floats) -> Floats:
        finite = np.where(np.isfinite(values), np.abs(values), 0)
        return values / (2 * (float(finite.max(initial=0)) or 1.0)) + 0.5

    @property
    def _palette(self) -> NDArray[np.uint8]:
        return DIVERGING_DARK if self.app.current_theme.dark else DIVERGING

    def _pixels(self, values: Floats, width: int, units_a_step: int) -> list[Strip]:
        """A row a time step, where a layer goes through time and there is room for its units."""
        row = units_a_step if 0 < units_a_step <= width else len(values)
        each = max(min(width // row, WIDEST), 1)
        columns = min(width // each, row)
        rows = -(-len(values) // columns)
        padded = np.full(rows * columns, np.nan)
        padded[: len(values)] = self._shares(values)
        codes = shades(padded.reshape(rows, columns), self._palette, 32).repeat(each, axis=1)
        return draw(codes.repeat(2, axis=0) if rows == 1 else codes)

    def _numbers(self, values: Floats, width: int, units: tuple[str, ...]) -> list[Strip]:
        """Each unit's number on its colour, and on the line below which unit it is; through time,
        the units of one step after those of another.
        """
        table = shades(self._shares(values), self._palette, 32)
        cell = max(CELL, *(len(unit) + 1 for unit in units))
        if cell * len(values) > width:  # names are cut where there is no room for all of them
            cell = CELL
        strips, each = [], max(width // cell, 1)
        if len(units) < len(values):
            each = max(each // len(units), 1) * len(units)
        for first in range(0, len(values), each):
            upper, lower = [], []
            for k in range(first, min(first + each, len(values))):
                upper += [coloured(float(values[k]), int(table[k]), cell - 1), Segment(" ")]
                name = units[k % len(units)][: cell - 1].center(cell - 1)
                lower.append(Segment(f"{name} ", Style(dim=True)))
            strips += [Strip(upper), Strip(lower)]
        return strips


def _heading(name: str, shape: str, values: Floats) -> str:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return f"{name}  {shape}: not finite"
    text = f"{name}  {shape}  from {number(float(finite.min()))} to {number(float(finite.max()))}"
    none = float(np.mean(values == 0))
    if none:
        text += f", {none:.0%} are 0"
    return text


def _greatest(values: Floats, units_a_step: int) -> str:
    order = np.argsort(-np.abs(np.nan_to_num(values)))[:GREATEST]
    if not units_a_step:
        units = "  ".join(f"{k + 1}: {number(float(values[k]))}" for k in order)
        return f"the greatest, by unit: {units}"
    places = (divmod(int(k), units_a_step) for k in order)
    units = "  ".join(f"unit {unit + 1} at step {step + 1}" for step, unit in places)
    return f"the greatest: {units}"
