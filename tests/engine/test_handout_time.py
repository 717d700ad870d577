"""A whole update written down where it goes through time: every step's loss, padding and all."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.stepping.handout import Operation, handout
from tui_nn_engine.stepping.stepper import Stepper

EVERY = {"type": "lstm", "units": 2, "return_sequences": True}
BITS = {"name": "parity", "length": 3, "shortest": 2, "targets": "every", "samples": 8}


def dense(units: int, activation: str) -> dict[str, Any]:
    return {"type": "dense", "units": units, "activation": activation}


@pytest.mark.parametrize(
    ("data", "layers", "loss"),
    [
        (BITS, [{"type": "masking"}, EVERY, dense(1, "sigmoid")], "binary_crossentropy"),
        (
            {**BITS, "encoding": "tokens"},
            [
                {"type": "embedding", "input_dim": 3, "output_dim": 5, "mask_zero": True},
                EVERY,
                dense(2, "softmax"),
            ],
            "categorical_crossentropy",
        ),
        (
            {"name": "spelling", "count": 2},
            [{"type": "repeat_vector", "n": 4}, EVERY, dense(6, "softmax")],
            "categorical_crossentropy",
        ),
    ],
)
def test_the_loss_of_every_step_is_told(data: Any, layers: Any, loss: str) -> None:
    tree = {"data": data, "layers": layers, "loss": loss, "training": {"batch_size": 4}}
    stepper = Stepper(Trainer(Experiment.parse(tree)))
    found = handout(stepper, 0, Notation("code", "delta", 6))
    told: Operation = next(op for op in found.operations if op.output == "loss.E")
    steps, outputs = stepper.program.output.shape[1:]
    assert len(told.elements) == steps * outputs
    assert told.elements[0].explanation.lines[-1].value == pytest.approx(found.loss, rel=1e-5)
    for operation in found.operations:
        assert operation.elements
        for element in operation.elements:
            for line in element.explanation.lines:
                assert np.isfinite(line.value)
