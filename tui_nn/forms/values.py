"""From what a person types to a value of the experiment, and back.

What can't be read as wished stays the text it is: the experiment's own check says what is wrong.
"""

import math
import re
from typing import Any

_HEADER = re.compile(r"[A-Za-z_]")


def number_of(text: str, *, whole: bool) -> Any:
    """A number, None for nothing, else the text itself."""
    text = text.strip()
    if not text:
        return None
    if whole:
        try:
            return int(text)
        except ValueError:
            pass
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        return text
    return int(value) if whole and value.is_integer() else value


def text_of(value: Any) -> str:
    """As a person would type it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def numbers_of(text: str, ranks: frozenset[int], *, whole: bool = False) -> Any:
    """A list of numbers, or a list of such lists; None for nothing, else the text itself.

    A line is a row; so is what a semicolon ends. Where both ranks are allowed one row is a plain
    list, unless a semicolon ends it: then it is a table of one row. Where rank 3 is allowed, a row
    may be a sequence: a bar ends each of its steps.
    """
    if 3 in ranks and "|" in text:
        return _sequences_of(text, whole=whole)
    rows = [row.replace(",", " ").replace("\t", " ").split() for row in re.split(r"[;\n]", text)]
    rows = [row for row in rows if row]
    if not rows:
        return None
    try:
        values = [[_number(word, whole=whole) for word in row] for row in rows]
    except ValueError:
        return text
    if 2 not in ranks:
        return [value for row in values for value in row]
    return values[0] if 1 in ranks and len(values) == 1 and ";" not in text else values


def _sequences_of(text: str, *, whole: bool) -> Any:
    found = []
    for row in filter(str.strip, re.split(r"[;\n]", text)):
        steps = [numbers_of(step, frozenset({1}), whole=whole) for step in row.split("|")]
        if any(isinstance(step, str) for step in steps):
            return text
        found.append([step for step in steps if step is not None])
    return [row for row in found if row] or None


def wrong_number(text: str) -> str:
    """Where the first thing that is no number stands; "" where all are numbers."""
    for row, line in enumerate(re.split(r"[;\n]", text), 1):
        for column, word in enumerate(re.sub("[,|]", " ", line).split(), 1):
            try:
                _finite(word)
            except ValueError:
                return f"row {row}, column {column}: {word!r} is no number"
    return ""


def table_of(value: Any) -> str:
    """Numbers as `numbers_of` reads them."""
    if not isinstance(value, list | tuple):
        return text_of(value)
    if not any(isinstance(row, list | tuple) for row in value):
        return " ".join(map(text_of, value))
    if all(isinstance(row, list) and row and isinstance(row[0], list) for row in value):
        return "\n".join(" | ".join(map(table_of, row)) + " |" * (len(row) < 2) for row in value)
    lines = [
        " ".join(map(text_of, row)) if isinstance(row, list) else text_of(row) for row in value
    ]
    return f"{lines[0]};" if len(lines) == 1 else "\n".join(lines)


def without_header(text: str) -> str:
    """The text of a CSV file without its first line, if that names the columns."""
    first, _, rest = text.partition("\n")
    return rest if _HEADER.search(first.replace("e", "").replace("E", "")) else text


def _number(word: str, *, whole: bool) -> float:
    value = _finite(word)
    return int(value) if whole and value.is_integer() else value


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(word)
    return value
