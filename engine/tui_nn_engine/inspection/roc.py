"""How well the outputs tell one class from the others, whatever the threshold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.inspection.forward import Array, Forward, chosen, judged, threshold
from tui_nn_engine.inspection.subject import part_of

MOST = 400  # points
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """The receiver operating characteristic of one class against the others, on a part of the data.

    `false_positive` and `true_positive` (points,) are rates, from (0, 0) to (1, 1), `thresholds`
    (points,) the outputs from which on a sample counts as positive there, the first infinite.
    `area` is under the curve: the chance that a sample of the class has a greater output than one
    of another; NaN where there are none of either. `at` is where the network's own guesses stand.
    """

    iteration: int
    part: str
    positive: int
    samples: int
    positives: int
    false_positive: Floats
    true_positive: Floats
    thresholds: Floats
    area: float
    at: tuple[float, float]


def roc(forward: Forward, part: str, positive: int) -> Roc:
    """On this part, for this class, or this label; a single output is the second class's."""
    trainer = forward.trainer
    found = judged(forward, part_of(trainer, part), positive)
    labels = trainer.data.dataset.task == "multilabel"
    one = 1 if labels else min(max(positive, 0), found.classes - 1)
    outputs, truths = found.outputs, found.targets.astype(np.int64) == one
    guesses = chosen(outputs, threshold(trainer)) == one
    false, true, thresholds = curve(scores(outputs, one), truths)
    area = float(np.trapezoid(true, false))
    few = np.arange(len(false))
    if len(few) > MOST:
        few = np.linspace(0, len(false) - 1, MOST).round().astype(int)
    return Roc(
        trainer.state.iteration,
        part,
        positive if labels else one,
        len(truths),
        int(truths.sum()),
        false[few],
        true[few],
        thresholds[few],
        area,
        (_share(guesses & ~truths, ~truths), _share(guesses & truths, truths)),
    )


def scores(outputs: Array, positive: int) -> Floats:
    """(samples,): the output of the class; a single output is the second class's, so the first
    one's is its negative.
    """
    if outputs.shape[1] == 1:
        return np.asarray(outputs[:, 0] if positive else -outputs[:, 0], np.float64)
    return np.asarray(outputs[:, positive], np.float64)


def curve(scores: Floats, truths: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """False and true positive rates and thresholds, (points,) each; NaN where none are so.

    Equal scores are one point, and points on a line between their neighbours are left out
    (Fawcett, "An introduction to ROC analysis", 2006, algorithm 1).
    """
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], truths[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    true, count = np.cumsum(hits)[last].astype(np.float64), last + 1.0
    false = count - true
    bend = (np.diff(true, 2) != 0) | (np.diff(false, 2) != 0)
    kept = np.concatenate([[True], bend, [True]]) if len(last) > 1 else np.array([True])
    true, false, ordered = (np.asarray(each)[kept] for each in (true, false, ordered[last]))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (
            np.append(0.0, false) / (~truths).sum(),
            np.append(0.0, true) / truths.sum(),
            np.append(np.inf, ordered),
        )


def _share(found: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(found.sum() / among.sum()) if among.any() else float("nan")
