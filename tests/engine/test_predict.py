"""Training on arrays of the caller's, and predicting in the units of the data."""

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer


def weights(trainer: Trainer) -> bytes:
    return trainer.parameters.values.tobytes()


def finished(trainer: Trainer) -> Trainer:
    for _ in trainer.run():
        pass
    return trainer


def arrays() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    y = random.integers(0, 3, 60)
    return random.normal(size=(60, 4)) + y[:, None], y


def on_arrays(units: int = 3) -> Experiment:
    return Experiment.parse(
        {
            "data": {"name": "arrays"},
            "layers": [{"type": "dense", "units": units, "activation": "softmax"}],
            "loss": {"type": "categorical_crossentropy"},
            "training": {"epochs": 3, "batch_size": 16, "threads": 1},
        }
    )


def test_integer_and_one_hot_targets_are_the_same() -> None:
    x, y = arrays()
    by_number = finished(Trainer(on_arrays(), data=(x, y)))
    by_row = finished(Trainer(on_arrays(), data=(x, np.eye(3)[y])))
    assert weights(by_number) == weights(by_row)
    assert by_number.data.sha256 == by_row.data.sha256
    assert by_number.predict(x).shape == (60, 3)


def test_one_hot_rows_tell_the_number_of_classes() -> None:
    x, y = arrays()
    trainer = finished(Trainer(on_arrays(units=5), data=(x, np.eye(5)[y])))
    assert trainer.predict(x).shape == (60, 5)


def test_predictions_are_in_the_units_of_the_data() -> None:
    random = np.random.default_rng(1)
    x = random.normal(50, 10, (80, 2))
    y = 3000 + 7 * x[:, :1] - 5 * x[:, 1:]
    blocks = Experiment.parse(
        {
            "data": {"name": "arrays", "scaling": "standardize"},
            "layers": [{"type": "dense", "units": 1}],
            "loss": {"type": "mean_squared_error"},
            "optimizer": {"type": "sgd", "learning_rate": 0.1},
            "training": {"epochs": 200, "batch_size": 80, "threads": 1},
        }
    )
    trainer = finished(Trainer(blocks, data=(x, y)))
    np.testing.assert_allclose(trainer.predict(x), y, atol=0.1)
    rmse = trainer.evaluate(trainer.data.train).metrics["rmse"]
    error = trainer.predict(x).astype(float) - y
    assert rmse == pytest.approx(np.sqrt(np.mean(error**2)), abs=1e-3)


def test_any_number_of_samples_is_predicted_alike() -> None:
    x, y = arrays()
    trainer = finished(Trainer(on_arrays(), data=(x, y)))
    x = np.random.default_rng(2).normal(size=(2345, 4))
    whole = trainer.predict(x)
    for count in (0, 1, 2, 3, 5, 999, 1000, 1001, 2000):
        np.testing.assert_allclose(trainer.predict(x[:count]), whole[:count], rtol=1e-5)
    assert np.array_equal(trainer.predict(x), whole)


def test_inputs_of_another_shape_are_named() -> None:
    with pytest.raises(ValueError, match=r"inputs must be \(samples, 4\), not \(4, 3\)"):
        Trainer(on_arrays(), data=arrays()).predict(np.zeros((4, 3)))
