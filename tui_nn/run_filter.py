"""Which runs are wanted, as a person types it: `optimizer.learning_rate >= 0.01 and moons`."""

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from tui_nn.outline import outline
from tui_nn.run_shelf import title_of
from tui_nn_engine.blocks.paths import Steps, path_of, steps_of, value_at
from tui_nn_engine.blocks.schema import nearest
from tui_nn_engine.training.records import Record

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}
EXAMPLE = "optimizer.learning_rate >= 0.01 and val_loss < 0.3"
_SIGNS = {"≤": "<=", "≥": ">=", "≠": "!="}
_TERM = re.compile(r"([\w.\[\]]+)\s*(<=|>=|==|!=|<|>|=|≤|≥|≠)\s*(\S.*)")
_BROKEN = re.compile(r"[<>=≤≥≠]")


def filtered(records: Sequence[Record], text: str) -> list[Record]:
    """Those for which every part of the text holds; parts are joined by "and" or commas.

    A part compares a place in the experiment or a figure with a value, or is a word of the run's
    name, tags, data or folder. Raises ValueError where a part is not understood, and where no run
    has what it names.
    """
    found = list(records)
    for part in re.split(r"\s+and\s+|,", text.strip()):
        if part.strip():
            wanted = _term(part.strip(), records)
            found = [record for record in found if wanted(record)]
    return found


def value_of(record: Record, path: str) -> Any:
    """A figure, a word about the run, or what stands at a place of its experiment; else None."""
    known: dict[str, Any] = {
        **record.last,
        "name": title_of(record),
        "tags": " ".join(record.label.tags),
        "network": outline(record.experiment),
        "state": record.state,
        "epoch": record.epochs[-1].epoch if record.epochs else 0,
        "seconds": record.outcome.seconds,
    }
    if path in known:
        return known[path]
    value = value_at(record.tree, steps_of(path))
    return value.get("type", value.get("name")) if isinstance(value, dict) else value


def _term(part: str, records: Iterable[Record]) -> Callable[[Record], bool]:
    match = _TERM.fullmatch(part)
    if match is None:
        if _BROKEN.search(part):
            raise ValueError(f"{part!r} is no comparison; write it as {EXAMPLE}")
        return lambda record: part.casefold() in _words(record)
    path, sign, text = match[1], _SIGNS.get(match[2], match[2]), match[3].strip("\"' ")
    if all(value_of(record, path) is None for record in records):
        hint = nearest(path, _paths(records))
        if hint.startswith("known"):
            hint = f"name a figure or a place in the experiment: {EXAMPLE}"
        raise ValueError(f"no run has {path!r}; {hint}")
    return lambda record: _holds(value_of(record, path), sign, text)


def _words(record: Record) -> str:
    about = (title_of(record), *record.label.tags, record.experiment.data.title)
    return " ".join((*about, record.folder.parent.name, record.folder.name)).casefold()


def _holds(value: Any, sign: str, text: str) -> bool:
    compare = COMPARISONS[sign]
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return compare(float(value), float(text))
        except ValueError:
            return sign == "!="
    if value is None:
        return sign == "!="
    words = str(value).casefold()
    if sign in {"=", "==", "!="}:
        return compare(words, text.casefold())
    return False


def _paths(records: Iterable[Record]) -> list[str]:
    found: dict[str, None] = {"name": None, "tags": None, "state": None, "seconds": None}
    for record in records:
        found |= dict.fromkeys(record.last)
        found |= dict.fromkeys(_leaves(record.tree, ()))
    return [*found]


def _leaves(tree: Any, at: Steps) -> Iterable[str]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*at, key))
    elif isinstance(tree, list) and tree and isinstance(tree[0], dict):
        for index, value in enumerate(tree):
            yield from _leaves(value, (*at, index))
    else:
        yield path_of(at)
