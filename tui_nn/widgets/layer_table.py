"""The layers while they learn: how they do in a word, how large their numbers are, and why."""

import math

import numpy as np
from numpy.typing import NDArray
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import DataTable, Static

from tui_nn_engine.sessions.protocol import Opened
from tui_nn_engine.training.health import COLUMNS
from tui_nn_engine.training.verdicts import Verdict

HEADERS = (
    "layer",
    "verdict",
    "output",
    "parameters",
    "weights",
    "activation",
    "|gradient|",
    "|Δw|/|w|",
    "dead",
    "saturated",
)
MARKS = {"good": "✓", "notice": "!", "bad": "✗"}
COLOURS = {"good": "text-success", "notice": "text-warning", "bad": "text-error"}
UNKNOWN = "How the layers do here, the next update tells (N makes one)."
Verdicts = tuple[Verdict | None, ...]


class LayerTable(DataTable[Text]):
    """One row a layer; refreshed with each health report."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=True)

    def on_mount(self) -> None:
        """The columns stand from the start."""
        self.add_columns(*HEADERS)

    def show(
        self, opened: Opened, health: NDArray[np.float64] | None, verdicts: Verdicts = ()
    ) -> None:
        """Show these layers; without health the numbers are not there yet."""
        theme = self.app.theme_variables
        rows = []
        for index in range(len(opened.layers)):
            verdict = verdicts[index] if index < len(verdicts) else None
            style = theme.get(COLOURS[verdict.severity], "") if verdict else ""
            word = Text(marked(verdict), style=style)
            name, *numbers = self._row(opened, health, index)
            rows.append([name, word, *numbers])
        if len(rows) != self.row_count:
            self.clear()
            for row in rows:
                self.add_row(*row)
            return
        for y, row in enumerate(rows):
            for x, cell in enumerate(row):
                if self.get_cell_at((y, x)) != cell:  # type: ignore[arg-type]
                    self.update_cell_at((y, x), cell, update_width=True)  # type: ignore[arg-type]

    def _row(self, opened: Opened, health: NDArray[np.float64] | None, index: int) -> list[Text]:
        values = dict.fromkeys(COLUMNS, math.nan)
        if health is not None and index < len(health):
            values = dict(zip(COLUMNS, health[index].tolist(), strict=True))
        cells = [
            opened.layers[index],
            opened.shapes[index],
            f"{opened.parameters[index]:,}" if opened.parameters[index] else "",
            spread(values["weight_mean"], values["weight_std"]),
            spread(values["activation_mean"], values["activation_std"]),
            short(values["gradient_norm"]),
            short(values["update_ratio"]),
            share(values["dead"]),
            share(values["saturated"]),
        ]
        return [
            Text(cell, justify="left" if column < 2 else "right")
            for column, cell in enumerate(cells)
        ]


class LayerPane(Vertical):
    """The table, and below it what is to be said of the chosen layer.

    Until a person chooses one, it is the first of those that do worst.
    """

    DEFAULT_CSS = """
    LayerPane {
        LayerTable { height: auto; max-height: 100%; overflow-x: auto; }
        #verdict { height: auto; max-height: 4; padding: 0 1; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._layers: tuple[str, ...] = ()
        self._verdicts: Verdicts = ()
        self._known, self._chosen = True, False

    def compose(self) -> ComposeResult:
        """The table above."""
        yield LayerTable()
        yield Static(id="verdict")

    def show(
        self, opened: Opened, health: NDArray[np.float64] | None, verdicts: Verdicts = ()
    ) -> None:
        """Show these layers, and the verdicts on them; health without rows is not known here."""
        table = self.query_one(LayerTable)
        if opened.layers != self._layers:
            self._layers, self._chosen = opened.layers, False
        self._verdicts, self._known = verdicts, health is None or len(health) > 0
        table.show(opened, health, verdicts)
        if not self._chosen:
            table.move_cursor(row=worst(verdicts), animate=False)
        self._tell(table.cursor_row)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """A person, or the next report, has moved on to another layer."""
        self._chosen = self._chosen or event.data_table.has_focus
        self._tell(event.cursor_row)

    def _tell(self, row: int) -> None:
        verdict = self._verdicts[row] if row < len(self._verdicts) else None
        text = Text() if self._known else Text(UNKNOWN, style="dim")
        if verdict is not None:
            text = told(self._layers[row], verdict, self.app.theme_variables)
        self.query_one("#verdict", Static).update(text)


def marked(verdict: Verdict | None) -> str:
    """The word, with a sign in front that says the same as its colour."""
    return f"{MARKS[verdict.severity]} {verdict.word}" if verdict else ""


def worst(verdicts: Verdicts) -> int:
    """The first of the layers that do worst; 0 where there are none."""
    order = list(MARKS)
    grades = [order.index(verdict.severity) if verdict else -1 for verdict in verdicts]
    return grades.index(max(grades)) if grades else 0


def told(layer: str, verdict: Verdict, theme: dict[str, str]) -> Text:
    """The verdict in full: why, what to try, and who says so."""
    colour = theme.get(COLOURS[verdict.severity], "")
    text = Text.assemble((f"{layer} {marked(verdict)}", f"bold {colour}"), f". {verdict.why}")
    if verdict.remedy:
        text.append(f" Try: {verdict.remedy}.")
    if verdict.source:
        text.append(f" ({verdict.source})", style="dim")
    return text


def short(value: float) -> str:
    """Three significant digits, "" for nan."""
    return "" if math.isnan(value) else f"{value:.3g}"


def share(value: float) -> str:
    """Percent, "" for nan."""
    return "" if math.isnan(value) else f"{value:.0%}"


def spread(mean: float, deviation: float) -> str:
    """mean ± standard deviation."""
    return "" if math.isnan(mean) else f"{mean:.3f} ± {deviation:.3f}"
