"""What a session lets somebody see of the network while it trains, at a small price."""

import time
from collections.abc import Callable

import numpy as np

from tui_nn_engine.inspection.forward import Forward
from tui_nn_engine.inspection.guess import guess
from tui_nn_engine.inspection.mistakes import mistakes, residuals
from tui_nn_engine.inspection.subject import subject
from tui_nn_engine.inspection.surface import Grid, surface
from tui_nn_engine.protocol import Inspect, Message
from tui_nn_engine.runs import Run
from tui_nn_engine.threads import limited

SECONDS = 0.08  # progress comes each 0.05 s: so every second one brings a picture
PRICE = 15  # times what a look took must pass before the next: under 7 % of the time of training


class Inspector:
    """Tells by `send` the one view that is looked at: at once, then whenever weights have changed.

    It reads weights and writes none, so training stays the same bit for bit.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._look = Inspect()
        self._forward: Forward | None = None
        self._grid: Grid | None = None
        self._due = 0.0

    def follow(self, look: Inspect, run: Run) -> None:
        """Look at something else from now on. Raises ValueError where it can't be seen."""
        self._look = look
        if look.view == "subject":
            self._send(subject(run.trainer, str(run.folder)))
        self._show(run)

    def tell(self, run: Run, *, always: bool) -> None:
        """Show the network as it is now, if it is time to (or `always`)."""
        if not self._look.view or not (always or time.monotonic() >= self._due):
            return
        try:
            self._show(run)
        except ValueError:  # another run, with other data: whoever looks will ask for another view
            self._look = Inspect()

    def _show(self, run: Run) -> None:
        if self._forward is None or self._forward.trainer is not run.trainer:
            self._forward = Forward(run.trainer)
            self._grid = None
        begun = time.monotonic()
        with limited(run.trainer.threads), np.errstate(all="ignore"):
            message = self._view(self._forward)
        if message is not None:
            self._send(message)
        now = time.monotonic()
        self._due = now + max(SECONDS - (now - begun), PRICE * (now - begun))

    def _view(self, forward: Forward) -> Message | None:
        look, data = self._look, forward.trainer.data.dataset
        match look.view:
            case "guess":
                return guess(forward, look.picture, centre=look.centre)
            case "surface":
                return surface(forward, self._grid_of(forward, look.columns, look.rows))
            case "mistakes" if data.classes:
                return mistakes(forward, look.part, look.cell)
            case "mistakes":
                return residuals(forward, look.part, look.output)
        return None

    def _grid_of(self, forward: Forward, columns: int, rows: int) -> Grid:
        """The same one as long as the size stays."""
        grid = self._grid
        if grid is None or grid.asked != (columns, rows):
            grid = Grid(forward.trainer.data.dataset.x, columns, rows)
        self._grid = grid
        return grid
