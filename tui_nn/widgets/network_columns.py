"""Where the neurons of a network stand in its picture: layers side by side, as many as fit."""

from dataclasses import dataclass, replace

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
    """A layer in the picture, from the row `top` down; the name "" is the network's input."""

    layer: str
    heading: str
    nodes: tuple[Node, ...]
    more: int
    top: int = 0

    @property
    def width(self) -> int:
        """In cells."""
        lines = [len(line) for node in self.nodes for line in node.lines]
        note = len(f"⋮ {self.more} more") if self.more else 0
        return max([len(self.heading), note, *lines])

    def lowered(self, rows: int) -> "Column":
        """The same, so many rows further down."""
        nodes = tuple(replace(node, top=node.top + rows) for node in self.nodes)
        return replace(self, nodes=nodes, top=self.top + rows)


Stack = tuple[Column, ...]
"""Layers one below the other, in the branches they are in."""


def place_columns(moment: Moment, width: int, height: int) -> list[Stack]:
    """The layers that fit side by side: the chosen one, what feeds it, what it feeds, and on."""
    layout = moment.layout
    last_rank = max(layout.ranks.values())
    first = last = layout.ranks[moment.view.layer]
    stacks = {first: _stack(moment, first, height)}
    room = width - _width(stacks[first])
    while True:
        for rank in (first - 1, last + 1):
            if not 0 <= rank <= last_rank:
                continue
            stack = _stack(moment, rank, height)
            if _width(stack) + LEAST_GAP <= room:
                stacks[rank] = stack
                room -= _width(stack) + LEAST_GAP
        if min(stacks) == first and max(stacks) == last:
            return [stacks[rank] for rank in sorted(stacks)]
        first, last = min(stacks), max(stacks)


def spread(stacks: list[Stack], width: int) -> list[tuple[int, Column]]:
    """Columns with their left edges, the stacks evenly over the width."""
    used = sum(map(_width, stacks))
    gap = min((width - used) // max(len(stacks) - 1, 1), WIDEST_GAP)
    left = max((width - used - gap * (len(stacks) - 1)) // 2, 0)
    placed = []
    for stack in stacks:
        placed += [(left, column) for column in stack]
        left += _width(stack) + gap
    return placed


def _stack(moment: Moment, rank: int, height: int) -> Stack:
    """All layers that are as far from the input, each in its lane."""
    columns = []
    for layer, its_rank in moment.layout.ranks.items():
        if its_rank == rank:
            top, rows = moment.layout.lanes[layer].rows(height)
            columns.append(_column(moment, layer, rows).lowered(top))
    return tuple(columns)


def _width(stack: Stack) -> int:
    return max(column.width for column in stack)


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
