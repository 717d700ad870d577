"""Step mode: the next update, one operation at a time, forwards and back."""

from dataclasses import replace
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.content import Content
from textual.style import Style
from textual.widgets import Static

from tui_nn.modes.transport import Send, Transport
from tui_nn.monitor import Monitor
from tui_nn.widgets.moment import Moment
from tui_nn.widgets.network_diagram import NetworkDiagram
from tui_nn.widgets.neuron_card import NeuronCard
from tui_nn.widgets.neuron_table import NeuronTable
from tui_nn.widgets.operation_list import OperationList
from tui_nn.widgets.operation_strip import OperationStrip
from tui_nn.widgets.weight_table import WeightTable
from tui_nn_engine import protocol
from tui_nn_engine.stepview import StepView

TRANSPORT: Final[list[BindingType]] = [
    Binding("n", "step(1)", "op on", priority=True, tooltip="Do the next operation"),
    Binding("b", "step(-1)", "op back", priority=True, tooltip="Undo the last operation"),
]
SECTIONS: Final = ("program", "network", "neuron", "tables")
IMAGES: Final = {"mnist", "mnist_small", "digits"}
IDLE: Final = {
    "starting": "The engine is starting.",
    "ready": "n takes the first update apart.",
    "running": "Training runs: space pauses it, n takes the next update apart.",
    "paused": "n takes the next update apart.",
    "travelling": "On the way to another iteration; any key of the run stops there.",
    "stepping": "n takes the next update apart.",
    "completed": "Training is complete, so there is no next update to take apart.\n"
    "Add epochs in Train mode, or go back to the start with r.",
    "diverged": "Training diverged: some numbers are not finite any more.\n"
    "Go back to the start with r, and try a smaller learning rate.",
    "dead": "The engine process ended. Train mode offers the last checkpoint.",
}
LEGEND: Final = (
    "· not computed yet   ▸ just written   ✓ done   ▶ next   "
    "errors and gradients are those of E, the mean of the batch"
)
DIGITS: Final = range(2, 13)


