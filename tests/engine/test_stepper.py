"""Stepping runs the very program that trains: forwards it ends alike, back it leaves no trace."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_nn_engine import DivergedError, Experiment, Trainer
from tui_nn_engine.stepping.stepper import Stepper

NETWORKS: dict[str, list[dict[str, Any]]] = {
    "tanh": [
        {"type": "dense", "units": 5, "activation": "tanh"},
        {"type": "dense", "units": 2, "activation": "softmax"},
    ],
    "dropout": [
        {"type": "dense", "units": 6, "activation": "relu"},
        {"type": "dropout", "rate": 0.4},
        {"type": "dense", "units": 2, "activation": "softmax"},
    ],
    "layers of their own": [
        {"type": "dense", "units": 4, "use_bias": False},
        {"type": "activation", "activation": "gelu"},
        {"type": "flatten"},
        {"type": "dense", "units": 2, "kernel_trainable": False},
        {"type": "activation", "activation": "softmax"},
    ],
}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"type": "sgd", "learning_rate": 0.1},
    "nesterov": {"type": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    "rmsprop": {"type": "rmsprop", "momentum": 0.5},
    "adam": {"type": "adam", "learning_rate": 0.01},
    "nadam, clipped": {"type": "nadam", "learning_rate": 0.01, "clipnorm": 0.1},
    "adagrad": {"type": "adagrad", "global_clipnorm": 0.1},
}
COMBINATIONS = list(itertools.product(NETWORKS, OPTIMIZERS))


def trainer_of(network: str = "dropout", optimizer: str = "adam") -> Trainer:
    """23 points by batches of 5: the last batch is ragged."""
    return Trainer(
        Experiment.parse(
            {
                "data": {
                    "name": "circles",
                    "samples": 23,
                    "test_fraction": 0,
                    "validation_fraction": 0,
                },
                "layers": NETWORKS[network],
                "loss": {"type": "categorical_crossentropy"},
                "optimizer": OPTIMIZERS[optimizer],
                "training": {"epochs": 100, "batch_size": 5, "threads": 1},
            }
        )
    )


def everything(trainer: Trainer) -> dict[str, Any]:
    """All that a state holds, byte by byte."""
    found = trainer.state.snapshot()
    arrays = {name: array.tobytes() for name, array in found.arrays.items()}
    return {"place": (found.iteration, found.epoch, found.batch), **arrays}


@pytest.mark.parametrize(("network", "optimizer"), COMBINATIONS)
def test_stepped_and_plain_updates_end_byte_equal(network: str, optimizer: str) -> None:
    plain, stepped = trainer_of(network, optimizer), trainer_of(network, optimizer)
    for _ in range(12):
        loss = plain.update()
        stepper = Stepper(stepped)
        while stepper.forward():
            pass
        assert stepper.complete
        assert stepper.finish() == loss
    assert everything(plain) == everything(stepped)
    assert plain.take_ended().values.tolist() == stepped.take_ended().values.tolist()


@pytest.mark.parametrize(("network", "optimizer"), COMBINATIONS)
def test_each_number_of_steps_and_as_many_back_change_nothing(network: str, optimizer: str) -> None:
    trainer = trainer_of(network, optimizer)
    for _ in range(3):
        trainer.update()
    before = everything(trainer)
    stepper = Stepper(trainer)
    for count in range(len(stepper.ops) + 1):
        stepper.go_to(count)
        assert stepper.cursor == count
        stepper.go_to(0)
        assert everything(trainer) == before


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(COMBINATIONS),
    st.lists(st.integers(-9, 12), max_size=25),
    st.integers(0, 7),
)
def test_however_one_walks_the_update_ends_the_same(
    combination: tuple[str, str], walk: list[int], made: int
) -> None:
    plain, walked = trainer_of(*combination), trainer_of(*combination)
    for _ in range(made):
        plain.update()
        walked.update()
    before = everything(walked)
    stepper = Stepper(walked)
    for steps in walk:
        for _ in range(abs(steps)):
            moved = stepper.forward() if steps > 0 else stepper.back()
            assert moved or stepper.cursor in {0, len(stepper.ops)}
    with stepper.undone():
        assert everything(walked) == before
    stepper.cancel()
    assert everything(walked) == before
    stepper.go_to(len(stepper.ops) // 2)
    assert stepper.finish() == plain.update()
    assert everything(walked) == everything(plain)
    assert walked.update() == plain.update()


def test_the_last_step_is_told_by_false() -> None:
    stepper = Stepper(trainer_of())
    assert not stepper.back()
    steps = 0
    while stepper.forward():
        steps += 1
    assert steps == len(stepper.ops)
    assert not stepper.forward()
    stepper.go_to(10**6)
    assert stepper.cursor == steps


def test_undone_comes_back_also_from_an_error() -> None:
    trainer = trainer_of()
    stepper = Stepper(trainer)
    stepper.go_to(len(stepper.ops) - 1)
    here = everything(trainer)
    with pytest.raises(OSError, match="full"), stepper.undone():
        raise OSError("the disk is full")
    assert stepper.cursor == len(stepper.ops) - 1
    assert everything(trainer) == here


def test_a_slot_is_known_once_it_is_written() -> None:
    trainer = trainer_of("tanh", "adam")
    stepper = Stepper(trainer)
    at_hand = ("x", "t", "dense_1.kernel", "dense_2.bias", "weights", "m", "v", "learning_rate")
    computed = {slot.name for op in stepper.ops for slot in op.outputs} - set(at_hand)
    assert "dense_1.z" in computed
    for cursor in range(len(stepper.ops) + 1):
        stepper.go_to(cursor)
        written = {slot.name for op in stepper.ops[:cursor] for slot in op.outputs}
        assert {name for name in computed if stepper.slot(name)} == written - set(at_hand)
        assert all(stepper.slot(name) for name in at_hand)
    stepper.go_to(1)
    assert not stepper.slot("dense_1.h")
    assert not stepper.slot("no such slot")


def test_what_was_before_is_at_hand_to_compare() -> None:
    trainer = trainer_of("tanh", "sgd")
    old = trainer.parameters.views["dense_1.kernel"].copy()
    stepper = Stepper(trainer)
    stepper.go_to(len(stepper.ops))
    gradient = stepper.slot("dE/d(dense_1.kernel)")
    new = stepper.slot("dense_1.kernel")
    assert gradient is not None
    assert new is not None
    assert np.array_equal(stepper.before["dense_1.kernel"], old)
    np.testing.assert_allclose(new.array, old - np.float32(0.1) * gradient.array, rtol=1e-6)


def test_a_divergence_stops_before_the_weights() -> None:
    trainer = trainer_of("tanh", "sgd")
    trainer.parameters.views["dense_1.kernel"][...] = np.inf
    before = everything(trainer)
    stepper = Stepper(trainer)
    with pytest.raises(DivergedError) as caught:
        stepper.finish()
    assert caught.value.path == "dense_1"
    assert stepper.ops[stepper.cursor].phase == "update"
    assert everything(trainer) == before
    with pytest.raises(DivergedError):
        stepper.forward()


def test_a_divergence_shows_also_where_nothing_is_trained() -> None:
    frozen = {"type": "dense", "units": 2, "activation": "softmax"}
    frozen |= {"kernel_trainable": False, "bias_trainable": False}
    trainer = trainer_of("tanh", "sgd")
    trainer = Trainer(Experiment.parse(trainer.experiment.tree() | {"layers": [frozen]}))
    trainer.parameters.values[...] = np.nan
    with pytest.raises(DivergedError):
        Stepper(trainer).finish()
