"""Images of samples with captions, halved in size where few would fit."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from textual import events
from textual.message import Message

from tui_nn.widgets.heatmap import ImageGrid

FEW = 4
GAP = 2


class Images(ImageGrid):
    """Images at full size if four of them fit, else at half of it."""

    _offered: tuple[NDArray[Any], list[str]] | None = None

    def offer(self, images: NDArray[Any], captions: list[str]) -> None:
        """Show as many of them as fit; images of shape (n, rows, columns), uint8."""
        self._offered = images, captions
        self._fit()

    @dataclass
    class Clicked(Message):
        """The image of this number was clicked."""

        index: int

    def on_click(self, event: events.Click) -> None:
        """The image under the mouse."""
        offset = event.get_content_offset(self)
        _, rows, columns = self._images.shape
        across, _ = self.fitting(*self.size)
        if offset is None:
            return
        column, row = offset.x // (columns + GAP), offset.y // ((rows + 1) // 2 + 1)
        index = row * across + column
        if column < across and index < len(self._images):
            self.post_message(self.Clicked(index))

    def on_resize(self) -> None:
        """What fits is another number now."""
        self._fit()

    def _fit(self) -> None:
        if self._offered is None:
            return
        images, captions = self._offered
        self.show(images, captions)
        columns, rows = self.fitting(*self.size)
        if columns * rows < FEW:
            self.show(halved(images), captions)


def halved(images: NDArray[Any]) -> NDArray[np.uint8]:
    """Each 2 x 2 pixels as their mean; an odd last row or column is left out."""
    n, rows, columns = images.shape
    even = images[:, : rows // 2 * 2, : columns // 2 * 2].astype(np.float64)
    means = even.reshape(n, rows // 2, 2, columns // 2, 2).mean(axis=(2, 4))
    found: NDArray[np.uint8] = np.rint(means).astype(np.uint8)
    return found
