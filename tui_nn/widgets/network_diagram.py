"""The network as a picture: values on its neurons, weights on its connections."""

from collections.abc import Iterator
from typing import ClassVar, NamedTuple

import numpy as np
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui_nn.widgets.canvas import Canvas
from tui_nn.widgets.diagram import Diagram
from tui_nn.widgets.figures import figure
from tui_nn.widgets.moment import NEW, OLD, Moment
from tui_nn.widgets.network_columns import Column, place_columns, spread
from tui_nn.widgets.spotlight import Edge, Spotlight, Unit, spotlight

MANY_EDGES = 100  # from here on only those of the chosen neuron are drawn
FEW_EDGES = 12  # up to here all between two layers can have their weights written on them
_ALONG = (0.3, 0.5, 0.7, 0.4, 0.6, 0.2, 0.8)  # where on a connection its weight may stand


class Connection(NamedTuple):
    """An edge in the picture: from the cell (x1, y1) to (x2, y2)."""

    edge: Edge
    x1: int
    y1: int
    x2: int
    y2: int
    way: tuple[int, int, int] | None = None
    """Where it passes other layers: along which row, from which column to which."""


class Label(NamedTuple):
    """A weight in the picture."""

    edge: Edge
    x: int
    y: int
    text: str


class NetworkDiagram(Diagram):
    """As many layers and neurons as fit, around the chosen neuron; a click chooses another."""

    class Chosen(Message):
        """This unit of this layer is wanted."""

        def __init__(self, layer: str, unit: int) -> None:
            super().__init__()
            self.layer, self.unit = layer, unit

    class WeightChosen(Message):
        """The weight from this input into this unit of this layer is wanted."""

        def __init__(self, layer: str, unit: int, source: int) -> None:
            super().__init__()
            self.layer, self.unit, self.source = layer, unit, source

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "diagram--node",
        "diagram--chosen",
        "diagram--written",
        "diagram--edge",
        "diagram--path",
        "diagram--lit",
        "diagram--weight",
        "diagram--heading",
    }
    DEFAULT_CSS = """
    NetworkDiagram {
        & > .diagram--chosen { color: $text-primary; text-style: bold; }
        & > .diagram--written { background: $accent-muted; color: $text-accent; text-style: bold; }
        & > .diagram--edge { color: $foreground 30%; }
        & > .diagram--path { color: $text-primary; }
        & > .diagram--lit { color: $text-accent; text-style: bold; }
        & > .diagram--weight { background: $primary-muted; color: $text-primary; text-style: bold; }
        & > .diagram--heading { color: $text-secondary; text-style: bold; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._placed: list[tuple[int, Column]] = []
        self._labels: list[Label] = []

    def on_click(self, event: events.Click) -> None:
        """Choose the neuron or the weight under the mouse; an input means the weight from it."""
        offset, moment = event.get_content_offset(self), self._moment
        if offset is None or moment is None:
            return
        for label in self._labels:
            if label.y == offset.y and label.x <= offset.x < label.x + len(label.text):
                (_, source), (layer, unit) = label.edge
                self.post_message(self.WeightChosen(layer, unit, source))
                return
        for left, column in self._placed:
            if not left <= offset.x < left + column.width:
                continue
            for node in column.nodes:
                if not node.top <= offset.y < node.top + len(node.lines):
                    continue
                if column.layer:
                    self.post_message(self.Chosen(column.layer, node.unit))
                elif not moment.before:
                    view = moment.view
                    self.post_message(self.WeightChosen(view.layer, view.unit, node.unit))

    def _style(self, part: str) -> Style:
        return self.get_component_rich_style(
            f"diagram--{part}", partial=part not in {"node", "edge"}
        )

    def draw(self, moment: Moment, width: int, height: int) -> list[Strip]:
        """Columns of neurons, lines for the weights between them."""
        if height < 2:
            return []
        self._placed = spread(place_columns(moment, width, height), width)
        self._labels = []
        canvas, light = Canvas(width, height), spotlight(moment)
        edges = self._connections(moment)
        ranks = {line.edge: _rank(moment, light, line.edge) for line in edges}
        self._draw_edges(canvas, edges, ranks)
        lit = {unit for edge, rank in ranks.items() if rank == LIT for unit in edge}
        for left, column in self._placed:
            self._draw_column(canvas, moment, left, column, lit)
            _draw_mark(canvas, moment, left, column, light, self._style("lit"))
        for _, column in self._placed:
            into = [line for line in edges if line.edge[1][0] == column.layer]
            self._draw_labels(canvas, moment, into, ranks)
        columns = [column for _, column in self._placed]
        shown, total = [c.layer for c in columns if c.layer], len(moment.layers)
        notes = [f"{len(shown)} of {total} layers shown"] if len(shown) < total else []
        notes += [f"{layer} is fed by {names}, too" for layer, names in _unseen(moment, columns)]
        if any(column.more for column in columns) and moment.largest_first:
            notes.append("largest |values| shown")
        self.border_subtitle = ", ".join(notes)
        return canvas.strips()

    def _draw_column(
        self, canvas: Canvas, moment: Moment, left: int, column: Column, lit: set[Unit]
    ) -> None:
        canvas.write(left, column.top, column.heading, self._style("heading"))
        bottom = max((node.top + len(node.lines) for node in column.nodes), default=0)
        if column.more:
            note = f"⋮ {column.more:,} more"
            canvas.write(left, bottom, note, self._style("edge"))
        for node in column.nodes:
            unit = column.layer, node.unit
            chosen = unit == (moment.view.layer, moment.view.unit)
            style = self._style("chosen" if chosen else "lit" if unit in lit else "node")
            for y, line in enumerate(node.lines, start=node.top):
                canvas.write(left, y, line, style)
                if len(node.lines) > 3 and _just_wrote(moment, column.layer, line):
                    canvas.write(left + 1, y, line[1:-1], self._style("written"))
            if len(node.lines) <= 3 and _just_wrote(moment, column.layer, column.heading):
                line = node.lines[len(node.lines) // 2]
                canvas.write(left, node.middle, line, self._style("written"))

    def _connections(self, moment: Moment) -> list[Connection]:
        """All between the neurons drawn; a layer without weights passes units on one by one."""
        drawn = {column.layer: (left, column) for left, column in self._placed}
        found = []
        for right, target in self._placed:
            sources = moment.layout.sources.get(target.layer, ())
            shown = [drawn.get(source) for source in sources]
            if moment.is_weighted(target.layer):
                inputs = [a.unit for a in shown[0][1].nodes] if shown[0] else []
                pairs = [(0, a, b.unit) for a in inputs for b in target.nodes]
            else:
                pairs = list(moment.passes(target.layer)) if target.layer else []
            ends = {node.unit: node for node in target.nodes}
            for place, unit, made in pairs:
                start = shown[place]
                if start is None or made not in ends:
                    continue
                left, source = start
                a = next((node for node in source.nodes if node.unit == unit), None)
                if a is not None:
                    edge = (source.layer, unit), (target.layer, made)
                    x1, x2 = left + source.width, right - 1
                    way = self._way(moment, target.layer, place, source, a.unit)
                    found.append(Connection(edge, x1, a.middle, x2, ends[made].middle, way))
        return found

    def _way(
        self, moment: Moment, join: str, branch: int, source: Column, unit: int
    ) -> tuple[int, int, int] | None:
        """Around the layers between, where the source of a join is not right before it."""
        ranks = moment.layout.ranks
        between = range(ranks[source.layer] + 1, ranks[join])
        passed = [(left, one) for left, one in self._placed if ranks[one.layer] in between]
        if not passed:
            return None
        units = [node.unit for node in source.nodes]
        lane = moment.layout.way(join, branch)
        row = lane.middle(self.size.height, units.index(unit), len(units))
        return row, min(left for left, _ in passed), max(left + one.width for left, one in passed)

    def _draw_edges(
        self, canvas: Canvas, connections: list[Connection], ranks: dict[Edge, int]
    ) -> None:
        """Thin ones, those of the chosen neuron in colour, thick what the explained comes from."""
        many = len(connections) >= MANY_EDGES
        for rank, part in ((REST, "edge"), (TOUCHING, "path"), (LIT, "lit")):
            if rank == REST and many:
                continue
            style, thickness = self._style(part), 2 if rank == LIT and not many else 1
            for line in connections:
                if ranks[line.edge] == rank:
                    for ends in _pieces(line):
                        canvas.line(*ends, style, thickness=thickness)

    def _draw_labels(
        self, canvas: Canvas, moment: Moment, into: list[Connection], ranks: dict[Edge, int]
    ) -> None:
        """Weights into one layer: all of them if there are few, else those of the chosen neuron."""
        texts = {line.edge: _weight(moment, line.edge) for line in into}
        few = len(into) <= FEW_EDGES
        lines = [c for c in into if texts[c.edge] and (few or ranks[c.edge] != REST)]
        lines.sort(key=lambda line: -ranks[line.edge])
        labels = _along(canvas, lines, texts) if few else None
        if labels is None:  # crowded: only those of the chosen, where its lines do not meet
            chosen = moment.view.layer, moment.view.unit
            labels = [
                label
                for line in lines
                if chosen in line.edge
                and (label := _at_an_end(line, texts[line.edge], at_target=line.edge[0] == chosen))
                and canvas.is_free(label.x, label.y, len(label.text))
            ]
        view = moment.view
        followed = (moment.before, view.source), (view.layer, view.unit)
        for label in labels:
            rank, new = ranks[label.edge], moment.just_wrote(label.edge[1][0], "new")
            part = ("edge", "path", "lit")[rank]
            part = "weight" if label.edge == followed else "written" if new else part
            canvas.write(label.x, label.y, label.text, self._style(part))
        self._labels += labels


def _unseen(moment: Moment, columns: list[Column]) -> Iterator[tuple[str, str]]:
    """Layers that stand behind others which feed them, and what feeds them without being shown."""
    shown = [column.layer for column in columns]
    for layer in filter(None, shown):
        sources = moment.layout.sources[layer]
        hidden = [source or "the input" for source in sources if source not in shown]
        if 0 < len(hidden) < len(sources):
            yield layer, ", ".join(hidden)


def _pieces(line: Connection) -> list[tuple[int, int, int, int]]:
    """The straight lines it is drawn with."""
    if line.way is None:
        return [(line.x1, line.y1, line.x2, line.y2)]
    y, left, right = line.way
    return [(line.x1, line.y1, left, y), (left, y, right, y), (right, y, line.x2, line.y2)]


REST, TOUCHING, LIT = range(3)


def _rank(moment: Moment, light: Spotlight | None, edge: Edge) -> int:
    """How much an edge matters: not, as one of the chosen neuron, for what is explained."""
    view = moment.view
    chosen = view.layer, view.unit
    if light is not None:
        followed = edge == ((moment.before, view.source), chosen)
        comes_from = (light.into and edge[1] == light.unit) or (light.out and edge[0] == light.unit)
        if comes_from or (not light.value and followed):
            return LIT
    return TOUCHING if chosen in edge else REST


def _weight(moment: Moment, edge: Edge) -> str:
    """What stands on an edge; "" where it is not known."""
    (_, source), (layer, unit) = edge
    view = moment.view
    kernel = view.kernels.get(layer)
    if kernel is not None:
        known = source < len(kernel) and unit < kernel.shape[1]
        return figure(float(kernel[source, unit]), moment.digits) if known else ""
    if (layer, unit) != (view.layer, view.unit) or source >= moment.inputs:
        return ""
    new = view.weights[source, NEW]
    return figure(float(view.weights[source, OLD] if np.isnan(new) else new), moment.digits)


def _along(canvas: Canvas, lines: list[Connection], texts: dict[Edge, str]) -> list[Label] | None:
    """Each weight somewhere on its line, a cell apart from the others; None: there is no room."""
    labels: list[Label] = []
    for line in lines:
        text = texts[line.edge]
        for share in _ALONG:
            x = round(line.x1 + share * (line.x2 - line.x1) - len(text) / 2)
            y = round(line.y1 + share * (line.y2 - line.y1))
            apart = all(
                y != other.y or x > other.x + len(other.text) or other.x > x + len(text)
                for other in labels
            )
            if apart and line.x1 < x <= line.x2 - len(text) and canvas.is_free(x, y, len(text)):
                labels.append(Label(line.edge, x, y, text))
                break
        else:
            return None
    return labels


def _at_an_end(line: Connection, text: str, *, at_target: bool) -> Label:
    """At the target of the lines that leave one neuron, at the source of those that meet in one."""
    if at_target:
        return Label(line.edge, line.x2 - len(text), line.y2, text)
    return Label(line.edge, line.x1 + 1, line.y1, text)


def _draw_mark(
    canvas: Canvas,
    moment: Moment,
    left: int,
    column: Column,
    light: Spotlight | None,
    style: Style,
) -> None:
    """› before the explained value."""
    if light is None or not light.value or light.unit[0] != column.layer:
        return
    name = moment.error_sign if light.value == "error" else light.value
    for node in column.nodes:
        if node.unit != light.unit[1]:
            continue
        if len(node.lines) <= 3:
            canvas.write(left - 1, node.middle, "›", style)
        for y, line in enumerate(node.lines, start=node.top):
            if line[1:].split()[:1] == [name]:
                canvas.write(left + 1, y, "›", style)


def _just_wrote(moment: Moment, layer: str, text: str) -> bool:
    """Whether a line (or heading) that names its value shows what was just written."""
    words = text.replace("│", " ").replace("┃", " ").split()
    names = {"z": "z", "h": "h", moment.error_sign: "error"}
    return any(layer and w in names and moment.just_wrote(layer, names[w]) for w in words)
