"""What a session looks out for while it trains: weights to be told of, conditions to stop at."""

from collections.abc import Callable, Iterable

import numpy as np

from tui_nn_engine.sessions.protocol import Break, BreakpointsSet, Message, Watch, Watched
from tui_nn_engine.stepping.breakpoints import Breakpoints
from tui_nn_engine.stepping.watching import Trace
from tui_nn_engine.training.trainer import After, Trainer


class Lookout:
    """Watched weights and breakpoints of one trainer; says by `send` what it sees."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._trainer: Trainer | None = None
        self._trace: Trace | None = None
        self._breakpoints: Breakpoints | None = None

    @property
    def after(self) -> After | None:
        """What training calls after each update; None, at no cost, where nothing is looked for."""
        return self.look if self._trace or self._breakpoints else None

    def look(self, loss: float) -> str | None:
        """At the update just made, whose loss this is; returns why to stop there, or None."""
        if self._trace is not None:
            self._trace.record()
        return self._breakpoints.check(loss) if self._breakpoints is not None else None

    def follow(self, command: Watch | Break, trainer: Trainer) -> None:
        """Look for something else. Raises ValueError, changing nothing, where it can't."""
        match command:
            case Watch(weights=weights):
                self.watch(trainer, weights)
            case Break(conditions=conditions):
                self.stop_at(trainer, conditions)

    def watch(self, trainer: Trainer, names: Iterable[str]) -> None:
        """Follow these weights instead. Raises ValueError for one that does not exist."""
        trace = Trace(trainer, tuple(names))
        self._trace = trace if trace.weights else None
        if self._trace is None:
            self._send(Watched((), trainer.state.iteration, np.empty((1, 0))))
        self.tell_now()

    def stop_at(self, trainer: Trainer, conditions: Iterable[str]) -> None:
        """Stop at these instead. Raises ValueError for one that is not understood."""
        found = Breakpoints(trainer, conditions)
        self._breakpoints = found if found.conditions else None
        self._send(BreakpointsSet(found.texts))

    def move_to(self, trainer: Trainer) -> None:
        """Look out at another trainer: for the same, as far as it has that, where it trains the
        same layers on the same data, else for nothing.
        """
        before, self._trainer = self._trainer, trainer
        same = before is not None and _task(before) == _task(trainer)
        if self._trace is not None:
            weights = filter(_fits(trainer, Trace), self._trace.weights) if same else ()
            self.watch(trainer, weights)
        if self._breakpoints is not None:
            found = filter(_fits(trainer, Breakpoints), self._breakpoints.texts) if same else ()
            self.stop_at(trainer, found)

    def tell(self) -> None:
        """Tell the values of the updates since it told the last time."""
        if self._trace is None:
            return
        first, values = self._trace.take()
        if len(values):
            self._send(Watched(self._trace.weights, first, values))

    def tell_now(self) -> None:
        """Tell the values where training stands."""
        if self._trace is not None:
            self._trace.record()
            self.tell()


def _task(trainer: Trainer) -> tuple[object, object]:
    return trainer.experiment.data, trainer.experiment.layers


def _fits(
    trainer: Trainer, made_of: Callable[[Trainer, tuple[str, ...]], object]
) -> Callable[[str], bool]:
    def fits(text: str) -> bool:
        try:
            made_of(trainer, (text,))
        except ValueError:
            return False
        return True

    return fits
