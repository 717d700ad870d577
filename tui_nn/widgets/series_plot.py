"""Series over time: what is seen as lines, what is to be foretold as points."""

import numpy as np
from textual.color import Color
from textual.strip import Strip

from tui_nn.palette import class_color, class_marker
from tui_nn.widgets.plot import BRAILLE, Axis, Line, linear_ticks
from tui_nn.widgets.sequence_preview import Series
from tui_nn.widgets.still import StillPlot, ticked

SMALLEST = (20, 6)


class SeriesPlot(StillPlot):
    """A few series, each in its colour."""

    DEFAULT_CSS = "SeriesPlot { min-height: 8; }"

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  Textual's word
        super().__init__(id=id)
        self._series: Series | None = None

    def show(self, series: Series) -> None:
        """Show these."""
        self._series = series
        self.news()

    def draw(self, width: int, height: int) -> list[Strip]:
        """The legend, the plot below it."""
        if self._series is None or width < SMALLEST[0] or height < SMALLEST[1]:
            return []
        signs = "".join(map(class_marker, range(len(self._series.seen))))
        legend = f"{self._series.name} over time   ⣀⠔ seen   {signs} to foretell"
        return [*self.words(legend), *self._draw(self._series, width, height - 1)]

    def _draw(self, series: Series, width: int, height: int) -> list[Strip]:
        foreground = self.colors[3]
        window, horizon = series.seen.shape[1], series.following.shape[1]
        values = np.concatenate([series.seen.ravel(), series.following.ravel()])
        low, high = float(values.min()), float(values.max())
        margin = 0.05 * (high - low) or 0.5
        low, high = low - margin, high + margin
        y = ticked(low, high, height)
        last = window + horizon
        x = Axis(1, last, linear_ticks(1, last, max(2, min(10, width // 12))))
        lines = []
        for k, (seen, following) in enumerate(zip(series.seen, series.following, strict=True)):
            colour = Color.parse(class_color(k)).blend(foreground, 0.15)
            joined = np.arange(window) > 0
            lines.append(Line(np.arange(1.0, window + 1), seen, joined, BRAILLE, colour))
            after, alone = np.arange(window + 1.0, last + 1), np.zeros(horizon, np.bool_)
            lines.append(Line(after, following, alone, class_marker(k), colour))
        return self.framed(width, height, x, y, lines)
