import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.primitives.activations import (
    ACTIVATIONS,
    ELU,
    GELU,
    Activation,
    Elementwise,
    LeakyReLU,
    Slope,
    Softmax,
    Step,
)
from tui_nn_engine.primitives.erf import erf
from tui_nn_engine.programs.program import Slot

POINTS = [-30.0, -5.5, -4.1, -2.0, -1.0, -0.46, -1e-3, 0.0, 1e-3, 0.3, 0.5, 1.0, 3.7, 6.5, 30.0]
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def normal_distribution(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2


FORMULAS: dict[str, Callable[[float], float]] = {
    "linear": lambda z: z,
    "step": lambda z: float(z > 0),
    "sign": lambda z: float((z > 0) - (z < 0)),
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "relu": lambda z: max(0.0, z),
    "leaky_relu": lambda z: z if z > 0 else 0.2 * z,
    "elu": lambda z: z if z > 0 else math.exp(z) - 1,
    "selu": lambda z: SELU_SCALE * (z if z > 0 else SELU_ALPHA * (math.exp(z) - 1)),
    "gelu": lambda z: z * normal_distribution(z),
    "softplus": lambda z: math.log1p(math.exp(-abs(z))) + max(z, 0),
    "swish": lambda z: z * sigmoid(z),
}
SLOPES: dict[str, Callable[[float], float]] = {
    "linear": lambda z: 1.0,
    "step": lambda z: 0.0,
    "sign": lambda z: 0.0,
    "sigmoid": lambda z: sigmoid(z) * sigmoid(-z),
    "tanh": lambda z: 1 / math.cosh(z) ** 2,
    "relu": lambda z: float(z > 0),
    "leaky_relu": lambda z: 1.0 if z > 0 else 0.2,
    "elu": lambda z: 1.0 if z > 0 else math.exp(z),
    "selu": lambda z: SELU_SCALE * (1.0 if z > 0 else SELU_ALPHA * math.exp(z)),
    "gelu": lambda z: normal_distribution(z) + z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    "softplus": sigmoid,
    "swish": lambda z: sigmoid(z) + z * sigmoid(z) * sigmoid(-z),
}
KINDS = pytest.mark.parametrize("kind", ACTIVATIONS, ids=kind_name)
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


def value_of(activation: Activation, z: Any, dtype: str = "float64") -> np.ndarray:
    source = np.array(z, dtype)
    out = np.full_like(source, np.nan)
    activation.bind([source], [out])()
    assert np.array_equal(source, np.array(z, dtype), equal_nan=True), (
        "it must not write into its input"
    )
    return out


def slope_of(activation: Elementwise, z: Any, dtype: str = "float64") -> np.ndarray:
    source = np.array(z, dtype)
    h, slope = value_of(activation, z, dtype), np.full_like(source, np.nan)
    activation.bind_slope(source, h, slope)()
    return slope


def test_every_activation_has_its_formula_here():
    assert {*FORMULAS, "softmax"} == {kind_name(kind) for kind in ACTIVATIONS}
    assert SLOPES.keys() == FORMULAS.keys()


@DTYPES
@pytest.mark.parametrize("name", FORMULAS)
def test_values(name: str, dtype: str):
    (kind,) = [each for each in ACTIVATIONS if kind_name(each) == name]
    points = np.array(POINTS, dtype)
    found, wanted = value_of(kind(), points, dtype), [FORMULAS[name](float(z)) for z in points]
    tolerance = 2e-15 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


@DTYPES
@pytest.mark.parametrize("name", SLOPES)
def test_slopes(name: str, dtype: str):
    (kind,) = [each for each in ACTIVATIONS if kind_name(each) == name]
    activation = kind()
    assert isinstance(activation, Elementwise)
    points = np.array(POINTS, dtype)
    found, wanted = slope_of(activation, points, dtype), [SLOPES[name](float(z)) for z in points]
    tolerance = 2e-15 if dtype == "float64" else 1e-6
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def test_softmax_is_normalized_along_the_last_axis():
    z = [[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [[-1.0, 5.0, 2.0], [700.0, 700.0, 690.0]]]
    found = value_of(Softmax(), z)
    for row, wanted in zip(found.reshape(-1, 3), np.reshape(z, (-1, 3)), strict=True):
        shares = [math.exp(each - max(wanted)) for each in wanted]
        np.testing.assert_allclose(row, [share / sum(shares) for share in shares], rtol=1e-15)


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
def test_the_step_at_zero(at_zero: float):
    found = value_of(Step(at_zero=at_zero), [-1.0, -0.0, 0.0, 1.0])
    assert found.tolist() == [0, at_zero, at_zero, 1]


def test_the_slope_of_relu_at_zero_is_zero():
    (relu,) = [kind for kind in ACTIVATIONS if kind_name(kind) == "relu"]
    assert slope_of(relu(), [0.0]).tolist() == [0]


@pytest.mark.parametrize("negative_slope", [0.0, 0.01, 1.0])
def test_leaky_relu_leaks_as_much_as_asked(negative_slope: float):
    activation = LeakyReLU(negative_slope=negative_slope)
    assert value_of(activation, [-2.0, 3.0]).tolist() == [-2 * negative_slope, 3]
    assert slope_of(activation, [-2.0, 3.0]).tolist() == [negative_slope, 1]


def test_elu_goes_down_to_minus_alpha():
    activation = ELU(alpha=0.3)
    np.testing.assert_allclose(value_of(activation, [-800.0, -1.0]), [-0.3, 0.3 * math.expm1(-1)])
    np.testing.assert_allclose(slope_of(activation, [-1.0]), 0.3 * math.exp(-1))


def test_the_approximate_gelu_is_that_of_its_paper():
    def formula(z: float) -> float:
        return z / 2 * (1 + math.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))

    found = value_of(GELU(approximate=True), POINTS)
    np.testing.assert_allclose(found, [formula(z) for z in POINTS], rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(found, value_of(GELU(), POINTS), atol=5e-4)
    assert not np.array_equal(found, value_of(GELU(), POINTS))


def test_erf_is_that_of_the_standard_library():
    points = np.linspace(-8, 8, 20_001)
    np.testing.assert_allclose(erf(points), [math.erf(x) for x in points], rtol=0, atol=5e-16)
    assert erf(np.float32([0.5])).dtype == np.float32


EXTREMES = [-1e30, -1e10, -1000.0, -100.0, 0.0, 100.0, 1000.0, 1e10, 1e30]


def variants(kind: type[Activation]) -> list[Activation]:
    return [kind(), *([GELU(approximate=True)] if kind is GELU else [])]


@DTYPES
@KINDS
def test_extreme_inputs_stay_finite_and_warn_of_nothing(kind: type[Activation], dtype: str):
    for activation in variants(kind):
        h = value_of(activation, EXTREMES, dtype)
        assert np.isfinite(h).all()
        if isinstance(activation, Elementwise):
            slope = slope_of(activation, EXTREMES, dtype)
            assert np.isfinite(slope).all()
            wanted = SLOPES[kind_name(kind)]
            far = [wanted(math.copysign(50, z)) for z in EXTREMES if z]
            np.testing.assert_allclose(slope[np.array(EXTREMES) != 0], far, atol=1e-15)


@KINDS
def test_nan_is_passed_on_for_the_run_to_stop_at(kind: type[Activation]):
    with np.errstate(invalid="ignore"):
        assert np.isnan(value_of(kind(), [np.nan, 1.0])).any()


@DTYPES
@KINDS
def test_the_dtype_stays_and_the_call_writes_in_place(kind: type[Activation], dtype: str):
    activation = kind()
    z = Slot("z", np.linspace(-1, 1, 6).reshape(2, 3).astype(dtype))
    assert activation.outputs(z) == {"": (2, 3)}
    h, delta, slope = (np.zeros((2, 3), dtype) for _ in range(3))
    activation.bind([z.array], [h])()
    assert h.dtype == dtype
    if isinstance(activation, Elementwise):
        Slope(activation).bind([np.ones_like(h), z.array, h], [delta, slope])()
        assert np.array_equal(delta, slope)


@KINDS
def test_what_is_shown_of_it(kind: type[Activation]):
    activation = kind()
    assert activation.name == kind_name(kind)
    assert "=" in activation.formula
    assert kind.summary
    if isinstance(activation, Elementwise):
        assert activation.slope_formula in Slope(activation).formula
