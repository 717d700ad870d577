"""The network and the update of LESSONS.md's L6, and steppers at the end of an update."""

from typing import Any

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.stepping.stepper import Stepper


def given_array(values: Any) -> dict[str, Any]:
    return {"type": "given", "values": values}


LESSON: dict[str, Any] = {
    "dtype": "float64",
    "data": {"name": "given", "x": [[1, 0, 1]], "y": [[1]]},
    "layers": [
        {
            "type": "dense",
            "units": 2,
            "activation": "sigmoid",
            "kernel_initializer": given_array([[0.2, -0.3], [0.4, 0.1], [-0.5, 0.2]]),
            "bias_initializer": given_array([-0.4, 0.2]),
        },
        {
            "type": "dense",
            "units": 1,
            "activation": "sigmoid",
            "kernel_initializer": given_array([[-0.3], [-0.2]]),
            "bias_initializer": given_array([0.1]),
        },
    ],
    "loss": "half_squared_error",
    "optimizer": {"type": "sgd", "learning_rate": 0.9},
    "training": {"epochs": 1, "batch_size": 1, "threads": 1},
}


def stepped(tree: dict[str, Any] = LESSON) -> Stepper:
    """At the end of the first update, which is not booked yet."""
    found = Stepper(Trainer(Experiment.parse(tree)))
    found.go_to(len(found.ops))
    return found


def operation(stepper: Stepper, name: str) -> int:
    return next(i for i, op in enumerate(stepper.ops) if op.output.name == name)
