"""Compare mode: the saved runs, curves of the chosen ones over each other, and what differs."""

import asyncio
import string
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static, Tab, Tabs

from tui_nn.modes.comparison_files import ComparisonFiles
from tui_nn.palette import class_color, class_marker
from tui_nn.run_filter import EXAMPLE
from tui_nn.run_shelf import Shelf
from tui_nn.run_view import MOST, View, Viewer, Wish
from tui_nn.widgets.ask_text import AskText
from tui_nn.widgets.curve import Curve, Series, SeriesStyle
from tui_nn.widgets.difference_table import DifferenceTable
from tui_nn.widgets.run_table import RunTable, Sorting
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.training.records import Label, Record

PANES: Final = {"runs": "Runs", "loss": "Loss", "metric": "Metric", "differences": "Differences"}
LOOK: Final = 1.0  # seconds between two looks at the folder of runs
LETTERS: Final = string.ascii_letters
EMPTY: Final = "Choose runs with space: their curves appear here, one over the other."
NONE_YET: Final = "No run has been saved yet: each one saves itself while it trains (2)."
TITLES: Final = {"r2": "R²", "rmse": "RMSE", "mae": "MAE"}
HELP: Final = f"""\
**Lay runs beside each other.** All that were saved are listed, also those being trained now;
`space` chooses one, then another: their curves lie over each other, and the table below says
where their experiments differ. A click on a heading sorts. `✗` diverged, `⊣` ended before its
last epoch (`state = stopped early`), `…` was not trained to its end.

**The filter** narrows the list and the curves. It takes words, and comparisons with any place of
the experiment or any figure: `{EXAMPLE}`, `state = diverged`, `moons`.

**A comparison file** lists values (`"optimizer.learning_rate" = [0.1, 0.01]`) and runs the
experiment with each of them, on all cores; `c` runs one.
"""


