"""Places in an experiment: `layers[1].units` as text, as steps, and reading or writing there."""

import re
from typing import Any

Steps = tuple[str | int, ...]
MAX_DEPTH = 50
_STEP = re.compile(r"(?:^|\.)([^.\[\]]+)|\[(\d+)\]")


def steps_of(path: str) -> Steps:
    """("layers", 1, "units") for "layers[1].units". Raises ValueError for anything else."""
    steps: list[str | int] = []
    end = 0
    for match in _STEP.finditer(path):
        if match.start() != end:
            break
        steps.append(match[1] if match[1] is not None else int(match[2]))
        end = match.end()
    if end != len(path) or not steps:
        raise ValueError(f"{path!r} is no place in an experiment; write it as layers[1].units")
    if len(steps) > MAX_DEPTH:
        raise ValueError(f"nothing in an experiment lies {len(steps)} steps deep")
    return tuple(steps)


def path_of(steps: Steps) -> str:
    """The other way round."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


def value_at(tree: Any, steps: Steps, default: Any = None) -> Any:
    """What stands there, or the default."""
    for step in steps:
        try:
            tree = tree[step]
        except (KeyError, IndexError, TypeError):
            return default
    return tree


def with_value(tree: Any, steps: Steps, value: Any) -> Any:
    """A copy of the tree with the value put there; missing tables are made on the way.

    A bare string on the way (`activation = "relu"`) becomes a table with that type. Raises
    ValueError for a list index that does not exist.
    """
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int):
        if not isinstance(tree, list | tuple) or step >= len(tree):
            raise ValueError(f"there is no item [{step}]")
        items = list(tree)
        items[step] = with_value(items[step], rest, value)
        return items
    if isinstance(tree, str):
        tree = {"type": tree}
    table = dict(tree) if isinstance(tree, dict) else {}
    table[step] = with_value(table.get(step, {}), rest, value)
    return table


def without(tree: Any, steps: Steps) -> Any:
    """A copy of the tree without what stands there."""
    owner = value_at(tree, steps[:-1])
    if isinstance(owner, dict):
        return with_value(tree, steps[:-1], {k: v for k, v in owner.items() if k != steps[-1]})
    if isinstance(owner, list | tuple):
        return with_value(tree, steps[:-1], [v for i, v in enumerate(owner) if i != steps[-1]])
    return tree
