import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.data.data_blocks import ArrayData
from tui_nn_engine.data.prepared import prepare
from tui_nn_engine.primitives.activations import Activation, Linear, Sigmoid, Softmax, Tanh
from tui_nn_engine.primitives.losses import (
    LOSSES,
    BinaryCrossentropy,
    CategoricalCrossentropy,
    HalfSquaredError,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    Loss,
    MeanAbsoluteError,
    MeanBiasError,
    MeanSquaredError,
    RootMeanSquaredError,
)
from tui_nn_engine.programs.program import Builder, Op, Slot

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
    KLDivergence: [-math.log(0.7), -math.log(0.5)],
    MeanAbsoluteError: [(0.2 + 0.3 + 0.1) / 3, (0.5 + 0.25 + 0.25) / 3],
    RootMeanSquaredError: [(0.04 + 0.09 + 0.01) / 3, (0.25 + 0.0625 + 0.0625) / 3],
    Huber: [(0.04 + 0.09 + 0.01) / 6, (0.25 + 0.0625 + 0.0625) / 6],
    LogCosh: [
        math.log(math.cosh(0.2) * math.cosh(0.3) * math.cosh(0.1)) / 3,
        math.log(math.cosh(0.5) * math.cosh(0.25) * math.cosh(0.25)) / 3,
    ],
    Hinge: [(1.2 + 0.3 + 1.1) / 3, (0.5 + 1.25 + 1.25) / 3],  # 0 is taken as −1
    MeanBiasError: [0, 0],
}
GRADIENTS: dict[type[Loss], np.ndarray] = {  # dE/dy, of the mean over both samples
    MeanSquaredError: 2 * (Y - T) / 3 / 2,
    HalfSquaredError: (Y - T) / 2,
    BinaryCrossentropy: (Y - T) / (Y * (1 - Y)) / 3 / 2,
    CategoricalCrossentropy: -T / Y / 2,
    KLDivergence: -T / Y / 2,
    MeanAbsoluteError: np.sign(Y - T) / 3 / 2,
    RootMeanSquaredError: (Y - T) / math.sqrt((0.14 + 0.375) / 6) / 3 / 2,
    Huber: (Y - T) / 3 / 2,
    LogCosh: np.tanh(Y - T) / 3 / 2,
    Hinge: (1 - 2 * T) / 3 / 2,
    MeanBiasError: np.full_like(Y, 1 / 3 / 2),
}
KINDS = pytest.mark.parametrize("kind", LOSSES, ids=kind_name)


@DTYPES
@KINDS
def test_value_and_gradient_of_an_output(kind: type[Loss], dtype: str):
    found = Evaluated(kind(), None, Y, T, dtype)
    rtol = 1e-13 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(found.per_sample, PER_SAMPLE[kind], rtol=rtol, atol=rtol / 10)
    mean = sum(PER_SAMPLE[kind]) / 2
    wanted = math.sqrt(mean) if kind is RootMeanSquaredError else mean
    np.testing.assert_allclose(found.value, wanted, rtol=rtol, atol=rtol / 10)
    np.testing.assert_allclose(found.gradient, GRADIENTS[kind], rtol=rtol)


