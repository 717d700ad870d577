"""Train mode: loss and accuracy live, the layers' health, what happened."""

from collections.abc import Callable

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Tab, Tabs

from tui_nn.history import SMOOTHINGS, History
from tui_nn.modes.transport import Send, Transport
from tui_nn.monitor import Monitor
from tui_nn.widgets.curve import Curve, Series, SeriesStyle
from tui_nn.widgets.errors_in_time import TimeErrors
from tui_nn.widgets.event_log import EventLog
from tui_nn.widgets.layer_table import LayerPane
from tui_nn.widgets.rate_finder import RateFinder
from tui_nn.widgets.timeline_bar import TimelineBar

PANES = {"loss": "Loss", "metric": "Accuracy", "layers": "Layers", "events": "Events"}
EMPTY = "Press space to start training. N makes one update, e one epoch, 3 takes an update apart."
NOTHING = "Nothing is open. space trains what Build (1) holds, o goes on with a saved run."
LATER = "A point at the end of each epoch."
VALIDATION = SeriesStyle("warning", "●", smoothed=False)
BEFORE = SeriesStyle("secondary", "×")
HELP = """\
**Train and watch.** `space` trains on and pauses; leaving the mode does not stop it.

The loss of every update is drawn, `●` after each epoch that of the validation data, which the
network never learns from: where it rises while the other falls, the network overfits.
The line of time below goes back: click on it, or `B`, `E`, `g`. What you change in the past
branches; the curve before stays on as `×`. `L` tries ever larger learning rates on a copy of the
network and suggests one.

The table of layers has a verdict on each: `✓` learning, `!` slow or fast, `✗` vanishing, exploding,
dead, saturated, not learning. Of the row you choose it says why, and what to try.
`T`: how errors of recurrent layers vanish or explode on their way back through time; clipping.
"""


class Train(Transport):
    """Watch it learn."""

    CSS_PATH = "train.tcss"
    name_of_mode = "train"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    HELP = HELP
    BINDING_GROUP_TITLE = "Train mode"
    BINDINGS = [
        Binding("n", "take_apart", "Take the next update apart", priority=True, show=False),
        Binding("y", "log_axis", "Log", priority=True, tooltip="Loss on a logarithmic axis"),
        Binding("w", "smoothing", "Smooth", priority=True, tooltip="Smooth the loss more, or not"),
        Binding(
            "L",
            "find_rate",
            "Find rate",
            priority=True,
            key_display="L",
            tooltip="Try learning rates on a copy of the network, and take one over",
        ),
        Binding(
            "T",
            "errors_in_time",
            "Through time",
            priority=True,
            key_display="T",
            tooltip="How errors vanish or explode through time; clipping",
        ),
        Binding("o", "app.open_run", "Open", priority=True, tooltip="Go on with a saved run"),
        Binding("t", "next_pane", "Next pane", priority=True, show=False),
    ]

    def __init__(self, monitor: Monitor, send: Send, take_rate: Callable[[float], None]) -> None:
        super().__init__(monitor, send)
        self.take_rate = take_rate
        self._folder: str | None = None
        self._health: object = None
        self._names: tuple[str, ...] = ()
        self._over_time = False

    def compose_mode(self) -> ComposeResult:
        """Two curves above, layers and events below; one of them at a time where it is narrow."""
        yield Tabs(*(Tab(label, id=f"tab-{key}") for key, label in PANES.items()))
        with Vertical(id="panes"):
            with Horizontal(id="curves"):
                loss = [Series("training", self.monitor.loss)]
                yield Curve(loss, title="Loss", empty=EMPTY, id="loss")
                yield Curve([], title="Accuracy", empty=LATER, id="metric")
            yield LayerPane()
            yield EventLog(id="events")
        yield TimelineBar()

    def on_mount(self) -> None:
        """Titles, and what there is already."""
        self.query_one(LayerPane).border_title = "Layers"
        self.query_one("#events").border_title = "Events"
        self.query_one("#loss").focus()
        self._show_pane("loss")

    def show_run(self) -> None:
        """Show what the monitor knows now."""
        monitor = self.monitor
        opened = monitor.opened
        if opened is not None and (opened.folder != self._folder or self._names != self._figures()):
            self._folder, self._names, self._health = opened.folder, self._figures(), None
            self._set_series(monitor)
            self.query_one(LayerPane).show(opened, monitor.health, monitor.verdicts)
        nothing = opened is None and monitor.state != "starting"
        self.query_one("#loss", Curve).empty = NOTHING if nothing else EMPTY
        for curve in self.query(Curve):
            curve.data_changed()
        self.query_one(TimelineBar).show(monitor.iteration, monitor.tip)
        if opened is not None and monitor.health is not self._health:
            self._health = monitor.health
            over_time = bool(monitor.errors_in_time.layers)
            if over_time != self._over_time:  # T is shown, or is not any more
                self._over_time = over_time
                self.refresh_bindings()
            self.query_one(LayerPane).show(opened, monitor.health, monitor.verdicts)
        self.query_one(EventLog).show(monitor.log, monitor.logged)

    def _figures(self) -> tuple[str, ...]:
        return tuple(self.monitor.figures)

    def _set_series(self, monitor: Monitor) -> None:
        loss, metric = self.query_one("#loss", Curve), self.query_one("#metric", Curve)
        name, figures, before = monitor.metric, monitor.figures, monitor.branch_figures
        loss.series = _series(monitor.loss, figures.get("val_loss"), monitor.branch_loss)
        if not name:
            metric.series = []
            return
        metric.title = {"r2": "R²", "rmse": "RMSE"}.get(name, name.replace("_", " ").capitalize())
        metric.series = _series(figures[name], figures.get(f"val_{name}"), before.get(name))

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

    # -- the curves -----------------------------------------------------------------------------

    def action_log_axis(self) -> None:
        """Linear or logarithmic loss."""
        curve = self.query_one("#loss", Curve)
        curve.log_scale = not curve.log_scale

    def action_smoothing(self) -> None:
        """None, then each of the smoothings."""
        curve = self.query_one("#loss", Curve)
        steps = (0.0, *SMOOTHINGS)
        curve.smoothing = steps[(steps.index(curve.smoothing) + 1) % len(steps)]
        what = f"over {curve.smoothing:.0f} updates" if curve.smoothing else "off"
        self.notify(f"Smoothing {what}", timeout=2)

    @work
    async def action_find_rate(self) -> None:
        """Try learning rates, and take one over."""
        rate = await self.app.push_screen_wait(RateFinder(self.monitor, self.send))
        if rate is not None:
            self.take_rate(rate)

    def action_errors_in_time(self) -> None:
        """Errors of recurrent layers on their way back through time."""
        self.app.push_screen(TimeErrors(self.monitor))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without recurrent layers there is no time."""
        if action == "errors_in_time" and not self.monitor.errors_in_time.layers:
            return False
        return super().check_action(action, parameters)

    def action_take_apart(self) -> None:
        """Step mode shows the next update one operation at a time."""
        self.app.switch_mode("step")


def _series(training: History, validation: History | None, before: History | None) -> list[Series]:
    """The branch before lies behind what is trained now."""
    found = [Series("branch before", before, BEFORE, over=True)] if before else []
    found.append(Series("training", training))
    if validation is not None:
        found.append(Series("validation", validation, VALIDATION))
    return found
