"""What is to be said of an experiment that is being edited: what is wrong, what comes of it."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tui_nn_datasets import DataError
from tui_nn_engine.blocks.paths import steps_of, value_at, with_value, without
from tui_nn_engine.blocks.schema import ExperimentError, Problem
from tui_nn_engine.checks.mending import last_dense
from tui_nn_engine.checks.misfits import misfits
from tui_nn_engine.checks.usual import usual_for
from tui_nn_engine.data.prepared import PreparedData, prepare
from tui_nn_engine.experiments.experiment import BESIDE_A_RULE, Experiment
from tui_nn_engine.experiments.forecast import Forecast, forecast
from tui_nn_engine.networks.network import LayerSummary, summarize

Tree = dict[str, Any]


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
    forecast: Forecast | None = None
    """Of the learning rate; None where that is not known."""

    @property
    def trainable(self) -> Experiment | None:
        """The experiment, if nothing keeps it from being trained."""
        return None if self.problems else self.experiment


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
    rows = summarize(readable, data.sample_shape)
    summary = tuple(row for row in rows if row.top < layers)
    if experiment is None:
        return Review(None, problems, _removals(tree, problems), summary, data)
    found = misfits(experiment, data)
    fixes = tuple(Fix(one, one.remedy, one.fixed.tree()) for one in found if one.fixed)
    rates = forecast(experiment, len(data.train))
    return Review(experiment, found, fixes, summary, data, rates)


def _removals(tree: Tree, problems: tuple[Problem, ...]) -> tuple[Fix, ...]:
    """For each key that nothing knows or needs: to take it out."""
    needless = ("is not known here", BESIDE_A_RULE)
    unknown = (one for one in problems if one.message.startswith(needless))
    return tuple(
        Fix(one, f"remove {one.path}", without(tree, steps_of(one.path))) for one in unknown
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


def fitted(experiment: Experiment, data: PreparedData) -> Experiment:
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
    last = last_dense(experiment)
    if last is None or experiment.rule is not None:
        return experiment
    usual = usual_for(data)
    activation = value_at(experiment.tree(defaults=True), (*steps_of(last.path), "activation"))
    suits = activation != "linear" if data.dataset.classes == 2 else activation == usual.activation
    if suits:
        return experiment
    tree = with_value(experiment.tree(), (*steps_of(last.path), "units"), data.outputs[0])
    tree = with_value(tree, (*steps_of(last.path), "activation"), usual.activation)
    return type(experiment).parse(with_value(tree, ("loss",), {"type": usual.loss}))
