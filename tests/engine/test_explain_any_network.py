"""Explanations of any network: every line computes to its result, which is the engine's.

For networks of any layers, losses and optimizers, also over time, in either naming and with either
sign; and what is said of an operation is the same before it ran, after it, and ever after.
"""

import math
from typing import Any

import numpy as np
import pytest
from any_loss import ONE_OF_SEVERAL, trainer_of
from calculator import agree, check
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.primitives.activations import ACTIVATIONS
from tui_nn_engine.primitives.losses import LOSSES
from tui_nn_engine.stepping.explain import explain
from tui_nn_engine.stepping.stepper import Stepper

# -- networks of any kind --------------------------------------------------------------------------

OPTIMIZERS: list[dict[str, Any]] = [
    {"type": "sgd"},
    {"type": "sgd", "momentum": 0.9},
    {"type": "sgd", "momentum": 0.9, "nesterov": True},
    {"type": "rmsprop"},
    {"type": "rmsprop", "momentum": 0.5},
    {"type": "adam"},
    {"type": "sgd", "momentum": 0.9, "averaged": True},
    {"type": "sgd", "clipvalue": 0.01},
    {"type": "sgd", "clipnorm": 0.1},
    {"type": "adam", "global_clipnorm": 0.1},
    {"type": "rmsprop", "centered": True},
    {"type": "adamw"},
    {"type": "nadam"},
    {"type": "adagrad"},
    {"type": "adadelta"},
]
FRONTS: list[list[dict[str, Any]]] = [
    [],
    [{"type": "dropout", "rate": 0.4}],
    [{"type": "activation", "activation": "swish"}, {"type": "dropout", "rate": 0.3}],
    [{"type": "gaussian_noise", "stddev": 0.3}],
    [{"type": "layer_normalization"}],
    [{"type": "batch_normalization"}],
    [{"type": "batch_normalization", "scale": False}, {"type": "layer_normalization"}],
    [{"type": "polynomial", "degree": 3}],
    [
        {
            "type": "parallel",
            "branches": [{}, {"layers": [{"type": "dense", "units": 3, "activation": "tanh"}]}],
        },
        {"type": "select", "columns": [2, 0]},
    ],
    [
        {
            "type": "parallel",
            "join": "add",
            "branches": [{}, {"layers": [{"type": "dropout", "rate": 0.4}]}, {}],
        }
    ],
]
activations = st.sampled_from(
    [kind_name(kind) for kind in ACTIVATIONS]
    + [{"type": "gelu", "approximate": True}, {"type": "step", "at_zero": 0.5}]
)


@st.composite
def losses(draw: st.DrawFn) -> dict[str, Any]:
    """A loss, perhaps with weights of (up to ten) classes and softened targets."""
    kind = draw(st.sampled_from(LOSSES))
    loss: dict[str, Any] = {"type": kind_name(kind)}
    if draw(st.booleans()):
        loss["class_weight"] = [0.5, 2.0, *range(8)]
    if "label_smoothing" in kind.model_fields and draw(st.booleans()):
        loss["label_smoothing"] = 0.2
    return loss


@st.composite
def recurrents(draw: st.DrawFn) -> dict[str, Any]:
    """A recurrent layer of any kind."""
    layer: dict[str, Any] = {
        "type": draw(st.sampled_from(["simple_rnn", "lstm", "gru"])),
        "units": draw(st.integers(1, 5)),
        "activation": draw(st.sampled_from(["tanh", "sigmoid", "relu", "softplus"])),
        "use_bias": draw(st.booleans()),
        "return_sequences": draw(st.booleans()),
        "dropout": draw(st.sampled_from([0, 0.4])),
        "recurrent_dropout": draw(st.sampled_from([0, 0.4])),
        "bptt_steps": draw(st.sampled_from([None, 1])),
    }
    if layer["type"] != "simple_rnn":
        layer["recurrent_activation"] = draw(st.sampled_from(["sigmoid", "tanh"]))
    if layer["type"] == "gru":
        layer["reset_after"] = draw(st.booleans())
    return layer


