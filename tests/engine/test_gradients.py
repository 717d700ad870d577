"""Every gradient of the engine against central differences, in float64."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

import tui_nn_engine.primitives
from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.layers import LAYERS
from tui_nn_engine.networks.network import Network
from tui_nn_engine.primitives.activations import ACTIVATIONS, Sigmoid, Softmax, Softplus, Tanh
from tui_nn_engine.primitives.carrying import Carry
from tui_nn_engine.primitives.embedding import Lookup, Repeat
from tui_nn_engine.primitives.gru_cell import Mixture, ResetSum
from tui_nn_engine.primitives.joining import AddBranches, Concatenate, Select
from tui_nn_engine.primitives.linear import Add, AddBias, MatMul, Multiply, Reshape
from tui_nn_engine.primitives.losses import LOSSES
from tui_nn_engine.primitives.lstm_cell import CellOutput, CellState
from tui_nn_engine.primitives.normalization import Normalize, Scale, Shift
from tui_nn_engine.primitives.penalties import Penalty
from tui_nn_engine.primitives.powers import Powers
from tui_nn_engine.primitives.recurrent import GateProduct, Gates, RecurrentProduct
from tui_nn_engine.primitives.sequences import InOrder, InputProducts, MultiplySteps, by_step
from tui_nn_engine.programs.program import Builder, Contribution, Op, Primitive, Slot, Sum
from tui_nn_engine.programs.regularizers import L1, L1L2, L2

STEP = 1e-4  # of the five-point stencil, whose error falls with its fourth power
Build = Callable[[Builder, dict[str, Slot]], Slot]

for found in pkgutil.iter_modules(tui_nn_engine.primitives.__path__):
    importlib.import_module(f"tui_nn_engine.primitives.{found.name}")


class Copy(Primitive):
    """The gradient of `Weighted`."""

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        return {"": inputs[1].shape}

    def bind(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Callable[[], object]:
        return lambda: np.multiply(inputs[1], 1.0, outputs[0])


class Weighted(Primitive):
    """Σ weights · value: one number out of many, so that any primitive can be checked."""

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        return {"": ()}

    def bind(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Callable[[], object]:
        return lambda: np.copyto(outputs[0], np.sum(inputs[0] * inputs[1]))

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        value, weights = op.inputs
        yield Contribution(value, (value, weights), Copy())


def differences(evaluate: Callable[[], float], values: np.ndarray) -> np.ndarray:
    """dE/d(values) by the five-point stencil; `evaluate` reads `values`."""
    slopes = np.zeros(values.size)
    flat = values.reshape(-1)
    for index in range(values.size):
        kept, total = flat[index], 0.0
        for steps, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
            flat[index] = kept + steps * STEP
            total += weight * evaluate()
        flat[index] = kept
        slopes[index] = total / (12 * STEP)
    return slopes.reshape(values.shape)


def relative_error(found: np.ndarray, wanted: np.ndarray) -> float:
    """Largest deviation, relative to the largest entry; absolute where all are (nearly) zero."""
    size = max(np.abs(found).max(initial=0), np.abs(wanted).max(initial=0))
    return float(np.abs(found - wanted).max(initial=0) / (size if size > 1e-9 else 1))


def primitives_of(build: Build, arrays: dict[str, np.ndarray]) -> set[type[Primitive]]:
    """Check dE/d(each array) of the graph; returns which primitives ran forwards."""
    slots = {name: Slot(name, array, "parameter") for name, array in arrays.items()}
    gradients = {
        name: Slot(f"dE/d({name})", np.full_like(array, np.nan), "gradient", slots[name])
        for name, array in arrays.items()
    }
    builder = Builder("float64", slots, gradients, {}, seed=0, training=True)
    value = build(builder, slots)
    if value.shape:
        weights = Slot("weights", draw(value.shape, seed=9), "input")
        value = builder.apply(Weighted(), value, weights, name="E")
    forward = tuple(builder.ops)
    builder.differentiate(value)
    for op in builder.ops:
        op.call()

    def evaluate() -> float:
        for op in forward:
            op.call()
        return float(value.array)

    for name, array in arrays.items():
        wanted = differences(evaluate, array)
        assert relative_error(gradients[name].array, wanted) < 1e-6, name
    return {type(op.primitive) for op in forward}


def draw(shape: Sequence[int], *, seed: int = 1) -> np.ndarray:
    """Numbers of either sign, none within 0.05 of 0, where some activations have their kink."""
    values = np.random.default_rng(seed).uniform(0.05, 1.5, shape)
    return values * np.random.default_rng(seed + 100).choice([-1.0, 1.0], shape)


def drawn(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Different numbers for each array, or a gradient might be that of the other."""
    return {name: draw(shapes[name], seed=seed) for seed, name in enumerate(shapes)}


def one_hot(rows: int, classes: int) -> np.ndarray:
    return np.eye(classes)[np.arange(rows) % classes]


def activation_case(kind: type[Any]) -> Build:
    return lambda builder, slots: builder.apply(kind(), slots["z"], name="h")


