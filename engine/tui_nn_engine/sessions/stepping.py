"""The update that a session has laid open: stepped, left, finished, shown."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tui_nn_engine.experiments.files import write_atomically
from tui_nn_engine.sessions.protocol import Exported, LookAt, Message
from tui_nn_engine.stepping.gradient_check import check_gradient
from tui_nn_engine.stepping.handout import handout
from tui_nn_engine.stepping.handout_formats import FORMATS
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.stepview import listing, step_view
from tui_nn_engine.training.divergence import DivergedError
from tui_nn_engine.training.trainer import Trainer


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
            self.stepper.trainer.program = None  # its slots are those of half an update
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
            how = look.operation, look.notation, look.gate, look.time
            self._send(step_view(self.stepper, *place, *how))

    def check_gradient(self, weight: str) -> None:
        """Tell its numerical gradient beside backpropagation's. Raises ValueError."""
        self._send(check_gradient(self._laid_open(), weight))

    def export(self, path: Path, style: str) -> None:
        """Write the whole update down, for the sample and in the notation being looked at.

        Raises ValueError where it can't be done, OSError where it can't be written.
        """
        stepper = self._laid_open()
        sample = min(max(self.look.sample, 0), stepper.program.batch - 1)
        try:
            found = handout(stepper, sample, self.look.notation)
        except DivergedError as error:
            raise ValueError(f"there is no whole update to write down: {error}") from None
        write_atomically(path, FORMATS[style](found).encode())
        self._send(Exported(str(path)))

    def _laid_open(self) -> Stepper:
        if self.stepper is None:
            raise ValueError("no update is laid open: take a step first")
        return self.stepper
