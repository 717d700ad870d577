"""Pictures in any colours, two pixels to a cell, with signs on top."""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui_nn.palette import Palette

Codes = NDArray[np.int32]
NOTHING: Final = -1  # a pixel that lets the screen through

_SHIFTS: Final = np.array([1 << 16, 1 << 8, 1], dtype=np.int32)


def colour_code(colour: str) -> int:
    """0xRRGGBB of "#rrggbb"."""
    return int(colour[1:], 16)


def shades(values: NDArray[np.floating], palette: Palette, steps: int = 64) -> Codes:
    """Colours 0xRRGGBB for values from 0 to 1, of `steps` different ones; NaN: `NOTHING`.

    Fewer colours make longer runs of equal cells, and these are what drawing costs.
    """
    table = (palette.astype(np.int32) @ _SHIFTS)[np.linspace(0, 255, steps).round().astype(int)]
    index = np.nan_to_num(np.clip(values, 0.0, 1.0)) * (steps - 1)
    codes = table[np.rint(index).astype(np.intp)]
    return np.where(np.isnan(values), NOTHING, codes).astype(np.int32)


def mixed(colours: Codes, share: NDArray[np.floating], ground: int, steps: int = 24) -> Codes:
    """`colours` over `ground`, each by its share from 0 to 1, in so many steps; any one shape."""
    part = np.rint(np.clip(share, 0, 1) * (steps - 1)) / (steps - 1)
    out = np.zeros(colours.shape, dtype=np.int32)
    for shift in (16, 8, 0):
        one = (colours >> shift) & 255
        other = (ground >> shift) & 255
        out |= np.rint(other + (one - other) * part).astype(np.int32) << shift
    return out


def enlarged(codes: Codes, width: int, lines: int) -> Codes:
    """Each pixel repeated as often, across and down alike, as fits into width x lines cells."""
    factor = max(1, min(width // codes.shape[1], 2 * lines // codes.shape[0]))
    return codes.repeat(factor, axis=0).repeat(factor, axis=1)


def draw(
    codes: Codes,
    signs: NDArray[np.uint32] | None = None,
    inks: Codes | None = None,
) -> list[Strip]:
    """Draw pixels (rows, columns), two rows to a line.

    `signs` and `inks` (lines, columns) are code points, 0 for none, and their colours: a sign
    takes its cell, on the colour of the upper pixel.
    """
    if codes.shape[0] % 2:
        codes = np.pad(codes, ((0, 1), (0, 0)), constant_values=NOTHING)
    top, bottom = codes[0::2], codes[1::2]
    if signs is not None and inks is not None:
        signed = signs > 0
        bottom = np.where(signed, inks, bottom)
    else:
        signs = np.zeros(top.shape, np.uint32)
    changes = np.ones(top.shape, dtype=bool)
    changes[:, 1:] = (np.diff(top) != 0) | (np.diff(bottom) != 0) | (np.diff(signs) != 0)
    return [
        _strip(np.flatnonzero(row), *rows)
        for row, *rows in zip(changes, top, bottom, signs, strict=True)
    ]


def _strip(starts: NDArray[np.intp], top: Codes, bottom: Codes, signs: Codes) -> Strip:
    lengths = np.diff(np.append(starts, top.size)).tolist()
    cells = zip(
        top[starts].tolist(), bottom[starts].tolist(), signs[starts].tolist(), lengths, strict=True
    )
    segments = []
    for upper, lower, sign, length in cells:
        text, style = _cell(upper, lower, sign)
        segments.append(Segment(text * length, style))
    return Strip(segments, top.size)


@lru_cache(maxsize=16384)
def _cell(top: int, bottom: int, sign: int) -> tuple[str, Style]:
    """Character and style; of a sign, `bottom` is its colour."""
    colours = [None if code == NOTHING else f"#{code:06x}" for code in (top, bottom)]
    if sign:
        return chr(sign), Style(color=colours[1], bgcolor=colours[0], bold=True)
    if top == bottom:
        return " ", Style(bgcolor=colours[0])
    if top == NOTHING:
        return "▄", Style(color=colours[1])
    return "▀", Style(color=colours[0], bgcolor=colours[1])
