"""Experiments to begin from."""

from tui_nn.review import Tree
from tui_nn.sequence_starters import sequence_starters
from tui_nn_engine.experiments.experiment import Experiment


def default_experiment() -> Experiment:
    """What the app opens with: handwritten digits and one hidden layer."""
    return starters()["mnist_small"]


def starters() -> dict[str, Experiment]:
    """Experiments to begin from, by their data or by what their network is known as."""
    return {
        "mnist_small": _starter(
            {"name": "mnist_small"},
            [_dense(512, "relu"), _dense(10, "softmax")],
            "categorical_crossentropy",
            {"epochs": 10, "batch_size": 128},
        ),
        "xor": _starter(
            {"name": "xor"},
            [_dense(4, "tanh"), _dense(1, "tanh")],
            "mean_squared_error",
            {"epochs": 500, "batch_size": 4},
            learning_rate=0.05,
        ),
        "spiral": _starter(
            {"name": "spiral"},
            [_dense(8, "tanh"), _dense(8, "tanh"), _dense(1, "sigmoid")],
            "binary_crossentropy",
            {"epochs": 300, "batch_size": 20},
            learning_rate=0.03,
        ),
        "iris": _starter(
            {"name": "iris"},
            [_dense(16, "relu"), _dense(3, "softmax")],
            "categorical_crossentropy",
            {"epochs": 100, "batch_size": 16},
            learning_rate=0.01,
        ),
        "diabetes": _starter(
            {"name": "diabetes"},
            [_dense(16, "relu"), _dense(1, "linear")],
            "mean_squared_error",
            {"epochs": 50, "batch_size": 32},
        ),
        "arm": _starter(
            {"name": "arm"},
            [_dense(32, "relu"), _dense(32, "relu"), _dense(2, "linear")],
            "mean_squared_error",
            {"epochs": 100, "batch_size": 32},
        ),
        "venn": _starter(
            {"name": "venn"},
            [_dense(16, "relu"), _dense(16, "relu"), _dense(3, "sigmoid")],
            "binary_crossentropy",
            {"epochs": 150, "batch_size": 32},
            learning_rate=0.01,
        ),
        "wide & deep": _starter(
            {"name": "diabetes"},
            [
                _parallel("concatenate", wide=[], deep=[_dense(30, "relu"), _dense(30, "relu")]),
                _dense(1, "linear"),
            ],
            "mean_squared_error",
            {"epochs": 50, "batch_size": 32},
        ),
        "residual": _starter(
            {"name": "spiral"},
            [
                _dense(16, "tanh"),
                _parallel("add", skip=[], block=[_dense(16, "tanh"), _dense(16, "tanh")]),
                _parallel("add", skip=[], block=[_dense(16, "tanh"), _dense(16, "tanh")]),
                _dense(1, "sigmoid"),
            ],
            "binary_crossentropy",
            {"epochs": 200, "batch_size": 20},
            learning_rate=0.01,
        ),
        "gates": Experiment.parse(
            {
                "data": {"name": "gates", "gate": "or"},
                "layers": [_dense(1, "step")],
                "rule": {"type": "perceptron", "learning_rate": 0.2},
                "training": {"epochs": 10, "batch_size": 1, "shuffle": False},
            }
        ),
        **sequence_starters(),
    }


def _starter(
    data: Tree, layers: list[Tree], loss: str, training: Tree, learning_rate: float = 0.001
) -> Experiment:
    tree = {"seed": 0, "data": data, "layers": layers, "loss": {"type": loss}}
    optimizer = {"type": "adam", "learning_rate": learning_rate}
    return Experiment.parse({**tree, "optimizer": optimizer, "training": training})


def _dense(units: int, activation: str) -> Tree:
    return {"type": "dense", "units": units, "activation": activation}


def _parallel(join: str, **branches: list[Tree]) -> Tree:
    named = [{"name": name, "layers": layers} for name, layers in branches.items()]
    return {"type": "parallel", "join": join, "branches": named}
