"""What networks for a task usually look like: two tables, one for numbers, one for classes.

Source: Géron, "Hands-On Machine Learning with Scikit-Learn, Keras, and TensorFlow" (2nd edition,
2019), tables 10-1 (regression) and 10-2 (classification), as lectures hand them out. The hidden
layers are the same in both: 1 to 5 of them, 10 to 100 units each, relu.
"""

from dataclasses import dataclass, replace
from typing import Any

from tui_nn_engine.data.prepared import PreparedData

Tree = dict[str, Any]

HIDDEN_ACTIVATION = "relu"
HIDDEN = {"small": (1, 10), "medium": (2, 50), "large": (5, 100)}
"""Hidden layers, units in each: the ends of the tables' ranges and something between."""


@dataclass(frozen=True)
class Usual:
    """A column of the tables: what the network ends in, for one task.

    `outputs` says how many there are of what; `metrics` are those that are reported.
    """

    task: str
    outputs: str
    activation: str
    loss: str
    metrics: tuple[str, ...]


REGRESSION = Usual(
    "regression", "one a value", "linear", "mean_squared_error", ("r2", "rmse", "mae", "mbe")
)
BINARY = Usual("binary classification", "one", "sigmoid", "binary_crossentropy", ("accuracy",))
MULTILABEL = Usual(
    "multi-label classification",
    "one a label",
    "sigmoid",
    "binary_crossentropy",
    ("exact_match", "label_accuracy"),
)
MULTICLASS = Usual(
    "multi-class classification",
    "one a class",
    "softmax",
    "categorical_crossentropy",
    ("accuracy",),
)
USUAL = (REGRESSION, BINARY, MULTILABEL, MULTICLASS)


def usual_for(data: PreparedData) -> Usual:
    """The column for this data. With targets of −1 and +1 a tanh takes the sigmoid's place."""
    if data.dataset.task == "regression":
        return REGRESSION
    found = MULTICLASS
    if data.dataset.task == "multilabel":
        found = MULTILABEL
    elif data.outputs[0] == 1:
        found = BINARY
    if getattr(data.block, "bipolar_targets", False):
        return replace(found, activation="tanh", loss="mean_squared_error")
    return found


def output_layer(data: PreparedData) -> Tree:
    """The usual last layer for this data."""
    layer = {"type": "dense", "units": data.outputs[0], "activation": usual_for(data).activation}
    return {key: value for key, value in layer.items() if value != "linear"}


def usual_network(data: PreparedData, size: str) -> Tree:
    """What is usual for this data, as parts of an experiment: layers, loss, optimizer.

    `size` is a key of `HIDDEN`.
    """
    count, units = HIDDEN[size]
    hidden = [{"type": "dense", "units": units, "activation": HIDDEN_ACTIVATION}] * count
    whole = len(data.sample_shape) > 1 and not data.dataset.steps  # one answer for all of it
    return {
        "layers": [*([{"type": "flatten"}] if whole else []), *hidden, output_layer(data)],
        "loss": {"type": usual_for(data).loss},
        "optimizer": {"type": "adam"},
    }
