"""Pieces of text set one after the other into as many lines as they need."""

from collections.abc import Sequence

from rich.segment import Segment
from textual.strip import Strip


def flowed(pieces: Sequence[Strip], width: int, most: int) -> list[Strip]:
    """Lines no wider than `width`, two spaces between pieces; none is torn.

    Where they need more lines than `most`, the last one says how many pieces it leaves out.
    """
    lines: list[list[Strip]] = [[]]
    for index, piece in enumerate(pieces):
        line = lines[-1]
        if line and _width([*line, piece]) > width:
            if len(lines) == most:
                return [*map(_joined, lines[:-1]), _cut(line, len(pieces) - index, width)]
            lines.append([])
        lines[-1].append(piece)
    return [*map(_joined, lines)]


def _cut(line: list[Strip], more: int, width: int) -> Strip:
    while True:
        cut = [*line, Strip([Segment(f"+ {more} more")])]
        if _width(cut) <= width or not line:
            return _joined(cut)
        line, more = line[:-1], more + 1


def _width(line: Sequence[Strip]) -> int:
    return sum(piece.cell_length for piece in line) + 2 * (len(line) - 1)


def _joined(line: Sequence[Strip]) -> Strip:
    return Strip.join([part for piece in line for part in (piece, Strip([Segment("  ")]))][:-1])
