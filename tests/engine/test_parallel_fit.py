"""Branches side by side that do not fit each other or their data: what is said, and the mend."""

from typing import Any

import pytest
from branches import Layers, dense, experiment, parallel

from tui_nn_engine import Experiment
from tui_nn_engine.checks.misfits import Misfit, misfits
from tui_nn_engine.data.prepared import PreparedData, prepare


def data_of(one: Experiment) -> PreparedData:
    return prepare(one.data, one.seed, one.dtype)


def first(layers: Layers, data: Any = "diabetes", **rest: Any) -> Misfit:
    one = experiment(layers, data, **rest)
    return misfits(one, data_of(one))[0]


DIGITS = {"name": "digits", "flatten": False}


@pytest.mark.parametrize(
    ("layers", "data", "path", "message", "remedy"),
    [
        (
            [parallel("add", [], [dense(7)]), dense(1)],
            "diabetes",
            "layers[0].join",
            "add_1: all must have the same shape, but branch 1 gives (10,) and branch 2 gives (7,)",
            "set the units of the last layer of branch 2 to 10",
        ),
        (
            [parallel("add", [dense(4)], [{"type": "dropout"}], [dense(5)]), dense(1)],
            "diabetes",
            "layers[0].join",
            "branch 1 gives (4,), branch 2 gives (10,) and branch 3 gives (5,)",
            "end branch 2 in a dense layer of 4 units and set the units of the last layer of "
            "branch 3 to 4",
        ),
        (
            [parallel("concatenate", [], [{"type": "flatten"}]), dense(10)],
            DIGITS,
            "layers[0].join",
            "concatenate_1: only the last axis may differ, but branch 1 gives (8, 8) and branch 2 "
            "gives (64,)",
            "end each branch of more than one axis in a flatten layer",
        ),
        (
            [dense(2), parallel("concatenate", [], [{"type": "select", "columns": [0, 9]}])],
            "diabetes",
            "layers[1].branches[1].layers[0].columns",
            "there is no column 9: they count from 0, the last is 1",
            "",
        ),
        (
            [{"type": "select", "columns": [0, 1, 0]}, dense(1)],
            "diabetes",
            "layers[0].columns",
            "column 0 is listed twice",
            "",
        ),
        (
            [parallel("add", [dense(3)], [dense(3)])],
            "diabetes",
            "layers",
            "the network's output is (3,), but the targets of 'diabetes' need (1,)",
            "add a dense layer of 1 units at the end",
        ),
        (
            [parallel("concatenate", [], [dense(8)]), dense(10)],
            DIGITS,
            "layers[0].branches[1].layers[0]",
            "dense_1 gets samples of shape (8, 8)",
            "insert a flatten layer before it",
        ),
    ],
)
def test_what_does_not_fit_is_told_and_mended(
    layers: Layers, data: Any, path: str, message: str, remedy: str
):
    found = first(layers, data)
    assert found.path == path
    assert message in found.message
    assert found.remedy == remedy
    if remedy:
        assert found.fixed is not None
        left = misfits(found.fixed, data_of(found.fixed))
        assert found.path not in [one.path for one in left]


def test_a_branchs_name_is_used():
    block = parallel("add", [], [dense(7)])
    block["branches"][1]["name"] = "deep"
    found = first([block, dense(1)])
    assert "branch 2 (deep) gives (7,)" in found.message
    assert found.remedy == "set the units of the last layer of branch 2 (deep) to 10"


def test_the_output_is_what_comes_after_the_branches():
    """Two linear heads added, then the sigmoid: as in the paper."""
    heads = parallel("add", [dense(1, "linear")], [dense(4), dense(1, "linear")])
    circles = {"name": "circles", "samples": 20}
    found = first([heads], circles, loss="binary_crossentropy")
    assert (found.path, found.remedy) == ("layers", "use sigmoid")
    assert found.fixed is not None
    assert found.fixed.tree()["layers"][1:] == [{"type": "activation", "activation": "sigmoid"}]
    assert misfits(found.fixed, data_of(found.fixed)) == ()


def test_what_is_only_inside_is_found_too():
    noisy = [parallel("concatenate", [], [{"type": "dropout"}]), dense(1, "linear")]
    rest = {"optimizer": "lbfgs", "training": {"batch_size": 999}}
    found = first(noisy, **rest)
    assert (found.path, found.remedy) == ("layers[0].branches[1].layers[0]", "take it out")
    assert found.fixed is not None
    assert found.fixed.tree()["layers"][0]["branches"][1]["layers"] == []


def test_a_rule_teaches_no_layer_within_branches():
    layers = [parallel("add", [dense(1, "step")], [dense(1, "step")])]
    tree = experiment(layers).tree()
    del tree["loss"]
    one = Experiment.parse({**tree, "data": {"name": "gates"}, "rule": "perceptron"})
    found = [(one.path, one.fixed is not None) for one in misfits(one, data_of(one))]
    assert ("layers[0].branches[0].layers[0]", True) in found  # two learn: freeze one
    assert ("layers[0]", False) in found  # and what learns is not the end
