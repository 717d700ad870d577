"""The gradients of whole networks, of every layer and loss, against central differences."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
from central_differences import differences, draw, one_hot, relative_error

from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.layers import LAYERS
from tui_nn_engine.networks.network import Network
from tui_nn_engine.primitives.activations import ACTIVATIONS, Softmax
from tui_nn_engine.primitives.losses import LOSSES
from tui_nn_engine.programs.program import Contribution, Op, Slot


def branched(join: str, *branches: list[dict[str, Any]]) -> dict[str, Any]:
    """A parallel block."""
    return {"type": "parallel", "join": join, "branches": [{"layers": one} for one in branches]}


side_by_side = partial(branched, "concatenate")
summed = partial(branched, "add")

DENSE = {"type": "dense", "kernel_initializer": {"type": "normal", "stddev": 0.7}}
BIAS = {"bias_initializer": {"type": "normal", "mean": 0.1, "stddev": 0.3}}
HIDDEN = {**DENSE, **BIAS, "units": 4, "activation": "tanh"}
STACKS: dict[str, tuple[tuple[int, ...], list[dict[str, Any]]]] = {
    "dense": ((3,), [HIDDEN]),
    "no bias": ((3,), [{**HIDDEN, "use_bias": False}]),
    "frozen kernel": ((3,), [HIDDEN, {**HIDDEN, "kernel_trainable": False}]),
    "frozen bias": ((3,), [HIDDEN, {**HIDDEN, "bias_trainable": False}]),
    "frozen layer": (
        (3,),
        [HIDDEN, {**HIDDEN, "kernel_trainable": False, "bias_trainable": False}],
    ),
    "dropout": ((3,), [HIDDEN, {"type": "dropout", "rate": 0.4}]),
    "dropout first": ((3,), [{"type": "dropout", "rate": 0.4}, HIDDEN]),
    "noise": ((3,), [HIDDEN, {"type": "gaussian_noise", "stddev": 0.4}]),
    "noise first": ((3,), [{"type": "gaussian_noise", "stddev": 0.4}, HIDDEN]),
    "penalties": (
        (3,),
        [
            {**HIDDEN, "kernel_regularizer": {"type": "l2", "l2": 0.3}, "bias_regularizer": "l1"},
            {**HIDDEN, "kernel_regularizer": {"type": "l1_l2", "l1": 0.1}},
        ],
    ),
    "layer normalization": ((3,), [HIDDEN, {"type": "layer_normalization"}, HIDDEN]),
    "layer normalization first": (
        (2, 3),
        [{"type": "layer_normalization", "scale": False}, HIDDEN, {"type": "flatten"}],
    ),
    "batch normalization": ((3,), [HIDDEN, {"type": "batch_normalization"}, HIDDEN]),
    "batch normalization over time": (
        (2, 3),
        [HIDDEN, {"type": "batch_normalization", "center": False}, {"type": "flatten"}],
    ),
    "normalization alone": (
        (3,),
        [
            HIDDEN,
            {"type": "batch_normalization", "scale": False, "center": False},
            {"type": "layer_normalization", "gamma_trainable": False},
        ],
    ),
    "flatten": ((2, 3), [{"type": "flatten"}, HIDDEN]),
    "flatten inside": ((2, 3), [HIDDEN, {"type": "flatten"}, HIDDEN]),
    "time": ((2, 3), [HIDDEN, HIDDEN]),
    "activation layer": ((3,), [{**HIDDEN, "activation": "linear"}, {"type": "activation"}]),
    "polynomial": ((2,), [{"type": "polynomial", "degree": 3}, HIDDEN]),
    "polynomial inside": ((3,), [HIDDEN, {"type": "polynomial"}, HIDDEN]),
    "select": ((4,), [{"type": "select", "columns": [2, 0, 3]}, HIDDEN]),
    "select inside": ((3,), [HIDDEN, {"type": "select", "columns": [1, 0]}, HIDDEN]),
    "wide and deep": ((3,), [side_by_side([], [HIDDEN, HIDDEN]), HIDDEN]),
    "columns for each": (
        (4,),
        [
            side_by_side(
                [{"type": "select", "columns": [1, 3]}],
                [{"type": "select", "columns": [3, 0, 2]}, HIDDEN],
            )
        ],
    ),
    "residual": ((3,), [HIDDEN, summed([], [HIDDEN, HIDDEN]), HIDDEN]),
    "residual first": ((3,), [summed([], [{**HIDDEN, "units": 3}]), HIDDEN]),
    "residual of linear layers": (
        (3,),
        [HIDDEN, summed([], [{**HIDDEN, "activation": "linear"}]), {"type": "activation"}],
    ),
    "twice itself": ((3,), [HIDDEN, summed([], []), side_by_side([], [])]),
    "three branches": ((3,), [HIDDEN, summed([HIDDEN], [], [HIDDEN, {"type": "dropout"}])]),
    "branches in branches": (
        (3,),
        [HIDDEN, side_by_side([summed([], [HIDDEN, summed([HIDDEN], [])])], [HIDDEN]), HIDDEN],
    ),
    "forwards in time beside dense": (
        (3, 2),
        [
            side_by_side(
                [{"type": "lstm", "units": 2, "return_sequences": True}],
                [HIDDEN],
                [summed([], [{"type": "gru", "units": 2, "return_sequences": True}])],
            ),
            {"type": "simple_rnn", "units": 3},
        ],
    ),
    "two memories added": (
        (3, 2),
        [summed([{"type": "lstm", "units": 3}], [{"type": "gru", "units": 3}]), HIDDEN],
    ),
    "branches over time": (
        (2, 3),
        [HIDDEN, side_by_side([], [HIDDEN, summed([], [HIDDEN])]), {"type": "flatten"}],
    ),
}


RECURRENT = {"units": 3, **BIAS, "recurrent_initializer": {"type": "normal", "stddev": 0.7}}
STACKS |= {
    "simple rnn": ((4, 3), [{"type": "simple_rnn", **RECURRENT}]),
    "lstm": ((4, 3), [{"type": "lstm", **RECURRENT, "recurrent_activation": "softplus"}]),
    "gru": ((4, 3), [{"type": "gru", **RECURRENT}]),
    "gru, reset before": ((4, 3), [{"type": "gru", **RECURRENT, "reset_after": False}]),
    "recurrent layers stacked": (
        (3, 2),
        [
            {"type": kind, **RECURRENT, "return_sequences": True, "recurrent_dropout": 0.3}
            for kind in ("gru", "lstm", "simple_rnn")
        ]
        + [{"type": "flatten"}],
    ),
    "bidirectional": (
        (3, 2),
        [
            {"type": "bidirectional", "layer": {"type": "gru", **RECURRENT, "bptt_steps": 5}},
            {"type": "repeat_vector", "n": 2},
            {"type": "simple_rnn", **RECURRENT, "go_backwards": True},
        ],
    ),
    "bidirectional, summed": (
        (3, 2),
        [
            {"type": "masking", "mask_value": 9.0},
            {"type": "bidirectional", "merge_mode": "sum", "layer": {"type": "lstm", **RECURRENT}},
        ],
    ),
    "embedding": (
        (4,),
        [{"type": "embedding", "input_dim": 2, "output_dim": 3}, {"type": "gru", **RECURRENT}],
    ),
    "a target a step": ((4, 3), [{"type": "lstm", **RECURRENT, "return_sequences": True}]),
}


def network_error(
    shape: tuple[int, ...], layers: list[dict[str, Any]], loss: str, *, seed: int = 0
) -> float:
    """Relative error of all gradients of the network's own training program."""
    tree = {
        "seed": seed,
        "dtype": "float64",
        "data": {"name": "arrays"},
        "layers": layers,
        "loss": loss,
        "optimizer": "sgd",
    }
    network = Network(Experiment.parse(tree), shape)
    parameters = network.parameters()
    state = {"iteration": np.array(7), "learning_rate": np.array(0.1)}
    program = network.compile(5, parameters, state)
    program.x.array[...] = draw(program.x.shape, seed=11)
    target = program.y.array
    width = target.shape[-1]
    target[...] = one_hot(target.size // width, width).reshape(target.shape)
    assert program.loss is not None
    for call in program.compute:
        call()
    found = parameters.gradients.copy()
    forward = [op.call for op in program.ops if op.phase in {"forward", "loss"}]

    def evaluate() -> float:
        for call in forward:
            call()
        return program.loss_value + program.penalty

    return relative_error(found, differences(evaluate, parameters.trainable))


@pytest.mark.parametrize("loss", LOSSES, ids=kind_name)
@pytest.mark.parametrize("activation", ACTIVATIONS, ids=kind_name)
def test_networks_of_every_activation_and_loss(activation: type[Any], loss: type[Any]):
    name = kind_name(activation)
    layers = [{**HIDDEN, "activation": name}, {**HIDDEN, "units": 3, "activation": name}]
    assert network_error((3,), layers, kind_name(loss)) < 1e-5


@pytest.mark.parametrize("loss", LOSSES, ids=kind_name)
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("end", ["softmax", "sigmoid"])
def test_networks_of_every_layer(stack: str, loss: type[Any], end: str):
    shape, layers = STACKS[stack]
    layers = [*layers, {**HIDDEN, "units": 3, "activation": end}]
    assert network_error(shape, layers, kind_name(loss)) < 1e-5


def test_no_layer_goes_unchecked():
    checked = {layer["type"] for _, layers in STACKS.values() for layer in layers}
    unchecked = {kind_name(kind) for kind in LAYERS} - checked
    assert unchecked == {"mcculloch_pitts"}  # all or nothing: no gradient passes it


def test_the_check_sees_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch):
    def wrong(self: Softmax, op: Op, gradient: Slot) -> Iterator[Contribution]:
        yield Contribution(op.inputs[0], (gradient,))

    monkeypatch.setattr(Softmax, "gradients", wrong)
    layers = [{**HIDDEN, "units": 3, "activation": "softmax"}]
    assert network_error((3,), layers, "mean_squared_error") > 1e-2


def test_what_is_not_trained_gets_no_operation():
    frozen = {**HIDDEN, "kernel_trainable": False, "bias_trainable": False}
    tree = {"data": {"name": "arrays"}, "layers": [frozen, HIDDEN], "loss": "mse"}
    network = Network(Experiment.parse(tree), (3,))
    state = {"iteration": np.array(0), "learning_rate": np.array(0.1, np.float32)}
    state |= {name: np.zeros(20, np.float32) for name in ("m", "v")}
    program = network.compile(2, network.parameters(), state)
    assert {op.path for op in program.ops if op.phase == "backward"} == {"loss", "dense_2"}
