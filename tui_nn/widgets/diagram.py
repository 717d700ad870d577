"""A picture of a moment of Step mode whose parts can be clicked."""

from textual.strip import Strip
from textual.widget import Widget

from tui_nn.widgets.moment import Moment


class Diagram(Widget):
    """Drawn as soon as there is another moment, so that it is known what stands where; and kept."""

    DEFAULT_CSS = "Diagram { height: 1fr; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._moment: Moment | None = None
        self._strips: list[Strip] = []

    def draw(self, moment: Moment, width: int, height: int) -> list[Strip]:
        """All of it."""
        raise NotImplementedError

    def show(self, moment: Moment) -> None:
        """Show a moment."""
        self._moment = moment
        self._draw_again()

    def on_resize(self) -> None:
        """Draw anew."""
        self._draw_again()

    def notify_style_update(self) -> None:
        """Colours may have changed: draw anew."""
        super().notify_style_update()
        self._draw_again()

    def render_line(self, y: int) -> Strip:
        """One line of the picture."""
        strip = self._strips[y] if y < len(self._strips) else Strip([])
        return strip.adjust_cell_length(self.size.width).apply_style(self.rich_style)

    def _draw_again(self) -> None:
        width, height = self.size
        if self._moment is not None and self.is_attached and width and height:
            self._strips = self.draw(self._moment, width, height)
            self.refresh()
