"""Branches in Build: listed as they are, and built with the keys that build layers."""

from typing import Any

import pytest
from textual.app import App
from textual.widgets import Input, OptionList, Select
from waiting import form_stands, until

from tui_nn.draft import Draft
from tui_nn.forms.field import Field
from tui_nn.forms.parts import PartList, new_layer, outline, part_at, parts_of
from tui_nn.forms.picker import Picker
from tui_nn.modes.build import Build
from tui_nn.outline import outline as short_outline
from tui_nn.review import review
from tui_nn.sequence_starters import sequence_starters
from tui_nn_engine.experiments.experiment import Experiment


def dense(units: int) -> dict[str, Any]:
    return {"type": "dense", "units": units}


TREE: dict[str, Any] = {
    "data": {"name": "diabetes"},
    "layers": [
        {
            "type": "parallel",
            "branches": [
                {"name": "wide", "layers": []},
                {"name": "deep", "layers": [dense(16), dense(8)]},
            ],
        },
        dense(1),
    ],
    "loss": {"type": "mean_squared_error"},
    "training": {"epochs": 5},
}
INSIDE = "layers[0].branches[1].layers"


class BuildApp(App[None]):
    def __init__(self, tree: dict[str, Any] = TREE) -> None:
        super().__init__()
        self.draft = Draft(Experiment.parse(tree))
        self.build = Build(self.draft)
        self.reviews: list[Any] = []

    def on_mount(self) -> None:
        self.push_screen(self.build)

    def on_build_changed(self, event: Build.Changed) -> None:
        self.reviews.append(event.review)

    @property
    def listing(self) -> PartList:
        return self.build.query_one(PartList)

    @property
    def lines(self) -> list[str]:
        return [str(option.prompt).split("\n")[0].rstrip() for option in self.listing.options]

    def inside(self) -> list[Any]:
        return [layer.get("units", layer["type"]) for layer in self.draft.value(INSIDE)]


async def go(pilot: Any, app: BuildApp, path: str) -> None:
    await until(pilot, lambda: app.reviews and app.listing.index_of(path) is not None)
    app.listing.focus()
    app.listing.highlighted = app.listing.index_of(path)
    await until(pilot, lambda: form_stands(app.build, path))
    await pilot.pause()


async def choose(pilot: Any, app: BuildApp, name: str) -> None:
    await pilot.press("a")
    await until(pilot, lambda: isinstance(app.screen, Picker))
    options = app.screen.query_one(OptionList)
    options.highlighted = options.get_option_index(name)
    await pilot.press("enter")
    await until(pilot, lambda: app.screen is app.build)


def test_the_list_shows_branches_and_where_they_meet():
    found = review(TREE)
    parts = parts_of(Experiment, TREE, found.summary)
    shown = [(p.rail + p.title, p.path, p.summary and p.summary.output_shape) for p in parts[1:7]]
    assert shown == [
        ("╭ wide", "layers[0].branches[0]", None),
        ("├ deep", "layers[0].branches[1]", None),
        ("│ dense_1", f"{INSIDE}[0]", (16,)),
        ("│ dense_2", f"{INSIDE}[1]", (8,)),
        ("╰ concatenate_1", "layers[0]", (18,)),
        ("dense_3", "layers[1]", (1,)),
    ]
    assert parts[1].brief == "as it is"
    picked = {**TREE, "layers": [{"type": "select", "columns": [0, 3]}, dense(1)]}
    assert parts_of(Experiment, picked)[1].brief == "0 3"
    assert outline(TREE) == "[as is | 16 → 8] → 1 · 5 epochs"
    assert short_outline(Experiment.parse(TREE)) == "[as is | 16 → 8] → 1"


def test_layers_through_time_are_named_in_a_line():
    known = sequence_starters()
    model = known["character model"]
    assert short_outline(model) == "embedding 16 → lstm 64 → 27 softmax"
    assert outline(known["many to many"].tree()) == (
        "masking → lstm 16 · return sequences → 1 · sigmoid · 40 epochs"
    )
    both = {"type": "bidirectional", "layer": {"type": "gru", "units": 5}}
    tree = known["many to one"].tree() | {"layers": [both, {"type": "dense", "units": 1}]}
    assert short_outline(Experiment.parse(tree)) == "bidirectional gru 5 → 1"


def test_names_in_the_list_are_those_of_the_network_also_in_a_wrong_tree():
    inner = {"type": "parallel", "join": "add", "branches": [{}, {"layers": [dense(10)]}]}
    tree = {**TREE, "layers": [{"type": "parallel", "branches": [{"layers": [inner]}, {}]}, inner]}
    found = review(tree)
    named = {row.path: row.name for row in found.summary}
    parts = {p.path: p.title for p in parts_of(Experiment, tree)}
    assert {path: parts[path] for path in named} == named
    wrong = {
        **tree,
        "layers": [*tree["layers"], {"type": "parallel", "branches": [3, {"layers": 4}]}],
    }
    titles = [p.title for p in parts_of(Experiment, wrong)]
    assert "concatenate_2" in titles
    assert [row.name for row in review(wrong).summary] == list(named.values())


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("layers[1].units", "layers[1]"),
        ("layers[1].branches", "layers[1]"),
        ("layers[1].branches[0].name", "layers[1].branches[0]"),
        ("layers[1].branches[0].layers", "layers[1].branches[0]"),
        (f"{INSIDE}[2].activation.slope", f"{INSIDE}[2]"),
        ("training.epochs", "training"),
        ("seed", ""),
    ],
)
def test_a_problem_leads_to_the_part_it_is_in(path: str, part: str):
    assert part_at(path) == part


