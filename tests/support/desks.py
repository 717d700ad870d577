"""Sessions driven without a process: commands in, what was said out, and every state at hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.sessions.protocol import (
    Command,
    Open,
    Pause,
    Play,
    SetLearningRate,
    Step,
    Update,
)
from tui_nn_engine.sessions.session import Session
from tui_nn_engine.training.runs import Run

MOONS: dict[str, Any] = {
    "seed": 5,
    "data": {"name": "moons", "samples": 40, "validation_fraction": 0.1, "test_fraction": 0.15},
    "layers": [
        {"type": "dense", "units": 6, "activation": "tanh"},
        {"type": "dropout", "rate": 0.2},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": {"type": "binary_crossentropy"},
    "optimizer": {"type": "adam", "learning_rate": 0.02},
    "training": {"epochs": 3, "batch_size": 8, "threads": 1},
}
RELU: dict[str, Any] = {**MOONS, "layers": [{**MOONS["layers"][0], "activation": "relu"}] * 2}
RELU["layers"] = [*RELU["layers"], MOONS["layers"][-1]]
BATCHES = 4  # of an epoch of MOONS: 31 samples, the last batch is ragged


def with_training(**training: Any) -> dict[str, Any]:
    """MOONS, trained otherwise."""
    return {**MOONS, "training": {**MOONS["training"], **training}}


class Desk:
    """A session and all it has said."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.session = Session(self.heard.append)

    def __call__(self, command: Command) -> list[Any]:
        """What is said to this command."""
        before = len(self.heard)
        self.session.handle(command)
        return self.heard[before:]

    def work(self, portions: int = 10_000) -> list[Any]:
        """What is said while it trains, for so many portions or to the end."""
        before = len(self.heard)
        while self.session.running and portions:
            self.session.work()
            portions -= 1
        return self.heard[before:]

    @property
    def run(self) -> Run:
        """The run that is open."""
        assert self.session.run is not None, "no run is open"
        return self.session.run

    @property
    def weights(self) -> bytes:
        """All parameters as they are now."""
        return self.run.trainer.parameters.values.tobytes()

    def last(self, kind: type) -> Any:
        """The last message of this kind, None before the first."""
        return next(reversed(kinds(self.heard, kind)), None)


class BlockingDesk(Desk):
    """Has done with a command before it is given the next; an experiment is open."""

    def __init__(self, tree: dict[str, Any]) -> None:
        super().__init__()
        self(Open(tree))

    def __call__(self, *commands: Command) -> list[Any]:
        """What is said to these commands, until there is nothing left to do."""
        before = len(self.heard)
        for command in commands:
            super().__call__(command)
            self.work()
        return self.heard[before:]


def replayed(experiment: Experiment, updates: int) -> bytes:
    """The weights after so many updates of a plain loop."""
    trainer = Trainer(experiment)
    for _ in range(updates):
        trainer.update()
    return trainer.parameters.values.tobytes()


def kinds(told: list[Any], kind: type) -> list[Any]:
    """The messages of this kind."""
    return [message for message in told if isinstance(message, kind)]


# -- in every state -------------------------------------------------------------------------------


def nothing() -> Desk:
    """Nothing is open."""
    return Desk()


def desk(tree: dict[str, Any] | None = None, folder: Path | None = None) -> Desk:
    """An experiment is open, MOONS unless told otherwise."""
    found = Desk()
    found(Open(tree or MOONS, str(folder) if folder else None))
    return found


def ready() -> Desk:
    """MOONS is open."""
    return desk()


def running() -> Desk:
    """Two portions into a training without end."""
    found = desk(with_training(epochs=10**6))
    found(Play())
    found.work(2)
    return found


def paused() -> Desk:
    """The same, paused."""
    found = running()
    found(Pause())
    return found


def stepping() -> Desk:
    """Three operations into the second update."""
    found = desk()
    found(Update())
    found(Step(3))
    return found


def stepped_through() -> Desk:
    """At the end of the first update, which is still open."""
    found = desk()
    found(Step(10_000))
    return found


def completed() -> Desk:
    """All epochs are done."""
    found = desk()
    found(Play())
    found.work()
    return found


def diverged() -> Desk:
    """The learning rate was far too high."""
    found = desk(RELU)
    found(SetLearningRate(1e30))
    found(Play())
    found.work()
    return found


STATES: dict[str, Callable[[], Desk]] = {
    "ready": ready,
    "running": running,
    "paused": paused,
    "stepping": stepping,
    "completed": completed,
    "diverged": diverged,
}
