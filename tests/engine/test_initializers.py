from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.programs.initializers import (
    INITIALIZERS,
    Constant,
    Given,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Initializer,
    LecunNormal,
    LecunUniform,
    Normal,
    Orthogonal,
    Uniform,
    Zeros,
    fans,
)
from tui_nn_engine.programs.parameters import Parameters, ParameterSpec

IN, OUT = 300, 200
# Keras's variances: Glorot & Bengio 2010, He et al. 2015, LeCun et al. 1998.
VARIANCES: dict[type[Initializer], float] = {
    GlorotUniform: 2 / (IN + OUT),
    GlorotNormal: 2 / (IN + OUT),
    HeUniform: 2 / IN,
    HeNormal: 2 / IN,
    LecunUniform: 1 / IN,
    LecunNormal: 1 / IN,
    Uniform: 0.1**2 / 12,
    Normal: 0.05**2,
}
DRAWN = pytest.mark.parametrize("kind", VARIANCES, ids=kind_name)


def draw(initializer: Initializer, shape: tuple[int, ...] = (IN, OUT), seed: int = 0) -> np.ndarray:
    values = initializer.initial(shape, seed, "dense_1.kernel")
    assert values.shape == shape
    assert values.dtype == np.float64
    return values


def test_no_initializer_goes_unchecked():
    # Orthogonal ones: test_recurrent.
    assert {*VARIANCES, Orthogonal, Constant, Zeros, Given} == set(INITIALIZERS)


@DRAWN
def test_mean_and_variance(kind: type[Initializer]):
    values, spread = draw(kind()), sqrt(VARIANCES[kind])
    assert abs(values.mean()) < 4 * spread / sqrt(values.size)
    assert values.var() == pytest.approx(VARIANCES[kind], rel=0.03)


@pytest.mark.parametrize("kind", [GlorotUniform, HeUniform, LecunUniform], ids=kind_name)
def test_scaled_uniform_bounds(kind: type[Initializer]):
    limit = sqrt(3 * VARIANCES[kind])
    values = draw(kind())
    assert 0.999 * limit < np.abs(values).max() <= limit


@pytest.mark.parametrize("kind", [GlorotNormal, HeNormal, LecunNormal], ids=kind_name)
def test_scaled_normal_is_truncated_at_two_deviations_of_the_normal_it_came_from(
    kind: type[Initializer],
):
    """Keras: N(0, s) cut at 2 s, with s chosen so that the cut one has the variance wanted."""
    bound = 2 * sqrt(VARIANCES[kind]) / 0.87962566103423978
    values = draw(kind())
    assert 0.995 * bound < np.abs(values).max() <= bound
    # A normal distribution, not a uniform one: of one cut at 2 s, 71.5 % lie within 1 s.
    assert np.mean(np.abs(values) < bound / 2) == pytest.approx(0.7153, abs=0.01)


def test_bounds_of_uniform_and_moments_of_normal_are_as_asked():
    values = draw(Uniform(minval=2, maxval=3))
    assert 2 <= values.min() < 2.001
    assert 2.999 < values.max() <= 3
    values = draw(Normal(mean=-4, stddev=0.5))
    assert values.mean() == pytest.approx(-4, abs=0.01)
    assert values.std() == pytest.approx(0.5, rel=0.02)
    assert np.abs(values + 4).max() > 4 * 0.5, "not truncated"


def test_bounds_the_wrong_way_round_are_refused():
    with pytest.raises(ValidationError, match=r"minval \(1.0\) must not be above maxval \(0.5\)"):
        Uniform(minval=1, maxval=0.5)


def test_constants():
    assert np.all(draw(Zeros()) == 0)
    assert np.all(draw(Constant(value=0.25)) == 0.25)


@DRAWN
@given(st.integers(0, 2**63 - 1))
def test_a_start_is_a_pure_function_of_seed_and_name(kind: type[Initializer], seed: int):
    first = kind().initial((4, 3), seed, "dense_1.kernel")
    other_name = kind().initial((4, 3), seed, "dense_2.kernel")
    other_seed = kind().initial((4, 3), seed ^ 1, "dense_1.kernel")
    assert np.array_equal(first, kind().initial((4, 3), seed, "dense_1.kernel"))
    assert not np.array_equal(first, other_name)
    assert not np.array_equal(first, other_seed)


def test_the_numbers_never_change():
    """Stored experiments rely on these."""
    found = GlorotUniform().initial((2, 2), 0, "dense_1.kernel").ravel().tolist()
    assert found == pytest.approx(
        [-0.2294214113369848, -0.19935446889003483, -0.9942435718332214, 0.585628935514694],
        rel=1e-15,
    )


def test_given_arrays():
    matrix = Given(values=[[1, 2, 3], [4, 5, 6]])
    assert matrix.shape == (2, 3)
    assert matrix.initial((2, 3), 0, "any").tolist() == [[1, 2, 3], [4, 5, 6]]
    row = Given(values=[1, -2])
    assert row.shape == (2,)
    assert row.initial((2,), 0, "any").tolist() == [1, -2]


def test_rows_of_unequal_length_are_refused():
    with pytest.raises(ValidationError, match=r"equally long \(have \[1, 2\] numbers\)"):
        Given(values=[[1], [2, 3]])


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((), (1, 1)), ((7,), (7, 7)), ((3, 5), (3, 5)), ((3, 3, 8, 16), (72, 144))],
)
def test_fans_are_counted_as_keras_does(shape: tuple[int, ...], wanted: tuple[int, int]):
    assert fans(shape) == wanted


SPECS = [
    ParameterSpec("a.kernel", (2, 3), Constant(value=1), trainable=False),
    ParameterSpec("a.bias", (3,), Constant(value=2)),
    ParameterSpec("b.kernel", (3, 1), Constant(value=3)),
]


def test_parameters_lie_in_one_vector_the_trained_ones_first():
    parameters = Parameters(SPECS, "float32")
    parameters.initialize(0)
    assert parameters.values.dtype == np.float32
    assert parameters.values.tolist() == [2] * 3 + [3] * 3 + [1] * 6
    assert parameters.trainable.tolist() == [2] * 3 + [3] * 3
    assert parameters.gradients.shape == (6,)


def test_views_are_the_same_memory():
    parameters = Parameters(SPECS, "float64")
    parameters.views["a.kernel"][1, 2] = 5
    parameters.gradient_views["b.kernel"][0, 0] = 7
    assert parameters.values[-1] == 5
    assert parameters.gradients.tolist() == [0, 0, 0, 7, 0, 0]
    assert list(parameters.gradient_views) == ["a.bias", "b.kernel"]
    assert {name: view.shape for name, view in parameters.views.items()} == {
        "a.kernel": (2, 3),
        "a.bias": (3,),
        "b.kernel": (3, 1),
    }


def test_any_vector_of_that_layout_can_be_named():
    parameters = Parameters(SPECS, "float64")
    assert list(parameters.named(np.zeros(12))) == ["a.kernel", "a.bias", "b.kernel"]
    moments = np.arange(6.0)
    assert list(parameters.named(moments)) == ["a.bias", "b.kernel"]
    assert parameters.named(moments)["b.kernel"].tolist() == [[3], [4], [5]]
