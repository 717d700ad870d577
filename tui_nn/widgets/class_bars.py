"""What a network says of one sample: a bar for each class, the greatest marked."""

import numpy as np
from numpy.typing import NDArray
from rich.text import Text
from textual.widget import Widget

from tui_nn.palette import class_color
from tui_nn.widgets.plot import number

EIGHTHS = " ▏▎▍▌▋▊▉█"
Floats = NDArray[np.float64]


class ClassBars(Widget):
    """Bars in percent where the outputs are probabilities, else the outputs as they are."""

    DEFAULT_CSS = "ClassBars { width: 1fr; height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._names: tuple[str, ...] = ()
        self._values: Floats = np.empty(0)
        self._truth = -1
        self._empty = ""

    def show(self, names: tuple[str, ...], values: Floats, truth: int = -1) -> None:
        """Show values (classes,); `truth` is the class it is in truth, where that is known."""
        self._names, self._values, self._truth = names, values, truth
        self.refresh()

    def clear(self, why: str) -> None:
        """Show these words instead."""
        self._values, self._empty = np.empty(0), why
        self.refresh()

    @property
    def leading(self) -> str:
        """The name of the class with the greatest value, or ""."""
        values = self._values
        return self._names[int(values.argmax())] if values.size else ""

    def render(self) -> Text:
        """A line a class, with air between them where there is room; the best of too many."""
        values, height = self._values, self.size.height
        if not values.size:
            return Text(self._empty, style="dim")
        likely = bool((values >= -1e-6).all() and abs(values.sum() - 1) < 1e-3)
        order = np.arange(values.size)
        if values.size > height:
            order = np.sort(np.argsort(-values, kind="stable")[: max(height - 1, 1)])
        width = max(len(self._names[k]) for k in order)
        lines = [self._line(k, min(width, 16), likely=likely) for k in order.tolist()]
        air = "\n\n" if 2 * len(lines) - 1 <= height else "\n"
        if len(order) < values.size and height > 1:
            lines.append(Text(f"the {len(order)} greatest of {values.size} classes", style="dim"))
        return Text(air).join(lines)

    def _line(self, k: int, width: int, *, likely: bool) -> Text:
        value = float(self._values[k])
        says = f"{value:7.1%}" if likely else f"{number(value):>9}"
        room = max(self.size.width - width - len(says) - 6, 4)
        scale = 1.0 if likely else float(np.abs(self._values).max()) or 1.0
        share = min(abs(value) / scale, 1.0) if np.isfinite(value) else 0.0
        eighths = round(share * room * 8)
        bar = "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
        best = k == int(self._values.argmax())
        sign = "▶" if best else " "
        truth = "✓" if k == self._truth else " "
        line = Text(
            f"{sign}{truth}{self._names[k][:width]:>{width}} ", style="bold" if best else ""
        )
        line.append(bar.ljust(room), style=class_color(1 if best else 0))
        return line.append(f" {says}")


def by_class(outputs: Floats, *, bipolar: bool) -> Floats:
    """A value a class, (classes,): a single output stands for the second of two."""
    if outputs.size != 1:
        return outputs
    share = (outputs[0] + 1) / 2 if bipolar else outputs[0]
    return np.array([1 - share, share])
