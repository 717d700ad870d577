"""Metrics fit the task, and are what their names say."""

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.metrics import accuracy, mae, mbe, r2, rmse


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32)[:, None]


def test_accuracy_is_by_the_largest_output() -> None:
    outputs = np.array([[0.1, 0.9], [0.6, 0.4], [0.2, 0.8], [0.9, 0.1]])
    assert accuracy(0.5)(outputs, np.eye(2)[[1, 0, 0, 0]]) == 0.75


def test_accuracy_of_one_output_is_by_its_side_of_the_threshold() -> None:
    assert accuracy(0.5)(column(0.4, 0.6, 0.5, 2.0), column(0, 1, 0, 1)) == 1.0
    assert accuracy(0.5)(column(0.4, 0.6), column(1, 1)) == 0.5
    assert accuracy(0.0)(column(-0.1, 0.1, 0.4), column(-1, 1, -1)) == pytest.approx(2 / 3)


def test_r2_is_one_less_the_share_left_unexplained() -> None:
    targets = column(1, 2, 3, 4)
    assert r2(targets, targets) == 1.0
    assert r2(np.full_like(targets, 2.5), targets) == 0.0
    assert r2(column(1, 2, 3, 5), targets) == pytest.approx(1 - 1 / 5)


def test_r2_of_several_outputs_is_their_mean() -> None:
    targets = np.column_stack([np.arange(4.0), np.arange(4.0) * 100])
    outputs = targets.copy()
    outputs[:, 1] = targets[:, 1].mean()
    assert r2(outputs, targets) == 0.5


def test_r2_of_constant_targets_is_finite() -> None:
    assert r2(column(3, 3), column(3, 3)) == 1.0
    assert r2(column(3, 4), column(3, 3)) == 0.0
    assert r2(column(1), column(2)) == 0.0


def test_rmse_is_in_the_units_of_the_data() -> None:
    assert rmse(np.array([10.0]))(column(1, 2), column(1, 4)) == pytest.approx(10 * np.sqrt(2))


def test_mae_counts_errors_of_either_sign_and_mbe_lets_them_cancel() -> None:
    scale = np.array([10.0])
    outputs, targets = column(1, 2, 6), column(2, 4, 1)
    assert mae(scale)(outputs, targets) == pytest.approx(10 * (1 + 2 + 5) / 3)
    assert mbe(scale)(outputs, targets) == pytest.approx(10 * (-1 - 2 + 5) / 3)
    assert mbe(scale)(targets, outputs) == -mbe(scale)(outputs, targets)


@pytest.mark.parametrize(
    ("data", "layer", "names"),
    [
        ({"name": "xor"}, {"units": 1, "activation": "sigmoid"}, {"accuracy"}),
        ({"name": "diabetes"}, {"units": 1}, {"r2", "rmse", "mae", "mbe"}),
    ],
)
def test_the_task_says_which(data: dict, layer: dict, names: set[str]) -> None:
    blocks = {"data": data, "layers": [{"type": "dense", **layer}], "loss": {"type": "mse"}}
    trainer = Trainer(Experiment.parse(blocks))
    assert set(trainer.evaluate(trainer.data.train).metrics) == names


def test_bipolar_classes_part_at_zero() -> None:
    layer = {"type": "dense", "units": 1, "kernel_initializer": {"type": "constant", "value": 0.1}}
    layer["bias_initializer"] = {"type": "constant", "value": -0.15}
    blocks = {
        "data": {"name": "gates", "gate": "and", "bipolar_targets": True},
        "layers": [layer],
        "loss": {"type": "mse"},
    }
    trainer = Trainer(Experiment.parse(blocks))  # 0.1 (x1 + x2) - 0.15: above 0 for (1, 1) alone
    assert trainer.evaluate(trainer.data.train).metrics == {"accuracy": 1.0}
