"""Explanations: what they say is what the engine computed, in either naming and either sign."""

import importlib
import math
import pkgutil
import re
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tui_nn_engine.primitives
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.formulas.explanation import Explanation, Notation
from tui_nn_engine.formulas.expressions import Quantity
from tui_nn_engine.primitives.activations import ACTIVATIONS, Softplus
from tui_nn_engine.primitives.erf import erf
from tui_nn_engine.primitives.losses import LOSSES
from tui_nn_engine.primitives.softmax import softmax
from tui_nn_engine.programs.program import Primitive, Slot, Sum
from tui_nn_engine.programs.reading import Reading
from tui_nn_engine.stepping.explain import element_of, explain
from tui_nn_engine.stepping.stepper import Stepper

for found in pkgutil.iter_modules(tui_nn_engine.primitives.__path__):
    importlib.import_module(f"tui_nn_engine.primitives.{found.name}")
importlib.import_module("tui_nn_engine.experiments.rules")

# -- reading a line of numbers as a calculator would --------------------------------------------

SIGNS = {"−": "-", "·": "*", "²": "**2", "³": "**3", "^": "**", "∞": "inf", "½": "0.5"}


def phi(z: float) -> float:
    return 0.5 * (1 + float(erf(np.array(z * math.sqrt(0.5)))))


CALCULATOR: dict[str, Any] = {
    "exp": np.exp,
    "ln": np.log,
    "tanh": np.tanh,
    "cosh": np.cosh,
    "sqrt": np.sqrt,
    "max": max,
    "min": min,
    "abs": abs,
    "sgn": np.sign,
    "Φ": phi,
    "φ": lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    "inf": math.inf,
    "nan": math.nan,
}


def computed(numbers: str) -> float:
    """What the numbers of a line come to."""
    text = numbers.replace("e^(", "exp(").replace("√(", "sqrt(")
    text = re.sub(r"\(the other \d+ terms: ", "(", text)
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    for sign, python in SIGNS.items():
        text = text.replace(sign, python)
    with np.errstate(all="ignore"):
        return float(eval(text, {"__builtins__": {}}, CALCULATOR))


# -- the update of LESSONS.md's L6 ---------------------------------------------------------------


def given_array(values: Any) -> dict[str, Any]:
    return {"type": "given", "values": values}


LESSON: dict[str, Any] = {
    "dtype": "float64",
    "data": {"name": "given", "x": [[1, 0, 1]], "y": [[1]]},
    "layers": [
        {
            "type": "dense",
            "units": 2,
            "activation": "sigmoid",
            "kernel_initializer": given_array([[0.2, -0.3], [0.4, 0.1], [-0.5, 0.2]]),
            "bias_initializer": given_array([-0.4, 0.2]),
        },
        {
            "type": "dense",
            "units": 1,
            "activation": "sigmoid",
            "kernel_initializer": given_array([[-0.3], [-0.2]]),
            "bias_initializer": given_array([0.1]),
        },
    ],
    "loss": "half_squared_error",
    "optimizer": {"type": "sgd", "learning_rate": 0.9},
    "training": {"epochs": 1, "batch_size": 1, "threads": 1},
}
# Element by element: what the line says, and its result as the lesson prints it.
LINES = {
    ("dense_1.xW", (0, 0)): ("a4 = x1·w14 + x2·w24 + x3·w34", "−0.3"),
    ("dense_1.z", (0, 0)): ("z4 = a4 + b4", "−0.7"),
    ("dense_1.z", (0, 1)): ("z5 = a5 + b5", "0.1"),
    ("dense_1.h", (0, 0)): ("h4 = 1/(1 + e^(−z4))", "0.332"),
    ("dense_1.h", (0, 1)): ("h5 = 1/(1 + e^(−z5))", "0.525"),
    ("dense_2.xW", (0, 0)): ("a6 = h4·w46 + h5·w56", "−0.205"),
    ("dense_2.z", (0, 0)): ("z6 = a6 + b6", "−0.105"),
    ("dense_2.h", (0, 0)): ("y = 1/(1 + e^(−z6))", "0.474"),
    ("loss.E", (0, 0)): ("E = ½·(y − t)²", "0.138"),
    ("dE/d(dense_2.h)", (0, 0)): ("−∂E/∂y = t − y", "0.526"),
    ("dE/d(dense_2.z)", (0, 0)): ("e6 = −∂E/∂y·f′(z6)", "0.131"),
    ("dE/d(dense_2.kernel)", (0, 0)): ("∂E/∂w46 = −h4·e6", "−0.0435"),
    ("dE/d(dense_2.bias)", (0,)): ("∂E/∂b6 = −e6", "−0.131"),
    ("dE/d(dense_1.h)", (0, 0)): ("−∂E/∂h4 = e6·w46", "−0.0394"),
    ("dE/d(dense_1.z)", (0, 0)): ("e4 = −∂E/∂h4·f′(z4)", "−0.00872"),
    ("dE/d(dense_1.z)", (0, 1)): ("e5 = −∂E/∂h5·f′(z5)", "−0.00654"),
    ("dE/d(dense_1.kernel)", (2, 0)): ("∂E/∂w34 = −x3·e4", "0.00872"),
    ("dE/d(dense_1.bias)", (1,)): ("∂E/∂b5 = −e5", "0.00654"),
}
NEW = {
    "w14": "0.192",
    "w15": "−0.306",
    "w24": "0.4",
    "w25": "0.1",
    "w34": "−0.508",
    "w35": "0.194",
    "b4": "−0.408",
    "b5": "0.194",
    "w46": "−0.261",
    "w56": "−0.138",
    "b6": "0.218",
}


