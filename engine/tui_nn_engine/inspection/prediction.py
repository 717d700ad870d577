"""What a trained network says of the rows of a table: classes by name, numbers in their units."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_datasets import Dataset
from tui_nn_engine.inspection.forward import chosen, threshold
from tui_nn_engine.training.trainer import Trainer

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Outputs (rows, outputs), each with its name, and what they mean.

    `said` (rows,) is the class of a row, or its labels parted by blanks; None in a regression,
    whose outputs are the prediction itself.
    """

    names: tuple[str, ...]
    outputs: Array
    said: tuple[str, ...] | None


def prediction_problem(dataset: Dataset) -> str:
    """Why rows of a table are nothing for a network that has learned from this data, or nothing."""
    if dataset.x.ndim != 2 or not dataset.input_names or dataset.steps:
        return f"{dataset.name!r} is no table: its samples are not rows of named numbers"
    return ""


def predictions(trainer: Trainer, x: Array) -> Predictions:
    """What the network says of x (rows, inputs), as the data has them, before scaling.

    A single output of two classes is that of the second. Raises ValueError where a number is too
    large for the network's dtype, or an output is not finite.
    """
    data = trainer.data.dataset
    with np.errstate(over="ignore"):
        scaled = trainer.data.scaler.apply(x, trainer.data.dtype)
    _all_finite(scaled, f"row {{row}} holds a number too large for {scaled.dtype}")
    outputs = trainer.predict(x)
    _all_finite(outputs, "what the network says of row {row} is not finite: has it diverged?")
    names = data.target_names
    if data.task == "regression":
        return Predictions(names, outputs, None)
    limit = threshold(trainer)
    if data.task == "multilabel":
        applied = outputs > limit
        said = [" ".join(np.array(names)[row]) for row in applied]
    else:
        said = [names[place] for place in chosen(outputs, limit)]
        names = names if outputs.shape[1] > 1 else names[1:]
    return Predictions(names, outputs, tuple(said))


def _all_finite(rows: Array, otherwise: str) -> None:
    infinite = np.argwhere(~np.isfinite(rows))
    if len(infinite):
        raise ValueError(otherwise.format(row=infinite[0][0] + 1))
