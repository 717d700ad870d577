"""The program of an update: its operations by phase and layer, with a mark at the next one."""

from rich.text import Text
from textual.message import Message

from tui_nn.widgets.moment import Moment
from tui_nn.widgets.row_list import RowList
from tui_nn_engine.stepview import Listing

NEXT, DONE, END = "▶", "✓", "■"


class OperationList(RowList):
    """All operations in order, ✓ done, ▶ next. A click asks to step until that one is next."""

    class Chosen(Message):
        """Step until so many operations are done."""

        def __init__(self, cursor: int) -> None:
            super().__init__()
            self.cursor = cursor

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  Textual's own name
        super().__init__(id=id)
        self._listing: Listing | None = None
        self._rows: list[int | str] = []
        self._cursor = 0
        self._name_width = 0

    def show(self, moment: Moment) -> None:
        """Mark where the update is."""
        if moment.listing is not self._listing:
            self._listing = moment.listing
            self._rows = _rows(moment.listing)
            self._name_width = min(max(map(len, moment.listing.names), default=0), 15)
        self._cursor = moment.view.cursor
        self.border_title = f"the program of update {moment.view.iteration:,}"
        self.set_rows(len(self._rows), self._rows.index(self._cursor))

    def row_text(self, row: int, width: int) -> Text:
        """A heading, an operation, or the end."""
        entry, listing = self._rows[row], self._listing
        if isinstance(entry, str) or listing is None:
            return Text(str(entry), style=self.get_component_rich_style("rows--heading"))
        is_next = entry == self._cursor
        if entry == len(listing.names):
            mark = NEXT if is_next else " "
            text = Text(f"{mark} {END} the update is complete")
        else:
            mark = NEXT if is_next else DONE if entry < self._cursor else " "
            name = listing.names[entry]
            if len(name) > self._name_width:
                name = f"{name[: self._name_width - 1]}…"
            text = Text(f"{mark} {name:<{self._name_width}} ")
            text.append(listing.formulas[entry], style="italic")
        style = "current" if is_next else "written" if entry == self._cursor - 1 else ""
        if is_next:
            text.pad_right(max(width - text.cell_len, 0))
        if style:
            text.stylize_before(self.get_component_rich_style(f"rows--{style}", partial=True))
        return text

    def choose(self, row: int) -> None:
        """A click on a heading means the first operation below it."""
        cursor = next(entry for entry in self._rows[row:] if isinstance(entry, int))
        self.post_message(self.Chosen(cursor))


def _rows(listing: Listing) -> list[int | str]:
    """Index of an operation, or the heading of a group; last the end."""
    rows: list[int | str] = []
    group = ("", "")
    for index, here in enumerate(zip(listing.phases, listing.paths, strict=True)):
        if here != group:
            group = here
            phase, path = here
            rows.append(phase.upper() if phase == path else f"{phase.upper()} {path}")
        rows.append(index)
    return [*rows, len(listing.names)]
