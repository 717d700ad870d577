"""Networks with branches side by side, as an experiment file writes them."""

from typing import Any

from tui_nn_engine import Experiment

Layers = list[dict[str, Any]]


def dense(units: int, activation: str = "tanh") -> dict[str, Any]:
    return {"type": "dense", "units": units, "activation": activation}


def parallel(join: str, *branches: Layers) -> dict[str, Any]:
    return {"type": "parallel", "join": join, "branches": [{"layers": one} for one in branches]}


def experiment(layers: Layers, data: Any = "diabetes", **rest: Any) -> Experiment:
    tree = {
        "data": {"name": data} if isinstance(data, str) else data,
        "layers": layers,
        "loss": "mean_squared_error",
        "training": {"epochs": 9, "batch_size": 32, "threads": 1},
    }
    return Experiment.parse({**tree, **rest})


DROPOUT = {"type": "dropout", "rate": 0.3}
WIDE_AND_DEEP = [
    parallel("concatenate", [], [dense(16, "relu"), dense(8, "relu")]),
    dense(1, "linear"),
]
RESIDUAL = [
    dense(8, "relu"),
    parallel("add", [], [dense(8, "relu"), dense(8, "linear")]),
    {"type": "activation", "activation": "relu"},
    parallel("add", [], [dense(8, "relu"), dense(8, "linear")]),
    dense(1, "linear"),
]
NESTED = [
    dense(4),
    parallel(
        "concatenate",
        [{"type": "select", "columns": [3, 0]}],
        [dense(3), parallel("add", [], [DROPOUT, dense(3)])],
    ),
    dense(1, "linear"),
]
