"""Tables: the embedded ones, and a person's own from a CSV file."""

import csv
import io
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tui_nn_datasets.dataset import MOST_CLASSES, DataError, Dataset, Entry, Task, nearest

_FOLDER = Path(__file__).parent / "data"
_NO_CLASS = frozenset(("", "?", "na", "n/a", "nan"))
_NO_NUMBER = _NO_CLASS | {"-", "null", "none"}
"""How a missing value is written; "none" may well be the name of a class."""
_FEW_VALUES = 20
"""A target column of whole numbers with at most so many different ones holds classes."""
_MOST_TEXTS = 50
"""So many different texts in a column become inputs; more are rather names or remarks."""

IRIS = Entry(
    name="iris",
    kind="table",
    task="classification",
    shape=(4,),
    samples=150,
    classes=3,
    dtype="float64",
    source="UCI, Iris; Fisher, The use of multiple measurements in taxonomic problems (1936)",
    licence="CC BY 4.0",
    description="Three species of iris told by the size of their petals and sepals",
)
DIABETES = Entry(
    name="diabetes",
    kind="table",
    task="regression",
    shape=(10,),
    samples=442,
    classes=0,
    dtype="float64",
    source="Efron, Hastie, Johnstone and Tibshirani, Least Angle Regression (2004)",
    licence="published with the paper, no licence stated; from scikit-learn (BSD-3-Clause)",
    description="How far diabetes went in a year, from ten measurements at its start, raw units",
)


def iris() -> Dataset:
    """Return Fisher's irises, lengths in cm."""
    table = read_csv(_FOLDER / "iris.csv", task=IRIS.task)
    return IRIS.dataset(
        table.x, table.y, input_names=table.input_names, target_names=table.target_names
    )


def diabetes() -> Dataset:
    """Return the diabetes table in the units of its paper."""
    table = read_csv(_FOLDER / "diabetes.csv", task=DIABETES.task)
    return DIABETES.dataset(
        table.x, table.y, input_names=table.input_names, target_names=table.target_names
    )


def read_csv(
    path: str | Path,
    target: str | None = None,
    task: Task | None = None,
    columns: str | None = None,
) -> Dataset:
    """Read a table with a header, its cells parted by comma, semicolon or tab.

    Args:
        path: a text file in UTF-8.
        target: the name of the target column, or several parted by commas; by default the last.
        columns: the names of the input columns, parted by commas; by default all the others.
        task: by default a classification where the target is text, or whole numbers with at most
            20 different ones, each twice on average; else a regression. Classes are sorted:
            names by the alphabet, numbers by size. With several targets multilabel where all are
            0 or 1, else a regression.

    Returns:
        inputs float64 (samples, features), in the order of `columns` or the file. A column of text
        is one input for each different text, by the alphabet, 1 where it stands, else 0 (one-hot).

    Raises:
        DataError: the file cannot be read or is no such table; the message names the place.
    """
    path = Path(path)
    table = _read(path)
    targets = table.names[-1:] if target is None else _named(table, target, "target")
    inputs = _input_columns(table, columns, targets)
    x, input_names = _inputs(table, inputs)
    y, names, task = _answers(table, targets, task)
    many = "s" if len(inputs) > 1 else ""
    return Dataset(
        name=path.name,
        task=task,
        x=x,
        y=y,
        input_names=input_names,
        target_names=names,
        source=f"the file {path.name}",
        licence="the file's own",
        description=f"{', '.join(targets)} from {len(inputs)} column{many}",
    )


@dataclass(frozen=True)
class _Table:
    path: Path
    names: tuple[str, ...]
    columns: dict[str, list[str]]
    lines: list[int]
    """The line of the file each row ends at."""

    def where(self, name: str, row: int) -> str:
        return f"{self.path}: line {self.lines[row]}, column {name!r}"

    def numbers(self, name: str) -> np.ndarray:
        """Return a column as float64 (rows,)."""
        numbers = np.empty(len(self.lines))
        for row, cell in enumerate(self.columns[name]):
            number = _number(cell)
            if number is None:
                raise DataError(f"{self.where(name, row)}: {_no_number(cell)}")
            numbers[row] = number
        return numbers

    def texts(self, name: str) -> np.ndarray:
        """Return a column as text (rows,)."""
        for row, cell in enumerate(self.columns[name]):
            if cell.lower() in _NO_CLASS:
                raise DataError(f"{self.where(name, row)}: {_no_number(cell)}")
        return np.array(self.columns[name])

    def is_text(self, name: str, cells: Callable[[Iterable[bool]], bool]) -> bool:
        """Whether `all` or `any` of a column's cells are no numbers."""
        return cells(_number(cell) is None for cell in self.columns[name])

    def is_words(self, name: str) -> bool:
        """Whether none of a column's cells is meant as a number."""
        return not any(map(_meant_as_number, self.columns[name]))


def _meant_as_number(cell: str) -> bool:
    """Whether it is one, be it infinite, with a decimal comma or with underscores."""
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return False
    return True


