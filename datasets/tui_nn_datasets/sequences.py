"""Sequences made on the spot: small problems that ask for a memory.

Every generator takes `samples` and `seed`; the same options make the same sequences, bit for bit.
Those of symbols take `encoding`: "one_hot" gives (samples, time, symbols) of 0 and 1, "tokens" the
numbers of the symbols, (samples, time), for an embedding. Where sequences are of unequal length,
padding follows their end: rows of zeros, or the token 0, which then stands for nothing else.
"""

import string

import numpy as np

from tui_nn_datasets.dataset import NO_TARGET, DataError, Dataset, Entry, Task
from tui_nn_datasets.randomness import stream

PADDING = "·"
MOST_VALUES = 50_000_000
"""Of all inputs of a set: 400 MB."""


def _entry(
    name: str, shape: tuple[int, ...], classes: int, source: str, description: str, samples: int
) -> Entry:
    task: Task = "classification" if classes else "regression"
    return Entry(
        name=name,
        kind="sequences",
        task=task,
        shape=shape,
        samples=samples,
        classes=classes,
        dtype="float64",
        source=source,
        licence="none needed",
        description=description,
    )


FIRST_SYMBOL = _entry(
    "first_symbol",
    (11, 4),
    2,
    "computed: after the long time lags of Hochreiter and Schmidhuber (1997)",
    "Which symbol came first? Only distraction follows it",
    1000,
)
PARITY = _entry(
    "parity",
    (8, 2),
    2,
    "computed: exclusive or over time",
    "Is the number of ones even or odd? One bit forgotten and all is lost",
    1000,
)
ADDING = _entry(
    "adding",
    (50, 2),
    0,
    "computed: the adding problem of Hochreiter and Schmidhuber (1997)",
    "The sum of the two marked numbers among many",
    2000,
)
COPYING = _entry(
    "copying",
    (20, 10),
    9,
    "computed: the copying memory problem, after Hochreiter and Schmidhuber (1997)",
    "Keep a few symbols through a silence, then say them again",
    2000,
)
REVERSING = _entry(
    "reversing",
    (6, 4),
    4,
    "computed: sequences read backwards",
    "Say the sequence again, from its end to its beginning",
    2000,
)
SINE = _entry(
    "sine",
    (20, 1),
    0,
    "computed: sine waves of random phase and period",
    "What comes next on a wave, with noise or without",
    500,
)
SPELLING = _entry(
    "spelling",
    (10,),
    16,
    "computed: the names of the numbers in English",
    "A number becomes its name, letter by letter: 7 → seven",
    10,
)

_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip


def first_symbol(
    *,
    delay: int = 10,
    symbols: int = 2,
    distractors: int = 2,
    samples: int = 1000,
    encoding: str = "one_hot",
    seed: int = 0,
) -> Dataset:
    """Return sequences whose class is their first symbol; `delay` distractors follow it.

    The distractors are drawn evenly from symbols of their own, so that nothing but the first step
    tells the class. The classes take turns.
    """
    _ensure_small(FIRST_SYMBOL, samples * (1 + delay))
    y = np.arange(samples, dtype=np.int64) % symbols
    random = stream(seed, "distractors of first_symbol")
    rest = symbols + random.integers(0, distractors, (samples, delay))
    names = _letters(symbols) + tuple(f"d{number}" for number in range(1, distractors + 1))
    tokens = np.column_stack([y, rest])
    return _of_symbols(FIRST_SYMBOL, tokens, y, names, names[:symbols], encoding)


def parity(
    *,
    shortest: int = 4,
    length: int = 8,
    targets: str = "last",
    samples: int = 1000,
    encoding: str = "one_hot",
    seed: int = 0,
) -> Dataset:
    """Return sequences of bits and whether the number of ones is even (0) or odd (1).

    Args:
        shortest: the least number of bits; each sequence has one from `shortest` to `length`.
        length: the time steps, those of padding too.
        targets: "last": one class a sequence; "every": that of the bits so far, at each step.
        samples: sequences.
        encoding: tokens are 1 for the bit 0 and 2 for the bit 1; see the module.
        seed: of bits and lengths.
    """
    lengths, real = _lengths(PARITY, shortest, length, samples, seed)
    bits = stream(seed, "bits of parity").integers(0, 2, (samples, length)) * real
    running = bits.cumsum(axis=1) % 2
    y = np.where(real, running, NO_TARGET) if targets == "every" else running[:, -1]
    tokens = np.where(real, bits + 1, 0)
    names = (PADDING, "0", "1")
    padded = lengths if shortest < length else None
    return _of_symbols(PARITY, tokens, y, names, ("even", "odd"), encoding, padded)


