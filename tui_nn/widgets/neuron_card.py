"""The chosen neuron's numbers, those of the sample it sees, and the sample as a picture."""

import numpy as np
from numpy.typing import NDArray
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from tui_nn.palette import GRAYSCALE
from tui_nn.widgets.figures import aligned, figure
from tui_nn.widgets.heatmap import enlarge, half_blocks
from tui_nn.widgets.moment import ERROR, H, Moment, Z
from tui_nn.widgets.number_table import WRITTEN

Floats = NDArray[np.float64]
Line = tuple[str, str, bool]


class NeuronCard(VerticalScroll):
    """Net input, output, error of one neuron; target, prediction and loss of its sample."""

    DEFAULT_CSS = """
    NeuronCard { scrollbar-size-vertical: 1; }
    NeuronCard Static { height: auto; text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._moment: Moment | None = None
        self._lines = 0

    def compose(self) -> ComposeResult:
        """The numbers, and below them the picture."""
        yield Static()
        yield SamplePicture()

    def show(self, moment: Moment, image: Floats | None) -> None:
        """Show the chosen neuron and sample; `image` (rows, columns): the sample, if it is one."""
        self._moment = moment
        view = moment.view
        self.border_title = f"{moment.unit_name} of {view.layer}"
        self.query_one(SamplePicture).show(image)
        self._draw()

    def on_resize(self) -> None:
        """Keep the numbers at the right edge."""
        self._draw()

    def _draw(self) -> None:
        moment = self._moment
        if moment is None:
            return
        theme, width = self.app.theme_variables, self.scrollable_content_region.width - 1
        heading = f"bold {theme['text-secondary']}"
        text = Text(no_wrap=True, overflow="ellipsis")
        for name, value, marked in neuron_lines(moment):
            _append(text, name, value, width, f"bold {theme['text-accent']}" if marked else "")
        text.append(f" sample {moment.view.sample + 1} of {moment.view.batch}\n", heading)
        for name, value, marked in sample_lines(moment):
            _append(text, name, value, width, f"bold {theme['text-accent']}" if marked else "")
        text.rstrip()
        lines = text.plain.count("\n")
        self.query_one(Static).update(text, layout=lines != self._lines)
        self._lines = lines


def _append(text: Text, name: str, value: str, width: int, style: str) -> None:
    mark = WRITTEN if style else " "
    name = name[: max(width - len(value) - 2, 0)]  # the number comes first
    text.append(f"{mark}{name} {value:>{max(width - len(name) - 2, 0)}}\n", style)


def neuron_lines(moment: Moment) -> list[Line]:
    """Name, value, whether just written: of the chosen neuron."""
    layer, unit = moment.view.layer, moment.view.unit
    rows = [("output h", H, "h"), (f"error {moment.error_name(layer)}", ERROR, "error")]
    if moment.has_net_input(layer):
        rows.insert(0, ("net input z", Z, "z"))
    figures = aligned([moment.units(layer)[unit, part] for _, part, _ in rows], moment.digits)
    return [
        (name, text, moment.just_wrote(layer, part))
        for (name, _, part), text in zip(rows, figures, strict=True)
    ]


def sample_lines(moment: Moment) -> list[Line]:
    """Name, value, whether just written: of the sample and its batch."""
    view, digits = moment.view, moment.digits
    last = moment.layers[-1]
    each, mean = aligned([view.sample_loss, view.loss], digits)
    lost = "loss" in moment.written.parts
    return [
        ("target t", said(moment), False),
        ("output y", predicted(moment.prediction, digits), moment.just_wrote(last, "h")),
        ("loss E, sample", each, lost),
        (f"loss E, batch ({view.batch})", mean, lost),
    ]


def sample_summary(moment: Moment) -> str:
    """The sample in one line: what is wanted of it, what comes of it, what that costs.

    By letters, which `sample_lines` explain: it must fit above a diagram.
    """
    view, digits = moment.view, moment.digits
    parts = [f"sample {view.sample + 1}: t {said(moment)}"]
    if not np.isnan(moment.prediction).any():
        parts.append(f"y {predicted(moment.prediction, digits)}")
    if not np.isnan(view.sample_loss):
        parts.append(f"E {figure(view.sample_loss, digits)}")
    return "  ".join(parts).replace("class ", "")


def said(moment: Moment) -> str:
    """The target: a number, a class (one-hot), or the first few of many numbers.

    Without a softmax a single 1 may as well be the only label of several that applies.
    """
    target = moment.view.target
    one_hot = np.count_nonzero(target) == 1 and target.max() == 1
    if len(target) > 2 and one_hot and "softmax" in moment.listing.names:
        return f"class {int(target.argmax())}"
    return _few(target, moment.digits)


def predicted(values: Floats, digits: int) -> str:
    """A prediction: a number, the likeliest class with its share, or the first few of many."""
    if np.isnan(values).any():
        return figure(float("nan"), digits)
    if len(values) > 2 and values.min() >= 0 and abs(values.sum() - 1) < 1e-3:
        return f"class {int(values.argmax())} at {figure(float(values.max()), digits)}"
    return _few(values, digits)


def _few(values: Floats, digits: int) -> str:
    shown = ", ".join(figure(float(value), digits) for value in values[:2])
    return shown if len(values) <= 2 else f"{shown}, … ({len(values)})"


class SamplePicture(Widget):
    """A sample as a grey picture in the room that is left."""

    DEFAULT_CSS = "SamplePicture { height: 1fr; min-height: 7; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._image: Floats | None = None
        self._strips: list[Strip] = []

    def show(self, image: Floats | None) -> None:
        """Show `image` (rows, columns), or nothing at all."""
        self._image = image
        self.display = image is not None
        self._draw()

    def on_resize(self) -> None:
        """Make it as large as fits."""
        self._draw()

    def _draw(self) -> None:
        if self._image is not None and self.size.area:
            fitted, _ = enlarge(self._image, *self.size)
            low, high = float(np.nanmin(fitted)), float(np.nanmax(fitted))
            self._strips = half_blocks((fitted - low) / ((high - low) or 1.0), GRAYSCALE)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the picture, in the middle."""
        width = self.size.width
        if self._image is None or y >= len(self._strips):
            return Strip.blank(width, self.rich_style)
        strip = self._strips[y]
        margin = Strip.blank((width - strip.cell_length) // 2)
        return Strip.join([margin, strip]).adjust_cell_length(width).apply_style(self.rich_style)
