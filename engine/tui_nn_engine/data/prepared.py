"""The arrays that a network is trained on.

Splits are stratified and seeded by the experiment, but those of a series, whose end is held out;
scaling is fitted on the training part alone.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tui_nn_datasets import NO_TARGET, DataError, Dataset, load, split, split_in_time
from tui_nn_engine.data.data_block import DataBlock
from tui_nn_engine.data.scaling import Floats, Scaler


@dataclass(frozen=True, eq=False)
class Part:
    """Training, validation or test samples: x scaled (samples, ...), y as the data has it."""

    x: Floats
    y: NDArray[Any]
    indices: NDArray[np.intp]
    """Which samples of the data set these are."""

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class PreparedData:
    """A data set split and scaled as the experiment says."""

    dataset: Dataset
    block: DataBlock
    train: Part
    validation: Part
    test: Part
    scaler: Scaler
    target_scaler: Scaler

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one input sample."""
        return self.train.x.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of inputs and targets."""
        return self.train.x.dtype

    @cached_property
    def sha256(self) -> str:
        """The sum of the samples as stored."""
        return self.dataset.digest()

    @property
    def outputs(self) -> tuple[int, ...]:
        """How many outputs a network for these targets may have, the usual number first.

        At each time step, where every step has a target of its own (`Dataset.steps`).
        """
        if not self.dataset.classes:
            return (self.dataset.y.shape[-1],)
        return (1, 2) if self.dataset.classes == 2 else (self.dataset.classes,)

    def targets(self, part: Part, outputs: int) -> Floats:
        """Targets (samples, outputs): regression values, a 0/1 column, one-hot rows, labels 0/1.

        (samples, time, outputs) where every time step has its own; zeros where one has none.
        """
        if self.dataset.task == "regression":
            return self.target_scaler.apply(part.y, self.dtype)
        low = -1.0 if getattr(self.block, "bipolar_targets", False) else 0.0
        if self.dataset.task == "multilabel":
            return np.where(part.y > 0, 1.0, low).astype(self.dtype)
        classes = np.ones(1) if outputs == 1 else np.arange(outputs)
        hot = part.y[..., None] == classes
        encoded = np.where(hot, 1.0, low).astype(self.dtype)
        encoded[part.y == NO_TARGET] = 0
        return encoded


def prepare(
    block: DataBlock,
    seed: int,
    dtype: DTypeLike,
    arrays: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> PreparedData:
    """Load (or take `arrays`), split and scale. Raises `tui_nn_datasets.DataError`."""
    dataset = block.load() if arrays is None else _of_arrays(*arrays)
    everything = np.arange(len(dataset.y))
    test: tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]
    if dataset.x_test is not None and dataset.y_test is not None:
        kept = everything
        test = (dataset.x_test, dataset.y_test, np.arange(len(dataset.y_test)))
    else:
        kept, held = _held_out(dataset, everything, block, seed, "test")
        test = (dataset.x[held], dataset.y[held], held)
    inner, outer = _held_out(dataset, kept, block, seed, "validation")
    flat = getattr(block, "flatten", False)
    scaling = getattr(block, "scaling", "none")
    fitted_on = dataset.x[inner]
    scaler = Scaler.fit(scaling, fitted_on, whole=dataset.is_image)

    def part(x: NDArray[Any], y: NDArray[Any], indices: NDArray[np.intp]) -> Part:
        with np.errstate(over="ignore"):
            scaled = scaler.apply(x, dtype)
        if not np.isfinite(scaled).all():
            raise DataError(
                f"{dataset.name}: holds values too large for {np.dtype(dtype)}; "
                'scale them, or set dtype = "float64"'
            )
        shape = (len(x), prod(x.shape[1:])) if flat else x.shape
        return Part(scaled.reshape(shape), y, indices)

    train_y = dataset.y[inner]
    regression = dataset.task == "regression" and scaling == "standardize"
    return PreparedData(
        dataset,
        block,
        part(fitted_on, train_y, inner),
        part(dataset.x[outer], dataset.y[outer], outer),
        part(*test),
        scaler,
        Scaler.fit("standardize" if regression else "none", train_y, whole=False),
    )


def _held_out(
    dataset: Dataset, samples: NDArray[np.intp], block: DataBlock, seed: int, purpose: str
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which of these samples are kept, and which held out, as the block's fraction says."""
    fraction = getattr(block, f"{purpose}_fraction", 0.0)
    if dataset.in_order:
        kept, held = split_in_time(len(samples), fraction, dataset.shared_targets)
    else:
        y = dataset.y[samples]
        stratify = dataset.task == "classification" and y.ndim == 1
        kept, held = split(y, fraction, seed, purpose=purpose, stratify=stratify)
    return samples[kept], samples[held]


def _of_arrays(x: NDArray[Any], y: NDArray[Any]) -> Dataset:
    y = np.asarray(y)
    if y.ndim == 3:
        return _of_steps(np.asarray(x), y)
    labels = y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all()
    if labels and not (y.sum(axis=1) == 1).all():
        return load("given", x=np.asarray(x), y=y, task="multilabel")
    if labels:
        # One-hot rows are class numbers written differently, and tell how many classes there are.
        names = tuple(map(str, range(y.shape[1])))
        dataset = load("given", x=np.asarray(x), y=y.argmax(axis=1), task="classification")
        return replace(dataset, target_names=names)
    return load("given", x=np.asarray(x), y=y)


def _of_steps(x: NDArray[Any], y: NDArray[Any]) -> Dataset:
    """Targets (samples, time, outputs): one-hot rows, zeros where a step has none, or numbers."""
    dataset = load("given", x=x, y=np.zeros(len(y)), task="regression")
    names = tuple(map(str, range(y.shape[2])))
    if y.shape[2] > 1 and np.isin(y, (0, 1)).all() and (y.sum(axis=2) <= 1).all():
        classes = np.where(y.any(axis=2), y.argmax(axis=2), NO_TARGET).astype(np.int64)
        return replace(dataset, task="classification", y=classes, target_names=names)
    return replace(dataset, y=y.astype(np.float64), target_names=tuple(f"y{n}" for n in names))
