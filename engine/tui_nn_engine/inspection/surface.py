"""The network as a picture over its inputs: a decision boundary, or a fitted curve."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.inspection.forward import Forward
from tui_nn_engine.programs.slots import Array

MARGIN = 0.08  # of the data's range, on each side
MOST = 200  # columns or rows
SMALL = 16  # columns or rows of a neuron's picture, at most
NEURONS = 64  # of a layer, at most

Picture = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Outputs over the plane of two inputs, or over the line of one (`rows` is 1 then).

    `span` is (left, right) or (left, right, bottom, top) of the middles of the outer cells, in the
    units of the data. `outputs` are (outputs, rows, columns), the first row at the top, numbers in
    the units of the data; `neurons` (neurons, rows, columns) those of the hidden layers, coarser,
    `units` of each of the `layers` in turn of `sizes` in all.
    """

    iteration: int
    span: tuple[float, ...]
    outputs: Picture
    layers: tuple[str, ...]
    units: tuple[int, ...]
    sizes: tuple[int, ...]
    neurons: Picture


class Grid:
    """The points at which a network of one or two inputs is asked; made once for a size."""

    def __init__(self, x: Array, columns: int, rows: int) -> None:
        points = x.reshape(len(x), -1).astype(np.float64)
        if points.shape[1] not in {1, 2}:
            raise ValueError(f"a picture over the inputs needs 1 or 2, not {points.shape[1]}")
        self.asked = columns, rows
        self.columns = min(max(columns, 2), MOST)
        self.rows = min(max(rows, 2), MOST) if points.shape[1] == 2 else 1
        low, high = points.min(axis=0), points.max(axis=0)
        margin = np.where(high > low, (high - low) * MARGIN, 1.0)
        low, high = low - margin, high + margin
        self.span = tuple(np.stack([low, high], axis=1).ravel().tolist())
        across = np.linspace(low[0], high[0], self.columns)
        if self.rows == 1:
            self.points = across[:, None]
        else:
            down = np.linspace(high[1], low[1], self.rows)
            self.points = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)


def surface(forward: Forward, grid: Grid) -> Surface:
    """The network as it is now, on this grid."""
    trainer = forward.trainer
    program = forward.run(grid.points)
    outputs: NDArray[Any] = program.output.array
    if trainer.data.dataset.task == "regression":
        outputs = trainer.data.target_scaler.invert(outputs)
    hidden = [
        (name, values)
        for name, values in forward.layers(program).items()
        if values is not program.output.array and values.ndim == 2
    ][: _hidden(forward)]
    small = [_coarse(values[:, :NEURONS], grid) for _, values in hidden]
    rows, columns = _steps(grid)
    return Surface(
        trainer.state.iteration,
        grid.span,
        _pictures(outputs, grid),
        tuple(name for name, _ in hidden),
        tuple(len(picture) for picture in small),
        tuple(values.shape[1] for _, values in hidden),
        np.concatenate(small) if small else np.empty((0, rows, columns), np.float32),
    )


def _hidden(forward: Forward) -> int:
    """All layers but the last."""
    return len(forward.trainer.network.layers) - 1


def _pictures(values: Array, grid: Grid) -> Picture:
    """(points, units) -> (units, rows, columns)."""
    return np.ascontiguousarray(values.T, np.float32).reshape(-1, grid.rows, grid.columns)


def _steps(grid: Grid) -> tuple[int, int]:
    """How many rows and columns a neuron's picture has."""
    if grid.rows == 1:
        return 1, min(grid.columns, 4 * SMALL)
    return min(grid.rows, SMALL), min(grid.columns, SMALL)


def _coarse(values: Array, grid: Grid) -> Picture:
    """The values at evenly spaced points of the grid."""
    rows, columns = _steps(grid)
    down = np.linspace(0, grid.rows - 1, rows).round().astype(int)
    across = np.linspace(0, grid.columns - 1, columns).round().astype(int)
    chosen = values[(down[:, None] * grid.columns + across).ravel()]
    return np.ascontiguousarray(chosen.T, np.float32).reshape(-1, rows, columns)