class Step(Transport, inherit_bindings=False):
    """The program of one update with its numbers, for one layer, unit and sample."""

    CSS_PATH = "step.tcss"
    name_of_mode = "step"
    HORIZONTAL_BREAKPOINTS = [(0, "-small"), (72, "-medium"), (110, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-tiny"), (16, "-short"), (22, "-normal"), (30, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        *TRANSPORT,
        Binding("p", "phase(1)", "phase on", priority=True, tooltip="To the next phase"),
        Binding("P", "phase(-1)", "phase back", priority=True, tooltip="To the phase before"),
        Binding("left_square_bracket", "layer(-1)", "layer", priority=True, key_display="["),
        Binding("right_square_bracket", "layer(1)", "layer", priority=True, key_display="]"),
        Binding("up", "unit(-1)", "unit", priority=True, show=False),
        Binding("down", "unit(1)", "unit", priority=True, show=False),
        Binding("left,comma", "sample(-1)", "sample", priority=True, show=False),
        Binding("right,full_stop", "sample(1)", "sample", priority=True, show=False),
        Binding("f", "follow", "follow", priority=True, tooltip="Show the layer at work"),
        Binding("s", "sign", "δ/e", priority=True, tooltip="Errors as δ or as e = −δ"),
        Binding("o", "order", "order", priority=True, tooltip="Largest first, or in order"),
        Binding("d", "digits(-1)", "digits", priority=True, tooltip="Fewer digits"),
        Binding("D", "digits(1)", "digits", priority=True, show=False, tooltip="More digits"),
        Binding("t", "section", "pane", priority=True, tooltip="The next pane"),
        # Inherited would mean first: at the bottom of a narrow terminal this mode's own keys count.
        *Transport.BINDINGS,
    ]

    def __init__(self, monitor: Monitor, send: Send) -> None:
        super().__init__(monitor, send)
        self._look = protocol.LookAt()
        self._follow = True
        self._followed: tuple[int, int] | None = None
        self._moment: Moment | None = None
        self._digits = 4
        self._textbook = False
        self._largest_first = True
        self._asked: tuple[str, int] | None = None
        self._section = "network"

    def compose_mode(self) -> ComposeResult:
        """The program at the left, the network and its neuron at the right, tables below."""
        yield Static(id="where")
        yield OperationStrip(id="strip")
        yield Static(id="sections")
        yield Static(id="idle")
        with Horizontal(id="panes"):
            yield OperationList(id="program")
            with Vertical(id="views"):
                with Container(id="pictures"):
                    yield NetworkDiagram(id="network")
                    yield NeuronCard(id="neuron")
                with Container(id="tables"):
                    yield NeuronTable(id="neurons")
                    yield WeightTable(id="weights")
        yield Static(LEGEND, id="legend")

    def on_resize(self) -> None:
        """Offer the panes that are shown one at a time at this size."""
        self.call_after_refresh(self._show_section)

    def on_screen_resume(self) -> None:
        """Lay the next update open."""
        self._asked = None
        self.show_run()

    # -- what the engine said -------------------------------------------------------------------

    def show_run(self) -> None:
        """Show what the monitor knows; lay the next update open where one can be."""
        monitor, view = self.monitor, self.monitor.view
        if monitor.state in {"ready", "paused"}:
            self._lay_open(monitor.state, monitor.iteration)
        else:
            self._asked = None
        laid_open = view is not None and monitor.listing is not None
        self.set_class(not laid_open, "idle")
        if view is None or monitor.listing is None:
            self._moment = None
            self.query_one("#idle", Static).update(IDLE[monitor.state])
            return
        before = self._moment
        if before is None or before.view is not view or before.listing is not monitor.listing:
            self._moment = Moment(
                view, monitor.listing, self._digits, self._textbook, self._largest_first
            )
            self._keep_look(view)
            self._follow_operation(view)
            self._show_moment()

    def _lay_open(self, state: str, iteration: int) -> None:
        """Ask for the next update, once: a second time might stop a run begun meanwhile."""
        if self._asked != (state, iteration):
            self._asked = state, iteration
            self.send(protocol.Step(0))

    def _keep_look(self, view: StepView) -> None:
        """Another experiment may have other layers: look at what the engine chose."""
        if self._look.layer not in view.units:
            self._look = protocol.LookAt(view.layer, view.unit, view.sample)

    def _follow_operation(self, view: StepView) -> None:
        """Look at the layer that the last operation belongs to, while that is wished."""
        place = view.iteration, view.cursor
        if not self._follow or self._followed == place or not view.cursor:
            return
        self._followed = place
        assert self._moment is not None  # noqa: S101 - just made
        layer = self._moment.listing.paths[view.cursor - 1]
        if layer in view.units and layer != self._look.layer:
            self._look_at(layer=layer)

    def _show_moment(self) -> None:
        moment = self._moment
        if moment is None:
            return
        self.query_one("#where", Static).update(self._where(moment), layout=False)
        self.query_one(OperationStrip).show(moment)
        self.query_one(OperationList).show(moment)
        self.query_one(NetworkDiagram).show(moment)
        self.query_one(NeuronCard).show(moment, self._image(moment.view))
        self.query_one(NeuronTable).show(moment)
        self.query_one(WeightTable).show(moment)

    def _where(self, moment: Moment) -> Content:
        view = moment.view
        choices = (
            ("layer", view.layer, ""),
            ("unit", f"unit {view.unit + 1}", f" of {len(view.units[view.layer]):,}"),
            ("sample", f"sample {view.sample + 1}", f" of {view.batch}"),
        )
        parts: list[str | Content | tuple[str, str]] = [
            f"operation {view.cursor}/{len(moment.listing.names)}"
        ]
        for action, name, of in choices:
            before, after = (_link(a, f"{action}({d})") for a, d in (("◂", -1), ("▸", 1)))
            parts += ["  ", before, " ", (name, "bold"), of, " ", after]
        parts += ["  ", _link(moment.error_name(view.layer), "sign"), "  "]
        parts += [_link("follows the operation" if self._follow else "layer held", "follow")]
        return Content.assemble(*parts, f"  {self._digits} digits")

    def _image(self, view: StepView) -> NDArray[np.float64] | None:
        """The sample as a square picture, where the data are pictures."""
        opened = self.monitor.opened
        data: dict[str, Any] = opened.experiment["data"] if opened else {}
        side = round(view.x.size**0.5)
        if data.get("name") not in IMAGES or side * side != view.x.size:
            return None
        return view.x.reshape(side, side)

    # -- what the person wants ------------------------------------------------------------------

    def action_step(self, count: int) -> None:
        """So many operations on, or back."""
        self.send(protocol.Step(count))

    def action_update(self) -> None:
        """The rest of this update; the next one is laid open after it."""
        self.send(protocol.Update())

    def action_phase(self, direction: int) -> None:
        """To the first operation of the next phase, or of this one, then of the one before."""
        if self._moment is None:
            return
        phases, cursor = self._moment.listing.phases, self._moment.view.cursor
        starts = [i for i in range(len(phases)) if i == 0 or phases[i] != phases[i - 1]]
        starts.append(len(phases))
        if direction > 0:
            target = next((start for start in starts if start > cursor), len(phases))
        else:
            target = next((start for start in reversed(starts) if start < cursor), 0)
        self._step_to(target)

    def action_layer(self, direction: int) -> None:
        """The layer after, or before."""
        if self._moment is None:
            return
        layers = self._moment.layers
        place = layers.index(self._look.layer) + direction
        if 0 <= place < len(layers):
            self._hold(layers[place], 0)

    def action_unit(self, direction: int) -> None:
        """The next unit in the order of the table."""
        if self._moment is None:
            return
        order = self._moment.unit_order[0]
        count = len(self._moment.view.units[self._look.layer])
        if len(order) == count:
            place = int(np.flatnonzero(order == min(self._look.unit, count - 1))[0]) + direction
            unit = int(order[min(max(place, 0), count - 1)])
        else:  # the engine has yet to say what the layer just chosen holds
            unit = min(max(self._look.unit + direction, 0), count - 1)
        self._look_at(unit=unit)

    def action_sample(self, direction: int) -> None:
        """Another sample of the batch."""
        if self._moment is not None:
            last = self._moment.view.batch - 1
            sample = min(self._look.sample, last) + direction
            self._look_at(sample=min(max(sample, 0), last))

    def action_follow(self) -> None:
        """Show the layer of the last operation, or hold the one shown."""
        self._follow = not self._follow
        self._show_moment()

    def action_sign(self) -> None:
        """Errors as delta = dE/dz, or as e = -dE/dz."""
        self._textbook = not self._textbook
        self._wish(textbook=self._textbook)

    def action_order(self) -> None:
        """Large layers: what matters first, or in order."""
        self._largest_first = not self._largest_first
        self._wish(largest_first=self._largest_first)

    def action_digits(self, change: int) -> None:
        """Fewer or more significant digits."""
        self._digits = min(max(self._digits + change, DIGITS[0]), DIGITS[-1])
        self._wish(digits=self._digits)

    def action_section(self) -> None:
        """The next pane, where they are shown one at a time."""
        sections = self._sections
        place = sections.index(self._section) if self._section in sections else 0
        self.action_show_section(sections[(place + 1) % len(sections)])

    def action_show_section(self, section: str) -> None:
        """This pane, where they are shown one at a time."""
        self._section = section
        self._show_section()

    @property
    def _sections(self) -> tuple[str, ...]:
        """The program has its own place where there is room for two."""
        return SECTIONS if self.has_class("-small") else SECTIONS[1:]

    def _show_section(self) -> None:
        for section in SECTIONS:
            self.set_class(section == self._section, f"show-{section}")
        tabs = [
            _link(f" {section} ", f"show_section('{section}')", here=section == self._section)
            for section in self._sections
        ]
        self.query_one("#sections", Static).update(Content.assemble(*tabs, ("  t: next", "dim")))

    def _wish(self, **wishes: Any) -> None:
        if self._moment is not None:
            self._moment = replace(self._moment, **wishes)
            self._show_moment()

    def _hold(self, layer: str, unit: int) -> None:
        """Look at what the person chose, and stay there."""
        self._follow = self._follow and layer == self._look.layer
        self._look_at(layer=layer, unit=unit)

    def _look_at(self, **changes: Any) -> None:
        self._look = replace(self._look, **changes)
        self.send(self._look)

    def _step_to(self, cursor: int) -> None:
        if self._moment is not None and cursor != self._moment.view.cursor:
            self.send(protocol.Step(cursor - self._moment.view.cursor))

    def on_operation_list_chosen(self, event: OperationList.Chosen) -> None:
        """Step until the clicked operation is the next one."""
        self._step_to(event.cursor)

    def on_neuron_table_chosen(self, event: NeuronTable.Chosen) -> None:
        """Show the clicked neuron."""
        self._look_at(unit=event.unit)

    def on_network_diagram_chosen(self, event: NetworkDiagram.Chosen) -> None:
        """Show the clicked neuron."""
        self._hold(event.layer, event.unit)

    def on_weight_table_chosen(self, event: WeightTable.Chosen) -> None:
        """Follow a weight to the neuron that it comes from."""
        if self._moment is not None and self._moment.before:
            self._hold(self._moment.before, event.source)


def _link(text: str, action: str, *, here: bool = False) -> Content:
    """Text that does something when clicked; `here`: where one is already."""
    style = Style(bold=here, reverse=here) + Style.from_meta({"@click": f"screen.{action}"})
    return Content.styled(text, style)
