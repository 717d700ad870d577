"""A dialog: how the errors of a recurrent layer fare on their way back through time."""

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label, Static

from tui_nn.errors_in_time import ErrorsInTime
from tui_nn.monitor import Monitor
from tui_nn.widgets.dialogs import FRAME
from tui_nn.widgets.heatmap import Heatmap
from tui_nn.widgets.layer_table import told
from tui_nn_engine.training.health_over_time import OverTime
from tui_nn_engine.training.verdicts import verdict_over_time

REFRESH = 0.25  # seconds
BARS = " ▁▂▃▄▅▆▇█"
ROWS = 4  # lines of the curve
NOTHING = "No recurrent layer has been trained yet: simple_rnn, lstm or gru, and an update."


class TimeErrors(ModalScreen[None]):
    """|∂E/∂h| over the time steps, now and in the updates before; clipping at work."""

    DEFAULT_CSS = f"""
    TimeErrors {{ {FRAME}
        & > Vertical {{ width: 100; height: 30; padding: 0 2; }}
        Static {{ height: auto; width: 1fr; }}
        Heatmap {{ height: 1fr; min-height: 3; margin-top: 1; }}
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "layer(1)", "Layer", tooltip="The next recurrent layer"),
        Binding("left", "layer(-1)", "Layer before", show=False),
        Binding("escape,T", "leave", "Close", priority=True),
    ]
    AUTO_FOCUS = "#leave"

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self.monitor = monitor
        self._layer = 0
        self._shown: object = None

    def compose(self) -> ComposeResult:
        """Words, the curve, the picture of the updates, what clipping does."""
        with Vertical():
            yield Label("Errors on their way back through time", classes="title")
            yield Static(id="words")
            yield Static(id="curve")
            yield Heatmap(empty=NOTHING)
            yield Static(id="clipping")
            yield Button("Close", id="leave", compact=True)

    def on_mount(self) -> None:
        """Show what there is, and what comes."""
        self.set_interval(REFRESH, self._show)
        self._show()

    def on_resize(self) -> None:
        """The curve anew."""
        self._shown = None

    def _show(self) -> None:
        heard = self.monitor.errors_in_time
        if not heard.layers or (heard.layers, self._layer) == self._shown:
            return
        self._shown = heard.layers, self._layer
        layer = heard.layers[self._layer % len(heard.layers)]
        norms = heard.norms(self._layer % len(heard.layers))
        width = max(self.query_one("#curve").size.width, 20)
        self.query_one("#words", Static).update(self._words(heard, layer))
        self.query_one("#curve", Static).update("\n".join(curve(norms[-1], width)))
        self.query_one(Heatmap).array = logarithms(norms)
        self.query_one("#clipping", Static).update(clipping_told(heard))

    def _words(self, heard: ErrorsInTime, layer: OverTime) -> Text:
        """The layer, its spectral radius, the verdict."""
        text = Text(f"{layer.layer}", style="bold")
        if len(heard.layers) > 1:
            text.append(f" (← → of {len(heard.layers)})", "dim")
        radii = [
            f"{radius:.3g}{f' ({gate})' if gate else ''}"
            for gate, radius in zip(layer.gates, layer.radius.tolist(), strict=True)
            if np.isfinite(radius)
        ]
        if radii:
            text.append(f", spectral radius of U {', '.join(radii)}")
        verdict = verdict_over_time(layer)
        text.append("\n")
        if verdict is None:
            return text.append(
                "✓ Errors neither vanish nor explode on their way back through time."
            )
        return text.append_text(told(layer.layer, verdict, self.app.theme_variables))

    def action_layer(self, direction: int) -> None:
        """The next recurrent layer, or the one before."""
        self._layer += direction
        self._show()

    def action_leave(self) -> None:
        """Back to training."""
        self.dismiss(None)

    def on_button_pressed(self) -> None:
        """With the mouse."""
        self.dismiss(None)


def logarithms(norms: NDArray[np.float64]) -> NDArray[np.float64]:
    """log10; nan where there is no error, or it is 0."""
    with np.errstate(divide="ignore"):
        found = np.log10(norms)
    return np.where(np.isfinite(found), found, np.nan)


def curve(norms: NDArray[np.float64], width: int) -> list[str]:
    """The norms over time as bars on a logarithmic scale, and a line that says how large they are.

    Where there are more steps than room, of those that share a column the largest is drawn.
    """
    columns = np.array_split(logarithms(norms), min(len(norms), width))
    with np.errstate(all="ignore"):
        heights = np.array([np.nan if np.isnan(c).all() else np.nanmax(c) for c in columns])
    known = heights[np.isfinite(heights)]
    if not known.size:
        return ["no error came through time yet"]
    low, high = float(known.min()), float(known.max())
    share = (
        (heights - low) / (high - low) if high > low else np.where(np.isnan(heights), heights, 1)
    )
    wide = max(width // len(columns), 1)
    eighths = np.where(np.isnan(share), 0, np.rint(1 + share * (8 * ROWS - 1))).astype(int)
    rows = [
        "".join(BARS[min(max(int(eighth) - 8 * row, 0), 8)] * wide for eighth in eighths)
        for row in reversed(range(ROWS))
    ]
    finite = np.flatnonzero(np.isfinite(norms))
    first, last = int(finite[0]), int(finite[-1])
    ends = f"t={first + 1}: {norms[first]:.3g}", f"t={last + 1}: {norms[last]:.3g}"
    middle = f"|∂E/∂h| from {10**low:.2g} to {10**high:.2g}, log"
    room = max(len(columns) * wide, sum(map(len, (*ends, middle))) + 4)
    return [*rows, f"{ends[0]}  {middle.center(room - len(ends[0]) - len(ends[1]) - 4)}  {ends[1]}"]


def clipping_told(heard: ErrorsInTime) -> str:
    """What clipping does; what it would be good for, where there is none."""
    above = (
        "Above: log10 |∂E/∂h|, a column a time step, a row an update, the last one at the bottom."
    )
    clipping = heard.clipping
    if clipping is None:
        return f"{above}\nNothing is clipped (global_clipnorm of the optimizer does)."
    if clipping.after < clipping.before:
        now = f"the gradient was cut from {clipping.before:.3g} to {clipping.after:.3g}"
    else:
        now = f"the gradient, {clipping.before:.3g}, was left as it is"
    often = f"clipped in {heard.clipped} of {heard.seen} updates looked at"
    return f"{above}\n{clipping.kind.capitalize()}: in the last update {now}; {often}."
