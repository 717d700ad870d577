"""The loss on the straight line between two sets of weights."""

import numpy as np
from textual.color import Color
from textual.strip import Strip

from tui_nn.palette import class_color
from tui_nn.widgets.plot import BRAILLE, Axis, Line, log_ticks, number
from tui_nn.widgets.still import StillPlot, ticked
from tui_nn_engine.inspection.path import LossPath

SIGNS = (BRAILLE, "●")
WIDE = 100.0  # times the least loss, from which on the axis is logarithmic
SAME = "Both ends are the same weights: space trains, then they part."
SMALL = 0.01  # of the range of the losses: a rise of no account


class PathPlot(StillPlot):
    """Loss of the training data as a line, of the validation data as ●; the two ends as │."""

    def __init__(self) -> None:
        super().__init__()
        self._found: LossPath | None = None

    def show(self, found: LossPath) -> None:
        """Show this path."""
        self._found = found
        self.news()

    def draw(self, width: int, height: int) -> list[Strip]:
        """Words, the plot."""
        found = self._found
        if found is None:
            return []
        first, last = found.ends
        title = f"Loss on the straight line from {first} (0) to {last} (1)"
        if not found.distance:
            return self.words(title, SAME)
        parts = [
            f"{'—' if sign == BRAILLE else sign} {name} ({count:,} samples)"
            for sign, name, count in zip(SIGNS, found.parts, found.samples, strict=False)
        ]
        words = self.words(title, "   ".join(parts), _shape(found))
        finite = found.losses[np.isfinite(found.losses)]
        if not finite.size:
            return self.words(title, "The losses are not finite.")
        y, losses = _axis(found.losses, finite, height - len(words))
        ends = float(found.alphas[0]), float(found.alphas[-1])
        lines = self._lines(found, losses, y)
        return [*words, *self.plot(width, height - len(words), ends, y, lines)]

    def _lines(self, found: LossPath, losses: np.ndarray, y: Axis) -> list[Line]:
        _, _, background, foreground = self.colors
        grey = background.blend(foreground, 0.3)
        ends = np.array([y.low, y.high])
        lines = [
            Line(np.full(2, place), ends, np.array([False, True]), BRAILLE, grey)
            for place in (0.0, 1.0)
        ]
        for k, (sign, row) in enumerate(zip(SIGNS, losses, strict=False)):
            known = np.isfinite(row)
            joined = known & np.append(False, known[:-1])
            colour = Color.parse(class_color((4, 1)[k])).blend(foreground, 0.15)
            lines.append(Line(found.alphas[known], row[known], joined[known], sign, colour))
        return lines


def _axis(losses: np.ndarray, finite: np.ndarray, height: int) -> tuple[Axis, np.ndarray]:
    """The axis, and the losses as it has them: their logarithms where they span much."""
    low, high = float(finite.min()), float(finite.max())
    if low > 0 and high > WIDE * low:
        low, high = np.log10(low) - 0.05, np.log10(high) + 0.05
        with np.errstate(all="ignore"):
            return Axis(low, high, log_ticks(low, high, max(2, min(8, height // 3)))), np.log10(
                losses
            )
    margin = 0.05 * (high - low) or 0.5
    return ticked(low - margin, high + margin, height), losses


def _shape(found: LossPath) -> str:
    """In words: whether the loss falls all the way between the ends."""
    between = (found.alphas >= 0) & (found.alphas <= 1)
    losses, alphas = found.losses[0, between], found.alphas[between]
    if not np.isfinite(losses).all():
        return "Not finite somewhere between."
    ends = f"{number(float(losses[0]))} → {number(float(losses[-1]))}"
    hump = losses - np.maximum(losses[0], losses[-1])
    top = int(hump.argmax())
    span = float(np.ptp(losses))
    if hump[top] > SMALL * span:
        rise = number(float(hump[top]))
        return f"{ends}: a hump of {rise} above the higher end, at {alphas[top]:.2f}"
    if (np.diff(losses) <= SMALL * span).all():
        return f"{ends}: it falls all the way, no hump to climb over"
    return f"{ends}: no hump, but the least, {number(float(losses.min()))}, lies between the ends"
