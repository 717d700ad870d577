"""Where the neurons of a network stand in its picture: layers side by side, as many as fit."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_nn.widgets.figures import aligned
from tui_nn.widgets.moment import ERROR, H, Moment, Z

Floats = NDArray[np.float64]
LEAST_GAP = 6  # cells between two layers: a short weight
WIDEST_GAP = 24


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


def spread(columns: list[Column], width: int) -> list[tuple[int, Column]]:
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
        errors = bool(layer) and moment.looks_back and np.isfinite(values[:, ERROR]).any()
        part = ERROR if errors else H if layer else 0
        name = (moment.error_sign if errors else "h") if layer else ""
        heading = f"{layer} {name}" if layer else "x"
        picked = _picked(moment, layer, values[:, part], room if count <= room else room - 1)
        figures = aligned(values[picked, part], moment.digits)
        if each >= 3 and layer:
            texts = [[text] for text in figures]
        else:
            return _lines_column(moment, layer, heading, picked, figures, count, room)
    inner = max(len(line) for text in texts for line in text)
    nodes = []
    for unit, text in enumerate(texts):
        heavy = (layer, unit) == (view.layer, view.unit)
        lines = _boxed(text, f"{moment.number(layer, unit)}", inner, heavy=heavy)
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
    numbers = [moment.number(layer, unit) for unit in picked]
    wide = max((len(str(number)) for number in numbers), default=0)
    nodes = []
    for place, (unit, text) in enumerate(zip(picked, figures, strict=True)):
        sign = "◉" if (layer, unit) == chosen else "○"
        line = f"{numbers[place]:>{wide}} {sign} {text}"
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
    width = max(inner + 1, len(title) + 3)
    top = f"{corner[0]}{across} {title} ".ljust(width + 1, across) + corner[1]
    middle = [f"{down} {line.ljust(width - 1)}{down}" for line in text]
    return (top, *middle, corner[2] + across * width + corner[3])
