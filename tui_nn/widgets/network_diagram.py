"""The network as a picture: values on its neurons, weights into and out of the chosen one."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui_nn.widgets.canvas import Canvas
from tui_nn.widgets.figures import aligned, figure
from tui_nn.widgets.moment import ERROR, NEW, OLD, H, Moment, Z

Floats = NDArray[np.float64]
LEAST_GAP = 8  # cells between two layers: a weight and a piece of line
WIDEST_GAP = 22
MANY_EDGES = 100  # from here on only those of the chosen neuron are drawn


@dataclass(frozen=True)
class Node:
    """A neuron (or input) in the picture: the lines it takes, and where its edges meet it."""

    unit: int
    top: int
    lines: tuple[str, ...]

    @property
    def middle(self) -> int:
        """The line its edges come to."""
        return self.top + len(self.lines) // 2


@dataclass(frozen=True)
class Column:
    """A layer in the picture; the name "" is the network's input."""

    layer: str
    heading: str
    nodes: tuple[Node, ...]
    more: int

    @property
    def width(self) -> int:
        """In cells."""
        lines = [len(line) for node in self.nodes for line in node.lines]
        note = len(f"⋮ {self.more} more") if self.more else 0
        return max([len(self.heading), note, *lines])


class NetworkDiagram(Widget):
    """As many layers and neurons as fit, around the chosen neuron; a click chooses another."""

    class Chosen(Message):
        """This unit of this layer is wanted."""

        def __init__(self, layer: str, unit: int) -> None:
            super().__init__()
            self.layer, self.unit = layer, unit

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "diagram--node",
        "diagram--chosen",
        "diagram--written",
        "diagram--edge",
        "diagram--path",
        "diagram--heading",
    }
    DEFAULT_CSS = """
    NetworkDiagram {
        height: 1fr; width: 1fr;
        & > .diagram--chosen { color: $text-primary; text-style: bold; }
        & > .diagram--written { background: $accent-muted; color: $text-accent; text-style: bold; }
        & > .diagram--edge { color: $foreground 30%; }
        & > .diagram--path { color: $text-primary; }
        & > .diagram--heading { color: $text-secondary; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._moment: Moment | None = None
        self._placed: list[tuple[int, Column]] = []
        self._strips: list[Strip] = []

    def show(self, moment: Moment) -> None:
        """Show a moment."""
        self._moment = moment
        self._draw()

    def on_resize(self) -> None:
        """Draw anew."""
        self._draw()

    def notify_style_update(self) -> None:
        """Colours may have changed: draw anew."""
        super().notify_style_update()
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One line of the picture, which is drawn once and kept."""
        strip = self._strips[y] if y < len(self._strips) else Strip([])
        return strip.adjust_cell_length(self.size.width).apply_style(self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Choose the neuron under the mouse."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for left, column in self._placed:
            if not column.layer or not left <= offset.x < left + column.width:
                continue
            for node in column.nodes:
                if node.top <= offset.y < node.top + len(node.lines):
                    self.post_message(self.Chosen(column.layer, node.unit))

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(
            f"diagram--{part}", partial=part not in {"node", "edge"}
        )

    def _draw(self) -> None:
        width, height = self.size
        moment = self._moment
        if moment is None or not self.is_attached or width < 1 or height < 2:
            return
        columns = place_columns(moment, width, height)
        self._placed = _spread(columns, width)
        canvas = Canvas(width, height)
        self._draw_edges(canvas, moment)
        for left, column in self._placed:
            self._draw_column(canvas, moment, left, column)
        self._draw_labels(canvas, moment)
        self._strips = canvas.strips()
        shown, total = [c.layer for c in columns if c.layer], len(moment.layers)
        notes = [f"{len(shown)} of {total} layers shown"] if len(shown) < total else []
        if any(column.more for column in columns) and moment.largest_first:
            notes.append("largest |values| shown")
        self.border_subtitle = ", ".join(notes)
        self.refresh()

    def _draw_column(self, canvas: Canvas, moment: Moment, left: int, column: Column) -> None:
        canvas.write(left, 0, column.heading, self._style("heading"))
        bottom = max((node.top + len(node.lines) for node in column.nodes), default=0)
        if column.more:
            note = f"⋮ {column.more:,} more"
            canvas.write(left, bottom, note, self._style("edge"))
        for node in column.nodes:
            chosen = (column.layer, node.unit) == (moment.view.layer, moment.view.unit)
            style = self._style("chosen" if chosen else "node")
            for y, line in enumerate(node.lines, start=node.top):
                canvas.write(left, y, line, style)
                if len(node.lines) > 3 and _just_wrote(moment, column.layer, line):
                    canvas.write(left + 1, y, line[1:-1], self._style("written"))
            if len(node.lines) <= 3 and _just_wrote(moment, column.layer, column.heading):
                line = node.lines[len(node.lines) // 2]
                canvas.write(left, node.middle, line, self._style("written"))

    def _draw_edges(self, canvas: Canvas, moment: Moment) -> None:
        chosen = moment.view.layer, moment.view.unit
        pairs = zip(self._placed, self._placed[1:], strict=False)
        for (left, source), (right, target) in pairs:
            many = len(source.nodes) * len(target.nodes) >= MANY_EDGES
            for on_path in (False, True):
                style = self._style("path" if on_path else "edge")
                for a in source.nodes:
                    for b in target.nodes:
                        touches = chosen in ((target.layer, b.unit), (source.layer, a.unit))
                        if touches == on_path and not (many and not touches):
                            start = left + source.width
                            canvas.line(start, a.middle, right - 1, b.middle, style)

    def _draw_labels(self, canvas: Canvas, moment: Moment) -> None:
        """The weights into the chosen neuron at their sources, those out of it at their ends."""
        view = moment.view
        pairs = zip(self._placed, self._placed[1:], strict=False)
        for (left, source), (right, target) in pairs:
            if target.layer == view.layer and len(view.weights) - view.has_bias > 0:
                column = NEW if np.isfinite(view.weights[:, NEW]).any() else OLD
                written = moment.weights_written[:, column].any() and column == NEW
                units = [n.unit for n in source.nodes if n.unit < len(view.weights)]
                texts = [figure(view.weights[unit, column], moment.digits) for unit in units]
                style = self._style("written" if written else "path")
                for node, text in zip(source.nodes, texts, strict=False):
                    canvas.write(left + source.width + 1, node.middle, text, style)
            elif source.layer == view.layer and target.layer in view.kernels:
                kernel = view.kernels[target.layer]
                for node in target.nodes:
                    if view.unit < len(kernel) and node.unit < kernel.shape[1]:
                        text = figure(kernel[view.unit, node.unit], moment.digits)
                        x = right - 1 - len(text)
                        canvas.write(x, node.middle, text, self._style("path"))


def _just_wrote(moment: Moment, layer: str, text: str) -> bool:
    """Whether a line (or heading) that names its value shows what was just written."""
    words = text.replace("│", " ").replace("┃", " ").split()
    names = {"z": "z", "h": "h", moment.error_sign: "error"}
    return any(layer and w in names and moment.just_wrote(layer, names[w]) for w in words)


def place_columns(moment: Moment, width: int, height: int) -> list[Column]:
    """The layers that fit side by side: the chosen one, what feeds it, what it feeds, and on."""
    layers = ["", *moment.layers]
    chosen = layers.index(moment.view.layer)
    first = last = chosen
    columns = {chosen: _column(moment, layers[chosen], height)}
    room = width - columns[chosen].width
    while True:
        for place in (first - 1, last + 1):
            if not 0 <= place < len(layers):
                continue
            column = _column(moment, layers[place], height)
            if column.width + LEAST_GAP <= room:
                columns[place] = column
                room -= column.width + LEAST_GAP
        if min(columns) == first and max(columns) == last:
            return [columns[place] for place in sorted(columns)]
        first, last = min(columns), max(columns)


def _spread(columns: list[Column], width: int) -> list[tuple[int, Column]]:
    """Columns with their left edges, evenly over the width."""
    used = sum(column.width for column in columns)
    gap = min((width - used) // max(len(columns) - 1, 1), WIDEST_GAP)
    left = max((width - used - gap * (len(columns) - 1)) // 2, 0)
    placed = []
    for column in columns:
        placed.append((left, column))
        left += column.width + gap
    return placed


def _column(moment: Moment, layer: str, height: int) -> Column:
    """One layer, as large as the height allows: boxes with z, h and error, boxes, or lines."""
    view = moment.view
    values = moment.units(layer) if layer else view.x[:, None]
    room = height - 1
    count = len(values)
    each = room // count
    details = _full(moment, layer) if layer and each >= 4 else []
    if details and each >= len(details) + 2:
        texts = [_box_lines(moment, details, values[unit]) for unit in range(count)]
        heading = layer
    else:
        errors = bool(layer) and np.isfinite(values[:, ERROR]).any()
        part = ERROR if errors else H if layer else 0
        name = (moment.error_sign if errors else "h") if layer else ""
        heading = f"{layer} {name}" if layer else "x"
        picked = _picked(moment, layer, values[:, part], room if count <= room else room - 1)
        figures = aligned(values[picked, part], moment.digits)
        if each >= 3:
            texts = [[text] for text in figures]
        else:
            return _lines_column(moment, layer, heading, picked, figures, count, room)
    inner = max(len(line) for text in texts for line in text)
    nodes = []
    for unit, text in enumerate(texts):
        lines = _boxed(text, f"{unit + 1}", inner, heavy=(layer, unit) == (view.layer, view.unit))
        top = 1 + (2 * unit + 1) * room // (2 * count) - len(lines) // 2
        nodes.append(Node(unit, max(top, 1), lines))
    return Column(layer, heading, tuple(nodes), 0)


def _lines_column(
    moment: Moment,
    layer: str,
    heading: str,
    picked: list[int],
    figures: list[str],
    count: int,
    room: int,
) -> Column:
    """A line a neuron: its number, its sign, its value."""
    chosen = moment.view.layer, moment.view.unit
    wide = max(len(str(unit + 1)) for unit in picked) if picked else 0
    nodes = []
    for place, (unit, text) in enumerate(zip(picked, figures, strict=True)):
        sign = "◉" if (layer, unit) == chosen else "○"
        line = f"{unit + 1:>{wide}} {sign} {text}"
        slot = 1 + (2 * place + 1) * room // (2 * count) if count <= room else 1 + place
        nodes.append(Node(unit, slot, (line,)))
    return Column(layer, heading, tuple(nodes), count - len(picked))


def _picked(moment: Moment, layer: str, values: Floats, room: int) -> list[int]:
    """Which units are drawn: all, else the largest or those around the chosen, it among them."""
    count, view = len(values), moment.view
    if count <= room:
        return list(range(count))
    room = max(room, 1)
    chosen = view.unit if layer == view.layer else 0
    if moment.largest_first and np.isfinite(values).any():
        sizes = np.nan_to_num(np.abs(values), nan=-1.0)
        if layer == view.layer:
            sizes[chosen] = np.inf
        return sorted(np.argsort(-sizes, kind="stable")[:room].tolist())
    first = min(max(chosen - room // 2, 0), count - room)
    return list(range(first, first + room))


def _full(moment: Moment, layer: str) -> list[tuple[str, int]]:
    details = [("h", H), (moment.error_sign, ERROR)]
    return [("z", Z), *details] if moment.has_net_input(layer) else details


def _box_lines(moment: Moment, details: list[tuple[str, int]], row: Floats) -> list[str]:
    figures = aligned([row[part] for _, part in details], moment.digits)
    return [f"{name} {text}" for (name, _), text in zip(details, figures, strict=True)]


def _boxed(text: list[str], title: str, inner: int, *, heavy: bool) -> tuple[str, ...]:
    """Lines in a frame with a title; a heavy frame is the chosen neuron's."""
    corner, across, down = (
        (("┏", "┓", "┗", "┛"), "━", "┃") if heavy else (("╭", "╮", "╰", "╯"), "─", "│")
    )
    width = max(inner + 2, len(title) + 3)
    top = f"{corner[0]}{across} {title} ".ljust(width + 1, across) + corner[1]
    middle = [f"{down} {line.ljust(width - 2)} {down}" for line in text]
    return (top, *middle, corner[2] + across * width + corner[3])
