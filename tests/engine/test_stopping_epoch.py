"""The epoch after which training ends: the one at which Keras and scikit-learn end it."""

import math
from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.experiments.stopping import Stopping
from tui_nn_engine.training.events import RunEnded

LOSSES = [1.0, 0.8, 0.79995, 0.7999, 0.79985, 0.7, 0.75, 0.74, 0.71, 0.7, 0.69]


def counted(
    stopping: Stopping, losses: list[float] = LOSSES
) -> tuple[int | None, int, list[float]]:
    """The epoch after which it ends, the best one until there, and the weights then kept.

    The weights of epoch k are (k, -k).
    """
    counters = {one.name: np.full(one.shape, one.start) for one in stopping.memory(2)}
    ended = None
    for epoch, loss in enumerate(losses, 1):
        stopping.epoch_ended(epoch, loss, loss, np.array([epoch, -epoch]), counters)
        if stopping.reason(counters):
            ended = epoch
            break
    kept = counters["stopping.weights"].tolist() if "stopping.weights" in counters else []
    return ended, int(counters["stopping.best_epoch"]), kept


@pytest.mark.parametrize(
    ("patience", "tol", "ended", "best"),
    [
        # The epochs at which Keras's EarlyStopping(min_delta=tol, patience=patience) ends, by hand:
        # it waits since the last loss that beat the best by more than tol.
        (1, 0.0, 7, 6),
        (2, 0.0, 8, 6),
        (2, 1e-4, 4, 2),
        (3, 1e-4, 9, 6),  # small gains add up: after epoch 5 they are more than tol
        (4, 1e-4, 10, 6),
        (9, 1e-4, None, 11),
    ],
)
def test_it_ends_where_keras_does(patience: int, tol: float, ended: int | None, best: int) -> None:
    found = counted(Stopping(patience=patience, tol=tol, restore_best_weights=True))
    assert found == (ended, best, [best, -best])


def test_or_each_epoch_must_gain_by_itself() -> None:
    """scikit-learn compares with the lowest loss and keeps its weights, however small the gain."""
    by_itself = Stopping(patience=3, tol=1e-4, gains="each_epoch", restore_best_weights=True)
    assert counted(by_itself) == (5, 5, [5, -5])


def test_a_loss_that_is_no_number_is_no_better() -> None:
    assert counted(Stopping(patience=2), [1.0, math.nan, math.inf])[:2] == (3, 1)


# -- scikit-learn -------------------------------------------------------------------------------

SKLEARN: dict[str, tuple[dict[str, Any], dict[str, Any], float, int, list[float]]] = {
    # [stopping], scikit-learn's, the validation fraction, the epoch it ends after, two weights
    "loss": (
        {"patience": 4, "tol": 1e-3, "monitor": "loss"},
        {"tol": 1e-3, "n_iter_no_change": 3},
        0.0,
        30,
        [-1.08222336, -0.59647653],
    ),
    "less patience": (
        {"patience": 3, "tol": 4e-3, "monitor": "loss"},
        {"tol": 4e-3, "n_iter_no_change": 2},
        0.0,
        20,
        [-1.09632091, -0.61883578],
    ),
    "validation": (
        {"patience": 6, "tol": 1e-3, "monitor": "val_accuracy", "restore_best_weights": True},
        {"tol": 1e-3, "n_iter_no_change": 5, "early_stopping": True},
        0.25,
        16,
        [-1.07330455, -0.27198903],
    ),
}


def iris(name: str) -> Trainer:
    stopping, _, fraction, *_ = SKLEARN[name]
    return Trainer(
        Experiment.parse(
            {
                "seed": 5,
                "dtype": "float64",
                "data": {"name": "iris", "test_fraction": 0.2, "validation_fraction": fraction},
                "layers": [
                    {"type": "dense", "units": 8, "activation": "tanh"},
                    {"type": "dense", "units": 3, "activation": "softmax"},
                ],
                "loss": "categorical_crossentropy",
                "optimizer": {"type": "sgd", "learning_rate": 0.1, "momentum": 0.9},
                "training": {"epochs": 300, "batch_size": 32, "shuffle": False, "threads": 1},
                "stopping": {**stopping, "gains": "each_epoch"},
            }
        )
    )


@pytest.mark.parametrize("name", SKLEARN)
def test_it_ends_at_the_epoch_written_down(name: str) -> None:
    trainer = iris(name)
    *_, ended = trainer.run()
    assert isinstance(ended, RunEnded)
    assert (ended.reason, ended.epoch) == ("stopped_early", SKLEARN[name][-2])
    np.testing.assert_allclose(trainer.parameters.views["dense_1.kernel"][0, :2], SKLEARN[name][-1])


@pytest.mark.parametrize("name", SKLEARN)
def test_that_is_where_scikit_learn_ends(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network: Any = pytest.importorskip("sklearn.neural_network._multilayer_perceptron")
    _, settings, _, epoch, _ = SKLEARN[name]
    trainer = iris(name)
    kernels = [trainer.parameters.views[f"dense_{i}.kernel"].copy() for i in (1, 2)]
    biases = [trainer.parameters.views[f"dense_{i}.bias"].copy() for i in (1, 2)]
    train, validation = trainer.data.train, trainer.data.validation
    count = len(train)

    def split(x: Any, y: Any, **_: Any) -> Any:
        return x[:count], x[count:], y[:count], y[count:]

    monkeypatch.setattr(network, "train_test_split", split)

    class FromGiven(network.MLPClassifier):  # type: ignore[misc]
        def _init_coef(self, *_: Any) -> Any:
            return kernels.pop(0), biases.pop(0)

    reference = FromGiven(
        hidden_layer_sizes=(8,), activation="tanh", alpha=0.0, batch_size=32, shuffle=False,
        solver="sgd", learning_rate_init=0.1, momentum=0.9, nesterovs_momentum=False, max_iter=300,
        **settings,
    )  # fmt: skip
    reference.fit(np.concatenate([train.x, validation.x]), np.concatenate([train.y, validation.y]))
    for _ in trainer.run():
        pass
    assert reference.n_iter_ == trainer.state.epoch == epoch
    for number, kernel in enumerate(reference.coefs_, 1):
        np.testing.assert_allclose(
            trainer.parameters.views[f"dense_{number}.kernel"], kernel, rtol=1e-9
        )
