"""What does not fit in an experiment, and the experiment mended: what checks are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tui_nn_engine.blocks.paths import steps_of, value_at, with_value, without
from tui_nn_engine.blocks.schema import ExperimentError, Problem
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.layers import INPUT, ActivationLayer, Dense, Place


@dataclass(frozen=True)
class Misfit(Problem):
    """A problem between the parts of an experiment; `fixed` is the experiment with it mended."""

    remedy: str = ""
    fixed: Experiment | None = None

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}; to mend it: {self.remedy}" if self.remedy else text


def way_to_the_output(experiment: Experiment) -> Iterator[Place]:
    """The layers from the last one back to the first, or to where branches meet."""
    places = {place.name: place for place in experiment.places()}
    name = next(reversed(places))
    while name != INPUT:
        yield places[name]
        sources = places[name].sources
        name = sources[0] if len(sources) == 1 else INPUT


def last_activation(experiment: Experiment) -> tuple[str, str]:
    """Where the activation that makes the output stands, and its type."""
    for place in way_to_the_output(experiment):
        layer = place.layer
        if isinstance(layer, Dense | ActivationLayer):
            linear_before = isinstance(layer, ActivationLayer) and layer.activation.type == "linear"
            if not linear_before:
                return f"{place.path}.activation", layer.activation.type
    return "layers", "linear"


def last_dense(experiment: Experiment) -> Place | None:
    """The dense layer that makes the output; None where the last of them is within branches."""
    way = way_to_the_output(experiment)
    return next((place for place in way if isinstance(place.layer, Dense)), None)


def with_output(experiment: Experiment, activation: str, loss: str = "") -> Experiment | None:
    """With this activation making the output, in a layer of its own where no layer has one."""
    place = last_activation(experiment)[0]
    values: dict[str, Any] = {"loss": _as(experiment, loss)} if loss else {}
    if place != "layers":
        values[place] = activation
    elif activation != "linear":
        layer = {"type": "activation", "activation": activation}
        experiment = with_layer(experiment, end_of(experiment), layer)
    return mended(experiment, values)


def with_loss(experiment: Experiment, loss: str) -> Experiment | None:
    """With another type of loss; classes keep their weights."""
    return mended(experiment, {"loss": _as(experiment, loss)})


def _as(experiment: Experiment, loss: str) -> dict[str, Any]:
    kept = experiment.tree()["loss"].get("class_weight")
    return {"type": loss} | ({} if kept is None else {"class_weight": kept})


def end_of(experiment: Experiment) -> str:
    """The place after the last layer."""
    return f"layers[{len(experiment.layers)}]"


def with_layer(experiment: Experiment, path: str, layer: dict[str, Any]) -> Experiment:
    """With a layer more, put in at this place."""
    tree = experiment.tree()
    *steps, index = steps_of(path)
    layers = list(value_at(tree, tuple(steps), ()))
    layers.insert(int(index), layer)
    return Experiment.parse(with_value(tree, tuple(steps), layers))


def without_layer(experiment: Experiment, path: str) -> Experiment | None:
    """Without the layer at this place; None where it is the only one."""
    try:
        return Experiment.parse(without(experiment.tree(), steps_of(path)))
    except ExperimentError:
        return None


def mended(experiment: Experiment, values: dict[str, Any]) -> Experiment | None:
    """With these values at their paths ("layers[1].units"); None where that is no experiment."""
    tree = experiment.tree()
    for path, value in values.items():
        tree = with_value(tree, steps_of(path), value)
    try:
        return Experiment.parse(tree)
    except ExperimentError:
        return None
