"""Text on thin lines, both placed freely on cells."""

import re
from typing import Final

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

_BRAILLE: Final = 0x2800
# What each dot of a braille cell adds to its code point (Unicode, Braille Patterns), 4 x 2.
_DOTS: Final = np.array([[1, 8], [2, 16], [4, 32], [64, 128]], dtype=np.uint8)
_MARKED: Final = re.compile(".[\u0300-\u036f]*")
_BLANK: Final = (" ", Style.null())


class Canvas:
    """`width` x `height` cells. Text covers lines; of two lines in a cell the later gives style."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._texts: list[dict[int, tuple[str, Style]]] = [{} for _ in range(height)]
        self._dots = np.zeros((height, width), dtype=np.uint8)
        self._inks = np.zeros((height, width), dtype=np.uint8)
        self._styles: list[Style] = []

    def write(self, x: int, y: int, text: str, style: Style) -> None:
        """Put text, one cell a character (with the marks on it, as of c̃), cut at the edges."""
        if 0 <= y < self.height:
            for column, character in enumerate(_MARKED.findall(text), start=x):
                if 0 <= column < self.width:
                    self._texts[y][column] = (character, style)

    def is_free(self, x: int, y: int, width: int) -> bool:
        """Whether no text stands in these cells, all of them inside."""
        cells = range(x, x + width)
        inside = 0 <= y < self.height and x >= 0 and x + width <= self.width
        return inside and self._texts[y].keys().isdisjoint(cells)

    def line(self, x1: int, y1: int, x2: int, y2: int, style: Style, *, thickness: int = 1) -> None:
        """A line from the middle of one cell's left edge to another cell's right edge.

        `thickness` is in dots, of which a cell has four one below the other.
        """
        if style not in self._styles:
            self._styles.append(style)
        ends = np.array([[2 * x1, 4 * y1 + 1.5], [2 * x2 + 1, 4 * y2 + 1.5]])
        count = int(np.abs(ends[1] - ends[0]).max()) + 1
        column, row = np.rint(np.linspace(ends[0], ends[1], count)).astype(np.intp).T
        x = np.tile(column, thickness)
        y = np.concatenate([row + step for step in range(thickness)])
        inside = (x >= 0) & (x < 2 * self.width) & (y >= 0) & (y < 4 * self.height)
        x, y = x[inside], y[inside]
        np.bitwise_or.at(self._dots, (y // 4, x // 2), _DOTS[y % 4, x % 2])
        self._inks[y // 4, x // 2] = self._styles.index(style)

    def strips(self) -> list[Strip]:
        """The picture, a strip a line; neighbours of one style share a segment."""
        return [Strip(_segments(self._cells(y)), self.width) for y in range(self.height)]

    def _cells(self, y: int) -> list[tuple[str, Style]]:
        cells = [_BLANK] * self.width
        for x in np.flatnonzero(self._dots[y]).tolist():
            cells[x] = chr(_BRAILLE + int(self._dots[y, x])), self._styles[self._inks[y, x]]
        for x, cell in self._texts[y].items():
            cells[x] = cell
        return cells


def _segments(cells: list[tuple[str, Style]]) -> list[Segment]:
    segments: list[Segment] = []
    text, style = "", Style.null()
    for character, its_style in cells:
        if its_style is not style:
            if text:
                segments.append(Segment(text, style))
            text, style = "", its_style
        text += character
    return [*segments, Segment(text, style)]
