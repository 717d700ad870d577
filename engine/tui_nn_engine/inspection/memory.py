"""What a recurrent layer remembers of one sequence, step by step, and which steps mattered."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.inspection.forward import Forward
from tui_nn_engine.inspection.subject import part_of, recurrent

STEP = 0.01  # of a central difference; relative to the input of the time step
MOST_STEPS = 500  # of which it is worked out what moved the prediction
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """Of the sample at `place` of a part of the data.

    `states` (times, units) is h of `layer` at every time step. `moved` (times,) is gradient times
    input: the sum of ∂y/∂x·x over the inputs of a step, where y is output number `output` (of the
    last step, if each has its own), which the network is surest of; by central differences. It is
    empty for tokens, which have no gradient, and for very long sequences.
    """

    iteration: int
    part: str
    place: int
    layer: str
    states: Floats
    output: int
    moved: Floats


def memory(forward: Forward, part: str, place: int, number: int) -> Memory:
    """Of this recurrent layer, counted from 0. Raises ValueError where there is none."""
    trainer = forward.trainer
    layers = recurrent(trainer)
    if not layers:
        raise ValueError("there is no recurrent layer to look into")
    layer = layers[min(max(number, 0), len(layers) - 1)]
    samples = part_of(trainer, part)
    place = min(max(place, 0), len(samples) - 1)
    x = samples.x[place : place + 1]
    program = forward.compute(x)
    slots = program.slots()
    steps = sum(name.startswith(f"{layer}/t=") and name.endswith(".h") for name in slots)
    found = (slots.get(f"{layer}/t={t}.h") for t in range(1, steps + 1))
    states = np.array([slot.array[0] for slot in found if slot is not None], np.float64)
    output = int(np.argmax(_last(program.output.array)[0]))
    return Memory(
        trainer.state.iteration,
        part,
        place,
        layer,
        states,
        output,
        _moved(forward, x, output),
    )


def _last(outputs: NDArray[np.generic]) -> Floats:
    """(samples, outputs): of the last time step, where each has its own."""
    found = np.asarray(outputs, np.float64)
    return found[:, -1] if found.ndim == 3 else found


def _moved(forward: Forward, x: NDArray[np.floating], output: int) -> Floats:
    """Gradient times input of each step: how the output changes as its input is scaled."""
    if x.ndim != 3 or x.shape[1] > MOST_STEPS:
        return np.empty(0)
    times = x.shape[1]
    scaled = np.repeat(x, 2 * times, axis=0)
    for t in range(times):
        scaled[t, t] *= 1 + STEP
        scaled[times + t, t] *= 1 - STEP
    outputs = _last(forward.compute(scaled).output.array)[:, output]
    return (outputs[:times] - outputs[times:]) / (2 * STEP)
