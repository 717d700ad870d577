"""Samples written directly into an experiment, for lessons."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tui_nn_datasets.dataset import MOST_CLASSES, DataError, Dataset, Task


def given(*, x: Sequence[Any], y: Sequence[Any], task: Task | None = None) -> Dataset:
    """Return a data set of the samples and targets as they are written.

    Args:
        x: a list of samples, each a list of numbers (or of lists of numbers).
        y: for a classification a list of class numbers 0, 1, 2, ... or of class names (then
            numbered in the order of the alphabet); for a regression a list of numbers, or one of
            lists of numbers where there are several outputs; for labels of which several may
            apply a list of lists of 0 and 1.
        task: by default a classification where y is a list of whole numbers from 0 to 19 or of
            names, else a regression; multilabel must be said.

    Raises:
        DataError: x or y is no such list, or they do not fit together.
    """
    for name, value in (("x", x), ("y", y)):
        if not isinstance(value, list | tuple | np.ndarray):
            raise DataError(f"given {name}: must be a list (is {value!r})")
    inputs = _numbers("x", x)
    if inputs.ndim < 2:
        raise DataError("given x: write each sample as a list of its own, as in [[0, 1], [1, 1]]")
    targets, names = _targets(y, task)
    numbers: Task = "multilabel" if task == "multilabel" else "regression"
    return Dataset(
        name="given",
        task="classification" if targets.dtype == np.int64 else numbers,
        x=inputs,
        y=targets,
        input_names=_numbered("x", inputs.shape[1]) if inputs.ndim == 2 else (),
        target_names=names,
        source="written in the experiment",
        licence="the author's own",
        description="Samples written in the experiment itself",
    )


def _targets(y: Sequence[Any], task: Task | None) -> tuple[np.ndarray, tuple[str, ...]]:
    if len(y) > 0 and all(isinstance(value, str) for value in y):
        if task in {"regression", "multilabel"}:
            kind = "a regression" if task == "regression" else task
            raise DataError(f"given y: {kind} needs numbers, not names")
        names, numbers = np.unique(np.array(y), return_inverse=True)
        if len(names) < 2:
            raise DataError(f"given y: holds {names[0]!r} only; two classes are needed at least")
        return numbers.astype(np.int64), tuple(names.tolist())
    values = _numbers("y", y)
    if values.ndim not in (1, 2):
        raise DataError("given y: write a list of numbers, or a list of lists of numbers")
    whole = values.ndim == 1 and bool(((values == np.floor(values)) & (values >= 0)).all())
    if task is None:
        task = "classification" if whole and values.max(initial=0) < 20 else "regression"
    if task != "classification":
        outputs = values.reshape(len(values), -1)
        return outputs, _numbered("y", outputs.shape[1])
    if not whole or values.max(initial=0) >= MOST_CLASSES:
        raise DataError(
            f"given y: classes are whole numbers from 0 to {MOST_CLASSES - 1}, or names; "
            'for other targets say task = "regression"'
        )
    classes = max(2, int(values.max(initial=0)) + 1)
    return values.astype(np.int64), tuple(str(number) for number in range(classes))


def _numbers(where: str, values: Sequence[Any]) -> np.ndarray:
    try:
        array = np.array(values)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"not numbers but {array.dtype}")
        return array.astype(np.float64)
    except ValueError as error:
        raise DataError(
            f"given {where}: must be numbers, in lists of the same length ({error})"
        ) from error


def _numbered(letter: str, count: int) -> tuple[str, ...]:
    return (letter,) if count == 1 else tuple(f"{letter}{i}" for i in range(1, count + 1))
