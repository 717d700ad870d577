"""What a network gives over the plane of its two inputs, with the data points on it."""

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_nn.palette import (
    DIVERGING,
    DIVERGING_DARK,
    SEQUENTIAL,
    class_color,
    class_marker,
)
from tui_nn.widgets.pixels import Codes, colour_code, draw, mixed, shades
from tui_nn.widgets.plot import number
from tui_nn.widgets.still import Still
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.inspection.surface import Surface

GROUNDS = (0x121212, 0xF4F4F2)  # dark and light: where a network can't tell classes apart
INKS = (0xFFFFFF, 0x000000)
MUTED = 0.66  # of the palette: its ends are as pale as the points
TWO = ("○", "▲")  # of two classes, on blue and orange


class Boundary(Still):
    """A picture as large as there is room for, a legend above, the axes below."""

    def __init__(self) -> None:
        super().__init__()
        self._subject: Subject | None = None
        self._surface: Surface | None = None

    @property
    def pixels(self) -> tuple[int, int]:
        """(columns, rows) that there is room for."""
        return max(self.size.width, 2), max(2 * (self.size.height - 2), 2)

    def begin(self, subject: Subject) -> None:
        """Points of other data."""
        self._subject, self._surface = subject, None
        self.news()

    def show(self, surface: Surface) -> None:
        """Show this picture."""
        self._surface = surface
        self.news()

    def draw(self, width: int, height: int) -> list[Strip]:
        """The picture, or that it comes."""
        if self._surface is None or self._subject is None:
            said = Strip([Segment("The picture comes.".center(width))])
            return [*[Strip([])] * (height // 2), said]
        return self._draw(self._surface, self._subject, width, height)

    def _draw(self, surface: Surface, subject: Subject, width: int, height: int) -> list[Strip]:
        lines = max(height - 2, 1)
        dark = self.app.current_theme.dark
        codes = _colours(surface, subject, dark=dark)
        rows, columns = codes.shape
        down = np.minimum(np.arange(2 * lines) * rows // (2 * lines), rows - 1)
        across = np.minimum(np.arange(width) * columns // width, columns - 1)
        signs, inks = _points(surface, subject, width, lines, INKS[0 if dark else 1])
        left, right, bottom, top = surface.span
        names = subject.inputs
        axis = f"{names[0]}: {number(left)} to {number(right)}   "
        axis += f"{names[1]}: {number(bottom)} (below) to {number(top)}"
        return [
            _legend(subject, dark=dark),
            *draw(codes[down][:, across], signs, inks),
            Strip([Segment(axis, Style(dim=True))]),
        ]


def _colours(surface: Surface, subject: Subject, *, dark: bool) -> Codes:
    """Pixels: two classes from blue to orange, more each in its colour, the darker the less sure;
    numbers from least to greatest."""
    outputs = surface.outputs.astype(np.float64)
    if not subject.classes:
        low, high = _range(subject)
        return shades((outputs[0] - low) / (high - low), SEQUENTIAL)
    if len(subject.classes) == 2:
        share = outputs[0] if len(outputs) == 1 else outputs[1]
        if subject.bipolar:
            share = (share + 1) / 2
        muted = 0.5 + MUTED * (np.clip(share, 0, 1) - 0.5)
        return shades(muted, DIVERGING_DARK if dark else DIVERGING, 48)
    best = outputs.argmax(axis=0)
    ranked = np.sort(outputs, axis=0)
    lead = np.nan_to_num(ranked[-1] - ranked[-2])
    table = np.array([colour_code(class_color(k)) for k in range(len(outputs))], np.int32)
    return mixed(table[best], 0.12 + 0.73 * np.clip(lead, 0, 1), GROUNDS[0 if dark else 1])


def _range(subject: Subject) -> tuple[float, float]:
    """Of the targets, so that colours stay what they are while it trains."""
    values = subject.values[:, 0]
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 1, high + 1)


def _points(
    surface: Surface, subject: Subject, width: int, lines: int, ink: int
) -> tuple[np.ndarray, Codes]:
    """Signs and inks (lines, width); a cell with points of several classes takes the last."""
    left, right, bottom, top = surface.span
    x, y = subject.points.T
    column = np.rint((x - left) / (right - left) * (width - 1)).astype(int)
    row = np.floor((top - y) / (top - bottom) * (lines - 1) + 0.5).astype(int)
    signs = np.zeros((lines, width), np.uint32)
    classes = subject.values[:, 0].astype(int) if subject.classes else np.zeros(len(x), int)
    table = np.array([ord(sign_of(subject, k)) for k in range(max(classes) + 1)], np.uint32)
    signs[row, column] = table[classes]
    return signs, np.full((lines, width), ink, np.int32)


def sign_of(subject: Subject, k: int) -> str:
    """The sign of a point of class k."""
    if not subject.classes:
        return "·"
    return TWO[k] if len(subject.classes) == 2 else class_marker(k)


def _legend(subject: Subject, *, dark: bool) -> Strip:
    if not subject.classes:
        low, high = _range(subject)
        ramp = draw(shades(np.linspace(0, 1, 16)[None].repeat(2, axis=0), SEQUENTIAL))[0]
        return Strip(
            [Segment(f"{subject.targets[0]}  {number(low)} "), *ramp, Segment(f" {number(high)}")]
        )
    segments = []
    palette = DIVERGING_DARK if dark else DIVERGING
    for k, name in enumerate(subject.classes):
        if len(subject.classes) == 2:
            colour = "#{:02x}{:02x}{:02x}".format(*palette[60 if k == 0 else 200])
        else:
            colour = class_color(k)
        segments += [
            Segment("  ", Style(bgcolor=colour)),
            Segment(f" {sign_of(subject, k)} {name}   "),
        ]
    sure = "the stronger the colour, the surer"
    return Strip([*segments, Segment(sure, Style(dim=True))])
