"""Misfits: each names its place, says what is wrong, and its mend leads to what trains."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.checks.misfits import Misfit, misfits
from tui_nn_engine.data.prepared import PreparedData, prepare

SIGMOID = {"type": "dense", "units": 1, "activation": "sigmoid"}
SOFTMAX = {"type": "dense", "units": 3, "activation": "softmax"}
LINEAR = {"type": "dense", "units": 1}
FLATTEN = {"type": "flatten"}
BINARY = {"type": "binary_crossentropy"}
CATEGORICAL = {"type": "categorical_crossentropy"}
SQUARED = {"type": "mean_squared_error"}
HINGE = {"type": "hinge"}
DIVERGENCE = {"type": "kl_divergence"}
IRIS = {"name": "iris"}
XOR = {"name": "xor"}
DIABETES = {"name": "diabetes"}
DIGITS = {"name": "digits", "flatten": False}
SHARES = {"name": "given", "x": [[0, 1], [1, 1]], "y": [[0.3, 0.7], [1, 0]], "task": "regression"}
SIDES = {"name": "given", "x": [[0, 1], [1, 1]], "y": [-1, 1], "task": "regression"}

Case = tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any], str, str, str]
CASES: dict[str, Case] = {
    "images not flattened": (
        DIGITS,
        [{"type": "dense", "units": 10, "activation": "softmax"}],
        CATEGORICAL,
        "layers[0]",
        "dense_1 gets samples of shape (8, 8), which makes the output (8, 10), but the targets of "
        "'digits' need (10,)",
        "insert a flatten layer before it",
    ),
    "images not flattened and no dense layer": (
        DIGITS,
        [{"type": "activation", "activation": "tanh"}],
        CATEGORICAL,
        "layers",
        "the output gets samples of shape (8, 8)",
        "insert a flatten layer",
    ),
    "wrong units": (
        IRIS,
        [{"type": "dense", "units": 8, "activation": "relu"}, {**SOFTMAX, "units": 4}],
        CATEGORICAL,
        "layers[1].units",
        "dense_2 makes the output (4,), but the targets of 'iris' need (3,)",
        "set its units to 3",
    ),
    "wrong units for two classes": (
        XOR,
        [SOFTMAX],
        CATEGORICAL,
        "layers[0].units",
        "but the targets of 'xor' need (1,) or (2,)",
        "set its units to 1",
    ),
    "no dense layer": (
        IRIS,
        [FLATTEN],
        CATEGORICAL,
        "layers",
        "the network's output is (4,), but the targets of 'iris' need (3,)",
        "add a dense layer of 3 units at the end",
    ),
    "no dense layer for one output": (
        DIABETES,
        [{"type": "activation", "activation": "relu"}],
        SQUARED,
        "layers",
        "the network's output is (10,)",
        "add a dense layer of 1 units at the end",
    ),
    "no layer with an activation": (
        XOR,
        [FLATTEN],
        CATEGORICAL,
        "layers",
        "the last activation is linear",
        "use softmax",
    ),
    "cross-entropy for numbers": (
        DIABETES,
        [SIGMOID],
        BINARY,
        "loss",
        "binary_crossentropy compares probabilities, but 'diabetes' has numbers to predict",
        "use mean_squared_error with a linear output",
    ),
    "softmax of one number": (
        DIABETES,
        [{**LINEAR, "activation": "softmax"}],
        SQUARED,
        "layers[0].activation",
        "softmax over a single output is always 1",
        "use linear",
    ),
    "softmax of one output": (
        XOR,
        [{**SIGMOID, "activation": "softmax"}],
        BINARY,
        "layers[0].activation",
        "softmax over a single output is always the same",
        "use a sigmoid output with binary_crossentropy",
    ),
    "categorical cross-entropy of one output": (
        XOR,
        [SIGMOID],
        CATEGORICAL,
        "loss",
        "categorical_crossentropy over a single output is always the same",
        "use a sigmoid output with binary_crossentropy",
    ),
    "bipolar targets with cross-entropy": (
        {"name": "gates", "bipolar_targets": True},
        [SIGMOID],
        BINARY,
        "loss",
        "binary_crossentropy needs targets of 0 and 1, but data.bipolar_targets makes them -1 and",
        "use mean_squared_error",
    ),
    "a loss without a minimum": (
        DIABETES,
        [LINEAR],
        {"type": "mean_bias_error"},
        "loss",
        "mean_bias_error has no minimum",
        "use mean_absolute_error",
    ),
    "a loss without a minimum, for classes": (
        XOR,
        [SIGMOID],
        {"type": "mean_bias_error", "class_weight": [1, 2]},
        "loss",
        "(regression reports it as mbe)",
        "use mean_absolute_error",
    ),
    "hinge for numbers": (
        DIABETES,
        [{**LINEAR, "activation": "tanh"}],
        HINGE,
        "loss",
        "hinge parts two classes, with targets of −1 and +1 (or 0 and 1), but 'diabetes' has",
        "use mean_squared_error with a linear output",
    ),
    "hinge of a sigmoid": (
        XOR,
        [SIGMOID],
        HINGE,
        "layers[0].activation",
        "the last activation, sigmoid, never comes down to −1",
        "use linear",
    ),
    "hinge of a softmax": (
        IRIS,
        [SOFTMAX],
        HINGE,
        "layers[0].activation",
        "the last activation, softmax, never comes down to −1",
        "use linear",
    ),
    "hinge of a relu for numbers that are sides": (
        SIDES,
        [{**LINEAR, "activation": "relu"}],
        HINGE,
        "layers[0].activation",
        "the last activation, relu, never comes down to −1",
        "use linear",
    ),
    "divergence for numbers": (
        DIABETES,
        [LINEAR],
        DIVERGENCE,
        "loss",
        "kl_divergence compares probabilities, but 'diabetes' has numbers to predict",
        "use mean_squared_error with a linear output",
    ),
    "divergence of numbers that are probabilities, linear": (
        SHARES,
        [{"type": "dense", "units": 2}],
        DIVERGENCE,
        "layers[0].activation",
        "kl_divergence needs probabilities that sum to 1, but the last activation is linear",
        "use softmax",
    ),
    "divergence of one output": (
        XOR,
        [SIGMOID],
        DIVERGENCE,
        "loss",
        "kl_divergence over a single output is always the same",
        "use a sigmoid output with binary_crossentropy",
    ),
    "divergence of sigmoids": (
        IRIS,
        [{**SOFTMAX, "activation": "sigmoid"}],
        DIVERGENCE,
        "layers[0].activation",
        "kl_divergence needs probabilities that sum to 1, but the last activation is sigmoid",
        "use softmax",
    ),
    "divergence with bipolar targets": (
        {"name": "gates", "bipolar_targets": True},
        [{**SOFTMAX, "units": 2}],
        DIVERGENCE,
        "loss",
        "kl_divergence needs targets of 0 and 1, but data.bipolar_targets makes them -1 and",
        "use mean_squared_error",
    ),
    "weights of classes for numbers": (
        DIABETES,
        [LINEAR],
        {"type": "huber", "delta": 2.0, "class_weight": "balanced"},
        "loss.class_weight",
        "weighs classes, but 'diabetes' has numbers to predict",
        "remove it",
    ),
    "too few weights of classes": (
        IRIS,
        [SOFTMAX],
        {**CATEGORICAL, "class_weight": [1, 2], "label_smoothing": 0.1},
        "loss.class_weight",
        "needs a number for each of the 3 classes of 'iris' (has 2)",
        'use "balanced"',
    ),
    "weights of classes that are all 0": (
        XOR,
        [SIGMOID],
        {**BINARY, "class_weight": [0, 0]},
        "loss.class_weight",
        "makes every sample count nothing",
        'use "balanced"',
    ),
    "binary cross-entropy of a linear output": (
        XOR,
        [LINEAR, {"type": "activation", "activation": "linear"}],
        BINARY,
        "layers[0].activation",
        "binary_crossentropy needs probabilities, but the last activation is linear",
        "use sigmoid",
    ),
    "categorical cross-entropy of a relu": (
        IRIS,
        [{"type": "dense", "units": 3}, {"type": "activation", "activation": "relu"}],
        CATEGORICAL,
        "layers[1].activation",
        "needs probabilities that sum to 1, but the last activation is relu",
        "use softmax",
    ),
    "categorical cross-entropy of sigmoids": (
        IRIS,
        [{**SOFTMAX, "activation": "sigmoid"}],
        CATEGORICAL,
        "layers[0].activation",
        "needs probabilities that sum to 1, but the last activation is sigmoid",
        "use softmax",
    ),
}


def experiment(
    data: dict[str, Any], layers: list[dict[str, Any]], loss: dict[str, Any], **rest: Any
) -> Experiment:
    training = {"epochs": 1, "batch_size": 64, "threads": 1}
    tree = {"data": data, "layers": layers, "loss": loss, "training": training}
    return Experiment.parse(tree | rest)


def prepared(blocks: Experiment) -> PreparedData:
    return prepare(blocks.data, blocks.seed, blocks.dtype)


def found(blocks: Experiment) -> tuple[Misfit, ...]:
    return misfits(blocks, prepared(blocks))


def mended(blocks: Experiment) -> Experiment:
    """With every first mend taken, until nothing is left to mend."""
    for _ in range(5):
        problems = found(blocks)
        if not problems:
            return blocks
        assert problems[0].fixed is not None
        assert problems[0].fixed != blocks
        blocks = problems[0].fixed
    raise AssertionError(f"still not mended: {found(blocks)}")


@pytest.mark.parametrize("case", CASES)
def test_a_misfit_names_its_place_and_its_mend_trains(case: str) -> None:
    data, layers, loss, path, message, remedy = CASES[case]
    blocks = experiment(data, layers, loss)
    (problem,) = found(blocks)
    assert problem.path == path
    assert message in problem.message
    assert remedy in problem.remedy
    assert str(problem).endswith(f"; to mend it: {problem.remedy}")
    with pytest.raises(ExperimentError) as caught:
        Trainer(blocks)
    assert caught.value.problems == (problem,)
    trainer = Trainer(mended(blocks))
    assert np.isfinite(trainer.update())


@pytest.mark.parametrize("case", CASES)
def test_a_mend_changes_nothing_else(case: str) -> None:
    data, layers, loss, *_ = CASES[case]
    blocks = experiment(data, layers, loss, seed=7)
    after = mended(blocks)
    assert (after.seed, after.data, after.training) == (7, blocks.data, blocks.training)
    kinds = [layer.type for layer in after.layers]
    for layer in layers:
        assert layer["type"] in kinds


def test_a_mend_of_the_loss_keeps_what_it_can() -> None:
    weights = {"class_weight": [1, 2]}
    after = mended(experiment(XOR, [SIGMOID], {"type": "mean_bias_error", **weights}))
    assert after.tree()["loss"] == {"type": "mean_absolute_error", **weights}
    loss = {**CATEGORICAL, "class_weight": [1, 2], "label_smoothing": 0.1}
    after = mended(experiment(IRIS, [SOFTMAX], loss))
    assert after.tree()["loss"] == {**loss, "class_weight": "balanced"}
    loss = {"type": "huber", "delta": 2.0}
    after = mended(experiment(DIABETES, [LINEAR], {**loss, "class_weight": "balanced"}))
    assert after.tree()["loss"] == loss


def test_nesterov_needs_momentum() -> None:
    optimizer = {"type": "sgd", "nesterov": True}
    (problem,) = found(experiment(XOR, [SIGMOID], BINARY, optimizer=optimizer))
    assert problem.path == "optimizer.nesterov"
    assert "the momentum is 0" in problem.message
    assert problem.fixed is not None
    assert problem.fixed.optimizer.model_dump()["momentum"] == 0.9
    assert Trainer(problem.fixed).update() > 0


def test_a_rate_must_be_finite_in_the_type_of_the_weights() -> None:
    optimizer = {"type": "sgd", "learning_rate": 1e39}
    changes = [{"iteration": 1, "learning_rate": 1e40}]
    blocks = experiment(XOR, [SIGMOID], BINARY, optimizer=optimizer, training={"changes": changes})
    problems = found(blocks)
    assert [problem.path for problem in problems] == [
        "optimizer.learning_rate",
        "training.changes[0].learning_rate",
    ]
    assert "is infinite as a float32, whose largest is 3.4e+38 (is 1e+39)" in problems[0].message
    assert Trainer(mended(blocks)).update() > 0
    wide = Experiment.parse(blocks.tree() | {"dtype": "float64"})
    assert found(wide) == ()


def test_given_weights_need_the_shape_of_their_layer() -> None:
    kernel = {"type": "given", "values": [[1.0], [2.0], [3.0]]}
    bias = {"type": "given", "values": [1.0, 2.0]}
    layer = {**SIGMOID, "kernel_initializer": kernel, "bias_initializer": bias}
    problems = found(experiment(XOR, [layer], BINARY))
    assert [(problem.path, problem.message) for problem in problems] == [
        ("layers[0].kernel_initializer.values", "must have the shape (2, 1) (has (3, 1))"),
        ("layers[0].bias_initializer.values", "must have the shape (1,) (has (2,))"),
    ]
    fitting = {**layer, "kernel_initializer": {"type": "given", "values": [[1.0], [2.0]]}}
    fitting["bias_initializer"] = {"type": "given", "values": [0.5]}
    trainer = Trainer(experiment(XOR, [fitting], BINARY))
    assert trainer.parameters.values.tolist() == [1.0, 2.0, 0.5]


def test_all_misfits_are_told_at_once() -> None:
    optimizer = {"type": "sgd", "nesterov": True}
    blocks = experiment(IRIS, [{**SOFTMAX, "units": 5}], CATEGORICAL, optimizer=optimizer)
    assert [problem.path for problem in found(blocks)] == ["layers[0].units", "optimizer.nesterov"]
    with pytest.raises(ExperimentError) as caught:
        Trainer(blocks)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("data", "layers", "loss"),
    [
        (IRIS, [SOFTMAX], CATEGORICAL),
        (IRIS, [{**SOFTMAX, "activation": "sigmoid"}], BINARY),
        (IRIS, [{**SOFTMAX, "activation": "linear"}], SQUARED),
        (XOR, [SIGMOID], BINARY),
        (XOR, [{**SOFTMAX, "units": 2}], CATEGORICAL),
        (XOR, [LINEAR, {"type": "activation", "activation": "sigmoid"}], BINARY),
        ({"name": "gates", "bipolar_targets": True}, [{**LINEAR, "activation": "tanh"}], SQUARED),
        (DIABETES, [LINEAR], SQUARED),
        (DIABETES, [LINEAR], {"type": "half_squared_error"}),
        (DIABETES, [LINEAR], {"type": "mae"}),
        (DIABETES, [LINEAR], {"type": "rmse"}),
        (DIABETES, [LINEAR], {"type": "huber", "delta": 0.5}),
        (DIABETES, [LINEAR], {"type": "log_cosh"}),
        (XOR, [LINEAR], HINGE),
        (XOR, [{**SOFTMAX, "units": 2, "activation": "tanh"}], HINGE),
        (IRIS, [{**SOFTMAX, "activation": "linear"}], HINGE),
        ({"name": "gates", "bipolar_targets": True}, [{**LINEAR, "activation": "tanh"}], HINGE),
        (SIDES, [LINEAR], HINGE),
        (SHARES, [{**SOFTMAX, "units": 2}], DIVERGENCE),
        (IRIS, [SOFTMAX], DIVERGENCE),
        (IRIS, [SOFTMAX], {**CATEGORICAL, "class_weight": [1, 0, 2.5]}),
        (XOR, [SIGMOID], {**SQUARED, "class_weight": "balanced"}),
        (XOR, [SIGMOID], {**BINARY, "label_smoothing": 0.2}),
        (DIGITS, [FLATTEN, {**SOFTMAX, "units": 10}], CATEGORICAL),
        (IRIS, [SOFTMAX, {"type": "dropout", "rate": 0.1}], CATEGORICAL),
    ],
)
def test_what_fits_has_no_misfits(
    data: dict[str, Any], layers: list[dict[str, Any]], loss: dict[str, Any]
) -> None:
    blocks = experiment(data, layers, loss)
    assert found(blocks) == ()
    assert np.isfinite(Trainer(blocks).update())
