"""The update that a session has laid open: stepped, left, finished, shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tui_nn_engine.protocol import LookAt, Message
from tui_nn_engine.stepper import Stepper
from tui_nn_engine.stepview import listing, step_view
from tui_nn_engine.trainer import Trainer


class Stepping:
    """At most one update, half done, and what of it is looked at; says what it does by `send`."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self.stepper: Stepper | None = None
        self.look = LookAt()

    @property
    def cursor(self) -> int:
        """How many operations are done; 0 also where no update is laid open."""
        return self.stepper.cursor if self.stepper else 0

    def lay_open(self, trainer: Trainer) -> Stepper:
        """The next update."""
        self.stepper = Stepper(trainer)
        self._send(listing(self.stepper))
        return self.stepper

    def leave(self) -> None:
        """As if it had not been begun."""
        if self.stepper is not None:
            self.stepper.cancel()
            self.stepper = None

    def finish(self) -> float | None:
        """Do the rest and book it; returns its loss, None where there is none. Raises
        DivergedError.
        """
        if self.stepper is None:
            return None
        loss = self.stepper.finish()
        self.stepper = None
        return loss

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Inside, it is not begun; then it is done again as far as it was, from what is then."""
        cursor, trainer = self.cursor, self.stepper.trainer if self.stepper else None
        if self.stepper is not None:
            self.stepper.cancel()
        try:
            yield
        finally:
            if trainer is not None:
                self.stepper = Stepper(trainer)
                self.stepper.go_to(cursor)

    def show(self) -> None:
        """Tell what is looked at."""
        if self.stepper is not None:
            look = self.look
            place = look.layer, look.unit, look.sample, look.source
            self._send(step_view(self.stepper, *place, look.operation, look.notation))