@st.composite
def networks(draw: st.DrawFn) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    """An experiment and its data: (samples, 3) or (samples, 2, 3), one to ten targets a sample."""
    loss, outputs = draw(losses()), draw(st.sampled_from([1, 2, 3, 10]))
    if loss["type"] in ONE_OF_SEVERAL:
        outputs = max(outputs, 2)
    deep = draw(st.booleans())
    hidden = {"type": "dense", "units": draw(st.integers(1, 12)), "activation": draw(activations)}
    hidden["use_bias"] = draw(st.booleans())
    if cost := draw(st.sampled_from(["", "l1", "l2", "l1_l2"])):
        hidden |= {"kernel_regularizer": cost, "bias_regularizer": "l2"}
    hidden["kernel_trainable"] = draw(st.booleans())
    recurrent = draw(recurrents()) if deep and draw(st.booleans()) else None
    last = {"type": "dense", "units": outputs, "activation": draw(activations)}
    flat = [{"type": "flatten"}] if deep else []
    between = draw(st.sampled_from(FRONTS))
    if recurrent is not None:
        between = [recurrent, *between]
        flat = [] if not recurrent["return_sequences"] else flat
    random = np.random.default_rng(draw(st.integers(0, 99)))
    samples = draw(st.sampled_from([1, 4, 12]))
    tree = {
        "seed": draw(st.integers(0, 999)),
        "dtype": "float64",
        "data": {"name": "arrays"},
        "layers": [hidden, *between, *flat, last],
        "loss": loss,
        "optimizer": draw(st.sampled_from(OPTIMIZERS)),
        "training": {"epochs": 9, "batch_size": draw(st.sampled_from([1, 4, 12])), "threads": 1},
    }
    x = random.normal(size=(samples, 2, 3) if deep else (samples, 3))
    y = random.integers(0, 2, (samples, outputs)).astype(float)
    if loss["type"] in ONE_OF_SEVERAL:
        y = np.eye(outputs)[random.integers(0, outputs, samples)]
    return tree, x, y


notations = st.builds(
    Notation, st.sampled_from(["paper", "code"]), st.sampled_from(["delta", "e"]), st.just(17)
)

# -- what is said of them --------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(networks(), notations, st.integers(0, 3), st.data())
def test_every_line_computes_to_its_result_which_is_the_engines(
    network: tuple[dict[str, Any], np.ndarray, np.ndarray],
    notation: Notation,
    updates: int,
    data: st.DataObject,
) -> None:
    tree, x, y = network
    trainer = trainer_of(tree, x, y)
    for _ in range(updates):
        trainer.update()
    stepper = Stepper(trainer)
    while stepper.forward():
        index = stepper.cursor - 1
        op = stepper.ops[index]
        shape = stepper.program.output.shape if op.phase == "loss" else op.output.shape
        element = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
        found = explain(stepper, index, element, notation)
        check(found, notation)
        value = float(op.output.array[element[: op.output.array.ndim]])
        error = op.output.of is not None and op.output.of.role != "parameter"
        assert found.lines[-1].value == (-value if error and notation.error == "e" else value)
        if found.shares:
            assert found.samples == stepper.program.batch
            if found.samples == len(found.shares):
                mean = sum(share.value for share in found.shares) / found.samples
                assert agree(mean, value, max(abs(share.value) for share in found.shares))


