"""What a session lets somebody see of the network while it trains, at a small price."""

import time
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.inspection.filters import filters
from tui_nn_engine.inspection.forward import Forward
from tui_nn_engine.inspection.guess import guess
from tui_nn_engine.inspection.memory import memory
from tui_nn_engine.inspection.mistakes import mistakes, residuals
from tui_nn_engine.inspection.path import Landscape, loss_path
from tui_nn_engine.inspection.roc import roc
from tui_nn_engine.inspection.spread import Gradients, spread
from tui_nn_engine.inspection.subject import subject
from tui_nn_engine.inspection.surface import Grid, surface
from tui_nn_engine.inspection.trace import trace
from tui_nn_engine.inspection.writing import writing
from tui_nn_engine.sessions.protocol import Inspect, Message
from tui_nn_engine.training.runs import Run
from tui_nn_engine.training.threads import limited
from tui_nn_engine.training.trainer import Trainer

SECONDS = 0.095  # from look to look at a picture: a little more than ten times a second
SELDOM = 0.25  # at figures, which nobody reads faster
PICTURES = ("surface", "guess")
PRICE = 15  # times what a look took must pass before the next: under 7 % of the time of training


class Inspector:
    """Tells by `send` the one view that is looked at: at once, then whenever weights have changed.

    It reads weights and writes none, so training stays the same bit for bit.
    """

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._look = Inspect()
        self._sights: Sights | None = None
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
        if self._sights is None or self._sights.trainer is not run.trainer:
            self._sights = Sights(run.trainer)
        begun = time.monotonic()
        with limited(run.trainer.threads), np.errstate(all="ignore"):
            message = self._sights.view(self._look)
        if message is not None:
            self._send(message)
        now = time.monotonic()
        # Looks come with progress, late by a part of its 0.05 s: that must not add up.
        seconds = SECONDS if self._look.view in PICTURES else SELDOM
        paced = max(self._due, begun - seconds) + seconds
        self._due = max(paced, now + PRICE * (now - begun))


class Sights:
    """What can be seen of one trainer; what never changes is made once, when it is asked for."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._forward = Forward(trainer)
        self._grid: Grid | None = None

    @cached_property
    def _start(self) -> NDArray[np.floating]:
        """All parameters at the start, (parameters,)."""
        return self.trainer.network.parameters().values

    @cached_property
    def _gradients(self) -> Gradients | None:
        learns = self.trainer.experiment.rule is None and self.trainer.parameters.trainable_size
        return Gradients(self.trainer, self._start) if learns else None

    @cached_property
    def _landscape(self) -> Landscape:
        return Landscape(self.trainer)

    def view(self, look: Inspect) -> Message | None:
        """The network as it is now. Raises ValueError where it can't be seen like this."""
        forward, data = self._forward, self.trainer.data.dataset
        match look.view:
            case "guess":
                return guess(forward, look.picture, centre=look.centre)
            case "surface":
                return surface(forward, self._grid_of(look.columns, look.rows))
            case "mistakes" if data.task != "regression":
                return mistakes(forward, look.part, look.cell, look.output)
            case "mistakes":
                return residuals(forward, look.part, look.output)
            case "roc" if data.task != "regression":
                return roc(forward, look.part, look.output)
            case "trace":
                return trace(forward, look.part, look.place)
            case "memory":
                return memory(forward, look.part, look.place, look.layer)
            case "filters":
                return filters(forward, self._start, look.layer, look.first)
            case "spread":
                return spread(self.trainer, self._start, self._gradients)
            case "path":
                return loss_path(self._landscape, self._start, look.ends)
            case "writing":
                return writing(self.trainer, look.temperature, look.seed)
        return None

    def _grid_of(self, columns: int, rows: int) -> Grid:
        """The same one as long as the size stays."""
        if self._grid is None or self._grid.asked != (columns, rows):
            self._grid = Grid(self.trainer.data.dataset.x, columns, rows)
        return self._grid
