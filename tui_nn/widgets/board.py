"""A picture that somebody draws, with the mouse or with keys."""

import math

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui_nn.palette import GRAYSCALE
from tui_nn.widgets.pixels import colour_code, draw, enlarged, shades

LEFT, RIGHT = 1, 3
GROUND = colour_code("#242424")  # so that its edges can be seen
INK = colour_code("#e69f00")
HINT = ("draw here", "with the mouse,", "or arrows and enter")
Image = NDArray[np.float32]


class Board(Widget, can_focus=True):
    """Bright strokes on a dark ground, as MNIST's digits; the right button rubs out.

    With keys the arrows move a point, enter puts the pen down on it or lifts it.
    """

    DEFAULT_CSS = "Board { width: 1fr; height: 1fr; }"
    BINDINGS = [
        Binding("up", "move(-1, 0)", "Point up", show=False),
        Binding("down", "move(1, 0)", "Point down", show=False),
        Binding("left", "move(0, -1)", "Point left", show=False),
        Binding("right", "move(0, 1)", "Point right", show=False),
        Binding("enter", "pen", "Pen", tooltip="Put the pen down for the arrows, or lift it"),
    ]

    class Drawn(Message):
        """The picture has changed."""

    def __init__(self) -> None:
        super().__init__()
        self.picture: Image = np.zeros((28, 28), np.float32)
        """(height, width), from 0 to `brightest`."""
        self.brightest = 255.0
        self.pen_down = False
        self._point = (14, 14)
        self._last: tuple[float, float] | None = None
        self._drawing: list[Strip] | None = None
        self._drawn_for: tuple[int, int, bool] = (0, 0, False)

    def begin(self, shape: tuple[int, ...], brightest: float) -> None:
        """An empty picture of this size."""
        self.brightest, self._point = brightest, (shape[0] // 2, shape[1] // 2)
        self.put(np.zeros(shape, np.float32))

    def put(self, picture: NDArray[np.generic]) -> None:
        """Show this picture, to be drawn on."""
        self.picture = np.asarray(picture, np.float32).copy()
        self.pen_down, self._last = False, None
        self._changed()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is drawn."""
        return not self.picture.any()

    def _changed(self) -> None:
        self._drawing = None
        self.refresh()
        self.post_message(self.Drawn())

    # -- keys -----------------------------------------------------------------------------------

    def action_move(self, down: int, right: int) -> None:
        """One pixel on, drawing where the pen is down."""
        height, width = self.picture.shape
        row, column = self._point
        self._point = (min(max(row + down, 0), height - 1), min(max(column + right, 0), width - 1))
        self._drawing = None
        self.refresh()
        if self.pen_down:
            self._stroke_at_point()

    def action_pen(self) -> None:
        """Down or up."""
        self.pen_down = not self.pen_down
        self._drawing = None
        self.refresh()
        if self.pen_down:
            self._stroke_at_point()

    def _stroke_at_point(self) -> None:
        row, column = self._point
        self._stroke((row + 0.5, column + 0.5), (row + 0.5, column + 0.5), erase=False)

    # -- mouse ----------------------------------------------------------------------------------

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a stroke."""
        place = self._place(event)
        if place is not None and event.button in {LEFT, RIGHT}:
            self.capture_mouse()
            self._last = place
            self._stroke(place, place, erase=event.button == RIGHT)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Go on with it."""
        if self._last is None:
            return
        place = self._place(event)
        if place is not None:
            self._stroke(self._last, place, erase=event.button == RIGHT)
            self._last = place

    def on_mouse_up(self) -> None:
        """End it."""
        if self._last is not None:
            self._last = None
            self.release_mouse()

    def _place(self, event: events.MouseEvent) -> tuple[float, float] | None:
        """(row, column) in pixels of the middle of the cell under the mouse."""
        offset = event.get_content_offset_capture(self)
        factor, left = self._layout()
        return (2 * offset.y + 1) / factor, (offset.x - left + 0.5) / factor

    def _stroke(self, start: tuple[float, float], end: tuple[float, float], *, erase: bool) -> None:
        """Draw with a soft round pen, as wide as a stroke of the data's digits."""
        height, width = self.picture.shape
        radius = max(height / 28 * 1.1, 0.8)
        steps = max(1, math.ceil(math.dist(start, end) / 0.3))
        rows, columns = np.arange(height)[:, None] + 0.5, np.arange(width)[None, :] + 0.5
        for step in range(steps + 1):
            share = step / steps
            row = start[0] + share * (end[0] - start[0])
            column = start[1] + share * (end[1] - start[1])
            distance = np.hypot(rows - row, columns - column)
            ink = np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)
            if erase:
                self.picture *= 1 - ink
            else:
                np.maximum(self.picture, self.brightest * ink, out=self.picture)
        if erase:
            self.picture[self.picture < self.brightest / 50] = 0
        self._changed()

    # -- drawing --------------------------------------------------------------------------------

    def _layout(self) -> tuple[int, int]:
        """How many cells wide a pixel is, and how far from the left the picture begins."""
        height, width = self.picture.shape
        factor = max(1, min(self.size.width // width, 2 * self.size.height // height))
        return factor, max(0, (self.size.width - factor * width) // 2)

    def render_line(self, y: int) -> Strip:
        """One line of the picture, which is drawn once and kept."""
        width, height = self.size
        key = width, height, self.has_focus
        if self._drawing is None or self._drawn_for != key:
            self._drawing, self._drawn_for = self._draw(width, height), key
        _, left = self._layout()
        strip = Strip([Segment(" " * left)], left)
        if y < len(self._drawing):
            strip = Strip.join([strip, self._drawing[y]])
        return strip.adjust_cell_length(width).apply_style(self.rich_style)

    def _draw(self, width: int, height: int) -> list[Strip]:
        codes = shades(self.picture / self.brightest, GRAYSCALE)
        codes = np.maximum(codes, GROUND)
        codes = enlarged(codes, width, height)
        lines = (codes.shape[0] + 1) // 2
        signs = np.zeros((lines, codes.shape[1]), np.uint32)
        inks = np.full(signs.shape, INK, np.int32)
        factor, _ = self._layout()
        if self.has_focus and (self.pen_down or self._last is None):
            row = min(int((self._point[0] + 0.5) * factor) // 2, lines - 1)
            column = int((self._point[1] + 0.5) * factor)
            signs[row, column] = ord("●" if self.pen_down else "+")
        strips = draw(codes, signs, inks)
        return self._with_hint(strips) if self.is_empty else strips

    @staticmethod
    def _with_hint(strips: list[Strip]) -> list[Strip]:
        style = Style(color="#b0b0b0", bgcolor="#242424")
        start = max(0, len(strips) // 4 - 1)
        for line, words in enumerate(HINT, start):
            if line < len(strips) and len(words) <= strips[line].cell_length:
                text = words.center(strips[line].cell_length)
                strips[line] = Strip([Segment(text, style)], len(text))
        return strips
