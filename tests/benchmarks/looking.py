"""What it costs to be looked at: a session that tells a boundary while it trains, and one alone."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import median

from tui_nn_engine.inspection.surface import Surface
from tui_nn_engine.sessions import protocol
from tui_nn_engine.sessions.session import Session
from tui_nn_engine.sessions.wire import pack

COLUMNS, ROWS = 100, 120  # 100 x 60 cells, two pixels in each
LAYERS = [(8, "tanh"), (8, "tanh"), (1, "sigmoid")]
EXPERIMENT = {
    "data": {"name": "spiral"},
    "layers": [
        {"type": "dense", "units": units, "activation": activation} for units, activation in LAYERS
    ],
    "loss": {"type": "binary_crossentropy"},
    "training": {"epochs": 10**6, "batch_size": 10, "threads": 1},
}


class Watched:
    """A session that trains as long as it is asked to; its messages are packed as for a pipe."""

    def __init__(self, folder: Path, look: protocol.Inspect) -> None:
        self.told: list[float] = []
        """When each picture was told, by the clock."""
        self.session = Session(self._hear)
        self.session.handle(protocol.Open(EXPERIMENT, str(folder)))
        self.session.handle(look)
        self.session.handle(protocol.Play())

    def _hear(self, message: protocol.Message) -> None:
        pack(message)
        if isinstance(message, Surface):
            self.told.append(time.perf_counter())

    def trains(self, seconds: float) -> float:
        """Processor seconds an update, while so many seconds pass on the clock."""
        run = self.session.run
        assert run is not None
        end, before = time.perf_counter() + seconds, run.trainer.state.iteration
        begun = time.process_time()
        while time.perf_counter() < end:
            self.session.work()
        return (time.process_time() - begun) / (run.trainer.state.iteration - before)


@contextmanager
def both() -> Iterator[tuple[Watched, Watched]]:
    """One that is looked at, and one that is not."""
    with tempfile.TemporaryDirectory() as folder:
        look = protocol.Inspect("surface", columns=COLUMNS, rows=ROWS)
        seen = Watched(Path(folder) / "seen", look)
        alone = Watched(Path(folder) / "alone", protocol.Inspect())
        yield seen, alone
        seen.session.close()
        alone.session.close()


@cache
def looked_at(turns: int = 9, seconds: float = 1.0) -> tuple[float, float, float]:
    """Seconds an update looked at and not, medians of turns; and seconds from picture to picture.

    The last by the clock, the median of the mean of each turn.
    """
    with both() as (seen, alone):
        times, gaps = [], []
        for _ in range(turns):
            before = len(seen.told)
            looked, plain = seen.trains(seconds), alone.trains(seconds)
            times.append((looked, plain))
            gaps.append(seconds / max(len(seen.told) - before, 1))
    return median(t for t, _ in times), median(t for _, t in times), median(gaps)