def loss_case(kind: type[Any], activation: type[Any]) -> Build:
    """The loss on probabilities (of a linear output) or on logits (of the other activations)."""

    def build(builder: Builder, slots: dict[str, Slot]) -> Slot:
        target = Slot("t", one_hot(4, 3), "target")
        h = builder.apply(activation(), slots["z"], name="h")
        return kind().emit(builder, h, target)

    return build


def input_products(builder: Builder, slots: dict[str, Slot]) -> Slot:
    """Of all time steps; what lies step after step in memory is put in order at the end."""
    a = by_step(builder, "a", (4, 5, 2))
    builder.apply(InputProducts(biased=True), slots["x"], slots["w"], slots["b"], into=a)
    return builder.apply(InOrder(), a, name="h")


def masked(primitive: Primitive, *, width: int) -> Build:
    """The inputs, and a mask of 0 and 1 through which nothing is differentiated."""
    shape = (4, width) if width else (4,)
    mask = Slot("m", (np.arange(int(np.prod(shape))) % 3 > 0).astype(float).reshape(shape), "input")
    return lambda builder, slots: builder.apply(primitive, *slots.values(), mask, name="h")


def cell(primitive: Primitive, *symbols: str) -> tuple[Build, dict[str, tuple[int, ...]]]:
    """A primitive of one time step, whose inputs are all alike."""
    return (
        lambda builder, slots: builder.apply(primitive, *slots.values(), name="h"),
        dict.fromkeys(symbols, (4, 3)),
    )


def gates(kind: type[Any]) -> tuple[Build, dict[str, tuple[int, ...]]]:
    kinds = Gates([("i", Sigmoid()), ("c", kind()), ("o", Sigmoid())])
    return lambda builder, slots: builder.apply(kinds, slots["z"], name="h"), {"z": (4, 6)}


