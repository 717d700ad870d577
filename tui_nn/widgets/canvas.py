"""Text and thin lines placed freely on cells."""

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

_BRAILLE = 0x2800
# What each dot of a braille cell adds to its code point (Unicode, Braille Patterns), 4 x 2.
_DOTS = ((1, 8), (2, 16), (4, 32), (64, 128))


class Canvas:
    """`width` x `height` cells. What is drawn later covers what was there, dots of lines add up."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        blank = (" ", Style.null())
        self._cells: list[list[tuple[str, Style]]] = [[blank] * width for _ in range(height)]
        self._dots = np.zeros((height, width), dtype=np.uint8)

    def write(self, x: int, y: int, text: str, style: Style) -> None:
        """Put text, one cell a character, cut at the edges."""
        if 0 <= y < self.height:
            for column, character in enumerate(text, start=x):
                if 0 <= column < self.width:
                    self._cells[y][column] = (character, style)

    def line(self, x1: int, y1: int, x2: int, y2: int, style: Style) -> None:
        """A thin line from the middle of one cell's left edge to another cell's right edge."""
        ends = np.array([[2 * x1, 4 * y1 + 1.5], [2 * x2 + 1, 4 * y2 + 1.5]])
        count = int(np.abs(ends[1] - ends[0]).max()) + 1
        dots = np.rint(np.linspace(ends[0], ends[1], count)).astype(int).tolist()
        for x, y in dots:
            column, row = x // 2, y // 4
            if 0 <= column < self.width and 0 <= row < self.height:
                self._dots[row, column] |= _DOTS[y % 4][x % 2]
                self._cells[row][column] = (chr(_BRAILLE + int(self._dots[row, column])), style)

    def strips(self) -> list[Strip]:
        """The picture, a strip a line; neighbours of one style share a segment."""
        return [Strip(_segments(row), self.width) for row in self._cells]


def _segments(row: list[tuple[str, Style]]) -> list[Segment]:
    segments: list[Segment] = []
    text, style = "", Style.null()
    for character, its_style in row:
        if its_style is not style:
            if text:
                segments.append(Segment(text, style))
            text, style = "", its_style
        text += character
    return [*segments, Segment(text, style)]
