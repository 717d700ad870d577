"""What each hidden neuron gives over the inputs: small pictures, a layer after the other."""

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_nn.palette import DIVERGING, DIVERGING_DARK
from tui_nn.widgets.pixels import NOTHING, draw, shades
from tui_nn.widgets.still import StillScroll
from tui_nn_engine.inspection.surface import Surface

SIDES = (16, 12, 10, 8, 6)


class NeuronPictures(StillScroll):
    """A picture a neuron, blue below 0 and orange above, to the greatest value of its layer."""

    def __init__(self) -> None:
        super().__init__()
        self._surface: Surface | None = None

    def show(self, surface: Surface) -> None:
        """Show these neurons."""
        self._surface = surface
        self.news()

    def on_resize(self) -> None:
        """Others side by side."""
        self.news()

    def draw(self, width: int) -> list[Strip]:
        """As large as they may be with all of them in view; else small, to be scrolled through."""
        surface = self._surface
        if surface is None:
            return []
        for side in SIDES:
            if _lines(surface, width, side) <= self.size.height:
                break
        return self._draw(surface, width, side)

    def _draw(self, surface: Surface, width: int, side: int) -> list[Strip]:
        strips: list[Strip] = []
        start = 0
        for name, shown, size in zip(surface.layers, surface.units, surface.sizes, strict=True):
            values = surface.neurons[start : start + shown].astype(np.float64)
            start += shown
            if values.shape[1] > 1:
                few = _few(values.shape[1], side)
                values = values[:, few][:, :, _few(values.shape[2], side)]
            more = f", {shown} of them shown" if shown < size else ""
            title = f"{name}: {size} neurons{more}"
            strips.append(Strip([Segment(title, Style(bold=True))], len(title)))
            strips += self._layer(values, width)
        return strips

    def _layer(self, values: np.ndarray, width: int) -> list[Strip]:
        palette = DIVERGING_DARK if self.app.current_theme.dark else DIVERGING
        finite = np.where(np.isfinite(values), np.abs(values), 0)
        scaled = values / (2 * (float(finite.max()) or 1.0)) + 0.5
        if values.shape[1] == 1:  # of one input: a band two lines high
            scaled = scaled.repeat(4, axis=1)
        codes = shades(scaled, palette, 32)
        side = values.shape[2]
        columns = max(1, (width + 1) // (side + 1))
        strips = []
        for first in range(0, len(codes), columns):
            row = codes[first : first + columns]
            # Side by side in one picture, the gaps let the screen through.
            spaced = np.pad(row, ((0, 0), (0, 0), (0, 1)), constant_values=NOTHING)
            strips += draw(np.concatenate(list(spaced), axis=1))
            names = [f"{first + k + 1}".center(side + 1) for k in range(len(row))]
            strips.append(Strip([Segment("".join(names), Style(dim=True))]))
        return strips


def _lines(surface: Surface, width: int, side: int) -> int:
    """How many lines the pictures take."""
    _, rows, columns = surface.neurons.shape
    across = max(1, (width + 1) // (min(columns, side) + 1))
    each = 3 if rows == 1 else (min(rows, side) + 1) // 2 + 1
    return sum(1 + each * -(-shown // across) for shown in surface.units)


def _few(length: int, wanted: int) -> np.ndarray:
    """Evenly spaced places."""
    return np.linspace(0, length - 1, min(wanted, length)).round().astype(int)