TOKENS = Slot("x", np.array([[0.0, 2.0, 2.0], [1.0, 2.0, 0.0]]), "input")
Z = {"z": (4, 3)}
CASES: dict[str, tuple[Build, dict[str, tuple[int, ...]]]] = {
    **{kind_name(kind): (activation_case(kind), Z) for kind in ACTIVATIONS},
    **{
        f"{kind_name(kind)} of {kind_name(activation)}": (loss_case(kind, activation), Z)
        for kind in LOSSES
        for activation in ACTIVATIONS
    },
    "matmul": (
        lambda b, s: b.apply(MatMul(), s["x"], s["w"], name="h"),
        {"x": (4, 3), "w": (3, 2)},
    ),
    "matmul over time": (
        lambda b, s: b.apply(MatMul(), s["x"], s["w"], name="h"),
        {"x": (4, 5, 3), "w": (3, 2)},
    ),
    "add bias": (
        lambda b, s: b.apply(AddBias(), s["a"], s["b"], name="h"),
        {"a": (4, 3), "b": (3,)},
    ),
    "add bias over time": (
        lambda b, s: b.apply(AddBias(), s["a"], s["b"], name="h"),
        {"a": (4, 2, 3), "b": (3,)},
    ),
    "reshape": (lambda b, s: b.apply(Reshape((6,)), s["x"], name="h"), {"x": (4, 2, 3)}),
    "multiply": (
        lambda b, s: b.apply(Multiply(), s["x"], s["m"], name="h"),
        {"x": (4, 3), "m": (4, 3)},
    ),
    "add": (
        lambda b, s: b.apply(Add(), s["x"], s["n"], name="h"),
        {"x": (4, 3), "n": (4, 3)},
    ),
    "add branches": (
        lambda b, s: b.apply(AddBranches(), s["x"], s["y"], s["z"], s["x"], name="h"),
        {"x": (4, 3), "y": (4, 3), "z": (4, 3)},
    ),
    "concatenate": (
        lambda b, s: b.apply(Concatenate(), s["x"], s["y"], s["x"], name="h"),
        {"x": (4, 2, 3), "y": (4, 2, 1)},
    ),
    **{
        f"powers to {degree}": (
            lambda b, s, degree=degree: b.apply(Powers(degree), s["x"], name="h"),
            {"x": (4, 2, 3)},
        )
        for degree in (1, 2, 5)
    },
    "select": (lambda b, s: b.apply(Select([3, 1]), s["x"], name="h"), {"x": (4, 2, 4)}),
    **{
        f"penalty {kind_name(type(kind))}": (
            lambda b, s, kind=kind: b.apply(Penalty(kind), s["w"], name="E"),
            {"w": (4, 3)},
        )
        for kind in (L1(), L2(), L1L2())
    },
    **{
        f"normalize over {over}": (
            lambda b, s, over=over: b.apply(Normalize(over, 1e-3), s["x"], name="h"),
            {"x": shape},
        )
        for over, shape in (("features", (4, 2, 5)), ("batch", (4, 2, 3)))
    },
    "scale": (
        lambda b, s: b.apply(Scale(), s["x"], s["g"], name="h"),
        {"x": (4, 2, 3), "g": (3,)},
    ),
    "shift": (
        lambda b, s: b.apply(Shift(), s["x"], s["b"], name="h"),
        {"x": (4, 2, 3), "b": (3,)},
    ),
    "input products": (input_products, {"x": (4, 5, 3), "w": (3, 2), "b": (2,)}),
    "recurrent product": (
        lambda b, s: b.apply(RecurrentProduct(), *s.values(), name="h"),
        {"a": (4, 2), "h": (4, 3), "u": (3, 2)},
    ),
    "recurrent product and a row": (
        lambda b, s: b.apply(RecurrentProduct(row=True), *s.values(), name="h"),
        {"b": (2,), "h": (4, 3), "u": (3, 2)},
    ),
    "gates": gates(Tanh),
    "gates of other activations": gates(Softplus),
    "gate": cell(GateProduct("r ⊙ h", ""), "r", "h"),
    "cell state": cell(CellState(), "c", "f", "i", "candidate"),
    "cell output": cell(CellOutput(Tanh()), "c", "o"),
    "mixture": cell(Mixture(), "h", "z", "candidate"),
    "reset": cell(ResetSum(), "a", "r", "s"),
    "padding": (masked(Carry(), width=0), {"new": (4, 3), "before": (4, 3)}),
    "repeat": (lambda b, s: b.apply(Repeat(3), s["x"], name="h"), {"x": (4, 2)}),
    "look up": (
        lambda b, s: b.apply(Lookup(), TOKENS, s["table"], name="h"),
        {"table": (4, 3)},
    ),
    "multiply steps": (masked(MultiplySteps(), width=3), {"x": (4, 5, 3)}),
    "sum": (
        lambda b, s: b.apply(Sum(), s["x"], s["y"], s["z"], name="h"),
        {"x": (4, 3), "y": (4, 3), "z": (4, 3)},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_of_a_primitive(case: str):
    build, shapes = CASES[case]
    primitives_of(build, drawn(shapes))


def leaves(kind: type[Primitive]) -> Iterator[type[Primitive]]:
    below = [each for each in kind.__subclasses__() if each.__module__.startswith("tui_nn_engine")]
    for each in below:
        yield from leaves(each)
    if not below and kind.__module__.startswith("tui_nn_engine"):
        yield kind


def test_no_primitive_goes_unchecked():
    differentiable = {k for k in leaves(Primitive) if k.gradients is not Primitive.gradients}
    seen: set[type[Primitive]] = set()
    for build, shapes in CASES.values():
        seen |= primitives_of(build, drawn(shapes))
    assert differentiable - seen == set()


def squared_by_itself(builder: Builder, slots: dict[str, Slot]) -> Slot:
    return builder.apply(Multiply(), slots["x"], slots["x"], name="h")


def two_paths_meet(builder: Builder, slots: dict[str, Slot]) -> Slot:
    """h acts on the end three ways: as it is, squared, and through the kernel once more."""
    z = builder.apply(MatMul(), slots["x"], slots["w"], name="z")
    h = builder.apply(Tanh(), z, name="h")
    square = builder.apply(Multiply(), h, h, name="h²")
    again = builder.apply(MatMul(), h, slots["w"], name="z2")
    return builder.apply(Sum(), h, square, again, name="end")


def bias_as_a_value(builder: Builder, slots: dict[str, Slot]) -> Slot:
    """A parameter whose only share is another slot's gradient, passed through as it is."""
    return builder.apply(AddBias(), slots["x"], slots["b"], name="h")


def kernel_at_every_step(builder: Builder, slots: dict[str, Slot]) -> Slot:
    """One kernel and bias at five time steps, as a recurrent layer unrolls."""
    h = slots["x"]
    for step in range(5):
        z = builder.apply(MatMul(), h, slots["w"], name=f"xW{step}")
        z = builder.apply(AddBias(), z, slots["b"], name=f"z{step}")
        h = builder.apply(Tanh(), z, name=f"h{step}")
    return h


@pytest.mark.parametrize(
    ("build", "shapes"),
    [
        (squared_by_itself, {"x": (4, 3)}),
        (two_paths_meet, {"x": (4, 3), "w": (3, 3)}),
        (bias_as_a_value, {"x": (4, 3), "b": (3,)}),
        (kernel_at_every_step, {"x": (4, 3), "w": (3, 3), "b": (3,)}),
    ],
)
def test_shares_of_a_slot_used_more_than_once_add_up(build: Build, shapes: dict[str, Any]):
    primitives_of(build, drawn(shapes))


def test_every_gradient_slot_is_named_once_and_says_whose_it_is():
    slots = {name: Slot(name, draw((3, 3)), "parameter") for name in ("x", "w")}
    gradients = {n: Slot(f"dE/d({n})", np.zeros((3, 3)), "gradient", s) for n, s in slots.items()}
    builder = Builder("float64", slots, gradients, {}, seed=0, training=True)
    end = two_paths_meet(builder, slots)
    weights = Slot("weights", np.ones((3, 3)), "input")
    builder.differentiate(builder.apply(Weighted(), end, weights, name="E"))
    written = [slot for op in builder.ops for slot in op.outputs]
    assert len({slot.name for slot in written}) == len(written)
    for name in ("h", "z", "w", "x"):
        (total,) = [slot for slot in written if slot.name == f"dE/d({name})"]
        assert total.of is not None
        assert total.of.name == name


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
