"""The numerical gradient beside backpropagation's, and what it rests on."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.programs.program import Op
from tui_nn_engine.programs.weights import weight_at
from tui_nn_engine.stepping.gradient_check import check_gradient
from tui_nn_engine.stepping.stepper import Stepper

SOFTMAX = {"type": "dense", "units": 2, "activation": "softmax"}
NETWORKS: dict[str, list[dict[str, Any]]] = {
    "tanh": [{"type": "dense", "units": 4, "activation": "tanh"}, SOFTMAX],
    "dropout": [
        {"type": "dense", "units": 6, "activation": "sigmoid"},
        {"type": "dropout", "rate": 0.4},
        SOFTMAX,
    ],
    "frozen": [
        {"type": "dense", "units": 3, "activation": "softplus", "kernel_trainable": False},
        SOFTMAX,
    ],
}
TREE: dict[str, Any] = {
    "seed": 3,
    "dtype": "float64",
    "data": {"name": "circles", "samples": 23, "test_fraction": 0, "validation_fraction": 0},
    "loss": {"type": "categorical_crossentropy"},
    "optimizer": {"type": "adam", "learning_rate": 0.01},
    "training": {"epochs": 100, "batch_size": 5, "threads": 1},
}


def trainer_of(network: str = "dropout", updates: int = 4, **changed: Any) -> Trainer:
    """The fifth batch of 23 samples by 5 is ragged, and this stands before it."""
    trainer = Trainer(Experiment.parse(TREE | {"layers": NETWORKS[network]} | changed))
    for _ in range(updates):
        trainer.update()
    return trainer


def state_of(trainer: Trainer) -> list[bytes]:
    return [array.tobytes() for array in trainer.state.snapshot().arrays.values()]


@pytest.mark.parametrize(
    ("network", "dtype"), itertools.product(NETWORKS, ["float32", "float64"]), ids=str
)
def test_they_agree_for_every_weight_that_is_trained(network: str, dtype: str) -> None:
    trainer = trainer_of(network, dtype=dtype)
    stepper = Stepper(trainer)
    for position in range(trainer.parameters.values.size):
        weight = weight_at(position, trainer.parameters)
        found = check_gradient(stepper, weight.name)
        assert found.weight == weight.name
        assert found.iteration == 5
        assert found.numerical == pytest.approx((found.above - found.below) / 2e-5)
        if position >= trainer.parameters.trainable_size:
            assert math.isnan(found.backprop)
            assert "frozen: backpropagation computes no gradient" in found.sentence
            continue
        assert found.agrees
        assert found.backprop == trainer.parameters.gradients[position]
        digits = 1e-7 if dtype == "float64" else 1e-3
        assert found.backprop == pytest.approx(found.numerical, rel=digits, abs=1e-6)
        assert found.difference < digits or abs(found.backprop) < 1e-6


@pytest.mark.parametrize("network", NETWORKS)
def test_the_two_passes_are_those_of_a_network_with_the_weight_moved(network: str) -> None:
    name, index = "dense_1.kernel[1, 2]", (1, 2)
    found = check_gradient(Stepper(trainer_of(network)), name)
    for loss, step in ((found.above, 1e-5), (found.below, -1e-5)):
        moved = trainer_of(network)
        kernel = moved.parameters.views["dense_1.kernel"]
        assert kernel[index] == found.value
        kernel[index] += step
        assert moved.update() == pytest.approx(loss, rel=1e-14)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_nothing_of_the_run_is_changed(share: float) -> None:
    checked, plain = trainer_of(), trainer_of()
    one, other = Stepper(checked), Stepper(plain)
    cursor = int(share * len(one.ops))
    for stepper in (one, other):
        stepper.go_to(cursor)
    found = check_gradient(one, "dense_2.kernel[3, 1]")
    assert one.cursor == cursor
    assert state_of(checked) == state_of(plain)
    assert found == check_gradient(one, "dense_2.kernel[3, 1]")
    assert one.finish() == other.finish()
    assert state_of(checked) == state_of(plain)
    assert checked.update() == plain.update()


def test_what_it_costs() -> None:
    trainer = trainer_of("tanh")
    found = check_gradient(Stepper(trainer), "dense_2.bias[1]")
    assert found.parameters == trainer.parameters.values.size == 2 * 4 + 4 + 4 * 2 + 2
    assert found.passes == 2 * found.parameters


def test_a_wrong_gradient_is_seen() -> None:
    trainer = trainer_of("tanh")
    stepper = Stepper(trainer)
    place = next(i for i, op in enumerate(stepper.ops) if op.phase == "update") - 1
    right = stepper.ops[place].call

    def wrong() -> None:
        right()
        trainer.parameters.gradients[:] *= 1.01

    last = stepper.ops[place]
    replaced = Op(last.phase, last.path, last.primitive, last.inputs, last.outputs, wrong)
    stepper.program.ops = (*stepper.ops[:place], replaced, *stepper.ops[place + 1 :])
    found = check_gradient(stepper, "dense_1.kernel[0, 3]")
    assert not found.agrees
    assert found.difference == pytest.approx(0.01, rel=0.02)
    assert found.sentence.startswith("They differ")


def test_numbers_that_are_not_finite_are_told() -> None:
    trainer = trainer_of("tanh")
    trainer.parameters.views["dense_2.bias"][0] = np.inf
    found = check_gradient(Stepper(trainer), "dense_1.kernel[0, 0]")
    assert not found.agrees
    assert "not finite" in found.sentence


def test_a_weight_that_does_not_exist_is_told() -> None:
    with pytest.raises(ValueError, match="there is no parameter"):
        check_gradient(Stepper(trainer_of()), "dense_3.bias[0]")


def test_a_rule_has_no_gradient_to_check() -> None:
    trainer = trainer_of(
        layers=[{"type": "dense", "units": 1, "activation": "step"}],
        rule={"type": "perceptron"},
        loss=None,
        optimizer=None,
    )
    with pytest.raises(ValueError, match="perceptron learns by a rule, not by a gradient"):
        check_gradient(Stepper(trainer), "dense_1.kernel[0, 0]")