def adding(*, length: int = 50, samples: int = 2000, seed: int = 0) -> Dataset:
    """Return sequences (value, marker) and the sum of the two values whose marker is 1.

    Values are drawn evenly from 0..1; one step of the first half and one of the second is marked.
    Saying 1 every time has a mean squared error of 1/6. (Hochreiter and Schmidhuber's own version
    has values from -1 and a scaled sum; this is the one of Le, Jaitly and Hinton, 2015.)
    """
    _ensure_small(ADDING, samples * length * 2)
    random = stream(seed, "values of adding")
    values = random.uniform(0, 1, (samples, length))
    half = length // 2
    marked = np.column_stack(
        [random.integers(0, half, samples), random.integers(half, length, samples)]
    )
    markers = np.zeros_like(values)
    np.put_along_axis(markers, marked, 1.0, axis=1)
    y = np.take_along_axis(values, marked, axis=1).sum(axis=1, keepdims=True)
    names = ("value", "marker")
    x = np.stack([values, markers], axis=2)
    return ADDING.dataset(x, y, input_names=names, target_names=("sum",))


def copying(
    *,
    length: int = 5,
    delay: int = 10,
    symbols: int = 8,
    samples: int = 2000,
    encoding: str = "one_hot",
    seed: int = 0,
) -> Dataset:
    """Return sequences of `length` symbols, a silence, and the wish to hear the symbols again.

    Time is 2 length + delay steps: the symbols; delay - 1 blanks and the marker "!"; length blanks.
    The target is blank (class 0) until the marker, then the symbols, one a step.
    """
    _ensure_small(COPYING, samples * (2 * length + delay))
    names = ("_", *_letters(symbols), "!")
    random = stream(seed, "symbols of copying")
    said = random.integers(1, symbols + 1, (samples, length))
    tokens = np.zeros((samples, 2 * length + delay), np.int64)
    tokens[:, :length] = said
    tokens[:, length + delay - 1] = symbols + 1
    y = np.zeros_like(tokens)
    y[:, length + delay :] = said
    return _of_symbols(COPYING, tokens, y, names, names[:-1], encoding)


def reversing(
    *,
    shortest: int = 6,
    length: int = 6,
    symbols: int = 4,
    samples: int = 2000,
    encoding: str = "one_hot",
    seed: int = 0,
) -> Dataset:
    """Return sequences of symbols and the same backwards, a target a step.

    Args:
        shortest: the least number of symbols; each sequence has one from `shortest` to `length`.
        length: the time steps, those of padding too.
        symbols: how many there are, drawn evenly.
        samples: sequences.
        encoding: see the module; where lengths differ the token 0 is padding.
        seed: of symbols and lengths.
    """
    lengths, real = _lengths(REVERSING, shortest, length, samples, seed)
    drawn = stream(seed, "symbols of reversing").integers(0, symbols, (samples, length))
    backwards = np.where(real, lengths[:, None] - 1 - np.arange(length), 0)
    y = np.where(real, np.take_along_axis(drawn, backwards, axis=1), NO_TARGET)
    letters = _letters(symbols)
    if shortest == length:
        return _of_symbols(REVERSING, drawn, y, letters, letters, encoding)
    tokens = np.where(real, drawn + 1, 0)
    return _of_symbols(REVERSING, tokens, y, (PADDING, *letters), letters, encoding, lengths)


