"""What recurrent layers can and can't learn: gradients that vanish, explode, or get through."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.training.runs import Run, read_metrics

DELAY = 30
LSTM: dict[str, Any] = {"type": "lstm", "units": 16}


def plain(gain: float, activation: str = "tanh") -> dict[str, Any]:
    initializer = {"type": "orthogonal", "gain": gain}
    layer = {"type": "simple_rnn", "units": 16, "activation": activation}
    return {**layer, "recurrent_initializer": initializer}


def trainer(layer: dict[str, Any], **training: Any) -> Trainer:
    return Trainer(
        Experiment.parse(
            {
                "dtype": "float64",
                "data": {"name": "first_symbol", "delay": DELAY, "samples": 600},
                "layers": [layer, {"type": "dense", "units": 1, "activation": "sigmoid"}],
                "loss": {"type": "binary_crossentropy"},
                "optimizer": {"type": "adam", "learning_rate": 0.01, "global_clipnorm": 1.0},
                "training": {"threads": 1, **training},
            }
        )
    )


def gradient_norms(layer: dict[str, Any], state: str) -> np.ndarray:
    """|dE/d(state)| at every time step, before any training."""
    program = trainer(layer).load()
    for call in program.compute:
        call()
    steps = {}
    for name, slot in program.slots().items():
        if found := re.fullmatch(rf"dE/d\(\w+/t=(\d+)\.{state}\)", name):
            steps[int(found[1])] = float(np.linalg.norm(slot.array))
    assert sorted(steps) == list(range(1, DELAY + 2))
    return np.array([steps[t] for t in sorted(steps)])


def test_a_small_recurrent_kernel_halves_the_error_at_every_step_back() -> None:
    norms = gradient_norms(plain(0.5), "h")
    assert (norms[:-1] <= 0.5 * norms[1:] * (1 + 1e-9)).all()
    assert norms[-1] / norms[0] > 2.0**DELAY


def test_a_large_one_doubles_it() -> None:
    norms = gradient_norms(plain(2.0, "linear"), "h")
    np.testing.assert_allclose(norms[:-1], 2 * norms[1:], rtol=1e-9)


def test_the_cell_of_an_lstm_lets_it_through() -> None:
    cell = gradient_norms(LSTM, "c")
    assert cell[-1] / cell[0] < 2.0**DELAY / 1000


# Where the kernel may grow, Adam sometimes finds the way: it scales small gradients up.
KEPT = {**plain(0.5), "recurrent_trainable": False}


@pytest.mark.parametrize(("layer", "learns"), [(LSTM, True), (KEPT, False)])
def test_over_a_long_delay_only_the_cell_remembers(layer: dict[str, Any], learns: bool) -> None:
    training = trainer(layer, epochs=12, batch_size=32)
    for _ in training.run():
        pass
    accuracy = training.evaluate(training.data.test).metrics["accuracy"]
    assert accuracy > 0.95 if learns else accuracy < 0.7


# -- a run of padded sequences --------------------------------------------------------------------


def padded() -> Trainer:
    """Words as tokens, masked, a target a step, through a layer each way; ragged last batch."""
    both = {"type": "bidirectional", "layer": {"type": "gru", "units": 4, "return_sequences": True}}
    embedding = {"type": "embedding", "input_dim": 28, "output_dim": 3, "mask_zero": True}
    return Trainer(
        Experiment.parse(
            {
                "data": {"name": "words", "encoding": "tokens", "validation_fraction": 0.8},
                "layers": [
                    embedding,
                    both,
                    {"type": "dense", "units": 27, "activation": "softmax"},
                ],
                "loss": {"type": "categorical_crossentropy", "class_weight": "balanced"},
                "training": {"epochs": 2, "batch_size": 200, "threads": 1},
            }
        )
    )


def test_it_is_the_same_resumed_in_mid_epoch_or_stepped(tmp_path: Path) -> None:
    straight = Run(padded(), tmp_path / "straight")
    for _ in straight.record():
        pass
    first = Run(padded(), tmp_path / "resumed")
    for _ in first.record(until=2):
        pass
    first.save()
    resumed = Run.resume(tmp_path / "resumed")
    stepper = Stepper(resumed.trainer)
    for _ in range(len(stepper.ops) // 2):
        stepper.forward()
    stepper.finish()
    assert resumed.trainer.state.iteration == 3
    for _ in resumed.record():
        pass
    for name, array in straight.trainer.state.snapshot().arrays.items():
        np.testing.assert_array_equal(resumed.trainer.state.snapshot().arrays[name], array)
    rows = [read_metrics(run.folder / "metrics.jsonl") for run in (straight, resumed)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 2
