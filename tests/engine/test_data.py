"""Data prepared for training: split by the seed, scaled by the training part, targets encoded."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_nn_datasets import DataError, load
from tui_nn_engine import Experiment
from tui_nn_engine.data.prepared import PreparedData, prepare
from tui_nn_engine.data.scaling import Scaler


def prepared(
    seed: int = 0, dtype: str = "float32", arrays: Any = None, **data: Any
) -> PreparedData:
    blocks = Experiment.parse(
        {
            "seed": seed,
            "dtype": dtype,
            "data": data,
            "layers": [{"type": "dense", "units": 1}],
            "loss": {"type": "mean_squared_error"},
        }
    )
    return prepare(blocks.data, blocks.seed, blocks.dtype, arrays)


# -- splits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iris", "diabetes", "moons", "digits"])
def test_the_parts_are_disjoint_and_hold_every_sample(name: str) -> None:
    data = prepared(name=name, validation_fraction=0.2, test_fraction=0.3)
    parts = (data.train, data.validation, data.test)
    indices = np.concatenate([part.indices for part in parts])
    assert sorted(indices) == list(range(len(data.dataset.y)))
    assert len(data.test) == round(0.3 * len(indices))
    assert len(data.validation) == round(0.2 * (len(indices) - len(data.test)))
    for part in parts:
        assert len(part) == len(part.x) == len(part.y)
        assert np.array_equal(part.y, data.dataset.y[part.indices])


def test_each_part_has_its_share_of_each_class() -> None:
    data = prepared(name="iris", validation_fraction=0.2, test_fraction=0.2)
    for part, share in ((data.train, 32), (data.validation, 8), (data.test, 10)):
        assert np.bincount(part.y).tolist() == [share] * 3


def test_splits_follow_the_seed() -> None:
    one, same, other = (prepared(seed, name="iris") for seed in (1, 1, 2))
    assert np.array_equal(one.test.indices, same.test.indices)
    assert np.array_equal(one.validation.indices, same.validation.indices)
    assert not np.array_equal(one.test.indices, other.test.indices)
    assert one.sha256 == other.sha256


def test_a_test_part_of_the_sets_own_is_kept_apart() -> None:
    data = prepared(name="mnist_small", validation_fraction=0.1)
    assert data.dataset.x_test is not None
    assert (len(data.train), len(data.validation), len(data.test)) == (9000, 1000, 2000)
    assert np.array_equal(data.test.y, data.dataset.y_test)
    pixels = data.dataset.x_test.reshape(2000, 784)
    np.testing.assert_allclose(data.test.x * 255, pixels, atol=1e-4)


def test_without_fractions_all_is_for_training() -> None:
    data = prepared(name="xor")
    assert (len(data.train), len(data.validation), len(data.test)) == (4, 0, 0)


# -- scaling --------------------------------------------------------------------------------------


def test_standardizing_is_fitted_on_the_training_part_alone() -> None:
    data = prepared(name="iris", dtype="float64", scaling="standardize")
    np.testing.assert_allclose(data.train.x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.train.x.std(axis=0), 1, rtol=1e-12)
    raw = data.dataset.x
    shift, scale = raw[data.train.indices].mean(axis=0), raw[data.train.indices].std(axis=0)
    for part in (data.train, data.validation, data.test):
        np.testing.assert_allclose(part.x, (raw[part.indices] - shift) / scale, rtol=1e-12)
    assert abs(data.test.x.mean(axis=0)).max() > 0.01


def test_minmax_is_fitted_on_the_training_part_alone() -> None:
    x = np.arange(40.0).reshape(20, 2) ** 2
    data = prepared(
        name="arrays", arrays=(x, np.arange(20) % 2), test_fraction=0.5, scaling="minmax"
    )
    assert data.train.x.min(axis=0).tolist() == [0, 0]
    assert data.train.x.max(axis=0).tolist() == [1, 1]
    train, test = x[data.train.indices], x[data.test.indices]
    expected = (test - train.min(axis=0)) / (train.max(axis=0) - train.min(axis=0))
    np.testing.assert_allclose(data.test.x, expected, rtol=1e-6)


def test_images_share_one_range() -> None:
    data = prepared(name="digits", scaling="minmax")
    assert (data.train.x.min(), data.train.x.max()) == (0, 1)
    assert data.scaler.scale.shape == (1,)
    assert (data.train.x.max(axis=0) < 1).any()  # by the pixel, every one would reach 1


def test_a_constant_column_becomes_zero() -> None:
    x = np.column_stack([np.full(10, 7.0), np.arange(10.0)])
    for scaling in ("minmax", "standardize"):
        data = prepared(name="arrays", arrays=(x, np.arange(10) % 2), scaling=scaling)
        assert data.train.x[:, 0].tolist() == [0] * 10
        assert np.isfinite(data.train.x).all()


def test_small_differences_of_large_numbers_survive_float32() -> None:
    x = 1e9 + np.arange(10.0)[:, None]
    data = prepared(name="arrays", arrays=(x, np.arange(10) % 2), scaling="minmax")
    np.testing.assert_allclose(data.train.x[:, 0], np.arange(10) / 9, rtol=1e-6)


def test_values_too_large_for_float32_are_refused() -> None:
    arrays = (np.array([[1e39], [2e39]]), np.array([0, 1]))
    with pytest.raises(DataError, match="too large for float32; scale them, or set dtype"):
        prepared(name="arrays", arrays=arrays)
    assert prepared(name="arrays", arrays=arrays, scaling="minmax").train.x.tolist() == [[0], [1]]
    assert prepared(name="arrays", arrays=arrays, dtype="float64").train.x.max() == 2e39


@pytest.mark.parametrize("kind", ["none", "minmax", "standardize"])
def test_scaling_back_gives_the_data(kind: str) -> None:
    x = np.random.default_rng(0).normal(50, 20, (30, 3))
    scaler = Scaler.fit(kind, x, whole=False)
    np.testing.assert_allclose(scaler.invert(scaler.apply(x, "float64")), x, rtol=1e-12)
    assert scaler.apply(x, "float32").dtype == np.float32


@pytest.mark.parametrize("unit", [1e200, 1e-200, 1e-320])
def test_columns_in_any_unit_are_standardized_alike(unit: float) -> None:
    x = np.stack([np.arange(40.0) * unit, np.arange(40.0)], axis=1)
    scaler = Scaler.fit("standardize", x, whole=False)
    both = scaler.apply(x, "float64")
    np.testing.assert_allclose(both[:, 0], both[:, 1], rtol=1e-3)


def test_the_data_itself_is_never_scaled() -> None:
    x, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    before = x.copy()
    data = prepared(name="arrays", dtype="float64", arrays=(x, y), scaling="standardize")
    assert np.array_equal(x, before)
    assert np.array_equal(data.dataset.x, before)


# -- targets --------------------------------------------------------------------------------------


def test_classes_are_one_hot_rows_or_one_column() -> None:
    data = prepared(name="xor")
    assert data.outputs == (1, 2)
    y = data.train.y
    assert data.targets(data.train, 1).tolist() == [[float(c)] for c in y]
    assert data.targets(data.train, 2).tolist() == np.eye(2)[y].tolist()
    assert data.targets(data.train, 2).dtype == np.float32
    iris = prepared(name="iris")
    assert iris.outputs == (3,)
    assert np.array_equal(iris.targets(iris.test, 3), np.eye(3)[iris.test.y])


def test_bipolar_targets_are_minus_and_plus_one() -> None:
    data = prepared(name="gates", gate="or", bipolar_targets=True)
    assert sorted(data.targets(data.train, 1)[:, 0]) == [-1, 1, 1, 1]
    assert sorted(data.targets(data.train, 2)[:, 0]) == [-1, -1, -1, 1]


def test_regression_targets_are_standardized_by_the_training_part() -> None:
    data = prepared(name="diabetes", dtype="float64")
    train = data.targets(data.train, 1)
    np.testing.assert_allclose([train.mean(), train.std()], [0, 1], atol=1e-12)
    np.testing.assert_allclose(data.target_scaler.invert(train), data.train.y, rtol=1e-12)
    plain = prepared(name="diabetes", scaling="none")
    assert np.array_equal(plain.targets(plain.train, 1), plain.train.y.astype(np.float32))


# -- shapes and sources ---------------------------------------------------------------------------


def test_flattening_changes_the_shape_alone() -> None:
    flat, square = prepared(name="digits"), prepared(name="digits", flatten=False)
    assert (flat.sample_shape, square.sample_shape) == ((64,), (8, 8))
    assert np.array_equal(flat.train.x, square.train.x.reshape(-1, 64))
    assert flat.sha256 == square.sha256


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_are_contiguous_and_of_the_experiments_dtype(dtype: str) -> None:
    for name in ("digits", "iris", "diabetes", "spiral"):
        data = prepared(name=name, dtype=dtype)
        for part in (data.train, data.validation, data.test):
            assert part.x.dtype == data.dtype == dtype
            assert part.x.flags.c_contiguous
            assert data.targets(part, data.outputs[0]).dtype == dtype


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    rows = "\n".join(f"{i},{i * i},{'yes' if i % 3 else 'no'}" for i in range(30))
    path.write_text(f"a,b,bought\n{rows}\n")
    data = prepared(name="csv", path=str(path), test_fraction=0.2, validation_fraction=0)
    assert data.dataset.target_names == ("no", "yes")
    assert (len(data.train), len(data.test), data.sample_shape) == (24, 6, (2,))
    path.write_text("a,b\n" + "\n".join(f"{i},{i / 7}" for i in range(30)) + "\n")
    numbers = prepared(name="csv", path=str(path), target="b")
    assert (numbers.dataset.task, numbers.outputs) == ("regression", (1,))
    with pytest.raises(DataError, match=r"none\.csv"):
        prepared(name="csv", path=str(tmp_path / "none.csv"))


def test_samples_written_in_the_experiment() -> None:
    data = prepared(name="given", x=[[0, 1], [2, 3], [4, 5]], y=[0, 1, 0])
    assert data.train.x.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert data.targets(data.train, 1).tolist() == [[0], [1], [0]]
    numbers = prepared(name="given", x=[[0], [1]], y=[[0.5, 2], [1.5, 3]])
    assert numbers.outputs == (2,)


def test_arrays_need_to_be_given() -> None:
    with pytest.raises(DataError, match=r"Trainer\(experiment, data=\(x, y\)\)"):
        prepared(name="arrays")


def test_arrays_replace_whatever_the_experiment_names() -> None:
    x, y = np.random.default_rng(0).normal(size=(50, 4)), np.arange(50) % 3
    data = prepared(name="iris", arrays=(x, y))
    assert data.sha256 != load("iris").digest()
    assert (len(data.train), len(data.validation), len(data.test)) == (36, 4, 10)


def test_one_hot_rows_count_classes_that_never_appear() -> None:
    rows = np.eye(4)[[0, 1, 2, 1]]
    data = prepared(name="arrays", arrays=(np.zeros((4, 1)), rows))
    assert data.outputs == (4,)
    assert data.train.y.tolist() == [0, 1, 2, 1]


@pytest.mark.parametrize(("value", "task"), [(1.0, "multilabel"), (0.5, "regression")])
def test_rows_that_are_not_one_hot_are_labels_or_numbers_to_predict(value: float, task: str):
    rows = np.array([[0.0, 1.0], [value, 1.0], [0.0, 0.0]])
    data = prepared(name="arrays", arrays=(np.zeros((3, 1)), rows))
    assert data.dataset.task == task
    assert data.outputs == (2,)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((3, 2)), np.zeros(4, int), "3 samples but 4 targets"),
        (np.zeros(3), np.zeros(3, int), "each sample as a list of its own"),
        (np.array([[np.nan], [1.0]]), np.array([0, 1]), "not finite"),
        (np.array([["a"], ["b"]]), np.array([0, 1]), "must be numbers"),
    ],
)
def test_arrays_that_dont_fit_are_refused(x: Any, y: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        prepared(name="arrays", arrays=(x, y))


@pytest.mark.parametrize(
    ("block", "title"),
    [
        ({"name": "iris"}, "iris"),
        ({"name": "csv", "path": "tables/houses.csv"}, "houses.csv"),
        ({"name": "text", "path": "poem.txt"}, "poem.txt"),
    ],
)
def test_data_of_ones_own_are_called_like_their_file(block: dict[str, str], title: str):
    experiment = {"data": block, "layers": [{"type": "dense", "units": 1}], "loss": "mse"}
    assert Experiment.parse(experiment).data.title == title
