import math
from typing import Any

import numpy as np
import pytest

from tui_nn_engine.data import ArrayData, prepare
from tui_nn_engine.primitives.activations import Activation, Linear, Sigmoid, Softmax, Tanh
from tui_nn_engine.primitives.losses import (
    LOSSES,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    HalfSquaredError,
    Loss,
    MeanSquaredError,
)
from tui_nn_engine.program import Builder, Op, Slot
from tui_nn_engine.schema import kind_name

DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


class Evaluated:
    """A loss of an activation of z, run once: its value, per sample, and dE/dz."""

    def __init__(
        self, loss: Loss, activation: Activation | None, z: Any, t: Any, dtype: str = "float64"
    ) -> None:
        values = np.array(z, dtype)
        parameter = Slot("z", values, "parameter")
        gradient = Slot("dE/d(z)", np.full_like(values, np.nan), "gradient", parameter)
        builder = Builder(dtype, {"z": parameter}, {"z": gradient}, {}, seed=0, training=True)
        h = builder.apply(activation, parameter, name="h") if activation else parameter
        value = loss.emit(builder, h, Slot("t", np.array(t, dtype), "target"))
        self.op: Op = builder.ops[-1]
        builder.differentiate(value)
        for op in builder.ops:
            op.call()
        self.value = float(value.array)
        self.per_sample = self.op.outputs[1].array
        self.gradient = gradient.array
        assert {slot.array.dtype for slot in self.op.outputs} == {np.dtype(dtype)}


Y = np.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]])
T = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
PER_SAMPLE: dict[type[Loss], list[float]] = {
    MeanSquaredError: [(0.04 + 0.09 + 0.01) / 3, (0.25 + 0.0625 + 0.0625) / 3],
    HalfSquaredError: [(0.04 + 0.09 + 0.01) / 2, (0.25 + 0.0625 + 0.0625) / 2],
    BinaryCrossentropy: [
        -(math.log(0.8) + math.log(0.7) + math.log(0.9)) / 3,
        -(math.log(0.5) + math.log(0.75) + math.log(0.75)) / 3,
    ],
    CategoricalCrossentropy: [-math.log(0.7), -math.log(0.5)],
}
GRADIENTS: dict[type[Loss], np.ndarray] = {  # dE/dy, of the mean over both samples
    MeanSquaredError: 2 * (Y - T) / 3 / 2,
    HalfSquaredError: (Y - T) / 2,
    BinaryCrossentropy: (Y - T) / (Y * (1 - Y)) / 3 / 2,
    CategoricalCrossentropy: -T / Y / 2,
}
KINDS = pytest.mark.parametrize("kind", LOSSES, ids=kind_name)


@DTYPES
@KINDS
def test_value_and_gradient_of_an_output(kind: type[Loss], dtype: str):
    found = Evaluated(kind(), None, Y, T, dtype)
    rtol = 1e-13 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(found.per_sample, PER_SAMPLE[kind], rtol=rtol)
    np.testing.assert_allclose(found.value, sum(PER_SAMPLE[kind]) / 2, rtol=rtol)
    np.testing.assert_allclose(found.gradient, GRADIENTS[kind], rtol=rtol)


@KINDS
def test_inner_axes_count_as_outputs(kind: type[Loss]):
    """(batch 1, time 2, outputs 3): means run over all six outputs, sums over both steps."""
    over_time = Evaluated(kind(), None, Y[None], T[None])
    steps = sum(PER_SAMPLE[kind])
    mean = kind in {MeanSquaredError, BinaryCrossentropy}
    np.testing.assert_allclose(over_time.per_sample, [steps / 2 if mean else steps], rtol=1e-13)
    share = 1 if mean else 2  # one sample instead of two
    np.testing.assert_allclose(over_time.gradient[0], GRADIENTS[kind] * share, rtol=1e-13)


@pytest.mark.parametrize(
    ("loss", "activation"),
    [(CategoricalCrossentropy(), Softmax()), (BinaryCrossentropy(), Sigmoid())],
    ids=["softmax", "sigmoid"],
)
def test_from_logits_equals_from_probabilities_where_both_are_fine(
    loss: Loss, activation: Activation
):
    z = np.random.default_rng(4).normal(0, 2, (6, 3))
    t = np.eye(3)[[0, 1, 2, 2, 1, 0]]
    logits = Evaluated(loss, activation, z, t)
    y = np.empty_like(z)
    activation.bind([z], [y])()
    probabilities = Evaluated(loss, None, y, t)
    assert type(logits.op.primitive) is not type(probabilities.op.primitive)
    np.testing.assert_allclose(logits.value, probabilities.value, rtol=1e-12)
    np.testing.assert_allclose(logits.per_sample, probabilities.per_sample, rtol=1e-12)
    scale = 6 * (1 if activation.type == "softmax" else 3)
    np.testing.assert_allclose(logits.gradient, (y - t) / scale, rtol=1e-12, atol=1e-17)


