"""One whole update as data: every operation with its elements explained, the tables at its end.

What the screen shows one element at a time, for paper: see `handout_formats`. Of a layer with
many units those with the largest error are followed, through all their gates and time steps; where
these are many, the largest numbers. Of many weights those with the largest gradient.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.formulas.explanation import Explanation, Notation
from tui_nn_engine.networks.elements import Elements
from tui_nn_engine.networks.naming import Names
from tui_nn_engine.programs.program import Op, Slot
from tui_nn_engine.programs.slots import Array, layer_of
from tui_nn_engine.programs.weights import weight_at
from tui_nn_engine.stepping.explain import explain
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.stepview import step_view

ALL = 64  # so many elements are all explained
LARGEST = 12  # so many are, of more
Numbers = tuple[float | tuple[float, ...], ...]  # of a sample; over time a tuple a step
Followed = dict[str, NDArray[np.bool_]]  # of each layer (units,): whether a unit is


@dataclass(frozen=True, slots=True)
class Element:
    """One number of an operation: its name as in code, "dense_1.z[0, 3]", and where it is from."""

    name: str
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, numbered from 1. `elements` are all, or those that count most, of `total`."""

    number: int
    phase: str
    path: str
    name: str
    formula: str
    output: str
    shape: tuple[int, ...]
    elements: tuple[Element, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit for the sample at hand; nan where it has no net input or no error."""

    unit: int
    net_input: float
    output: float
    error: float


@dataclass(frozen=True, slots=True)
class Layer:
    """The units of one layer: all, or those with the largest error, of `total`."""

    name: str
    units: tuple[Unit, ...]
    total: int


@dataclass(frozen=True, slots=True)
class WeightRow:
    """One weight before and after; a frozen one has neither gradient nor change (nan)."""

    name: str
    symbol: str
    old: float
    gradient: float
    change: float
    new: float


@dataclass(frozen=True, slots=True)
class Parameter:
    """The weights of one parameter: all, or those with the largest gradient, of `total`."""

    name: str
    rows: tuple[WeightRow, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Handout:
    """Update `iteration` (counted from 1), followed for one sample (from 1) of its batch.

    `loss` is the batch's mean, `sample_loss` the sample's own. `error` says what the errors in
    `layers` are: "δ = ∂E/∂z"; `direction` what the gradients in `parameters` are, which for a rule
    are none: "x·e". `experiment` is its tree. `inputs` and `targets` are the sample's; of what goes
    over time, a tuple for each time step.
    """

    experiment: dict[str, Any]
    iteration: int
    epoch: int
    sample: int
    batch: int
    learning_rate: float
    loss: float
    sample_loss: float
    inputs: Numbers
    targets: Numbers
    notation: Notation
    operations: tuple[Operation, ...]
    error: str
    direction: str
    layers: tuple[Layer, ...]
    parameters: tuple[Parameter, ...]


def handout(stepper: Stepper, sample: int, notation: Notation) -> Handout:
    """The whole update being stepped, for one sample of its batch (counted from 0).

    The stepper is where it was afterwards. Raises ValueError for a sample that is not in the batch,
    DivergedError for an update that can't be made.
    """
    batch = stepper.program.batch
    if not 0 <= sample < batch:
        raise ValueError(f"this batch has {batch} samples: there is no sample {sample + 1}")
    here = stepper.cursor
    try:
        stepper.go_to(len(stepper.ops))
        return _written(stepper, sample, notation)
    finally:
        stepper.go_to(here)


def _written(stepper: Stepper, sample: int, notation: Notation) -> Handout:
    """All of an update that is done."""
    trainer = stepper.trainer
    error = _error(stepper, notation)
    sign = -1.0 if error.startswith("e = −") else 1.0
    view = step_view(stepper, "", 0, sample)
    followed = {name: _followed(table) for name, table in view.units.items()}
    return Handout(
        experiment=trainer.experiment.tree(defaults=True),
        iteration=stepper.iteration,
        epoch=trainer.state.epoch + 1,
        sample=sample + 1,
        batch=stepper.program.batch,
        learning_rate=float(str(trainer.state.clock["learning_rate"])),
        loss=view.loss,
        sample_loss=view.sample_loss,
        inputs=_numbers(stepper, stepper.program.x.array[sample]),
        targets=_numbers(stepper, stepper.program.y.array[sample]),
        notation=notation,
        operations=tuple(_operations(stepper, sample, notation, followed)),
        error=error,
        direction=f"x·{trainer.experiment.rule.signal}" if trainer.experiment.rule else "gradient",
        layers=tuple(
            _layer(name, table, followed[name], sign) for name, table in view.units.items()
        ),
        parameters=tuple(_parameters(stepper, notation)),
    )


def _numbers(stepper: Stepper, values: Array) -> Numbers:
    """Those of one sample: rows where they are (time, numbers), else one after the other."""
    found: Any = np.asarray(values, np.float64)
    if Elements(stepper.trainer.network).over_time and found.ndim == 2:
        return tuple(map(tuple, found.tolist()))
    return tuple(found.ravel().tolist())


def _operations(
    stepper: Stepper, sample: int, notation: Notation, followed: Followed
) -> Iterator[Operation]:
    for number, op in enumerate(stepper.ops):
        # A loss is one number; its terms, one an output, are what can be followed.
        slot = op.outputs[min(2, len(op.outputs) - 1)] if op.phase == "loss" else op.output
        elements = [
            Element(_code(stepper, op, slot, index), explain(stepper, number, index, notation))
            for index in _chosen(stepper, op, slot, sample, followed)
        ]
        yield Operation(
            number + 1,
            op.phase,
            op.path,
            op.primitive.name,
            op.primitive.formula,
            op.output.name,
            op.output.shape,
            tuple(elements),
            slot.array[sample].size if _has_samples(op, slot) else slot.array.size,
        )


def _has_samples(op: Op, slot: Slot) -> bool:
    """Whether the first axis is the batch, of which one sample is followed."""
    of_parameter = slot.of is not None and slot.of.role == "parameter"
    return op.phase != "update" and not of_parameter and slot.shape != ()


def _chosen(
    stepper: Stepper, op: Op, slot: Slot, sample: int, followed: Followed
) -> Iterator[tuple[int, ...]]:
    """Indices of the elements to be explained: one unit is followed through all operations."""
    if op.keeps:
        yield from (_index(place, slot.shape) for place in largest(slot.array))
    elif op.phase == "update" and not slot.shape:
        yield (0,)  # one number for all weights
    elif op.phase == "update":
        parameters = stepper.trainer.parameters
        trained = (spec.name for spec in parameters.specs if spec.trainable)
        for name in trained:
            start = parameters.places[name].start
            yield from ((start + place,) for place in largest(parameters.gradient_views[name]))
    elif _has_samples(op, slot):
        there = np.flatnonzero(_of_followed(stepper, slot, followed))
        places = there[largest(slot.array[sample].ravel()[there])]
        yield from ((sample, *_index(place, slot.shape[1:])) for place in places)
    else:
        yield from (_index(place, slot.shape) for place in largest(slot.array))


def _followed(table: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The units of a layer (units, 3) to be followed: by their error, else by their output."""
    error = np.nan_to_num(table[:, 2])
    units = largest(error if error.any() else np.nan_to_num(table[:, 1]))
    return np.isin(np.arange(len(table)), units)


def _of_followed(stepper: Stepper, slot: Slot, followed: Followed) -> NDArray[np.bool_]:
    """Which numbers of a sample are of units followed; all, where they are not a layer's units."""
    mine = followed.get(layer_of((slot.of or slot).name))
    if mine is not None:
        units = Elements(stepper.trainer.network).units(slot)
        if units.max() + 1 == mine.size:
            return mine[units]
    return np.ones(slot.shape[1:], np.bool_)


def largest(values: NDArray[Any]) -> list[int]:
    """Places in the flat array, rising: all up to `ALL` of them, else the `LARGEST` |values|."""
    flat = np.abs(np.asarray(values, np.float64)).ravel()
    if flat.size <= ALL:
        return list(range(flat.size))
    order = np.argsort(-flat, kind="stable")[:LARGEST]
    return sorted(int(place) for place in order)


def _index(place: int | np.intp, shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(place, shape))


def _code(stepper: Stepper, op: Op, slot: Slot, index: tuple[int, ...]) -> str:
    """As in code; an element of the flat vectors of an update by the weight it belongs to."""
    if not slot.shape:
        return slot.name
    if op.phase != "update" or op.keeps:
        return f"{slot.name}{list(index)}" if index else slot.name
    weight = weight_at(index[0], stepper.trainer.parameters).name
    return weight if slot.role == "parameter" else f"{slot.name}({weight})"


def _error(stepper: Stepper, notation: Notation) -> str:
    """What the errors in the tables of units are."""
    if stepper.trainer.experiment.rule is None:
        return "δ = ∂E/∂z" if notation.error == "delta" else "e = −∂E/∂z"
    written = (op.primitive.formula for op in stepper.ops if op.output.name.endswith(".e"))
    return next(written, "e")


def _layer(
    name: str, table: NDArray[np.float64], followed: NDArray[np.bool_], sign: float
) -> Layer:
    units = (
        Unit(int(place), float(z), float(h), sign * float(error))
        for place in np.flatnonzero(followed)
        for z, h, error in [table[place]]
    )
    return Layer(name, tuple(units), len(table))


def _parameters(stepper: Stepper, notation: Notation) -> Iterator[Parameter]:
    trainer, last = stepper.trainer, stepper.ops[-1]
    parameters = trainer.parameters
    names = Names(trainer.network, stepper.program, parameters, notation)
    vector: Any = last.inputs[1].array if last.phase == "update" else np.empty(0)
    changes = parameters.named(vector)
    for name, new in parameters.views.items():
        nothing = np.full_like(new, np.nan)
        gradient = parameters.gradient_views.get(name, nothing)
        columns = [stepper.before[name], gradient, changes.get(name, nothing), new]
        table = np.stack([np.asarray(column, np.float64).ravel() for column in columns], 1)
        start = parameters.places[name].start
        rows = tuple(
            WeightRow(
                weight_at(start + place, parameters).name,
                names.weight(start + place),
                *table[place].tolist(),
            )
            for place in largest(new if np.isnan(gradient).any() else gradient)
        )
        yield Parameter(name, rows, len(table))
