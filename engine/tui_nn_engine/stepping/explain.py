"""One element of one operation in symbols, numbers and words."""

from functools import partial

import numpy as np

from tui_nn_engine.formulas.explanation import Explanation, Line, Notation, Share
from tui_nn_engine.formulas.expressions import Expression, number
from tui_nn_engine.formulas.functions import Total
from tui_nn_engine.networks.elements import Elements
from tui_nn_engine.networks.naming import Names, kind
from tui_nn_engine.primitives.joining import PartOfErrors, Scatter
from tui_nn_engine.programs.program import Op, Slot
from tui_nn_engine.programs.reading import Equation, Reading
from tui_nn_engine.programs.slots import layer_of
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.unit_weights import rows_of, unit_weights

SHARES = 8  # samples whose own gradients are shown


def explain(
    stepper: Stepper, operation: int, element: tuple[int, ...], notation: Notation
) -> Explanation:
    """The equations of one element with the numbers of this update, and what it means.

    `operation` counts the update's operations from 0. `element` is an index in the operation's
    first output; for a loss, in the network's output. `element_of` finds the one looked at.
    """
    op = stepper.ops[operation]
    done = operation < stepper.cursor
    names = _names(stepper, notation)
    before = partial(stepper.input_of, operation)
    after = partial(stepper.output_of, operation)
    reading = Reading(op.inputs, op.outputs, element, names, before, after, done=done)
    batch = stepper.program.batch
    shares: tuple[Share, ...] = ()
    with np.errstate(all="ignore"):  # of a run that diverges too
        meaning = op.primitive.explain(reading)
        lines = tuple(_line(equation, notation.digits, done=done) for equation in meaning.equations)
        if meaning.terms is not None and done and batch > 1:
            shares = _shares(meaning.terms, batch, notation.digits)
    what = op.primitive.name if op.phase == "update" else kind(op.output)
    title = names.title(op.output, element, what)
    return Explanation(
        operation,
        f"{lines[-1].left}: {title}",
        lines,
        meaning.sentence + _on_the_sign(op, names),
        shares,
        batch if shares else 0,
    )


def _on_the_sign(op: Op, names: Names) -> str:
    """What to say where errors are shown as e = −∂E/∂z."""
    if names.negated(op.output):
        return " Shown with the sign turned, e = −∂E/∂z, it says which way lowers the loss."
    if any(map(names.negated, op.inputs)):
        return " (The minus sign is there because e = −∂E/∂z.)"
    return ""


def _names(stepper: Stepper, notation: Notation) -> Names:
    trainer = stepper.trainer
    return Names(trainer.network, stepper.program, trainer.parameters, notation)


def _line(equation: Equation, digits: int, *, done: bool) -> Line:
    known = done or not np.isnan(equation.right.scalar)
    numbers = equation.right.text(digits) if known else ""
    result = number(equation.value, digits) if done else ""
    return Line(equation.left, equation.right.text(), numbers, result, equation.value)


def _shares(terms: Expression, batch: int, digits: int) -> tuple[Share, ...]:
    """Each sample's own gradient: batch times its part of the sum, for the errors hold 1/batch."""
    values = np.asarray(terms.value).reshape(batch, -1)
    own = values.sum(axis=1) * batch
    rows = np.arange(values.size).reshape(batch, -1)
    order = np.argsort(-np.abs(own), kind="stable")[:SHARES]
    return tuple(
        Share(
            int(sample),
            (batch * Total(terms.at(rows[sample]))).text(digits),
            float(own[sample]),
        )
        for sample in order
    )


def element_of(
    stepper: Stepper,
    operation: int,
    layer: str,
    unit: int,
    sample: int,
    source: int,
    gate: int = 0,
    time: int = 0,
) -> tuple[int, ...]:
    """The element of an operation that belongs to the unit, sample and weight looked at.

    `source` is the row of a weight (`unit_weights`); of a layer over time `gate` counts from 0,
    `time` from 1. What the operation has nothing of is brought to what it has: another layer's unit
    to the nearest there is, a frozen weight to a trained one.
    """
    op, elements = stepper.ops[operation], Elements(stepper.trainer.network)
    if op.keeps:
        return _unit(unit, op.output.shape)
    if op.phase == "update":
        return (_flat_place(stepper, layer, elements.column(layer, unit, gate), source),)
    if op.phase == "loss":
        shape = stepper.program.output.shape
        return (min(sample, shape[0] - 1), *_at_time(unit, shape[1:], time))
    slot = op.output
    if slot.of is not None and slot.of.role == "parameter":
        here = layer_of(op.path) == layer
        near = unit if here else min(unit, slot.shape[-1] - 1)
        return _weight(stepper, op, elements.place(slot, near, gate), source)
    place = elements.place(slot, unit, gate) if slot.shape[1:] else unit
    if (
        slot.of is not None
        and f"{layer}.kernel" in stepper.before
        and _feeds(stepper, slot.of, layer)
    ):
        place = source
    elif op.path == layer:
        place = _before_the_join(op, place)
    return (min(sample, slot.shape[0] - 1), *_at_time(place, slot.shape[1:], time))


def _before_the_join(op: Op, unit: int) -> int:
    """What a unit of a layer that only puts others together was before it."""
    match op.primitive:
        case PartOfErrors(start=start):
            return unit - start
        case Scatter(columns=columns):
            return columns[min(unit, len(columns) - 1)]
    return unit


def _at_time(unit: int, shape: tuple[int, ...], time: int) -> tuple[int, ...]:
    """A unit at a time step, where the shape is (time, units)."""
    if not time or len(shape) != 2:
        return _unit(unit, shape)
    return (min(time, shape[0]) - 1, min(max(unit, 0), shape[1] - 1))


def _unit(unit: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    last = int(np.prod(shape)) - 1
    return tuple(int(i) for i in np.unravel_index(min(max(unit, 0), last), shape))


def _weight(stepper: Stepper, op: Op, unit: int, source: int) -> tuple[int, ...]:
    """Of a kernel (inputs, units) or a bias (units,), its gradient or a time step's share of it."""
    *inputs, units = op.output.shape
    of, column = op.output.of, unit % units
    name = of.name.partition(" (")[0] if of is not None else ""
    rows = unit_weights(stepper.before, layer_of(op.path), 0)
    first = next((each.first for each in rows if each.parameter == name), 0)
    return (*(min(max(source - first, 0), size - 1) for size in inputs), column)


def _feeds(stepper: Stepper, slot: Slot, layer: str) -> bool:
    """Whether the layer looked at has its inputs in this slot."""
    forward = [op for op in stepper.ops if op.phase == "forward" and layer_of(op.path) == layer]
    return bool(forward) and slot in forward[0].inputs


def _flat_place(stepper: Stepper, layer: str, column: int, source: int) -> int:
    """The place of a weight in the vector of what is trained."""
    parameters = stepper.trainer.parameters
    trained = {spec.name: spec for spec in parameters.specs if spec.trainable}
    rows = unit_weights(stepper.before, layer, column)
    if near := tuple(each for each in rows if each.parameter in trained):
        chosen = rows_of(near, source)
        spec, index = trained[chosen.parameter], chosen.index(source)
    else:
        spec = next(iter(trained.values()))
        *inputs, units = spec.shape
        index = (*(min(max(source, 0), size - 1) for size in inputs), column % units)
    start: int = parameters.places[spec.name].start
    return start + int(np.ravel_multi_index(index, spec.shape))
