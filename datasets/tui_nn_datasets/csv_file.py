"""CSV files: rows of cells under a header, read as numbers or as text."""

import csv
import io
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tui_nn_datasets.dataset import DataError

_NO_CLASS = frozenset(("", "?", "na", "n/a", "nan"))
_NO_NUMBER = _NO_CLASS | {"-", "null", "none"}
"""How a missing value is written; "none" may well be the name of a class."""


@dataclass(frozen=True)
class Table:
    """The cells of a CSV file as text, by column; every row is complete."""

    path: Path
    names: tuple[str, ...]
    columns: dict[str, list[str]]
    lines: list[int]
    """The line of the file each row ends at."""

    def where(self, name: str, row: int) -> str:
        """The place of a cell, for a person to find it."""
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


def read_table(path: Path) -> Table:
    """Read a table with a header: text in UTF-8, its cells parted by comma, semicolon or tab.

    Raises DataError where the file can't be read or is no such table; it names the place.
    """
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
    return Table(path, names, columns, lines)


def _delimiter(text: str) -> str:
    """Return the delimiter that makes the most of the header."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(
        ",;\t", key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), []))
    )


def _header(path: Path, names: list[str]) -> tuple[str, ...]:
    if all(_number(name) is not None for name in names):
        raise DataError(f"{path}: no header; write the names of the columns into the first line")
    for place, name in enumerate(names, start=1):
        if not name:
            raise DataError(f"{path}: column {place} has no name; write one into the first line")
        if name in names[: place - 1]:
            raise DataError(f"{path}: two columns named {name!r}; give each its own name")
    return tuple(names)


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
