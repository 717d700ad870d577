"""The gradient of every primitive against central differences, and how shares of it add up."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from central_differences import differences, draw, one_hot, relative_error

import tui_nn_engine.primitives
from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.primitives.activations import ACTIVATIONS, Sigmoid, Softplus, Tanh
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


def drawn(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Different numbers for each array, or a gradient might be that of the other."""
    return {name: draw(shapes[name], seed=seed) for seed, name in enumerate(shapes)}


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