class Compare(ComparisonFiles):
    """Lay runs beside each other. `is_open` says of a folder whether its run is being trained;
    `open_experiment` takes an experiment into Build; `file` is a comparison to be run at once.
    """

    CSS_PATH = "compare.tcss"
    HELP = HELP
    BINDING_GROUP_TITLE = "Compare mode"
    name_of_mode = "compare"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "choose", "choose", tooltip="Lay the run over the others, or no longer"),
        Binding("a", "choose_all", "all", show=False, tooltip="All that are listed, or none"),
        Binding("slash", "filter", "filter", key_display="/", tooltip="Which runs are listed"),
        Binding("s", "sort", "sort", tooltip="By the next column"),
        Binding("S", "reverse", "sort back", show=False, tooltip="The other way round"),
        Binding("n", "rename", "name", tooltip="Give the run a name"),
        Binding("g", "tag", "tag", tooltip="Give the run tags, words to filter by"),
        Binding("x,delete", "delete", "delete", tooltip="Take the run away; ctrl+z brings it back"),
        Binding("ctrl+z", "undo", "undo", tooltip="Bring back the run deleted last"),
        Binding("b", "build", "build", tooltip="Open the run's experiment as a new one"),
        Binding("c", "run_file", "file", tooltip="Run all of a comparison file, or stop it"),
        Binding("v", "validation", "validation", show=False, tooltip="Its curves, or training's"),
        Binding("y", "log_axis", "log", tooltip="Loss on a logarithmic axis"),
        Binding("p", "next_pane", "pane", show=False, tooltip="The next pane, where one is shown"),
        Binding("escape", "leave", "to the runs", show=False, tooltip="Out of the filter"),
    ]

    def __init__(
        self,
        is_open: Callable[[Path], bool],
        open_experiment: Callable[[Experiment], None],
        file: Path | None = None,
    ) -> None:
        super().__init__(file)
        self._is_open, self._open_experiment = is_open, open_experiment
        self._shelf = Shelf()
        self._viewer = Viewer(self._shelf)
        self._wish = Wish()
        self._view: View | None = None
        self._one_look = asyncio.Lock()
        self._validation = True

    def compose_mode(self) -> ComposeResult:
        """The runs above, curves in the middle, differences below; tabs where it is narrow."""
        yield Tabs(*(Tab(label, id=f"tab-{key}") for key, label in PANES.items()))
        with Vertical(id="panes"):
            with Vertical(id="runs"):
                yield Input(placeholder=f"filter: {EXAMPLE}", compact=True)
                yield Static(id="problem", markup=False)
                yield RunTable()
            with Horizontal(id="curves"):
                yield Curve([], x_label="epoch", empty=EMPTY, id="loss")
                yield Curve([], x_label="epoch", empty=EMPTY, id="metric")
            yield DifferenceTable(id="differences")

    def on_mount(self) -> None:
        """The first look."""
        self.query_one(Tabs).can_focus = False
        self._show_pane("runs")
        self.set_interval(LOOK, self._look_again)
        self._look()

    def on_screen_resume(self) -> None:
        """Runs may have been trained meanwhile."""
        self._look()

    async def on_unmount(self) -> None:
        """What was deleted is gone."""
        await asyncio.to_thread(self._shelf.empty_trash)

    # -- looking --------------------------------------------------------------------------------

    def _look_again(self) -> None:
        if self.is_current:
            self._look()

    @work(group="look")
    async def _look(self) -> None:
        async with self._one_look:
            view = await asyncio.to_thread(self._viewer.look, self._wish)
        if view is not self._view and self.app.is_running:  # while it ends there is nothing here
            self._view = view
            self._show(view)

    def _wants(self, **changes: Any) -> None:
        self._wish = replace(self._wish, **changes)
        self._look()

    def show_standings(self) -> None:
        """How far the comparisons are, below the runs."""
        self.query_one("#runs").border_subtitle = "   ".join(
            f"▶ {one.path.name}: {one.ended} of {one.runs or '…'} runs ended"
            for one in self.standings.values()
        )
        self._look()

    def show_comparison(self, folder: Path) -> None:
        """Its runs are chosen as they begin."""
        self._choose((*self._wish.chosen, folder))

    def show_ranking(self) -> None:
        """Best first, unless the person sorts otherwise."""
        if not self._wish.sorting.column:
            self._wants(sorting=Sorting("best"))

    def _show(self, view: View) -> None:
        runs = self.query_one("#runs")
        count = f"{len(view.rows)} of {view.count}" if len(view.rows) < view.count else view.count
        runs.border_title = " · ".join(filter(None, (f"Runs {count or ''}".strip(), *view.common)))
        problem = f"✗ {view.problem}" if view.problem else "" if view.count else NONE_YET
        self.query_one("#problem", Static).update(problem)
        self.query_one("#problem").display = bool(problem)
        text = Color.parse(self.app.theme_variables["foreground"])
        marks = [
            (LETTERS[index], Color.parse(class_color(index)).blend(text, 0.3).hex)
            for index in range(len(view.chosen))
        ]
        marked = {record.folder: mark for record, mark in zip(view.chosen, marks, strict=True)}
        self.query_one(RunTable).show(view.rows, view.columns, marked, view.sorting)
        self._show_curves(view)
        self.query_one(DifferenceTable).show(marks, view.chosen, view.differing)
        self.refresh_bindings()

    def _show_curves(self, view: View) -> None:
        for name, figure in (("loss", "loss"), ("metric", view.metric)):
            curve = self.query_one(f"#{name}", Curve)
            validation = self._validation and any(f"val_{figure}" in one for one in view.curves)
            told = f"val_{figure}" if validation else figure
            title = TITLES.get(figure, figure.replace("_", " ").capitalize()) or "Metric"
            about = ["validation" if validation else "training", *["log"] * curve.log_scale]
            curve.border_title = ", ".join((title, *about))
            curve.series = [
                Series(LETTERS[index], curves[told], _style(index))
                for index, curves in enumerate(view.curves)
                if told in curves
            ]
            curve.data_changed()

    # -- choosing -------------------------------------------------------------------------------

    @property
    def _current(self) -> Record | None:
        row = self.query_one(RunTable).current
        return row.record if row is not None else None

    @property
    def _chosen(self) -> tuple[Path, ...]:
        """The runs chosen, those of chosen comparisons one by one."""
        found: list[Path] = []
        for path in self._wish.chosen:
            known = self._view.every_chosen if self._view else ()
            of_it = [folder for folder in known if folder.parent == path]
            found += of_it or [path]
        return tuple(found)

    @on(RunTable.Toggled)
    def action_choose(self) -> None:
        """Compare the current run with the others chosen, or no longer."""
        record = self._current
        if record is None:
            return
        chosen = self._chosen
        if record.folder in chosen:
            chosen = tuple(folder for folder in chosen if folder != record.folder)
        else:
            chosen = (*chosen, record.folder)
        self._choose(chosen)

    def action_choose_all(self) -> None:
        """All that are listed; none, where any is chosen."""
        listed = [row.record.folder for row in self.query_one(RunTable).rows]
        others = tuple(folder for folder in self._chosen if folder not in listed)
        self._choose(others if len(others) < len(self._chosen) else (*others, *listed))

    def _choose(self, chosen: tuple[Path, ...]) -> None:
        if len(chosen) > MOST:
            self.notify(f"No more than {MOST} runs lie over each other.", timeout=4)
        self._wants(chosen=chosen)

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
        """Out of the filter, or whatever it is, back to the runs."""
        self._show_pane("runs")
        self.query_one(RunTable).focus()

    def action_sort(self) -> None:
        """By the next column that is shown."""
        columns = ["", *self.query_one(RunTable).columns]
        now = self._wish.sorting.column
        at = columns.index(now) if now in columns else 0
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
        if self._view is not None:
            self._show_curves(self._view)

    # -- one run --------------------------------------------------------------------------------

    @work
    async def action_rename(self) -> None:
        """Give the current run a name."""
        record = self._current
        if record is not None:
            name = await self.app.push_screen_wait(AskText("Name of the run", record.label.name))
            if name is not None:
                self._relabel(record, replace(record.label, name=name))

    @work
    async def action_tag(self) -> None:
        """Give the current run tags."""
        record = self._current
        if record is not None:
            tags, hint = " ".join(record.label.tags), "Words with spaces or commas between them."
            text = await self.app.push_screen_wait(AskText("Tags of the run", tags, hint))
            if text is not None:
                self._relabel(
                    record, replace(record.label, tags=tuple(text.replace(",", " ").split()))
                )

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
            self.notify("This run is open in Train (2); open another one there first.", timeout=4)
            return
        try:
            self._shelf.delete(record.folder)
        except OSError as error:
            self.notify(str(error), title="Not deleted", severity="error")
            return
        self.notify("Deleted when the app ends; ctrl+z brings it back.", timeout=4)
        self._wants(chosen=tuple(one for one in self._chosen if one != record.folder))

    def action_undo(self) -> None:
        """Bring back the run deleted last; that it is deleted is said no longer."""
        self.app.clear_notifications()
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

    # -- panes ----------------------------------------------------------------------------------

    def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        """Show that pane, where there is room for one."""
        self._show_pane((event.tab.id or "").removeprefix("tab-"))

    def action_next_pane(self) -> None:
        """The next pane, after the last one the first."""
        panes = [*PANES]
        shown = panes.index(self.query_one(Tabs).active.removeprefix("tab-"))
        self._show_pane(panes[(shown + 1) % len(panes)])

    def _show_pane(self, key: str) -> None:
        for pane in PANES:
            self.set_class(pane == key, f"-show-{pane}")
        if self.query_one(Tabs).active != f"tab-{key}":
            self.query_one(Tabs).active = f"tab-{key}"
        self.call_after_refresh(self._focus_pane, key)

    def _focus_pane(self, key: str) -> None:
        """Keys belong to what is on screen."""
        pane = self.query_one(f"#{key}")
        if self.focused is None or pane not in self.focused.ancestors_with_self:
            (self.query_one(RunTable) if key == "runs" else pane).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Grey out what can't be done now."""
        if action == "undo":
            return self._shelf.can_undo
        if action in {"choose", "rename", "tag", "delete", "build", "choose_all"}:
            return bool(self._view and self._view.rows) or None
        return True


def _style(index: int) -> SeriesStyle:
    """Colour and marker together tell 40 runs apart."""
    return SeriesStyle(class_color(index), class_marker(index))