def stepped(tree: dict[str, Any] = LESSON, updates: int = 0) -> Stepper:
    """At the end of an update that is not booked yet."""
    trainer = Trainer(Experiment.parse(tree))
    for _ in range(updates):
        trainer.update()
    found = Stepper(trainer)
    found.go_to(len(found.ops))
    return found


def operation(stepper: Stepper, name: str) -> int:
    return next(i for i, op in enumerate(stepper.ops) if op.output.name == name)


def test_the_lines_of_the_lesson_show_what_it_prints() -> None:
    stepper = stepped()
    for (name, element), (line, result) in LINES.items():
        found = explain(stepper, operation(stepper, name), element, Notation("paper", "e", 3))
        last = found.lines[-1]
        assert (f"{last.left} = {last.symbols}", last.result) == (line, result), name
    new = {}
    for place in range(stepper.trainer.parameters.trainable_size):
        found = explain(stepper, len(stepper.ops) - 1, (place,), Notation("paper", "e", 3))
        last = found.lines[-1]
        assert last.symbols == f"{last.left[4:]} + Δ{last.left[4:]}"
        new[last.left.removeprefix("new ")] = last.result
    assert new == NEW


def test_with_the_other_sign_the_same_lines_have_delta() -> None:
    stepper = stepped()
    for name, element, line, result in (
        ("dE/d(dense_2.h)", (0, 0), "∂E/∂y = y − t", "−0.526"),
        ("dE/d(dense_2.z)", (0, 0), "δ6 = ∂E/∂y·f′(z6)", "−0.131"),
        ("dE/d(dense_1.z)", (0, 1), "δ5 = ∂E/∂h5·f′(z5)", "0.00654"),
        ("dE/d(dense_1.kernel)", (2, 0), "∂E/∂w34 = x3·δ4", "0.00872"),
    ):
        found = explain(stepper, operation(stepper, name), element, Notation(digits=3))
        last = found.lines[-1]
        assert (f"{last.left} = {last.symbols}", last.result) == (line, result)


def test_names_as_in_code() -> None:
    stepper = stepped()
    notation = Notation("code", "delta", 3)
    found = explain(stepper, operation(stepper, "dense_1.xW"), (0, 1), notation)
    assert found.lines[-1].left == "dense_1.xW[0, 1]"
    assert found.lines[-1].symbols.startswith("x[0, 0]·dense_1.kernel[0, 1] + ")
    found = explain(stepper, len(stepper.ops) - 1, (0,), notation)
    assert found.lines[-1].left == "new dense_1.kernel[0, 0]"
    found = explain(stepper, operation(stepper, "dE/d(dense_1.z)"), (0, 1), notation)
    assert found.lines[-1].left == "dE/d(dense_1.z)[0, 1]"
    found = explain(stepper, operation(stepper, "dE/d(dense_1.z)"), (0, 1), Notation("code", "e"))
    assert found.lines[-1].left == "e(dense_1.z)[0, 1]"


# -- any network ---------------------------------------------------------------------------------

ONE_OF_SEVERAL = {"categorical_crossentropy", "kl_divergence"}
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


def trainer_of(tree: dict[str, Any], x: np.ndarray, y: np.ndarray) -> Trainer:
    """Any loss on any output: what fits what is the checks' business, not that of the program."""
    with patch("tui_nn_engine.training.trainer.ensure_fits"):
        return Trainer(Experiment.parse(tree), data=(x, y))


