"""Sequences prepared for training: targets a step, ranges by the feature, series split in time."""

from typing import Any, get_args

import numpy as np
import pytest

from tui_nn_datasets import NO_TARGET, DataError, entries
from tui_nn_engine import Experiment
from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.data.data_blocks import DATA_BLOCKS, ArrayData
from tui_nn_engine.data.prepared import PreparedData, prepare


def prepared(dtype: str = "float32", **data: Any) -> PreparedData:
    blocks = Experiment.parse(
        {
            "dtype": dtype,
            "data": data,
            "layers": [{"type": "dense", "units": 1}],
            "loss": {"type": "mean_squared_error"},
        }
    )
    return prepare(blocks.data, blocks.seed, blocks.dtype)


def test_every_data_set_has_a_block_that_offers_its_options() -> None:
    blocks = {name: b for b in DATA_BLOCKS for name in get_args(b.model_fields["name"].annotation)}
    for entry in entries():
        if entry.kind in {"sequences", "text"}:
            assert set(entry.options) <= set(blocks[entry.name].model_fields)


@pytest.mark.parametrize("name", ["parity", "reversing"])
def test_a_step_has_its_own_one_hot_row_and_none_behind_the_end(name: str) -> None:
    options: dict[str, Any] = {"targets": "every"} if name == "parity" else {"shortest": 2}
    data = prepared(name=name, samples=50, **options)
    y, classes = data.train.y, data.dataset.classes
    targets = data.targets(data.train, classes)
    assert targets.shape == (*y.shape, classes)
    assert targets.dtype == np.float32
    assert np.array_equal(targets.argmax(axis=2)[y != NO_TARGET], y[y != NO_TARGET])
    assert np.array_equal(targets.sum(axis=2), y != NO_TARGET)
    assert (y == NO_TARGET).any()
    assert data.dataset.steps == (y.shape[1],)
    assert data.outputs[-1] == classes


def test_two_classes_a_step_may_be_one_column() -> None:
    data = prepared(name="parity", samples=50, targets="every")
    column = data.targets(data.train, 1)
    assert np.array_equal(column[..., 0], np.maximum(data.train.y, 0))


def test_tokens_stay_whole_numbers() -> None:
    data = prepared(name="words", encoding="tokens")
    assert data.train.x.shape[1:] == (11,)
    assert data.train.x.dtype == np.float32
    assert np.array_equal(data.train.x, data.dataset.x[data.train.indices])


def test_a_sequence_of_numbers_is_scaled_by_the_feature_over_all_its_steps() -> None:
    data = prepared("float64", name="co2", differences=False, targets="every", horizon=2)
    x, y = data.dataset.x, data.dataset.y
    train = data.train.indices
    assert data.scaler.shift.shape == (1,)
    np.testing.assert_allclose(data.scaler.shift, x[train].mean())
    np.testing.assert_allclose(data.train.x, (x[train] - x[train].mean()) / x[train].std())
    targets = data.targets(data.train, 2)
    assert targets.shape == (len(train), 24, 2)
    shift, scale = y[train].mean(axis=(0, 1)), y[train].std(axis=(0, 1))
    np.testing.assert_allclose(targets, (y[train] - shift) / scale)
    np.testing.assert_allclose(data.target_scaler.invert(targets), y[train])


def test_a_series_is_split_in_time_with_no_target_in_two_parts() -> None:
    data = prepared(name="co2", horizon=3, validation_fraction=0.2, test_fraction=0.2)
    train, validation, test = (p.indices for p in (data.train, data.validation, data.test))
    assert train[0] == 0
    assert test[-1] == len(data.dataset.y) - 1
    assert validation[0] == train[-1] + 3
    assert test[0] == validation[-1] + 3
    assert len(test) == round(0.2 * len(data.dataset.y))


def test_rows_of_images_are_time_steps_where_they_are_not_flattened() -> None:
    data = prepared(name="digits", flatten=False)
    assert data.sample_shape == (8, 8)
    assert np.array_equal(
        data.train.x[0] * data.scaler.scale, data.dataset.x[data.train.indices[0]]
    )


def test_sequences_have_no_scaling_where_it_makes_no_sense() -> None:
    with pytest.raises(ExperimentError, match=r"data\.scaling: is not known here"):
        prepared(name="words", scaling="standardize")


def test_arrays_may_have_a_target_a_step() -> None:
    x = np.random.default_rng(0).normal(size=(6, 4, 2))
    classes = np.array([[0, 2, 1, NO_TARGET]] * 6)
    rows = np.eye(3)[np.maximum(classes, 0)] * (classes >= 0)[..., None]
    block = ArrayData(name="arrays")
    data = prepare(block, 0, "float32", (x, rows))
    assert data.dataset.y.tolist() == classes.tolist()
    assert data.outputs == (3,)
    numbers = prepare(block, 0, "float32", (x, x[..., :1] * 2))
    assert (numbers.dataset.task, numbers.dataset.steps) == ("regression", (4,))
    np.testing.assert_allclose(numbers.targets(numbers.train, 1), x[..., :1] * 2, rtol=1e-6)
    with pytest.raises(DataError, match="not finite"):
        prepare(block, 0, "float32", (x, np.full((6, 4, 1), np.inf)))
