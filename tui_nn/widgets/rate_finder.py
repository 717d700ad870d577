"""A dialog that tries learning rates on a copy of the network, and takes one over."""

import math
from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label

from tui_nn.monitor import Monitor
from tui_nn.widgets.dialogs import FRAME
from tui_nn.widgets.rate_plot import RatePlot
from tui_nn_engine.sessions import protocol
from tui_nn_engine.training.rate_range import RatesTried

REFRESH = 0.1  # seconds
HINT = "Tried on a copy of the network, each rate for one update: nothing of the run is lost."


class RateFinder(ModalScreen[float | None]):
    """Loss against rate, live; the suggested rate where it is taken, else None."""

    DEFAULT_CSS = f"""
    RateFinder {{ {FRAME}
        & > Vertical {{ width: 100; height: 30; padding: 0 2; }}
        #words {{ width: 1fr; height: auto; min-height: 2; }}
        Horizontal {{ height: auto; }}
        Horizontal Input {{ width: 1fr; }}
        Button {{ margin-right: 1; }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "take", "Take it", priority=True, tooltip="The rate that is suggested"),
        Binding("escape", "leave", "Close", tooltip="Leave the rate as it is"),
    ]

    AUTO_FOCUS = "#leave"

    def __init__(self, monitor: Monitor, send: Callable[[protocol.Command], None]) -> None:
        super().__init__()
        self.monitor, self.send = monitor, send

    def compose(self) -> ComposeResult:
        """Title, plot, what comes of it, the buttons."""
        with Vertical():
            yield Label("Which learning rate?", classes="title")
            yield Label(HINT, classes="hint")
            yield RatePlot()
            yield Label(id="words", markup=False)
            with Horizontal():
                yield Label("from, to, how many (enter: again)  ")
                yield Input("1e-06  10  100", compact=True)
            with Horizontal():
                yield Button("Take it (t)", id="take", variant="primary", disabled=True)
                yield Button("Close", id="leave")

    def on_mount(self) -> None:
        """Begin, and show what comes."""
        self._try(protocol.TryRates())
        self.set_interval(REFRESH, self._show)

    def _try(self, wanted: protocol.TryRates) -> None:
        self.monitor.rates = None
        self.send(wanted)
        self.query_one(RatePlot).begin(wanted.lowest, wanted.highest)
        self._show()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Try these instead."""
        try:
            self._try(wanted_rates(event.value))
        except ValueError as error:
            self.notify(str(error), severity="warning")

    def _show(self) -> None:
        told = self.monitor.rates
        if told is not None:
            self.query_one(RatePlot).show(told)
        self.query_one("#take", Button).disabled = self._suggestion is None
        self.query_one("#words", Label).update(words(told, self.monitor.learning_rate))

    @property
    def _suggestion(self) -> float | None:
        return None if self.monitor.rates is None else self.monitor.rates.suggestion

    def action_take(self) -> None:
        """The suggested rate, once there is one."""
        if self._suggestion is not None:
            self.dismiss(self._suggestion)

    def action_leave(self) -> None:
        """What still runs is called off."""
        if self.monitor.rates is None or not self.monitor.rates.done:
            self.send(protocol.Pause())
        self.dismiss(None)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """With the mouse."""
        self.run_worker(self.run_action(f"screen.{event.button.id}"))


def wanted_rates(text: str) -> protocol.TryRates:
    """ "1e-6 10 100" as the rates to try. Raises ValueError that says how to write it."""
    try:
        lowest, highest, updates = text.replace(",", " ").split()
        wanted = protocol.TryRates(float(lowest), float(highest), int(updates))
    except ValueError:
        raise ValueError("write three numbers: 1e-6 10 100") from None
    if not 0 < wanted.lowest < wanted.highest < math.inf:
        raise ValueError("the rates must grow from above 0")
    return wanted


def words(told: RatesTried | None, now: float) -> str:
    """What is known of the rates; `now` is the one that is used."""
    if told is None:
        return "waiting for the engine…"
    if not told.done:
        made = len(told.losses)
        at = f", now at {told.rates[-1]:.2g}" if made else ""
        return f"{made} of {told.updates} rates tried{at}; escape calls it off"
    if told.suggestion is None:
        return f"No rate is suggested: {told.why}."
    text = (
        f"Suggested: {told.suggestion:g} (now {now:g}), a tenth of {told.lowest:.2g}, at which the "
        f"loss is lowest. It falls fastest at {told.steepest:.2g}"
    )
    return text + (f"; {told.why}." if told.why else ".")