notations = st.builds(
    Notation, st.sampled_from(["paper", "code"]), st.sampled_from(["delta", "e"]), st.just(17)
)


def sizes_in(numbers: str) -> float:
    """How large the numbers of a line are: what rounding is relative to."""
    plain = numbers.replace("−", "-")
    return max((abs(float(n)) for n in re.findall(r"\d+\.?\d*(?:e-?\d+)?", plain)), default=0.0)


def agree(found: float, wanted: float, size: float) -> bool:
    return found == wanted or abs(found - wanted) <= 1e-9 * max(size, abs(wanted), 1e-3)


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


def check(found: Explanation, notation: Notation) -> None:
    assert found.sentence.endswith((".", ")"))
    assert found.title
    for line in found.lines:
        size = sizes_in(line.numbers)
        if math.isfinite(line.value):
            assert agree(computed(line.numbers), line.value, size), line
            assert agree(computed(line.result), line.value, size), line
        if notation.error == "e":
            assert "δ" not in f"{line.left}{line.symbols}{line.numbers}"
            assert not re.search(r"dE/d\(\w+\.[zh]\)", line.left + line.symbols), line
        else:
            assert not re.search(r"\be(\d|\()", line.left + line.symbols), line
    for share in found.shares:
        assert agree(computed(share.text), share.value, sizes_in(share.text))


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


# -- what is looked at, and what is said -----------------------------------------------------------

BATCH: dict[str, Any] = {
    "dtype": "float64",
    "data": {"name": "circles", "samples": 12, "test_fraction": 0, "validation_fraction": 0},
    "layers": [
        {"type": "dense", "units": 9, "activation": "relu"},
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 2, "activation": "softmax", "kernel_trainable": False},
    ],
    "loss": "categorical_crossentropy",
    "optimizer": {"type": "adam"},
    "training": {"epochs": 1, "batch_size": 12, "threads": 1},
}


@pytest.mark.parametrize(
    ("name", "layer", "unit", "source", "element"),
    [
        ("dense_1.z", "dense_1", 4, 1, (5, 4)),
        ("dense_2.z", "dense_1", 4, 1, (5, 1)),  # it has but two units
        ("dE/d(dense_1.kernel)", "dense_1", 4, 1, (1, 4)),
        ("dE/d(dense_1.kernel)", "dense_1", 4, 2, (1, 4)),  # the bias is looked at
        ("dE/d(dense_1.bias)", "dense_1", 4, 2, (4,)),
        ("dE/d(dropout_1.h)", "dense_2", 1, 6, (5, 6)),  # what comes back along its weight
        ("loss.E", "dense_2", 1, 6, (5, 1)),
        ("weights", "dense_1", 4, 1, (13,)),
        ("weights", "dense_1", 4, 2, (18 + 4,)),
        ("weights", "dense_2", 1, 6, (18 + 9 + 1,)),  # its kernel is frozen: the bias
        ("weights", "dropout_1", 1, 6, (9 + 1,)),  # it has none: the nearest there is
    ],
)
def test_the_element_looked_at(
    name: str, layer: str, unit: int, source: int, element: tuple[int, ...]
) -> None:
    stepper = stepped(BATCH)
    assert element_of(stepper, operation(stepper, name), layer, unit, 5, source) == element


def test_each_sample_of_a_batch_has_its_share_the_largest_first() -> None:
    stepper = stepped(BATCH)
    gradient = operation(stepper, "dE/d(dense_1.kernel)")
    found = explain(stepper, gradient, (1, 0), Notation())
    x, delta = (slot.array for slot in stepper.ops[gradient].inputs)
    own = 12 * x[:, 1] * delta[:, 0]
    order = np.argsort(-np.abs(own), kind="stable")[:8]
    assert [share.sample for share in found.shares] == order.tolist()
    np.testing.assert_allclose([share.value for share in found.shares], own[order])
    assert found.samples == 12
    assert "mean of its 12 samples" in found.sentence
    assert "x2⁽" in found.lines[-1].symbols
    assert "(the other 6 terms: " in found.lines[-1].numbers