def _number(cell: str) -> float | None:
    """Return the finite number in a cell, or None."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in cell else None


def _no_number(cell: str) -> str:
    if cell.lower() in _NO_NUMBER:
        return f"missing value ({cell!r}); fill it in, or leave the row out"
    if _number(cell.replace(",", ".")) is not None:
        return f"{cell!r} has a decimal comma; write decimals with a point"
    return f"{cell!r} is not a finite number; turn text into numbers, or leave the column out"


def _named(table: _Table, text: str, what: str) -> tuple[str, ...]:
    """The columns that a text names: one, or several parted by commas."""
    if text in table.names:  # a name may hold a comma itself
        return (text,)
    names = tuple(name.strip() for name in text.split(","))
    for place, name in enumerate(names):
        if name not in table.names:
            raise DataError(
                f"{table.path}: no column {name!r} for the {what}{nearest(name, table.names)}; "
                f"there are {', '.join(table.names)}"
            )
        if name in names[:place]:
            raise DataError(f"{table.path}: the {what} {name!r} is named twice")
    return names


def _input_columns(table: _Table, columns: str | None, targets: tuple[str, ...]) -> tuple[str, ...]:
    if columns is None:
        inputs = tuple(name for name in table.names if name not in targets)
        if not inputs:
            raise DataError(f"{table.path}: every column is a target; at least one input is needed")
        return inputs
    inputs = _named(table, columns, "input")
    for name in inputs:
        if name in targets:
            raise DataError(f"{table.path}: column {name!r} is a target, so it can be no input")
    return inputs


def _inputs(table: _Table, columns: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the inputs (rows, features) and their names; text one-hot."""
    parts: list[np.ndarray] = []
    names: list[str] = []
    for column in columns:
        if not table.is_words(column):
            parts.append(table.numbers(column)[:, None])
            names.append(column)
            continue
        cells = table.texts(column)
        texts = np.unique(cells)
        if len(texts) > _MOST_TEXTS:
            others = ", ".join(name for name in columns if name != column)
            raise DataError(
                f"{table.path}: column {column!r} holds {len(texts)} different texts; up to "
                f"{_MOST_TEXTS} can be inputs: leave it out (columns = {others!r})"
            )
        parts.append((cells[:, None] == texts).astype(np.float64))
        names += [f"{column}={text}" for text in texts]
    return np.concatenate(parts, axis=1), tuple(names)


def _answers(
    table: _Table, targets: tuple[str, ...], task: Task | None
) -> tuple[np.ndarray, tuple[str, ...], Task]:
    """Return the targets, the names of classes, labels or outputs, and the task."""
    if len(targets) == 1 and task != "multilabel":
        y, classes = _targets(table, targets[0], task)
        return y, classes or targets, "classification" if classes else "regression"
    if task == "classification":
        raise DataError(
            f"{table.path}: a classification has one target column, and these are {len(targets)}; "
            'choose the task "multilabel" or "regression", or one target'
        )
    y = np.stack([table.numbers(name) for name in targets], axis=1)
    binary = np.isin(y, (0, 1)).all(axis=0)
    if task == "multilabel" and not binary.all():
        raise DataError(
            f"{table.path}: column {targets[int(binary.argmin())]!r} holds other numbers than 0 "
            "and 1, which say whether a label applies; choose another target or task"
        )
    return y, targets, task or ("multilabel" if binary.all() else "regression")


def _targets(
    table: _Table, target: str, task: Task | None
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """Return class numbers and the classes' names, or outputs (rows, 1) and None."""
    # A stray word in a column of numbers is a mistake, unless somebody says that they are classes.
    if task != "regression" and table.is_text(target, any if task else all):
        return _classes(table, target, table.texts(target))
    values = table.numbers(target)
    whole = bool(((values == np.floor(values)) & (np.abs(values) < 2**53)).all())
    if task is None:
        few = len(np.unique(values)) <= min(_FEW_VALUES, len(values) / 2)
        task = "classification" if whole and few else "regression"
    if task == "regression":
        return values[:, None], None
    if not whole:
        raise DataError(
            f"{table.path}: column {target!r} holds fractions, and classes are names or whole "
            'numbers; choose task "regression" or another target'
        )
    return _classes(table, target, values.astype(np.int64))


def _classes(table: _Table, target: str, labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Number the different labels, sorted; they may be text or whole numbers."""
    names, y = np.unique(labels, return_inverse=True)
    if not 2 <= len(names) <= MOST_CLASSES:
        raise DataError(
            f"{table.path}: a classification needs 2 to {MOST_CLASSES} different values (column "
            f"{target!r} holds {len(names)}): choose another target or task"
        )
    return y.astype(np.int64), tuple(str(name) for name in names)


def _read(path: Path) -> _Table:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not text in UTF-8; save it as CSV in UTF-8") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: cannot be read ({reason})") from error
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    begins = 1  # the line of the row being read: a quote that is not closed runs to the end
    try:
        for cells in reader:
            begins = reader.line_num + 1
            if any(cell.strip() for cell in cells):
                rows.append([cell.strip() for cell in cells])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path}: line {begins}: not valid CSV ({error})") from error
    if not rows:
        raise DataError(f"{path}: empty; a header and at least one row are needed")
    names = _header(path, rows.pop(0))
    del lines[0]
    if not rows:
        raise DataError(f"{path}: a header but no rows; at least one is needed")
    for cells, line in zip(rows, lines, strict=True):
        if len(cells) != len(names):
            raise DataError(
                f"{path}: line {line}: the header has {len(names)} cells, parted by {delimiter!r}; "
                f"this row has {len(cells)}: make them equal"
            )
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return _Table(path, names, columns, lines)


def _delimiter(text: str) -> str:
    """Return the delimiter that makes the most of the header."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(
        ",;\t", key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), []))
    )


def _header(path: Path, names: list[str]) -> tuple[str, ...]:
    if all(_number(name) is not None for name in names):
        raise DataError(f"{path}: no header; write the names of the columns into the first line")
    if len(names) < 2:
        raise DataError(
            f"{path}: one column only; at least one input and the target are needed, "
            "parted by comma, semicolon or tab"
        )
    for place, name in enumerate(names, start=1):
        if not name:
            raise DataError(f"{path}: column {place} has no name; write one into the first line")
        if name in names[: place - 1]:
            raise DataError(f"{path}: two columns named {name!r}; give each its own name")
    return tuple(names)
