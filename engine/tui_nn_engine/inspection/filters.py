"""The weights of a layer's units, each unit's a picture of what it looks for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.inspection.forward import Forward
from tui_nn_engine.inspection.subject import kernels
from tui_nn_engine.networks.elements import Elements
from tui_nn_engine.programs.slots import layer_of

MOST = 100  # units told at once
WIDEST = 1000  # weights of a unit, at most


@dataclass(frozen=True, slots=True, eq=False)
class Filters:
    """Weights (units, inputs) of a layer, from unit `first` on, as they are now and at the start.

    `of` units there are in all, `inputs` weights in each; `greatest` is the greatest of all in
    size. `units` are the numbers of those told, with the letter of the gate where a layer has
    gates: "f3". `names` are of all that has such weights: "dense_1", "lstm_1.recurrent_kernel".
    """

    iteration: int
    layer: str
    names: tuple[str, ...]
    first: int
    of: int
    inputs: int
    units: tuple[str, ...]
    greatest: float
    weights: NDArray[np.float32]
    start: NDArray[np.float32]


def filters(forward: Forward, start: NDArray[np.floating], layer: int, first: int) -> Filters:
    """Of the matrix of this number among those that there are, from unit `first` on.

    `start` is the vector of all parameters at the start. Raises ValueError where there is none.
    """
    parameters = forward.trainer.parameters
    names = kernels(forward.trainer)
    if not names:
        raise ValueError("no layer of this network has weights between inputs and units")
    name = names[layer % len(names)]
    kernel, before = parameters.views[name], parameters.named(start)[name]
    inputs, units = kernel.shape
    first = min(max(first, 0), units - 1)
    here = np.s_[:WIDEST, first : first + MOST]
    gates = Elements(forward.trainer.network).gates(layer_of(name))
    each = units // len(gates)
    numbers = range(first, min(first + MOST, units))
    return Filters(
        forward.trainer.state.iteration,
        name.removesuffix(".kernel"),
        tuple(each.removesuffix(".kernel") for each in names),
        first,
        units,
        inputs,
        tuple(f"{gates[number // each]}{number % each + 1}" for number in numbers),
        float(np.abs(kernel).max()),
        np.ascontiguousarray(kernel[here].T, np.float32),
        np.ascontiguousarray(before[here].T, np.float32),
    )
