"""A session: commands in, events out. It owns one run, and is the same in any process."""

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tui_nn_datasets import DataError

from tui_nn_engine.checkpoint import CheckpointError
from tui_nn_engine.events import Epochs, Event, RunEnded
from tui_nn_engine.experiment import Experiment
from tui_nn_engine.health import health
from tui_nn_engine.protocol import (
    Close,
    Command,
    HealthReport,
    LookAt,
    Message,
    Open,
    Opened,
    Pause,
    Play,
    Refused,
    Restart,
    Save,
    SetLearningRate,
    State,
    StateChanged,
    Step,
    TrainUntil,
    Update,
)
from tui_nn_engine.runs import Run, read_metrics
from tui_nn_engine.schema import ExperimentError
from tui_nn_engine.stepper import Stepper
from tui_nn_engine.stepview import listing, step_view
from tui_nn_engine.trainer import DivergedError, Trainer

HEALTH_SECONDS = 0.5
log = logging.getLogger(__name__)


class Session:
    """Follows commands and says what happens through `send`."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self.run: Run | None = None
        self.state: State = "ready"
        self._events: Iterator[Event] | None = None
        self._stepper: Stepper | None = None
        self._look = LookAt()
        self._health_at = 0.0

    @property
    def running(self) -> bool:
        """Whether `work` has something to do."""
        return self._events is not None

    def handle(self, command: Command) -> None:
        """Follow one command; one that can't be followed is answered with Refused."""
        try:
            if isinstance(command, Open):
                self._open(command)
            elif self.run is None:
                self._send(Refused("there is no experiment yet"))
            else:
                self._follow(command, self.run)
        except DivergedError as error:
            self._diverged(error)
        except (ExperimentError, DataError, CheckpointError) as error:
            self._send(Refused(str(error)))
        except ValueError as error:
            self._send(Refused(str(error)))

    def work(self) -> None:
        """One portion of training, if there is any to do."""
        if self._events is None or self.run is None:
            return
        event = next(self._events, None)
        if event is None:
            self._events = None
            self._to("paused" if self.state == "running" else self.state)
            self._report_health(self.run, always=True)
            return
        self._send(event)
        if isinstance(event, RunEnded):
            self._to("completed" if event.reason == "completed" else "diverged")
        self._report_health(self.run)

    # -- commands -------------------------------------------------------------------------------

    def _open(self, command: Open) -> None:
        experiment = Experiment.parse(command.experiment) if command.experiment else None
        folder = Path(command.folder) if command.folder else None
        if command.resume and folder is not None:
            run = Run.resume(folder, experiment)
            self._begin(run, _history(run))
        elif experiment is not None:
            self._begin(Run(Trainer(experiment), folder))
        else:
            self._send(Refused("an experiment or the folder of a run is needed"))

    def _begin(self, run: Run, history: Epochs | None = None) -> None:
        """Make this run the session's; the one before is saved where it stands."""
        self._close_run()
        self.run, self._events, self._stepper = run, None, None
        trainer = run.trainer
        rows = trainer.network.summary()
        self._send(
            Opened(
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
        )
        self._to("completed" if trainer.done else "paused" if trainer.state.iteration else "ready")

    def _follow(self, command: Command, run: Run) -> None:
        match command:
            case Play(epochs=epochs):
                self._play(run, epochs)
            case Pause():
                self._pause()
            case Update():
                self._update(run)
            case Step(count=count):
                self._step(run, count)
            case LookAt():
                self._look = command
                self._show()
            case Restart():
                self._restart(run)
            case SetLearningRate(rate=rate):
                run.trainer.change_learning_rate(rate)
                self._to(self.state)
            case TrainUntil(epochs=epochs):
                run.trainer.train_until(max(epochs, run.trainer.state.epoch))
                if self.state in {"completed", "paused", "ready"}:
                    self._to("completed" if run.trainer.done else "paused")
                else:
                    self._to(self.state)
            case Save():
                self._save(run)
            case Close():
                self.close()

    def _play(self, run: Run, epochs: int) -> None:
        self._finish_step(run)
        trainer = run.trainer
        if trainer.done:
            self._send(Refused("training is complete; add epochs, or go back to the start"))
            return
        until = (trainer.state.epoch + epochs) * trainer.batches_per_epoch if epochs else None
        self._events = run.record(until)
        self._to("running")

    def _pause(self) -> None:
        if self._events is not None:
            self._events = None
            self._to("paused")

    def _update(self, run: Run) -> None:
        self._events = None
        if self._stepper is not None:
            self._finish_step(run)
        elif run.trainer.done:
            self._send(Refused("training is complete; add epochs, or go back to the start"))
            return
        else:
            for event in run.record(run.trainer.state.iteration + 1):
                self._send(event)
                if isinstance(event, RunEnded) and event.reason == "diverged":
                    self._to("diverged")
                    return
        self._to("completed" if run.trainer.done else "paused")
        self._report_health(run, always=True)

    def _step(self, run: Run, count: int) -> None:
        self._events = None
        if self._stepper is None or (self._stepper.complete and count > 0):
            self._finish_step(run)
            if run.trainer.done:
                self._send(Refused("training is complete; add epochs, or go back to the start"))
                self._to("completed")
                return
            self._stepper = Stepper(run.trainer)
            self._send(listing(self._stepper))
        cursor = self._stepper.cursor
        self._stepper.go_to(max(0, min(cursor + count, len(self._stepper.ops))))
        self._to("stepping")
        self._show()

    def _finish_step(self, run: Run) -> None:
        """Do the rest of an update that is half done, and book it."""
        if self._stepper is None:
            return
        stepper, self._stepper = self._stepper, None
        loss = stepper.finish()
        for event in run.write(run.trainer.progress([loss], 0.0)):
            self._send(event)
        if run.trainer.done:
            self._send(run.trainer.completed())

    def _restart(self, run: Run) -> None:
        """A run of its own, so that the one before is kept and can be resumed."""
        experiment = run.trainer.experiment
        training = experiment.training.model_copy(update={"changes": ()})
        again = experiment.model_copy(update={"training": training})
        self._begin(Run(Trainer(again, run.trainer.data)))

    def _save(self, run: Run) -> None:
        if self._stepper is None:
            self._send(run.save())
            return
        with self._stepper.undone():
            saved = run.save()
        self._send(saved)

    def _diverged(self, error: DivergedError) -> None:
        self._events = None
        if self._stepper is not None:
            self._stepper.cancel()
            self._stepper = None
        if self.run is not None:
            self._send(self.run.trainer.ended_by(error))
        self._to("diverged")

    def close(self) -> None:
        """Save what there is."""
        self._close_run()
        self.run = self._events = self._stepper = None

    def _close_run(self) -> None:
        if self.run is None or not self.run.trainer.state.iteration:
            return
        if self._stepper is not None:
            self._stepper.cancel()
        self.run.save()

    # -- what it says ---------------------------------------------------------------------------

    def _to(self, state: State) -> None:
        self.state = state
        if self.run is None:
            return
        trainer = self.run.trainer
        at = trainer.state
        self._send(
            StateChanged(
                state,
                at.iteration,
                at.epoch,
                at.batch,
                trainer.experiment.training.epochs,
                trainer.learning_rate,
            )
        )

    def _show(self) -> None:
        if self._stepper is not None:
            look = self._look
            self._send(step_view(self._stepper, look.layer, look.unit, look.sample))

    def _report_health(self, run: Run, *, always: bool = False) -> None:
        now = time.monotonic()
        program = run.trainer.program
        if program is None or not (always or now - self._health_at >= HEALTH_SECONDS):
            return
        self._health_at = now
        with np.errstate(all="ignore"):
            self._send(HealthReport(run.trainer.state.iteration, health(run.trainer, program)))


def _history(run: Run) -> Epochs:
    rows = read_metrics(run.folder / "metrics.jsonl")
    columns = run.trainer.columns
    values: list[list[Any]] = []
    for row in rows:
        found = {"epoch": row.epoch, "iteration": row.iteration, "loss": row.loss, **row.metrics}
        found["val_loss"] = row.val_loss
        found |= {f"val_{name}": value for name, value in (row.val_metrics or {}).items()}
        values.append([found.get(column) for column in columns])
    table = np.array(values, np.float64).reshape(len(values), len(columns))
    return Epochs(columns, table)