def test_sentences_are_about_the_numbers_at_hand() -> None:
    stepper = stepped(BATCH)
    z = np.asarray(stepper.program.slots()["dense_1.z"].array)
    for sample, unit in ((*np.argwhere(z > 0)[0],), (*np.argwhere(z < 0)[0],)):
        said = explain(stepper, operation(stepper, "dense_1.h"), (sample, unit), Notation())
        assert ("passes nothing on" in said.sentence) == bool(z[sample, unit] < 0)
        said = explain(stepper, operation(stepper, "dE/d(dense_1.z)"), (sample, unit), Notation())
        assert ("no error passes" in said.sentence) == bool(z[sample, unit] < 0)
    mask = np.asarray(stepper.program.slots()["dropout_1.mask"].array)
    for element in map(tuple, np.argwhere(mask >= 0)):
        said = explain(stepper, operation(stepper, "dropout_1.mask"), element, Notation())
        assert ("this one is dropped" in said.sentence) == (mask[element] == 0)
        assert said.lines[-1].numbers == ("0" if mask[element] == 0 else "1/(1 − 0.5)")
    assert explain(stepper, operation(stepper, "dropout_1.h"), (0, 3), Notation()).lines[
        -1
    ].symbols == ("h6·m6")


def test_saturated_outputs_are_explained_by_way_of_the_net_input() -> None:
    for loss, activation, outputs in (
        ("binary_crossentropy", "sigmoid", 1),
        ("categorical_crossentropy", "softmax", 2),
    ):
        big = [[900.0] + [-900.0] * (outputs - 1)]
        tree = {
            **LESSON,
            "data": {"name": "arrays"},
            "loss": loss,
            "layers": [
                {
                    "type": "dense",
                    "units": outputs,
                    "activation": activation,
                    "kernel_initializer": given_array(big),
                }
            ],
        }
        target = np.array([[0.0, 1.0][-outputs:]]) if outputs > 1 else np.array([[0.0]])
        stepper = Stepper(trainer_of(tree, np.ones((1, 1)), target))
        while stepper.forward():
            op = stepper.ops[stepper.cursor - 1]
            found = (
                explain(
                    stepper,
                    stepper.cursor - 1,
                    (0,) * max(op.output.array.ndim, 1),
                    Notation(digits=17),
                )
                if op.phase != "loss"
                else explain(stepper, stepper.cursor - 1, (0, 0), Notation(digits=17))
            )
            check(found, Notation())
            assert math.isfinite(found.lines[-1].value)


def test_a_power_beyond_any_calculator_is_written_otherwise() -> None:
    assert Softplus().equation(Quantity("z", 900.0)).text(4) == "900 + ln(1 + e^(−900))"
    assert softmax(Quantity("z", np.array([900.0, 899.0])), 0).text(4) == (
        "e^(900 − 900)/(e^(900 − 900) + e^(899 − 900))"
    )


