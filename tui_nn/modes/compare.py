"""Compare mode: the saved runs, curves of the chosen ones over each other, and what differs."""

import asyncio
import string
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static, Tab, Tabs

from tui_nn.comparison_run import ComparisonRun, Standing
from tui_nn.modes.mode import Mode
from tui_nn.run_filter import EXAMPLE
from tui_nn.run_shelf import Shelf
from tui_nn.run_view import View, Viewer, Wish
from tui_nn.widgets.ask_text import AskText
from tui_nn.widgets.curve import Curve, Series, SeriesStyle
from tui_nn.widgets.difference_table import DifferenceTable
from tui_nn.widgets.run_table import COLUMNS, RunTable, Sorting
from tui_nn_engine.experiment import Experiment
from tui_nn_engine.records import Label, Record

PANES = {"runs": "Runs", "loss": "Loss", "metric": "Metric", "differences": "Differences"}
LOOK = 1.0  # seconds between two looks at the folder of runs
COLORS = ("primary", "warning", "success", "error", "secondary")
MARKERS = "●×▲◆+■"
LETTERS = string.ascii_letters
EMPTY = "Choose runs with space: their curves appear here, one over the other."
NONE_YET = "No run has been saved yet: each one saves itself while it trains (2)."


class Compare(Mode):
    """Lay runs beside each other. `is_open` says of a folder whether its run is being trained;
    `open_experiment` takes an experiment into Build; `file` is a comparison to be run at once.
    """

    CSS_PATH = "compare.tcss"
    name_of_mode = "compare"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    BINDINGS = [
        Binding("space", "choose", "Choose"),
        Binding("a", "choose_all", "Choose all, or none", show=False),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("s", "sort", "Sort"),
        Binding("S", "reverse", "Reverse", show=False),
        Binding("v", "validation", "Val."),
        Binding("y", "log_axis", "Log"),
        Binding("n", "rename", "Name"),
        Binding("g", "tag", "Tags"),
        Binding("x,delete", "delete", "Delete"),
        Binding("ctrl+z", "undo", "Undo"),
        Binding("b", "build", "Build"),
        Binding("c", "run_file", "File"),
        Binding("p", "next_pane", "Next pane", show=False),
        Binding("escape", "leave", "Runs", show=False),
    ]

    @dataclass
    class _Stands(Message):
        standing: Standing

    @dataclass
    class _Stopped(Message):
        running: ComparisonRun
        code: int

    def __init__(
        self,
        is_open: Callable[[Path], bool],
        open_experiment: Callable[[Experiment], None],
        file: Path | None = None,
    ) -> None:
        super().__init__()
        self._is_open, self._open_experiment, self._file = is_open, open_experiment, file
        self._shelf = Shelf()
        self._viewer = Viewer(self._shelf)
        self._wish = Wish()
        self._view: View | None = None
        self._one_look = asyncio.Lock()
        self._validation = True
        self._comparisons: dict[Path, ComparisonRun] = {}
        self._standings: dict[Path, Standing] = {}

    def compose_mode(self) -> ComposeResult:
        """The runs above, curves in the middle, differences below; tabs where it is narrow."""
        yield Tabs(*(Tab(label, id=f"tab-{key}") for key, label in PANES.items()))
        with Vertical(id="panes"):
            with Vertical(id="runs"):
                yield Input(placeholder=f"filter: {EXAMPLE}", compact=True)
                yield Static(id="problem", markup=False)
                yield RunTable()
            with Horizontal(id="curves"):
                yield Curve([], title="Loss", x_label="epoch", empty=EMPTY, id="loss")
                yield Curve([], title="Accuracy", x_label="epoch", empty=EMPTY, id="metric")
            yield DifferenceTable(id="differences")

    def on_mount(self) -> None:
        """The first look."""
        self._show_pane("runs")
        self.query_one(RunTable).focus()
        self.set_interval(LOOK, self._look_again)
        self._look()
        if self._file is not None:
            self._run(self._file)

    def on_screen_resume(self) -> None:
        """Runs may have been trained meanwhile."""
        self._look()

    async def on_unmount(self) -> None:
        """Comparisons under way save and end; what was deleted is gone."""
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        for running in self._comparisons.values():
            running.stop()
        for running in self._comparisons.values():
            running.wait()
        self._shelf.empty_trash()

    # -- looking --------------------------------------------------------------------------------

    def _look_again(self) -> None:
        if self.is_current:
            self._look()

    @work(group="look")
    async def _look(self) -> None:
        async with self._one_look:
            view = await asyncio.to_thread(self._viewer.look, self._wish)
        if view is not self._view:
            self._view = view
            self._show(view)

    def _wants(self, **changes: Any) -> None:
        self._wish = replace(self._wish, **changes)
        self._look()

    def _show(self, view: View) -> None:
        runs = self.query_one("#runs")
        runs.border_title = f"Runs {len(view.rows)} of {view.count}" if view.count else "Runs"
        problem = f"✗ {view.problem}" if view.problem else "" if view.count else NONE_YET
        self.query_one("#problem", Static).update(problem)
        self.query_one("#problem").display = bool(problem)
        marks = [
            (LETTERS[index], self.app.theme_variables.get(_style(index).color, ""))
            for index in range(len(view.chosen))
        ]
        folders = (record.folder for record in view.chosen)
        headings = {"val_loss": "val loss", "seconds": "time", "metric": view.metric or "metric"}
        self.query_one(RunTable).show(
            view.rows, dict(zip(folders, marks, strict=True)), view.sorting, headings
        )
        self._show_curves(view)
        self.query_one(DifferenceTable).show(marks, view.chosen, view.differing)
        self.refresh_bindings()

    def _show_curves(self, view: View) -> None:
        for name, figure in (("loss", "loss"), ("metric", view.metric)):
            curve = self.query_one(f"#{name}", Curve)
            validation = self._validation and any(f"val_{figure}" in one for one in view.curves)
            told = f"val_{figure}" if validation else figure
            title = {"r2": "R²", "rmse": "RMSE"}.get(figure, figure.capitalize()) or "Metric"
            curve.title = f"{title}, {'validation' if validation else 'training'}"
            curve.series = [
                Series(LETTERS[index % len(LETTERS)], curves[told], _style(index))
                for index, curves in enumerate(view.curves)
                if told in curves
            ]
            curve.data_changed()

    # -- choosing -------------------------------------------------------------------------------

    @property
    def _current(self) -> Record | None:
        row = self.query_one(RunTable).current
        return row.record if row is not None else None

    @on(RunTable.Toggled)
    def action_choose(self) -> None:
        """Compare the current run with the others chosen, or no longer."""
        record = self._current
        if record is None:
            return
        chosen = self._wish.chosen
        if record.folder in chosen:
            chosen = tuple(folder for folder in chosen if folder != record.folder)
        else:
            chosen = (*chosen, record.folder)
        self._wants(chosen=chosen[: len(LETTERS)])

    def action_choose_all(self) -> None:
        """All that are listed; none, where any is chosen."""
        rows = self.query_one(RunTable).rows
        chosen = () if self._wish.chosen else tuple(row.record.folder for row in rows)
        self._wants(chosen=chosen[: len(LETTERS)])

    def action_filter(self) -> None:
        """To the filter."""
        self._show_pane("runs")
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _filtered(self, event: Input.Changed) -> None:
        self._wants(filter=event.value)

    @on(Input.Submitted)
    def _filter_done(self) -> None:
        self.query_one(RunTable).focus()

    def action_leave(self) -> None:
        """Out of the filter, back to the runs."""
        self._show_pane("runs")
        self.query_one(RunTable).focus()

    def action_sort(self) -> None:
        """By the next column."""
        columns = ["", *COLUMNS]
        at = columns.index(self._wish.sorting.column)
        self._wants(sorting=Sorting(columns[(at + 1) % len(columns)]))

    def action_reverse(self) -> None:
        """The other way round."""
        sorting = self._wish.sorting
        self._wants(sorting=Sorting(sorting.column, not sorting.descending))

    @on(RunTable.Sort)
    def _sort_by(self, event: RunTable.Sort) -> None:
        again = self._wish.sorting == Sorting(event.column)
        self._wants(sorting=Sorting(event.column, again))

    # -- the curves -----------------------------------------------------------------------------

    def action_validation(self) -> None:
        """Figures of the validation data, or of the training data."""
        self._validation = not self._validation
        if self._view is not None:
            self._show_curves(self._view)

    def action_log_axis(self) -> None:
        """Linear or logarithmic loss."""
        curve = self.query_one("#loss", Curve)
        curve.log_scale = not curve.log_scale

    # -- one run --------------------------------------------------------------------------------

    @work
    async def action_rename(self) -> None:
        """Give the current run a name."""
        record = self._current
        if record is not None:
            name = await self.app.push_screen_wait(AskText("Name of the run", record.label.name))
            if name is not None:
                self._relabel(record, Label(name, record.label.tags))

    @work
    async def action_tag(self) -> None:
        """Give the current run tags."""
        record = self._current
        if record is not None:
            tags, hint = " ".join(record.label.tags), "Words with spaces between them."
            text = await self.app.push_screen_wait(AskText("Tags of the run", tags, hint))
            if text is not None:
                self._relabel(record, Label(record.label.name, tuple(text.split())))

    def _relabel(self, record: Record, label: Label) -> None:
        try:
            label.write(record.folder)
        except OSError as error:
            self.notify(str(error), title="Not written", severity="error")
        self._look()

    def action_delete(self) -> None:
        """Take the current run away; ctrl+z brings it back."""
        record = self._current
        if record is None:
            return
        if self._is_open(record.folder):
            self.notify("This run is open in Train (2); open another one first.", timeout=4)
            return
        try:
            self._shelf.delete(record.folder)
        except OSError as error:
            self.notify(str(error), title="Not deleted", severity="error")
            return
        self.notify("Deleted when the app ends; ctrl+z brings it back.", timeout=4)
        self._wants(chosen=tuple(one for one in self._wish.chosen if one != record.folder))

    def action_undo(self) -> None:
        """Bring back the run deleted last."""
        try:
            self._shelf.undo()
        except OSError as error:
            self.notify(str(error), title="Not brought back", severity="error")
        self._look()

    @on(RunTable.Entered)
    def action_build(self) -> None:
        """Its experiment as a new one, in Build."""
        record = self._current
        if record is not None:
            self._open_experiment(record.experiment)

    # -- comparison files -----------------------------------------------------------------------

    @work
    async def action_run_file(self) -> None:
        """Choose a comparison file and run it; its runs appear and grow here."""
        from tui_nn.forms.files import comparison_to_open

        path = await comparison_to_open(self.app, Path())
        if path is not None:
            self._run(path)

    def _run(self, path: Path) -> None:
        path = path.resolve()
        if path in self._comparisons:
            self.notify(f"{path.name} is being run already.", timeout=3)
            return
        try:
            running = ComparisonRun(path)
        except OSError as error:
            self.notify(str(error), title=f"{path.name} can't be run", severity="error")
            return
        self._comparisons[path] = running
        self._follow(running)

    @work(thread=True)
    def _follow(self, running: ComparisonRun) -> None:
        for standing in running.standings():
            self.post_message(self._Stands(standing))
        self.post_message(self._Stopped(running, running.wait()))

    @on(_Stands)
    def _stands(self, event: _Stands) -> None:
        self._standings[event.standing.path] = event.standing
        self._show_standings()

    @on(_Stopped)
    def _stopped(self, event: _Stopped) -> None:
        path = event.running.path
        del self._comparisons[path]
        standing = self._standings.pop(path, Standing(path))
        self._show_standings()
        self._look()
        if standing.best:
            text = f"The best {standing.figure}: {standing.best}"
            self.notify(text, title=f"{path.name}: all runs have ended", timeout=8)
        if event.code > 0 or event.running.said:
            said = event.running.said.strip() or f"It ended with {event.code}."
            self.notify(said, title=path.name, severity="warning", timeout=12)

    def _show_standings(self) -> None:
        """Below the runs: how far the comparisons are."""
        self.query_one("#runs").border_subtitle = "   ".join(
            f"▶ {one.path.name}: {one.ended} of {one.runs} runs ended"
            for one in self._standings.values()
        )

    # -- panes ----------------------------------------------------------------------------------

    def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        """Show that pane, where there is room for one."""
        self._show_pane((event.tab.id or "").removeprefix("tab-"))

    def action_next_pane(self) -> None:
        """The next tab."""
        self.query_one(Tabs).action_next_tab()

    def _show_pane(self, key: str) -> None:
        for pane in PANES:
            self.set_class(pane == key, f"-show-{pane}")
        if self.query_one(Tabs).active != f"tab-{key}":
            self.query_one(Tabs).active = f"tab-{key}"
        if self.focused is None or not self.focused.is_on_screen:
            self.call_after_refresh(self._focus_pane, key)

    def _focus_pane(self, key: str) -> None:
        """Keys belong to what is on screen."""
        self.query_one("RunTable" if key == "runs" else f"#{key}").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Grey out what can't be done now."""
        if action == "undo":
            return self._shelf.can_undo
        if action in {"choose", "rename", "tag", "delete", "build", "choose_all"}:
            return bool(self._view and self._view.rows) or None
        return True


def _style(index: int) -> SeriesStyle:
    """Colour and marker together tell 30 runs apart."""
    return SeriesStyle(COLORS[index % len(COLORS)], MARKERS[(index + index // 5) % len(MARKERS)])
