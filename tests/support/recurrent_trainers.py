"""Trainers of small recurrent networks on waves; what an update computes; numerical gradients."""

from typing import Any

import numpy as np

from tui_nn_engine import Experiment, Trainer

FEATURES, UNITS, STEPS = 2, 2, 3


def wave(*shape: int, start: float) -> np.ndarray:
    return np.sin(np.arange(np.prod(shape)) * 1.7 + start).reshape(shape)


X, T = wave(2, STEPS, FEATURES, start=1), wave(2, UNITS, start=2)


def trainer_of(
    layers: list[dict[str, Any]], x: np.ndarray = X, t: np.ndarray = T, **training: Any
) -> Trainer:
    tree = {
        "seed": 5,
        "dtype": "float64",
        "data": {"name": "arrays"},
        "layers": layers,
        "loss": "mean_squared_error",
        "optimizer": {"type": "sgd", "learning_rate": 0.1},
        "training": {"epochs": 4, "batch_size": len(x), "shuffle": False, "threads": 1, **training},
    }
    return Trainer(Experiment.parse(tree), data=(x, t))


def computed(trainer: Trainer) -> dict[str, np.ndarray]:
    """The gradients of the next update, by parameter; it is not made."""
    program = trainer.load()
    for call in program.compute:
        call()
    return {name: view.copy() for name, view in trainer.parameters.gradient_views.items()}


def output(trainer: Trainer) -> np.ndarray:
    computed(trainer)
    assert trainer.program is not None, "it has just been computed"
    return trainer.program.output.array.copy()


def numerical(trainer: Trainer, epsilon: float = 1e-6) -> np.ndarray:
    """(trainable,) by central differences, masks and batch as they are."""
    program, values = trainer.program, trainer.parameters.values
    assert program is not None, "the gradients of an update are computed first"
    found = np.empty(trainer.parameters.trainable_size)
    for place in range(found.size):
        before, losses = values[place], []
        for moved in (before + epsilon, before - epsilon):
            values[place] = moved
            for op in program.ops:
                if op.phase in {"forward", "loss"}:
                    op.call()
            losses.append(program.loss_value + program.penalty)
        values[place] = before
        found[place] = (losses[0] - losses[1]) / (2 * epsilon)
    return found
