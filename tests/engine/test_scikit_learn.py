"""Training follows scikit-learn's multi-layer perceptron, epoch by epoch, from equal weights."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer

EPOCHS = 50
SHOWN = [0, 9, 24, 49]
SGD: dict[str, Any] = {"type": "sgd", "learning_rate": 0.1}

# The optimizer, the schedule, what scikit-learn calls them, how near, and the losses after 1, 10,
# 25 and 50 epochs, kept so that a machine without scikit-learn checks the same numbers.
RUNS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], float, list[float]]] = {
    "constant": (
        SGD,
        {"type": "constant"},
        {"solver": "sgd", "momentum": 0.0, "nesterovs_momentum": False},
        1e-6,
        [1.21540166226545, 0.447008234938085, 0.337194730093111, 0.216478190607268],
    ),
    "momentum": (
        SGD | {"momentum": 0.9},
        {"type": "constant"},
        {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
        1e-6,
        [1.17646359848028, 0.14375561878303, 0.0641029399621243, 0.0557206249865252],
    ),
    "nesterov": (
        SGD | {"momentum": 0.9, "nesterov": True},
        {"type": "constant"},
        {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": True},
        1e-6,
        [1.11109181618728, 0.155297569730455, 0.0699507038133455, 0.0608266966842848],
    ),
    "inverse scaling": (
        SGD | {"momentum": 0.9, "nesterov": True},
        {"type": "inverse_scaling", "power_t": 0.3},
        {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3},
        1e-6,
        [1.11109181618728, 0.327782121017825, 0.256181761387451, 0.179685804090869],
    ),
    "adaptive": (
        SGD | {"momentum": 0.5},
        {"type": "adaptive", "tol": 0.004, "patience": 2},
        {"solver": "sgd", "learning_rate": "adaptive", "momentum": 0.5, "tol": 0.004}
        | {"nesterovs_momentum": False, "n_iter_no_change": 1},
        1e-6,
        [1.19585424471217, 0.373910768531104, 0.226849851436282, 0.12286970256002],
    ),
    "adam": (
        {"type": "adam", "learning_rate": 0.01},
        {"type": "constant"},
        {"solver": "adam", "epsilon": 1e-7},
        1e-4,
        [1.30115144565485, 0.446157629429227, 0.325653766133544, 0.206695551407956],
    ),
}
NAMED = pytest.mark.parametrize("name", RUNS)


def trainer_of(name: str) -> Trainer:
    optimizer, schedule, *_ = RUNS[name]
    tree = {
        "seed": 5,
        "dtype": "float64",
        "data": {"name": "iris", "test_fraction": 0.2, "validation_fraction": 0},
        "layers": [
            {"type": "dense", "units": 8, "activation": "tanh"},
            {"type": "dense", "units": 3, "activation": "softmax"},
        ],
        "loss": "categorical_crossentropy",
        "optimizer": optimizer,
        "schedule": schedule,
        "training": {"epochs": EPOCHS, "batch_size": 32, "shuffle": False, "threads": 1},
    }
    return Trainer(Experiment.parse(tree))


def losses_and_rates(trainer: Trainer) -> tuple[list[float], set[float]]:
    rates = set()
    while not trainer.done:
        rates.add(trainer.learning_rate)
        trainer.update()
    return trainer.take_ended().column("loss").tolist(), rates


@NAMED
def test_the_losses_are_those_written_down(name: str) -> None:
    losses, rates = losses_and_rates(trainer_of(name))
    np.testing.assert_allclose([losses[i] for i in SHOWN], RUNS[name][-1], rtol=1e-9)
    schedule = RUNS[name][1]["type"]
    assert len(rates) == {"constant": 1, "inverse_scaling": EPOCHS}.get(schedule, len(rates))
    assert schedule != "adaptive" or len(rates) > 2


@NAMED
def test_they_are_scikit_learns(name: str) -> None:
    network: Any = pytest.importorskip("sklearn.neural_network")
    *_, settings, tolerance, _ = RUNS[name]
    trainer = trainer_of(name)
    kernels = [trainer.parameters.views[f"dense_{i}.kernel"].copy() for i in (1, 2)]
    biases = [trainer.parameters.views[f"dense_{i}.bias"].copy() for i in (1, 2)]

    class FromGiven(network.MLPClassifier):  # type: ignore[misc]
        def _init_coef(self, *_: Any) -> Any:
            return kernels.pop(0), biases.pop(0)

    never = {"n_iter_no_change": 10**6, "tol": 0.0}
    reference = FromGiven(
        hidden_layer_sizes=(8,),
        activation="tanh",
        alpha=0.0,
        batch_size=32,
        shuffle=False,
        learning_rate_init=trainer.learning_rate,
        max_iter=EPOCHS,
        **never | settings,
    )
    with pytest.warns(match="Maximum iterations"):
        reference.fit(trainer.data.train.x, trainer.data.train.y)
    losses, _ = losses_and_rates(trainer)
    np.testing.assert_allclose(losses, reference.loss_curve_, rtol=tolerance)
