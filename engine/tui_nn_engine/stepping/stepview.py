"""What Step mode shows of an update half-way: the operations, the neurons, the chosen weights."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.formulas.explanation import Explanation, Notation
from tui_nn_engine.layers import Select
from tui_nn_engine.networks.elements import Elements
from tui_nn_engine.networks.naming import numbered
from tui_nn_engine.programs.slots import Array
from tui_nn_engine.stepping.explain import element_of, explain
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.through_time import ThroughTime, step_of, through_time
from tui_nn_engine.stepping.unit_weights import Rows, rows_of, unit_weights

Floats = NDArray[np.float64]
DIAGRAM_LIMIT = 16  # a kernel of at most this many inputs and units is drawn with its weights


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The layers as they are connected; each field has one entry a layer.

    Its name, its place in the file ("layers[1].branches[0].layers[2]"), the names of what feeds it
    ("" is the network's input), the number on paper of its first unit, where it only picks some of
    its inputs, which, and the letters of its gates, ("",) where it has none.
    """

    layers: tuple[str, ...]
    places: tuple[str, ...]
    sources: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    picks: tuple[tuple[int, ...], ...]
    gates: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """The operations of an update, in order; each field but the last has one entry an operation."""

    phases: tuple[str, ...]
    paths: tuple[str, ...]
    names: tuple[str, ...]
    formulas: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    shapes: tuple[str, ...]
    arrangement: Arrangement


@dataclass(frozen=True, slots=True, eq=False)
class StepView:
    """One moment of an update; numbers not computed yet are nan.

    `units[layer]` is (units, 3): net input z, output h and error dE/dz of the chosen sample,
    whose loss is summed over its outputs and not yet divided by the batch; its error is. `weights`
    is (inputs + bias, 4) for the chosen unit: old, gradient, change, new; `frozen` (inputs + bias,)
    tells those that are not trained from those not computed yet. `source` is the row of the chosen
    weight; `explanation` is of the operation looked at, for that unit, sample and weight.

    In a network over time `x`, `target` and `units` are those of time step `time` of `times`, which
    is that of the operation looked at, or else the last; a recurrent layer has no z where it has
    gates, and its error is dE/dh. `rows` are the parameters that `weights` are of, with how many
    rows each ("recurrent_kernel", 3), of gate `gate`; `through` is the layer over all time steps.
    """

    iteration: int
    cursor: int
    batch: int
    layer: str
    unit: int
    sample: int
    loss: float
    sample_loss: float
    x: Floats
    target: Floats
    units: dict[str, Floats]
    weights: Floats
    kernels: dict[str, Floats] = field(default_factory=dict)
    source: int = 0
    frozen: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    explanation: Explanation | None = None
    time: int = 0
    times: int = 0
    rows: tuple[tuple[str, int], ...] = ()
    gate: int = 0
    through: ThroughTime | None = None


def listing(stepper: Stepper) -> Listing:
    """The operations of the update being stepped."""
    ops, program = stepper.ops, stepper.program
    rows = stepper.trainer.network.summary()
    written = {op.output.name for op in ops if op.phase == "forward"}
    elements = Elements(stepper.trainer.network)
    size = elements.size
    numbers = numbered(rows, size(program.x.shape[1:]), written, size)
    return Listing(
        tuple(op.phase for op in ops),
        tuple(op.path for op in ops),
        tuple(op.primitive.name for op in ops),
        tuple(op.primitive.formula for op in ops),
        tuple(", ".join(slot.name for slot in op.inputs) for op in ops),
        tuple(op.output.name for op in ops),
        tuple(" × ".join(map(str, op.output.shape)) or "scalar" for op in ops),
        Arrangement(
            tuple(row.name for row in rows),
            tuple(row.path for row in rows),
            tuple(row.sources for row in rows),
            tuple(numbers[row.name].first for row in rows),
            tuple(
                tuple(layer.columns) if isinstance(layer, Select) else ()
                for _, layer in stepper.trainer.network.layers
            ),
            tuple(elements.gates(row.name) for row in rows),
        ),
    )


def step_view(
    stepper: Stepper,
    layer: str,
    unit: int,
    sample: int,
    source: int = 0,
    operation: int = -1,
    notation: Notation = Notation(),  # noqa: B008 - frozen
    gate: int = 0,
    time: int = 0,
) -> StepView:
    """This moment, for one sample of the batch, one unit of one layer and one of its weights.

    `operation` is the one to explain; -1: the last one done (the first, before any). Of a layer
    over time also for one `gate` and one `time` step, if the operation has none; 0: the last.
    """
    trainer, program = stepper.trainer, stepper.program
    sample = min(max(sample, 0), program.batch - 1)
    names = [name for name, _ in trainer.network.layers]
    layer = layer if layer in names else names[-1]
    if not 0 <= operation < len(stepper.ops):
        operation = max(stepper.cursor - 1, 0)
    time, times = _time(stepper, operation, time)
    units = {name: _units(stepper, name, sample, time) for name in names}
    unit = min(max(unit, 0), len(units[layer]) - 1)
    elements = Elements(trainer.network)
    gate = min(max(gate, 0), len(elements.gates(layer)) - 1)
    rows = unit_weights(stepper.before, layer, elements.column(layer, unit, gate))
    weights, frozen = _weights(stepper, rows)
    source = min(max(source, 0), max(len(weights) - 1, 0))
    if time:
        source = _source_of(stepper, operation, rows, source)
    element = element_of(stepper, operation, layer, unit, sample, source, gate, time)
    chosen = (rows_of(rows, source), source) if rows else None
    now = stepper.trainer.parameters.views if stepper.complete else stepper.before
    kernels = {
        # Synapses that inhibit are drawn as negative ones.
        name: np.asarray(now[f"{name}.kernel"] - now.get(f"{name}.inhibition", 0), np.float64)
        for name in names
        if max(stepper.before.get(f"{name}.kernel", np.empty((99, 0))).shape) <= DIAGRAM_LIMIT
    }
    return StepView(
        iteration=stepper.iteration,
        cursor=stepper.cursor,
        batch=program.batch,
        layer=layer,
        unit=unit,
        sample=sample,
        loss=_scalar(stepper, "loss.E"),
        sample_loss=_scalar(stepper, "loss.E.per sample", sample),
        x=_at(program.x.array[sample], time),
        target=_at(program.y.array[sample], time),
        units=units,
        weights=weights,
        kernels=kernels,
        source=source,
        frozen=frozen,
        explanation=explain(stepper, operation, element, notation),
        time=time,
        times=times,
        rows=tuple((each.part, each.count) for each in rows),
        gate=gate,
        through=through_time(stepper, operation, layer, unit, gate, sample, chosen),
    )