@settings(max_examples=40, deadline=None)
@given(networks(), st.integers(0, 2), st.data())
def test_afterwards_and_beforehand_the_same_is_said(
    network: tuple[dict[str, Any], np.ndarray, np.ndarray], updates: int, data: st.DataObject
) -> None:
    """Values are those an operation ran with, whatever was overwritten since."""
    tree, x, y = network
    trainer = trainer_of(tree, x, y)
    for _ in range(updates):
        trainer.update()
    stepper = Stepper(trainer)
    told = []
    while True:
        index = stepper.cursor
        if stepper.complete:
            break
        op = stepper.ops[index]
        shape = stepper.program.output.shape if op.phase == "loss" else op.output.shape
        element = tuple(data.draw(st.integers(0, size - 1)) for size in shape)
        ahead = explain(stepper, index, element, Notation())
        stepper.forward()
        now = explain(stepper, index, element, Notation())
        assert all(line.result == "" and math.isnan(line.value) for line in ahead.lines)
        if op.phase != "loss":  # whose mean is of numbers that it computes itself
            for line, computed_line in zip(ahead.lines, now.lines, strict=True):
                assert line.symbols == computed_line.symbols
                assert line.numbers in {computed_line.numbers, ""}
            assert ahead.lines[0].numbers
        told.append((index, element, now))
    for index, element, now in told:
        assert explain(stepper, index, element, Notation()) == now
    stepper.go_to(0)
    for index, element, now in told:
        ahead = explain(stepper, index, element, Notation())
        assert [line.left for line in ahead.lines] == [line.left for line in now.lines]


# -- over time -------------------------------------------------------------------------------------

SEQUENCES = {"return_sequences": True}
OVER_TIME: dict[str, tuple[list[dict[str, Any]], str]] = {
    "padding": (
        [
            {"type": "masking"},
            {"type": "bidirectional", "layer": {"type": "gru", "units": 2, **SEQUENCES}},
            {"type": "lstm", "units": 2, **SEQUENCES, "go_backwards": True},
            {"type": "dense", "units": 3, "activation": "softmax"},
        ],
        "categorical_crossentropy",
    ),
    "tokens": (
        [
            {"type": "embedding", "input_dim": 3, "output_dim": 2, "mask_zero": True},
            {"type": "simple_rnn", "units": 3, **SEQUENCES},
        ],
        "root_mean_squared_error",
    ),
    "from one sequence to another": (
        [
            {"type": "masking"},
            {
                "type": "bidirectional",
                "layer": {"type": "lstm", "units": 2, "bptt_steps": 2},
                "merge_mode": "sum",
            },
            {"type": "repeat_vector", "n": 4},
            {"type": "gru", "units": 3, **SEQUENCES, "reset_after": False},
        ],
        "mean_squared_error",
    ),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("network", OVER_TIME)
def test_every_line_of_networks_over_time(network: str, weighted: bool) -> None:
    layers, kind = OVER_TIME[network]
    loss: dict[str, Any] = {"type": kind}
    if weighted:
        loss["class_weight"] = [1.0, 2.0, 0.5]
    random = np.random.default_rng(3)
    tokens = np.array([[1, 2, 2, 1], [2, 1, 0, 0], [1, 0, 0, 0]])
    x = tokens.astype(float) if network == "tokens" else random.normal(size=(3, 4, 2))
    x[tokens == 0] = 0
    t = np.eye(3)[random.integers(0, 3, (3, 4))]
    tree = {
        "dtype": "float64",
        "data": {"name": "arrays"},
        "layers": layers,
        "loss": loss,
        "training": {"epochs": 9, "batch_size": 3, "threads": 1},
    }
    stepper = Stepper(trainer_of(tree, x, t))
    for notation in (Notation("paper", "delta", 17), Notation("code", "e", 17)):
        stepper.go_to(0)
        while stepper.forward():
            index = stepper.cursor - 1
            op = stepper.ops[index]
            shape = stepper.program.output.shape if op.phase == "loss" else op.output.shape
            for element in {tuple(random.integers(0, shape)) for _ in range(2)}:
                place = tuple(map(int, element))
                found = explain(stepper, index, place, notation)
                check(found, notation)
                value = float(op.output.array[place[: op.output.array.ndim]])
                assert abs(found.lines[-1].value) == pytest.approx(abs(value), abs=1e-15)
