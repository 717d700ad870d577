"""The numbers of an experiment at one moment, by the names that a lesson's formulas use.

They are what the engine's trainer and stepper hold; nothing is computed here a second time.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from tui_nn.lessons.arithmetic import Array, FormulaError
from tui_nn_datasets import entries
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.blocks.schema import nearest
from tui_nn_engine.programs.program import Program
from tui_nn_engine.programs.weights import weight_at
from tui_nn_engine.stepping.gradient_check import check_gradient
from tui_nn_engine.stepping.stepper import Stepper

MOST_CHECKED = 500
"""Weights of a parameter whose gradient is had numerically: it takes two passes for each."""
PLAIN = re.compile(r"[^\W\d]\w*(?:/[^\W\d]\w*)*(?:/t=\d+)?(?:\.[^\W\d]\w*)*")
"""A slot's name that a formula can call."""
TIME_STEP = re.compile(r"/t=\d+")


@dataclass(frozen=True)
class When:
    """A moment of an experiment: in the update of this number, or after so many epochs."""

    experiment: str
    update: int | None = None
    epochs: int | None = None

    def __str__(self) -> str:
        if self.update is not None:
            return f"update {self.update}"
        return f"after {self.epochs} epochs" if self.epochs else "before training"


@dataclass(frozen=True, eq=False)
class Moment:
    """All arrays of one moment, by name.

    In an update, `before` and `after` hold the weights around it; the plain name of a weight is
    the one before, which its forward and backward pass used.
    """

    slots: Mapping[str, Array]
    facts: Mapping[str, Array]
    before: Mapping[str, Array] = field(default_factory=dict)
    after: Mapping[str, Array] = field(default_factory=dict)
    check: Callable[[str, str], Array] | None = None

    @property
    def nbytes(self) -> int:
        """How much memory its arrays take; one that is part of another counts once."""
        named = (*self.slots.values(), *self.before.values(), *self.after.values())
        arrays = [array for array in named if isinstance(array, np.ndarray)]
        owners = [array if array.base is None else array.base for array in arrays]
        return sum({id(owner): owner.nbytes for owner in owners}.values())

    @property
    def names(self) -> list[str]:
        """What a formula may call by its plain name."""
        plain = (name for name in self.slots if PLAIN.fullmatch(name))
        return [*self.facts, *plain]

    def value(self, name: str, also: Iterable[str] = ()) -> Array:
        """By name. Raises FormulaError that lists the names there are, and those `also` known."""
        for known in (self.facts, self.slots):
            if name in known:
                return known[name]
        if name.startswith("catalogue."):
            return _catalogued(name)
        raise _not_there(f"{name!r} here", name, self.names, also)

    def of(self, function: str, name: str) -> Array:
        """old, new, change, gradient, delta, error, slope of a name. Raises FormulaError."""
        match function:
            case "old" | "new" | "change":
                return self._weights(function, name)
            case "numerical" | "above" | "below":
                self._weights("old", name)
                return self.check(function, name) if self.check else np.zeros(0)
            case "slope":
                return self._slot(f"{name.rpartition('.')[0]}.f'(z)", function, name)
            case "error":
                return -self._slot(f"dE/d({name})", function, name)
        return self._slot(f"dE/d({name})", function, name)

    def _weights(self, function: str, name: str) -> Array:
        if name not in self.before:
            known = ", ".join(self.before) or "none, for no update is under way (say update = 1)"
            raise FormulaError(f"{function}({name}): {name} is no weight; weights: {known}")
        if function == "change":
            return self.after[name] - self.before[name]
        return (self.before if function == "old" else self.after)[name]

    def _slot(self, slot: str, function: str, name: str) -> Array:
        if slot in self.slots:
            return self.slots[slot]
        if not self.before:
            raise FormulaError(f"{function}({name}): no update is under way (say update = 1)")
        head, tail = ("", ".f'(z)") if function == "slope" else ("dE/d(", ")")
        known = [
            key.removeprefix(head).removesuffix(tail) + (".z" if function == "slope" else "")
            for key in self.slots
            if key.startswith(head) and key.endswith(tail)
        ]
        raise _not_there(f"{function}({name})", name, known)


