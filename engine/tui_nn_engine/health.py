"""How each layer is doing: sizes of weights, activations, gradients and updates; dead units."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.program import Array, Program
from tui_nn_engine.trainer import Trainer

COLUMNS = (
    "weight_mean",
    "weight_std",
    "activation_mean",
    "activation_std",
    "gradient_norm",
    "update_ratio",
    "dead",
)


def health(trainer: Trainer, program: Program) -> NDArray[np.float64]:
    """One row a layer, one column of COLUMNS each, after an update by `program`; nan: has none.

    Weights are the kernel's alone. The update ratio is |Δw| / |w| over kernel and bias (about
    1e-3 is usual for SGD: Karpathy, "A recipe for training neural networks", 2019). Dead is the
    share of units whose output is 0 for every sample of the last batch.
    """
    rows = [_row(trainer, program, name) for name, _ in trainer.network.layers]
    return np.array(rows, np.float64).reshape(len(rows), len(COLUMNS))


def dead_units(program: Program, layer: str) -> NDArray[np.bool_]:
    """(units,): whether the layer's output is 0 for every sample of the last batch.

    On (batch, ..., features) a unit is a feature. A layer that computes nothing has no units here.
    """
    output = _output(program, layer)
    if output is None:
        return np.empty(0, np.bool_)
    return np.asarray(~output.reshape(-1, output.shape[-1]).any(axis=0))


def _row(trainer: Trainer, program: Program, layer: str) -> list[float]:
    nan = float("nan")
    row = dict.fromkeys(COLUMNS, nan)
    kernel = trainer.parameters.views.get(f"{layer}.kernel")
    if kernel is not None:
        row["weight_mean"], row["weight_std"] = float(kernel.mean()), float(kernel.std())
    output = _output(program, layer)
    if output is not None:
        h = np.asarray(output, np.float64)
        row["activation_mean"], row["activation_std"] = float(h.mean()), float(h.std())
        row["dead"] = float(np.mean(dead_units(program, layer)))
    gradients = list(_parts(layer, trainer.parameters.gradient_views))
    if gradients:
        row["gradient_norm"] = _norm(gradients)
        change = program.ops[-1].inputs[1].array
        weights = _norm(_parts(layer, trainer.parameters.named(trainer.parameters.trainable)))
        changes = _norm(_parts(layer, trainer.parameters.named(change)))  # type: ignore[arg-type]
        row["update_ratio"] = changes / weights if weights else nan
    return list(row.values())


def _output(program: Program, layer: str) -> Array | None:
    made = (op for op in reversed(program.ops) if op.phase == "forward" and op.path == layer)
    return next((op.output.array for op in made), None)


def _parts(layer: str, views: dict[str, NDArray[np.floating]]) -> Iterator[NDArray[np.floating]]:
    return (view for name, view in views.items() if name.rpartition(".")[0] == layer)


def _norm(arrays: Iterator[NDArray[np.floating]] | list[NDArray[np.floating]]) -> float:
    return float(np.sqrt(sum(float(np.vdot(array, array)) for array in arrays)))
