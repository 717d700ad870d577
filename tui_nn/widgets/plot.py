"""Lines and points in a frame with labelled axes, as strips of a widget.

Plotext draws the frame with its ticks. The dots are set here: two noisy lines across a screen take
plotext 7 ms and NumPy 0.3, and where two lines share a cell, plotext shows the dots of both in the
colour of the last.
"""

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.strip import Strip

Floats = NDArray[np.float64]
Cells = NDArray[np.uint32]

BRAILLE: Final = "braille"
_BLANK: Final = ord(" ")
# What each dot of a braille cell adds to its code point (Unicode, Braille Patterns).
_DOTS: Final = np.array([[1, 8], [2, 16], [4, 32], [64, 128]], dtype=np.uint32)


class Axis(NamedTuple):
    """One axis: what its first and last cell stand for, and the labelled positions between."""

    low: float
    high: float
    ticks: list[tuple[float, str]]

    @property
    def label_width(self) -> int:
        """Cells of the widest label."""
        return max((len(label) for _, label in self.ticks), default=0)


class Line(NamedTuple):
    """What a plot draws in one colour and marker; x, y, joined have shape (n,).

    Point i is joined to point i - 1 where joined[i]. A marker is BRAILLE (2 x 4 dots to a
    cell) or one character, which stands alone, joined to nothing.
    """

    x: Floats
    y: Floats
    joined: NDArray[np.bool_]
    marker: str
    color: Color


def number(value: float) -> str:
    """A value as people read it: four digits that count, an exponent only far from 1."""
    size = abs(value)
    if size == 0 or 1e-3 <= size < 1:
        return f"{value:.4f}"
    if 1 <= size < 1e3:
        return f"{value:#.4g}"
    return f"{value:,.1f}" if 1e3 <= size < 1e6 else f"{value:.3e}"


