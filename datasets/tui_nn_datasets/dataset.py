"""What a data set is, and what the catalogue says about one before it is loaded."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal

import numpy as np

Task = Literal["classification", "multilabel", "regression"]
Kind = Literal["images", "table", "points", "sequences", "text"]

MOST_CLASSES = 1000
"""More than any data for this program has: an identity number taken for a class shows by it."""
NO_TARGET = -1
"""In place of the class of a step that has none: padding behind the end of a sequence."""


class DataError(Exception):
    """Something is wrong with data; the message says what, where, and what to do."""


def nearest(wrong: object, known: Iterable[str]) -> str:
    """Return " (did you mean 'iris'?)" for the known name nearest to the wrong one, or ""."""
    matches = get_close_matches(str(wrong).lower(), list(known), n=1)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples with their targets, as stored: nothing scaled, nothing encoded.

    Raises:
        DataError: the arrays do not fit together, or hold values that no task can use.
    """

    name: str
    task: Task
    x: np.ndarray
    """(samples, ...): images uint8 (samples, height, width); else float64 (samples, features).

    Sequences are float64 (samples, time, features), or tokens int64 (samples, time): numbers that
    stand for symbols. Where they are of unequal length, rows of zeros or tokens 0 follow their end.
    """
    y: np.ndarray
    """Classification: int64 (samples,), 0..classes-1; regression: float64 (samples, outputs).

    Multilabel: float64 (samples, labels), 1 where a label applies, else 0; any number may apply.

    With a target a time step: int64 (samples, time), `NO_TARGET` behind a sequence's end, or
    float64 (samples, time, outputs).
    """
    input_names: tuple[str, ...]
    """One a feature; empty for images and tokens."""
    target_names: tuple[str, ...]
    """The names of the classes, of the labels, or of the outputs of a regression."""
    source: str
    licence: str
    description: str
    x_test: np.ndarray | None = None
    """The set's own test part, where it comes with one."""
    y_test: np.ndarray | None = None
    vocabulary: tuple[str, ...] = ()
    """What the tokens 0, 1, 2, ... stand for; empty where x holds no tokens, but for text."""
    is_text: bool = False
    """Whether a step's target is the symbol that follows it, so that text can be written on: then
    the classes are the vocabulary, less the padding where there is one."""
    lengths: np.ndarray | None = None
    """int64 (samples,): the steps before the padding, where sequences are of unequal length."""
    in_order: bool = False
    """Whether the samples are windows of one series, in its order: then its end is held out."""
    shared_targets: int = 0
    """With how many windows after it a window shares a target, where they are in order."""

    def __post_init__(self) -> None:
        _check_part(self, self.x, self.y, "training part")
        if (self.x_test is None) != (self.y_test is None):
            raise DataError(f"{self.name}: the test part needs both inputs and targets")
        if self.x_test is not None and self.y_test is not None:
            _check_part(self, self.x_test, self.y_test, "test part")

    @property
    def classes(self) -> int:
        """The number of classes, of which each sample has one; 0 for other tasks."""
        return len(self.target_names) if self.task == "classification" else 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.x.shape[1:]

    @property
    def steps(self) -> tuple[int, ...]:
        """(time,) where every time step has its target, () where the whole sample has one."""
        return self.y.shape[1 : 2 if self.classes else -1]

    @property
    def is_image(self) -> bool:
        """Whether a sample is a picture, height x width of bytes."""
        return self.x.ndim >= 3 and self.x.dtype == np.uint8

    def symbols(self, x: np.ndarray) -> tuple[str, ...] | None:
        """What the steps of one sample stand for, without its padding; None: they are numbers.

        `x` is (time,) tokens, or (time, features) with a 1 for the symbol of each step; where a
        sequence is made of it, a single (features,) is such a symbol, too.
        """
        if self.x.dtype == np.int64 and self.vocabulary:
            padded = self.lengths is not None
            return tuple(self.vocabulary[token] for token in x if token or not padded)
        if not self._is_one_hot:
            return None
        return tuple(self.input_names[row.argmax()] for row in np.atleast_2d(x) if row.any())

    @cached_property
    def _is_one_hot(self) -> bool:
        """Whether each step has a 1 for one of the named features: as far as the first show."""
        if len(self.input_names) < 2 or not (self.x.ndim == 3 or self.steps):
            return False
        few = self.x[:100]
        return bool(np.isin(few, (0, 1)).all() and (few.sum(axis=-1) <= 1).all())

    def digest(self) -> str:
        """Return the SHA-256 of dtype, shape and bytes of all arrays, in hex.

        It is the same on every machine, and whatever the set and its columns are called.
        """
        sha = sha256()
        for array in (self.x, self.y, self.x_test, self.y_test):
            if array is not None:
                little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
                sha.update(f"{little.dtype.str}{little.shape}".encode())
                sha.update(little.data)
        return sha.hexdigest()


