"""The figures of a lesson: the slide's beside the program's, and how they agree."""

import textwrap
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

if TYPE_CHECKING:
    from tui_nn.lessons import Figure, FigureTable

Line = list[str | tuple[str, str]]
Align = Literal["<", ">"]

# Sign and word say what the colour says.
GRADES: Final = {
    "exact": ("✓", "$text-success"),
    "rounded": ("≈", "$text-success"),
    "close": ("~", "$text-warning"),
    "mismatch": ("✗", "$text-error"),
    "computed": ("·", "dim"),
}
MEANINGS: Final = {
    "exact": "as printed where nothing is marked",
    "rounded": "equal at the printed digits",
    "close": "rounded along the way",
    "mismatch": "the slide has another number",
    "computed": "computed, not printed",
}
HEADINGS: Final = ("", "slide", "program", "", "in the program")
GAP: Final = 3
FORMULA_ROOM: Final = 18  # cells that a formula needs at least to be worth its place
NOTE_INDENT: Final = "   ↳ "


class _Sheet(Widget):
    """Lines made for the width there is."""

    DEFAULT_CSS = "_Sheet { height: auto; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._made: tuple[int, list[Content]] | None = None

    def make(self, width: int) -> list[Line]:
        """The lines for so many cells."""
        raise NotImplementedError

    def changed(self) -> None:
        """Make them anew."""
        self._made = None
        self.refresh(layout=True)

    def lines(self, width: int) -> list[Content]:
        """The lines for so many cells, made once; none is broken in two."""
        if self._made is None or self._made[0] != width:
            self._made = (
                width,
                [
                    Content.assemble(*line).truncate(width, ellipsis=True)
                    for line in self.make(width)
                ],
            )
        return self._made[1]

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many lines as there are."""
        return len(self.lines(width))

    def render(self) -> Content:
        """All lines."""
        return Content("\n").join(self.lines(self.size.width))


class FigureSheet(_Sheet):
    """A figure a line: label, slide, program, grade, and the program's own notation for it."""

    def __init__(self) -> None:
        super().__init__()
        self._figures: tuple[Figure, ...] = ()
        self._asked: int | None = None

    def show(self, figures: "tuple[Figure, ...]", asked: int | None) -> None:
        """Show them; from the `asked` one on they stay hidden until it is answered."""
        self._figures, self._asked = figures, asked
        self.changed()

    def make(self, width: int) -> list[Line]:
        """Headings, figures, and what there is to say below those that need it."""
        asked = self._asked
        shown = self._figures if asked is None else self._figures[: asked + 1]
        rows = [_cells(one, hidden=index == asked) for index, one in enumerate(shown)]
        widths, gap = _columns(rows, width)
        lines: list[Line] = [_row(HEADINGS, widths, gap, ("dim",) * 5)]
        for figure, row in zip(shown, rows, strict=True):
            styles = ("bold", "", "bold", GRADES[figure.grade][1], "dim")
            lines.append(_row(row, widths, gap, styles))
            if row[2] != "?":
                lines += _notes(figure, width)
        hidden = len(self._figures) - len(shown)
        if hidden:
            more = "1 more figure" if hidden == 1 else f"{hidden} more figures"
            lines.append([(f"… {more} after your answer", "dim italic")])
        return lines


class FigureGrid(_Sheet):
    """Figures in rows and columns, signs where the slide prints something, words below."""

    DEFAULT_CSS = "FigureGrid { width: auto; min-width: 100%; }"

    def __init__(self, table: "FigureTable") -> None:
        super().__init__()
        self._table = table

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002
        """The widest line of the grid; what is said below adapts to the room."""
        made = self.make(container.width)
        return max(Content.assemble(*line).cell_length for line in made)

    def make(self, width: int) -> list[Line]:
        """Title, headings, rows, and what there is to say of them, once where it is the same."""
        table = self._table
        printed = any(figure.printed for row in table.rows for figure in row)
        rows = [
            [label, *(_with_sign(figure, printed=printed) for figure in row)]
            for label, row in zip(table.labels, table.rows, strict=True)
        ]
        headings = ["", *table.columns]
        widths = _widths([headings, *rows])
        gap = "  " if sum(widths) + GAP * len(widths) > width else " " * GAP
        lines: list[Line] = [[(table.title, "bold")]] if table.title else []
        lines.append([(gap.join(_align(headings, widths)), "dim")])
        for row, figures in zip(rows, table.rows, strict=True):
            label, *cells = _align(row, widths)
            line: Line = [label]
            for cell, figure in zip(cells, figures, strict=True):
                line += [gap, (cell, GRADES[figure.grade][1] if _marked(figure) else "")]
            lines.append(line)
        every = [figure for row in table.rows for figure in row]
        for _, same in groupby(filter(_differs, every), lambda one: (one.grade, one.why)):
            first, *others = same
            said = f"{first.label}: slide {first.printed}, program {first.shown}"
            if others:
                said = f"{first.label} … {others[-1].label}: {len(others) + 1} figures"
            lines.append([(f"{GRADES[first.grade][0]} {said}", GRADES[first.grade][1])])
            lines += _notes(first, width)
        return [*lines, *_legend(every)]


