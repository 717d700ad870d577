"""Step mode: the next update, one operation at a time, forwards and back."""

from dataclasses import replace
from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.events import Resize
from textual.widgets import ContentSwitcher, Static

from tui_nn.modes.looking import Looking
from tui_nn.modes.step_time import StepTime
from tui_nn.modes.step_tools import LEGEND, tool, tool_line
from tui_nn.modes.transport import Send, Transport
from tui_nn.monitor import Monitor
from tui_nn.widgets.explanation_pane import ExplanationPane
from tui_nn.widgets.moment import Moment
from tui_nn.widgets.network_diagram import NetworkDiagram
from tui_nn.widgets.neuron_card import NeuronCard, sample_summary
from tui_nn.widgets.neuron_table import NeuronTable
from tui_nn.widgets.operation_strip import OperationStrip
from tui_nn.widgets.operation_tree import OperationTree
from tui_nn.widgets.time_table import TimeTable
from tui_nn.widgets.timeline_bar import TimelineBar
from tui_nn.widgets.unrolled_diagram import UnrolledDiagram
from tui_nn.widgets.weight_table import WeightTable
from tui_nn.widgets.where_line import WhereLine, link
from tui_nn_engine.sessions import protocol

SECTIONS: Final = ("program", "explanation", "network", "neuron", "tables")
IMAGES: Final = {"mnist", "mnist_small", "digits"}
IDLE: Final = {
    "starting": "The engine is starting.",
    "ready": "n takes the first update apart.",
    "running": "Training runs: space pauses it, n takes the next update apart.",
    "travelling": "On the way there: any key of the transport stops here.",
    "paused": "n takes the next update apart.",
    "stepping": "n takes the next update apart.",
    "completed": "Training is complete, so there is no next update to take apart.\n"
    "B goes one update back, r to the start, m adds epochs.",
    "diverged": "Training diverged: some numbers are not finite any more.\n"
    "B goes one update back, r to the start; l sets a smaller learning rate.",
    "dead": "The engine process ended. Train mode offers the last checkpoint.",
}
HELP: Final = """\
**One update, one operation at a time.** `n` does the next operation, `b` takes it back.
`▶` marks the next one, `✓` what is done, `›` the one that is explained.

**Look around:** the arrows or a click in the program explain any operation; enter or a double
click goes there. `[ ]` `u` `,` choose layer, unit, sample; a click on a neuron or a weight too.

**Through time:** `<` `>` choose the time step of a recurrent layer, `{` `}` its gate, a click too;
`T` shows the layer unrolled over all steps, or one of them in the network.
"""
FEW: Final = {"N": "update", "B": "update back", "space": "play", "g": "go to"}


def _transport() -> list[BindingType]:
    """The keys of every mode with a run: those that a newcomer needs are shown, with few words."""
    bindings = [binding for binding in Transport.BINDINGS if isinstance(binding, Binding)]
    few = [
        replace(binding, description=FEW[key], show=True)
        for key in FEW
        for binding in bindings
        if binding.key == key
    ]
    return [*few, *(replace(b, show=False) for b in bindings if b.key not in FEW)]


