"""What a regression says against what is true: points beside a diagonal."""

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from tui_nn.palette import class_color
from tui_nn.widgets.plot import BRAILLE, Axis, Line, draw_plot, linear_ticks, number
from tui_nn_engine.inspection.mistakes import Residuals

SMALLEST = (24, 7)


class ResidualPlot(Widget):
    """Points on the diagonal are right; above it the network says too much, below it too little."""

    DEFAULT_CSS = "ResidualPlot { width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._found: Residuals | None = None
        self._name = ""
        self._strips: list[Strip] | None = None
        self._drawn_size = (0, 0)

    def show(self, found: Residuals, name: str) -> None:
        """Show these predictions of the target of that name."""
        self._found, self._name, self._strips = found, name, None
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours may have changed."""
        super().notify_style_update()
        self._strips = None

    def render_line(self, y: int) -> Strip:
        """One line of the plot, which is drawn once and kept."""
        width, height = self.size
        if self._found is None or width < SMALLEST[0] or height < SMALLEST[1]:
            return Strip.blank(width, self.rich_style)
        if self._strips is None or self._drawn_size != (width, height):
            self._strips = [*self._words(self._found), *self._draw(self._found, width, height - 2)]
            self._drawn_size = (width, height)
        return self._strips[y].adjust_cell_length(width).apply_style(self.rich_style)

    def _words(self, found: Residuals) -> list[Strip]:
        errors = found.predictions - found.targets
        figures = f"R² {found.r2:.4f}   RMSE {number(found.rmse)}   mean error "
        figures += f"{number(found.mean_error)}   greatest {number(float(np.abs(errors).max()))}"
        title = f"{self._name}: what the network says over what is true"
        title += f" ({len(errors):,} samples, {found.part})"
        return [
            Strip([Segment(title, Style(bold=True))]),
            Strip([Segment(figures)]),
        ]

    def _draw(self, found: Residuals, width: int, height: int) -> list[Strip]:
        _, _, background, foreground = self.colors
        finite = np.isfinite(found.predictions)
        both = np.concatenate([found.targets, found.predictions[finite]])
        low, high = float(both.min()), float(both.max())
        margin = 0.04 * (high - low) or 0.5
        low, high = low - margin, high + margin
        y = Axis(low, high, linear_ticks(low, high, max(2, min(8, height // 3))))
        room = max(2, min(10, (width - y.label_width) // 10))
        x = Axis(low, high, linear_ticks(low, high, room))
        ends = np.array([low, high])
        colours = [Color.parse(class_color(k)).blend(foreground, 0.15) for k in (4, 1)]
        alone = np.zeros(int(finite.sum()), bool)
        points = found.targets[finite], found.predictions[finite]
        lines = [
            Line(ends, ends, np.array([False, True]), BRAILLE, colours[0]),
            Line(*points, alone, "•", colours[1]),
        ]
        return draw_plot(
            (width, height), x, y, lines,
            frame=background.blend(foreground, 0.3),
            grid=background.blend(foreground, 0.14),
            text=background.blend(foreground, 0.55),
        )  # fmt: skip
