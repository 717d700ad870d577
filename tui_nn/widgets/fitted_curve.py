"""The curve that a network gives over its one input, with the data points."""

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

from tui_nn.palette import class_color, class_marker
from tui_nn.widgets.plot import BRAILLE, Line
from tui_nn.widgets.still import StillPlot, across, ticked
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.inspection.surface import Surface

MOST = 8  # curves
SMALLEST = (20, 6)


class FittedCurve(StillPlot):
    """Points as signs, what the network gives as a line; of several outputs, a line each."""

    def __init__(self) -> None:
        super().__init__()
        self._subject: Subject | None = None
        self._surface: Surface | None = None

    def begin(self, subject: Subject) -> None:
        """Points of other data."""
        self._subject, self._surface = subject, None
        self.news()

    def show(self, surface: Surface) -> None:
        """Show this curve."""
        self._surface = surface
        self.news()

    def draw(self, width: int, height: int) -> list[Strip]:
        """The legend, the plot below it."""
        small = width < SMALLEST[0] or height < SMALLEST[1]
        if self._surface is None or self._subject is None or small:
            return []
        plot = self._draw(self._surface, self._subject, width, height - 1)
        return [self._legend(self._subject), *plot]

    def _legend(self, subject: Subject) -> Strip:
        target = subject.targets[0] if subject.targets else "output"
        text = f"{target} over {subject.inputs[0]}   {class_marker(0)} data   ⣀⠔ network"
        return Strip([Segment(text, Style(bold=True))])

    def _draw(self, surface: Surface, subject: Subject, width: int, height: int) -> list[Strip]:
        foreground = self.colors[3]
        outputs = surface.outputs[:MOST, 0].astype(np.float64)
        left, right = surface.span
        finite = outputs[np.isfinite(outputs)]
        values = np.concatenate([subject.values[:, 0], finite])
        if subject.classes:
            values = np.append(values, [0.0, 1.0])
        low, high = float(values.min()), float(values.max())
        margin = 0.05 * (high - low) or 0.5
        low, high = low - margin, high + margin
        y = ticked(low, high, height)
        x = across(left, right, width - y.label_width)
        inputs = np.linspace(left, right, outputs.shape[1])
        colours = [Color.parse(class_color(k)).blend(foreground, 0.15) for k in range(MOST)]
        dots = np.zeros(len(subject.points), bool)
        lines = []
        for k, curve in enumerate(outputs):
            joined = np.isfinite(curve) & np.append(False, np.isfinite(curve[:-1]))
            known = np.isfinite(curve)
            lines.append(
                Line(inputs[known], curve[known], joined[known], BRAILLE, colours[k + 1 - MOST])
            )
        points = subject.points[:, 0], subject.values[:, 0], dots
        lines.append(Line(*points, class_marker(0), colours[0]))
        return self.framed(width, height, x, y, lines)
