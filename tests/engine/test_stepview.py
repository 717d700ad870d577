"""What a step shows, against the numbers of the update worked out by hand."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.stepview import listing, step_view

TREE: dict[str, Any] = {
    "seed": 4,
    "dtype": "float64",
    "data": {"name": "moons", "samples": 12},
    "layers": [
        {"type": "dense", "units": 3, "activation": "tanh"},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": {"type": "half_squared_error"},
    "optimizer": {"type": "sgd", "learning_rate": 0.1},
    "training": {"epochs": 2, "batch_size": 4, "threads": 1},
}


def stepper(tree: dict[str, Any] = TREE) -> Stepper:
    return Stepper(Trainer(Experiment.parse(tree)))


def test_before_the_first_operation_nothing_is_known_but_weights_and_data() -> None:
    found = stepper()
    view = step_view(found, "dense_1", 0, 0)
    assert (view.iteration, view.cursor, view.batch) == (1, 0, 4)
    assert np.isnan([view.loss, view.sample_loss]).all()
    assert all(np.isnan(units).all() for units in view.units.values())
    assert np.isfinite(view.weights[:, 0]).all()
    assert np.isnan(view.weights[:, 1:]).all()
    assert np.isfinite([*view.x, *view.target]).all()


@pytest.mark.parametrize("sample", range(4))
@pytest.mark.parametrize("unit", range(3))
def test_a_whole_update_by_hand(unit: int, sample: int) -> None:
    found = stepper()
    before = found.before
    w1, b1 = before["dense_1.kernel"], before["dense_1.bias"]
    w2, b2 = before["dense_2.kernel"], before["dense_2.bias"]
    x, t = (np.array(slot.array, float) for slot in (found.program.x, found.program.y))
    found.go_to(len(found.ops))
    view = step_view(found, "dense_1", unit, sample)

    z1 = x @ w1 + b1
    h1 = np.tanh(z1)
    z2 = h1 @ w2 + b2
    h2 = 1 / (1 + np.exp(-z2))
    losses = 0.5 * ((h2 - t) ** 2).sum(axis=1)
    d2 = (h2 - t) * h2 * (1 - h2) / 4
    d1 = (d2 @ w2.T) * (1 - h1**2)
    np.testing.assert_allclose(view.loss, losses.mean())
    np.testing.assert_allclose(view.sample_loss, losses[sample])
    np.testing.assert_array_equal(view.x, x[sample])
    np.testing.assert_array_equal(view.target, t[sample])
    expected = np.stack([z1[sample], h1[sample], d1[sample]], axis=1)
    np.testing.assert_allclose(view.units["dense_1"], expected)
    expected = np.stack([z2[sample], h2[sample], d2[sample]], axis=1)
    np.testing.assert_allclose(view.units["dense_2"], expected)

    assert view.rows == (("kernel", 2), ("bias", 1))
    old = np.append(w1[:, unit], b1[unit])
    gradient = np.append(x.T @ d1[:, unit], d1[:, unit].sum())
    table = np.stack([old, gradient, -0.1 * gradient, old - 0.1 * gradient], axis=1)
    np.testing.assert_allclose(view.weights, table)
    assert set(view.kernels) == {"dense_1", "dense_2"}
    np.testing.assert_allclose(view.kernels["dense_1"], w1 - 0.1 * x.T @ d1)


def test_each_operation_makes_one_thing_known_and_going_back_takes_it_away() -> None:
    found = stepper()
    known = []
    views = []
    for cursor in range(len(found.ops) + 1):
        found.go_to(cursor)
        views.append(step_view(found, "dense_1", 0, 1))
        numbers = [*views[-1].units.values(), views[-1].weights]
        known.append(sum(np.isfinite(part).sum() for part in numbers))
    assert known == sorted(known)
    assert known[-1] > known[0]
    for cursor in reversed(range(len(found.ops) + 1)):
        found.go_to(cursor)
        view, before = step_view(found, "dense_1", 0, 1), views[cursor]
        np.testing.assert_array_equal(view.weights, before.weights)
        for name, units in view.units.items():
            np.testing.assert_array_equal(units, before.units[name])


def test_the_list_of_operations() -> None:
    found = stepper()
    said = listing(found)
    count = len(found.ops)
    of_operations = set(said.__slots__) - {"arrangement"}
    assert {len(getattr(said, name)) for name in of_operations} == {count}
    arrangement = said.arrangement
    layers = [name for name, _ in found.trainer.network.layers]
    assert list(arrangement.layers) == layers
    assert arrangement.sources == (("",), *((name,) for name in layers[:-1]))
    assert said.phases == tuple(
        sorted(said.phases, key=["forward", "loss", "backward", "update"].index)
    )
    assert said.names[0] == "matmul"
    assert said.inputs[0] == "x, dense_1.kernel"
    assert said.shapes[0] == "4 × 3"
    assert "scalar" in said.shapes


@pytest.mark.parametrize(("layer", "unit", "sample"), [("?", 99, 99), ("dense_1", -5, -5)])
def test_a_look_at_what_is_not_there_sees_the_nearest(layer: str, unit: int, sample: int) -> None:
    view = step_view(stepper(), layer, unit, sample)
    assert view.layer == ("dense_2" if layer == "?" else layer)
    assert view.unit == 0
    assert view.sample == (3 if sample > 0 else 0)


LAYERS: dict[str, list[dict[str, Any]]] = {
    "dense on the last axis of an image": [
        {"type": "dense", "units": 5, "activation": "relu"},
        {"type": "flatten"},
        {"type": "dense", "units": 10, "activation": "softmax"},
    ],
    "layers without parameters": [
        {"type": "flatten"},
        {"type": "dense", "units": 6},
        {"type": "activation", "activation": "relu"},
        {"type": "dropout", "rate": 0.3},
        {"type": "dropout", "rate": 0.0},
        {"type": "dense", "units": 10, "activation": "softmax", "use_bias": False},
    ],
    "frozen": [
        {"type": "flatten"},
        {"type": "dense", "units": 6, "kernel_trainable": False},
        {"type": "dense", "units": 10, "activation": "softmax", "bias_trainable": False},
    ],
}


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_any_network_can_be_looked_at_anywhere(layers: list[dict[str, Any]]) -> None:
    found = stepper(
        {
            **TREE,
            "data": {"name": "digits", "flatten": False},
            "layers": layers,
            "loss": {"type": "categorical_crossentropy"},
        }
    )
    shapes = {row.name: row.output_shape for row in found.trainer.network.summary()}
    for cursor in range(0, len(found.ops) + 1, 2):
        found.go_to(cursor)
        for name, shape in shapes.items():
            units = int(np.prod(shape))
            for unit in (0, units // 2, units - 1):
                view = step_view(found, name, unit, 2)
                assert view.unit == unit
                assert view.units[name].shape == (units, 3)
                kernel = found.before.get(f"{name}.kernel")
                assert view.weights.shape == (sum(count for _, count in view.rows), 4)
                if kernel is not None:
                    column = kernel[:, unit % kernel.shape[1]]
                    np.testing.assert_array_equal(view.weights[: len(kernel), 0], column)
    found.go_to(len(found.ops))
    for name in shapes:
        if not name.startswith("flatten") and found.program.slots().get(f"{name}.h"):
            assert np.isfinite(step_view(found, name, 0, 0).units[name][:, 1]).all()


def test_the_operation_looked_at_is_explained_for_unit_sample_and_weight() -> None:
    found = stepper()
    found.go_to(len(found.ops))
    first = step_view(found, "dense_1", 2, 3, source=1, operation=0).explanation
    assert first is not None
    assert first.lines[-1].left == "a5"
    last = step_view(found, "dense_1", 2, 3, source=1, notation=Notation("code"))
    assert last.explanation is not None
    assert last.explanation.operation == len(found.ops) - 1
    assert last.explanation.lines[-1].left == "new dense_1.kernel[1, 2]"
    assert last.source == 1
    assert step_view(found, "dense_1", 2, 3, source=99).source == 2  # the bias: the last row
    found.go_to(0)
    before = step_view(found, "dense_1", 2, 3).explanation
    assert before is not None
    assert (before.operation, before.lines[-1].result) == (0, "")


def test_units_of_1943_show_what_excites_what_inhibits_and_the_threshold() -> None:
    layer = {
        "type": "mcculloch_pitts",
        "units": 2,
        "excitatory": [[2, 0], [0, 1]],
        "inhibitory": [[0, 3], [1, 0]],
        "thresholds": [2, 1],
    }
    data = {"name": "given", "x": [[1, 0], [1, 1]], "y": [[1, 0], [0, 0]]}
    found = stepper({"data": data, "layers": [layer], "rule": {"type": "fixed"}})
    view = step_view(found, "mcculloch_pitts_1", 1, 0)
    assert view.rows == (("kernel", 2), ("inhibition", 2), ("threshold", 1))
    assert view.weights[:, 0].tolist() == [0, 1, 3, 0, 1]
    assert view.frozen.all()


def test_frozen_weights_are_told_from_those_not_computed_yet() -> None:
    layers = [{**TREE["layers"][0], "kernel_trainable": False}, TREE["layers"][1]]
    found = stepper({**TREE, "layers": layers})
    for done in (0, len(found.ops)):
        found.go_to(done)
        view = step_view(found, "dense_1", 1, 0)
        assert view.frozen.tolist() == [True, True, False]
        assert np.isnan(view.weights[:2, 1:3]).all()
    assert step_view(found, "dense_2", 0, 0).frozen.tolist() == [False] * 4
