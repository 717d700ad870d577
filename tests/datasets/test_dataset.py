from dataclasses import replace

import numpy as np
import pytest

from tui_nn_datasets import DataError, Dataset, load

TABLE = Dataset(
    name="small",
    task="classification",
    x=np.array([[1.0, 2.0], [3.0, 4.0]]),
    y=np.array([0, 1]),
    input_names=("a", "b"),
    target_names=("no", "yes"),
    source="here",
    licence="none",
    description="two rows",
)


def test_classes_and_shape():
    assert (TABLE.classes, TABLE.shape, TABLE.is_image) == (2, (2,), False)
    regression = replace(TABLE, task="regression", y=np.ones((2, 3)), target_names=("p", "q", "r"))
    assert regression.classes == 0
    digits = load("digits")
    assert (digits.classes, digits.shape, digits.is_image) == (10, (8, 8), True)


def test_the_digest_is_that_of_the_content_alone():
    other_names = replace(TABLE, name="other", input_names=("c", "d"), source="there")
    assert TABLE.digest() == other_names.digest()
    column_major = replace(TABLE, x=np.asfortranarray(TABLE.x))
    assert TABLE.digest() == column_major.digest()
    big_endian = replace(TABLE, x=TABLE.x.astype(">f8"))
    assert TABLE.digest() == big_endian.digest()


@pytest.mark.parametrize(
    "change",
    [
        {"x": np.array([[1.0, 2.0], [3.0, 4.5]])},
        {"x": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)},
        {"x": np.array([[[1.0], [2.0]], [[3.0], [4.0]]]), "input_names": ()},
        {"y": np.array([1, 0])},
        {"x_test": np.array([[1.0, 2.0]]), "y_test": np.array([0])},
    ],
)
def test_the_digest_tells_other_content(change):
    assert TABLE.digest() != replace(TABLE, **change).digest()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": np.array([0])}, "training part: 2 samples but 1 targets"),
        ({"x": np.empty((0, 2)), "y": np.empty(0, np.int64)}, "no values"),
        ({"x": np.empty((2, 0)), "input_names": ()}, "no values"),
        ({"y": np.array([0, 2])}, r"classes must be 0\.\.1, but the targets go from 0 to 2"),
        ({"y": np.array([-1, 0])}, "targets go from -1 to 0"),
        ({"y": np.array([0.0, 1.0])}, "classes must be int64"),
        ({"input_names": ("a",)}, "1 names for samples of"),
        ({"x": np.array([[1.0, 2.0], [np.nan, 4.0]])}, "sample 1 holds a value that is not finite"),
        ({"task": "regression"}, r"must be float64 \(samples, 2\)"),
        ({"task": "regression", "y": np.full((2, 2), np.inf)}, "target of sample 0 is not finite"),
        ({"x_test": np.array([[1.0, 2.0]])}, "both inputs and targets"),
        ({"x_test": np.array([[1.0, 2.0]]), "y_test": np.array([5])}, "test part: classes"),
    ],
)
def test_what_does_not_fit_together_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        replace(TABLE, **change)
