"""Generators: gates and points in the plane."""

import numpy as np
import pytest

from tui_nn_datasets import DataError, load
from tui_nn_datasets.gates import GATES

NOISY = ["xor", "gates", "moons", "circles", "gaussians", "spiral", "plane", "curve"]


@pytest.mark.parametrize("name", NOISY)
def test_the_same_seed_makes_the_same_points_and_another_seed_others(name):
    def digest(seed: int) -> str:
        return load(name, samples=50, noise=0.1, seed=seed).digest()

    assert digest(3) == digest(3)
    assert digest(3) != digest(4)


@pytest.mark.parametrize("name", NOISY)
@pytest.mark.parametrize("samples", [2, 3, 51, 1000])
def test_there_are_as_many_points_as_asked_for(name, samples):
    data = load(name, samples=samples)
    assert data.x.shape == (samples, 1 if name == "curve" else 2)
    assert data.x.dtype == np.float64
    if data.task == "classification":
        counts = np.bincount(data.y, minlength=data.classes)
        assert name == "gates" or counts.max() - counts.min() <= 2
        assert data.y.dtype == np.int64
    else:
        assert data.y.shape == (samples, 1)


@pytest.mark.parametrize("name", ["moons", "circles", "spiral", "xor"])
def test_the_noise_has_the_standard_deviation_asked_for(name):
    exact, noisy = (load(name, samples=4000, noise=noise).x for noise in (0.0, 0.2))
    difference = noisy - exact
    assert np.std(difference) == pytest.approx(0.2, rel=0.05)
    assert np.mean(difference) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("name", ["moons", "circles", "spiral", "gaussians", "xor"])
def test_without_noise_points_stay_within_the_square(name):
    assert np.abs(load(name, noise=0.0).x).max() <= 1 + 1e-12


def test_xor_is_its_four_corners():
    data = load("xor")
    assert data.x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert data.y.tolist() == [0, 1, 1, 0]
    again = load("xor", samples=10)
    assert np.array_equal(again.x[4:8], data.x)
    assert np.array_equal(again.y[8:], data.y[:2])


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("bipolar", [False, True])
def test_every_gate_is_its_boolean_function(gate, bipolar):
    functions = {
        "buffer": lambda a: a,
        "not": lambda a: not a,
        "and": lambda a, b: a and b,
        "or": lambda a, b: a or b,
        "nand": lambda a, b: not (a and b),
        "nor": lambda a, b: not (a or b),
        "xor": lambda a, b: a != b,
        "xnor": lambda a, b: a == b,
        "and_not": lambda a, b: a and not b,
        "implies": lambda a, b: b or not a,
    }
    data = load("gates", gate=gate, bipolar=bipolar)
    inputs = data.x.shape[1]
    assert len({tuple(row) for row in data.x}) == len(data.x) == 2**inputs
    assert set(np.unique(data.x)) == ({-1.0, 1.0} if bipolar else {0.0, 1.0})
    assert data.input_names == ("A", "B")[:inputs]
    for row, y in zip(data.x, data.y, strict=True):
        assert y == int(functions[gate](*(bool(value > 0) for value in row)))


def test_a_gate_may_be_written_in_capitals_and_a_wrong_one_is_named():
    assert load("gates", gate="AND").digest() == load("gates").digest()
    with pytest.raises(DataError, match=r"no gate 'nandd' \(did you mean 'nand'\?\); there are"):
        load("gates", gate="nandd")


def test_moons_are_two_half_circles_each_the_other_turned_around():
    data = load("moons", samples=100, noise=0.0)
    above, below = data.x[data.y == 0], data.x[data.y == 1]
    radius = np.hypot(*(above - (-1 / 3, -1 / 6)).T)
    assert radius == pytest.approx(np.full(50, 2 / 3))
    assert above[:, 1].min() >= -1 / 6 - 1e-12
    assert below == pytest.approx(-above)


def test_circles_have_radius_one_and_a_half():
    data = load("circles", samples=100, noise=0.0)
    assert np.hypot(*data.x.T) == pytest.approx(np.where(data.y == 0, 1.0, 0.5))
    assert len({tuple(row) for row in data.x.round(9)}) == 100


def test_the_spirals_wind_from_the_middle_to_radius_one_and_never_meet():
    data = load("spiral")
    one, other = data.x[data.y == 0], data.x[data.y == 1]
    assert len(one) == len(other) == 200
    assert np.hypot(*one.T) == pytest.approx(np.arange(1, 201) / 200)
    assert other == pytest.approx(-one)
    turned = np.unwrap(np.arctan2(*one.T))
    assert (turned[-1] - turned[0]) / (2 * np.pi) == pytest.approx(1.75 * 199 / 200)
    distances = np.linalg.norm(one[:, None] - other[None], axis=2)
    assert distances.min() > 0.009


def test_gaussians_stand_around_the_middle():
    data = load("gaussians", classes=5, samples=5000, noise=0.1)
    assert data.classes == 5
    centres = np.array([data.x[data.y == k].mean(axis=0) for k in range(5)])
    assert np.hypot(*centres.T) == pytest.approx(np.full(5, 0.6), abs=0.02)
    spread = np.concatenate([data.x[data.y == k] - centres[k] for k in range(5)])
    assert spread.std() == pytest.approx(0.1, rel=0.05)
    assert centres[0] == pytest.approx((0.6, 0), abs=0.02)


def test_without_noise_the_plane_is_one():
    data = load("plane", noise=0.0, a=2.0, b=-3.0, c=0.5, samples=50)
    assert data.y[:, 0] == pytest.approx(2 * data.x[:, 0] - 3 * data.x[:, 1] + 0.5)
    assert np.abs(data.x).max() <= 1
    assert data.task == "regression"


def test_without_noise_the_curve_is_a_wave():
    data = load("curve", noise=0.0, samples=500)
    assert data.x.shape == data.y.shape == (500, 1)
    assert data.y == pytest.approx(np.sin(np.pi * data.x))
    assert data.x.min() < -0.98
    assert data.x.max() > 0.98
    noisy = load("curve", noise=0.3, samples=500)
    assert (noisy.x == data.x).all()
    assert 0.25 < np.std(noisy.y - data.y) < 0.35


def test_noise_does_not_move_the_points_of_the_plane():
    exact, noisy = (load("plane", noise=noise, samples=2000) for noise in (0.0, 0.3))
    assert np.array_equal(exact.x, noisy.x)
    assert np.std(noisy.y - exact.y) == pytest.approx(0.3, rel=0.1)