@KINDS
def test_over_time_the_loss_is_the_mean_over_time_steps(kind: type[Loss]):
    """(batch 1, time 2, outputs 3): two steps of one sample count as two samples did."""
    over_time = Evaluated(kind(), None, Y[None], T[None])
    wanted = [sum(PER_SAMPLE[kind]) / 2]
    np.testing.assert_allclose(over_time.per_sample, wanted, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(over_time.gradient[0], GRADIENTS[kind], rtol=1e-13)


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


# -- against PyTorch, and by Keras's formulas ----------------------------------------------------

FAR = np.array([[0.2, 0.7, -1.4], [2.5, 0.25, 0.05]])
NUMBERS = np.array([[0.0, 1.0, 0.5], [1.0, 0.0, -2.0]])
LABELS = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])
SHARES = np.array([[0.3, 0.6, 0.1], [0.0, 0.75, 0.25]])
LOGITS = np.array([[0.2, 1.7, -0.3], [2.5, -0.25, 0.25]])
ONE_HOT = np.eye(3)[[1, 0]]
Torch = Callable[[Any, Any, Any], Any]
# The loss, the activation before it, its inputs and targets, PyTorch's, and what both give.
REFERENCES: dict[str, tuple[Loss, Activation | None, Any, Any, Torch | None, float, Any]] = {
    "mean_absolute_error": (
        MeanAbsoluteError(),
        None,
        FAR,
        NUMBERS,
        lambda torch, y, t: torch.nn.functional.l1_loss(y, t),
        1.0333333333333332,
        np.array([[1, -1, -1], [1, 1, 1]]) / 6,
    ),
    "huber": (
        Huber(delta=0.8),
        None,
        FAR,
        NUMBERS,
        lambda torch, y, t: torch.nn.functional.huber_loss(y, t, delta=0.8),
        0.5827083333333333,
        np.array([[0.2, -0.3, -0.8], [0.8, 0.25, 0.8]]) / 6,
    ),
    "root_mean_squared_error": (
        RootMeanSquaredError(),
        None,
        FAR,
        NUMBERS,
        lambda torch, y, t: torch.nn.functional.mse_loss(y, t).sqrt(),
        1.3073510112692255,
        [
            [0.025496850536699, -0.038245275805048, -0.242220080098638],
            [0.19122637902524, 0.031871063170873, 0.261342718001162],
        ],
    ),
    "log_cosh": (  # Keras: mean of e + softplus(−2e) − ln 2
        LogCosh(),
        None,
        FAR,
        NUMBERS,
        lambda torch, y, t: (
            y - t + torch.nn.functional.softplus(-2 * (y - t)) - math.log(2)
        ).mean(),
        0.5921409198313006,
        [
            [0.032895886704151, -0.048552102075265, -0.159372909687956],
            [0.150858042274144, 0.040819777067285, 0.16123250020952],
        ],
    ),
    "hinge": (  # Keras: mean of max(1 − t y, 0), where 0 and 1 become −1 and +1
        Hinge(),
        None,
        FAR,
        LABELS,
        lambda torch, y, t: torch.relu(1 - (2 * t - 1) * y).mean(),
        0.6166666666666667,
        np.array([[1, -1, 0], [0, 1, -1]]) / 6,
    ),
    "hinge of −1 and +1": (
        Hinge(),
        None,
        FAR,
        2 * LABELS - 1,
        lambda torch, y, t: torch.relu(1 - t * y).mean(),
        0.6166666666666667,
        np.array([[1, -1, 0], [0, 1, -1]]) / 6,
    ),
    "kl_divergence": (
        KLDivergence(),
        None,
        Y,
        SHARES,
        lambda torch, y, t: torch.nn.functional.kl_div(y.log(), t, reduction="batchmean"),
        0.4265541705185882,
        -SHARES / Y / 2,
    ),
    "kl_divergence of softmax": (
        KLDivergence(),
        Softmax(),
        LOGITS,
        SHARES,
        lambda torch, z, t: torch.nn.functional.kl_div(
            torch.log_softmax(z, 1), t, reduction="batchmean"
        ),
        1.138751642868908,
        [
            [-0.067874186187456, 0.068062362156297, -0.000188175968841],
            [0.427596355275874, -0.34766467954743, -0.079931675728443],
        ],
    ),
    "smoothed categories": (
        CategoricalCrossentropy(label_smoothing=0.1),
        Softmax(),
        LOGITS,
        ONE_HOT,
        lambda torch, z, t: torch.nn.functional.cross_entropy(z, t, label_smoothing=0.1),
        0.3730587442733686,
        [
            [0.065459147145877, -0.09860430451037, 0.033145157364492],
            [-0.039070311390793, 0.010668653785903, 0.02840165760489],
        ],
    ),
    "smoothed yes and no": (  # Keras: t (1 − s) + s/2
        BinaryCrossentropy(label_smoothing=0.1),
        Sigmoid(),
        LOGITS,
        ONE_HOT,
        lambda torch, z, t: torch.nn.functional.binary_cross_entropy_with_logits(z, 0.9 * t + 0.05),
        0.5360081195477703,
        [
            [0.083305666218746, -0.017410877513922, 0.062592913864724],
            [-0.004309696670207, 0.064637249852367, 0.085362750147633],
        ],
    ),
    "weighted categories": (  # divided by the batch, not by the sum of weights as PyTorch's mean
        CategoricalCrossentropy(class_weight=[0.5, 2.0, 3.0]),
        Softmax(),
        LOGITS,
        ONE_HOT,
        lambda torch, z, t: torch.nn.functional.cross_entropy(
            z, t, weight=torch.tensor([0.5, 2.0, 3.0], dtype=z.dtype), reduction="none"
        ).mean(),
        0.34546282297521097,
        [
            [0.164251627625088, -0.263875275687406, 0.099623648062318],
            [-0.036201822362063, 0.013667660226285, 0.022534162135778],
        ],
    ),
}


@DTYPES
@pytest.mark.parametrize("name", REFERENCES)
def test_it_is_what_its_reference_is(name: str, dtype: str):
    loss, activation, z, t, _, value, gradient = REFERENCES[name]
    found = Evaluated(loss, activation, z, t, dtype)
    tolerance = 1e-13 if dtype == "float64" else 2e-6
    np.testing.assert_allclose(found.value, value, rtol=tolerance)
    np.testing.assert_allclose(found.gradient, gradient, rtol=tolerance, atol=tolerance / 10)


