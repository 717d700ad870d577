"""What a session says of a run as a whole: what was opened, where it stands, how it does."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tui_nn_engine.sessions.protocol import HealthReport, Opened, State, StateChanged
from tui_nn_engine.training.events import Epochs
from tui_nn_engine.training.health import COLUMNS
from tui_nn_engine.training.health_over_time import clipping, over_time
from tui_nn_engine.training.runs import Run, read_metrics
from tui_nn_engine.training.verdicts import judge

HEALTH_SECONDS = 0.5


def opened(run: Run, history: Epochs | None = None) -> Opened:
    """What this run trains, and where it stands; `history`: the epochs until there."""
    trainer = run.trainer
    rows = trainer.network.summary()
    return Opened(
        trainer.experiment.tree(defaults=True),
        str(run.folder),
        tuple(row.name for row in rows),
        tuple(" × ".join(map(str, row.output_shape)) for row in rows),
        tuple(row.parameters for row in rows),
        trainer.state.iteration,
        trainer.state.epoch,
        trainer.state.batch,
        trainer.batches_per_epoch,
        trainer.samples,
        trainer.threads,
        history or Epochs(),
    )


def standing(run: Run, state: State) -> StateChanged:
    """Where the run stands, in this state."""
    trainer, at = run.trainer, run.trainer.state
    epochs = trainer.experiment.training.epochs
    ended = trainer.ended_early if state == "completed" else ""
    place = at.iteration, at.epoch, at.batch
    return StateChanged(state, *place, epochs, trainer.learning_rate, run.timeline.tip, ended)


def resting(run: Run) -> State:
    """The state of a run that nothing is being done with."""
    return "completed" if run.trainer.done else "paused" if run.timeline.tip else "ready"


def history(run: Run) -> Epochs:
    """The epochs in the run's metrics.jsonl."""
    rows = read_metrics(run.folder / "metrics.jsonl")
    columns = run.trainer.columns
    values: list[list[Any]] = []
    for row in rows:
        found: dict[str, Any] = {"epoch": row.epoch, "iteration": row.iteration, "loss": row.loss}
        found |= {**row.metrics, "val_loss": row.val_loss}
        found |= {f"val_{name}": value for name, value in (row.val_metrics or {}).items()}
        values.append([found.get(column) for column in columns])
    table = np.array(values, np.float64).reshape(len(values), len(columns))
    return Epochs(columns, table)


class HealthReports:
    """Tells by `send` how the layers are doing, every now and then.

    Their numbers are those of an update: where it stands without having made one (at the start, at
    the tip come back to), a report without rows says that none are known.
    """

    def __init__(self, send: Callable[[HealthReport], None]) -> None:
        self._send = send
        self._told = 0.0

    def report(self, run: Run, *, always: bool = False) -> None:
        """Of where it stands, if it is time to (or `always`)."""
        now = time.monotonic()
        program = run.trainer.program
        if not (always or now - self._told >= HEALTH_SECONDS):
            return
        self._told = now
        if program is None:
            unknown = np.empty((0, len(COLUMNS)))
            self._send(HealthReport(run.trainer.state.iteration, unknown))
            return
        times = over_time(run.trainer, program)
        judged = judge(run.trainer, program, times)
        self._send(HealthReport(run.trainer.state.iteration, *judged, times, clipping(program)))