def _cells(figure: "Figure", *, hidden: bool) -> tuple[str, ...]:
    if hidden:
        return figure.label, "?" if figure.printed else "", "?", "? your turn", ""
    sign, _ = GRADES[figure.grade]
    grade = f"{sign} {figure.grade}"
    if figure.compared:
        grade = f"{sign} two ways"
    return figure.label, figure.printed, figure.shown, grade, figure.formula


def _marked(figure: "Figure") -> bool:
    """In a grid, exact is what needs no sign."""
    return figure.grade not in {"exact", "computed"}


def _with_sign(figure: "Figure", *, printed: bool) -> str:
    sign = " " if figure.grade == "exact" else GRADES[figure.grade][0]
    if _differs(figure):
        return f"{figure.shown} {sign} {figure.printed}".rstrip()
    return f"{figure.shown} {sign}" if printed else figure.shown


def _differs(figure: "Figure") -> bool:
    """Whether slide and program are both to be seen."""
    return figure.grade in {"close", "mismatch"} or figure.deviates


def _notes(figure: "Figure", width: int) -> list[Line]:
    other = figure.compared if figure.compared != figure.shown else ""
    said = [figure.why, figure.note, f"the other way: {other}" if other else ""]
    if figure.deviates:
        said.append(f"the lesson expects {figure.expected} here, and it is {figure.grade}")
    room = max(width - len(NOTE_INDENT), 12)
    lines: list[Line] = []
    for text in filter(None, said):
        for number, part in enumerate(textwrap.wrap(text, room)):
            indent = " " * len(NOTE_INDENT) if number else NOTE_INDENT
            lines.append([indent, (part, "dim italic")])
    return lines


def _legend(figures: "Iterable[Figure]") -> list[Line]:
    found = {figure.grade for figure in figures}
    if found <= {"computed"}:
        return []
    said = [
        f"{GRADES[grade][0]} {meaning}" for grade, meaning in MEANINGS.items() if grade in found
    ]
    return [[("   ".join(said), "dim")]] if said else []


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(Content(cell).cell_length for cell in column) for column in zip(*rows, strict=True)]


def _align(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The label to the left, numbers to the right."""
    return [
        _fit(cell, width, "<" if column == 0 else ">")
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _columns(rows: Sequence[Sequence[str]], width: int) -> tuple[list[int], int]:
    """Widths of the columns, 0 for one that is left out, and of the gap between two."""
    widths = _widths([HEADINGS, *rows])
    if not any(row[1] for row in rows):
        widths[1] = 0  # nothing was printed
    for gap in (GAP, 1):
        room = width - sum(widths[:4]) - gap * 3
        if room >= 0:
            break
    widths[4] = min(widths[4], room - gap) if room - gap >= FORMULA_ROOM else 0
    if room < 0:  # the grade's sign must do, and after that a part of the label
        widths[3], room = 1, room + widths[3] - 1
        widths[0] = max(widths[0] + min(room, 0), 4)
    return widths, gap


def _row(row: Sequence[str], widths: Sequence[int], gap: int, styles: Sequence[str]) -> Line:
    aligns: tuple[Align, ...] = ("<", ">", ">", "<", "<")
    line: Line = []
    for cell, width, align, style in zip(row, widths, aligns, styles, strict=True):
        if width:
            if line:
                line.append(" " * gap)
            line.append((_fit(cell, width, align), style))
    return line


def _fit(text: str, width: int, align: Align) -> str:
    content = Content(text)
    if width == 1:
        return text[:1].ljust(1)  # the sign of a grade
    if content.cell_length > width:
        return content.truncate(width, ellipsis=True).plain
    padding = " " * (width - content.cell_length)
    return padding + text if align == ">" else text + padding
