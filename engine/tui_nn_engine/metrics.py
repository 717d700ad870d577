"""Metrics by task: accuracy for classes, exact matches and accuracy for labels; for numbers R²,
RMSE, mean absolute and bias error.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.data.prepared import PreparedData
from tui_nn_engine.primitives.loss import Loss

Metric = Callable[[NDArray[Any], NDArray[Any]], float]
BETTER_LARGE = ("accuracy", "exact_match", "label_accuracy", "r2")
"""Metrics of which more is better; of losses and errors less is."""


def accuracy(threshold: float) -> Metric:
    """Share of samples whose class is right: by the largest output, or one output's side."""

    def compute(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        if outputs.shape[-1] == 1:
            right = (outputs > threshold) == (targets > threshold)
        else:
            right = outputs.argmax(axis=-1) == targets.argmax(axis=-1)
        return float(np.count_nonzero(right) / right.size)

    return compute


def exact_match(threshold: float) -> Metric:
    """Share of samples all of whose labels are right (scikit-learn's subset accuracy)."""

    def compute(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        right = ((outputs > threshold) == (targets > threshold)).all(axis=-1)
        return float(np.count_nonzero(right) / right.size)

    return compute


def label_accuracy(threshold: float) -> Metric:
    """Share of all labels of all samples that are right: 1 less the Hamming loss."""

    def compute(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        right = (outputs > threshold) == (targets > threshold)
        return float(np.count_nonzero(right) / right.size)

    return compute


def r2(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
    """1 - residual / total sum of squares, mean over the outputs.

    Targets that do not vary give 1 where they are met exactly and else 0, as in scikit-learn.
    """
    y, t = outputs.astype(np.float64), targets.astype(np.float64)
    residual = ((y - t) ** 2).sum(axis=0)
    total = ((t - t.mean(axis=0)) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(np.where(total > 0, 1 - residual / total, residual == 0)))


def rmse(scale: NDArray[Any]) -> Metric:
    """Root of the mean squared error in the units of the data; `scale` undoes the scaling."""

    def compute(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        error = (outputs.astype(np.float64) - targets) * scale
        return float(np.sqrt(np.mean(error**2)))

    return compute


def mae(scale: NDArray[Any]) -> Metric:
    """Mean absolute error in the units of the data; `scale` undoes the scaling."""

    def compute(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        return float(np.mean(np.abs((outputs.astype(np.float64) - targets) * scale)))

    return compute


def mbe(scale: NDArray[Any]) -> Metric:
    """Mean bias error, outputs less targets, in the units of the data: above 0 they are too large.

    `scale` undoes the scaling.
    """

    def compute(outputs: NDArray[Any], targets: NDArray[Any]) -> float:
        return float(np.mean((outputs.astype(np.float64) - targets) * scale))

    return compute


def counted(
    outputs: NDArray[Any], targets: NDArray[Any], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Outputs and targets that metrics compare: over time those of all real steps, (steps, ...).

    `mask` (samples, time) tells real steps from padding; None: all are real.
    """
    if outputs.ndim < 3:
        return outputs, targets
    real = np.ones(outputs.shape[:2], bool) if mask is None else mask
    return outputs[real], targets[real]


def metrics_for(data: PreparedData, loss: Loss | None) -> dict[str, Metric]:
    """The metrics that fit the task, by name."""
    if data.dataset.task == "regression":
        scale = data.target_scaler.scale
        return {"r2": r2, "rmse": rmse(scale), "mae": mae(scale), "mbe": mbe(scale)}
    limit = boundary(data, loss)
    if data.dataset.task == "multilabel":
        return {"exact_match": exact_match(limit), "label_accuracy": label_accuracy(limit)}
    return {"accuracy": accuracy(limit)}


def is_better_large(name: str) -> bool:
    """Whether more of this figure is better, be it of validation or test data."""
    return name.removeprefix("val_").removeprefix("test_") in BETTER_LARGE


def boundary(data: PreparedData, loss: Loss | None) -> float:
    """What a single output must exceed to mean the second of two classes."""
    bipolar = getattr(data.block, "bipolar_targets", False)
    if bipolar:
        return 0.0
    return 0.5 if loss is None else loss.boundary