def _check_part(data: Dataset, x: np.ndarray, y: np.ndarray, part: str) -> None:
    where = f"{data.name}: {part}"
    if len(x) != len(y):
        raise DataError(f"{where}: {len(x)} samples but {len(y)} targets; each needs one")
    if len(x) == 0 or x[0].size == 0:
        raise DataError(f"{where}: no values; at least one sample of one feature is needed")
    if x.dtype != np.uint8 and not np.isfinite(x).all():
        sample = int(np.argwhere(~np.isfinite(x))[0][0])
        raise DataError(f"{where}: sample {sample} holds a value that is not finite; correct it")
    if data.input_names and x.shape[-1] != len(data.input_names):
        raise DataError(f"{where}: {len(data.input_names)} names for samples of {x.shape[1:]}")
    if data.vocabulary and (x.min() < 0 or x.max() >= len(data.vocabulary)):
        raise DataError(f"{where}: tokens must be 0..{len(data.vocabulary) - 1}")
    if data.task == "classification":
        _check_classes(y, len(data.target_names), where)
    else:
        _check_outputs(y, len(data.target_names), where)
    if data.task == "multilabel" and not np.isin(y, (0, 1)).all():
        raise DataError(f"{where}: labels must be 0 (does not apply) or 1 (applies)")


def _check_classes(y: np.ndarray, classes: int, where: str) -> None:
    if y.dtype != np.int64 or y.ndim not in {1, 2}:
        raise DataError(
            f"{where}: classes must be int64 (samples,) or (samples, time), not {y.dtype} {y.shape}"
        )
    least = 0 if y.ndim == 1 else NO_TARGET
    if y.min() < least or y.max() >= classes:
        raise DataError(
            f"{where}: classes must be 0..{classes - 1}, but the targets go from "
            f"{y.min()} to {y.max()}"
        )


def _check_outputs(y: np.ndarray, outputs: int, where: str) -> None:
    if y.dtype != np.float64 or y.ndim not in {2, 3} or y.shape[-1] != outputs:
        raise DataError(
            f"{where}: regression targets must be float64 (samples, {outputs}) or "
            f"(samples, time, {outputs}), not {y.dtype} {y.shape}"
        )
    if not np.isfinite(y).all():
        sample = int(np.argwhere(~np.isfinite(y))[0][0])
        raise DataError(f"{where}: the target of sample {sample} is not finite; correct it")


@dataclass(frozen=True)
class Entry:
    """A line of the catalogue: what a data set is, known without loading it."""

    name: str
    kind: Kind
    task: Task
    shape: tuple[int, ...]
    """The shape of one sample."""
    samples: int
    """Without a test part of the set's own; for a generator, by default."""
    classes: int
    """0 for a regression; for a generator, by default."""
    dtype: str
    source: str
    licence: str
    description: str
    options: tuple[str, ...] = ()
    """What `load` takes besides the name."""
    available: bool = True
    """False where the data must be fetched first."""

    def dataset(
        self,
        x: np.ndarray,
        y: np.ndarray,
        *,
        target_names: tuple[str, ...],
        input_names: tuple[str, ...] = (),
        test: tuple[np.ndarray, np.ndarray] | None = None,
        **rest: Any,
    ) -> Dataset:
        """Return the data set of this entry, made of these arrays (see `Dataset`)."""
        if test is not None:
            rest |= {"x_test": test[0], "y_test": test[1]}
        return Dataset(
            name=self.name,
            task=self.task,
            x=x,
            y=y,
            input_names=input_names,
            target_names=target_names,
            source=self.source,
            licence=self.licence,
            description=self.description,
            **rest,
        )
