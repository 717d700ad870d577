"""Explanations of losses: each says, and computes, what the engine did, and its slope too.

For every loss, either sign, with and without weights of classes; where outputs are saturated and
where a power is beyond any calculator.
"""

import math
from typing import Any

import numpy as np
import pytest
from any_loss import ONE_OF_SEVERAL, trainer_of
from calculator import check
from lesson_network import LESSON, given_array, operation, stepped

from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.formulas.expressions import Quantity
from tui_nn_engine.primitives.activations import Softplus
from tui_nn_engine.primitives.losses import LOSSES
from tui_nn_engine.primitives.softmax import softmax
from tui_nn_engine.stepping.explain import explain
from tui_nn_engine.stepping.stepper import Stepper


@pytest.mark.parametrize("sign", ["delta", "e"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", LOSSES, ids=kind_name)
def test_every_loss_and_its_slope(kind: Any, weighted: bool, sign: Any) -> None:
    """For each output of each sample, on either side of its target and where the loss bends."""
    several = kind_name(kind) in ONE_OF_SEVERAL
    tree = {
        **LESSON,
        "data": {"name": "arrays"},
        "layers": [{"type": "dense", "units": 2, "activation": "softmax" if several else "linear"}],
        "loss": {"type": kind_name(kind)} | ({"class_weight": [0.3, 1.7]} if weighted else {}),
        "training": {"epochs": 1, "batch_size": 6, "threads": 1, "shuffle": False},
    }
    tree["layers"][0]["kernel_initializer"] = given_array([[1.0, -1.0], [0.25, 0.75]])
    x = np.array([[0.5, 0.3], [-0.2, 0.9], [2.0, 1.0], [-3.0, 0.2], [900.0, 1.0], [0.0, 0.0]])
    stepper = Stepper(trainer_of(tree, x, np.eye(2)[[0, 1, 1, 0, 0, 1]]))
    stepper.go_to(len(stepper.ops))
    said = set()
    for index, op in enumerate(stepper.ops):
        if op.path != "loss":
            continue
        for element in np.ndindex(6, 2):
            found = explain(stepper, index, element, Notation("paper", sign, 17))
            check(found, Notation("paper", sign))
            value = float(op.output.array[element[: op.output.array.ndim]])
            turned = op.phase == "backward" and sign == "e"
            assert found.lines[-1].value == (-value if turned else value)
            said.add(found.sentence)
    assert len(said) > 1 + weighted


def test_the_loss_of_a_batch_of_one_is_one_line() -> None:
    lines = {}
    for loss, line in {
        "mean_absolute_error": "|y − t|",
        "root_mean_squared_error": "√((y − t)²)",
        "log_cosh": "ln(cosh(y − t))",
        "huber": "delta·(|y − t| − ½·delta) if |y − t| > delta else ½·(y − t)²",
        "hinge": "max(0, 1 − t·y)",
    }.items():
        linear = {**LESSON["layers"][1], "activation": "linear"}
        stepper = stepped({**LESSON, "layers": [LESSON["layers"][0], linear], "loss": loss})
        found = explain(stepper, operation(stepper, "loss.E"), (0, 0), Notation(digits=3))
        lines[loss] = (found.lines[-1].symbols, line)
    assert all(found == line for found, line in lines.values()), lines


def test_saturated_outputs_are_explained_by_way_of_the_net_input() -> None:
    for loss, activation, outputs in (
        ("binary_crossentropy", "sigmoid", 1),
        ("categorical_crossentropy", "softmax", 2),
    ):
        big = [[900.0] + [-900.0] * (outputs - 1)]
        tree = {
            **LESSON,
            "data": {"name": "arrays"},
            "loss": loss,
            "layers": [
                {
                    "type": "dense",
                    "units": outputs,
                    "activation": activation,
                    "kernel_initializer": given_array(big),
                }
            ],
        }
        target = np.array([[0.0, 1.0][-outputs:]]) if outputs > 1 else np.array([[0.0]])
        stepper = Stepper(trainer_of(tree, np.ones((1, 1)), target))
        while stepper.forward():
            op = stepper.ops[stepper.cursor - 1]
            found = (
                explain(
                    stepper,
                    stepper.cursor - 1,
                    (0,) * max(op.output.array.ndim, 1),
                    Notation(digits=17),
                )
                if op.phase != "loss"
                else explain(stepper, stepper.cursor - 1, (0, 0), Notation(digits=17))
            )
            check(found, Notation())
            assert math.isfinite(found.lines[-1].value)


def test_a_power_beyond_any_calculator_is_written_otherwise() -> None:
    assert Softplus().equation(Quantity("z", 900.0)).text(4) == "900 + ln(1 + e^(−900))"
    assert softmax(Quantity("z", np.array([900.0, 899.0])), 0).text(4) == (
        "e^(900 − 900)/(e^(900 − 900) + e^(899 − 900))"
    )
