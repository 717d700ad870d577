"""Watched weights: their values after every update, none lost between portions."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.stepping.watching import PORTION, Trace

TREE: dict[str, Any] = {
    "data": {"name": "xor"},
    "layers": [
        {"type": "dense", "units": 2, "activation": "tanh"},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": {"type": "half_squared_error"},
    "optimizer": {"type": "sgd", "learning_rate": 0.5},
    "training": {"epochs": 10_000, "batch_size": 4, "threads": 1},
}
NAMES = ["dense_2.bias[0]", "dense_1.kernel[1, 0]"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=20, deadline=None)
@given(portions=st.lists(st.integers(0, 3 * PORTION), max_size=4))
def test_every_update_is_recorded(dtype: str, portions: list[int]) -> None:
    trainer = Trainer(Experiment.parse(TREE | {"dtype": dtype}))
    views = trainer.parameters.views
    watch = Trace(trainer, NAMES)
    made = 0
    for updates in portions:
        expected = []
        for _ in range(updates):
            trainer.update()
            watch.record()
            expected.append([views["dense_2.bias"][0], views["dense_1.kernel"][1, 0]])
        first, values = watch.take()
        assert first == made + 1
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values, np.array(expected).reshape(updates, 2))
        made += updates


def test_a_weight_is_watched_once_and_a_wrong_one_is_told() -> None:
    trainer = Trainer(Experiment.parse(TREE))
    watch = Trace(trainer, [*NAMES, "dense_2.bias[ 0]"])
    assert watch.weights == tuple(NAMES)
    with pytest.raises(ValueError, match="there is no parameter 'dense_9"):
        Trace(trainer, [*NAMES, "dense_9.bias[0]"])


def test_what_was_taken_stays_as_it_was() -> None:
    trainer = Trainer(Experiment.parse(TREE))
    watch = Trace(trainer, NAMES)
    watch.record()
    _, values = watch.take()
    before = values.copy()
    trainer.update()
    watch.record()
    np.testing.assert_array_equal(values, before)
