"""Points in the plane, each class with its own marker and colour."""

import numpy as np
from numpy.typing import ArrayLike
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip
from textual.widget import Widget

from tui_nn.palette import class_color, class_marker
from tui_nn.widgets.plot import Axis, Floats, Line, draw_plot, linear_ticks

_SMALLEST = (16, 5)


class Scatter(Widget):
    """Points by class over two axes with ticks, a legend above.

    Where points of several classes fall into one cell, the class with the most of them shows.
    """

    DEFAULT_CSS = "Scatter { height: 1fr; width: 1fr; }"

    def __init__(
        self,
        points: ArrayLike | None = None,
        classes_of: ArrayLike | None = None,
        *,
        class_names: list[str] | None = None,
        axis_names: tuple[str, str] = ("x1", "x2"),
        empty: str = "Nothing to show yet.",
        id: str | None = None,  # noqa: A002  Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.empty = empty
        self._picture: list[Strip] | None = None
        self._drawn_size = (0, 0)
        self.show(
            np.empty((0, 2)) if points is None else points,
            classes_of,
            class_names=class_names,
            axis_names=axis_names,
        )

    def show(
        self,
        points: ArrayLike,
        classes_of: ArrayLike | None = None,
        *,
        class_names: list[str] | None = None,
        axis_names: tuple[str, str] = ("x1", "x2"),
    ) -> None:
        """Show points of shape (n, 2) with class numbers of shape (n,), all 0 unless given.

        Points that are not finite are left out, and the legend says how many.

        Raises:
            ValueError: the shapes do not fit.
        """
        points = np.array(points, dtype=np.float64)
        labels = np.zeros(len(points), int) if classes_of is None else np.array(classes_of, int)
        if points.ndim != 2 or points.shape[1] != 2 or labels.shape != points.shape[:1]:
            raise ValueError(
                "points must have shape (n, 2) and classes (n,), "
                f"not {points.shape} and {labels.shape}"
            )
        finite = np.isfinite(points).all(axis=1)
        self._left_out = int((~finite).sum())
        self._points = points[finite]
        self._labels = labels[finite]
        self._numbers = np.unique(self._labels).tolist()
        self._names = class_names
        self._axis_names = axis_names
        self._picture = None
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours may have changed: draw anew."""
        super().notify_style_update()
        self._picture = None

    def render_line(self, y: int) -> Strip:
        """One line of the picture, which is drawn once and kept."""
        width, height = self.size
        strip = self._line(y, width, height)
        return strip.adjust_cell_length(width).apply_style(self.rich_style)

    def _line(self, y: int, width: int, height: int) -> Strip:
        small = width < _SMALLEST[0] or height < _SMALLEST[1]
        if small or not len(self._points):
            text = "too small for a scatter" if small else self.empty
            return Strip([Segment(text.center(width) if y == height // 2 else "")])
        if self._picture is None or self._drawn_size != (width, height):
            self._picture = [self._legend(), *self._draw(width, height - 1)]
            self._drawn_size = (width, height)
        return self._picture[y]

    def _draw(self, columns: int, rows: int) -> list[Strip]:
        _, _, background, foreground = self.colors
        y = self._axis(1, max(2, min(8, rows // 3)))
        x = self._axis(0, max(2, min(10, (columns - y.label_width) // 10)))
        return draw_plot(
            (columns, rows),
            x,
            y,
            self._lines(x, y, columns - y.label_width - 1, rows - 2),
            frame=background.blend(foreground, 0.3),
            grid=background.blend(foreground, 0.14),
            text=background.blend(foreground, 0.55),
        )

    def _axis(self, dimension: int, at_most: int) -> Axis:
        values = self._points[:, dimension]
        low, high = float(values.min()), float(values.max())
        margin = 0.03 * (high - low) or max(0.05 * abs(low), 0.5)
        low, high = low - margin, high + margin
        return Axis(low, high, linear_ticks(low, high, at_most))

    def _lines(self, x: Axis, y: Axis, columns: int, rows: int) -> list[Line]:
        """For each class the cells where it has most points, as points in their middle."""
        scale = np.array([columns - 1, rows - 1])
        low, high = np.array([x.low, y.low]), np.array([x.high, y.high])
        cells = np.floor((self._points - low) / (high - low) * scale + 0.5).astype(int)
        flat = cells[:, 0] * rows + cells[:, 1]
        counts = np.stack(
            [np.bincount(flat[self._labels == k], minlength=rows * columns) for k in self._numbers]
        )
        winner = np.where(counts.any(axis=0), counts.argmax(axis=0), -1)
        lines = []
        for index, k in enumerate(self._numbers):
            column, row = np.divmod(np.flatnonzero(winner == index), rows)
            centre: Floats = low + np.stack([column, row], axis=1) / np.maximum(scale, 1) * (
                high - low
            )
            alone = np.zeros(len(centre), dtype=bool)
            lines.append(Line(centre[:, 0], centre[:, 1], alone, class_marker(k), self._color(k)))
        return lines

    def _legend(self) -> Strip:
        segments = [
            Segment(f"{self._axis_names[1]} over {self._axis_names[0]}   ", Style(bold=True))
        ]
        for k in self._numbers:
            name = self._names[k] if self._names is not None and k < len(self._names) else str(k)
            segments.append(Segment(f"{class_marker(k)} ", Style(color=self._color(k).rich_color)))
            segments.append(Segment(f"{name}  "))
        if self._left_out:
            segments.append(Segment(f"{self._left_out} not finite, left out"))
        return Strip(segments)

    def _color(self, index: int) -> Color:
        foreground = self.colors[3]
        return Color.parse(class_color(index)).blend(foreground, 0.15)  # a marker is thin
