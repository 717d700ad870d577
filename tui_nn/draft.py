"""The experiment being edited: a tree that may be wrong, its history, its file, its review."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from tui_nn_datasets import DataError
from tui_nn_engine.checks import misfits
from tui_nn_engine.data import PreparedData, prepare
from tui_nn_engine.experiment import BESIDE_A_RULE, Experiment, read_text, tree_of
from tui_nn_engine.network import LayerSummary, summarize
from tui_nn_engine.paths import Steps, steps_of, value_at, with_value
from tui_nn_engine.schema import ExperimentError, Problem

Tree = dict[str, Any]

_HISTORY = 500


@dataclass(frozen=True)
class Fix:
    """A mend that the screen offers: the problem it ends, what it does, the tree it leads to."""

    problem: Problem
    remedy: str
    tree: Tree


@dataclass(frozen=True, eq=False)
class Review:
    """All that is known of a tree: the experiment if it is one, what is wrong, what comes of it."""

    experiment: Experiment | None
    """None while a value is wrong; with misfits it is there, but can't be trained."""
    problems: tuple[Problem, ...]
    fixes: tuple[Fix, ...]
    summary: tuple[LayerSummary, ...]
    """Of the layers before the first that is wrong."""
    data: PreparedData | None

    @property
    def trainable(self) -> Experiment | None:
        """The experiment, if nothing keeps it from being trained."""
        return None if self.problems else self.experiment


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

    def insert_layer(self, index: int, tree: Tree) -> None:
        """Put a layer before the one at `index`."""
        self._change_layers(lambda layers: layers.insert(index, tree))

    def move_layer(self, index: int, to: int) -> None:
        """Take the layer out and put it in where it then has the index `to`."""
        if to != index and 0 <= to < len(self.layers):
            self._change_layers(lambda layers: layers.insert(to, layers.pop(index)))

    def duplicate_layer(self, index: int) -> None:
        """Put a copy after it."""
        self._change_layers(lambda layers: layers.insert(index + 1, layers[index]))

    def remove_layer(self, index: int) -> None:
        """Take it out."""
        self._change_layers(lambda layers: layers.pop(index))

    def replace(self, experiment: Experiment | Tree) -> None:
        """Another experiment in its place, as one change."""
        tree = experiment if isinstance(experiment, dict) else experiment.tree()
        if tree != self.tree:
            self._push(_State(tree, self.path))

    def fit_to(self, data: PreparedData) -> None:
        """Make output and loss suit the data, keeping what does, as part of the last change."""
        try:
            fitted = _fitted(self.model.parse(self.tree), data).tree()
        except ExperimentError:
            return
        if fitted != self.tree:
            self._states[self._at] = _State(fitted, self.path)

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
        """Write it atomically, keeping the comments of the file it replaces.

        Raises ExperimentError while a value is wrong, OSError where the file can't be written.
        """
        self.model.parse(self.tree).save(path)
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

    def _change_layers(self, change: Callable[[list[Any]], Any]) -> None:
        layers = self.layers
        change(layers)
        self._push(_State({**self.tree, "layers": layers}, self.path))

    def _push(self, state: _State, group: str | None = None) -> None:
        goes_on = group is not None and group == self._group and not self.can_redo
        kept = self._states[: self._at + (0 if goes_on else 1)]
        self._states = [*kept, state][-_HISTORY:]
        self._at = len(self._states) - 1
        self._group = group


def review(tree: Tree, model: type[Experiment] = Experiment) -> Review:
    """Parse, load the data, check the fit, derive the shapes. Raises nothing for bad input."""
    problems: tuple[Problem, ...] = ()
    experiment: Experiment | None = None
    try:
        experiment = readable = model.parse(tree)
        layers = len(readable.layers)
    except ExperimentError as error:
        problems = error.problems
        part = _readable_part(tree, problems, model)
        if part is None:
            return Review(None, problems, _removals(tree, problems), (), None)
        readable, layers = part
    try:
        data = _prepared(readable)
    except DataError as error:
        return Review(experiment, (*problems, Problem("data", str(error))), (), (), None)
    summary = summarize(readable, data.sample_shape)[:layers]
    if experiment is None:
        return Review(None, problems, _removals(tree, problems), summary, data)
    found = misfits(experiment, data)
    fixes = tuple(Fix(one, one.remedy, one.fixed.tree()) for one in found if one.fixed)
    return Review(experiment, found, fixes, summary, data)


def edited(tree: Any, steps: Steps, value: Any) -> Any:
    """A copy of the tree with the value there; None takes away what stands there.

    Raises ValueError for a list item that does not exist.
    """
    return _without(tree, steps) if value is None else with_value(tree, steps, value)


def default_experiment() -> Experiment:
    """What the app opens with: handwritten digits and one hidden layer."""
    return starters()["mnist_small"]


