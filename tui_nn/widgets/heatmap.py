"""Arrays as pictures: two array rows to a line of half-block cells."""

import math
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from tui_nn.palette import DIVERGING, DIVERGING_DARK, GRAYSCALE, SEQUENTIAL, Palette
from tui_nn.widgets.plot import number

Mode = Literal["grayscale", "diverging", "sequential"]
Floats = NDArray[np.float64]

_MISSING: Final = -1  # a value that is not a number
_OUTSIDE: Final = -2  # below the last row of an array with an odd number of them
_HATCH: Final = "╱"


def half_blocks(array: ArrayLike, palette: Palette) -> list[Strip]:
    """Draw an array, one column to a cell, two rows to a strip.

    `array` has shape (rows, columns): uint8 indexes `palette` (256, 3) as it is, floats from 0 to 1
    span it (beyond, the nearer end). NaN cells are hatched.
    """
    codes = _codes(np.atleast_2d(np.asarray(array)), palette)
    if codes.shape[0] % 2:
        codes = np.pad(codes, ((0, 1), (0, 0)), constant_values=_OUTSIDE)
    top, bottom = codes[0::2], codes[1::2]
    changes = np.ones(top.shape, dtype=bool)
    changes[:, 1:] = (np.diff(top) != 0) | (np.diff(bottom) != 0)
    return [
        _strip(np.flatnonzero(row), upper, lower)
        for row, upper, lower in zip(changes, top, bottom, strict=True)
    ]


def image_grid(
    images: ArrayLike,
    columns: int,
    captions: list[str] | None = None,
    palette: Palette = GRAYSCALE,
    gap: int = 2,
) -> list[Strip]:
    """Draw images side by side, `columns` to a row, each with its caption centred below.

    `images` has shape (n, rows, columns) and values as in `half_blocks`; `gap` is in cells.
    """
    pictures = [half_blocks(image, palette) for image in np.asarray(images)]
    width = pictures[0][0].cell_length if pictures else 0
    for index, picture in enumerate(pictures):
        if captions is not None:
            picture.append(Strip([Segment(captions[index][:width].center(width))], width))
    space = Strip([Segment(" " * gap)], gap)
    blank = Strip([Segment(" " * width)], width)
    strips: list[Strip] = []
    for start in range(0, len(pictures), columns):
        row = pictures[start : start + columns]
        if strips and captions is None:
            strips.append(blank)
        strips += [
            Strip.join([part for strip in line for part in (strip, space)][:-1])
            for line in zip(*row, strict=True)
        ]
    return strips


def _codes(array: NDArray[np.generic], palette: Palette) -> NDArray[np.int32]:
    """Colours as 0xRRGGBB, or `_MISSING`; shape as the array."""
    missing = np.zeros(array.shape, dtype=bool)
    if array.dtype == np.uint8:
        index = array.astype(np.intp)
    else:
        values = array.astype(np.float64)
        missing = np.isnan(values)
        index = np.rint(np.clip(np.nan_to_num(values), 0.0, 1.0) * 255).astype(np.intp)
    packed = palette.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
    codes: NDArray[np.int32] = np.where(missing, _MISSING, packed[index]).astype(np.int32)
    return codes


def _strip(starts: NDArray[np.intp], top: NDArray[np.int32], bottom: NDArray[np.int32]) -> Strip:
    """One line, a segment for each run of equal cells."""
    lengths = np.diff(np.append(starts, top.size)).tolist()
    segments = []
    for upper, lower, length in zip(
        top[starts].tolist(), bottom[starts].tolist(), lengths, strict=True
    ):
        text, style = _cell(upper, lower)
        segments.append(Segment(text * length, style))
    return Strip(segments, top.size)


@lru_cache(maxsize=8192)
def _cell(top: int, bottom: int) -> tuple[str, Style]:
    """Character and style of a cell; the lower half shows as its background."""
    if top == _MISSING:
        lower = None if bottom < 0 else f"#{bottom:06x}"
        return _HATCH, Style(color="#808080", bgcolor=lower)
    if bottom == _MISSING:
        return _HATCH, Style(color="#808080", bgcolor=f"#{top:06x}")
    return "▀", Style(color=f"#{top:06x}", bgcolor=None if bottom == _OUTSIDE else f"#{bottom:06x}")


