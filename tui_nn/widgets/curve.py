"""Curves over iterations: loss, accuracy, whatever a run reports; and the plot that draws them."""

import math
import textwrap
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.color import Color
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui_nn.history import Bucket, Buckets, History
from tui_nn.widgets.flow import flowed
from tui_nn.widgets.plot import (
    BRAILLE,
    Axis,
    Line,
    draw_plot,
    linear_ticks,
    log_ticks,
    number,
    reduce_columns,
)

_MARKER_SPACING: Final = (
    6  # cells between the markers that tell one line from another without colour
)
_SMALLEST: Final = (20, 5)


@dataclass(frozen=True)
class SeriesStyle:
    """How a series looks: a colour of the theme or any other, a marker, whether it is smoothed.

    The marker, one character set along the line, tells series apart without colour; "" is a plain
    line.
    """

    color: str = "primary"
    marker: str = ""
    smoothed: bool = True


@dataclass(frozen=True)
class Series:
    """A named history on a curve. One that is `over` grows no more: it is not followed."""

    name: str
    history: History
    style: SeriesStyle = field(default_factory=SeriesStyle)
    over: bool = False


class Curve(Widget, can_focus=True):
    """Series over iterations, with a cursor that tells their values.

    The owner extends the histories and calls `data_changed`; the curve draws at most every
    `redraw_interval` seconds, and only while it is on screen.
    """

    DEFAULT_CSS = "Curve { height: 1fr; min-height: 1; }"
    BINDINGS = [
        Binding("left", "move_cursor(-1)", "Cursor left", show=False),
        Binding("right", "move_cursor(1)", "Cursor right", show=False),
        Binding("shift+left", "move_cursor(-10)", "Ten columns left", show=False),
        Binding("shift+right", "move_cursor(10)", "Ten columns right", show=False),
        Binding("home", "first", "Cursor to the start", show=False),
        Binding("end", "last", "Cursor to the end", show=False),
        Binding("escape", "release", "Cursor off", show=False),
    ]

    log_scale: reactive[bool] = reactive(False)
    """Logarithmic y axis; values of 0 or less are left out, and the legend says so."""
    smoothing: reactive[float] = reactive(0.0)
    """Time constant in points: 0 or one of `history.SMOOTHINGS`."""
    cursor: reactive[int | None] = reactive(None)
    """Iteration under the cursor; None follows the newest."""

    def __init__(
        self,
        series: list[Series],
        *,
        title: str = "",
        x_label: str = "iteration",
        empty: str = "Nothing to show yet.",
        redraw_interval: float = 0.1,
        id: str | None = None,  # noqa: A002  Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.series = series
        self.title = title
        self.x_label = x_label
        self.empty = empty
        self.redraw_interval = redraw_interval
        self._pinned: int | None = None
        self._plot: list[Strip] | None = None
        self._plot_size = (0, 0)
        self._canvas_left = 0
        self._span = (0.0, 1.0)
        self._hides_values = False
        self._words_size = (0, 0)
        self._head: list[Strip] = []
        self._foot: list[Strip] = []
        self._drawn_at = -math.inf
        self._redraw_due = False

    # -- what the owner calls

    def data_changed(self) -> None:
        """Draw anew soon: at once, or when `redraw_interval` has passed since the last time."""
        if self._redraw_due:
            return
        wait = self._drawn_at + self.redraw_interval - monotonic()
        if wait <= 0:
            self._redraw()
        else:
            self._redraw_due = True
            self.set_timer(wait, self._redraw)

    @property
    def cursor_text(self) -> str:
        """The readout: "iteration 1,150  training 0.3412  validation 0.3520 at 1,100"."""
        followed = [s for s in self.series if not s.over]
        iteration = _newest(followed) if self.cursor is None else self.cursor
        if iteration is None:
            return ""
        told = (_told(series, iteration) for series in self.series)
        return "  ".join([f"{self.x_label} {iteration:,}", *filter(None, told)])

    # -- drawing

    def notify_style_update(self) -> None:
        """Colours may have changed: draw anew."""
        super().notify_style_update()
        self._plot = None

    def watch_log_scale(self) -> None:
        """Draw the other axis."""
        self._redraw()

    def watch_smoothing(self) -> None:
        """Draw the series smoothed otherwise."""
        self._redraw()

    def _redraw(self) -> None:
        self._redraw_due = False
        self._plot = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the picture; the plot itself is drawn once and kept."""
        width, height = self.size
        strip = self._line(y, width, height)
        return strip.adjust_cell_length(width).apply_style(self.rich_style)

    def _line(self, y: int, width: int, height: int) -> Strip:
        if width < _SMALLEST[0] or height < _SMALLEST[1]:
            return self._message(y, "too small for a curve")
        if self._newest() is None:
            return self._message(y, self.empty)
        if y == 0 or self._words_size != (width, height):
            self._words_size = (width, height)
            self._head, self._foot = self._words(width, height)
        above, below = len(self._head), height - len(self._foot)
        if y < above:
            return self._head[y]
        if y >= below:
            return self._foot[y - below]
        size = (width, below - above)
        if self._plot is None or self._plot_size != size:
            self._plot = self._draw(size)
            self._plot_size = size
            self._drawn_at = monotonic()
        row = y - above
        strip = self._plot[row]
        return strip if row >= size[1] - 2 else self._with_cursor(strip)

    def _draw(self, size: tuple[int, int]) -> list[Strip]:
        _, _, background, foreground = self.colors
        columns, rows = size
        shown = [s for s in self.series if len(s.history)]
        first = min(s.history.first for s in shown if s.history.first is not None)
        last = max(first, self._newest() or first)
        self._span = (float(first), float(last)) if last > first else (first - 0.5, first + 0.5)
        self._hides_values = False
        drawn = [self._scaled(s) for s in shown]
        y_axis = self._y_axis(drawn, rows - 2)
        self._canvas_left = y_axis.label_width + 1
        cells = max(2, columns - self._canvas_left)
        dot = (y_axis.high - y_axis.low) / (4 * max(1, rows - 2))

        backs: list[Line] = []
        fronts: list[Line] = []
        for series, buckets in zip(shown, drawn, strict=True):
            color = self._color(series.style.color)
            extremes = reduce_columns(
                buckets.first, buckets.low, buckets.high, cells, self._span, dot
            )
            if self.smoothing and series.style.smoothed:
                backs.append(Line(*extremes, BRAILLE, background.blend(color, 0.4)))
                extremes = reduce_columns(
                    buckets.first, buckets.smoothed, buckets.smoothed, cells, self._span, dot
                )
            fronts.append(Line(*extremes, BRAILLE, color))
            if series.style.marker:
                fronts.append(self._markers(fronts[-1], series.style.marker, cells))
        return draw_plot(
            size,
            Axis(self._span[0], self._span[1], self._x_ticks(cells)),
            y_axis,
            backs + fronts,
            frame=background.blend(foreground, 0.3),
            grid=background.blend(foreground, 0.18),
            text=background.blend(foreground, 0.55),
        )

    def _scaled(self, series: Series) -> Buckets:
        """The buckets of a series on the scale of the y axis."""
        buckets = series.history.buckets(self.smoothing if series.style.smoothed else 0.0)
        if not self.log_scale:
            return buckets
        self._hides_values |= bool(np.any(buckets.low <= 0))
        low, high, mean, smoothed = (
            np.log10(values, where=values > 0, out=np.full_like(values, np.nan))
            for values in buckets[1:]
        )
        return Buckets(buckets.first, np.fmin(low, high), high, mean, smoothed)

    def _markers(self, line: Line, marker: str, cells: int) -> Line:
        """Some points of a line, far enough apart, the last one among them."""
        low, high = self._span
        slot = np.floor((high - line.x) / (high - low) * cells / _MARKER_SPACING)
        chosen = np.flatnonzero(np.diff(slot, append=-1.0))
        return Line(line.x[chosen], line.y[chosen], np.zeros(chosen.size, bool), marker, line.color)

    def _y_axis(self, drawn: list[Buckets], rows: int) -> Axis:
        values = np.concatenate([part for b in drawn for part in (b.low, b.high, b.smoothed)])
        values = values[np.isfinite(values)]
        if not values.size:
            return Axis(0.0, 1.0, [])
        low, high = float(values.min()), float(values.max())
        if not self.log_scale and 0 < low < 0.4 * high:
            low = 0.0
        if high - low <= 1e-9 * max(abs(low), abs(high)):
            margin = 0.1 if self.log_scale else 0.05 * abs(low) or 0.5
            low, high = low - margin, high + margin
        at_most = max(2, min(7, rows // 3 + 1))
        return Axis(low, high, (log_ticks if self.log_scale else linear_ticks)(low, high, at_most))

    def _x_ticks(self, cells: int) -> list[tuple[float, str]]:
        ticks = linear_ticks(*self._span, max(2, min(10, cells // 12)))
        return [(position, label) for position, label in ticks if position == int(position)]

    def _color(self, name: str) -> Color:
        color = Color.parse(self.app.theme_variables.get(name, name))
        return color.blend(self.colors[3], 0.15)  # thin dots need more contrast than surfaces

    # -- the lines of text

    def _message(self, y: int, text: str) -> Strip:
        width, height = self.size
        rows = textwrap.wrap(text, max(1, width - 2))[:height]
        index = y - (height - len(rows)) // 2
        return Strip([Segment(rows[index].center(width) if 0 <= index < len(rows) else "")])

    def _words(self, width: int, height: int) -> tuple[list[Strip], list[Strip]]:
        """The lines above and below the plot: few, where it is low."""
        most = max(1, (height - 4) // 5)
        if height < 7:
            return [], self._legend(width, 1) if self.cursor is None else self._readout(width, 1)
        return self._legend(width, most), self._readout(width, most)

    def _legend(self, width: int, most: int) -> list[Strip]:
        title = f"{self.title} (log)" if self.log_scale and self.title else self.title
        if self._hides_values:
            title += "  values ≤ 0 not shown"
        entries = []
        for series in self.series:
            color = self._color(series.style.color).rich_color
            glyph = Segment(f"━{series.style.marker or '━'}━ ", Style(color=color))
            entries.append(Strip([glyph, Segment(series.name)]))
        lines = flowed(entries, width, most)
        heading = Strip([Segment(title, Style(bold=True))])
        room = width - heading.cell_length - lines[0].cell_length - 2
        if len(lines) == 1 and room >= 1:
            return [Strip.join([heading, Strip([Segment(" " * room)]), *lines])]
        return [heading, *lines] if title and most > 1 else lines

    def _readout(self, width: int, most: int) -> list[Strip]:
        following = self.cursor is None
        style = Style(dim=following, bold=not following)
        pieces = [Strip([Segment(text, style)]) for text in self.cursor_text.split("  ")]
        return flowed(pieces, width, most)

    def _with_cursor(self, strip: Strip) -> Strip:
        column = self._column(self.cursor)
        if column is None:
            return strip
        before, cell, after = strip.divide([column, column + 1, strip.cell_length])
        text = "│" if cell.text in " ┈" else cell.text
        return Strip.join([before, Strip([Segment(text, Style(bold=True))]), after])

    # -- the cursor

    def _newest(self) -> int | None:
        return _newest(self.series)

    def _column(self, iteration: int | None) -> int | None:
        """Column of the widget, None when it is off the canvas."""
        low, high = self._span
        if iteration is None or not low <= iteration <= high:
            return None
        cells = self._plot_size[0] - self._canvas_left
        return self._canvas_left + math.floor((iteration - low) / (high - low) * (cells - 1) + 0.5)

    def _iteration(self, column: int) -> int:
        """The iteration a column of the widget stands for, the nearest on the canvas."""
        low, high = self._span
        cells = max(2, self._plot_size[0] - self._canvas_left)
        share = min(1.0, max(0.0, (column - self._canvas_left) / (cells - 1)))
        return round(low + share * (high - low))

    def action_move_cursor(self, columns: int) -> None:
        """Move by as many columns, by one iteration at least."""
        newest = self._newest()
        if newest is None:
            return
        cells = max(2, self._plot_size[0] - self._canvas_left)
        step = max(1, round((self._span[1] - self._span[0]) / (cells - 1)))
        self._pin((newest if self.cursor is None else self.cursor) + columns * step)

    def action_first(self) -> None:
        """Move to the first iteration."""
        self._pin(0)

    def action_last(self) -> None:
        """Move to the newest iteration."""
        self._pin(self._newest())

    def action_release(self) -> None:
        """Take the cursor away and follow the newest iteration."""
        self._pin(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Leave escape to the screen while there is no cursor to take away."""
        return self.cursor is not None if action == "release" else True

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Read the column under the mouse."""
        self.cursor = self._under(event)

    def on_leave(self) -> None:
        """Go back to where keys or a click left the cursor."""
        self.cursor = self._pinned

    def on_click(self, event: events.Click) -> None:
        """Keep the cursor here."""
        self._pin(self._under(event))

    def _pin(self, iteration: int | None) -> None:
        newest = self._newest()
        if iteration is not None and newest is not None:
            first = math.ceil(self._span[0])
            iteration = min(max(iteration, first), newest)
        self._pinned = self.cursor = None if newest is None else iteration

    def _under(self, event: events.MouseEvent) -> int | None:
        offset = event.get_content_offset(self)
        if offset is None or self._plot is None or self._newest() is None:
            return self._pinned
        return self._iteration(offset.x)


def _newest(series: list[Series]) -> int | None:
    return max((s.history.last for s in series if s.history.last is not None), default=None)


def _told(series: Series, iteration: int) -> str:
    """What a series says of an iteration, and where, if it is its newest before; "": nothing."""
    bucket = series.history.at(iteration)
    if bucket is None:
        return "" if series.over else f"{series.name} none yet"
    where = f" at {bucket.last:,}" if bucket.last < iteration else ""
    return f"{series.name} {_reading(bucket)}{where}"


def _reading(bucket: Bucket) -> str:
    """What a bucket says: a value, or "min-max of k" values."""
    if bucket.values == 0:
        return "not finite"
    if bucket.low == bucket.high:
        return number(bucket.low)
    return f"{number(bucket.low)}–{number(bucket.high)} of {bucket.values}"
