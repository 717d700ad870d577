"""Whether a loss can be trained with: it must suit the task, its targets, the last activation."""

from collections.abc import Iterator

import numpy as np

from tui_nn_engine.checks.mending import Misfit, last_activation, mended, with_loss, with_output
from tui_nn_engine.data.prepared import PreparedData
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.networks.network import summarize
from tui_nn_engine.primitives.losses import Loss

_ONE_OF_SEVERAL = {"categorical_crossentropy", "kl_divergence"}
_PROBABILITIES = {"binary_crossentropy", *_ONE_OF_SEVERAL}
_NOT_TO_MINUS_1 = {"sigmoid", "softmax", "step", "relu", "softplus", "gelu", "swish"}


def loss_misfits(experiment: Experiment, loss: Loss, data: PreparedData) -> Iterator[Misfit]:
    """All that keeps this loss from being trained with."""
    if loss.type == "mean_bias_error":
        yield Misfit(
            "loss",
            "mean_bias_error has no minimum: outputs that are too large make up for others that "
            "are too small, and it falls for ever as all of them do. It is a figure to look at "
            "(regression reports it as mbe), not one to train for",
            "use mean_absolute_error",
            with_loss(experiment, "mean_absolute_error"),
        )
    elif data.dataset.task == "regression":
        yield from _for_numbers(experiment, loss.type, data)
    elif data.dataset.task == "multilabel":
        yield from _for_labels(experiment, loss.type, data)
    else:
        yield from _for_classes(experiment, loss.type, data)
    if loss.class_weight is not None:
        yield from _class_weight(experiment, loss, data)


def _for_numbers(experiment: Experiment, loss: str, data: PreparedData) -> Iterator[Misfit]:
    place, activation = last_activation(experiment)
    outputs = _outputs(experiment, data)
    targets = data.targets(data.train, outputs)
    if loss in _PROBABILITIES and not (loss == "kl_divergence" and _are_shares(targets)):
        yield Misfit(
            "loss",
            f"{loss} compares probabilities, but {data.dataset.name!r} has numbers to predict",
            "use mean_squared_error with a linear output",
            with_output(experiment, "linear", "mean_squared_error"),
        )
    elif loss == "kl_divergence":
        yield from _needs_softmax(experiment, loss)
    elif loss == "hinge" and not any(np.isin(targets, pair).all() for pair in ((-1, 1), (0, 1))):
        yield Misfit(
            "loss",
            "hinge parts two classes, with targets of −1 and +1 (or 0 and 1), but "
            f"{data.dataset.name!r} has numbers to predict",
            "use mean_squared_error with a linear output",
            with_output(experiment, "linear", "mean_squared_error"),
        )
    elif loss == "hinge" and activation in _NOT_TO_MINUS_1:
        yield _too_high_for_hinge(experiment)
    elif outputs == 1 and activation == "softmax":
        yield Misfit(
            place,
            "softmax over a single output is always 1",
            "use linear",
            with_output(experiment, "linear"),
        )


def _for_labels(experiment: Experiment, loss: str, data: PreparedData) -> Iterator[Misfit]:
    """Each label is a question of its own: what one output says must not press on the others."""
    place, activation = last_activation(experiment)
    name = repr(data.dataset.name)
    if loss in _ONE_OF_SEVERAL:
        yield Misfit(
            "loss",
            f"{loss} is for one class of several, but of the labels of {name} any number may apply",
            "use sigmoid outputs with binary_crossentropy",
            with_output(experiment, "sigmoid", "binary_crossentropy"),
        )
    elif activation == "softmax":
        yield Misfit(
            place,
            f"softmax shares out 1 among the outputs, but of the labels of {name} any number may "
            "apply",
            "use sigmoid",
            with_output(experiment, "sigmoid"),
        )
    elif loss == "hinge" and activation in _NOT_TO_MINUS_1:
        yield _too_high_for_hinge(experiment)
    elif loss == "binary_crossentropy" and getattr(data.block, "bipolar_targets", False):
        yield _needs_0_and_1(experiment, loss)
    elif loss == "binary_crossentropy" and activation != "sigmoid":
        yield _needs_sigmoid(experiment, loss)


