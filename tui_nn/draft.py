"""The experiment being edited: a tree that may be wrong, its history, its file."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tui_nn.review import Review as Review
from tui_nn.review import Tree, fitted, review
from tui_nn.starters import default_experiment
from tui_nn_engine.blocks.paths import Steps, steps_of, value_at, with_value, without
from tui_nn_engine.blocks.schema import ExperimentError, Problem
from tui_nn_engine.data.prepared import PreparedData
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.experiments.files import read_text, save_toml, tree_of

_HISTORY = 500
_ListChange = Callable[[list[Any], int], Any]


@dataclass(frozen=True)
class _State:
    tree: Tree
    path: Path | None


class Draft:
    """An experiment as it is edited; each change can be undone, opening a file as well.

    Trees are never changed in place, so one taken from here stays as it is.
    """

    model: ClassVar[type[Experiment]] = Experiment

    def __init__(self, experiment: Experiment | None = None, path: Path | None = None) -> None:
        tree = (experiment or default_experiment()).tree()
        self._states = [_State(tree, path)]
        self._at = 0
        self._group: str | None = None
        self._stored: dict[Path | None, Tree] = {path: tree}

    @property
    def tree(self) -> Tree:
        """The experiment as plain tables and lists, wrong values included."""
        return self._states[self._at].tree

    @property
    def path(self) -> Path | None:
        """The file it was read from or saved to."""
        return self._states[self._at].path

    @property
    def modified(self) -> bool:
        """Whether it differs from its file (without a file: from what it began as)."""
        return self.tree != self._stored.get(self.path)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The values that are wrong, whatever the data."""
        try:
            self.model.parse(self.tree)
        except ExperimentError as error:
            return error.problems
        return ()

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return self._at > 0

    @property
    def can_redo(self) -> bool:
        """Whether a change was taken back."""
        return self._at < len(self._states) - 1

    @property
    def layers(self) -> list[Any]:
        """The layers' trees; [] where the file has something else there."""
        layers = self.tree.get("layers")
        return list(layers) if isinstance(layers, list | tuple) else []

    def value(self, path: str) -> Any:
        """What stands at `path` ("layers[1].units"), None if nothing does; "" is the whole tree."""
        return value_at(self.tree, steps_of(path)) if path else self.tree

    def set(self, path: str, value: Any) -> None:
        """Put a value there, right or wrong; None takes away what stands there.

        Edits of one field in a row are one step of the history. A rule takes the place of loss and
        optimizer; without one they are again what they last were. Raises ValueError for a list item
        that does not exist.
        """
        tree = edited(self.tree, steps_of(path), value)
        if path == "rule":
            tree = self._one_way_to_learn(tree)
        if tree != self.tree:
            group = None if isinstance(value, dict) else path  # another kind is a step of its own
            self._push(_State(tree, self.path), group)

    def insert(self, path: str, tree: Tree) -> None:
        """Put a block into a list, before the one at `path`: "layers[1].branches[0].layers[2]"."""
        self._change_list(path, lambda items, index: items.insert(index, tree))

    def move(self, path: str, to: int) -> None:
        """Take the block at `path` out and put it in where it then has the index `to`."""
        self._change_list(path, lambda items, index: items.insert(to, items.pop(index)))

    def transfer(self, path: str, to: str) -> None:
        """Take the block at `path` out and put it in before what then stands at `to`."""
        block = self.value(path)
        taken_out = _with_list(self.tree, path, lambda items, index: items.pop(index))
        put_in = _with_list(taken_out, to, lambda items, index: items.insert(index, block))
        self._push(_State(put_in, self.path))

    def duplicate(self, path: str) -> None:
        """Put a copy of the block at `path` after it."""
        self._change_list(path, lambda items, index: items.insert(index + 1, items[index]))

    def remove(self, path: str) -> None:
        """Take the block at `path` out of its list."""
        self._change_list(path, lambda items, index: items.pop(index))

    def replace(self, experiment: Experiment | Tree) -> None:
        """Another experiment in its place, as one change."""
        tree = experiment if isinstance(experiment, dict) else experiment.tree()
        if tree != self.tree:
            self._push(_State(tree, self.path))

    def fit_to(self, data: PreparedData) -> None:
        """Make output and loss suit the data, keeping what does, as part of the last change."""
        try:
            tree = fitted(self.model.parse(self.tree), data).tree()
        except ExperimentError:
            return
        if tree != self.tree:
            self._states[self._at] = _State(tree, self.path)

    def start(self, experiment: Experiment) -> None:
        """Begin anew, without a file; undo leads back to the one before."""
        tree = experiment.tree()
        self._push(_State(tree, None))
        self._stored[None] = tree

    def open(self, path: Path) -> None:
        """Read a file. Its problems are left to the review; undo leads back to the one before.

        Raises ExperimentError, changing nothing, where the file can't be read or is no TOML.
        """
        tree = tree_of(read_text(path))
        with suppress(ExperimentError):  # else kept as written: the review says what is wrong
            tree = self.model.parse(tree).tree()
        self._push(_State(tree, path))
        self._stored[path] = tree

    def save(self, path: Path) -> None:
        """Write it atomically, what is wrong in it too, keeping the comments of the file it
        replaces. Raises OSError where it can't be written.
        """
        save_toml(path, self.model.meaning(self.tree), self.model.meaning)
        self._states[self._at] = _State(self.tree, path)
        self._stored[path] = self.tree
        self._group = None

    def undo(self) -> None:
        """Take the last change back."""
        self._at = max(0, self._at - 1)
        self._group = None

    def redo(self) -> None:
        """Make it again."""
        self._at = min(len(self._states) - 1, self._at + 1)
        self._group = None

    def review(self) -> Review:
        """What is to be said of the tree as it is now; may load data, so call it in a thread."""
        return review(self.tree, self.model)

    def _one_way_to_learn(self, tree: Tree) -> Tree:
        others = self.model.replaced_by_rule
        if tree.get("rule") is not None:
            return {name: value for name, value in tree.items() if name not in others}
        known = (state.tree for state in reversed(self._states[: self._at + 1]))
        last = next((one for one in known if "loss" in one), {})
        return tree | {name: last[name] for name in others if name in last}

    def _change_list(self, path: str, change: _ListChange) -> None:
        tree = _with_list(self.tree, path, change)
        if tree != self.tree:
            self._push(_State(tree, self.path))

    def _push(self, state: _State, group: str | None = None) -> None:
        goes_on = group is not None and group == self._group and not self.can_redo
        kept = self._states[: self._at + (0 if goes_on else 1)]
        self._states = [*kept, state][-_HISTORY:]
        self._at = len(self._states) - 1
        self._group = group


def edited(tree: Any, steps: Steps, value: Any) -> Any:
    """A copy of the tree with the value there; None takes away what stands there.

    Raises ValueError for a list item that does not exist.
    """
    return without(tree, steps) if value is None else with_value(tree, steps, value)


def _with_list(tree: Tree, path: str, change: _ListChange) -> Tree:
    """A copy of the tree with the list changed that the block at `path` stands in."""
    *owner, index = steps_of(path)
    found = value_at(tree, tuple(owner), ())
    items = list(found) if isinstance(found, list | tuple) else []
    change(items, int(index))
    changed: Tree = with_value(tree, tuple(owner), items)
    return changed
