"""The program of an update as a tree: phases, layers, operations; marks at the next and the last.

The tree has a cursor of its own, to look at any operation without moving the update's place.
"""

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.message import Message

from tui_nn.widgets.moment import Moment
from tui_nn.widgets.row_list import RowList
from tui_nn_engine.stepping.stepview import Listing

NEXT, DONE, END = "▶", "✓", "■"
EXPLAINED = "›"
NAME_WIDTH = 15


@dataclass(frozen=True)
class Group:
    """A phase, a layer in it, or a part of one: the operations from `first` to before `last`."""

    key: tuple[str, ...]
    label: str
    depth: int
    first: int
    last: int

    @property
    def is_time_step(self) -> bool:
        """Whether it is one of many: its layer at one time step."""
        return self.label.startswith("t=")


@dataclass(frozen=True)
class Leaf:
    """An operation; the one after the last is the end."""

    index: int
    depth: int


Row = Group | Leaf


class OperationTree(RowList):
    """All operations in order, ✓ done, ▶ next, › explained; what is folded says how far it is."""

    class Looked(Message):
        """This operation is to be explained."""

        def __init__(self, operation: int) -> None:
            super().__init__()
            self.operation = operation

    class Wanted(Message):
        """Step on or back until so many operations are done."""

        def __init__(self, cursor: int) -> None:
            super().__init__()
            self.cursor = cursor

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tree--cursor"}
    DEFAULT_CSS = "OperationTree > .tree--cursor { background: $panel; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Operation above", show=False, tooltip="Explains it"),
        Binding("down", "move(1)", "Operation below", show=False, tooltip="Explains it"),
        Binding("enter", "enter", "Go there", show=False, tooltip="Steps until it is just done"),
        Binding("left", "fold", "Fold", show=False),
        Binding("right", "unfold", "Unfold", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._listing: Listing | None = None
        self._all: list[Row] = []
        self._rows: list[Row] = []
        self._turned: set[tuple[str, ...]] = set()
        self._cursor = 0
        self._formulas: tuple[str, ...] = ()
        self._explained = self._looked = -1
        self._at = 0
        self._name_width = self._depth = 0

    def show(self, moment: Moment) -> None:
        """Mark where the update is, and what is explained."""
        if moment.listing is not self._listing:
            self._listing = moment.listing
            self._all = tree_rows(moment.listing)
            self._name_width = min(max(map(len, moment.listing.names), default=0), NAME_WIDTH)
            self._depth = max(row.depth for row in self._all)
            self._explained = -1
        stepped = moment.view.cursor != self._cursor
        self._cursor, self._formulas = moment.view.cursor, moment.formulas
        self._looked = moment.explained
        self._unfold_rows()
        self.border_title = f"the program of update {moment.view.iteration:,}"
        self.border_subtitle = f"{DONE} done {NEXT} next {EXPLAINED} explained"
        if moment.explained != self._explained or stepped:
            self._explained = moment.explained
            self._at = self._row_of(self._explained)
        self._mark()

    @property
    def chosen_row(self) -> int | None:
        """The row of the tree's own cursor."""
        return self._at if self._rows else None

    def action_move(self, direction: int) -> None:
        """Go to the row above or below, and explain what is there."""
        self._go(min(max(self._at + direction, 0), len(self._rows) - 1))

    def action_fold(self) -> None:
        """Fold the group the cursor is on, or go to the one it is in."""
        row = self._rows[self._at]
        if isinstance(row, Group) and not self._is_folded(row):
            self._fold(row)
            return
        outer = [
            place
            for place, other in enumerate(self._rows[: self._at])
            if isinstance(other, Group) and other.depth < row.depth
        ]
        if outer:
            self._go(outer[-1])

    def action_unfold(self) -> None:
        """Unfold the group the cursor is on."""
        row = self._rows[self._at]
        if isinstance(row, Group) and self._is_folded(row):
            self._fold(row)

    def choose(self, row: int) -> None:
        """A click: explain an operation, fold or unfold a group."""
        entry = self._rows[row]
        self._go(row)
        if isinstance(entry, Group):
            self._fold(entry)

    def enter(self, row: int) -> None:
        """Step until the operation is the one just done; fold or unfold a group."""
        entry = self._rows[row]
        if isinstance(entry, Group):
            self._fold(entry)
        elif self._listing is not None:
            self.post_message(self.Wanted(min(entry.index + 1, len(self._listing.names))))

    def _go(self, row: int) -> None:
        self._at = row
        entry = self._rows[row]
        self.reveal(row)
        self.refresh()
        operations = len(self._listing.names) if self._listing else 0
        if isinstance(entry, Leaf) and entry.index < operations:
            self.post_message(self.Looked(entry.index))

    def _fold(self, group: Group) -> None:
        self._turned ^= {group.key}
        self._unfold_rows()
        self._at = self._rows.index(group)
        self._mark()

    def _is_folded(self, group: Group) -> bool:
        """Time steps are, but for those where one is and looks; and what a person turned over."""
        here = any(group.first <= at < group.last for at in (self._cursor, self._looked))
        return (group.is_time_step and not here) != (group.key in self._turned)

    def _unfold_rows(self) -> None:
        """The rows outside of what is folded."""
        self._rows = []
        hidden_until = 0
        for row in self._all:
            first = row.first if isinstance(row, Group) else row.index
            if first < hidden_until:
                continue
            self._rows.append(row)
            if isinstance(row, Group) and self._is_folded(row):
                hidden_until = row.last

    def _mark(self) -> None:
        self.set_rows(len(self._rows), self._row_of(self._cursor))

    def _row_of(self, operation: int) -> int:
        """Where an operation stands, or the folded group that it is in."""
        for place, row in enumerate(self._rows):
            if isinstance(row, Leaf) and row.index == operation:
                return place
            if isinstance(row, Group) and self._is_folded(row) and operation < row.last:
                return place
        return 0

    def row_text(self, row: int, width: int) -> Text:
        """A group, an operation, or the end."""
        entry = self._rows[row]
        text = self._group_text(entry) if isinstance(entry, Group) else self._operation_text(entry)
        text.pad_right(max(width - text.cell_len, 0))
        if row == self._at and self.has_focus:
            text.stylize_before(self.get_component_rich_style("tree--cursor", partial=True))
        return text

    def _group_text(self, group: Group) -> Text:
        style = self.get_component_rich_style("rows--heading", partial=True)
        if not self._is_folded(group):
            return Text(f" {' ' * group.depth}▾ {group.label}", style)
        inside = group.first <= self._cursor < group.last
        mark = NEXT if inside else DONE if group.last <= self._cursor else " "
        explained = EXPLAINED if group.first <= self._explained < group.last else " "
        text = Text(f"{explained}{' ' * group.depth}▸ {group.label} ", style)
        return text.append(f"{mark} {group.last - group.first} operations", "not bold")

    def _operation_text(self, leaf: Leaf) -> Text:
        index, listing = leaf.index, self._listing
        assert listing is not None  # noqa: S101 - there are rows
        is_next = index == self._cursor
        mark = NEXT if is_next else DONE if index < self._cursor else " "
        explained = EXPLAINED if index == self._explained else " "
        text = Text(f"{explained}{' ' * leaf.depth}{mark} ")
        if index == len(listing.names):
            text.append(f"{END} the update is complete")
        else:
            name = listing.names[index]
            if len(name) > self._name_width:
                name = f"{name[: self._name_width - 1]}…"
            text.append(f"{name:<{self._name_width + self._depth - leaf.depth}} ")
            text.append(self._formulas[index], style="italic")
        style = "current" if is_next else "written" if index == self._cursor - 1 else ""
        if style:
            text.stylize_before(self.get_component_rich_style(f"rows--{style}", partial=True))
        return text


def tree_rows(listing: Listing) -> list[Row]:
    """Groups and operations in order, last the end; a phase in one layer is one group."""
    layers: dict[str, set[str]] = {}
    for phase, path in zip(listing.phases, listing.paths, strict=True):
        layers.setdefault(phase, set()).add(path)
    places = [
        _place(phase, path, alone=len(layers[phase]) == 1)
        for phase, path in zip(listing.phases, listing.paths, strict=True)
    ]
    rows: list[Row] = []
    before: tuple[str, ...] = ()
    for index, place in enumerate(places):
        same = 0
        while same < min(len(place), len(before)) and place[same] == before[same]:
            same += 1
        for depth in range(same, len(place)):
            key = place[: depth + 1]
            last = index
            while last < len(places) and places[last][: depth + 1] == key:
                last += 1
            rows.append(Group(key, key[-1], depth, index, last))
        rows.append(Leaf(index, len(place)))
        before = place
    return [*rows, Leaf(len(places), 0)]


def _place(phase: str, path: str, *, alone: bool) -> tuple[str, ...]:
    """The groups that an operation is in, outermost first."""
    if not alone:
        return phase.upper(), *path.split("/")
    return (phase.upper() if phase == path else f"{phase.upper()} {path}",)
