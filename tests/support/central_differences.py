"""Central differences, to hold gradients against; and numbers at which these can be taken."""

from collections.abc import Callable, Sequence

import numpy as np

STEP = 1e-4  # of the five-point stencil, whose error falls with its fourth power


def differences(evaluate: Callable[[], float], values: np.ndarray) -> np.ndarray:
    """dE/d(values) by the five-point stencil; `evaluate` reads `values`."""
    slopes = np.zeros(values.size)
    flat = values.reshape(-1)
    for index in range(values.size):
        kept, total = flat[index], 0.0
        for steps, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            flat[index] = kept + steps * STEP
            total += weight * evaluate()
        flat[index] = kept
        slopes[index] = total / (12 * STEP)
    return slopes.reshape(values.shape)


def relative_error(found: np.ndarray, wanted: np.ndarray) -> float:
    """Largest deviation, relative to the largest entry; absolute where all are (nearly) zero."""
    size = max(np.abs(found).max(initial=0), np.abs(wanted).max(initial=0))
    return float(np.abs(found - wanted).max(initial=0) / (size if size > 1e-9 else 1))


def draw(shape: Sequence[int], *, seed: int = 1) -> np.ndarray:
    """Numbers of either sign, none within 0.05 of 0, where some activations have their kink."""
    values = np.random.default_rng(seed).uniform(0.05, 1.5, shape)
    return values * np.random.default_rng(seed + 100).choice([-1.0, 1.0], shape)


def one_hot(rows: int, classes: int) -> np.ndarray:
    return np.eye(classes)[np.arange(rows) % classes]