@pytest.mark.parametrize("name", REFERENCES)
def test_it_is_pytorchs(name: str):
    torch = pytest.importorskip("torch")
    loss, activation, z, t, reference, *_ = REFERENCES[name]
    assert reference is not None
    inputs = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    value = reference(torch, inputs, torch.tensor(t, dtype=torch.float64))
    value.backward()
    found = Evaluated(loss, activation, z, t)
    np.testing.assert_allclose(found.value, value.item(), rtol=1e-12)
    np.testing.assert_allclose(found.gradient, inputs.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_keras_kl_divergence_differs_by_its_clip_alone():
    """Keras: Σ t ln(t/y), both kept within [1e-7, 1]."""
    t, y = (np.clip(each, 1e-7, 1) for each in (SHARES, Y))
    keras = (t * np.log(t / y)).sum(axis=1)
    np.testing.assert_allclose(
        Evaluated(KLDivergence(), None, Y, SHARES).per_sample, keras, atol=2e-6
    )


# -- where formulas run out of digits --------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-12, 1e-6, 0.3, 0.999, 1.0, 1.001, 20.0, 800.0, 1e300])
def test_log_cosh_is_exact_for_tiny_and_huge_errors(size: float):
    exact = float(log_cosh(size))
    found = Evaluated(LogCosh(), None, [[size], [-size]], [[0.0], [0.0]])
    np.testing.assert_allclose(found.per_sample, exact, rtol=1e-14)
    np.testing.assert_allclose(found.gradient[:, 0], [math.tanh(size) / 2, -math.tanh(size) / 2])


def log_cosh(x: float) -> float:
    """By its series e²/2 − e⁴/12 + e⁶/45 near 0, exactly in rationals; far away |e| − ln 2."""
    if x < 1e-3:
        exact = Fraction(x)
        return float(exact**2 / 2 - exact**4 / 12 + exact**6 / 45)
    return math.log(math.cosh(x)) if x < 100 else x - math.log(2)


@DTYPES
def test_huber_of_huge_errors_does_not_overflow(dtype: str):
    huge = 1e30 if dtype == "float32" else 1e300
    found = Evaluated(Huber(delta=2.0), None, [[huge]], [[0.0]], dtype)
    assert found.value == pytest.approx(2 * huge, rel=1e-6)
    assert found.gradient.tolist() == [[2.0]]


@DTYPES
def test_kl_divergence_is_stable_at_thousands(dtype: str):
    z, t = [[1000.0, -1000.0, 0.0]], [[0.5, 0.5, 0.0]]
    found = Evaluated(KLDivergence(), Softmax(), z, t, dtype)
    np.testing.assert_allclose(found.value, 1000 - math.log(2), rtol=1e-6)
    np.testing.assert_allclose(found.gradient, [[0.5, -0.5, 0]], rtol=1e-6)


@DTYPES
@pytest.mark.parametrize(
    ("kind", "activation"), [(CategoricalCrossentropy, Softmax()), (BinaryCrossentropy, Sigmoid())]
)
def test_smoothed_targets_are_stable_at_thousands(
    kind: type[Any], activation: Activation, dtype: str
):
    found = Evaluated(
        kind(label_smoothing=0.2), activation, [[1000.0, -1000.0]], [[1.0, 0.0]], dtype
    )
    assert found.value == pytest.approx(200 if kind is CategoricalCrossentropy else 100, rel=1e-6)
    assert np.isfinite(found.gradient).all()


@pytest.mark.parametrize("kind", [MeanAbsoluteError, RootMeanSquaredError, Huber, LogCosh])
def test_at_its_target_an_output_has_no_slope(kind: type[Loss]):
    found = Evaluated(kind(), None, [[0.5, -2.0]], [[0.5, -2.0]])
    assert found.value == 0
    assert found.gradient.tolist() == [[0.0, 0.0]]


def test_hinge_has_no_slope_at_the_edge_of_its_margin():
    found = Evaluated(Hinge(), None, [[1.0], [-1.0], [0.0]], [[1.0], [0.0], [0.0]])
    assert found.gradient.tolist() == [[0.0], [0.0], [1 / 3]]
    np.testing.assert_allclose(found.per_sample, [0, 0, 1])


# -- weights -------------------------------------------------------------------------------------


@KINDS
def test_the_weight_of_a_class_multiplies_its_samples(kind: type[Loss]):
    """T has its first sample of class 1, its second of class 0."""
    weighted = Evaluated(kind(class_weight=[3.0, 0.5, 7.0]), None, Y, T)
    wanted = np.array(PER_SAMPLE[kind]) * [0.5, 3.0]
    np.testing.assert_allclose(weighted.per_sample, wanted, rtol=1e-13, atol=1e-15)
    root = kind is RootMeanSquaredError
    mean = np.sqrt(wanted.mean()) if root else wanted.mean()
    np.testing.assert_allclose(weighted.value, mean, rtol=1e-13, atol=1e-15)
    share = math.sqrt((0.14 + 0.375) / 6) / mean if root else 1
    gradient = GRADIENTS[kind] * np.array([[0.5], [3.0]]) * share
    np.testing.assert_allclose(weighted.gradient, gradient, rtol=1e-13)


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_one_output_has_its_class_by_the_side(low: float):
    found = Evaluated(
        MeanSquaredError(class_weight=[2.0, 5.0]), None, [[2.0], [3.0]], [[low], [1.0]]
    )
    np.testing.assert_allclose(found.per_sample, [2 * (2 - low) ** 2, 5 * 4])
