import numpy as np
import pytest

from tui_nn_datasets import DataError, load


def test_the_worked_example_of_one_sample():
    data = load("given", x=[[1, 0, 1]], y=[[1]])
    assert data.x.tolist() == [[1.0, 0.0, 1.0]]
    assert data.x.dtype == np.float64
    assert data.y.tolist() == [[1.0]]
    assert (data.task, data.input_names, data.target_names) == (
        "regression",
        ("x1", "x2", "x3"),
        ("y",),
    )


@pytest.mark.parametrize(
    ("y", "task", "expected"),
    [
        ([0, 1], None, "classification"),
        ([0, 25], None, "regression"),
        ([0, 25], "classification", "classification"),
        ([-1, 1], None, "regression"),
        ([0.5, 1], None, "regression"),
        ([0, 1], "regression", "regression"),
        ([[0], [1]], None, "regression"),
        (["no", "yes"], None, "classification"),
    ],
)
def test_the_task_is_told_from_the_targets_unless_it_is_said(y, task, expected):
    assert load("given", x=[[0], [1]], y=y, task=task).task == expected


def test_classes_keep_their_numbers_and_names_are_sorted():
    numbers = load("given", x=[[0], [1]], y=[2, 2])
    assert numbers.y.tolist() == [2, 2]
    assert numbers.target_names == ("0", "1", "2")
    names = load("given", x=[[0], [1], [2]], y=["b", "a", "b"])
    assert names.y.tolist() == [1, 0, 1]
    assert names.target_names == ("a", "b")
    assert load("given", x=[[0]], y=[0]).classes == 2


def test_several_outputs_and_samples_of_higher_rank():
    data = load("given", x=[[[1, 2], [3, 4]]], y=[[1, 2, 3]])
    assert (data.shape, data.input_names) == ((2, 2), ())
    assert data.target_names == ("y1", "y2", "y3")
    assert not data.is_image


@pytest.mark.parametrize(
    ("x", "y", "task", "message"),
    [
        ([1, 2], [0, 1], None, "write each sample as a list of its own"),
        ([[1], [2, 3]], [0, 1], None, "given x: must be numbers"),
        ([["a"], ["b"]], [0, 1], None, "given x: must be numbers"),
        ([[1], [2]], [0, "b"], None, "given y: must be numbers"),
        ([[1], [2]], ["a", "b"], "regression", "a regression needs numbers"),
        ([[1], [2]], ["a", "a"], None, "two classes are needed"),
        ([[1], [2]], [0.5, 1], "classification", "classes are whole numbers from 0"),
        ([[1], [2]], [0, 10**9], "classification", "classes are whole numbers from 0"),
        ([[1], [2]], [[0], [1]], "classification", "classes are whole numbers from 0"),
        ([[1], [2]], [[[0]], [[1]]], None, "a list of numbers, or a list of lists"),
        ([[1], [2]], [0], None, "2 samples but 1 targets"),
        ([[1], [float("nan")]], [0, 1], None, "not finite"),
        ([[1], [2]], [[0.5], [float("inf")]], None, "target of sample 1 is not finite"),
        ([], [], None, "write each sample"),
        ([[10**30], [2]], [0, 1], None, "given x: must be numbers"),
        ("abc", [0], None, r"given x: must be a list \(is 'abc'\)"),
        ([[1]], 1, None, r"given y: must be a list \(is 1\)"),
    ],
)
def test_what_is_no_table_is_refused(x, y, task, message):
    with pytest.raises(DataError, match=message):
        load("given", x=x, y=y, task=task)