def _needs_0_and_1(experiment: Experiment, loss: str) -> Misfit:
    return Misfit(
        "loss",
        f"{loss} needs targets of 0 and 1, but data.bipolar_targets makes them -1 and +1",
        "use mean_squared_error",
        with_loss(experiment, "mean_squared_error"),
    )


def _needs_sigmoid(experiment: Experiment, loss: str) -> Misfit:
    place, activation = last_activation(experiment)
    return Misfit(
        place,
        f"{loss} needs probabilities, but the last activation is {activation}",
        "use sigmoid",
        with_output(experiment, "sigmoid"),
    )


def _for_classes(experiment: Experiment, loss: str, data: PreparedData) -> Iterator[Misfit]:
    outputs = _outputs(experiment, data)
    place, activation = last_activation(experiment)
    if loss == "hinge" and activation in _NOT_TO_MINUS_1:
        yield _too_high_for_hinge(experiment)
    elif outputs == 1 and (loss in _ONE_OF_SEVERAL or activation == "softmax"):
        what = loss if activation != "softmax" else "softmax"
        yield Misfit(
            "loss" if activation != "softmax" else place,
            f"{what} over a single output is always the same: it needs one output for each class",
            "use a sigmoid output with binary_crossentropy",
            with_output(experiment, "sigmoid", "binary_crossentropy"),
        )
    elif loss in _PROBABILITIES and getattr(data.block, "bipolar_targets", False):
        yield _needs_0_and_1(experiment, loss)
    elif loss in _ONE_OF_SEVERAL:
        yield from _needs_softmax(experiment, loss)
    elif loss == "binary_crossentropy" and activation not in {"softmax", "sigmoid"}:
        yield _needs_sigmoid(experiment, loss)


def _needs_softmax(experiment: Experiment, loss: str) -> Iterator[Misfit]:
    place, activation = last_activation(experiment)
    if activation != "softmax":
        yield Misfit(
            place,
            f"{loss} needs probabilities that sum to 1, but the last activation is {activation}",
            "use softmax",
            with_output(experiment, "softmax"),
        )


def _too_high_for_hinge(experiment: Experiment) -> Misfit:
    place, activation = last_activation(experiment)
    return Misfit(
        place,
        "hinge wants outputs from −1 down for one class and from +1 up for the other, but the "
        f"last activation, {activation}, never comes down to −1",
        "use linear",
        with_output(experiment, "linear"),
    )


def _class_weight(experiment: Experiment, loss: Loss, data: PreparedData) -> Iterator[Misfit]:
    weights, classes = loss.class_weight, data.dataset.classes
    place = "loss.class_weight"
    if not classes:
        has = "numbers to predict" if data.dataset.task == "regression" else "labels"
        block = {key: v for key, v in experiment.tree()["loss"].items() if key != "class_weight"}
        yield Misfit(
            place,
            f"weighs classes, but {data.dataset.name!r} has {has}",
            "remove it",
            mended(experiment, {"loss": block}),
        )
    elif not isinstance(weights, str) and weights is not None:
        balanced = mended(experiment, {place: "balanced"})
        if len(weights) != classes:
            yield Misfit(
                place,
                f"needs a number for each of the {classes} classes of {data.dataset.name!r} "
                f"(has {len(weights)})",
                'use "balanced"',
                balanced,
            )
        elif not any(weights):
            yield Misfit(
                place,
                "makes every sample count nothing, so nothing would be learned",
                'use "balanced"',
                balanced,
            )


def _are_shares(targets: np.ndarray) -> bool:
    """Whether each row is of probabilities that sum to 1."""
    several = targets.shape[1] > 1 and bool((targets >= 0).all())
    return several and np.allclose(targets.sum(axis=1), 1, atol=1e-4)


def _outputs(experiment: Experiment, data: PreparedData) -> int:
    return summarize(experiment, data.sample_shape)[-1].output_shape[-1]
