"""The weights of units as pictures: what each of them looks for in an image."""

import numpy as np
from numpy.typing import NDArray
from textual.message import Message
from textual.strip import Strip

from tui_nn.palette import DIVERGING, DIVERGING_DARK
from tui_nn.widgets.heatmap import image_grid
from tui_nn.widgets.still import Still

GAP = 2
FEW = 5  # pictures, from which on they are shown in full
SCALES = (1, 2, 4)  # pixels of a picture to one on the screen, across and down
Floats = NDArray[np.float64]


class UnitImages(Still):
    """Blue is a weight below 0, orange one above; each picture to its own greatest weight."""

    class Resized(Message):
        """There may be room for more pictures now, or for fewer."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._images: Floats = np.empty((0, 1, 1))
        self._first = 0

    def on_resize(self) -> None:
        """Whoever says how many there are is told."""
        self.post_message(self.Resized())

    @property
    def shown(self) -> int:
        """How many fit."""
        images = self._images
        return len(self._fitted(*self.size)[0]) if images.size else 0

    def show(self, images: Floats, first: int) -> None:
        """Show pictures (units, rows, columns); `first` is the number of the first unit."""
        self._images, self._first = images, first
        self.news()

    def draw(self, width: int, height: int) -> list[Strip]:
        """As many as fit, of all that were given, in the order of the units."""
        images = self._images
        if not images.size:
            return []
        small, columns = self._fitted(width, height)
        greatest = np.abs(np.nan_to_num(small)).max(axis=(1, 2), keepdims=True)
        shares = small / np.where(greatest > 0, 2 * greatest, 1) + 0.5
        captions = [f"{self._first + k + 1}" for k in range(len(small))]
        palette = DIVERGING_DARK if self.app.current_theme.dark else DIVERGING
        return image_grid(shares, columns, captions, palette, GAP)[:height]

    def _fitted(self, width: int, height: int) -> tuple[Floats, int]:
        """The pictures that fit, as large as some of them do, and how many side by side."""
        for scale in SCALES:
            small = _means(self._images, scale)
            columns, rows = _fitting(small.shape, width, height)
            if columns * rows >= min(FEW, len(small)):
                break
        return small[: columns * rows], columns


def _fitting(shape: tuple[int, ...], width: int, height: int) -> tuple[int, int]:
    _, rows, columns = shape
    return max(1, (width + GAP) // (columns + GAP)), max(1, height // ((rows + 1) // 2 + 1))


def _means(images: Floats, scale: int) -> Floats:
    """Each scale x scale pixels as their mean; what is left over at the edges is left out."""
    units, rows, columns = images.shape
    rows, columns = rows // scale, columns // scale
    cut = images[:, : rows * scale, : columns * scale]
    found: Floats = cut.reshape(units, rows, scale, columns, scale).mean(axis=(2, 4))
    return found