@pytest.mark.parametrize("sign", ["delta", "e"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("kind", LOSSES, ids=kind_name)
def test_every_loss_and_its_slope(kind: Any, weighted: bool, sign: Any) -> None:
    """For each output of each sample, on either side of its target and where the loss bends."""
    several = kind_name(kind) in ONE_OF_SEVERAL
    tree = {
        **LESSON,
        "data": {"name": "arrays"},
        "layers": [{"type": "dense", "units": 2, "activation": "softmax" if several else "linear"}],
        "loss": {"type": kind_name(kind)} | ({"class_weight": [0.3, 1.7]} if weighted else {}),
        "training": {"epochs": 1, "batch_size": 6, "threads": 1, "shuffle": False},
    }
    tree["layers"][0]["kernel_initializer"] = given_array([[1.0, -1.0], [0.25, 0.75]])
    x = np.array([[0.5, 0.3], [-0.2, 0.9], [2.0, 1.0], [-3.0, 0.2], [900.0, 1.0], [0.0, 0.0]])
    stepper = Stepper(trainer_of(tree, x, np.eye(2)[[0, 1, 1, 0, 0, 1]]))
    stepper.go_to(len(stepper.ops))
    said = set()
    for index, op in enumerate(stepper.ops):
        if op.path != "loss":
            continue
        for element in np.ndindex(6, 2):
            found = explain(stepper, index, element, Notation("paper", sign, 17))
            check(found, Notation("paper", sign))
            value = float(op.output.array[element[: op.output.array.ndim]])
            turned = op.phase == "backward" and sign == "e"
            assert found.lines[-1].value == (-value if turned else value)
            said.add(found.sentence)
    assert len(said) > 1 + weighted


def test_the_loss_of_a_batch_of_one_is_one_line() -> None:
    lines = {}
    for loss, line in {
        "mean_absolute_error": "|y − t|",
        "root_mean_squared_error": "√((y − t)²)",
        "log_cosh": "ln(cosh(y − t))",
        "huber": "delta·(|y − t| − ½·delta) if |y − t| > delta else ½·(y − t)²",
        "hinge": "max(0, 1 − t·y)",
    }.items():
        linear = {**LESSON["layers"][1], "activation": "linear"}
        stepper = stepped({**LESSON, "layers": [LESSON["layers"][0], linear], "loss": loss})
        found = explain(stepper, operation(stepper, "loss.E"), (0, 0), Notation(digits=3))
        lines[loss] = (found.lines[-1].symbols, line)
    assert all(found == line for found, line in lines.values()), lines


RULES: dict[str, dict[str, Any]] = {
    "perceptron": {"type": "dense", "units": 1, "activation": "step"},
    "hebb": {"type": "dense", "units": 1, "activation": "sign"},
    "adaline": {"type": "dense", "units": 1},
    "fixed": {
        "type": "mcculloch_pitts",
        "units": 1,
        "excitatory": [[2], [0]],
        "inhibitory": [[0], [1]],
        "thresholds": [2],
    },
}


@pytest.mark.parametrize("names", ["paper", "code"])
@pytest.mark.parametrize("rule", RULES)
def test_rules_without_gradients_too(rule: str, names: Any) -> None:
    tree = {
        "dtype": "float64",
        "data": {"name": "gates", "gate": "and", "bipolar_targets": rule == "hebb"},
        "rule": rule,
        "layers": [RULES[rule]],
        "training": {"epochs": 9, "batch_size": 2, "threads": 1},
    }
    trainer = Trainer(Experiment.parse(tree))
    for _ in range(3):
        trainer.update()
    stepper = Stepper(trainer)
    while stepper.forward():
        index = stepper.cursor - 1
        for sample, source in ((0, 0), (1, 1), (1, 2)):
            element = element_of(stepper, index, stepper.ops[0].path, 0, sample, source)
            found = explain(stepper, index, element, Notation(names, "delta", 17))
            for line in found.lines:
                assert agree(computed(line.numbers), line.value, 1.0), line
                assert "∂" not in line.symbols
                assert "dE" not in line.symbols


def primitives(kind: type[Primitive] = Primitive) -> set[type[Primitive]]:
    """Every primitive of the engine that runs: those that nothing more special stands for."""
    below = {found for sub in kind.__subclasses__() for found in primitives(sub)}
    if not kind.__module__.startswith("tui_nn_engine"):
        return below
    runs = kind.bind is not Primitive.bind and "name" in dir(kind)
    return below | ({kind} if runs else set())


def test_no_primitive_goes_unexplained() -> None:
    found = primitives()
    assert len(found) > 30
    assert {kind.__name__ for kind in found if kind.explain is Primitive.explain} == set()


def test_softmax_errors_with_either_sign() -> None:
    tree = {**BATCH, "layers": [{"type": "dense", "units": 2, "activation": "softmax"}]}
    tree["loss"] = "half_squared_error"
    stepper = Stepper(trainer_of(tree, np.ones((1, 2)), np.array([[1.0, 0.0]])))
    stepper.go_to(len(stepper.ops))
    place = operation(stepper, "dE/d(dense_1.z)")
    said = [explain(stepper, place, (0, 1), Notation("paper", sign)) for sign in ("delta", "e")]  # type: ignore[arg-type]
    assert [[(line.left, line.symbols) for line in each.lines] for each in said] == [
        [("Σ", "∂E/∂y3·y3 + ∂E/∂y4·y4"), ("δ4", "y4·(∂E/∂y4 − Σ)")],
        [("Σ", "−∂E/∂y3·y3 + (−∂E/∂y4)·y4"), ("e4", "y4·(−∂E/∂y4 − Σ)")],
    ]
    assert "e = −∂E/∂z" not in said[0].sentence
    assert "e = −∂E/∂z" in said[1].sentence


def test_where_paths_meet_their_shares_are_added() -> None:
    class Letters:
        def symbol(self, slot: Slot, index: Any, *, sample: bool, as_: str) -> str:
            return slot.name

        def negated(self, slot: Slot) -> bool:
            return False

    one, other, both = (
        Slot(name, np.array([value])) for name, value in zip("abc", (1.0, -2.0, -1.0), strict=True)
    )
    read = Reading(
        (one, other), (both,), (0,), Letters(), lambda s: s.array, lambda s: s.array, done=True
    )
    meaning = Sum().explain(read)
    (line,) = meaning.equations
    assert (line.left, line.right.text(), line.right.text(4), line.value) == (
        "c",
        "a + b",
        "1 + (−2)",
        -1.0,
    )
    assert "2 paths" in meaning.sentence
