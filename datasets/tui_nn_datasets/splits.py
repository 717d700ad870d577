"""Splitting samples into a part to keep and a part to hold out."""

import numpy as np
from numpy.typing import NDArray

from tui_nn_datasets.randomness import stream

IntArray = NDArray[np.intp]


def split(
    y: np.ndarray, fraction: float, seed: int, *, purpose: str, stratify: bool
) -> tuple[IntArray, IntArray]:
    """Return the indices of the samples to keep and of those to hold out, each ascending.

    round(fraction * samples) are held out, fewer only where no sample, or none of a class with
    two or more, would be left to keep. Stratified, each class gives its share by the method of
    largest remainders; the only sample of a class is the last to be held out.

    Args:
        y: the targets, (samples,) of class numbers or (samples, outputs).
        fraction: the part to hold out, 0 <= fraction < 1.
        seed: the experiment's seed.
        purpose: what is held out, e.g. "test" or "validation": each has its own choice.
        stratify: whether each class gives its share; y must then hold class numbers.

    Raises:
        ValueError: the fraction is out of range, or y cannot be stratified.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction must be at least 0 and below 1 (is {fraction})")
    samples = len(y)
    held = np.zeros(samples, dtype=np.bool_)
    wanted = min(round(fraction * samples), samples - 1)
    if wanted > 0:
        random = stream(seed, purpose)
        groups = _classes(y) if stratify else [np.arange(samples)]
        shares = _shares(np.array([len(group) for group in groups]), wanted)
        for group, share in zip(groups, shares, strict=True):
            held[random.permutation(group)[:share]] = True
    return np.flatnonzero(~held), np.flatnonzero(held)


def split_in_time(samples: int, fraction: float, shared: int) -> tuple[IntArray, IntArray]:
    """Return the windows of a series to keep and those to hold out, from its end.

    The windows between them that share a target with one held out are in neither; fewer are held
    out only where none would be left to keep.

    Args:
        samples: how many windows there are, in the order of time.
        fraction: the part to hold out, 0 <= fraction < 1.
        shared: with how many windows after it a window shares a target.

    Raises:
        ValueError: the fraction is out of range.
    """
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction must be at least 0 and below 1 (is {fraction})")
    held = max(min(round(fraction * samples), samples - 1 - shared), 0)
    kept = samples - held - (shared if held else 0)
    return np.arange(kept), np.arange(samples - held, samples)


def _classes(y: np.ndarray) -> list[IntArray]:
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise ValueError(f"only class numbers (samples,) are stratified, not {y.dtype} {y.shape}")
    order = np.argsort(y, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(y[order])) + 1)


def _shares(sizes: IntArray, wanted: int) -> IntArray:
    """Share out `wanted` in proportion to the sizes, by largest remainders."""
    most = np.where(sizes > 1, sizes - 1, 1)
    wanted = min(wanted, int(most.sum()))
    quotas, remainders = np.divmod(sizes * wanted, sizes.sum())
    shares = np.minimum(quotas, most)
    order = np.lexsort((-remainders, sizes == 1))
    while (missing := wanted - int(shares.sum())) > 0:
        open_ones = order[shares[order] < most[order]]
        shares[open_ones[:missing]] += 1
    return shares
