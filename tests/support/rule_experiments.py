"""Experiments learning by a rule without gradients: on gates, on clouds of points, as circuits."""

from typing import Any

from tui_nn_engine import Experiment, Trainer

OR = [[0, 0], [0, 1], [1, 0], [1, 1]]
RULES = ("perceptron", "hebb", "adaline")
CIRCUITS = {  # the figure of 1943: a unit fires with two spikes at least
    "C = A": ([[2], [0]], None, [0, 0, 1, 1]),
    "C = A and B": ([[1], [1]], None, [0, 0, 0, 1]),
    "C = A or B": ([[2], [2]], None, [0, 1, 1, 1]),
    "C = A and not B": ([[2], [0]], [[0], [1]], [0, 0, 1, 0]),
}


def dense(activation: str = "linear", **more: Any) -> dict[str, Any]:
    return {"type": "dense", "units": 1, "activation": activation, **more}


def experiment(
    rule: str,
    *,
    data: dict[str, Any] | None = None,
    rate: float = 1.0,
    activation: Any = "step",
    start: list[list[float]] | None = None,
    bias: bool = True,
    **training: Any,
) -> Experiment:
    """One unit on a gate, all weights zero unless told, sample by sample in order."""
    initial = "zeros" if start is None else {"type": "given", "values": start}
    layer = {"type": "dense", "units": 1, "activation": activation, "use_bias": bias}
    return Experiment.parse(
        {
            "dtype": "float64",
            "data": data or {"name": "gates", "gate": "or"},
            "layers": [{**layer, "kernel_initializer": initial}],
            "rule": {"type": rule, "learning_rate": rate},
            "training": {
                "epochs": 3,
                "batch_size": 1,
                "shuffle": False,
                "threads": 1,
                **training,
            },
        }
    )


def points(rule: str, size: int, **changes: Any) -> Experiment:
    """Three clouds of points, an output for each, by batches of `size`; the last may be ragged."""
    activation = {"perceptron": "step", "hebb": "step", "adaline": "linear"}[rule]
    tree = {
        "seed": 4,
        "dtype": "float64",
        "data": {"name": "gaussians", "samples": 30, "classes": 3, "test_fraction": 0},
        "layers": [{"type": "dense", "units": 3, "activation": activation}],
        "rule": {"type": rule, "learning_rate": 0.03},
        "training": {"epochs": 4, "batch_size": size, "threads": 1},
    }
    return Experiment.parse(tree | changes)


def logic(
    excitatory: list[list[int]], inhibitory: list[list[int]] | None, truth: list[int]
) -> Experiment:
    layer = {
        "type": "mcculloch_pitts",
        "units": 1,
        "excitatory": excitatory,
        "thresholds": [2],
    } | ({"inhibitory": inhibitory} if inhibitory else {})
    return Experiment.parse(
        {
            "data": {"name": "given", "x": OR, "y": truth},
            "layers": [layer],
            "rule": "mcculloch_pitts",
            "training": {"epochs": 1, "threads": 1},
        }
    )


def trained(trainer: Trainer) -> Trainer:
    for _ in trainer.run():
        pass
    return trainer
