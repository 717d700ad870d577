"""What a regression says against what is true: points beside a diagonal."""

import numpy as np
from textual.color import Color
from textual.strip import Strip

from tui_nn.palette import class_color
from tui_nn.widgets.plot import BRAILLE, Line, number
from tui_nn.widgets.still import StillPlot, across, ticked
from tui_nn_engine.inspection.mistakes import Residuals

SMALLEST = (24, 7)


class ResidualPlot(StillPlot):
    """Points on the diagonal are right; above it the network says too much, below it too little."""

    def __init__(self) -> None:
        super().__init__()
        self._found: Residuals | None = None
        self._name = ""

    def show(self, found: Residuals, name: str) -> None:
        """Show these predictions of the target of that name."""
        self._found, self._name = found, name
        self.news()

    def draw(self, width: int, height: int) -> list[Strip]:
        """Figures, the plot below them."""
        if self._found is None or width < SMALLEST[0] or height < SMALLEST[1]:
            return []
        return [*self._words(self._found), *self._draw(self._found, width, height - 2)]

    def _words(self, found: Residuals) -> list[Strip]:
        errors = found.predictions - found.targets
        figures = f"R² {found.r2:.4f}   RMSE {number(found.rmse)}   mean error "
        figures += f"{number(found.mean_error)}   greatest {number(float(np.abs(errors).max()))}"
        title = f"{self._name}: what the network says over what is true"
        title += f" ({len(errors):,} samples, {found.part})"
        return self.words(title, figures)

    def _draw(self, found: Residuals, width: int, height: int) -> list[Strip]:
        foreground = self.colors[3]
        finite = np.isfinite(found.predictions)
        both = np.concatenate([found.targets, found.predictions[finite]])
        low, high = float(both.min()), float(both.max())
        margin = 0.04 * (high - low) or 0.5
        low, high = low - margin, high + margin
        y = ticked(low, high, height)
        x = across(low, high, width - y.label_width)
        ends = np.array([low, high])
        colours = [Color.parse(class_color(k)).blend(foreground, 0.15) for k in (4, 1)]
        alone = np.zeros(int(finite.sum()), bool)
        points = found.targets[finite], found.predictions[finite]
        lines = [
            Line(ends, ends, np.array([False, True]), BRAILLE, colours[0]),
            Line(*points, alone, "•", colours[1]),
        ]
        return self.framed(width, height, x, y, lines)
