"""The learning-rate range test of a session: begun, told of, called off."""

from collections.abc import Callable, Iterator

from tui_nn_engine.sessions.protocol import Message, TryRates
from tui_nn_engine.training.rate_range import RangeTest, RatesTried
from tui_nn_engine.training.trainer import Trainer


class RateTrial:
    """At most one test, a portion of it at a time; tells what is known by `send`."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._told: Iterator[RatesTried] | None = None

    @property
    def running(self) -> bool:
        """Whether `work` has something to do."""
        return self._told is not None

    def begin(self, command: TryRates, trainer: Trainer) -> None:
        """From where the trainer stands; where there is nothing to be tried it says why."""
        try:
            test = RangeTest(trainer, command.lowest, command.highest, command.updates)
        except ValueError as error:
            self._send(RatesTried(command.updates, done=True, why=str(error)))
            return
        self._send(RatesTried(command.updates))
        self._told = test.run()

    def work(self) -> None:
        """One portion."""
        known = next(self._told, None) if self._told is not None else None
        if known is None:
            self._told = None
        else:
            self._send(known)

    def call_off(self) -> None:
        """No more of it."""
        self._told = None
