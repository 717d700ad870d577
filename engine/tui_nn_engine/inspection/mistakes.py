"""Which samples a network gets wrong: confusion matrix, figures per class, the cases themselves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.inspection.forward import Array, Forward, chosen, judged, threshold
from tui_nn_engine.inspection.subject import as_given, part_of

CASES = 60  # shown at once
Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Mistakes:
    """How a classifier does on a part of the data; where every time step has a class, on each step.

    `matrix` (classes, classes) counts samples by true class (row) and guess (column); `figures`
    (classes, 3) are precision, recall and F1. `cases` are the samples of the cell asked for, or of
    all, the worst first: places in the part (n,), inputs as the data has them (n, ...), true class
    and guess (n,), and the `margin` (n,): output of the true class less the greatest other one, so
    below 0 where it is wrong. `found` of them there are in all. Of data with labels it is about the
    one of this number, with two classes: without it, and with it.
    """

    iteration: int
    part: str
    accuracy: float
    matrix: Counts
    figures: Floats
    cell: tuple[int, int]
    found: int
    cases: Counts
    inputs: NDArray[np.generic]
    truths: Counts
    guesses: Counts
    margins: Floats
    label: int


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """How a regression does on a part of the data, in the units of the data, for one output.

    `targets` and `predictions` are (cases,), `rows` (n,) those of the worst; `cases` (n,) are the
    places of their samples, with their `inputs` (n, ...).
    """

    iteration: int
    part: str
    output: int
    rmse: float
    mean_error: float
    r2: float
    targets: Floats
    predictions: Floats
    rows: Counts
    cases: Counts
    inputs: NDArray[np.generic]


def confusion(truths: Counts, guesses: Counts, classes: int) -> Counts:
    """(classes, classes): how many samples of true class i were taken for class j."""
    counts = np.bincount(truths * classes + guesses, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def figures(matrix: Counts) -> Floats:
    """(classes, 3): precision, recall and F1; 0 where nothing can be divided by, as scikit-learn.

    precision = TP / (TP + FP), recall = TP / (TP + FN), F1 = 2 TP / (2 TP + FP + FN)
    (van Rijsbergen, Information Retrieval, 1979).
    """
    hit = np.diag(matrix).astype(np.float64)
    guessed, true = matrix.sum(axis=0), matrix.sum(axis=1)
    divisors = (guessed, true, (guessed + true) / 2)
    return np.stack([hit / np.maximum(divisor, 0.5) for divisor in divisors], axis=1)


def margins(outputs: Array, truths: Counts, threshold: float) -> Floats:
    """(samples,): output of the true class less the greatest other one; below 0 is a mistake.

    A single output counts by its distance from the threshold.
    """
    values = outputs.astype(np.float64)
    if values.shape[1] == 1:
        return np.asarray((values[:, 0] - threshold) * np.where(truths == 1, 1.0, -1.0))
    rows = np.arange(len(values))
    own = values[rows, truths].copy()
    values[rows, truths] = -np.inf
    return np.asarray(own - values.max(axis=1))


def mistakes(forward: Forward, part: str, cell: tuple[int, int], label: int = 0) -> Mistakes:
    """On this part; the cases are those of `cell` (true class, guess), -1: whichever.

    Of data with labels this one is looked at: 0 is without it, 1 is with it.
    """
    trainer = forward.trainer
    found, limit = judged(forward, part_of(trainer, part), label), threshold(trainer)
    outputs, classes = found.outputs, found.classes
    truths, guesses = found.targets.astype(np.int64), chosen(outputs, limit)
    matrix, distance = confusion(truths, guesses, classes), margins(outputs, truths, limit)
    wanted = np.ones(len(truths), bool)
    for value, column in zip(cell, (truths, guesses), strict=True):
        wanted &= (column == value) if value >= 0 else True
    places = np.flatnonzero(wanted)
    cases = places[np.argsort(distance[places], kind="stable")[:CASES]]
    return Mistakes(
        trainer.state.iteration,
        part,
        float(np.trace(matrix) / max(matrix.sum(), 1)),
        matrix,
        figures(matrix),
        cell,
        len(places),
        found.places[cases],
        as_given(trainer, part)[found.places[cases]],
        truths[cases],
        guesses[cases],
        distance[cases],
        label,
    )


def residuals(forward: Forward, part: str, output: int) -> Residuals:
    """On this part, for one output; the cases are the farthest off first."""
    trainer = forward.trainer
    samples = part_of(trainer, part)
    output = min(max(output, 0), samples.y.shape[-1] - 1)
    found = judged(forward, samples)
    outputs = trainer.data.target_scaler.invert(found.outputs)
    predictions = outputs[:, output].astype(np.float64)
    targets = found.targets[:, output].astype(np.float64)
    errors = predictions - targets
    cases = np.argsort(-np.abs(errors), kind="stable")[:CASES]
    total = float(((targets - targets.mean()) ** 2).sum())
    squares = float((errors**2).sum())
    return Residuals(
        trainer.state.iteration,
        part,
        output,
        float(np.sqrt(squares / len(errors))),
        float(errors.mean()),
        1 - squares / total if total else float(squares == 0),
        targets,
        predictions,
        cases.astype(np.int64),
        found.places[cases],
        as_given(trainer, part)[found.places[cases]],
    )
