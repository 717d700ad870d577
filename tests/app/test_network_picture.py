"""What the picture of the network shows: weights, the explained value, and what it comes from."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from tui_nn.widgets.canvas import Canvas
from tui_nn.widgets.moment import Moment
from tui_nn.widgets.network_diagram import LIT, REST, TOUCHING, _along, _rank, _weight
from tui_nn.widgets.network_diagram import Connection as Line
from tui_nn.widgets.neuron_card import said
from tui_nn.widgets.spotlight import Spotlight, spotlight
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.stepview import listing, step_view
from tui_nn_engine.training.trainer import Trainer

NETWORK: Mapping[str, Any] = {
    "dtype": "float64",
    "data": {"name": "given", "x": [[1, 0, 1], [0, 1, 1]], "y": [[1], [0]]},
    "layers": [
        {"type": "dense", "units": 2, "activation": "sigmoid"},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": {"type": "half_squared_error"},
    "optimizer": {"type": "sgd", "learning_rate": 0.9},
    "training": {"epochs": 3, "batch_size": 2},
}
FIRST, LAST = "dense_1", "dense_2"


@pytest.fixture
def stepper() -> Stepper:
    return Stepper(Trainer(Experiment.parse(dict(NETWORK))))


def moment(stepper: Stepper, layer: str, unit: int, operation: int, source: int = 0) -> Moment:
    view = step_view(stepper, layer, unit, 0, source, operation)
    return Moment(view, listing(stepper), operation=operation)


def place(stepper: Stepper, output: str) -> int:
    return listing(stepper).outputs.index(output)


@pytest.mark.parametrize(
    ("output", "layer", "wanted"),
    [
        ("dense_1.xW", FIRST, Spotlight((FIRST, 1), "z", into=True)),
        ("dense_1.z", FIRST, Spotlight((FIRST, 1), "z", into=True)),
        ("dense_1.h", FIRST, Spotlight((FIRST, 1), "h")),
        ("dense_2.h", FIRST, None),
        ("dE/d(dense_1.z)", FIRST, Spotlight((FIRST, 1), "error")),
        ("dE/d(dense_1.kernel)", FIRST, Spotlight((FIRST, 1))),
        ("dE/d(dense_1.bias)", FIRST, Spotlight((FIRST, 1), "bias")),
        ("dE/d(dense_1.h)", LAST, Spotlight((FIRST, 0), "error", out=True)),
    ],
)
def test_what_is_explained_has_its_place(
    stepper: Stepper, output: str, layer: str, wanted: Spotlight | None
) -> None:
    unit = 1 if layer == FIRST else 0
    assert spotlight(moment(stepper, layer, unit, place(stepper, output))) == wanted


def test_a_net_input_comes_from_all_that_feeds_the_neuron(stepper: Stepper) -> None:
    shown = moment(stepper, FIRST, 1, place(stepper, "dense_1.xW"))
    light = spotlight(shown)
    ranks = {(a, b): _rank(shown, light, (("", a), (FIRST, b))) for a in range(3) for b in range(2)}
    assert [ranks[a, 1] for a in range(3)] == [LIT] * 3
    assert [ranks[a, 0] for a in range(3)] == [REST] * 3
    assert _rank(shown, light, ((FIRST, 1), (LAST, 0))) == TOUCHING


def test_a_weights_gradient_lights_that_weight_alone(stepper: Stepper) -> None:
    shown = moment(stepper, FIRST, 1, place(stepper, "dE/d(dense_1.kernel)"), source=2)
    light = spotlight(shown)
    ranks = [_rank(shown, light, (("", a), (FIRST, 1))) for a in range(3)]
    assert ranks == [TOUCHING, TOUCHING, LIT]


def test_every_connection_has_its_weight_and_the_new_one_in_the_end(stepper: Stepper) -> None:
    edges = [(("", a), (FIRST, b)) for a in range(3) for b in range(2)]
    before = stepper.before["dense_1.kernel"]
    shown = moment(stepper, LAST, 0, 0)
    texts = [float(_weight(shown, edge)) for edge in edges]
    assert texts == pytest.approx(before.ravel(), rel=1e-3)
    stepper.go_to(len(stepper.ops))
    shown = moment(stepper, LAST, 0, 0)
    after = stepper.trainer.parameters.views["dense_1.kernel"]
    texts = [float(_weight(shown, edge)) for edge in edges]
    assert texts == pytest.approx(after.ravel(), rel=1e-3)
    assert not np.allclose(before, after)


def test_labels_stand_apart_or_not_at_all() -> None:
    canvas = Canvas(30, 12)
    lines = [
        Line((("", a), (FIRST, b)), 3, y, 25, z)
        for a, y in enumerate((2, 6, 10))
        for b, z in enumerate((3, 9))
    ]
    texts = {line.edge: "-0.123" for line in lines}
    labels = _along(canvas, lines, texts)
    assert labels is not None
    cells = {(label.y, label.x + i) for label in labels for i in range(len(label.text))}
    assert len(cells) == sum(len(label.text) for label in labels)
    narrow = [line._replace(x2=8) for line in lines]
    assert _along(canvas, narrow, texts) is None


def test_units_are_numbered_through_as_in_the_engines_names(stepper: Stepper) -> None:
    shown = moment(stepper, FIRST, 1, place(stepper, "dense_1.h"))
    assert shown.number("", 0) == 1
    assert [shown.number(FIRST, 0), shown.number(FIRST, 1), shown.number(LAST, 0)] == [4, 5, 6]
    assert shown.view.explanation is not None
    assert shown.view.explanation.lines[-1].left == "h5"
    assert [shown.weight_label(row) for row in range(4)] == ["w15", "w25", "w35", "b5"]
    code = Moment(shown.view, shown.listing, Notation("code"))
    assert [code.weight_label(row) for row in (2, 3)] == ["kernel[2, 1]", "bias[1]"]
    assert code.weight_name == "dense_1.kernel[0, 1]"


def test_formulas_follow_the_sign(stepper: Stepper) -> None:
    shown = moment(stepper, FIRST, 1, 0)
    with_e = Moment(shown.view, shown.listing, Notation(error="e"))
    assert any("δ" in formula for formula in shown.formulas)
    assert not any("δ" in formula for formula in with_e.formulas)
    assert "∂E/∂W = −xᵀe" in with_e.formulas


@pytest.mark.parametrize(
    ("data", "activation", "loss", "wanted"),
    [
        ("iris", "softmax", "categorical_crossentropy", {"class 0", "class 1", "class 2"}),
        ("venn", "sigmoid", "binary_crossentropy", {"0, 0, … (3)", "1, 0, … (3)", "0, 1, … (3)"}),
    ],
)
def test_a_single_label_is_not_taken_for_a_class(
    data: str, activation: str, loss: str, wanted: set[str]
) -> None:
    layers = [{"type": "dense", "units": 3, "activation": activation}]
    tree = {"data": {"name": data}, "layers": layers, "loss": loss}
    stepper = Stepper(Trainer(Experiment.parse(tree)))
    views = (step_view(stepper, FIRST, 0, sample) for sample in range(stepper.program.batch))
    assert wanted <= {said(Moment(view, listing(stepper))) for view in views}
