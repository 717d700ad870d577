"""Errors on their way back through time: measured, and called what they are."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.health_over_time import LARGEST, Clipping, OverTime, clipping, over_time
from tui_nn_engine.training.verdicts import judge, verdict_over_time

DELAY = 20


def trained(updates: int = 1, optimizer: dict[str, Any] | None = None, **layer: Any) -> Trainer:
    experiment = Experiment.parse(
        {
            "dtype": "float64",
            "data": {"name": "first_symbol", "delay": DELAY - 1, "samples": 80},
            "layers": [
                {"type": "simple_rnn", "units": 4, **layer},
                {"type": "dense", "units": 2, "activation": "softmax"},
            ],
            "loss": "categorical_crossentropy",
            "optimizer": optimizer or {"type": "sgd", "learning_rate": 0.01},
            "training": {"batch_size": 8, "threads": 1},
        }
    )
    trainer = Trainer(experiment)
    for _ in range(updates):
        trainer.update()
    return trainer


def measured(trainer: Trainer) -> OverTime:
    assert trainer.program is not None
    (found,) = over_time(trainer, trainer.program)
    return found


def given(radius: float) -> dict[str, Any]:
    return {"type": "given", "values": (radius * np.eye(4)).tolist()}


def test_the_norm_of_every_steps_error_is_that_of_the_slots() -> None:
    trainer = trained(type="lstm")
    found = measured(trainer)
    assert trainer.program is not None
    slots = trainer.program.slots()
    for t in range(1, DELAY + 1):
        error = slots[f"dE/d(lstm_1/t={t}.h)"].array
        assert found.hidden[t - 1] == pytest.approx(np.sqrt((error**2).sum()))  # type: ignore[operator]
        error = slots[f"dE/d(lstm_1/t={t}.c)"].array
        assert found.cell[t - 1] == pytest.approx(np.sqrt((error**2).sum()))  # type: ignore[operator]


def test_the_spectral_radius_is_that_of_each_gates_weights() -> None:
    assert measured(trained(0 + 1, recurrent_initializer=given(0.5))).radius == pytest.approx(
        [0.5], abs=0.02
    )
    found = measured(trained(type="lstm"))
    assert found.gates == ("i", "f", "c̃", "o")
    assert found.radius.shape == (4,)
    assert np.isnan(measured(trained(units=LARGEST + 1)).radius).all()


def test_of_a_small_spectral_radius_errors_vanish() -> None:
    trainer = trained(recurrent_initializer=given(0.5))
    found = measured(trainer)
    assert found.norms[0] < 1e-5 * found.norms[-1]
    assert trainer.program is not None
    verdict = judge(trainer, trainer.program)[1][0]
    assert verdict is not None
    assert verdict.word == "forgets"
    assert "Hochreiter 1991" in verdict.source
    assert "lstm" in verdict.remedy


def test_of_a_large_one_they_explode() -> None:
    trainer = trained(
        activation="linear", recurrent_initializer=given(2.0), kernel_initializer="zeros"
    )
    assert trainer.program is not None
    verdict = judge(trainer, trainer.program)[1][0]
    assert verdict is not None
    assert (verdict.word, verdict.severity) == ("exploding", "bad")
    assert "through time" in verdict.why
    assert "clip" in verdict.remedy


def test_along_an_open_cell_they_do_neither() -> None:
    trainer = trained(
        type="lstm",
        bias_initializer={"type": "given", "values": [0.0] * 4 + [5.0] * 4 + [0.0] * 8},
    )
    found = measured(trainer)
    assert found.cell[0] > 0.1 * found.cell[-1]
    assert verdict_over_time(found) is None


def test_a_graver_verdict_on_the_layer_stands() -> None:
    trainer = trained(
        optimizer={"type": "sgd", "learning_rate": 1e4}, recurrent_initializer=given(0.5)
    )
    assert trainer.program is not None
    verdict = judge(trainer, trainer.program)[1][0]
    assert verdict is not None
    assert verdict.word == "exploding"


def test_truncated_errors_are_judged_within_their_window() -> None:
    found = measured(trained(bptt_steps=5, recurrent_initializer=given(0.5)))
    assert np.isfinite(found.hidden).tolist() == [False] * (DELAY - 5) + [True] * 5
    assert verdict_over_time(found) is None


def test_of_a_layer_that_goes_backwards_the_first_step_is_the_last() -> None:
    found = measured(trained(go_backwards=True, recurrent_initializer=given(0.5)))
    assert found.backwards
    assert found.hidden[-1] < found.hidden[0]
    verdict = verdict_over_time(found)
    assert verdict is not None
    assert verdict.word == "forgets"


@pytest.mark.parametrize("field", ["global_clipnorm", "clipvalue"])
def test_clipping_is_told_before_and_after(field: str) -> None:
    optimizer = {"type": "sgd", "learning_rate": 0.1, field: 1e-3}
    trainer = trained(optimizer=optimizer)
    assert trainer.program is not None
    found = clipping(trainer.program)
    assert isinstance(found, Clipping)
    assert found.before == pytest.approx(np.linalg.norm(trainer.parameters.gradients))
    assert found.after < found.before
    if field == "global_clipnorm":
        assert found.after == pytest.approx(1e-3)


def test_without_clipping_and_without_time_nothing_is_told() -> None:
    trainer = trained()
    assert trainer.program is not None
    assert clipping(trainer.program) is None
    plain = Trainer(
        Experiment.parse(
            {
                "data": {"name": "xor"},
                "layers": [{"type": "dense", "units": 1, "activation": "sigmoid"}],
                "loss": "mean_squared_error",
            }
        )
    )
    plain.update()
    assert plain.program is not None
    assert over_time(plain, plain.program) == ()