class Step(StepTime, inherit_bindings=False):
    """The program of one update with its numbers, for one layer, unit and sample."""

    CSS_PATH = "step.tcss"
    HELP = HELP
    BINDING_GROUP_TITLE = "Step mode"
    name_of_mode = "step"
    HORIZONTAL_BREAKPOINTS = [(0, "-small"), (72, "-medium"), (110, "-wide"), (150, "-huge")]
    VERTICAL_BREAKPOINTS = [
        (0, "-tiny"), (16, "-short"), (22, "-normal"), (30, "-tall"), (42, "-high")
    ]  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "step(1)", "step", priority=True, tooltip="Do the next operation"),
        Binding("b", "step(-1)", "step back", priority=True, tooltip="Undo the last operation"),
        *_transport(),
        Binding("question_mark", "app.help", "help", key_display="?", priority=True),
        Binding("t", "section", "pane", priority=True, tooltip="The next pane that hides"),
        tool("p", "phase(1)", "phase on", "To the next phase"),
        tool("P", "phase(-1)", "phase back", "To the phase before"),
        tool("left_square_bracket", "layer(-1)", "layer before", "Look at it", "["),
        tool("right_square_bracket", "layer(1)", "layer after", "Look at it", "]"),
        tool("u", "unit(1)", "unit below", "Look at it, as the table is ordered"),
        tool("U", "unit(-1)", "unit above", "Look at it, as the table is ordered"),
        tool("full_stop", "sample(1)", "sample after", "Look at it", "."),
        tool("comma", "sample(-1)", "sample before", "Look at it", ","),
        Binding("down", "unit(1)", "unit below", show=False),
        Binding("up", "unit(-1)", "unit above", show=False),
        Binding("right", "sample(1)", "sample after", show=False),
        Binding("left", "sample(-1)", "sample before", show=False),
        tool("f", "follow", "follow", "Show the layer at work, or hold the one shown"),
        tool("s", "sign", "δ or e", "Errors as δ = ∂E/∂z, or as e = −δ"),
        tool("a", "names", "names", "Names as on paper (w14) or as in code (kernel[0, 3])"),
        tool("o", "order", "order", "Large tables: largest first, or in order"),
        tool("D", "digits(1)", "more digits", "Up to 17, which are all", "D"),
        tool("d", "digits(-1)", "fewer digits", "Down to 2"),
        *StepTime.BINDINGS,
    ]

    def __init__(self, monitor: Monitor, send: Send) -> None:
        super().__init__(monitor, send)
        self._asked: tuple[str, int] | None = None
        self._section = "explanation"
        self.add_class("show-explanation")

    def compose_mode(self) -> ComposeResult:
        """The program at the left, network and explanation beside it, tables below."""
        yield TimelineBar()
        with ContentSwitcher(initial="idle", id="what"):
            yield Static(id="idle")
            with Vertical(id="update"):
                yield WhereLine(id="where")
                yield OperationStrip(id="strip")
                yield Static(id="sections")
                yield from self._compose_panes()
                with Horizontal(id="tools"):
                    yield Static(tool_line())
                    yield Static(LEGEND, id="legend")

    def _compose_panes(self) -> ComposeResult:
        with Horizontal(id="panes"):
            yield OperationTree(id="program")
            with Vertical(id="views"):
                with Container(id="pictures"):
                    yield NetworkDiagram(id="network")
                    yield UnrolledDiagram(id="unrolled")
                    with Container(id="words"):
                        yield ExplanationPane(id="explanation")
                        yield NeuronCard(id="neuron")
                with Container(id="tables"):
                    yield NeuronTable(id="neurons")
                    yield TimeTable(id="times")
                    yield WeightTable(id="weights")

    def watch_focused(self) -> None:
        """A pane that is hidden cannot keep the focus: another gets it."""
        self.call_after_refresh(self._keep_focus)

    @on(Resize)
    def _fit_panes(self) -> None:
        """As many panes side by side as there is room for, once the breakpoints are set."""
        self.call_later(self._show_section)

    def on_screen_resume(self) -> None:
        """Lay the next update open, unless it is."""
        self._asked = None
        self.show_run()

    # -- what the engine said -------------------------------------------------------------------

    def show_run(self) -> None:
        """Show what the monitor knows; lay the next update open where one can be."""
        monitor, view, listing = self.monitor, self.monitor.view, self.monitor.listing
        self.query_one(TimelineBar).show(monitor.iteration, monitor.tip)
        self.show_answers()
        if monitor.state in {"ready", "paused"}:
            self._lay_open(monitor.state, monitor.iteration)
        else:
            self._asked = None
        if view is None or listing is None:
            # Between two updates the one before stays on screen until the next is laid open.
            if self.moment is None or monitor.state not in {"ready", "paused", "travelling"}:
                self.moment = None
                self.query_one(ContentSwitcher).current = "idle"
                self.query_one("#idle", Static).update(IDLE[monitor.state])
            return
        self.query_one(ContentSwitcher).current = "update"
        before = self.moment
        if before is None or before.view is not view or before.listing is not listing:
            self._looking.keep(view)
            self.moment = self._looking.moment(view, listing)
            if self._looking.followed(self.moment):
                self.send(self._looking.at)
                self.moment = self._looking.moment(view, listing)
            self._show_moment()

    def _lay_open(self, state: str, iteration: int) -> None:
        """Ask for the next update, once: a second time might stop a run begun meanwhile."""
        if self._asked != (state, iteration):
            self._asked = state, iteration
            self.send(protocol.Step(0))

    def _show_moment(self) -> None:
        moment = self.moment
        if moment is None:
            return
        self.query_one(WhereLine).show(moment, follows=self._looking.follow)
        self.query_one(OperationStrip).show(moment)
        self.query_one(OperationTree).show(moment)
        self.set_class(moment.unrolled, "-unrolled")
        unrolled, network = self.query_one(UnrolledDiagram), self.query_one(NetworkDiagram)
        diagram = unrolled if moment.unrolled else network
        diagram.border_title = sample_summary(moment)
        diagram.show(moment)
        self.query_one(ExplanationPane).show(moment)
        self.query_one(NeuronCard).show(moment, self._image(moment))
        self._units.show(moment)
        self.query_one(WeightTable).show(moment)

    @property
    def _units(self) -> TimeTable | NeuronTable:
        """The table beside the weights: a unit at all time steps, or all units."""
        times, neurons = self.query_one(TimeTable), self.query_one(NeuronTable)
        return times if self.has_class("-unrolled") else neurons

    def _image(self, moment: Moment) -> NDArray[np.float64] | None:
        """The sample as a square picture, where the data are pictures."""
        opened, x = self.monitor.opened, moment.view.x
        data: dict[str, Any] = opened.experiment["data"] if opened else {}
        side = round(x.size**0.5)
        if data.get("name") not in IMAGES or side * side != x.size:
            return None
        return x.reshape(side, side)

    def text_on_screen(self) -> str:
        """Where the update is, the explanation, both tables."""
        strip, explanation = self.query_one(OperationStrip), self.query_one(ExplanationPane)
        tables = [self._units.plain, self.query_one(WeightTable).plain]
        return "\n\n".join([str(strip.content), explanation.plain, *tables])

    # -- stepping -------------------------------------------------------------------------------

    def action_step(self, count: int) -> None:
        """So many operations on, or back."""
        self.send(protocol.Step(count))

    def action_phase(self, direction: Literal[1, -1]) -> None:
        """To the next phase, or back to the start of one."""
        if self.moment is not None:
            self.send(protocol.StepPhase(direction))

    def on_operation_tree_wanted(self, event: OperationTree.Wanted) -> None:
        """Step until the operation is just done."""
        self.send(protocol.StepTo(event.cursor))

    # -- looking --------------------------------------------------------------------------------

    def action_layer(self, direction: int) -> None:
        """The layer after, or before."""
        if self.moment is not None:
            self.look(self._looking.next_layer(self.moment, direction))

    def action_unit(self, direction: int) -> None:
        """The next unit in the order of the table."""
        if self.moment is not None:
            self.look(self._looking.next_unit(self.moment, direction))

    def action_sample(self, direction: int) -> None:
        """Another sample of the batch."""
        if self.moment is not None:
            self.look(self._looking.next_sample(self.moment, direction))

    def action_show_sample(self, sample: int) -> None:
        """This sample of the batch."""
        self.look(self._looking.change(sample=sample))

    def on_operation_tree_looked(self, event: OperationTree.Looked) -> None:
        """Explain that operation; the update stays where it is."""
        if self.moment is not None:
            self.look(self._looking.at_operation(self.moment, event.operation))

    def on_neuron_table_chosen(self, event: NeuronTable.Chosen) -> None:
        """Show that neuron."""
        self.look(self._looking.change(unit=event.unit))

    def on_network_diagram_chosen(self, event: NetworkDiagram.Chosen) -> None:
        """Show that neuron."""
        self.look(self._looking.hold(event.layer, event.unit))

    def on_network_diagram_weight_chosen(self, event: NetworkDiagram.WeightChosen) -> None:
        """Show that weight."""
        self._looking.hold(event.layer, event.unit)
        self.look(self._looking.change(source=event.source))

    def on_weight_table_chosen(self, event: WeightTable.Chosen) -> None:
        """Show that weight."""
        self.look(self._looking.change(source=event.source))

    def on_weight_table_followed(self, event: WeightTable.Followed) -> None:
        """Follow a weight to the neuron that it comes from."""
        if self.moment is not None and self.moment.before:
            self.look(self._looking.hold(self.moment.before, event.source))

    def look_at(self, at: protocol.LookAt) -> None:
        """Look at that, written as it says, and follow the update from there."""
        view = self.monitor.view
        here = (view.iteration, view.cursor) if view and at.layer else None
        self._looking = Looking(at, here)
        self.send(at)

    def look(self, at: protocol.LookAt | None) -> None:
        """Show what is looked at: in part at once, in full when the engine answers."""
        if at is None:
            return
        self.send(at)
        self.show_again()

    def show_again(self) -> None:
        """Show the same moment in another way."""
        if self.moment is not None:
            self.moment = self._looking.moment(self.moment.view, self.moment.listing)
            self._show_moment()

    def action_follow(self) -> None:
        """Show the layer of the last operation, or hold the one shown."""
        self._looking.follow = not self._looking.follow
        self.show_again()

    def action_order(self) -> None:
        """Large layers: what matters first, or in order."""
        self._looking.largest_first = not self._looking.largest_first
        self.show_again()

    def action_sign(self) -> None:
        """Errors as delta = dE/dz, or as e = -dE/dz."""
        self.look(self._looking.other_sign())

    def action_names(self) -> None:
        """Names as on paper, or as in code."""
        self.look(self._looking.other_names())

    def action_digits(self, change: int) -> None:
        """Fewer or more significant digits."""
        self.look(self._looking.more_digits(change))

    # -- panes that share a place ---------------------------------------------------------------

    def action_section(self) -> None:
        """The next pane, where they are shown one at a time."""
        sections = self._sections
        place = sections.index(self._section) if self._section in sections else -1
        if sections:
            self.action_show_section(sections[(place + 1) % len(sections)])

    def action_show_section(self, section: str) -> None:
        """This pane, where they are shown one at a time."""
        self._section = section
        self._show_section()

    @property
    def _sections(self) -> tuple[str, ...]:
        """The larger the screen, the fewer panes have to share a place."""
        if self.has_class("-huge") and self.has_class("-high"):
            return ()
        if self.has_class("-wide", "-huge") and self.has_class("-tall", "-high"):
            return ("explanation", "neuron")
        return SECTIONS if self.has_class("-small") else SECTIONS[1:]

    def _show_section(self) -> None:
        sections = self._sections
        if sections and self._section not in sections:
            self._section = "explanation"
        self.update_classes({f"show-{name}": name == self._section for name in SECTIONS})
        tabs = [
            link(f" {section} ", f"show_section('{section}')", here=section == self._section)
            for section in sections
        ]
        self.query_one("#sections", Static).update(Content.assemble(*tabs, ("  t: next", "dim")))

    def _keep_focus(self) -> None:
        if self.focused is None and self.focus_chain:
            self.focus_chain[0].focus()