def starters() -> dict[str, Experiment]:
    """Experiments to begin from, by their data."""
    return {
        "mnist_small": _starter(
            {"name": "mnist_small"},
            [_dense(512, "relu"), _dense(10, "softmax")],
            "categorical_crossentropy",
            {"epochs": 10, "batch_size": 128},
        ),
        "xor": _starter(
            {"name": "xor"},
            [_dense(4, "tanh"), _dense(1, "tanh")],
            "mean_squared_error",
            {"epochs": 500, "batch_size": 4},
            learning_rate=0.05,
        ),
        "spiral": _starter(
            {"name": "spiral"},
            [_dense(8, "tanh"), _dense(8, "tanh"), _dense(1, "sigmoid")],
            "binary_crossentropy",
            {"epochs": 300, "batch_size": 20},
            learning_rate=0.03,
        ),
        "iris": _starter(
            {"name": "iris"},
            [_dense(16, "relu"), _dense(3, "softmax")],
            "categorical_crossentropy",
            {"epochs": 100, "batch_size": 16},
            learning_rate=0.01,
        ),
        "diabetes": _starter(
            {"name": "diabetes"},
            [_dense(16, "relu"), _dense(1, "linear")],
            "mean_squared_error",
            {"epochs": 50, "batch_size": 32},
        ),
        "gates": Experiment.parse(
            {
                "data": {"name": "gates", "gate": "or"},
                "layers": [_dense(1, "step")],
                "rule": {"type": "perceptron", "learning_rate": 0.2},
                "training": {"epochs": 10, "batch_size": 1, "shuffle": False},
            }
        ),
    }


def _starter(
    data: Tree, layers: list[Tree], loss: str, training: Tree, learning_rate: float = 0.001
) -> Experiment:
    tree = {"seed": 0, "data": data, "layers": layers, "loss": {"type": loss}}
    optimizer = {"type": "adam", "learning_rate": learning_rate}
    return Experiment.parse({**tree, "optimizer": optimizer, "training": training})


def _dense(units: int, activation: str) -> Tree:
    return {"type": "dense", "units": units, "activation": activation}


def _without(tree: Any, steps: Steps) -> Any:
    """A copy of the tree without what stands there."""
    owner = value_at(tree, steps[:-1])
    if isinstance(owner, dict):
        return _put(tree, steps[:-1], {k: v for k, v in owner.items() if k != steps[-1]})
    if isinstance(owner, list | tuple):
        return _put(tree, steps[:-1], [v for i, v in enumerate(owner) if i != steps[-1]])
    return tree


def _put(tree: Any, steps: Steps, value: Any) -> Any:
    return with_value(tree, steps, value) if steps else value


def _removals(tree: Tree, problems: tuple[Problem, ...]) -> tuple[Fix, ...]:
    """For each key that nothing knows or needs: to take it out."""
    needless = ("is not known here", BESIDE_A_RULE)
    unknown = (one for one in problems if one.message.startswith(needless))
    return tuple(
        Fix(one, f"remove {one.path}", _without(tree, steps_of(one.path))) for one in unknown
    )


def _readable_part(
    tree: Tree, problems: tuple[Problem, ...], model: type[Experiment]
) -> tuple[Experiment, int] | None:
    """What can be read of a wrong tree, its data and its first layers: (experiment, layers)."""
    layers = tree.get("layers")
    layers = list(layers) if isinstance(layers, list | tuple) else []
    wrong = {steps_of(problem.path)[1] for problem in problems if problem.path[:7] == "layers["}
    count = min((index for index in wrong if isinstance(index, int)), default=len(layers))
    part = {
        "data": tree.get("data"),
        "layers": layers[:count] or [{"type": "flatten"}],
        "loss": {"type": "mean_squared_error"},
    }
    try:
        return model.parse(part), count
    except ExperimentError:
        return None


def _prepared(experiment: Experiment) -> PreparedData:
    """The data of an experiment, loaded once for all edits of its other parts."""
    block = experiment.data
    path = Path(getattr(block, "path", ""))
    stamp = path.stat().st_mtime_ns if path.is_file() else 0
    text = json.dumps(block.model_dump(mode="json"))
    return _load(text, experiment.seed, experiment.dtype, stamp, type(experiment))


@lru_cache(maxsize=1)  # whole MNIST is 200 MB
def _load(
    block: str,
    seed: int,
    dtype: str,
    stamp: int,  # noqa: ARG001 - a table that was written anew is read anew
    model: type[Experiment],
) -> PreparedData:
    tree = {"data": json.loads(block), "layers": ["flatten"], "loss": "mean_squared_error"}
    tree["data"] = {key: value for key, value in tree["data"].items() if value is not None}
    return prepare(model.parse(tree).data, seed, dtype)


def _fitted(experiment: Experiment, data: PreparedData) -> Experiment:
    """With an output and a loss for this data; its hidden layers stay."""
    experiment = _suited(experiment, data)
    for _ in range(len(experiment.layers) + 4):  # each mend may show the next misfit
        fixed = next((one.fixed for one in misfits(experiment, data) if one.fixed), None)
        if fixed is None:
            break
        experiment = fixed
    return experiment


def _suited(experiment: Experiment, data: PreparedData) -> Experiment:
    """Allowed is much; here the task's usual output replaces one that was made for another task."""
    dense = [i for i, layer in enumerate(experiment.layers) if layer.type == "dense"]
    if not dense or experiment.rule is not None:
        return experiment
    activation = value_at(experiment.tree(defaults=True), ("layers", dense[-1], "activation"))
    classes = data.dataset.classes
    if classes:
        suits = activation != "linear" if classes == 2 else activation == "softmax"
        output = (1, "sigmoid") if classes == 2 else (classes, "softmax")
        loss = "binary_crossentropy" if classes == 2 else "categorical_crossentropy"
    else:
        suits = activation == "linear"
        output, loss = (data.outputs[0], "linear"), "mean_squared_error"
    if suits:
        return experiment
    tree = with_value(experiment.tree(), ("layers", dense[-1], "units"), output[0])
    tree = with_value(tree, ("layers", dense[-1], "activation"), output[1])
    return type(experiment).parse(with_value(tree, ("loss",), {"type": loss}))
