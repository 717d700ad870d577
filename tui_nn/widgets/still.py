"""What is drawn when there is news, and stays as it is until then."""

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui_nn.widgets.plot import Axis, Line, draw_plot, linear_ticks

SMALLEST = (24, 6)


class Still(Widget):
    """Strips that are drawn once for each size; `news` has them drawn again."""

    DEFAULT_CSS = "Still { width: 1fr; height: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._strips: list[Strip] | None = None
        self._drawn_size = (0, 0)

    def draw(self, width: int, height: int) -> list[Strip]:
        """All of it, at most so many strips."""
        raise NotImplementedError

    def news(self) -> None:
        """Draw it again."""
        self._strips = None
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours may have changed."""
        super().notify_style_update()
        self._strips = None

    def render_line(self, y: int) -> Strip:
        """One line of it."""
        width, height = self.size
        if self._strips is None or self._drawn_size != (width, height):
            self._strips = self.draw(width, height)
            self._drawn_size = (width, height)
        strip = self._strips[y] if y < len(self._strips) else Strip([Segment("")])
        return strip.adjust_cell_length(width).apply_style(self.rich_style)


class StillScroll(ScrollView, can_focus=True):
    """The same, to be scrolled through: as many strips as it takes for the width that there is."""

    DEFAULT_CSS = """
    StillScroll { width: 1fr; height: 1fr; overflow-x: hidden; scrollbar-size-vertical: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._strips: list[Strip] | None = None
        self._drawn_width = 0

    def draw(self, width: int) -> list[Strip]:
        """All of it."""
        raise NotImplementedError

    def news(self) -> None:
        """Draw it again."""
        self._strips = None
        self.refresh()

    def notify_style_update(self) -> None:
        """Colours may have changed."""
        super().notify_style_update()
        self._strips = None

    def render_line(self, y: int) -> Strip:
        """A line of those in view."""
        width = self.scrollable_content_region.width
        if self._strips is None or self._drawn_width != width:
            self._strips, self._drawn_width = self.draw(width), width
            height = len(self._strips)
            if self.virtual_size.height != height:
                self.call_after_refresh(self._fit, height)
        line = y + round(self.scroll_offset.y)
        strip = self._strips[line] if line < len(self._strips) else Strip([Segment("")])
        return strip.adjust_cell_length(self.size.width).apply_style(self.rich_style)

    def _fit(self, height: int) -> None:
        self.virtual_size = Size(1, height)


class StillPlot(Still):
    """A plot below lines of words."""

    def words(self, first: str, *others: str) -> list[Strip]:
        """The first line stands out."""
        lines = [Strip([Segment(first, Style(bold=True))])]
        return lines + [Strip([Segment(line)]) for line in others]

    def plot(
        self, width: int, height: int, x: tuple[float, float], y: Axis, lines: list[Line]
    ) -> list[Strip]:
        """Nothing where there is no room for a plot."""
        if width < SMALLEST[0] or height < SMALLEST[1]:
            return []
        return self.framed(width, height, across(*x, width - y.label_width), y, lines)

    def framed(self, width: int, height: int, x: Axis, y: Axis, lines: list[Line]) -> list[Strip]:
        """With frame, grid and ticks in the colours of this place."""
        _, _, background, foreground = self.colors
        return draw_plot(
            (width, height), x, y, lines,
            frame=background.blend(foreground, 0.3),
            grid=background.blend(foreground, 0.14),
            text=background.blend(foreground, 0.55),
        )  # fmt: skip


def across(low: float, high: float, width: int) -> Axis:
    """The axis below a plot that has so many columns."""
    return Axis(low, high, linear_ticks(low, high, max(2, min(10, width // 10))))


def ticked(low: float, high: float, height: int) -> Axis:
    """An axis of a plot of so many lines."""
    return Axis(low, high, linear_ticks(low, high, max(2, min(8, height // 3))))