@DTYPES
def test_softmax_crossentropy_is_stable_at_thousands(dtype: str):
    z = [[1000.0, -1000.0, 0.0], [1000.0, -1000.0, 0.0], [-1000.0, -1000.0, -1000.0]]
    found = Evaluated(CategoricalCrossentropy(), Softmax(), z, np.eye(3)[[0, 1, 2]], dtype)
    np.testing.assert_allclose(found.per_sample, [0, 2000, math.log(3)], rtol=1e-6)
    np.testing.assert_allclose(found.value, (2000 + math.log(3)) / 3, rtol=1e-6)
    wanted = np.array([[0, 0, 0], [1, -1, 0], [1 / 3, 1 / 3, -2 / 3]]) / 3
    np.testing.assert_allclose(found.gradient, wanted, rtol=1e-6)


@DTYPES
def test_sigmoid_crossentropy_is_stable_at_thousands(dtype: str):
    z, t = [[1000.0], [1000.0], [-1000.0], [-1000.0], [0.0]], [[1.0], [0.0], [0.0], [1.0], [1.0]]
    found = Evaluated(BinaryCrossentropy(), Sigmoid(), z, t, dtype)
    np.testing.assert_allclose(found.per_sample, [0, 1000, 0, 1000, math.log(2)], rtol=1e-6)
    wanted = np.array([[0], [1], [0], [-1], [-0.5]]) / 5
    np.testing.assert_allclose(found.gradient, wanted, rtol=1e-6)


@DTYPES
@pytest.mark.parametrize("kind", [BinaryCrossentropy, CategoricalCrossentropy], ids=kind_name)
@pytest.mark.parametrize("activation", [Linear(), Tanh()], ids=["linear", "tanh"])
def test_probabilities_are_kept_within_the_clip(
    kind: type[Loss], activation: Activation, dtype: str
):
    """Outputs of 0, of 1 and far outside: a finite loss, no slope outside, as in Keras."""
    z, t = [[1000.0, -1000.0, 0.0]], [[0.0, 1.0, 0.0]]
    found = Evaluated(kind(), activation, z, t, dtype)
    assert np.isfinite(found.value)
    certain = -math.log(1e-7)
    if kind is CategoricalCrossentropy:
        np.testing.assert_allclose(found.value, certain, rtol=1e-6)
    else:  # 1 - 1e-7 has in float32 the neighbour 1 - 1.19e-7
        np.testing.assert_allclose(found.value, 2 * certain / 3, rtol=1e-2)
    np.testing.assert_array_equal(found.gradient, 0)


@KINDS
def test_integer_and_one_hot_targets_are_the_same_targets(kind: type[Loss]):
    x, classes = np.arange(12.0).reshape(6, 2), np.array([0, 2, 1, 1, 2, 0])
    z = np.random.default_rng(1).normal(size=(6, 3))
    found = []
    for y in (classes, np.eye(3)[classes], np.eye(3, dtype=np.int64)[classes]):
        prepared = prepare(ArrayData(name="arrays"), 0, "float64", (x, y))
        targets = prepared.targets(prepared.train, 3)
        assert targets.dtype == np.float64
        order = np.argsort(prepared.train.indices)
        found.append(Evaluated(kind(), Softmax(), z, targets[order]))
    for other in found[1:]:
        assert other.value == found[0].value
        assert np.array_equal(other.gradient, found[0].gradient)
    np.testing.assert_array_equal(targets[order], np.eye(3)[classes])


def test_the_batch_divides_once():
    """Twice the same samples: the same mean loss, half the gradient of each."""
    once = Evaluated(HalfSquaredError(), None, Y, T)
    twice = Evaluated(HalfSquaredError(), None, np.tile(Y, (2, 1)), np.tile(T, (2, 1)))
    assert twice.value == pytest.approx(once.value, rel=1e-14)
    np.testing.assert_allclose(twice.gradient[:2], once.gradient / 2, rtol=1e-14)
