"""How each layer is doing, in numbers: sizes of weights, activations, gradients and updates."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.primitives.activations import Elementwise
from tui_nn_engine.programs.program import Op, Program
from tui_nn_engine.programs.slots import layer_of
from tui_nn_engine.training.trainer import Trainer

COLUMNS = (
    "weight_mean",
    "weight_std",
    "activation_mean",
    "activation_std",
    "saturated",
    "gradient_rms",
    "update_size",
    "gradient_norm",
    "update_ratio",
    "dead",
)
BEYOND = 0.9
"""Of the way from the middle of a bounded activation to a bound; the slope there is 0.19 of its
largest, for tanh (beyond ±0.9) and sigmoid (beyond 0.05 and 0.95) alike."""


def health(trainer: Trainer, program: Program) -> NDArray[np.float64]:
    """One row a layer, one column of COLUMNS each, after an update by `program`.

    nan: it has none; inf: the number is not finite. Weights are the kernel's alone, gradients and
    updates those of all that is trained in the layer; rms is the norm divided by the root of how
    many they are. The update ratio is |Δw| / |w|; the update size is |Δw| beside the norm that
    fresh weights would have, each sqrt(2 / (n_in + n_out)) (Glorot & Bengio 2010). Saturated is the
    share of outputs, of all units and samples of the last batch, that lie beyond `BEYOND` of a
    bounded activation; dead the share of units whose output is 0 for every one of these samples.
    What they mean: `verdicts`.
    """
    rows = [_row(trainer, program, name) for name, _ in trainer.network.layers]
    return np.array(rows, np.float64).reshape(len(rows), len(COLUMNS))


def dead_units(program: Program, layer: str) -> NDArray[np.bool_]:
    """(units,): whether the layer's output is 0 for every sample of the last batch.

    On (batch, ..., features) a unit is a feature. A layer that computes nothing has no units here.
    """
    op = _last(program, layer)
    if op is None:
        return np.empty(0, np.bool_)
    output = op.output.array
    return np.asarray(~output.reshape(-1, output.shape[-1]).any(axis=0))


def _row(trainer: Trainer, program: Program, layer: str) -> list[float]:
    nan = float("nan")
    row = dict.fromkeys(COLUMNS, nan)
    kernel = trainer.parameters.views.get(f"{layer}.kernel")
    if kernel is not None:
        row["weight_mean"], row["weight_std"] = float(kernel.mean()), float(kernel.std())
    op = _last(program, layer)
    if op is not None:
        h = np.asarray(op.output.array, np.float64)
        row["activation_mean"], row["activation_std"] = float(h.mean()), float(h.std())
        row["dead"] = float(np.mean(dead_units(program, layer)))
        if isinstance(op.primitive, Elementwise) and op.primitive.bounds:
            low, high = op.primitive.bounds
            row["saturated"] = float(np.mean(np.abs(2 * h - (low + high)) > BEYOND * (high - low)))
    gradients = list(_parts(layer, trainer.parameters.gradient_views))
    if gradients:
        row["gradient_norm"] = _norm(gradients)
        row["gradient_rms"] = row["gradient_norm"] / sum(each.size for each in gradients) ** 0.5
        change = program.ops[-1].inputs[1].array
        weights = _norm(_parts(layer, trainer.parameters.named(trainer.parameters.trainable)))
        changes = _norm(_parts(layer, trainer.parameters.named(change)))  # type: ignore[arg-type]
        row["update_ratio"] = changes / weights if weights else nan
        if kernel is not None:
            fresh = (2 * kernel.size / sum(kernel.shape)) ** 0.5
            row["update_size"] = changes / fresh
    return list(row.values())


def _last(program: Program, layer: str) -> Op | None:
    """The operation whose output is the layer's."""
    made = (
        op for op in reversed(program.ops) if op.phase == "forward" and layer_of(op.path) == layer
    )
    return next(made, None)


def _parts(layer: str, views: dict[str, NDArray[np.floating]]) -> Iterator[NDArray[np.floating]]:
    return (view for name, view in views.items() if name.rpartition(".")[0] == layer)


def _norm(arrays: Iterator[NDArray[np.floating]] | list[NDArray[np.floating]]) -> float:
    # In float64: the square of a float32 gradient that has vanished to 1e-20 is 0.
    squares = (float(np.square(array, dtype=np.float64).sum()) for array in arrays)
    norm = sum(squares) ** 0.5
    return norm if norm == norm else float("inf")