class Player:
    """An experiment being run to the moments that are asked for, best in the order of time."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self._trainer = Trainer(experiment)
        self._history: dict[str, list[float]] = {}

    def at_update(self, number: int) -> Moment:
        """The whole update of that number, the first is 1. Raises DivergedError."""
        trainer = self._go_before(number)
        facts = self._facts() | {
            "iteration": float(number),
            "epoch": float(trainer.state.epoch + 1),
            "batch": float(trainer.state.batch + 1),
            "learning_rate": float(trainer.learning_rate),
        }
        stepper = Stepper(trainer)
        stepper.go_to(len(stepper.ops))
        program = stepper.program
        slots = {name: slot.array.copy() for name, slot in program.slots().items()}
        after = {name: view.copy() for name, view in trainer.parameters.views.items()}
        before = dict(stepper.before)
        stepper.finish()
        self._note_epochs()
        facts |= _outcome(program, slots)
        return Moment({**slots, **before}, facts, before, after, partial(self._checked, number))

    def after_epochs(self, count: int) -> Moment:
        """After so many epochs: the forward pass of all training samples, in their order.

        Dropout and its like are off. Raises DivergedError.
        """
        trainer = self._trainer
        if trainer.state.epoch > count or (trainer.state.epoch == count and trainer.state.batch):
            self._restart()
            trainer = self._trainer
        while trainer.state.epoch < count:
            self._update()
        x = trainer.data.train.x
        # A program for each moment, which keeps its arrays: compiling costs less than copying them.
        program = trainer.network.compile_forward(len(x), trainer.parameters, with_loss=True)
        program.x.array[...] = x
        program.y.array[...] = trainer.y
        with np.errstate(all="ignore"):
            for call in program.compute:
                call()
        slots = {name: slot.array for name, slot in program.slots().items()}
        slots |= {name: view.copy() for name, view in trainer.parameters.views.items()}
        history = {
            f"history.{name}": np.array(values, np.float64)
            for name, values in self._history.items()
        }
        facts = self._facts() | {
            "iteration": float(trainer.state.iteration),
            "epoch": float(trainer.state.epoch),
            "batch": 0.0,
            "learning_rate": float(trainer.learning_rate),
        }
        return Moment(slots, facts | history | self._tested() | _outcome(program, slots))

    def _tested(self) -> dict[str, Array]:
        """test.loss, test.accuracy and the like, where there is test data."""
        data = self._trainer.data
        if not len(data.test):
            return {}
        found = self._trainer.evaluate(data.test)
        metrics = {f"test.{name}": value for name, value in found.metrics.items()}
        return {"test.loss": found.loss} | metrics

    def _go_before(self, number: int) -> Trainer:
        """To where the update of that number comes next."""
        if self._trainer.state.iteration >= number:
            self._restart()
        while self._trainer.state.iteration < number - 1:
            self._update()
        return self._trainer

    def _checked(self, number: int, what: str, parameter: str) -> Array:
        """The numerical gradient of a whole parameter in an update, or the losses it is made of."""
        trainer = self._go_before(number)
        view, place = trainer.parameters.views[parameter], trainer.parameters.places[parameter]
        if view.size > MOST_CHECKED:
            raise FormulaError(f"{what}({parameter}) would take {2 * view.size} forward passes")
        stepper = Stepper(trainer)
        checks = [
            check_gradient(stepper, weight_at(position, trainer.parameters).name)
            for position in range(place.start, place.stop)
        ]
        stepper.cancel()
        return np.array([getattr(check, what) for check in checks]).reshape(view.shape)

    def moment(self, when: When) -> Moment:
        """The moment that was asked for. Raises DivergedError."""
        if when.update is not None:
            return self.at_update(when.update)
        return self.after_epochs(when.epochs or 0)

    def _update(self) -> None:
        self._trainer.update()
        self._note_epochs()

    def _note_epochs(self) -> None:
        ended = self._trainer.take_ended()
        for column, name in enumerate(ended.columns):
            self._history.setdefault(name, []).extend(ended.values[:, column].tolist())

    def _restart(self) -> None:
        # The data is loaded and split already; what ran before must leave no trace in the rest.
        self._trainer = Trainer(self.experiment, self._trainer.data)
        self._history = {}

    def _facts(self) -> dict[str, Array]:
        trainer = self._trainer
        dataset = trainer.data.dataset
        stored: dict[str, Array] = {"data.x": dataset.x, "data.y": dataset.y}
        return stored | {
            "samples": float(trainer.samples),
            "batch_size": float(trainer.experiment.training.batch_size),
            "batches_per_epoch": float(trainer.batches_per_epoch),
            "epochs": float(trainer.experiment.training.epochs),
            "parameters": float(trainer.parameters.values.size),
        }


def _first_steps(names: Iterable[str]) -> list[str]:
    """Of what each time step has, that of the first: it stands for the rest."""
    return [name for name in names if TIME_STEP.sub("/t=1", name) == name]


def _not_there(told: str, name: str, known: list[str], also: Iterable[str] = ()) -> FormulaError:
    """What is known instead; of a time step that is not there, how many there are."""
    same = TIME_STEP.sub("/t=", name)
    if count := sum("/t=0" not in one and TIME_STEP.sub("/t=", one) == same for one in known):
        return FormulaError(f"there is no {told}; its time steps are 1 to {count}")
    return FormulaError(f"there is no {told}; {nearest(name, (*also, *_first_steps(known)))}")


def _outcome(program: Program, slots: Mapping[str, Array]) -> dict[str, Array]:
    """The output y, the mean loss, and the loss of each sample."""
    outcome: dict[str, Array] = {"y": program.output.array.copy()}
    if program.loss is not None:
        outcome["loss"] = program.loss_value
        outcome["losses"] = slots.get(f"{program.loss.name}.per sample", np.zeros(0))
    return outcome


def _catalogued(name: str) -> Array:
    """catalogue.NAME.shape (of its array of samples), .samples, .dtype: nothing is loaded."""
    _, _, rest = name.partition(".")
    key, _, what = rest.rpartition(".")
    known = {entry.name: entry for entry in entries()}
    if key not in known or what not in {"shape", "samples", "dtype"}:
        raise FormulaError(
            f"there is no {name!r}; write catalogue.NAME.shape, .samples or .dtype of one of: "
            f"{', '.join(known)}"
        )
    entry = known[key]
    values: dict[str, Array] = {
        "shape": np.array([entry.samples, *entry.shape], np.float64),
        "samples": float(entry.samples),
        "dtype": entry.dtype,
    }
    return values[what]