def test_a_new_parallel_block_holds_something_to_go_on_from():
    tree = {**TREE, "layers": [new_layer("parallel", ()), dense(1)]}
    assert review(tree).problems == ()
    assert new_layer("parallel", ())["branches"] is not new_layer("parallel", ())["branches"]


async def test_layers_are_added_moved_copied_removed_within_a_branch_and_undone():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await go(pilot, app, f"{INSIDE}[0]")
        await choose(pilot, app, "dropout")
        await until(pilot, lambda: app.inside() == [16, "dropout", 8])
        await until(pilot, lambda: "│ dropout_1" in app.lines)
        app.listing.focus()
        await pilot.press("J")
        await until(pilot, lambda: app.inside() == [16, 8, "dropout"])
        await pilot.press("J", "d")
        await until(pilot, lambda: app.inside() == [16, 8, "dropout", "dropout"])
        await pilot.press("x", "x", "x", "x")
        await until(pilot, lambda: app.inside() == [])
        assert app.build.part == "layers[0].branches[1]"
        assert "├ deep  as it is" in app.lines
        await choose(pilot, app, "dense")
        await until(pilot, lambda: app.draft.value(INSIDE) == [{"type": "dense"}])
        for _ in range(9):
            app.build.action_undo()
        assert app.draft.tree == Experiment.parse(TREE).tree()


async def test_a_layer_goes_into_a_branch_and_out_again():
    app = BuildApp({**TREE, "layers": [dense(3), *TREE["layers"]]})
    async with app.run_test(size=(120, 36)) as pilot:
        await go(pilot, app, "layers[2]")
        await pilot.press("<")  # it is in no branch
        await pilot.press(">")
        deep = "layers[1].branches[1].layers"
        await until(pilot, lambda: app.draft.value(deep) == [dense(16), dense(8), dense(1)])
        await until(pilot, lambda: app.build.part == f"{deep}[2]")
        await go(pilot, app, "layers[0]")
        await pilot.press(">")
        await until(pilot, lambda: app.draft.value("layers[0].branches[0].layers") == [dense(3)])
        assert len(app.draft.layers) == 1
        await until(pilot, lambda: app.build.part == "layers[0].branches[0].layers[0]")
        await pilot.press("<")
        await until(pilot, lambda: app.build.part == "layers[1]")
        assert app.draft.layers[1:] == [dense(3)]
        assert app.draft.value("layers[0].branches[0].layers") == []
        await pilot.press("ctrl+z", "ctrl+z", "ctrl+z")
        await until(pilot, lambda: app.draft.layers == [dense(3), *TREE["layers"]])


async def test_branches_are_added_named_copied_and_two_always_stay():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await go(pilot, app, "layers[0]")
        await choose(pilot, app, "branch")
        await until(pilot, lambda: app.build.part == "layers[0].branches[2]")
        await until(pilot, lambda: "├ branch 3  as it is" in app.lines)
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press("s", "k", "i", "p")
        await until(pilot, lambda: "├ skip  as it is" in app.lines)
        app.listing.focus()
        await pilot.press("K", "K")
        await until(pilot, lambda: "╭ skip  as it is" in app.lines)
        await pilot.press("x")
        await until(pilot, lambda: "╭ wide  as it is" in app.lines)
        await pilot.press("x")
        await pilot.pause()
        assert len(app.draft.value("layers[0].branches")) == 2


async def test_the_join_is_chosen_and_what_does_not_add_up_is_mended():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await go(pilot, app, "layers[0]")
        shown = [field.path for field in app.build.query(Field)]
        assert "layers[0].join" in shown
        assert not [path for path in shown if "branches" in path]
        field = next(one for one in app.build.query(Field) if one.path == "layers[0].join")
        field.query_one(Select).value = "add"
        await until(pilot, lambda: "✗ add_1" in " ".join(app.lines))
        await until(pilot, lambda: app.reviews[-1].problems)
        (problem,) = app.reviews[-1].problems
        assert "branch 1 (wide) gives (10,) and branch 2 (deep) gives (8,)" in problem.message
        app.listing.focus()
        await pilot.press("f")
        await until(pilot, lambda: app.inside() == [16, 10])
        await until(pilot, lambda: not app.reviews[-1].problems)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_it_is_usable_where_there_is_little_room(size: tuple[int, int]):
    app = BuildApp()
    async with app.run_test(size=size) as pilot:
        await go(pilot, app, f"{INSIDE}[1]")
        await pilot.press("enter")
        await until(pilot, lambda: app.focused is not None and app.focused is not app.listing)
        assert "│ dense_2  8" in app.lines
