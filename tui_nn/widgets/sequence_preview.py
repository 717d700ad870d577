"""What sequences look like before training: as symbols, as lines, or step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_datasets import NO_TARGET, Dataset

_ROWS = 100
_SERIES = 3
_SAMPLES = 4  # told step by step


@dataclass(frozen=True, eq=False)
class Series:
    """Lines over time: what is seen, (n, window), and what follows it, (n, horizon)."""

    seen: NDArray[np.float64]
    following: NDArray[np.float64]
    name: str


@dataclass(frozen=True)
class Rows:
    """A table: its header and its cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def is_sequence(dataset: Dataset) -> bool:
    """Whether samples, or their targets, go through time; rows of images are shown as images."""
    through_time = dataset.x.ndim == 3 or dataset.vocabulary or dataset.steps
    return bool(through_time) and not dataset.is_image


def facts_of(dataset: Dataset) -> tuple[str, ...]:
    """Time, features, lengths, and what each step or sequence has for a target."""
    x, lengths = dataset.x, dataset.lengths
    told = []
    if x.ndim == 3:
        features = "feature" if x.shape[2] == 1 else "features"
        told.append(f"{x.shape[1]:,} time steps of {x.shape[2]:,} {features}")
    elif dataset.vocabulary:
        told.append(f"{x.shape[1]:,} time steps, tokens of {len(dataset.vocabulary):,} symbols")
    if lengths is not None:
        told.append(f"{lengths.min()} to {lengths.max()} steps are real, padding follows")
    if dataset.steps:
        told.append(f"a target at each of {dataset.steps[0]:,} steps")
    else:
        told.append("one target for a whole sequence")
    return tuple(told)


def shown(dataset: Dataset) -> Series | Rows:
    """A single number a step as lines, symbols as they are written, all else step by step."""
    if dataset.x.ndim == 3 and dataset.shape[1] == 1 and not dataset.classes:
        return _series(dataset)
    symbols = [dataset.symbols(x) for x in dataset.x[:_ROWS]]
    told = [one for one in symbols if one is not None]
    return _symbols(dataset, told) if len(told) == len(symbols) else _steps(dataset)


def _series(dataset: Dataset) -> Series:
    few = np.linspace(0, len(dataset.x) - 1, min(_SERIES, len(dataset.x))).astype(int)
    y = dataset.y[few]
    following = y[:, -1] if dataset.steps else y
    name = dataset.input_names[0] if dataset.input_names else "x"
    return Series(dataset.x[few, :, 0], following, name)


def _symbols(dataset: Dataset, symbols: Sequence[tuple[str, ...]]) -> Rows:
    rows = []
    for names, y in zip(symbols, dataset.y, strict=False):
        if dataset.classes:
            target = _joined([dataset.target_names[one] for one in np.ravel(y) if one != NO_TARGET])
        else:
            target = "  ".join(f"{value:.4g}" for value in np.ravel(y))
        rows.append((_joined(names), target))
    return Rows(("sequence", "→ each step" if dataset.steps else "→ class"), tuple(rows))


def _joined(names: Sequence[str]) -> str:
    return ("" if all(len(name) == 1 for name in names) else " ").join(names)


def _steps(dataset: Dataset) -> Rows:
    names = dataset.input_names or tuple(f"x{i + 1}" for i in range(dataset.shape[-1]))
    count = min(_SAMPLES, len(dataset.x))
    rows = []
    for sample in range(count):
        x, y = dataset.x[sample], dataset.y[sample]
        for step, values in enumerate(x):
            last = step == len(x) - 1
            target = _target(dataset, y[step]) if dataset.steps else _target(dataset, y) * last
            cells = (f"{value:.4g}" for value in np.atleast_1d(values))
            rows.append((str(sample + 1), str(step + 1), *cells, target))
    return Rows(("sequence", "step", *names, "→ target"), tuple(rows))


def _target(dataset: Dataset, y: Any) -> str:
    if dataset.classes:
        return "" if y == NO_TARGET else dataset.target_names[int(y)]
    return "  ".join(f"{value:.4g}" for value in np.atleast_1d(y))
