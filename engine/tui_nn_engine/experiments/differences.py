"""Where experiments differ."""

from collections.abc import Iterator, Sequence
from typing import Any

from tui_nn_engine.blocks.paths import Steps, path_of, value_at
from tui_nn_engine.experiments.experiment import Experiment


def all_differences(experiments: Sequence[Experiment]) -> dict[str, tuple[Any, ...]]:
    """By path what each has where they differ, None where it has nothing.

    What is left at its default everywhere is passed over.
    """
    set_by = [
        one.model_dump(mode="json", exclude_defaults=True, exclude_none=True) for one in experiments
    ]
    full = [one.tree(defaults=True) for one in experiments]
    places = dict.fromkeys(steps for tree in set_by for steps, _ in _leaves(tree))
    found: dict[str, tuple[Any, ...]] = {}
    for steps in places:
        values = tuple(_plain(value_at(tree, steps)) for tree in full)
        if any(value != values[0] for value in values):
            found[path_of(steps)] = values
    return found


def _plain(value: Any) -> Any:
    """A block stands for its type: what it holds differs in places of its own."""
    return value.get("type") if isinstance(value, dict) else value


def _leaves(tree: Any, at: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _leaves(value, (*at, key))
    elif isinstance(tree, list) and any(isinstance(item, dict) for item in tree):
        for index, value in enumerate(tree):
            yield from _leaves(value, (*at, index))
    else:
        yield at, tree
