"""Inspect where every time step has its target: each step is a case."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.inspection.forward import Forward, judged
from tui_nn_engine.inspection.mistakes import mistakes, residuals
from tui_nn_engine.inspection.roc import roc
from tui_nn_engine.inspection.trace import trace


def trained(units: int, loss: str, activation: str, **data: Any) -> Forward:
    trainer = Trainer(
        Experiment.parse(
            {
                "data": data,
                "layers": [{"type": "dense", "units": units, "activation": activation}],
                "loss": {"type": loss},
                "training": {"epochs": 2, "threads": 1},
            }
        )
    )
    for _ in trainer.run():
        pass
    return Forward(trainer)


@pytest.fixture(scope="module")
def copying() -> Forward:
    return trained(5, "categorical_crossentropy", "softmax", name="copying", symbols=4, samples=60)


def test_every_step_is_judged(copying: Forward) -> None:
    part = copying.trainer.data.test
    found = judged(copying, part)
    assert found.outputs.shape == (12 * 20, 5)
    assert np.array_equal(found.targets, part.y.ravel())
    assert found.places[:21].tolist() == [0] * 20 + [1]


def test_mistakes_count_steps_and_show_their_sequences(copying: Forward) -> None:
    part = copying.trainer.data.test
    told = mistakes(copying, "test", (-1, -1))
    guesses = copying.outputs(part.x).argmax(axis=2)
    assert told.matrix.sum() == 12 * 20
    assert told.accuracy == pytest.approx(np.mean(guesses == part.y))
    assert told.inputs.shape == (60, 20, 6)
    assert told.cases.max() < 12
    assert roc(copying, "test", 0).samples == 12 * 20


def test_the_worst_sequence_has_the_worst_step(copying: Forward) -> None:
    part = copying.trainer.data.test
    outputs = copying.outputs(part.x).astype(np.float64)
    own = np.take_along_axis(outputs, part.y[..., None], axis=2)[..., 0]
    np.put_along_axis(outputs, part.y[..., None], -np.inf, axis=2)
    worst = (own - outputs.max(axis=2)).min(axis=1)
    told = trace(copying, "test", -1)
    assert told.place == int(worst.argmin())
    assert 1 <= told.step <= 20
    assert told.truth.tolist() == [part.y[told.place, told.step - 1]]
    said = copying.outputs(part.x)[told.place, told.step - 1]
    np.testing.assert_allclose(told.outputs, said, rtol=1e-6)
    own = told.outputs[int(told.truth[0])]
    other = np.delete(told.outputs, int(told.truth[0])).max()
    assert own - other == pytest.approx(worst.min(), abs=1e-6)


def test_residuals_of_every_step() -> None:
    forward = trained(2, "mse", "linear", name="sine", horizon=2, targets="every", samples=40)
    part = forward.trainer.data.test
    told = residuals(forward, "test", 1)
    assert np.array_equal(told.targets, part.y[..., 1].ravel())
    outputs = forward.outputs(part.x)[..., 1].ravel()
    assert told.rmse == pytest.approx(np.sqrt(np.mean((outputs - told.targets) ** 2)), rel=1e-5)
    assert told.inputs.shape == (60, 20, 1)
    farthest = trace(forward, "test", -1)
    missed = np.abs(forward.outputs(part.x) - part.y).sum(axis=2)
    place, step = np.unravel_index(missed.argmax(), missed.shape)
    assert (farthest.place, farthest.step) == (place, step + 1)
    assert np.array_equal(farthest.truth, part.y[place, step])
