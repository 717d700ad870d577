"""Series over time: what is seen as lines, what is to be foretold as points."""

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from tui_nn.palette import class_color, class_marker
from tui_nn.widgets.plot import BRAILLE, Axis, Line, draw_plot, linear_ticks
from tui_nn.widgets.sequence_preview import Series

SMALLEST = (20, 6)


class SeriesPlot(Widget):
    """A few series, each in its colour."""

    DEFAULT_CSS = "SeriesPlot { width: 1fr; height: 1fr; min-height: 8; }"

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  Textual's word
        super().__init__(id=id)
        self._series: Series | None = None
        self._strips: list[Strip] | None = None
        self._drawn_size = (0, 0)

    def show(self, series: Series) -> None:
        """Show these."""
        self._series, self._strips = series, None
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours may have changed."""
        super().notify_style_update()
        self._strips = None

    def render_line(self, y: int) -> Strip:
        """One line of the plot, which is drawn once and kept."""
        width, height = self.size
        if self._series is None or width < SMALLEST[0] or height < SMALLEST[1]:
            return Strip.blank(width, self.rich_style)
        if self._strips is None or self._drawn_size != (width, height):
            signs = "".join(map(class_marker, range(len(self._series.seen))))
            legend = f"{self._series.name} over time   ⣀⠔ seen   {signs} to foretell"
            self._strips = [
                Strip([Segment(legend, Style(bold=True))]),
                *self._draw(self._series, width, height - 1),
            ]
            self._drawn_size = (width, height)
        return self._strips[y].adjust_cell_length(width).apply_style(self.rich_style)

    def _draw(self, series: Series, width: int, height: int) -> list[Strip]:
        _, _, background, foreground = self.colors
        window, horizon = series.seen.shape[1], series.following.shape[1]
        values = np.concatenate([series.seen.ravel(), series.following.ravel()])
        low, high = float(values.min()), float(values.max())
        margin = 0.05 * (high - low) or 0.5
        low, high = low - margin, high + margin
        y = Axis(low, high, linear_ticks(low, high, max(2, min(8, height // 3))))
        last = window + horizon
        x = Axis(1, last, linear_ticks(1, last, max(2, min(10, width // 12))))
        lines = []
        for k, (seen, following) in enumerate(zip(series.seen, series.following, strict=True)):
            colour = Color.parse(class_color(k)).blend(foreground, 0.15)
            joined = np.arange(window) > 0
            lines.append(Line(np.arange(1.0, window + 1), seen, joined, BRAILLE, colour))
            after, alone = np.arange(window + 1.0, last + 1), np.zeros(horizon, np.bool_)
            lines.append(Line(after, following, alone, class_marker(k), colour))
        return draw_plot(
            (width, height), x, y, lines,
            frame=background.blend(foreground, 0.3),
            grid=background.blend(foreground, 0.14),
            text=background.blend(foreground, 0.55),
        )  # fmt: skip
