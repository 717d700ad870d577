"""Tables: the embedded ones, and a person's own from a CSV file."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tui_nn_datasets.csv_file import Table, read_table
from tui_nn_datasets.dataset import MOST_CLASSES, DataError, Dataset, Entry, Task, nearest

_FOLDER = Path(__file__).parent / "data"
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
    table = read_table(path)
    if len(table.names) < 2:
        raise DataError(
            f"{path}: one column only; at least one input and the target are needed, "
            "parted by comma, semicolon or tab"
        )
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


def read_inputs(path: str | Path, names: Sequence[str]) -> np.ndarray:
    """Read the inputs that a table named so (`Dataset.input_names`) from another; it may hold more.

    A name that is no column, as "city=Wien", is 1 where column "city" says "Wien", else 0.

    Returns:
        float64 (rows, len(names)).

    Raises:
        DataError: the file can't be read, lacks a column, or a cell is no number or a text that
            has no input; the message names the place.
    """
    table = read_table(Path(path))
    inputs = np.empty((len(table.lines), len(names)))
    places: dict[str, dict[str, int]] = {}  # by column: of each of its texts
    for place, name in enumerate(names):
        if name in table.names:
            inputs[:, place] = table.numbers(name)
            continue
        fitting = [column for column in table.names if name.startswith(f"{column}=")]
        if not fitting:
            column = name.partition("=")[0]
            raise DataError(
                f"{table.path}: no column {column!r}{nearest(column, table.names)}; "
                f"the network's inputs are {', '.join(names)}"
            )
        column = max(fitting, key=len)
        places.setdefault(column, {})[name[len(column) + 1 :]] = place
    for column, texts in places.items():
        cells = table.texts(column)
        for row, cell in enumerate(cells):
            if cell not in texts:
                raise DataError(
                    f"{table.where(column, row)}: {str(cell)!r} is none of the texts that the "
                    f"network knows: {', '.join(texts)}"
                )
        for text, place in texts.items():
            inputs[:, place] = cells == text
    return inputs


def _named(table: Table, text: str, what: str) -> tuple[str, ...]:
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


def _input_columns(table: Table, columns: str | None, targets: tuple[str, ...]) -> tuple[str, ...]:
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


def _inputs(table: Table, columns: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
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
    table: Table, targets: tuple[str, ...], task: Task | None
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
    table: Table, target: str, task: Task | None
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


def _classes(table: Table, target: str, labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Number the different labels, sorted; they may be text or whole numbers."""
    names, y = np.unique(labels, return_inverse=True)
    if not 2 <= len(names) <= MOST_CLASSES:
        raise DataError(
            f"{table.path}: a classification needs 2 to {MOST_CLASSES} different values (column "
            f"{target!r} holds {len(names)}): choose another target or task"
        )
    return y.astype(np.int64), tuple(str(name) for name in names)
