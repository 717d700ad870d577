"""How weights and gradients are spread, now and at the start."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.inspection.subject import few_enough
from tui_nn_engine.programs.parameters import Parameters
from tui_nn_engine.training.trainer import Trainer

BINS = 48
SAMPLES = (64, 512)  # of the training data: gradients are those of their mean loss
WORK = 1e8  # weights times samples: a tenth of a second
Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Histograms of each parameter array: rows are (then, now).

    `names` (parameters) are "dense_1.kernel" and the like. `weights` (parameters, 2, bins) counts
    those in bins of equal width over the `weight_ranges` (parameters, 2), `gradients` likewise;
    `gradients` is (0, 2, bins) where nothing learns by a gradient, and a frozen array's are not
    finite, its counts 0. `figures` (parameters, 2, 4) are mean and standard deviation of weights
    and of gradients.
    """

    iteration: int
    samples: int
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    weights: Counts
    weight_ranges: Floats
    gradients: Counts
    gradient_ranges: Floats
    figures: Floats


class Gradients:
    """The gradient of the mean loss over the same samples, for any weights of a trainer's network.

    Dropout and its like are on as in the first update; nothing of the trainer is written. For a
    network that learns by a gradient. `before` is that at the parameters `start`.
    """

    def __init__(self, trainer: Trainer, start: NDArray[np.floating]) -> None:
        data, network = trainer.data, trainer.network
        self.samples = min(few_enough(trainer, WORK, SAMPLES), len(data.train))
        few = np.linspace(0, len(data.train) - 1, self.samples).round().astype(int)
        self._parameters = network.parameters()
        state = {name: array.copy() for name, array in trainer.state.slots().items()}
        state["iteration"][...] = 0
        self._program = network.compile(self.samples, self._parameters, state)
        self._program.x.array[...] = data.train.x[few]
        targets = data.targets(data.train, network.output_shape[-1])
        self._program.y.array[...] = targets[few]
        self.before = self.of(start)

    def of(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """(trainable,) for all parameters (parameters,)."""
        self._parameters.values[...] = values
        for op in self._program.ops:
            if op.phase != "update":
                op.call()
        return self._parameters.gradients.copy()


def spread(trainer: Trainer, start: NDArray[np.floating], gradients: Gradients | None) -> Spread:
    """Of the network as it is now and as it was with the parameters `start`."""
    parameters = trainer.parameters
    weights = _histograms(parameters, [start, parameters.values])
    pair = [gradients.before, gradients.of(parameters.values)] if gradients else []
    slopes = _histograms(parameters, pair)
    return Spread(
        trainer.state.iteration,
        gradients.samples if gradients else 0,
        tuple(spec.name for spec in parameters.specs),
        tuple(spec.size for spec in parameters.specs),
        weights[0],
        weights[1],
        slopes[0],
        slopes[1],
        np.concatenate([weights[2], slopes[2]], axis=2),
    )


def _histograms(
    parameters: Parameters, vectors: Sequence[NDArray[np.floating]]
) -> tuple[Counts, Floats, Floats]:
    """Counts (parameters, 2, bins), ranges (parameters, 2), mean and deviation (parameters, 2, 2).

    What a vector does not hold is not finite.
    """
    many = len(parameters.specs)
    counts = np.zeros((many, 2, BINS), np.int64)
    ranges, figures = np.full((many, 2), np.nan), np.full((many, 2, 2), np.nan)
    named = [parameters.named(vector) for vector in vectors]
    for row, spec in enumerate(parameters.specs):
        pair = [np.ravel(each[spec.name]) for each in named if spec.name in each]
        pair = [each[np.isfinite(each)].astype(np.float64) for each in pair]
        if not pair or not all(each.size for each in pair):
            continue
        low, high = min(each.min() for each in pair), max(each.max() for each in pair)
        if low == high:
            low, high = low - 0.5, high + 0.5
        ranges[row] = low, high
        for column, each in enumerate(pair):
            counts[row, column] = np.histogram(each, BINS, (low, high))[0]
            figures[row, column] = each.mean(), each.std()
    return counts, ranges, figures
