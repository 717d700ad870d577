"""Single samples with what they are and what they were taken for: pictures, or rows of numbers."""

from dataclasses import dataclass

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import ContentSwitcher, Static

from tui_nn.widgets.images import Images
from tui_nn.widgets.row_list import RowList
from tui_nn_engine.inspection.mistakes import Mistakes, Residuals
from tui_nn_engine.inspection.subject import Subject


class CaseRows(RowList):
    """A row a sample: first what is said of it, then its inputs."""

    HEADING = 1

    @dataclass
    class Entered(Message):
        """More of this row is wanted."""

        row: int

    def __init__(self) -> None:
        super().__init__(id="rows")
        self._heading = ""
        self._rows: list[str] = []
        self._wrong: list[bool] = []

    def show(self, heading: str, rows: list[str], wrong: list[bool]) -> None:
        """Show these rows."""
        self._heading, self._rows, self._wrong = heading, rows, wrong
        row = self._current
        self.set_rows(len(rows), row if row is not None and row < len(rows) else None)

    def choose(self, row: int) -> None:
        """Mark it."""
        self.set_rows(len(self._rows), row)

    def heading_text(self, width: int) -> Text:  # noqa: ARG002
        """The names of the columns."""
        return Text(self._heading, style=self.get_component_rich_style("rows--heading"))

    def enter(self, row: int) -> None:
        """What the layers make of it."""
        self.post_message(self.Entered(row))

    def row_text(self, row: int, width: int) -> Text:  # noqa: ARG002
        """One sample; ✗ stands before those that are wrong."""
        line = Text(f"{'✗' if self._wrong[row] else ' '} {self._rows[row]}")
        if row == self._current:
            line.stylize(self.get_component_rich_style("rows--current", partial=True))
        return line


class CaseList(Vertical):
    """The samples that a network gets wrong by most, or those of a cell."""

    DEFAULT_CSS = """
    CaseList { width: 1fr; height: 1fr; }
    CaseList > #which { height: auto; margin-bottom: 1; }
    CaseList > ContentSwitcher { height: 1fr; }
    """

    @dataclass
    class Opened(Message):
        """More of a sample is wanted: its part of the data, and its place there."""

        part: str
        place: int

    def __init__(self) -> None:
        super().__init__()
        self._found: Mistakes | Residuals | None = None

    def on_images_clicked(self, event: Images.Clicked) -> None:
        """A picture was clicked."""
        self._open(event.index)

    def on_case_rows_entered(self, event: CaseRows.Entered) -> None:
        """Enter, or a double click."""
        self._open(event.row)

    def open_first(self) -> None:
        """More of the first sample, if there is one."""
        self._open(0)

    def _open(self, index: int) -> None:
        found = self._found
        if found is not None and index < len(found.cases):
            self.post_message(self.Opened(found.part, int(found.cases[index])))

    def compose(self) -> ComposeResult:
        """Words above, samples below."""
        yield Static(id="which", markup=False)
        with ContentSwitcher(initial="rows"):
            yield Images(id="images", empty="no such sample")
            yield CaseRows()

    def show_mistakes(self, found: Mistakes, subject: Subject, names: tuple[str, ...]) -> None:
        """Classes of these names: pictures where there are some."""
        self._found = found
        sign = "\ntrue → says, ✓ where it is right" if subject.image else ""
        self.query_one("#which", Static).update(_which(found, names) + sign)
        if subject.image:
            captions = [
                f"{names[t]} ✓" if t == g else f"{names[t]} → {names[g]}"
                for t, g in zip(found.truths, found.guesses, strict=True)
            ]
            pictures = np.rint(found.inputs.astype(np.float64) / subject.brightest * 255)
            self.query_one(Images).offer(pictures.astype(np.uint8), captions)
            self.query_one(ContentSwitcher).current = "images"
            return
        width = max(map(len, names))
        rows = [
            f"{names[t]:<{width}}  {names[g]:<{width}}  {margin:+7.3f}   {_numbers(x)}"
            for t, g, margin, x in zip(
                found.truths, found.guesses, found.margins, found.inputs, strict=True
            )
        ]
        head = f"  {'true':<{width}}  {'says':<{width}}  {'margin':>7}   {_heads(subject)}"
        self.query_one(CaseRows).show(head, rows, (found.margins < 0).tolist())
        self.query_one(ContentSwitcher).current = "rows"

    def show_residuals(self, found: Residuals, subject: Subject) -> None:
        """Numbers: rows, the farthest off first."""
        self.query_one("#which", Static).update("The samples farthest off, in the data's units:")
        rows, self._found = [], found
        for row, x in zip(found.rows, found.inputs, strict=True):
            truth, says = found.targets[row], found.predictions[row]
            rows.append(f"{truth:>9.4g} {says:>9.4g} {says - truth:>+9.4g}   {_numbers(x)}")
        head = f"  {'true':>9} {'says':>9} {'off by':>9}   {_heads(subject)}"
        self.query_one(CaseRows).show(head, rows, [False] * len(rows))
        self.query_one(ContentSwitcher).current = "rows"


def _which(found: Mistakes, names: tuple[str, ...]) -> str:
    truth, guess = found.cell
    shown = f"{len(found.cases)} of {found.found:,}"
    if truth < 0:
        return f"Worst mistakes first, then the least sure ({shown} samples)"
    if truth == guess:
        return f"{names[truth]}, known as such ({shown}), the least sure first"
    return f"In truth {names[truth]}, taken for {names[guess]} ({shown}), the worst first"


def _numbers(x: np.ndarray) -> str:
    return " ".join(f"{value:>9.4g}" for value in np.ravel(x)[:30])


def _heads(subject: Subject) -> str:
    return " ".join(f"{name[:9]:>9}" for name in subject.inputs[:30])