def _time(stepper: Stepper, operation: int, wanted: int) -> tuple[int, int]:
    """The time step of an operation, else that wanted; and how many there are. 0: no time."""
    network = stepper.trainer.network
    if not Elements(network).over_time:
        return 0, 0
    times = next((shape[0] for shape in _shapes(stepper) if len(shape) == 2), 0)
    times = network.sample_shape[0] if len(network.sample_shape) == 2 else times
    _, step = step_of(stepper.ops[operation].path)
    return step or min(wanted or times, times), times


def _at(values: Array, time: int) -> Floats:
    """What is there of one sample at a time step; all of it where there is no time."""
    found = np.asarray(values, np.float64)
    return found[time - 1] if time and found.ndim == 2 else found.ravel()


def _scalar(stepper: Stepper, name: str, index: int | None = None) -> float:
    slot = stepper.slot(name)
    if slot is None:
        return float("nan")
    return float(slot.array if index is None else slot.array[index])


def _units(stepper: Stepper, layer: str, sample: int, time: int) -> Floats:
    """(units, 3): z, h, dE/dz. Where a layer has no net input, its output's error stands; where a
    rule teaches it, that rule's e.
    """
    shape = dict(zip((n for n, _ in stepper.trainer.network.layers), _shapes(stepper), strict=True))
    count = Elements(stepper.trainer.network).size(shape[layer])
    found = np.full((count, 3), np.nan)
    stepwise = any(op.path == f"{layer}/t={time}" for op in stepper.ops)
    here, net = (f"{layer}/t={time}", "net") if stepwise else (layer, "z")
    z, h = stepper.slot(f"{here}.{net}"), stepper.slot(f"{here}.h")
    if z is not None and z.shape[-1] > count:  # of several gates
        z = None
    linear = not any(op.output.name == f"{here}.h" for op in stepper.ops)
    errors = [f"dE/d({here}.{net})" if z or linear else f"dE/d({here}.h)", f"{layer}.e"]
    slots = (z, z if linear else h, next(filter(None, map(stepper.slot, errors)), None))
    for column, slot in enumerate(slots):
        if slot is not None:
            found[:, column] = _at(slot.array[sample], time)
    return found


def _shapes(stepper: Stepper) -> list[tuple[int, ...]]:
    return [row.output_shape for row in stepper.trainer.network.summary()]


def _source_of(stepper: Stepper, operation: int, rows: tuple[Rows, ...], source: int) -> int:
    """The row of the weight looked at, or the first of those that the operation is about."""
    of = stepper.ops[operation].output.of
    name = of.name.partition(" (")[0] if of is not None else ""
    mine = next((each for each in rows if each.parameter == name), None)
    if mine is None or mine.first <= source < mine.first + mine.count:
        return source
    return mine.first


def _weights(stepper: Stepper, rows: tuple[Rows, ...]) -> tuple[Floats, NDArray[np.bool_]]:
    """(weights, 4) of one unit: old, gradient (or a rule's direction), change, new; and which are
    frozen.
    """
    parameters = stepper.trainer.parameters
    last = stepper.ops[-1]
    change = stepper.written(last.inputs[1].name) if last.phase == "update" else None
    changes = parameters.named(change.array) if change else {}  # type: ignore[arg-type]
    found, frozen = [np.empty((0, 4))], []
    for each in rows:
        name = each.parameter
        columns = [stepper.before[name], None, changes.get(name), None]
        direction = stepper.trainer.experiment.method.direction(name)
        found_in = stepper.column_of(direction, each.column)
        if found_in is not None and stepper.is_written(found_in[0]):
            columns[1] = parameters.gradient_views.get(name)
        if stepper.complete:
            columns[3] = parameters.views[name]
        nothing = np.full(each.count, np.nan)
        picked = [
            nothing if column is None else np.atleast_1d(column[..., each.column])
            for column in columns
        ]
        frozen += [name not in parameters.gradient_views] * each.count
        found.append(np.stack(picked, axis=1))
    return np.asarray(np.concatenate(found), np.float64), np.array(frozen, np.bool_)
