"""Real training on real data reaches what a textbook says it reaches."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_nn_datasets import install_mnist
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.events import RunEnded

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"


def dense(units: int, activation: str) -> dict[str, Any]:
    return {"type": "dense", "units": units, "activation": activation}


def trained(seed: int, **blocks: Any) -> Trainer:
    blocks["training"] = {"threads": 1} | blocks["training"]
    trainer = Trainer(Experiment.parse({"seed": seed, **blocks}))
    *_, ended = trainer.run(interval=1e9)
    assert isinstance(ended, RunEnded)
    assert ended.reason == "completed"
    return trainer


def accuracy(trainer: Trainer, part: str = "test") -> float:
    return trainer.evaluate(getattr(trainer.data, part)).metrics["accuracy"]


def test_mnist_small_is_read_well() -> None:
    found = [
        accuracy(
            trained(
                seed,
                data={"name": "mnist_small"},
                layers=[dense(512, "relu"), dense(10, "softmax")],
                loss={"type": "categorical_crossentropy"},
                optimizer={"type": "adam", "learning_rate": 0.001},
                training={"epochs": 10, "batch_size": 128},
            )
        )
        for seed in range(3)
    ]
    assert np.mean(found) >= 0.945, found


def test_iris_species_are_told_apart() -> None:
    found = [
        accuracy(
            trained(
                seed,
                data={"name": "iris"},
                layers=[dense(16, "relu"), dense(3, "softmax")],
                loss={"type": "categorical_crossentropy"},
                optimizer={"type": "adam", "learning_rate": 0.01},
                training={"epochs": 100, "batch_size": 16},
            )
        )
        for seed in range(10)
    ]
    assert np.mean(found) >= 0.95, found


def test_xor_is_learnt_from_every_seed() -> None:
    found = [
        accuracy(
            trained(
                seed,
                data={"name": "xor"},
                layers=[dense(4, "tanh"), dense(1, "tanh")],
                loss={"type": "mean_squared_error"},
                optimizer={"type": "adam", "learning_rate": 0.05},
                training={"epochs": 500, "batch_size": 4},
            ),
            "train",
        )
        for seed in range(10)
    ]
    assert found == [1.0] * 10


def test_two_spirals_are_parted() -> None:
    found = [
        accuracy(
            trained(
                seed,
                data={
                    "name": "spiral",
                    "scaling": "standardize",
                    "test_fraction": 0,
                    "validation_fraction": 0,
                },
                layers=[dense(8, "tanh"), dense(8, "tanh"), dense(1, "sigmoid")],
                loss={"type": "binary_crossentropy"},
                optimizer={"type": "adam", "learning_rate": 0.03},
                training={"epochs": 300, "batch_size": 20},
            ),
            "train",
        )
        for seed in range(8)
    ]
    assert sum(share > 0.95 for share in found) >= 6, found


def test_a_line_is_fitted_through_diabetes() -> None:
    """As well as least squares do on the same training part."""
    trainer = trained(
        0,
        data={"name": "diabetes"},
        layers=[{"type": "dense", "units": 1}],
        loss={"type": "mean_squared_error"},
        optimizer={"type": "adam", "learning_rate": 0.01},
        training={"epochs": 500, "batch_size": 64},
    )
    x, y = trainer.data.train.x.astype(float), trainer.data.train.y
    ones = np.ones((len(x), 1))
    weights, *_ = np.linalg.lstsq(np.hstack([x, ones]), y, rcond=None)
    best = np.sqrt(np.mean((np.hstack([x, ones]) @ weights - y) ** 2))
    assert trainer.evaluate(trainer.data.train).metrics["rmse"] == pytest.approx(best, rel=0.01)


@pytest.mark.slow
@pytest.mark.skipif(not MNIST.is_dir(), reason="whole MNIST is not beside this checkout")
def test_the_whole_of_mnist_is_read_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUI_NN_DATA", str(tmp_path))
    install_mnist(MNIST)
    found = [
        accuracy(
            trained(
                seed,
                data={"name": "mnist"},
                layers=[dense(512, "relu"), dense(10, "softmax")],
                loss={"type": "categorical_crossentropy"},
                optimizer={"type": "rmsprop", "learning_rate": 0.001},
                training={"epochs": 5, "batch_size": 128},
            )
        )
        for seed in range(3)
    ]
    assert np.mean(found) >= 0.975, found
