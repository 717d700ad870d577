"""One step of a lesson: its text, its figures, its curves; or what is wrong with it."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, HorizontalScroll, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Label, Markdown, Static

from tui_nn.history import History
from tui_nn.palette import class_color, class_marker
from tui_nn.widgets.curve import Curve, Series, SeriesStyle
from tui_nn.widgets.exchange import Exchange
from tui_nn.widgets.figure_sheet import FigureGrid, FigureSheet

if TYPE_CHECKING:
    from tui_nn.lessons import Curves, Page


class StoryPage(VerticalScroll):
    """Scrolls up and down; the keys that would scroll it sideways turn pages."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "screen.turn(1)", "Next", show=False),
        Binding("left", "screen.turn(-1)", "Back", show=False),
        Binding("home", "screen.shelf", "lessons", tooltip="To the list of lessons"),
        Binding("pagedown", "screen.leaf(1)", "Page down, then next", show=False),
        Binding("pageup", "screen.leaf(-1)", "Page up, then back", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._page: Page | None = None
        self._exchange = Exchange()

    def compose(self) -> ComposeResult:
        """Title, text, figures: one below the other, or side by side where there is room."""
        yield Label(id="page-title", markup=False)
        with Container(id="page-body"):
            yield Markdown(id="page-text", open_links=False)
            yield Container(id="page-figures")

    async def show(self, page: "Page", asked: int | None) -> None:
        """Show a page; from the `asked` value on, what follows is hidden until it is answered."""
        await self._exchange(partial(self._show, page, asked))

    async def show_text(self, title: str, text: str, lines: Iterable[Content]) -> None:
        """Show words, and lines below them."""
        await self._exchange(partial(self._show_text, title, text, lines))

    async def _show(self, page: "Page", asked: int | None) -> None:
        async with self.batch():
            if page is not self._page:
                self._page = page
                await self._put_text(page.title, page.text)
            await self._put(_figures(page, asked))

    async def _show_text(self, title: str, text: str, lines: Iterable[Content]) -> None:
        self._page = None
        async with self.batch():
            await self._put_text(title, text)
            await self._put([Static(line) for line in lines])

    async def _put_text(self, title: str, text: str) -> None:
        self.query_one("#page-title", Label).update(title)
        await self.query_one(Markdown).update(text)
        self.scroll_home(animate=False)

    async def _put(self, widgets: list[Widget]) -> None:
        figures = self.query_one("#page-figures")
        self.set_class(bool(widgets), "-figures")
        await figures.remove_children()
        await figures.mount_all(widgets)


def _figures(page: "Page", asked: int | None) -> list[Widget]:
    found: list[Widget] = []
    if page.values:
        sheet = FigureSheet()
        sheet.show(page.values, asked)
        found.append(sheet)
    if asked is None:
        found += [HorizontalScroll(FigureGrid(table), classes="grid") for table in page.tables]
        found += [_curve(plot) for plot in page.plots]
    return found


def _curve(plot: "Curves") -> Curve:
    series = []
    for index, curve in enumerate(plot.curves):
        history = History()
        history.add(curve.x, curve.values)
        name = f"{curve.name} (diverged)" if curve.diverged else curve.name
        style = SeriesStyle(class_color(index), class_marker(index), smoothed=False)
        series.append(Series(name, history, style))
    drawn = Curve(series, title=plot.title, x_label=plot.over)
    drawn.log_scale = plot.log
    return drawn
