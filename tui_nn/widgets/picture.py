"""One picture, as large as fits."""

import numpy as np
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui_nn.widgets.pixels import Codes, draw, enlarged

NONE = np.empty((0, 0), np.int32)


class Picture(Widget):
    """Pixels 0xRRGGBB (rows, columns), repeated as often as there is room for."""

    DEFAULT_CSS = "Picture { width: 1fr; height: 1fr; }"

    def __init__(self, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._codes: Codes = NONE
        self._strips: list[Strip] | None = None
        self._drawn_size = (0, 0)

    def show(self, codes: Codes) -> None:
        """Show these pixels."""
        self._codes, self._strips = codes, None
        self.refresh()

    def clear(self) -> None:
        """Show nothing."""
        self.show(NONE)

    def render_line(self, y: int) -> Strip:
        """One line of it; what does not fit whole is not shown."""
        width, height = self.size
        if self._strips is None or self._drawn_size != (width, height):
            rows, columns = self._codes.shape
            fits = self._codes.size and columns <= width and rows <= 2 * height
            self._strips = draw(enlarged(self._codes, width, height)) if fits else []
            self._drawn_size = (width, height)
        strip = self._strips[y] if y < len(self._strips) else Strip([Segment("")])
        return strip.adjust_cell_length(width).apply_style(self.rich_style)
