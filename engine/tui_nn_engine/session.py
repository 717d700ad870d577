"""A session: commands in, events out. It owns one run, and is the same in any process."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
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
        except BrokenPipeError:
            raise
        except (ExperimentError, DataError, CheckpointError, ValueError, OSError) as error:
            self._send(Refused(str(error)))
        except MemoryError as error:
            self._send(Refused(f"not enough memory: {error}"))

    def work(self) -> None:
        """One portion of training, if there is any to do."""
        if self._events is None or self.run is None:
            return
        try:
            event = next(self._events, None)
        except MemoryError as error:
            self._send(Refused(f"not enough memory: {error}"))
            event = None
        if event is not None:
            self._send(event)
        ended = event is None or isinstance(event, RunEnded)
        if isinstance(event, RunEnded):
            self._to("completed" if event.reason == "completed" else "diverged")
        elif ended:
            self._to("paused")
        if ended:
            self._events = None
        self._report_health(self.run, always=ended)

    # -- commands -------------------------------------------------------------------------------

    def _open(self, command: Open) -> None:
        experiment = Experiment.parse(command.experiment) if command.experiment else None
        folder = Path(command.folder) if command.folder else None
        self._keep()
        if command.resume and folder is not None:
            run = Run.resume(folder, experiment)
            self._begin(run, _history(run))
        elif experiment is not None:
            self._begin(Run(Trainer(experiment), folder))
        else:
            self._send(Refused("an experiment or the folder of a run is needed"))

    def _begin(self, run: Run, history: Epochs | None = None) -> None:
        """Make this run the session's."""
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
        self._to(_resting(run))

    def _follow(self, command: Command, run: Run) -> None:
        match command:
            case Play(epochs=epochs):
                self._play(run, epochs)
            case Pause():
                self._stop(run)
                self._to("paused" if self.state == "running" else self.state)
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
                self._change_learning_rate(run, rate)
            case TrainUntil(epochs=epochs):
                at = run.trainer.state
                begun = at.batch > 0 or self._stepper is not None
                run.trainer.train_until(max(epochs, at.epoch + begun))
                resting = self.state in {"completed", "paused", "ready"}
                self._to(_resting(run) if resting else self.state)
            case Save():
                self._save(run)
            case Close():
                self.close()

    def _stop(self, run: Run) -> None:
        """Train no further; a run that has ended is told to its end."""
        while self._events is not None and run.trainer.done:
            self.work()
        self._events = None

    def _complete(self, run: Run) -> bool:
        """Whether there is nothing left to train; says so."""
        if not run.trainer.done:
            return False
        if self.state == "completed":
            self._send(Refused("training is complete; add epochs, or go back to the start"))
        else:
            self._to("completed")
        return True

    def _play(self, run: Run, epochs: int) -> None:
        self._stop(run)
        self._finish_step(run)
        if self._complete(run):
            return
        trainer = run.trainer
        until = (trainer.state.epoch + epochs) * trainer.batches_per_epoch if epochs else None
        self._events = run.record(until)
        self._to("running")

    def _update(self, run: Run) -> None:
        self._stop(run)
        if self._stepper is not None:
            self._finish_step(run)
        elif self._complete(run):
            return
        else:
            for event in run.record(run.trainer.state.iteration + 1):
                self._send(event)
                if isinstance(event, RunEnded) and event.reason == "diverged":
                    self._to("diverged")
                    return
        self._to(_resting(run))
        self._report_health(run, always=True)

    def _step(self, run: Run, count: int) -> None:
        self._stop(run)
        if self._stepper is None or (self._stepper.complete and count > 0):
            self._finish_step(run)
            if self._complete(run):
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
        loss = self._stepper.finish()
        self._stepper = None
        told: Iterable[Event] = run.write(run.trainer.progress([loss], 0.0))
        if run.trainer.done:
            told = (*told, *run.record())
        for event in told:
            self._send(event)

    def _change_learning_rate(self, run: Run, rate: float) -> None:
        """For the next update; one that is half done is done again with it as far as it was."""
        with self._stepper.undone() if self._stepper else nullcontext():
            run.trainer.change_learning_rate(rate)
            if self._stepper is not None:
                run.trainer.load()
        self._to(self.state)
        self._show()

    def _restart(self, run: Run) -> None:
        """A run of its own, so that the one before is kept and can be resumed."""
        experiment = run.trainer.experiment
        training = experiment.training.model_copy(update={"changes": ()})
        again = experiment.model_copy(update={"training": training})
        self._keep()
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

    def _keep(self) -> None:
        """Save the run where it stands, before another may take its place."""
        if self.run is not None and self.run.trainer.state.iteration:
            self._save(self.run)

    def close(self) -> None:
        """Save what there is, without a word: nobody may be listening any more."""
        if self.run is not None and self.run.trainer.state.iteration:
            if self._stepper is not None:
                self._stepper.cancel()
            self.run.save()
        self.run = self._events = self._stepper = None

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
                at.iteration,
            )
        )

    def _show(self) -> None:
        if self._stepper is not None:
            look = self._look
            place = look.layer, look.unit, look.sample, look.source
            self._send(step_view(self._stepper, *place, look.operation, look.notation))

    def _report_health(self, run: Run, *, always: bool = False) -> None:
        now = time.monotonic()
        program = run.trainer.program
        if program is None or not (always or now - self._health_at >= HEALTH_SECONDS):
            return
        self._health_at = now
        with np.errstate(all="ignore"):
            self._send(HealthReport(run.trainer.state.iteration, health(run.trainer, program)))


def _resting(run: Run) -> State:
    """The state of a run that nothing is being done with."""
    trainer = run.trainer
    return "completed" if trainer.done else "paused" if trainer.state.iteration else "ready"


def _history(run: Run) -> Epochs:
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
