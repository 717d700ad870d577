"""Text, character by character: what comes next?

Each symbol has a number, its token. A text of lines (words, names) gives one sequence a line: it
begins with the end of the line before, and padding (token 0) follows its own. Other text is cut
into windows. The target of every step is the symbol that follows it, so a step's class is a token,
less the padding where there is one.
"""

from pathlib import Path

import numpy as np

from tui_nn_datasets.dataset import MOST_CLASSES, NO_TARGET, DataError, Dataset, Entry
from tui_nn_datasets.sequences import MOST_VALUES, PADDING, one_hot

_WORDS = Path(__file__).parent / "data" / "words.txt"
LINE_END = "⏎"
MOST_CHARACTERS = 5_000_000
MOST_STEPS = 1000

WORDS = Entry(
    name="words",
    kind="text",
    task="classification",
    shape=(11, 27),
    samples=2443,
    classes=27,
    dtype="float64",
    source="common English words, written for tui-nn",
    licence="MIT",
    description="English words, letter by letter: which letter follows?",
)


def words(*, encoding: str = "one_hot") -> Dataset:
    """Return the embedded words, one a sequence; the target of each step is the next letter."""
    x, y, vocabulary, lengths = _lines(_WORDS, _read(_WORDS))
    x, names = encoded(x, vocabulary, encoding), _features(vocabulary, encoding)
    return WORDS.dataset(
        x,
        y,
        input_names=names,
        target_names=vocabulary[1:],
        vocabulary=vocabulary,
        is_text=True,
        lengths=lengths,
    )


def read_text(
    *,
    path: str | Path,
    lines: bool = False,
    window: int = 32,
    stride: int = 16,
    lowercase: bool = False,
    encoding: str = "one_hot",
) -> Dataset:
    """Read a text file to predict each character from those before it.

    Args:
        path: a text in UTF-8; of a table in CSV each line counts as it is written.
        lines: each line is a sequence of its own (words, names); empty lines are left out.
        window: where not: the characters of a window.
        stride: and those from the start of one window to that of the next.
        lowercase: whether capitals are made small first: fewer symbols, faster to learn.
        encoding: "one_hot" or "tokens", see `sequences`.

    Raises:
        DataError: the file cannot be read as text, is too long or too short, or has more than 1000
            different characters.
    """
    path = Path(path)
    text = _read(path)
    if lowercase:
        text = text.lower()
    lengths, shared = None, 0
    if lines:
        x, y, vocabulary, lengths = _lines(path, text)
    else:
        x, y, vocabulary = _windows(path, text, window, stride)
        shared = (window - 1) // stride
    if encoding == "one_hot":
        _ensure_small(path, x.size * len(vocabulary))
    x, names = encoded(x, vocabulary, encoding), _features(vocabulary, encoding)
    return Dataset(
        name=path.name,
        task="classification",
        x=x,
        y=y,
        input_names=names,
        target_names=vocabulary[1:] if lines else vocabulary,
        source=f"the file {path.name}",
        licence="the file's own",
        description=f"{path.name}, character by character: which one follows?",
        vocabulary=vocabulary,
        is_text=True,
        lengths=lengths,
        in_order=not lines,
        shared_targets=shared,
    )


def encoded(tokens: np.ndarray, vocabulary: tuple[str, ...], encoding: str) -> np.ndarray:
    """Return tokens (...) as they are, or as rows of 0 and 1 (..., symbols), zeros for padding."""
    if encoding == "tokens":
        return tokens
    rows = one_hot(tokens, len(vocabulary))
    return np.ascontiguousarray(rows[..., vocabulary[0] == PADDING :])


def _features(vocabulary: tuple[str, ...], encoding: str) -> tuple[str, ...]:
    if encoding == "tokens":
        return ()
    return vocabulary[vocabulary[0] == PADDING :]


def _lines(path: Path, text: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], np.ndarray]:
    """Return tokens and classes (lines, time), the vocabulary and the lengths (lines,)."""
    rows = [line.strip() for line in text.split("\n") if line.strip()]
    if len(rows) < 2:
        raise DataError(
            f"{path}: two lines are needed at least (it has {len(rows)}), or lines = false"
        )
    longest = max(rows, key=len)
    if len(longest) >= MOST_STEPS:
        raise DataError(
            f"{path}: the line {longest[:20]!r}... has {len(longest)} characters; as a sequence of "
            f"its own it may have {MOST_STEPS - 1}: shorten it, or set lines = false"
        )
    vocabulary = (PADDING, LINE_END, *_alphabet(path, "".join(rows)))
    number = {symbol: token for token, symbol in enumerate(vocabulary)}
    lengths = np.array([len(row) + 1 for row in rows])
    x = np.zeros((len(rows), lengths.max()), np.int64)
    y = np.full_like(x, NO_TARGET)
    for place, row in enumerate(rows):
        tokens = [number[symbol] for symbol in (LINE_END, *row, LINE_END)]
        x[place, : len(row) + 1] = tokens[:-1]
        y[place, : len(row) + 1] = np.array(tokens[1:]) - 1
    return x, y, vocabulary, lengths


def _windows(
    path: Path, text: str, window: int, stride: int
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return tokens and classes (windows, time), and the vocabulary."""
    text = text.replace("\n", LINE_END)
    count = (len(text) - 1 - window) // stride + 1
    if count < 2:
        raise DataError(
            f"{path}: {len(text)} characters; two windows of {window} need "
            f"{window + stride + 1} at least: make the window shorter, or the text longer"
        )
    vocabulary = _alphabet(path, text)
    number = {symbol: token for token, symbol in enumerate(vocabulary)}
    tokens = np.array([number[symbol] for symbol in text])
    _ensure_small(path, count * window)
    parts = np.lib.stride_tricks.sliding_window_view(tokens, window + 1)[::stride]
    return np.ascontiguousarray(parts[:, :-1]), np.ascontiguousarray(parts[:, 1:]), vocabulary


def _ensure_small(path: Path, values: int) -> None:
    if values > MOST_VALUES:
        raise DataError(
            f"{path}: {values:,} numbers are too many (at most {MOST_VALUES:,}): encode as tokens, "
            "take a longer stride, or a part of the text"
        )


def _alphabet(path: Path, text: str) -> tuple[str, ...]:
    symbols = tuple(sorted(set(text)))
    if not 2 <= len(symbols) <= MOST_CLASSES:
        raise DataError(
            f"{path}: from 2 to {MOST_CLASSES} different characters can be learned (it has "
            f"{len(symbols)})"
        )
    return symbols


def _read(path: Path) -> str:
    """Read a text; what cannot be printed becomes a space."""
    try:
        if path.stat().st_size > 4 * MOST_CHARACTERS:
            raise DataError(f"{path}: too long; take a part of at most {MOST_CHARACTERS:,} letters")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not text in UTF-8; save it as plain text in UTF-8") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({reason})") from error
    if len(text) > MOST_CHARACTERS:
        raise DataError(f"{path}: too long; take a part of at most {MOST_CHARACTERS:,} letters")
    return "".join(one if one == "\n" or one.isprintable() else " " for one in text)