def linear_ticks(low: float, high: float, at_most: int) -> list[tuple[float, str]]:
    """As many round positions within low..high as `at_most` allows, each with its label.

    They are 1, 2 or 5 times a power of ten apart.
    """
    power = 10.0 ** math.floor(math.log10((high - low) / max(1, at_most))) / 10
    for step in (power * nice for nice in (1, 2, 5, 10, 20, 50, 100, 200, 500)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < at_most:
            break
    positions = [step * k for k in range(first, last + 1)]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    if decimals > 4 or max(abs(low), abs(high)) >= 1e7:
        return [(position, f"{position:g}") for position in positions]
    return [(position, f"{position:,.{decimals}f}") for position in positions]


def log_ticks(low: float, high: float, at_most: int) -> list[tuple[float, str]]:
    """Ticks for an axis that shows log10 of its values: low, high and positions are log10."""
    decades = range(math.floor(low), math.ceil(high) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        positions = [(d + math.log10(step), 10.0**d * step) for d in decades for step in steps]
        ticks = [
            (position, f"{value:g}") for position, value in positions if low <= position <= high
        ]
        if 2 <= len(ticks) <= at_most:
            return ticks
    if len(ticks) > at_most:
        return ticks[:: -(-len(ticks) // at_most)]
    return [(position, f"{10.0**position:.4g}") for position in (low, high)]


def draw_plot(
    size: tuple[int, int],
    x: Axis,
    y: Axis,
    lines: list[Line],
    *,
    frame: Color,
    grid: Color,
    text: Color,
) -> list[Strip]:
    """Draw axes, grid and lines; size is (columns, rows), one strip a row.

    The canvas begins at column `y.label_width + 1` and ends two rows above the bottom; x.low
    and x.high are the middle of its first and last cells (y likewise). A later line covers an
    earlier one.
    """
    columns, rows = size
    left = y.label_width + 1
    cells = _draw_frame(columns, rows, x, y)
    ink = np.full((rows, columns), 2)
    ink[:, left - 1] = ink[-2] = 1
    ink[:, : left - 1] = ink[-1] = 0
    canvas, canvas_ink = cells[:-2, left:], ink[:-2, left:]
    canvas[cells[:-2, left - 1] != ord("│")] = ord("┈")  # the rows of the y ticks

    for index, line in enumerate(lines, start=3):
        if not line.x.size:
            continue
        layer = _draw_line(line, x, y, canvas.shape)
        drawn = layer != _BLANK
        canvas[drawn] = layer[drawn]
        canvas_ink[drawn] = index
    colors = [text, frame, grid, *(line.color for line in lines)]
    styles = [Style(color=color.rich_color) for color in colors]
    return [_strip(row, row_ink, styles) for row, row_ink in zip(cells, ink, strict=True)]


def _draw_frame(columns: int, rows: int, x: Axis, y: Axis) -> Cells:
    """Axes and tick labels around an empty canvas."""
    import plotext  # a tenth of a second that nobody should wait for at start-up

    plotext.terminal.limit(width=False, height=False)  # a size of our own, whatever the terminal's
    figure = plotext.figure
    drawn = rows if x.ticks else rows - 1  # without ticks plotext leaves their row to the canvas
    figure.clear().plot_size(columns, drawn).axes(False)
    for name, axis in (("x", x), ("y", y)):
        positions, labels = [[*column] for column in zip(*axis.ticks, strict=True)] or [[], []]
        figure.axes(True, axis=name, side=0)
        figure.ruler(name, 0).lim(axis.low, axis.high).ticks(positions, labels)
    shown = figure.build().string(colorless=True).replace("\n", "").encode("utf-32-le")
    cells = np.full((rows, columns), _BLANK, dtype=np.uint32)
    cells[:drawn] = np.frombuffer(shown, dtype="<u4").reshape(drawn, columns)
    return cells


def _draw_line(line: Line, x: Axis, y: Axis, shape: tuple[int, ...]) -> Cells:
    """The canvas with one line alone; shape is (rows, columns)."""
    rows, columns = shape
    across = (line.x - x.low) / (x.high - x.low) * (columns - 1) + 0.5
    down = (y.high - line.y) / (y.high - y.low) * (rows - 1) + 0.5
    if line.marker != BRAILLE:
        cells = np.full(shape, _BLANK, dtype=np.uint32)
        cells[down.astype(int), across.astype(int)] = ord(line.marker)
        return cells
    column, row = (2 * across).astype(int), (4 * down).astype(int)
    # From each point to the next, if joined, a dot for every step along the longer direction.
    run, fall = np.diff(column), np.diff(row)
    steps = np.where(line.joined[1:], np.maximum(np.abs(run), np.abs(fall)), 0)
    start = np.repeat(np.arange(steps.size), steps)
    share = (np.arange(start.size) - np.repeat(np.cumsum(steps) - steps, steps)) / steps[start]
    column = np.append(column, np.rint(column[start] + share * run[start]).astype(int))
    row = np.append(row, np.rint(row[start] + share * fall[start]).astype(int))
    dots = np.zeros(shape, dtype=np.uint32)
    np.bitwise_or.at(dots, (row // 4, column // 2), _DOTS[row % 4, column % 2])
    return np.where(dots > 0, dots + 0x2800, _BLANK).astype(np.uint32)


def _strip(cells: Cells, ink: NDArray[np.int_], styles: list[Style]) -> Strip:
    starts = np.flatnonzero(np.diff(ink, prepend=-1))
    text = cells.tobytes().decode("utf-32-le")
    ends = [*starts[1:].tolist(), len(text)]
    return Strip(
        [
            Segment(text[start:end], styles[ink[start]])
            for start, end in zip(starts.tolist(), ends, strict=True)
        ],
        len(text),
    )


def reduce_columns(
    x: Floats, low: Floats, high: Floats, columns: int, span: tuple[float, float], resolution: float
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Two points a column at most, minimum and maximum: x, y, and whether joined to the one before.

    x, low and high have shape (n,), x rising within span. A column without a finite value is a gap;
    extremes nearer than resolution are one point, their middle.
    """
    column = np.floor((x - span[0]) / (span[1] - span[0]) * (columns - 1) + 0.5)
    starts = np.flatnonzero(np.diff(column, prepend=-1.0))
    ends = np.append(starts[1:], x.size) - 1
    lows, highs = np.fmin.reduceat(low, starts), np.fmax.reduceat(high, starts)
    falling = low[starts] + high[starts] >= low[ends] + high[ends]
    finite = np.isfinite(lows)
    single = highs - lows < resolution
    middle = (lows + highs) / 2
    first = np.where(single, middle, np.where(falling, highs, lows))
    second = np.where(falling, lows, highs)
    joined = np.stack([np.append(False, finite[:-1]), finite], axis=1).ravel()
    keep = np.stack([finite, finite & ~single], axis=1).ravel()
    xs = np.stack([np.where(single, (x[starts] + x[ends]) / 2, x[starts]), x[ends]], axis=1).ravel()
    return xs[keep], np.stack([first, second], axis=1).ravel()[keep], joined[keep]
