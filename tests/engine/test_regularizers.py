"""What large weights cost: as Keras reckons it, as scikit-learn does, beside the loss."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.primitives.penalties import Penalty, PenaltyGradient
from tui_nn_engine.programs.regularizers import L1, L1L2, L2, Regularizer
from tui_nn_engine.stepping.gradient_check import check_gradient
from tui_nn_engine.stepping.handout import handout
from tui_nn_engine.stepping.handout_formats import FORMATS
from tui_nn_engine.stepping.stepper import Stepper

W = np.array([[1.0, -2.0], [3.0, 0.0]])
TREE: dict[str, Any] = {
    "dtype": "float64",
    "data": {"name": "moons", "samples": 30, "test_fraction": 0, "validation_fraction": 0},
    "layers": [
        {"type": "dense", "units": 3, "activation": "tanh", "kernel_regularizer": "l2"},
        {"type": "dense", "units": 1, "activation": "sigmoid", "bias_regularizer": {"type": "l1"}},
    ],
    "loss": "binary_crossentropy",
    "optimizer": {"type": "sgd", "learning_rate": 0.5},
    "training": {"epochs": 4, "batch_size": 10, "threads": 1},
}


def run(primitive: Any, w: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(shape)
    primitive.bind([w], [out])()
    return out


@pytest.mark.parametrize(
    ("regularizer", "cost", "gradient"),
    [
        (L1(l1=0.1), 0.6, [[0.1, -0.1], [0.1, 0.0]]),
        (L2(l2=0.1), 1.4, [[0.2, -0.4], [0.6, 0.0]]),
        (L1L2(l1=0.1, l2=0.2), 3.4, [[0.5, -0.9], [1.3, 0.0]]),
        (L2(l2=0.0), 0.0, [[0.0, 0.0], [0.0, 0.0]]),
    ],
)
def test_what_weights_cost_in_keras(regularizer: Regularizer, cost: float, gradient: Any) -> None:
    """keras.regularizers.L1(0.1)(W) and so on: sums, divided by nothing."""
    assert run(Penalty(regularizer), W, ()) == pytest.approx(cost, rel=1e-14)
    slope = PenaltyGradient(*regularizer.weights)
    np.testing.assert_allclose(run(slope, W, W.shape), gradient, rtol=1e-14)


def test_an_epoch_tells_the_penalty_apart_from_the_loss() -> None:
    trainer = Trainer(Experiment.parse({**TREE, "training": {**TREE["training"], "epochs": 1}}))
    *_, before_last = (trainer.update() for _ in range(trainer.batches_per_epoch - 1))
    assert before_last > 0
    views = trainer.parameters.views
    cost = 0.01 * (np.sum(views["dense_1.kernel"] ** 2) + np.sum(np.abs(views["dense_2.bias"])))
    trainer.update()
    (epoch,) = trainer.take_ended()
    assert epoch.metrics["penalty"] == pytest.approx(cost, rel=1e-12)
    assert epoch.loss == pytest.approx(
        float(np.dot(trainer.state.epoch_losses, trainer.batches.shares)), rel=1e-12
    )
    assert trainer.columns == ("epoch", "iteration", "loss", "accuracy", "penalty")


def test_without_regularizers_nothing_is_told_of_a_penalty() -> None:
    plain = [{key: v for key, v in layer.items() if "regul" not in key} for layer in TREE["layers"]]
    assert "penalty" not in Trainer(Experiment.parse({**TREE, "layers": plain})).columns
    frozen = [{**TREE["layers"][0], "kernel_trainable": False}, plain[1]]
    trainer = Trainer(Experiment.parse({**TREE, "layers": frozen}))
    assert "penalty" not in trainer.columns
    assert "penalty" not in {op.primitive.name for op in trainer.load().ops}


def test_an_update_is_that_of_the_plain_network_and_the_decay() -> None:
    plain = [{key: v for key, v in layer.items() if "regul" not in key} for layer in TREE["layers"]]
    decayed = Trainer(Experiment.parse(TREE))
    other = Trainer(Experiment.parse({**TREE, "layers": plain}))
    w = decayed.parameters.views["dense_1.kernel"].copy()
    decayed.update()
    other.update()
    np.testing.assert_allclose(
        decayed.parameters.views["dense_1.kernel"],
        other.parameters.views["dense_1.kernel"] - 0.5 * 2 * 0.01 * w,
        rtol=1e-13,
    )
    np.testing.assert_array_equal(
        decayed.parameters.views["dense_2.kernel"], other.parameters.views["dense_2.kernel"]
    )


def test_it_goes_on_where_it_was_left() -> None:
    whole, half = Trainer(Experiment.parse(TREE)), Trainer(Experiment.parse(TREE))
    for _ in range(4):
        half.update()
    other = Trainer(Experiment.parse(TREE))
    other.restore(half.state.snapshot())
    for _ in range(8):
        other.update()
    for _ in range(12):
        whole.update()
    assert other.parameters.values.tobytes() == whole.parameters.values.tobytes()
    assert other.take_ended().values[-1].tobytes() == whole.take_ended().values[-1].tobytes()


def test_the_numerical_gradient_knows_of_it() -> None:
    stepper = Stepper(Trainer(Experiment.parse(TREE)))
    for weight in ("dense_1.kernel[1, 2]", "dense_2.bias[0]", "dense_2.kernel[0, 0]"):
        assert check_gradient(stepper, weight).agrees
    stepper.trainer.parameters.views["dense_1.kernel"][1, 2] = 5.0
    stepper = Stepper(stepper.trainer)
    found = check_gradient(stepper, "dense_1.kernel[1, 2]")
    assert found.agrees
    assert found.above - found.below != 0


def test_it_stands_in_the_handout() -> None:
    stepper = Stepper(Trainer(Experiment.parse(TREE)))
    stepper.go_to(len(stepper.ops))
    text = FORMATS["text"](handout(stepper, 0, Notation()))
    assert "Ω = l2·Σw²" in text
    assert "∂Ω/∂w = 2·l2·w" in text


@pytest.mark.parametrize("rule", ["perceptron", "hebb"])
def test_a_rule_has_no_loss_to_add_it_to(rule: str) -> None:
    tree = {
        "data": {"name": "gates", "gate": "and", "bipolar_targets": rule == "hebb"},
        "rule": rule,
        "layers": [
            {
                "type": "dense",
                "units": 1,
                "activation": "step" if rule == "perceptron" else "sign",
                "kernel_regularizer": "l2",
            }
        ],
    }
    with pytest.raises(ExperimentError) as caught:
        Trainer(Experiment.parse(tree))
    (problem,) = caught.value.problems
    assert problem.path == "layers[0].kernel_regularizer"
    assert "loss" in problem.message
    Trainer(problem.fixed)  # type: ignore[attr-defined]


def test_alpha_of_scikit_learn_is_an_l2_of_alpha_through_twice_the_batch() -> None:
    """Ten updates on the full batch, from the same weights; its `loss_` has the penalty in it."""
    network = pytest.importorskip("sklearn.neural_network")
    random = np.random.default_rng(0)
    x, y = random.normal(size=(20, 3)), random.normal(size=(20, 1))
    alpha, rate = 3.0, 0.1
    theirs = network.MLPRegressor(
        hidden_layer_sizes=(4,),
        activation="tanh",
        solver="sgd",
        alpha=alpha,
        batch_size=20,
        learning_rate_init=rate,
        momentum=0.0,
        nesterovs_momentum=False,
        shuffle=False,
        random_state=0,
    )
    theirs.partial_fit(x, y.ravel())
    regularized = {"type": "l2", "l2": alpha / (2 * 20)}
    tree = {
        "dtype": "float64",
        "data": {"name": "arrays", "validation_fraction": 0, "test_fraction": 0},
        "layers": [
            {"type": "dense", "units": 4, "activation": "tanh", "kernel_regularizer": regularized},
            {"type": "dense", "units": 1, "kernel_regularizer": regularized},
        ],
        "loss": "half_squared_error",
        "optimizer": {"type": "sgd", "learning_rate": rate},
        "training": {"epochs": 10, "batch_size": 20, "shuffle": False, "threads": 1},
    }
    ours = Trainer(Experiment.parse(tree), data=(x, y))
    views = ours.parameters.views
    for layer in (1, 2):
        views[f"dense_{layer}.kernel"][...] = theirs.coefs_[layer - 1]
        views[f"dense_{layer}.bias"][...] = theirs.intercepts_[layer - 1]
    for _ in range(10):
        loss = ours.update()
        theirs.partial_fit(x, y.ravel())
        assert ours.program is not None
        assert loss + ours.program.penalty == pytest.approx(theirs.loss_, rel=1e-12)
    for layer in (1, 2):
        np.testing.assert_allclose(
            views[f"dense_{layer}.kernel"], theirs.coefs_[layer - 1], rtol=1e-10
        )