def sine(
    *,
    window: int = 20,
    horizon: int = 1,
    period: float = 20.0,
    noise: float = 0.0,
    targets: str = "last",
    samples: int = 500,
    seed: int = 0,
) -> Dataset:
    """Return windows of sine waves and what follows them.

    Each wave has a phase of its own and a period of its own, within a quarter of `period`.

    Args:
        window: the time steps that are seen.
        horizon: how many values are to be told, one output each.
        period: time steps of a full turn, about.
        noise: the standard deviation of Gaussian noise on all values, those to be told, too: so no
            forecast can have a mean squared error below its square.
        targets: "last": what follows the window; "every": what follows each of its steps.
        samples: waves.
        seed: of phases, periods and noise.
    """
    _ensure_small(SINE, samples * window * horizon)
    random = stream(seed, "waves of sine")
    phase = random.uniform(0, 2 * np.pi, (samples, 1))
    turns = random.uniform(0.75, 1.25, (samples, 1)) * period
    values = np.sin(2 * np.pi * np.arange(window + horizon) / turns + phase)
    if noise > 0:
        values = values + stream(seed, "noise of sine").normal(0, noise, values.shape)
    x, y = forecasts(values, window, horizon, every=targets == "every")
    return SINE.dataset(x, y, input_names=("value",), target_names=steps_ahead(horizon))


def spelling(*, count: int = 10) -> Dataset:
    """Return the numbers 0 .. count - 1, each a row with a single 1, and the letters of its name.

    The target is a class a time step: a letter, or "_" behind the end of the name (class 0).
    """
    words = _NUMBERS[:count]
    longest = max(map(len, words))
    letters = ("_", *sorted(set("".join(words))))
    y = np.array([[letters.index(one) for one in word.ljust(longest, "_")] for word in words])
    names = tuple(map(str, range(count)))
    x = np.eye(count)
    return SPELLING.dataset(x, y.astype(np.int64), input_names=names, target_names=letters)


def forecasts(
    values: np.ndarray, window: int, horizon: int, *, every: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Cut series (samples, window + horizon) into what is seen and what is to be told.

    Returns x (samples, window, 1) and y (samples, horizon); with `every`, y (samples, window,
    horizon) holds for each step the `horizon` values that follow it.
    """
    following = np.lib.stride_tricks.sliding_window_view(values[:, 1:], horizon, axis=1)
    y = following if every else following[:, -1]
    return np.ascontiguousarray(values[:, :window, None]), np.ascontiguousarray(y)


def steps_ahead(horizon: int) -> tuple[str, ...]:
    """Return the names of the outputs of a forecast."""
    return tuple(f"t+{ahead}" for ahead in range(1, horizon + 1))


def one_hot(tokens: np.ndarray, symbols: int) -> np.ndarray:
    """Return float64 (..., symbols) of tokens (...): a 1 in each row, at the token's place."""
    rows: np.ndarray = np.eye(symbols)[tokens]
    return rows


def _of_symbols(
    entry: Entry,
    tokens: np.ndarray,
    y: np.ndarray,
    names: tuple[str, ...],
    classes: tuple[str, ...],
    encoding: str,
    lengths: np.ndarray | None = None,
) -> Dataset:
    """Encode the tokens; where there are `lengths`, or a padding among the names, 0 is padding."""
    _ensure_small(entry, tokens.size * (1 if encoding == "tokens" else len(names)))
    y = y.astype(np.int64)
    if encoding == "tokens":
        return entry.dataset(
            tokens.astype(np.int64), y, target_names=classes, vocabulary=names, lengths=lengths
        )
    rows = one_hot(tokens, len(names))
    if names[0] == PADDING:
        rows, names = rows[..., 1:], names[1:]
    x = np.ascontiguousarray(rows)
    return entry.dataset(x, y, input_names=names, target_names=classes, lengths=lengths)


def _lengths(
    entry: Entry, shortest: int, length: int, samples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the length of each sequence (samples,), and which steps are real (samples, length)."""
    if shortest > length:
        raise DataError(
            f"{entry.name}: shortest ({shortest}) must be at most length ({length}): lower the "
            "one or raise the other"
        )
    _ensure_small(entry, samples * length)
    drawn = stream(seed, f"lengths of {entry.name}").integers(shortest, length + 1, samples)
    return drawn, np.arange(length) < drawn[:, None]


def _letters(count: int) -> tuple[str, ...]:
    return tuple(string.ascii_uppercase[:count])


def _ensure_small(entry: Entry, values: int) -> None:
    if values > MOST_VALUES:
        raise DataError(
            f"{entry.name}: {values:,} numbers are too many (at most {MOST_VALUES:,}): ask for "
            "fewer samples, or for shorter ones"
        )
