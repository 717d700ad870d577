"""What a recurrent layer remembers, and which time steps moved the prediction."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.inspection.forward import Forward
from tui_nn_engine.inspection.memory import memory
from tui_nn_engine.inspection.subject import subject

STEPS, FEATURES = 4, 2


def trainer_of(*layers: dict[str, Any], loss: str = "mean_squared_error") -> Trainer:
    tree = {
        "dtype": "float64",
        "data": {"name": "arrays", "test_fraction": 0.5},
        "layers": list(layers),
        "loss": loss,
        "training": {"batch_size": 4},
    }
    random = np.random.default_rng(0)
    data = random.normal(size=(8, STEPS, FEATURES)), random.normal(size=(8, 1))
    return Trainer(Experiment.parse(tree), data=data)


LINEAR = {"type": "simple_rnn", "units": 1, "activation": "linear"}
RNN = {"type": "simple_rnn", "units": 3}
OUTPUT = {"type": "dense", "units": 1, "activation": "linear"}


def given(value: float) -> dict[str, Any]:
    return {"type": "given", "values": [[value]]}


def test_states_are_those_of_every_time_step() -> None:
    forward = Forward(
        trainer_of(RNN | {"return_sequences": True}, {"type": "gru", "units": 2}, OUTPUT)
    )
    found = memory(forward, "train", 1, 0)
    program = forward.compute(forward.trainer.data.train.x[1:2])
    np.testing.assert_array_equal(found.states, program.slots()["simple_rnn_1.h"].array[0])
    assert memory(forward, "train", 1, 1).states.shape == (STEPS, 2)
    assert memory(forward, "train", 1, 9).layer == "gru_1"


def test_gradient_times_input_of_a_linear_network_is_what_each_step_gave() -> None:
    layer = LINEAR | {"recurrent_initializer": given(0.5), "use_bias": False}
    trainer = trainer_of(layer, OUTPUT | {"kernel_initializer": given(1.0)})
    found = memory(Forward(trainer), "train", 0, 0)
    x = trainer.data.train.x[0]
    sent = x @ trainer.parameters.views["simple_rnn_1.kernel"][:, 0]
    expected = sent * 0.5 ** np.arange(STEPS - 1, -1, -1)
    np.testing.assert_allclose(found.moved, expected, rtol=1e-9)
    assert found.moved.sum() == pytest.approx(found.states[-1, 0])


def test_training_goes_on_as_if_nobody_looked() -> None:
    looked, alone = trainer_of(RNN, OUTPUT), trainer_of(RNN, OUTPUT)
    for _ in range(3):
        memory(Forward(looked), "train", 0, 0)
        looked.update()
        alone.update()
    assert looked.parameters.values.tobytes() == alone.parameters.values.tobytes()


def test_a_place_outside_is_brought_inside() -> None:
    forward = Forward(trainer_of(RNN, OUTPUT))
    size = len(forward.trainer.data.train)
    assert memory(forward, "train", 99, 0).place == size - 1
    assert memory(forward, "train", -1, 0).place == 0


def test_without_a_recurrent_layer_there_is_nothing_to_see() -> None:
    trainer = trainer_of({"type": "flatten"}, OUTPUT)
    assert subject(trainer).recurrent == ()
    with pytest.raises(ValueError, match="no recurrent layer"):
        memory(Forward(trainer), "train", 0, 0)
