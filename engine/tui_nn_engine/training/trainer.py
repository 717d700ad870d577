"""Training: exactly one update at a time, or a run of them as a generator of events."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tui_nn_engine.blocks.schema import ExperimentError, Problem, problems_of
from tui_nn_engine.checks.misfits import ensure_fits, rate_problem, weight_problems
from tui_nn_engine.data.prepared import Part, PreparedData, prepare
from tui_nn_engine.experiments.experiment import Change, Experiment
from tui_nn_engine.experiments.schedules import Course
from tui_nn_engine.networks.network import Network
from tui_nn_engine.programs.program import Program
from tui_nn_engine.programs.weights import weight_named
from tui_nn_engine.training.batches import Batches
from tui_nn_engine.training.class_weights import with_class_weights
from tui_nn_engine.training.divergence import DivergedError, ensure_finite
from tui_nn_engine.training.ending import Ending
from tui_nn_engine.training.evaluation import Evaluation, Evaluator
from tui_nn_engine.training.events import Epochs, Event, Progress, RunEnded, RunStarted, Stopped
from tui_nn_engine.training.figures import Figures, Row
from tui_nn_engine.training.state import Snapshot, TrainingState
from tui_nn_engine.training.threads import default_threads, limited

Array = NDArray[Any]
After = Callable[[float], str | None]
NEVER = 2**63


class Trainer:
    """An experiment being run. It knows no clock but the one that cuts progress into portions.

    `data=(x, y)` trains on arrays of the caller's: x (samples, ...), y classes (samples,),
    one-hot rows or numbers (samples, outputs). Raises ExperimentError where the experiment does
    not fit its data, and `tui_nn_datasets.DataError` where the data can't be had.
    """

    def __init__(
        self,
        experiment: Experiment,
        data: tuple[Array, Array] | PreparedData | None = None,
    ) -> None:
        training = experiment.training
        threads = training.threads or default_threads()
        training = training.model_copy(update={"threads": threads})
        schedule = experiment.schedule.settled(training.epochs)
        settled = {"training": training, "schedule": schedule}
        self.experiment = experiment.model_copy(update=settled)
        if not isinstance(data, PreparedData):
            data = prepare(experiment.data, experiment.seed, experiment.dtype, data)
        self.data: PreparedData = data
        ensure_fits(self.experiment, self.data)
        self.experiment = with_class_weights(self.experiment, self.data)
        self.network = Network(self.experiment, self.data.sample_shape)
        y = self.data.targets(self.data.train, self.network.output_shape[-1])
        self.batches = Batches(self.data.train.x, y, training, self.experiment.seed)
        self.y, self.samples = y, self.batches.samples
        self.batches_per_epoch = self.batches.count
        self.parameters = self.network.parameters()
        self.state = TrainingState(
            self.parameters,
            self.experiment.method.states(self.parameters.trainable_size),
            self.batches_per_epoch,
            (self.samples, *self.network.output_shape),
            self.experiment.dtype,
            (*schedule.counters, *experiment.stopping.memory(self.parameters.values.size)),
        )
        self._course = Course(self.batches_per_epoch, self.samples)
        self._evaluator = Evaluator(self.network, self.parameters, self.data, self.threads)
        self._figures = Figures(self.state, self.batches, self._evaluator)
        self._ending = Ending(self.state, self._figures.columns)
        self.seconds = 0.0
        """It has computed for so long; see `Stopping.seconds`."""
        self.program: Program | None = None  # of the last update; None: it came here without one
        self._programs: dict[int, Program] = {}
        self._arrive()

    # -- where it stands ------------------------------------------------------------------------

    @property
    def total_iterations(self) -> int:
        """Updates until the last epoch is complete."""
        return self.batches_per_epoch * self.experiment.training.epochs

    @property
    def done(self) -> bool:
        """Whether the last epoch is complete, or training has ended before."""
        return self._ending.reason(self.experiment) is not None

    @property
    def ended_early(self) -> str:
        """Why training has ended before its last epoch, in a word or two; else ""."""
        return (self._ending.early(self.experiment) or "").replace("_", " ")

    @property
    def learning_rate(self) -> float:
        """The rate of the next update."""
        at, counters = self.state.iteration, self.state.memory
        return self.experiment.learning_rate_at(at, self._course, counters)

    # -- what a person does while it runs -------------------------------------------------------

    def change_learning_rate(self, rate: float) -> None:
        """From the next update on; written into the experiment, so that a replay repeats it.

        Raises ExperimentError for a rate that is not a finite number above 0.
        """
        if problem := rate_problem(rate, self.experiment.dtype):
            raise ExperimentError([Problem("learning_rate", problem)])
        self._change(learning_rate=rate)

    def change_weight(self, name: str, value: float) -> None:
        """Put `value` into a weight ("dense_1.kernel[0, 3]"), now and in every replay.

        The state of the update rule stays as it is. A frozen weight may be changed, too: frozen
        means that training leaves it alone. Raises ExperimentError for an unknown weight, and for
        a value that is not finite in the type of the weights.
        """
        problems = weight_problems(name, value, self.parameters)
        if problems:
            raise ExperimentError(problems)
        self._change(weight=weight_named(name, self.parameters).name, value=value)

    def _change(self, **what: Any) -> None:
        """Book a change and make it; what was to be changed later is forgotten."""
        try:
            change = Change(iteration=self.state.iteration, **what)
        except ValidationError as error:
            raise ExperimentError(problems_of(error, Change)) from None
        before = filter(change.keeps, self.experiment.training.changes)
        self._with_training(changes=(*before, change))
        self._arrive()

    def train_until(self, epochs: int) -> None:
        """Make `epochs` the number of epochs of the experiment.

        Where training had ended before its last epoch, it no longer may for that reason.
        """
        self._with_training(epochs=max(epochs, 1))
        while self.state.epoch < epochs and (reason := self._ending.early(self.experiment)):
            stopping = self.experiment.stopping.lifted(reason)
            self.experiment = self.experiment.model_copy(update={"stopping": stopping})
        self._arrive()

    def restart(self) -> None:
        """Back to the start: the same seed, the same initial weights, changes forgotten."""
        self._with_training(changes=())
        self.rewind()

    # -- going elsewhere ------------------------------------------------------------------------

    def rewind(self) -> None:
        """Back to the start; changes will come again when it is their time."""
        self.state.reset(self.experiment.seed)
        self._moved()

    def restore(self, snapshot: Snapshot) -> None:
        """Stand where this was taken. Raises ValueError, changing nothing, where it can't."""
        self.state.restore(snapshot)
        self._moved()

    def _moved(self) -> None:
        self._figures.take()
        self.program = None
        self._arrive()

    def _with_training(self, **values: Any) -> None:
        training = self.experiment.training.model_copy(update=values)
        self.experiment = self.experiment.model_copy(update={"training": training})

    # -- one update -----------------------------------------------------------------------------

    def update(self) -> float:
        """Exactly one update; returns its loss. Raises DivergedError."""
        with limited(self.threads), np.errstate(all="ignore"):
            return self._update()

    @property
    def threads(self) -> int:
        """Of the matrix products."""
        return self.experiment.training.threads or 1

    def load(self) -> Program:
        """The program of the next update, its batch, rate and counter in place."""
        state = self.state
        place = self.batches.place(state.batch)
        size = place.stop - place.start
        program = self._programs.get(size) or self._compile(size)
        self.program = program
        self.batches.load(program, state.epoch, place)
        state.clock["iteration"].fill(state.iteration)
        return program

    def verify(self, program: Program) -> float:
        """The loss just computed. Raises DivergedError where it or a gradient is not finite."""
        return ensure_finite(self.state.iteration + 1, program, self.parameters)

    def finish(self, program: Program, loss: float) -> None:
        """Book the update that was just made."""
        self._book(program, loss)
        if self.state.batch == self.batches_per_epoch:
            self._heed(self._figures.end(program))
        self._move_on()

    def _update(self) -> float:
        program, loss = self._make()
        self.finish(program, loss)
        return loss

    def replay(self) -> float:
        """An update of which nobody is told: made for the second time, or on a copy. Its loss.

        To be called with the BLAS threads limited to `threads`.
        """
        program, loss = self._make()
        self._book(program, loss)
        if self.state.memory and self.state.batch == self.batches_per_epoch:
            self._heed(self._figures.row(program))
        self._move_on()
        return loss

    def _make(self) -> tuple[Program, float]:
        program = self.load()
        for call in program.compute:
            call()
        loss = self.verify(program)
        for call in program.update:
            call()
        return program, loss

    def _book(self, program: Program, loss: float) -> None:
        state = self.state
        state.epoch_losses[state.batch] = loss
        state.epoch_outputs[self.batches.place(state.batch)] = program.output.array
        state.iteration += 1
        state.batch += 1

    def _move_on(self) -> None:
        state = self.state
        if state.batch == self.batches_per_epoch:
            state.epoch += 1
            state.batch = 0
        if state.iteration == self._next_change or (state.memory and not state.batch):
            self._arrive()

    def _compile(self, size: int) -> Program:
        program = self.network.compile(size, self.parameters, self.state.slots())
        self._programs[size] = program
        return program

    def _arrive(self) -> None:
        """Have what belongs to this iteration, rate, changes, the best weights if it is the end: a
        state holds those of its moment.
        """
        self._ended = self.done
        self._ending.settle(ended=self._ended)
        now, changes = self.state.iteration, self.experiment.training.changes
        self.state.clock["learning_rate"].fill(self.learning_rate)
        for change in changes:
            if change.weight is not None and change.iteration == now:
                position = weight_named(change.weight, self.parameters).position
                self.parameters.values[position] = change.value
        scheduled = self.experiment.schedule.changes_at(now, self._course)
        later = [change.iteration for change in changes if change.iteration > now]
        self._next_change = min([*later, NEVER if scheduled is None else scheduled])

    # -- epochs ---------------------------------------------------------------------------------

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of an epoch's figures: see `Epochs`."""
        return self._figures.columns

    def take_ended(self) -> Epochs:
        """The epochs ended since the last call."""
        return self._figures.take()

    def _heed(self, row: Row) -> None:
        """Decide what the figures of an ended epoch decide: the rate to come, whether to end."""
        if self.state.memory:
            losses = self._figures.losses(row)
            self.experiment.schedule.epoch_ended(*losses, self.state.memory)
            self._ending.epoch_ended(self.experiment, row)

    # -- the network as it is now ---------------------------------------------------------------

    def evaluate(self, part: Part) -> Evaluation:
        """Loss and metrics of the network as it is now; see `Evaluator`."""
        return self._evaluator.evaluate(part)

    def predict(self, x: Array) -> Array:
        """What the network gives as it is now; see `Evaluator`. Raises ValueError."""
        return self._evaluator.predict(x)

    # -- a run ----------------------------------------------------------------------------------

    def run(
        self, until: int | None = None, interval: float = 0.05, after: After | None = None
    ) -> Iterator[Event]:
        """Train until the last epoch, or until `until` updates are made.

        Pausing is not calling next.
        Yields RunStarted, Progress every `interval` seconds and at the end, and RunEnded when
        training is complete or has diverged. The interval decides where progress is cut, never
        what is computed.

        `after` is called with its loss after each update, which is then booked, the gradients
        still there. A text that it returns stops the run for that reason: after the Progress with
        that update's loss comes Stopped, and training can go on by another `run`. It must change
        nothing; None costs nothing.
        """
        yield self.started()
        target = self.total_iterations if until is None else min(until, self.total_iterations)
        while self.state.iteration < target and not self.done:
            try:
                progress, reason = self._portion(target, min(interval, self._time_left()), after)
            except DivergedError as error:
                yield self.progress([], 0.0)
                yield self.ended_by(error)
                return
            self.seconds += progress.seconds
            if self._time_left() <= 0:
                self._change(seconds=self.experiment.stopping.seconds)
            yield progress
            if reason is not None:
                yield Stopped(self.state.iteration, reason)
                break
            # A person may have asked for more, or fewer, epochs meanwhile.
            target = self.total_iterations if until is None else min(until, self.total_iterations)
        if self.done:
            yield self.completed()

    def _portion(
        self, target: int, interval: float, after: After | None
    ) -> tuple[Progress, str | None]:
        """Updates for `interval` seconds, at least one; and why to stop, where `after` says so."""
        reason = None
        losses: list[float] = []
        append, update, state, clock = losses.append, self._update, self.state, time.perf_counter
        begun = clock()
        with limited(self.threads), np.errstate(all="ignore"):
            while state.iteration < target and not self._ended:
                try:
                    loss = update()
                except DivergedError:
                    if not losses:
                        raise
                    break  # tell what went well first; the next portion fails again at once
                append(loss)
                if after is not None and (reason := after(loss)) is not None:
                    break
                if clock() - begun >= interval:
                    break
        return self.progress(losses, clock() - begun), reason

    def _time_left(self) -> float:
        return self._ending.time_left(self.experiment, self.seconds)

    def started(self) -> RunStarted:
        """What is about to run."""
        return RunStarted(
            self.experiment.tree(defaults=True),
            self.parameters.values.size,
            self.threads,
            self.samples,
            self.batches_per_epoch,
            self.state.iteration,
        )

    def progress(self, losses: list[float], seconds: float) -> Progress:
        """Where it stands, with these losses of the last updates."""
        state = self.state
        whole = self.done and not state.batch
        return Progress(
            iteration=state.iteration,
            epoch=state.epoch if whole else state.epoch + 1,
            batch=self.batches_per_epoch if whole else state.batch,
            first_iteration=state.iteration - len(losses) + 1,
            losses=np.array(losses, np.float64),
            epochs=self.take_ended(),
            learning_rate=self.learning_rate,
            seconds=seconds,
        )

    def completed(self) -> RunEnded:
        """The end of a run that is done, and why, with the figures on the test data."""
        ended = self._ending.told(self.experiment)
        if not len(self.data.test):
            return ended
        test = self.evaluate(self.data.test)
        return replace(ended, test_loss=test.loss, test_metrics=test.metrics)

    def ended_by(self, error: DivergedError) -> RunEnded:
        """The end of a run that diverged."""
        return RunEnded("diverged", self.state.epoch + 1, self.state.iteration, str(error))
