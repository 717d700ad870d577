"""The curve that a network gives over its one input, with the data points."""

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from tui_nn.palette import class_color, class_marker
from tui_nn.widgets.plot import BRAILLE, Axis, Line, draw_plot, linear_ticks
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.inspection.surface import Surface

MOST = 8  # curves
SMALLEST = (20, 6)


class FittedCurve(Widget):
    """Points as signs, what the network gives as a line; of several outputs, a line each."""

    DEFAULT_CSS = "FittedCurve { width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._subject: Subject | None = None
        self._surface: Surface | None = None
        self._strips: list[Strip] | None = None
        self._drawn_size = (0, 0)

    def begin(self, subject: Subject) -> None:
        """Points of other data."""
        self._subject, self._surface, self._strips = subject, None, None
        self.refresh()

    def show(self, surface: Surface) -> None:
        """Show this curve."""
        self._surface, self._strips = surface, None
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours may have changed."""
        super().notify_style_update()
        self._strips = None

    def render_line(self, y: int) -> Strip:
        """One line of the plot, which is drawn once and kept."""
        width, height = self.size
        small = width < SMALLEST[0] or height < SMALLEST[1]
        if self._surface is None or self._subject is None or small:
            return Strip.blank(width, self.rich_style)
        if self._strips is None or self._drawn_size != (width, height):
            self._strips = [
                self._legend(self._subject),
                *self._draw(self._surface, self._subject, width, height - 1),
            ]
            self._drawn_size = (width, height)
        return self._strips[y].adjust_cell_length(width).apply_style(self.rich_style)

    def _legend(self, subject: Subject) -> Strip:
        target = subject.targets[0] if subject.targets else "output"
        text = f"{target} over {subject.inputs[0]}   {class_marker(0)} data   ⣀⠔ network"
        return Strip([Segment(text, Style(bold=True))])

    def _draw(self, surface: Surface, subject: Subject, width: int, height: int) -> list[Strip]:
        _, _, background, foreground = self.colors
        outputs = surface.outputs[:MOST, 0].astype(np.float64)
        left, right = surface.span
        finite = outputs[np.isfinite(outputs)]
        values = np.concatenate([subject.values[:, 0], finite])
        if subject.classes:
            values = np.append(values, [0.0, 1.0])
        low, high = float(values.min()), float(values.max())
        margin = 0.05 * (high - low) or 0.5
        low, high = low - margin, high + margin
        y = Axis(low, high, linear_ticks(low, high, max(2, min(8, height // 3))))
        room = max(2, min(10, (width - y.label_width) // 10))
        x = Axis(left, right, linear_ticks(left, right, room))
        across = np.linspace(left, right, outputs.shape[1])
        colours = [Color.parse(class_color(k)).blend(foreground, 0.15) for k in range(MOST)]
        dots = np.zeros(len(subject.points), bool)
        lines = []
        for k, curve in enumerate(outputs):
            joined = np.isfinite(curve) & np.append(False, np.isfinite(curve[:-1]))
            known = np.isfinite(curve)
            lines.append(
                Line(across[known], curve[known], joined[known], BRAILLE, colours[k + 1 - MOST])
            )
        points = subject.points[:, 0], subject.values[:, 0], dots
        lines.append(Line(*points, class_marker(0), colours[0]))
        return draw_plot(
            (width, height), x, y, lines,
            frame=background.blend(foreground, 0.3),
            grid=background.blend(foreground, 0.14),
            text=background.blend(foreground, 0.55),
        )  # fmt: skip
