"""Step mode through time: which step and gate of a recurrent layer is looked at, and unrolled."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_nn.modes.looking import Looking
from tui_nn.modes.step_tools import StepTools, tool
from tui_nn.modes.transport import Send
from tui_nn.monitor import Monitor
from tui_nn.widgets.time_table import TimeTable
from tui_nn.widgets.unrolled_diagram import UnrolledDiagram
from tui_nn_engine.sessions import protocol


class StepTime(StepTools, inherit_bindings=False):
    """Keys and clicks on time steps and gates. Subclasses keep `looking`, and look by `look`."""

    BINDING_GROUP_TITLE = "Through time"
    BINDINGS: ClassVar[list[BindingType]] = [
        tool("greater_than_sign", "time(1)", "time step after", "Look at it", ">"),
        tool("less_than_sign", "time(-1)", "time step before", "Look at it", "<"),
        tool("right_curly_bracket", "gate(1)", "gate after", "Of a recurrent layer", "}"),
        tool("left_curly_bracket", "gate(-1)", "gate before", "Of a recurrent layer", "{"),
        tool("T", "unroll", "unroll", "A recurrent layer over time, or one time step of it", "T"),
        *(binding for binding in StepTools.BINDINGS if isinstance(binding, Binding)),
    ]

    def __init__(self, monitor: Monitor, send: Send) -> None:
        super().__init__(monitor, send)
        self._looking = Looking()

    def look(self, at: protocol.LookAt | None) -> None:
        """Show what is looked at."""
        raise NotImplementedError

    def show_again(self) -> None:
        """Show the same in another way."""
        raise NotImplementedError

    def action_time(self, direction: int) -> None:
        """The time step after, or before."""
        if self.moment is not None:
            self.look(self._looking.next_time(self.moment, direction))

    def action_show_time(self, time: int) -> None:
        """This time step."""
        if self.moment is not None:
            self.look(self._looking.to_time(self.moment, time))

    def action_gate(self, direction: int) -> None:
        """The next gate, or the one before."""
        if self.moment is not None:
            self.look(self._looking.next_gate(self.moment, direction))

    def action_unroll(self) -> None:
        """The layer over time, or one time step of it in the network."""
        self._looking.unroll = not self._looking.unroll
        self.show_again()

    def on_time_table_chosen(self, event: TimeTable.Chosen) -> None:
        """Look at that time step."""
        self.action_show_time(event.step)

    def on_unrolled_diagram_chosen(self, event: UnrolledDiagram.Chosen) -> None:
        """Look at that time step, and at the gate or unit of that row."""
        if event.gate >= 0:
            self._looking.change(gate=event.gate)
        if event.unit >= 0:
            self._looking.change(unit=event.unit)
        self.action_show_time(event.step)
