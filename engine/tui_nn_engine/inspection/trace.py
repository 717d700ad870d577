"""One sample on its way through all layers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_datasets import NO_TARGET
from tui_nn_engine.data.prepared import Part
from tui_nn_engine.inspection.forward import Forward, judged, threshold
from tui_nn_engine.inspection.mistakes import margins
from tui_nn_engine.inspection.subject import as_given, part_of

ORDER = 1000  # places told
WIDEST = 4096  # numbers of a layer, at most
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """What every layer makes of the sample at `place` of a part of the data.

    `order` (n,) are places, those the network does worst on first. `given` is the sample as the
    data has it, `truth` its class or targets (targets,), `outputs` (outputs,) what the network
    says, numbers in the units of the data. `values` are the outputs of the `layers`, one after
    the other, `told` of each, the first ones of `shapes` ("512", "12×16"). Where every time step
    has its target, truth and outputs are those of `step` (from 1), the worst; else that is 0.
    `symbols` are what the steps stand for, where they stand for something.
    """

    iteration: int
    part: str
    place: int
    order: NDArray[np.int64]
    given: NDArray[np.generic]
    truth: Floats
    outputs: Floats
    layers: tuple[str, ...]
    shapes: tuple[str, ...]
    told: tuple[int, ...]
    values: NDArray[np.float32]
    step: int = 0
    symbols: tuple[str, ...] = ()


def trace(forward: Forward, part: str, place: int) -> Trace:
    """Of this sample of the part; -1: the one the network does worst on."""
    trainer = forward.trainer
    samples, data = part_of(trainer, part), trainer.data
    order = np.argsort(_merits(forward, part), kind="stable")[:ORDER].astype(np.int64)
    if not 0 <= place < len(samples):
        place = int(order[0])
    program = forward.compute(samples.x[place : place + 1])
    layers = {name: values[0] for name, values in forward.layers(program).items()}
    flat = [np.ravel(values)[:WIDEST].astype(np.float32) for values in layers.values()]
    outputs: NDArray[Any] = program.output.array[0]
    truth, step = samples.y[place], 0
    if data.dataset.steps:
        one = Part(samples.x[place : place + 1], samples.y[place : place + 1], samples.indices)
        step = int(_of_each(forward, one).argmin())
        outputs, truth, step = outputs[step], truth[step], step + 1
    if data.dataset.task == "regression":
        outputs = data.target_scaler.invert(outputs)
    given = as_given(trainer, part)[place]
    return Trace(
        trainer.state.iteration,
        part,
        place,
        order,
        given,
        np.atleast_1d(truth).astype(np.float64).ravel(),
        outputs.astype(np.float64).ravel(),
        tuple(layers),
        tuple("×".join(map(str, values.shape)) for values in layers.values()),
        tuple(map(len, flat)),
        np.concatenate([*flat, np.empty(0, np.float32)]),
        step,
        data.dataset.symbols(given) or (),
    )


def _merits(forward: Forward, part: str) -> Floats:
    """(samples,): the less, the worse; of a sequence its worst step counts."""
    each = _of_each(forward, part_of(forward.trainer, part))
    worst: Floats = each.reshape(len(each), -1).min(axis=1)
    return worst


def _of_each(forward: Forward, samples: Part) -> Floats:
    """(samples,) or (samples, time): the less, the worse; infinite where there is no target."""
    trainer = forward.trainer
    if trainer.data.dataset.classes:
        found = judged(forward, samples)
        each = np.full(samples.y.shape, np.inf)
        truths = found.targets.astype(np.int64)
        told = samples.y != NO_TARGET if samples.y.ndim == 2 else slice(None)
        each[told] = margins(found.outputs, truths, threshold(trainer))
        return each
    outputs = forward.outputs(samples.x)
    targets = trainer.data.targets(samples, outputs.shape[-1]).astype(np.float64)
    missed: Floats = np.abs(outputs - targets).sum(axis=-1)
    return -missed
