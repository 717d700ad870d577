"""Inspect mode: look into the network and at its mistakes, while it trains too."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import ContentSwitcher, Static, Tab, Tabs

from tui_nn.modes.transport import Send, Transport
from tui_nn.monitor import Monitor
from tui_nn.views.characteristic import Characteristic
from tui_nn.views.drawing import Drawing
from tui_nn.views.errors import Confusion, Misses
from tui_nn.views.line import LossLine
from tui_nn.views.memory import Memories
from tui_nn.views.plane import Plane
from tui_nn.views.sample import Sample
from tui_nn.views.spreads import Spreads
from tui_nn.views.text import Written
from tui_nn.views.view import View
from tui_nn.views.weights import Weights
from tui_nn.widgets.case_list import CaseList
from tui_nn.widgets.timeline_bar import TimelineBar
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.sessions import protocol

VIEWS: tuple[type[View], ...] = (
    Drawing,
    Written,
    Plane,
    Confusion,
    Misses,
    Characteristic,
    Sample,
    Memories,
    Weights,
    Spreads,
    LossLine,
)
HELP = """\
**Look into the network**, as it is now; while it trains, every view follows.

`t` and `T` go from view to view, a click on a tab, too; which there are depends on the data. Keys
in the footer belong to the view, those after them to the run. Looking changes no number.

- **Draw** a digit with the mouse, or with arrows and `enter`, and see what it is taken for.
- **Text** that a network writes which was trained on text; `←→` is the temperature.
- **Boundary**, **Curve**: the output over one or two inputs, with every neuron beside it.
- **Mistakes**: rows are true classes, columns what it says. A chosen cell shows its samples, a
  click or `enter` on a sample leads to what the layers make of it.
- **Residuals**: what a regression says over what is true. Points on the diagonal are right.
- **ROC**: how well a class is told from the rest at every threshold.
- **Sample**: the predictions one by one, worst first, with what each layer makes of it.
- **Memory** of a recurrent layer: its state over time, and which steps moved the prediction.
- **Weights** of the units of a layer, pictures where the inputs are one.
- **Histograms** of weights and gradients, `×` at the start, the line now.
- **Loss line**: the loss on the straight way from the first weights to those now.
"""
IDLE = """There is nothing to look at yet.

1 builds an experiment, o opens a saved run; then there is a network to look into.
"""


class Inspect(Transport):
    """Views of the network as it is now; those that suit the data have a tab."""

    CSS_PATH = "inspect.tcss"
    ALLOW_SELECT = False  # a mouse that is dragged draws
    name_of_mode = "inspect"
    HELP = HELP
    BINDING_GROUP_TITLE = "Inspect mode"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide"), (140, "-vast")]
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]
    BINDINGS = [
        Binding("t", "view(1)", "View", priority=True, show=False),
        Binding("T", "view(-1)", "View before", priority=True, show=False),
        Binding("o", "app.open_run", "Open", priority=True, show=False),
    ]

    def __init__(self, monitor: Monitor, send: Send) -> None:
        super().__init__(monitor, send)
        self._folder = ""
        self._subject: Subject | None = None
        self._sight: object = None
        self._data: tuple[object, ...] = ()
        self._looking = False

    def compose_mode(self) -> ComposeResult:
        """Tabs, the view that is looked through, the line of time."""
        views = [kind() for kind in VIEWS]
        tabs = Tabs(*(Tab(view.label, id=f"tab-{view.id}") for view in views))
        tabs.can_focus = False
        yield tabs
        with ContentSwitcher(initial="nothing"):
            yield Static(IDLE, id="nothing")
            yield from views
        yield TimelineBar()

    # -- the engine -----------------------------------------------------------------------------

    def show_run(self) -> None:
        """Show what the monitor knows now; ask for what is to be seen and was not asked for."""
        monitor = self.monitor
        self.query_one(TimelineBar).show(monitor.iteration, monitor.tip)
        if monitor.opened is None or monitor.state in {"starting", "dead"}:
            self._looking = False
            return
        if not self._looking or monitor.opened.folder != self._folder:
            self._looking, self._folder = True, monitor.opened.folder
            self.send(protocol.Inspect("subject"))
        if monitor.subject is not None and monitor.subject is not self._subject:
            self._begin(monitor.subject)
        if monitor.sight is not None and monitor.sight is not self._sight:
            self._sight = monitor.sight
            if self.view is not None:
                self.view.show(monitor.sight)

    def on_screen_suspend(self) -> None:
        """Nobody looks: the engine need not tell."""
        if self._looking:
            self._looking, self._subject = False, None
            self.send(protocol.Inspect())

    def _begin(self, subject: Subject) -> None:
        """There is something to look at: the views that suit it, the first of them at first."""
        other = self._data != (subject.data, subject.image, subject.inputs, subject.classes)
        self._subject = subject
        self._data = (subject.data, subject.image, subject.inputs, subject.classes)
        tabs, suited = self.query_one(Tabs), []
        for view in self.query(View):
            if view.suits(subject):
                suited.append(view)
                view.begin(subject)
                tabs.show(f"tab-{view.id}")
                tabs.query_one(f"#tab-{view.id}", Tab).label = view.title()
            else:
                tabs.hide(f"tab-{view.id}")
        if other and suited:
            self._look_through(suited[0])
        elif self.view is not None:
            self._ask()

    def on_case_list_opened(self, event: CaseList.Opened) -> None:
        """See what every layer makes of a sample."""
        sample = self.query_one(Sample)
        sample.look_at(event.part, event.place)
        self._look_through(sample)

    def on_view_wanted(self) -> None:
        """The view on screen wants something else."""
        self._ask()

    def _ask(self) -> None:
        if self._looking and self.view is not None:
            self.send(self.view.request())

    # -- views ----------------------------------------------------------------------------------

    @property
    def view(self) -> View | None:
        """The one on screen."""
        shown = self.query_one(ContentSwitcher).visible_content
        return shown if isinstance(shown, View) else None

    def _look_through(self, view: View) -> None:
        self.query_one(Tabs).active = f"tab-{view.id}"
        self.query_one(ContentSwitcher).current = view.id
        view.enter()
        self._ask()

    def on_tabs_tab_activated(self, event: Tabs.TabActivated) -> None:
        """A tab was clicked, if it is not one that has been left by key already."""
        if event.tab.id != event.tabs.active:
            return
        name = event.tabs.active.removeprefix("tab-")
        if self._subject is not None and (self.view is None or self.view.id != name):
            view = self.query_one(f"#{name}", View)
            if view.suits(self._subject):
                self._look_through(view)

    def action_view(self, direction: int) -> None:
        """The next view, or the one before."""
        subject = self._subject
        suited = [view for view in self.query(View) if subject and view.suits(subject)]
        if self.view in suited:
            place = suited.index(self.view) + direction
            self._look_through(suited[place % len(suited)])
