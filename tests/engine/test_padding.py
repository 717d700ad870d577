"""Sequences of different lengths: padding acts on no output, gradient, loss or metric."""

from typing import Any

import numpy as np
import pytest
from recurrent_trainers import FEATURES, computed, numerical, output, trainer_of, wave

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.stepping.gradient_check import check_gradient
from tui_nn_engine.stepping.stepper import Stepper

LENGTHS = (4, 2, 1)


def padded(value: float = 0.0) -> np.ndarray:
    """(3, 4, 2): sequences of these lengths."""
    x = wave(3, 4, FEATURES, start=1)
    for sample, length in enumerate(LENGTHS):
        x[sample, length:] = value
    return x


PADDED: dict[str, list[dict[str, Any]]] = {
    "simple_rnn": [{"type": "simple_rnn", "units": 2}],
    "lstm": [{"type": "lstm", "units": 2}],
    "gru": [{"type": "gru", "units": 2, "reset_after": False}],
    "bidirectional": [
        {"type": "bidirectional", "layer": {"type": "gru", "units": 2, "return_sequences": True}},
        {"type": "simple_rnn", "units": 2},
    ],
    "stacked": [
        {"type": "lstm", "units": 2, "return_sequences": True},
        {"type": "layer_normalization"},
        {"type": "gru", "units": 2, "go_backwards": True},
    ],
}


@pytest.mark.parametrize("network", PADDED)
def test_padding_changes_neither_outputs_nor_gradients(network: str) -> None:
    """The gradient of the batch is the mean of those of its sequences, each alone, unpadded."""
    masked = [{"type": "masking", "mask_value": -7.0}, *PADDED[network]]
    x, t = padded(-7.0), wave(3, 2, start=2)
    together = trainer_of(masked, x, t)
    gradients, outputs = computed(together), output(together)
    alone = []
    for sample, length in enumerate(LENGTHS):
        one = slice(sample, sample + 1)
        trainer = trainer_of(PADDED[network], x[one, :length], t[one])
        alone.append(computed(trainer))
        np.testing.assert_allclose(output(trainer), outputs[one], atol=1e-14)
    for name, gradient in gradients.items():
        mean = sum(each[name] for each in alone) / 3
        np.testing.assert_allclose(gradient, mean, atol=1e-14)
    np.testing.assert_allclose(
        together.parameters.gradients, numerical(together), rtol=1e-6, atol=1e-9
    )


def tagger(kind: str, loss: str, t: np.ndarray, **of_loss: Any) -> Trainer:
    """An output at every step; the last layer's activation suits the loss."""
    activation = "softmax" if loss == "categorical_crossentropy" else "linear"
    layers = [
        {"type": "masking"},
        {"type": kind, "units": 2, "return_sequences": True},
        {"type": "dense", "units": t.shape[2], "activation": activation},
    ]
    tree = {
        "dtype": "float64",
        "data": {"name": "arrays"},
        "layers": layers,
        "loss": {"type": loss, **of_loss},
        "training": {"epochs": 2, "batch_size": 3, "threads": 1},
    }
    return Trainer(Experiment.parse(tree), data=(padded(), t))


REAL = np.arange(4) < np.array(LENGTHS)[:, None]


def test_the_loss_is_the_mean_over_real_steps() -> None:
    classes = np.arange(12).reshape(3, 4) % 3
    t = np.eye(3)[classes] * REAL[..., None]
    trainer = tagger("lstm", "categorical_crossentropy", t)
    p = output(trainer)
    surprise = -np.log(p[np.arange(3)[:, None], np.arange(4), classes])
    assert trainer.program is not None
    assert trainer.program.loss_value == pytest.approx(surprise[REAL].mean(), rel=1e-12)
    np.testing.assert_allclose(
        trainer.parameters.gradients, numerical(trainer), rtol=1e-6, atol=1e-9
    )
    right = (p.argmax(axis=2) == classes)[REAL].mean()
    evaluation = trainer.evaluate(trainer.data.train)
    assert evaluation.metrics["accuracy"] == pytest.approx(right)
    assert evaluation.loss == pytest.approx(surprise[REAL].mean(), rel=1e-12)
    weights = np.array([1.0, 3.0, 0.5])
    weighted = tagger("lstm", "categorical_crossentropy", t, class_weight=weights.tolist())
    computed(weighted)
    assert weighted.program is not None
    wanted = (surprise * weights[classes])[REAL].mean()
    assert weighted.program.loss_value == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(
        weighted.parameters.gradients, numerical(weighted), rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize("loss", ["mean_squared_error", "root_mean_squared_error", "huber"])
def test_numbers_at_every_step_are_learned_where_these_are_real(loss: str) -> None:
    t = wave(3, 4, 2, start=5) * REAL[..., None]
    trainer = tagger("gru", loss, t)
    y = output(trainer)
    assert trainer.program is not None
    square = ((y - t) ** 2).mean(axis=2)[REAL].mean()
    if loss != "huber":
        wanted = square if loss == "mean_squared_error" else np.sqrt(square)
        assert trainer.program.loss_value == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(
        trainer.parameters.gradients, numerical(trainer), rtol=1e-6, atol=1e-9
    )
    assert trainer.evaluate(trainer.data.train).metrics["rmse"] == pytest.approx(np.sqrt(square))


def test_the_metrics_of_an_epoch_leave_padding_out_in_whatever_order_it_goes() -> None:
    classes = np.arange(12).reshape(3, 4) % 2
    trainer = tagger("lstm", "categorical_crossentropy", np.eye(2)[classes] * REAL[..., None])
    tree = trainer.experiment.tree(defaults=True)
    tree["training"] |= {"batch_size": 2, "epochs": 3}
    tree["optimizer"] = {"type": "sgd", "learning_rate": 1e-12}
    shuffled = Trainer(
        Experiment.parse(tree), data=(padded(), np.eye(2)[classes] * REAL[..., None])
    )
    for _ in range(6):
        shuffled.update()
    accuracy = [row[shuffled.columns.index("accuracy")] for row in shuffled.take_ended().values]
    assert set(accuracy) == {trainer.evaluate(trainer.data.train).metrics["accuracy"]}


def test_masks_must_come_first() -> None:
    layers = [{"type": "lstm", "units": 2, "return_sequences": True}, {"type": "masking"}]
    with pytest.raises(ValueError, match="masking_1 finds padding in the data itself"):
        trainer_of([*layers, {"type": "gru", "units": 2}])


def test_one_weight_is_checked_through_time() -> None:
    layers = [{"type": "masking", "mask_value": -7.0}, *PADDED["stacked"]]
    stepper = Stepper(trainer_of(layers, padded(-7.0), wave(3, 2, start=2)))
    for weight in ("lstm_1.recurrent_kernel[0, 3]", "gru_1.recurrent_bias[5]"):
        checked = check_gradient(stepper, weight)
        assert checked.agrees
        assert checked.backprop != 0
