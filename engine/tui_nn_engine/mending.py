"""What does not fit in an experiment, and the experiment mended: what checks are made of."""

from dataclasses import dataclass
from typing import Any

from tui_nn_engine.experiment import Experiment
from tui_nn_engine.layers import ActivationLayer, Dense
from tui_nn_engine.paths import steps_of, with_value
from tui_nn_engine.schema import ExperimentError, Problem


@dataclass(frozen=True)
class Misfit(Problem):
    """A problem between the parts of an experiment; `fixed` is the experiment with it mended."""

    remedy: str = ""
    fixed: Experiment | None = None

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}; to mend it: {self.remedy}" if self.remedy else text


def last_activation(experiment: Experiment) -> tuple[str, str]:
    """Where the activation that makes the output stands, and its type."""
    for index in reversed(range(len(experiment.layers))):
        layer = experiment.layers[index]
        if isinstance(layer, Dense | ActivationLayer):
            linear_before = isinstance(layer, ActivationLayer) and layer.activation.type == "linear"
            if not linear_before:
                return f"layers[{index}].activation", layer.activation.type
    return "layers", "linear"


def with_output(experiment: Experiment, activation: str, loss: str = "") -> Experiment | None:
    """With this activation making the output, in a layer of its own where no layer has one."""
    place = last_activation(experiment)[0]
    values: dict[str, Any] = {"loss": _as(experiment, loss)} if loss else {}
    if place != "layers":
        values[place] = activation
    elif activation != "linear":
        layer = {"type": "activation", "activation": activation}
        experiment = with_layer(experiment, len(experiment.layers), layer)
    return mended(experiment, values)


def with_loss(experiment: Experiment, loss: str) -> Experiment | None:
    """With another type of loss; classes keep their weights."""
    return mended(experiment, {"loss": _as(experiment, loss)})


def _as(experiment: Experiment, loss: str) -> dict[str, Any]:
    kept = experiment.tree()["loss"].get("class_weight")
    return {"type": loss} | ({} if kept is None else {"class_weight": kept})


def with_layer(experiment: Experiment, index: int, layer: dict[str, Any]) -> Experiment:
    """With a layer more, put in at this place."""
    tree = experiment.tree()
    tree["layers"].insert(index, layer)
    return Experiment.parse(tree)


def mended(experiment: Experiment, values: dict[str, Any]) -> Experiment | None:
    """With these values at their paths ("layers[1].units"); None where that is no experiment."""
    tree = experiment.tree()
    for path, value in values.items():
        tree = with_value(tree, steps_of(path), value)
    try:
        return Experiment.parse(tree)
    except ExperimentError:
        return None
