"""The receiver operating characteristic: what is found against what is raised in error."""

import numpy as np
from textual.binding import Binding
from textual.color import Color
from textual.strip import Strip

from tui_nn.palette import class_color
from tui_nn.widgets.plot import BRAILLE, Line, number
from tui_nn.widgets.still import StillPlot, ticked
from tui_nn_engine.inspection.roc import Roc

EDGE = (-0.02, 1.02)
AXES = "up: finds (true positive rate), right: false alarms (false positive rate)"


class RocPlot(StillPlot, can_focus=True):
    """The curve, the diagonal of chance, where the network decides (◆) and a cursor (×)."""

    BINDINGS = [
        Binding("left", "move(-1)", "Higher threshold", key_display="←→"),
        Binding("right", "move(1)", "Lower threshold", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: Roc | None = None
        self._name = ""
        self._cursor = -1

    def show(self, found: Roc, name: str) -> None:
        """Show this curve of the class of that name."""
        self._found, self._name = found, name
        self._cursor = min(self._cursor, len(found.thresholds) - 1)
        self.news()

    def action_move(self, direction: int) -> None:
        """The next point of the curve."""
        if self._found is not None:
            last = len(self._found.thresholds) - 1
            start = self._cursor if self._cursor >= 0 else last // 2 - direction
            self._cursor = min(max(start + direction, 0), last)
            self.news()

    def draw(self, width: int, height: int) -> list[Strip]:
        """Four lines of words, the plot."""
        found = self._found
        if found is None:
            return []
        title = f"ROC of {self._name} against the rest ({found.positives:,} of "
        title += f"{found.samples:,} samples, {found.part})"
        if not np.isfinite(found.area):
            why = "The curve needs samples of the class and of others: p takes other data."
            return self.words(title, why)
        area = f"area under it (AUC) {found.area:.4f}: 1 is perfect, 0.5 is chance"
        words = self.words(title, area, self._about(found), AXES)
        y = ticked(*EDGE, height - len(words))
        lines = self._lines(found)
        return [*words, *self.plot(width, height - len(words), EDGE, y, lines)]

    def _about(self, found: Roc) -> str:
        if self._cursor < 0:
            false, true = found.at
            return f"◆ as it decides: finds {true:.1%}, false alarms {false:.1%}"
        k = self._cursor
        at = number(float(found.thresholds[k])) if k else "∞"
        rates = f"finds {found.true_positive[k]:.1%}, false alarms {found.false_positive[k]:.1%}"
        return f"× from output {at} on: {rates}"

    def _lines(self, found: Roc) -> list[Line]:
        _, _, background, foreground = self.colors
        ends, joined = np.array([0.0, 1.0]), np.array([False, True])
        curve = np.ones(len(found.thresholds), bool)
        curve[0] = False
        colours = [Color.parse(class_color(k)).blend(foreground, 0.15) for k in (4, 1, 5)]
        lines = [
            Line(ends, ends, joined, BRAILLE, background.blend(foreground, 0.35)),
            Line(found.false_positive, found.true_positive, curve, BRAILLE, colours[0]),
        ]
        marks = [(*found.at, "◆", colours[1])]
        if self._cursor >= 0:
            k = self._cursor
            place = float(found.false_positive[k]), float(found.true_positive[k])
            marks.append((*place, "×", colours[2]))
        one = np.zeros(1, bool)
        for x, y, sign, colour in marks:
            lines.append(Line(np.array([x]), np.array([y]), one, sign, colour))
        return lines
