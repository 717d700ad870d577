"""All data sets by name: what there is, and how to load it."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from tui_nn_datasets import gates, images, mnist, sequences, tables, text, time_series, toys
from tui_nn_datasets.dataset import DataError, Dataset, Entry, nearest
from tui_nn_datasets.given import given

__all__ = ["Entry", "entries", "load", "options"]

Loader = Callable[..., Dataset]

_CATALOGUE: tuple[tuple[Entry, Loader], ...] = (
    (images.MNIST_SMALL, images.mnist_small),
    (mnist.ENTRY, mnist.mnist),
    (images.DIGITS_8X8, images.digits),
    (tables.IRIS, tables.iris),
    (tables.DIABETES, tables.diabetes),
    (toys.XOR, toys.xor),
    (gates.ENTRY, gates.gates),
    (toys.MOONS, toys.moons),
    (toys.CIRCLES, toys.circles),
    (toys.GAUSSIANS, toys.gaussians),
    (toys.SPIRAL, toys.spiral),
    (toys.PLANE, toys.plane),
    (toys.CURVE, toys.curve),
    (toys.ARM, toys.arm),
    (toys.VENN, toys.venn),
    (sequences.FIRST_SYMBOL, sequences.first_symbol),
    (sequences.PARITY, sequences.parity),
    (sequences.ADDING, sequences.adding),
    (sequences.COPYING, sequences.copying),
    (sequences.REVERSING, sequences.reversing),
    (sequences.SINE, sequences.sine),
    (sequences.SPELLING, sequences.spelling),
    (time_series.CO2, time_series.co2),
    (text.WORDS, text.words),
)

_LOADERS: Mapping[str, Loader] = {
    **{entry.name: loader for entry, loader in _CATALOGUE},
    "csv": tables.read_csv,
    "text": text.read_text,
    "given": given,
}

_WHOLE = {
    "samples": (2, 1_000_000),
    "classes": (2, 20),
    "seed": (0, 2**64 - 1),
    "delay": (1, 1000),
    "length": (2, 1000),
    "shortest": (1, 1000),
    "symbols": (2, 26),
    "distractors": (1, 26),
    "window": (2, 1000),
    "horizon": (1, 100),
    "count": (2, 20),
    "stride": (1, 1000),
}
"""The options that are whole numbers, with the least and the most they may be."""
_REAL = {"noise": 0.0, "period": 2.0, "a": -math.inf, "b": -math.inf, "c": -math.inf}
"""The options that are finite numbers, with the least they may be."""
_TRUTHS = ("bipolar", "differences", "lines", "lowercase")
_CHOICES = {
    "task": ("classification", "multilabel", "regression"),
    "encoding": ("one_hot", "tokens"),
    "targets": ("last", "every"),
}


def entries() -> tuple[Entry, ...]:
    """Return the data sets there are, without loading one.

    A person's own data is not among them: `load` reads it under "csv", "text" and "given".
    """
    return tuple(
        replace(
            entry,
            options=options(entry.name),
            available=entry.name != mnist.ENTRY.name or mnist.available(),
        )
        for entry, loader in _CATALOGUE
    )


def options(name: str) -> tuple[str, ...]:
    """What `load` takes beside this name; nothing for a name that it does not know."""
    return tuple(inspect.signature(_LOADERS[name]).parameters) if name in _LOADERS else ()


def load(name: str, **options: Any) -> Dataset:
    """Load a data set by its name.

    Args:
        name: a name out of `entries`, "csv" (see `tables.read_csv`), "text" (see `text.read_text`)
            or "given" (see `given.given`).
        options: those of the data set, as `Entry.options` names them; all have a default but the
            paths of "csv" and "text", and x and y of "given".

    Raises:
        DataError: there is no such data set or option, an option has a value it cannot have, or
            the data is missing or damaged.
    """
    loader = _LOADERS.get(name)
    if loader is None:
        raise DataError(f"no data set {name!r}{nearest(name, _LOADERS)}; `tui-nn data` lists them")
    known = inspect.signature(loader).parameters
    for option, value in options.items():
        if option not in known:
            has = f"its options are {', '.join(known)}" if known else "it has none"
            raise DataError(f"{name}: no option {option!r}{nearest(option, known)}; {has}")
        if value is not None or known[option].default is not None:
            _check(f"{name}: {option}", option, value)
    for option, parameter in known.items():
        if parameter.default is inspect.Parameter.empty and option not in options:
            raise DataError(f"{name}: needs the option {option!r}")
    return loader(**options)


def _check(where: str, option: str, value: Any) -> None:
    if option in _WHOLE:
        least, most = _WHOLE[option]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise DataError(f"{where} must be a whole number from {least} to {most} (is {value!r})")
    elif option in _REAL:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or value < _REAL[option]:
            bound = "" if math.isinf(_REAL[option]) else f", at least {_REAL[option]:g}"
            raise DataError(f"{where} must be a finite number{bound} (is {value!r})")
    elif option in _TRUTHS and not isinstance(value, bool):
        raise DataError(f"{where} must be true or false (is {value!r})")
    elif option in _CHOICES and value not in _CHOICES[option]:
        raise DataError(f"{where} must be one of {', '.join(_CHOICES[option])} (is {value!r})")