def enlarge(array: Floats, width: int, lines: int) -> tuple[Floats, int]:
    """Fit an array into width x lines cells: (array, factor).

    A factor of 1 or more repeats each value so often in both directions. A negative one, -k, says
    that each k x k block became its mean (NaN left out): there was no room to show every value.
    """
    rows, columns = array.shape
    factor = min(width // columns, 2 * lines // rows)
    if factor >= 1:
        return array.repeat(factor, axis=0).repeat(factor, axis=1), factor
    block = max(math.ceil(columns / width), math.ceil(rows / (2 * lines)))
    pad = ((0, -rows % block), (0, -columns % block))
    padded = np.pad(array, pad, constant_values=np.nan)
    blocks = padded.reshape(padded.shape[0] // block, block, -1, block)
    count = np.isfinite(blocks).sum(axis=(1, 3))
    total = np.where(np.isfinite(blocks), blocks, 0.0).sum(axis=(1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), -block


class Heatmap(Widget):
    """One array as a picture as large as fits, with its scale below; hovering tells a value.

    "grayscale" is for images, "diverging" is blue below 0 and orange above, equally far on both
    sides, "sequential" runs from the least value to the greatest.
    """

    DEFAULT_CSS = "Heatmap { height: 1fr; width: 1fr; }"

    array: reactive[Floats | None] = reactive(None, always_update=True)
    """Shape (rows, columns); NaN is hatched, inf takes the end of the scale."""
    mode: reactive[Mode] = reactive[Mode]("sequential")

    def __init__(
        self,
        array: ArrayLike | None = None,
        *,
        mode: Mode = "sequential",
        limits: tuple[float, float] | None = None,
        empty: str = "Nothing to show yet.",
        id: str | None = None,  # noqa: A002  Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.limits = limits
        self.empty = empty
        self._picture: list[Strip] | None = None
        self._drawn_size = (0, 0)
        self._factor = 1
        self._hovered: tuple[int, int] | None = None
        self.set_reactive(Heatmap.mode, mode)
        self.set_reactive(Heatmap.array, self.validate_array(array))

    def validate_array(self, array: ArrayLike | None) -> Floats | None:
        """Take any 2-D array of numbers."""
        if array is None:
            return None
        values = np.array(array, dtype=np.float64)
        if values.ndim != 2:
            raise ValueError(f"a heatmap shows an array of 2 dimensions (has {values.ndim})")
        return values

    def watch_array(self) -> None:
        """Draw the new one."""
        self._hovered = None
        self._picture = None

    def watch_mode(self) -> None:
        """Draw in the other colours."""
        self._picture = None

    def notify_style_update(self) -> None:
        """The theme may have changed between dark and light."""
        super().notify_style_update()
        self._picture = None

    @property
    def scale(self) -> tuple[float, float]:
        """The values at the two ends of the palette."""
        if self.limits is not None:
            return self.limits
        finite = self.array[np.isfinite(self.array)] if self.array is not None else np.empty(0)
        if not finite.size:
            return (-1.0, 1.0) if self.mode == "diverging" else (0.0, 1.0)
        low, high = float(finite.min()), float(finite.max())
        if self.mode == "diverging":
            high = max(abs(low), abs(high)) or 1.0
            low = -high
        return (low, high) if high > low else (low, low + 1.0)

    @property
    def caption(self) -> str:
        """What the hovered cell holds, else how the picture was made to fit, else nothing."""
        if self.array is None:
            return ""
        if self._hovered is not None:
            row, column = self._hovered
            value = self.array[row, column]
            text = number(value) if np.isfinite(value) else "not finite"
            return f"row {row}, column {column}: {text}"
        if self._factor < 0:
            rows, columns = self.array.shape
            return f"{rows}×{columns} shown as means of {-self._factor}×{-self._factor}"
        return ""

    def render_line(self, y: int) -> Strip:
        """One line of the picture, the scale below it."""
        width, height = self.size
        if self.array is None or not self.array.size:
            text = self.empty.center(width) if y == height // 2 else ""
            strip = Strip([Segment(text)])
        else:
            picture = self._draw(self.array, width, height - 1 if height >= 3 else height)
            strip = picture[y] if y < len(picture) else Strip([])
            if height >= 3 and y == len(picture):
                strip = self._scale_line(width)
        return strip.adjust_cell_length(width).apply_style(self.rich_style)

    def _draw(self, array: Floats, width: int, lines: int) -> list[Strip]:
        if self._picture is None or self._drawn_size != (width, lines):
            fitted, self._factor = enlarge(array, width, lines)
            low, high = self.scale
            self._picture = half_blocks((fitted - low) / (high - low), self._palette)
            self._drawn_size = (width, lines)
        return self._picture

    @property
    def _palette(self) -> Palette:
        if self.mode == "grayscale":
            return GRAYSCALE
        if self.mode == "sequential":
            return SEQUENTIAL
        return DIVERGING_DARK if self.app.current_theme.dark else DIVERGING

    def _scale_line(self, width: int) -> Strip:
        """ "-0.42 ▇▇▇ +0.42  caption": the sign stands in the text as well."""
        sign = "+" if self.mode == "diverging" else ""
        low, high = self.scale
        first, last = number(low), f"{sign}{number(high)}"
        bar = min(16, max(4, width // 4))
        ramp = half_blocks(np.linspace(0, 1, bar)[None, :].repeat(2, axis=0), self._palette)[0]
        caption = Segment(f"   {self.caption}" if self.caption else "")
        return Strip([Segment(f"{first} "), *ramp, Segment(f" {last}"), caption])

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Tell the value under the mouse: the upper half of its cell, where a cell shows two."""
        self._hover(self._under(event))

    def on_leave(self) -> None:
        """Tell nothing any more."""
        self._hover(None)

    def _hover(self, cell: tuple[int, int] | None) -> None:
        if cell != self._hovered:
            self._hovered = cell
            self.refresh()

    def _under(self, event: events.MouseEvent) -> tuple[int, int] | None:
        offset = event.get_content_offset(self)
        if offset is None or self.array is None or self._factor < 1:
            return None
        row, column = 2 * offset.y // self._factor, offset.x // self._factor
        rows, columns = self.array.shape
        return (row, column) if row < rows and column < columns else None


class ImageGrid(Widget):
    """Images with captions, as many as fit side by side and below each other."""

    DEFAULT_CSS = "ImageGrid { height: 1fr; width: 1fr; }"

    def __init__(
        self,
        *,
        empty: str = "Nothing to show yet.",
        id: str | None = None,  # noqa: A002  Textual's own name
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.empty = empty
        self._images: NDArray[np.generic] = np.empty((0, 1, 1))
        self._captions: list[str] | None = None
        self._picture: list[Strip] | None = None
        self._drawn_size = (0, 0)

    def show(self, images: ArrayLike, captions: list[str] | None = None) -> None:
        """Show images of shape (n, rows, columns), uint8 or floats from 0 (black) to 1 (white)."""
        self._images, self._captions = np.asarray(images), captions
        self._picture = None
        self.refresh()

    def fitting(self, width: int, height: int) -> tuple[int, int]:
        """(columns, rows) of images that fit whole into width x height cells, at least one each."""
        _, rows, columns = self._images.shape
        lines = (rows + 1) // 2 + 1  # a caption or an empty line below each
        return max(1, (width + 2) // (columns + 2)), max(1, (height + 1) // lines)

    def render_line(self, y: int) -> Strip:
        """One line of the picture, which is drawn once and kept."""
        width, height = self.size
        if self._picture is None or self._drawn_size != (width, height):
            columns, rows = self.fitting(width, height)
            shown = self._images[: columns * rows]
            self._picture = image_grid(shown, columns, self._captions)
            self._drawn_size = (width, height)
        if not len(self._images):
            strip = Strip([Segment(self.empty.center(width) if y == height // 2 else "")])
        else:
            strip = self._picture[y] if y < len(self._picture) else Strip([])
        return strip.adjust_cell_length(width).apply_style(self.rich_style)
