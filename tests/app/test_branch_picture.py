"""The picture of a network with branches: lanes, connections, ways around, what is explained."""

from typing import Any

import numpy as np
import pytest
from branches import dense, parallel
from textual.app import App, ComposeResult

from tui_nn.widgets.moment import Moment
from tui_nn.widgets.network_columns import place_columns
from tui_nn.widgets.network_diagram import LIT, NetworkDiagram, _rank
from tui_nn.widgets.network_layout import WHOLE, Layout
from tui_nn.widgets.spotlight import Spotlight, spotlight
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.stepview import Arrangement, listing, step_view

WIDE_AND_DEEP = [parallel("concatenate", [], [dense(3), dense(2)]), dense(1, "linear")]
RESIDUAL = [dense(3), parallel("add", [], [dense(4), dense(3, "linear")]), dense(1, "linear")]
PICKED = [
    parallel(
        "concatenate",
        [{"type": "select", "columns": [2, 0]}],
        [dense(2), parallel("add", [], [dense(2)])],
    ),
    dense(1, "linear"),
]


def stepper_of(layers: list[dict[str, Any]]) -> Stepper:
    random = np.random.default_rng(0)
    tree = {
        "dtype": "float64",
        "data": {"name": "arrays"},
        "layers": layers,
        "loss": "mean_squared_error",
        "training": {"batch_size": 4, "threads": 1},
    }
    data = random.normal(size=(4, 3)), random.normal(size=(4, 1))
    found = Stepper(Trainer(Experiment.parse(tree), data=data))
    found.go_to(len(found.ops))
    return found


def moment(stepper: Stepper, layer: str, unit: int, output: str, source: int = 0) -> Moment:
    operation = listing(stepper).outputs.index(output)
    view = step_view(stepper, layer, unit, 0, source, operation)
    return Moment(view, listing(stepper), operation=operation)


def layout_of(layers: list[dict[str, Any]]) -> Layout:
    return Layout(listing(stepper_of(layers)).arrangement)


def test_ranks_count_layers_on_the_longest_way():
    ranks = layout_of(PICKED).ranks
    assert ranks == {
        "": 0, "select_1": 1, "dense_1": 1, "dense_2": 2, "add_1": 3, "concatenate_1": 4,
        "dense_3": 5,
    }  # fmt: skip


def test_branches_have_lanes_one_below_the_other_and_empty_ones_narrow_ones():
    layout = layout_of(PICKED)
    lanes = layout.lanes
    assert lanes[""] == lanes["concatenate_1"] == lanes["dense_3"] == WHOLE
    assert (lanes["select_1"].top, lanes["select_1"].bottom) == (0, 0.5)
    assert (lanes["dense_1"].top, lanes["dense_1"].bottom) == (0.5, 1)
    narrow, broad = layout.way("add_1", 0), layout.way("add_1", 1)
    assert (narrow.top, narrow.bottom) == (0.5, 0.625)
    assert broad == lanes["dense_2"]


def test_a_plain_network_is_one_lane():
    layout = Layout(
        Arrangement(("a", "b"), ("layers[0]", "layers[1]"), (("",), ("a",)), (1, 2), (), ())
    )
    assert set(layout.lanes.values()) == {WHOLE}
    assert layout.ranks == {"": 0, "a": 1, "b": 2}


class Picture(App[None]):
    def __init__(self, shown: Moment) -> None:
        super().__init__()
        self.shown = shown

    def compose(self) -> ComposeResult:
        yield NetworkDiagram()

    def on_mount(self) -> None:
        self.diagram.show(self.shown)

    @property
    def diagram(self) -> NetworkDiagram:
        return self.query_one(NetworkDiagram)

    def edges(self) -> dict[Any, Any]:
        return {line.edge: line.way for line in self.diagram._connections(self.shown)}


async def test_a_skip_goes_around_the_layers_between():
    shown = moment(stepper_of(RESIDUAL), "add_1", 1, "add_1.h")
    app = Picture(shown)
    async with app.run_test(size=(130, 30)):
        edges = app.edges()
        left, rows = {}, {}
        for x, column in app.diagram._placed:
            left[column.layer] = x
            rows[column.layer] = [node.middle for node in column.nodes]
        skips = {unit: edges[("dense_1", unit), ("add_1", unit)] for unit in range(3)}
        for row, start, end in skips.values():
            assert row < min(rows["dense_2"])
            assert start == left["dense_2"]
            assert end > left["dense_3"]
        assert edges[("dense_3", 2), ("add_1", 2)] is None
        assert (("dense_3", 2), ("add_1", 1)) not in edges
        assert len([edge for edge in edges if edge[1][0] == "dense_2"]) == 12


async def test_picked_columns_and_branches_side_by_side_are_connected_to_what_they_are():
    app = Picture(moment(stepper_of(PICKED), "concatenate_1", 1, "concatenate_1.h"))
    async with app.run_test(size=(150, 30)):
        edges = app.edges()
        assert (("", 2), ("select_1", 0)) in edges
        assert (("", 0), ("select_1", 1)) in edges
        assert (("", 1), ("select_1", 1)) not in edges
        into = sorted(edge[0] for edge in edges if edge[1][0] == "concatenate_1")
        assert into == [("add_1", 0), ("add_1", 1), ("select_1", 0), ("select_1", 1)]
        assert (("add_1", 0), ("concatenate_1", 2)) in edges


@pytest.mark.parametrize("layers", [WIDE_AND_DEEP, RESIDUAL, PICKED])
@pytest.mark.parametrize("size", [(150, 40), (78, 14), (40, 8), (12, 3), (3, 2)])
async def test_any_size_shows_the_chosen_layer(layers: Any, size: tuple[int, int]):
    stepper = stepper_of(layers)
    for layer, _ in stepper.trainer.network.layers:
        shown = moment(stepper, layer, 0, "loss.E")
        stacks = place_columns(shown, *size)
        assert layer in [column.layer for stack in stacks for column in stack]
        app = Picture(shown)
        async with app.run_test(size=size):
            assert len(app.diagram._strips) == size[1]


def test_what_is_joined_is_lit_with_all_it_comes_from():
    stepper = stepper_of(RESIDUAL)
    shown = moment(stepper, "add_1", 1, "add_1.h")
    light = spotlight(shown)
    assert light == Spotlight(("add_1", 1), "h", into=True)
    for source in ("dense_1", "dense_3"):
        assert _rank(shown, light, ((source, 1), ("add_1", 1))) == LIT


@pytest.mark.parametrize(
    ("layers", "layer", "unit", "output", "wanted"),
    [
        (RESIDUAL, "add_1", 2, "dE/d(dense_3.z)", Spotlight(("dense_3", 2), "error", out=True)),
        (PICKED, "concatenate_1", 2, "dE/d(add_1.h)", Spotlight(("add_1", 0), "error", out=True)),
        (
            WIDE_AND_DEEP,
            "concatenate_1",
            4,
            "dE/d(dense_2.h)",
            Spotlight(("dense_2", 1), "error", out=True),
        ),
    ],
)
def test_errors_go_back_to_the_unit_they_belong_to(
    layers: Any, layer: str, unit: int, output: str, wanted: Spotlight
):
    shown = moment(stepper_of(layers), layer, unit, output)
    assert spotlight(shown) == wanted
    name, place = wanted.unit
    explanation = shown.view.explanation
    assert explanation is not None
    assert explanation.lines[-1].left.endswith(str(shown.number(name, place)))
