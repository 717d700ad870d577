"""Training: exactly one update at a time, or a run of them as a generator of events."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tui_nn_datasets import stream
from tui_nn_engine.checks import ensure_fits, rate_problem
from tui_nn_engine.data import Part, PreparedData, prepare
from tui_nn_engine.events import Epochs, Event, Progress, RunEnded, RunStarted
from tui_nn_engine.experiment import Change, Experiment
from tui_nn_engine.metrics import metrics_for
from tui_nn_engine.network import Network
from tui_nn_engine.program import Program
from tui_nn_engine.schema import ExperimentError, Problem, problems_of
from tui_nn_engine.state import TrainingState
from tui_nn_engine.threads import default_threads, limited

Array = NDArray[Any]
EVALUATION_BATCH = 1000
FORWARD_PROGRAMS = 8  # kept at most: predicting for ever other numbers of samples fills no memory


class DivergedError(ArithmeticError):
    """A loss or gradient is not finite; the state is as it was before that update."""

    def __init__(self, iteration: int, path: str, operation: str) -> None:
        self.iteration, self.path, self.operation = iteration, path, operation
        super().__init__(
            f"update {iteration} gave a number that is not finite, first in {path} ({operation}). "
            "Try a smaller learning rate, other initial weights, or scaled inputs"
        )


@dataclass(frozen=True)
class Evaluation:
    """Loss and metrics on one part of the data."""

    loss: float
    metrics: dict[str, float]


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
        self.experiment = experiment.model_copy(update={"training": training})
        if not isinstance(data, PreparedData):
            data = prepare(experiment.data, experiment.seed, experiment.dtype, data)
        self.data: PreparedData = data
        ensure_fits(self.experiment, self.data)
        self.network = Network(self.experiment, self.data.sample_shape)
        self.samples = samples = len(self.data.train)
        self._size = training.batch_size
        self.batches_per_epoch = math.ceil(samples / self._size)
        self._shares = np.full(self.batches_per_epoch, self._size / samples)
        self._shares[-1] = (samples - self._size * (self.batches_per_epoch - 1)) / samples
        self.parameters = self.network.parameters()
        self.state = TrainingState(
            self.parameters,
            self.experiment.optimizer.states(),
            self.batches_per_epoch,
            (samples, *self.network.output_shape),
            self.experiment.dtype,
        )
        self.metrics = metrics_for(self.data)
        self.y = self.data.targets(self.data.train, self.network.output_shape[-1])
        self.program: Program | None = None
        self._programs: dict[int, Program] = {}
        self._forward: dict[int, Program] = {}
        self._order: tuple[int, NDArray[np.intp] | None] = (-1, None)
        self._rate_from = self._rate_until = 0
        self._ended: list[tuple[float, ...]] = []

    # -- where it stands ------------------------------------------------------------------------

    @property
    def total_iterations(self) -> int:
        """Updates until the last epoch is complete."""
        return self.batches_per_epoch * self.experiment.training.epochs

    @property
    def done(self) -> bool:
        """Whether the last epoch is complete."""
        return self.state.epoch >= self.experiment.training.epochs

    @property
    def learning_rate(self) -> float:
        """The rate of the next update."""
        return self.experiment.learning_rate_at(self.state.iteration)

    # -- what a person does while it runs -------------------------------------------------------

    def change_learning_rate(self, rate: float) -> None:
        """From the next update on; written into the experiment, so that a replay repeats it.

        Raises ExperimentError for a rate that is not a finite number above 0.
        """
        if problem := rate_problem(rate, self.experiment.dtype):
            raise ExperimentError([Problem("learning_rate", problem)])
        now = self.state.iteration
        kept = [c for c in self.experiment.training.changes if c.iteration < now]
        try:
            change = Change(iteration=now, learning_rate=rate)
        except ValidationError as error:
            raise ExperimentError(problems_of(error, Change)) from None
        self._with_training(changes=(*kept, change))
        self._rate_until = 0

    def train_until(self, epochs: int) -> None:
        """Make `epochs` the number of epochs of the experiment."""
        self._with_training(epochs=max(epochs, 1))

    def restart(self) -> None:
        """Back to the start: the same seed, the same initial weights, changes forgotten."""
        self.state.reset(self.experiment.seed)
        self._with_training(changes=())
        self._rate_until = 0

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
        start = state.batch * self._size
        stop = min(start + self._size, self.samples)
        program = self._programs.get(stop - start) or self._compile(stop - start)
        self.program = program
        order = self._epoch_order()
        if order is None:
            np.copyto(program.x.array, self.data.train.x[start:stop])
            np.copyto(program.y.array, self.y[start:stop])
        else:
            chosen = order[start:stop]
            self.data.train.x.take(chosen, 0, program.x.array, "clip")
            self.y.take(chosen, 0, program.y.array, "clip")
        state.clock["iteration"].fill(state.iteration)
        if not self._rate_from <= state.iteration < self._rate_until:
            self._set_rate()
        return program

    def verify(self, program: Program) -> float:
        """The loss just computed. Raises DivergedError where it or a gradient is not finite."""
        loss = program.loss_value
        gradients = self.parameters.gradients
        # The dot product is one fast pass; only where it overflows must each number be looked at.
        square = np.dot(gradients, gradients)
        if not (math.isfinite(loss) and (math.isfinite(square) or np.isfinite(gradients).all())):
            op = program.first_not_finite()
            path, name = (op.path, op.primitive.name) if op else ("loss", "loss")
            raise DivergedError(self.state.iteration + 1, path, name)
        return loss

    def finish(self, program: Program, loss: float) -> None:
        """Book the update that was just made."""
        state = self.state
        start = state.batch * self._size
        state.epoch_losses[state.batch] = loss
        state.epoch_outputs[start : start + program.batch] = program.output.array
        state.iteration += 1
        state.batch += 1
        if state.batch == self.batches_per_epoch:
            self._end_epoch()

    def _update(self) -> float:
        program = self.load()
        for call in program.compute:
            call()
        loss = self.verify(program)
        for call in program.update:
            call()
        self.finish(program, loss)
        return loss

    def _compile(self, size: int) -> Program:
        program = self.network.compile(size, self.parameters, self.state.slots())
        self._programs[size] = program
        return program

    def _epoch_order(self) -> NDArray[np.intp] | None:
        """The order of samples in this epoch; None: as they are. A full batch needs no order."""
        epoch, order = self._order
        if epoch != self.state.epoch:
            epoch, order = self.state.epoch, None
            if self.experiment.training.shuffle and self.batches_per_epoch > 1:
                order = stream(self.experiment.seed, "order", epoch).permutation(self.samples)
            self._order = epoch, order
        return order

    def _set_rate(self) -> None:
        now = self.state.iteration
        self.state.clock["learning_rate"].fill(self.learning_rate)
        later = [c.iteration for c in self.experiment.training.changes if c.iteration > now]
        self._rate_from, self._rate_until = now, min(later, default=2**63)

    # -- epochs ---------------------------------------------------------------------------------

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of an epoch's figures: see `Epochs`."""
        names = ("loss", *self.metrics)
        val = tuple(f"val_{name}" for name in names) if len(self.data.validation) else ()
        return ("epoch", "iteration", *names, *val)

    def _end_epoch(self) -> None:
        state = self.state
        loss = float(np.dot(state.epoch_losses, self._shares))
        order = self._epoch_order()
        targets = self.y if order is None else self.y.take(order, 0)
        row = [metric(state.epoch_outputs, targets) for metric in self.metrics.values()]
        if len(self.data.validation):
            evaluation = self._evaluate(self.data.validation)
            row += [evaluation.loss, *evaluation.metrics.values()]
        state.epoch += 1
        state.batch = 0
        self._ended.append((state.epoch, state.iteration, loss, *row))

    def take_ended(self) -> Epochs:
        """The epochs ended since the last call."""
        ended, self._ended = self._ended, []
        return Epochs(self.columns, np.array(ended).reshape(len(ended), len(self.columns)))

    # -- the network as it is now ---------------------------------------------------------------

    def evaluate(self, part: Part) -> Evaluation:
        """Loss and metrics of the network as it is now, dropout and its like off."""
        with limited(self.threads), np.errstate(all="ignore"):
            return self._evaluate(part)

    def _evaluate(self, part: Part) -> Evaluation:
        targets = self.data.targets(part, self.network.output_shape[-1])
        outputs = np.empty((len(part), *self.network.output_shape), self.data.dtype)
        total = 0.0
        for start, program in self._portions(part.x):
            stop = start + program.batch
            program.y.array[...] = targets[start:stop]
            for call in program.compute:
                call()
            outputs[start:stop] = program.output.array
            total += program.loss_value * program.batch
        metrics = {name: metric(outputs, targets) for name, metric in self.metrics.items()}
        return Evaluation(total / len(part), metrics)

    def predict(self, x: Array) -> Array:
        """Outputs (samples, ...) for inputs as the data has them, before scaling.

        Classes come as probabilities (whatever the last activation gives), numbers in the units
        of the data. Raises ValueError for inputs of another shape.
        """
        scaled = self.data.scaler.apply(np.asarray(x), self.data.dtype)
        try:
            scaled = scaled.reshape(len(scaled), *self.network.sample_shape)
        except ValueError:
            raise ValueError(
                f"inputs must be (samples, {', '.join(map(str, self.network.sample_shape))}), "
                f"not {scaled.shape}"
            ) from None
        outputs = np.empty((len(scaled), *self.network.output_shape), self.data.dtype)
        with limited(self.threads), np.errstate(all="ignore"):
            for start, program in self._portions(scaled):
                for call in program.compute:
                    call()
                outputs[start : start + program.batch] = program.output.array
        regression = self.data.dataset.task == "regression"
        return self.data.target_scaler.invert(outputs) if regression else outputs

    def _portions(self, x: Array) -> Iterator[tuple[int, Program]]:
        for start in range(0, len(x), EVALUATION_BATCH):
            part = x[start : start + EVALUATION_BATCH]
            program = self._forward.get(len(part))
            if program is None:
                if len(self._forward) == FORWARD_PROGRAMS:
                    self._forward.clear()
                program = self.network.compile_forward(len(part), self.parameters, with_loss=True)
                self._forward[len(part)] = program
            program.x.array[...] = part
            yield start, program

    # -- a run ----------------------------------------------------------------------------------

    def run(self, until: int | None = None, interval: float = 0.05) -> Iterator[Event]:
        """Train until the last epoch, or until `until` updates are made.

        Pausing is not calling next.
        Yields RunStarted, Progress every `interval` seconds and at the end, and RunEnded when
        training is complete or has diverged. The interval decides where progress is cut, never
        what is computed.
        """
        yield self.started()
        target = self.total_iterations if until is None else min(until, self.total_iterations)
        while self.state.iteration < target:
            try:
                progress = self._portion(target, interval)
            except DivergedError as error:
                yield self.progress([], 0.0)
                yield self.ended_by(error)
                return
            yield progress
            # A person may have asked for more, or fewer, epochs meanwhile.
            target = self.total_iterations if until is None else min(until, self.total_iterations)
        if self.done:
            yield self.completed()

    def _portion(self, target: int, interval: float) -> Progress:
        """Updates for `interval` seconds, at least one."""
        losses: list[float] = []
        append, update, state, clock = losses.append, self._update, self.state, time.perf_counter
        begun = clock()
        with limited(self.threads), np.errstate(all="ignore"):
            while state.iteration < target:
                try:
                    append(update())
                except DivergedError:
                    if not losses:
                        raise
                    break  # tell what went well first; the next portion fails again at once
                if clock() - begun >= interval:
                    break
        return self.progress(losses, clock() - begun)

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
        return Progress(
            iteration=state.iteration,
            epoch=min(state.epoch + 1, self.experiment.training.epochs),
            batch=self.batches_per_epoch if self.done else state.batch,
            first_iteration=state.iteration - len(losses) + 1,
            losses=np.array(losses, np.float64),
            epochs=self.take_ended(),
            learning_rate=self.learning_rate,
            seconds=seconds,
        )

    def completed(self) -> RunEnded:
        """The end of a complete run, with the figures on the test data."""
        state = self.state
        if not len(self.data.test):
            return RunEnded("completed", state.epoch, state.iteration)
        test = self.evaluate(self.data.test)
        return RunEnded(
            "completed",
            state.epoch,
            state.iteration,
            test_loss=test.loss,
            test_metrics=test.metrics,
        )

    def ended_by(self, error: DivergedError) -> RunEnded:
        """The end of a run that diverged."""
        return RunEnded("diverged", self.state.epoch + 1, self.state.iteration, str(error))
