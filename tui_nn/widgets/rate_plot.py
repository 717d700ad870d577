"""The loss over the learning rate, as a range test found it."""

import math

import numpy as np
from textual.color import Color
from textual.strip import Strip

from tui_nn.widgets.plot import BRAILLE, Axis, Line, linear_ticks, log_ticks
from tui_nn.widgets.still import StillPlot
from tui_nn_engine.training.rate_range import Floats, RatesTried

SMALLEST = (30, 6)
LOWEST, SUGGESTED = "●", "┊"


class RatePlot(StillPlot):
    """Loss of each update and smoothed, the rates on a logarithmic axis."""

    def __init__(self) -> None:
        super().__init__()
        self.span = 0.0, 0.0
        self._told: RatesTried | None = None

    def begin(self, lowest: float, highest: float) -> None:
        """An empty plot of rates between these."""
        self.span, self._told = (lowest, highest), None
        self.news()

    def show(self, told: RatesTried) -> None:
        """Draw what is known."""
        if told is not self._told:
            self._told = told
            self.news()

    def draw(self, width: int, height: int) -> list[Strip]:
        """The legend, the plot below it."""
        told = self._told
        small = width < SMALLEST[0] or height < SMALLEST[1]
        if told is None or told.losses.size < 2 or small:
            return []
        return [*self._legend(told), *self._draw(told, width, height - 1)]

    def _legend(self, told: RatesTried) -> list[Strip]:
        text = "loss over the learning rate   ⣀⠔ smoothed"
        if told.suggestion is not None:
            text += f"   {LOWEST} lowest   {SUGGESTED} suggested"
        return self.words(text)

    def _draw(self, told: RatesTried, width: int, height: int) -> list[Strip]:
        background = self.colors[2]
        primary, warning = (self._color(name) for name in ("primary", "warning"))
        low, high = _range(told)
        y = Axis(low, high, linear_ticks(low, high, max(2, min(7, height // 3))))
        left, right = (math.log10(rate) for rate in self.span)
        x = Axis(left, right, log_ticks(left, right, max(2, (width - y.label_width) // 9)))
        lines = [
            _line(told.rates, told.losses, (low, high), background.blend(primary, 0.45)),
            _line(told.rates, told.smoothed, (low, high), primary),
        ]
        if told.suggestion is not None and told.lowest is not None:
            rows = np.linspace(low, high, height)
            here = np.full(height, math.log10(max(told.suggestion, self.span[0])))
            lines.append(Line(here, rows, np.zeros(height, bool), SUGGESTED, warning))
            index = np.flatnonzero(told.rates == told.lowest)[:1]
            spot = np.log10(told.rates[index]), told.smoothed[index]
            lines.append(Line(*spot, np.zeros(1, bool), LOWEST, warning))
        return self.framed(width, height, x, y, lines)

    def _color(self, name: str) -> Color:
        color = Color.parse(self.app.theme_variables.get(name, name))
        return color.blend(self.colors[3], 0.15)


def _range(told: RatesTried) -> tuple[float, float]:
    """Of the losses that are shown: what explodes after the lowest goes off the top."""
    until = int(np.argmin(told.smoothed)) + 1
    low = float(min(told.losses.min(), told.smoothed.min()))
    before = float(max(told.losses[:until].max(), told.smoothed[0]))
    high = min(float(told.losses.max()), before + 0.5 * (before - low))
    margin = 0.05 * (high - low) or 0.05 * abs(low) or 0.5
    return low - margin, high + margin


def _line(rates: Floats, losses: Floats, span: tuple[float, float], color: Color) -> Line:
    joined = np.arange(len(losses)) > 0
    return Line(np.log10(rates), np.clip(losses, *span), joined, BRAILLE, color)
