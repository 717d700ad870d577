"""Histograms then and now, and the list of what they can be of."""

import numpy as np
from rich.text import Text
from textual.color import Color
from textual.message import Message
from textual.strip import Strip

from tui_nn.palette import class_color
from tui_nn.widgets.plot import BRAILLE, Axis, Line, log_ticks
from tui_nn.widgets.row_list import RowList
from tui_nn.widgets.still import StillPlot, ticked
from tui_nn_engine.inspection.spread import Spread

THEN = 0  # of the two rows of a histogram
NONE = 0.5  # what no count is drawn as on a logarithmic axis


class SpreadPlot(StillPlot):
    """Two histograms of one array over one range: then as ×, now as a line of steps."""

    def __init__(self, what: str, *, id: str) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._what = what
        self._counts = np.zeros((2, 0), np.int64)
        self._range = (0.0, 1.0)
        self._figures = np.zeros((2, 2))
        self._none = ""
        self._log = False

    def change_axis(self) -> None:
        """Counts as they are, or their logarithms."""
        self._log = not self._log
        self.news()

    def show(self, counts: np.ndarray, span: np.ndarray, figures: np.ndarray, none: str) -> None:
        """Counts (2, bins) over a span (low, high); `none` is said where that is not finite."""
        self._counts, self._figures = counts, figures
        self._range, self._none = (float(span[0]), float(span[1])), none
        self.news()

    def draw(self, width: int, height: int) -> list[Strip]:
        """A line of words for each time, the plot."""
        if not self._counts.size:
            return []
        if not np.isfinite(self._range).all():
            return self.words(self._what, self._none)
        then, now = (f"{mean:.3g} ± {deviation:.3g}" for mean, deviation in self._figures)
        log = "   (counts: log)" if self._log else ""
        words = self.words(self._what, f"× at the start {then}", f"— now {now}{log}")
        counts = self._counts.astype(np.float64)
        most, room = float(max(counts.max(), 1)), height - len(words)
        if self._log:
            counts = np.log10(np.maximum(counts, NONE))
            top = float(np.log10(most)) * 1.05 + 0.1
            y = Axis(np.log10(NONE), top, log_ticks(0.0, top, max(2, min(8, room // 3))))
        else:
            y = ticked(0, most * 1.05, room)
        lines = self._lines(counts, y.low)
        return [*words, *self.plot(width, height - len(words), self._range, y, lines)]

    def _lines(self, counts: np.ndarray, low: float) -> list[Line]:
        foreground = self.colors[3]
        edges = np.linspace(*self._range, self._counts.shape[1] + 1)
        colours = [Color.parse(class_color(k)).blend(foreground, 0.15) for k in (1, 4)]
        middles = (edges[:-1] + edges[1:]) / 2
        then, now = counts
        some = self._counts[THEN] > 0
        steps, heights = edges.repeat(2), np.concatenate([[low], now.repeat(2), [low]])
        joined = np.ones(len(steps), bool)
        joined[0] = False
        return [
            Line(steps, heights, joined, BRAILLE, colours[1]),
            Line(middles[some], then[some], np.zeros(int(some.sum()), bool), "×", colours[0]),
        ]


class SpreadRows(RowList):
    """The arrays of parameters, with the deviation of weights and gradients then and now; one
    number has none.
    """

    HEADING = 1

    class Chosen(Message):
        """Another array was chosen."""

    def __init__(self) -> None:
        super().__init__(id="arrays")
        self._found: Spread | None = None
        self._name_width = 8

    def show(self, found: Spread) -> None:
        """Show these arrays."""
        self._found = found
        self._name_width = max(map(len, found.names), default=8)
        row = self._current or 0
        self.set_rows(len(found.names), min(row, len(found.names) - 1))

    def choose(self, row: int) -> None:
        """Its histograms."""
        self.set_rows(self._count, row)
        self.post_message(self.Chosen())

    def heading_text(self, width: int) -> Text:  # noqa: ARG002
        """The names of the columns."""
        columns = ("w ± then", "w ± now", "∂ ± then", "∂ ± now")
        text = f"{'':<{self._name_width}} {'count':>9} {''.join(f'{c:>10}' for c in columns)}"
        return Text(text, style=self.get_component_rich_style("rows--heading"))

    def row_text(self, row: int, width: int) -> Text:  # noqa: ARG002
        """One array."""
        found = self._found
        if found is None:
            return Text()
        weights, gradients = found.figures[row, :, 1], found.figures[row, :, 3]
        several = found.sizes[row] > 1
        cells = [_figure(value) if several else "–" for value in (*weights, *gradients)]
        line = Text(
            f"{found.names[row]:<{self._name_width}} {found.sizes[row]:>9,} "
            f"{''.join(f'{cell:>10}' for cell in cells)}"
        )
        if row == self._current:
            line.stylize(self.get_component_rich_style("rows--current", partial=True))
        return line


def _figure(value: float) -> str:
    return f"{value:.3g}" if np.isfinite(value) else "·"
