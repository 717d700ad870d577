"""Step mode's panes: the list of operations, choosing by key and by mouse, every size of screen."""

import numpy as np
import pytest
from step_app import DEEP, L6, XOR, dense, lines, opened, press, table, text

MNIST = {
    "data": {"name": "mnist_small"},
    "layers": [dense(512, "relu"), dense(10, "softmax")],
    "loss": {"type": "categorical_crossentropy"},
    "training": {"batch_size": 128},
}
PANES = ("program", "network", "explanation", "neuron", "neurons", "weights")
SIZES = [(160, 45), (120, 36), (80, 24), (60, 20), (40, 12), (120, 20)]


async def test_the_list_marks_what_is_done_and_what_is_next():
    async with opened(L6) as (app, pilot):
        await press(app, pilot, *"nnnnn")
        shown = lines(app, "#program")
        assert shown[:9] == [
            " ▾ FORWARD",
            "  ▾ dense_1",
            "   ✓ matmul          xW",
            "   ✓ add bias        z = xW + b",
            "   ✓ sigmoid         h = 1/(1 …",
            "  ▾ dense_2",
            "   ✓ matmul          xW",
            "›  ✓ add bias        z = xW + b",
            "   ▶ sigmoid         h = 1/(1 …",
        ]
        assert not any("▶" in line for line in shown[9:])
        assert text(app, "#strip").split()[:4] == ["▶", "next", "(n)", "sigmoid"]
        assert "dense_2.xW, dense_2.bias → dense_2.z (1 × 1)" in text(app, "#strip")
        await press(app, pilot, "N")
        assert "update 2" in app.step.query_one("#program").border_title


async def test_a_click_explains_an_operation_and_a_double_click_goes_there():
    async with opened(L6) as (app, pilot):
        await press(app, pilot, "n")
        for line, operation in ((8, 5), (3, 1), (2, 0), (4, 2)):
            await pilot.click("#program", offset=(5, line + 1))
            await press(app, pilot)
            assert (app.step.moment.explained, app.monitor.view.cursor) == (operation, 1)
            assert lines(app, "#program")[line].startswith("›")
        for line, cursor in ((8, 6), (3, 2), (4, 3), (2, 1)):
            await pilot.click("#program", offset=(5, line + 1), times=2)
            await press(app, pilot)
            assert (app.step.moment.explained, app.monitor.view.cursor) == (cursor - 1, cursor)


async def test_the_arrows_explain_operations_and_enter_goes_there():
    async with opened(L6) as (app, pilot):
        app.step.query_one("#program").focus()
        await press(app, pilot, "down", "down")
        assert (app.step.moment.explained, app.monitor.view.cursor) == (2, 0)
        await press(app, pilot, "down", "down", "enter")  # over a heading, to the next layer
        assert (app.step.moment.explained, app.monitor.view.cursor) == (3, 4)
        assert app.monitor.view.layer == "dense_2"
        await press(app, pilot, "down", "n")
        assert (app.step.moment.explained, app.monitor.view.cursor) == (4, 5)
        await press(app, pilot, "b")
        assert (app.step.moment.explained, app.monitor.view.cursor) == (3, 4)


async def test_layers_and_phases_fold():
    async with opened(L6) as (app, pilot):
        program = app.step.query_one("#program")
        program.focus()
        await press(app, pilot, *"nnnn")
        await pilot.click("#program", offset=(5, 2))
        await pilot.pause()
        shown = lines(app, "#program")
        assert shown[:3] == [" ▾ FORWARD", "  ▸ dense_1 ✓ 3 operations", "  ▾ dense_2"]
        await press(app, pilot, "left", "left")  # to the phase, and fold it
        assert lines(app, "#program")[:2] == ["›▸ FORWARD ▶ 6 operations", " ▾ LOSS"]
        await press(app, pilot, "n", "n")  # folded it stays, and says where the update is
        assert lines(app, "#program")[0] == "›▸ FORWARD ✓ 6 operations"
        await press(app, pilot, "right", "down", "right")
        assert lines(app, "#program")[1:3] == ["  ▾ dense_1", "   ✓ matmul          xW"]
        await press(app, pilot, "up", "enter")
        assert lines(app, "#program")[1] == " ▾ LOSS"


async def test_choosing_layer_unit_and_sample_by_key():
    async with opened(DEEP) as (app, pilot):

        def seen():
            view = app.monitor.view
            return view.layer, view.unit, view.sample

        assert seen() == ("dense_1", 0, 0)
        await press(app, pilot, "[", ",")
        assert seen() == ("dense_1", 0, 0)
        await press(app, pilot, *"]]]]", "u")
        assert seen() == ("dense_3", 0, 0)
        await press(app, pilot, "[", "u", "u", "U", ".", ".", ",")
        assert seen() == ("dense_2", 1, 1)
        assert "unit 8 (2/20)" in text(app, "#where")
        assert "sample 2 of 4" in text(app, "#where")
        await press(app, pilot, *["[", "["], *["u"] * 9)
        assert seen() == ("dense_1", 3, 1)
        await press(app, pilot, *"nnnnnn")
        assert seen() == ("dense_1", 3, 1)  # held: the person chose this layer
        await press(app, pilot, "f", "n")
        assert seen()[0] == app.monitor.listing.paths[6]


async def test_choosing_by_mouse():
    async with opened(L6) as (app, pilot):
        await press(app, pilot, "[")
        await pilot.click("#neurons", offset=(5, 3))
        await press(app, pilot)
        assert (app.monitor.view.layer, app.monitor.view.unit) == ("dense_1", 1)
        diagram = app.step.query_one("#network")
        left, output = diagram._placed[-1]
        await pilot.click("#network", offset=(left + 3, output.nodes[0].top + 2))
        await press(app, pilot)
        assert (app.monitor.view.layer, app.monitor.view.unit) == ("dense_2", 0)
        await pilot.click("#weights", offset=(5, 3))  # the weight from the second hidden neuron
        await press(app, pilot)
        assert app.step._looking.at.source == 1
        assert (app.monitor.view.layer, app.monitor.view.unit) == ("dense_2", 0)
        await pilot.click("#weights", offset=(5, 3), times=2)  # follow it there
        await press(app, pilot)
        assert (app.monitor.view.layer, app.monitor.view.unit) == ("dense_1", 1)
        where = lines(app, "#where")[0]
        await pilot.click("#where", offset=(where.index("◂", where.index("dense_1")) + 1, 0))
        await press(app, pilot)
        assert app.monitor.view.unit == 0


async def test_a_large_network_opens_with_few_widgets():
    async with opened(MNIST) as (app, pilot):
        await press(app, pilot, *"nnn")
        assert len(app.step.query("*")) < 60
        weights = app.step.query_one("#weights")
        assert weights.border_subtitle == "9 of 785 shown, largest |weight| first"
        sizes = np.abs([float(row[0]) for row in table(app, "#weights").values()])
        assert (np.diff(sizes) <= 0).all()
        assert sizes[0] == pytest.approx(np.abs(app.monitor.view.weights[:, 0]).max(), rel=1e-2)
        assert "772 more" in text(app, "#network")
        assert app.step.query_one("#neuron SamplePicture").display
        await press(app, pilot, "o")
        assert weights.border_subtitle == "9 of 785 shown, in order"
        assert list(table(app, "#weights"))[:2] == ["w1,785", "w2,785"]
        weights.scroll_end(animate=False, immediate=True)
        await pilot.pause()
        assert list(table(app, "#weights"))[-1] == "b785"


async def test_unit_keys_follow_the_order_of_the_table():
    async with opened(MNIST) as (app, pilot):
        await press(app, pilot, *"nnn")
        order = app.step.moment.unit_order[0].tolist()
        place = order.index(app.monitor.view.unit)
        await press(app, pilot, "U", "U")
        assert app.monitor.view.unit == order[place - 2]
        app.step.query_one("#neurons").focus()
        await press(app, pilot, "down", "up", "up", "down")
        assert app.monitor.view.unit == order[place - 2]
        assert any(line.startswith(f"›{order[place - 2] + 785}") for line in lines(app, "#neurons"))


@pytest.mark.parametrize(
    ("experiment", "size"), [*((MNIST, size) for size in SIZES), (DEEP, (40, 12)), (L6, (80, 24))]
)
async def test_every_size_shows_every_pane(experiment, size):
    async with opened(experiment, size) as (app, pilot):
        await press(app, pilot, *"nnnn")
        seen = set()
        for _ in range(5):
            for pane in PANES:
                widget = app.step.query_one(f"#{pane}")
                if widget.is_on_screen and widget.region.area:
                    seen.add(pane)
                    assert app.step.region.contains_region(widget.region)
                    assert widget.size.height >= 2, pane
            await press(app, pilot, "t")
        assert seen == set(PANES)


async def test_panes_can_be_clicked_where_they_share_a_place():
    async with opened(L6, (80, 24)) as (app, pilot):
        assert not app.step.query_one("#weights").is_on_screen
        await pilot.click("#sections", offset=(lines(app, "#sections")[0].index("tables") + 2, 0))
        await pilot.pause()
        assert app.step.query_one("#weights").is_on_screen


async def test_resizing_while_stepping():
    async with opened(DEEP) as (app, pilot):
        for size in ((40, 12), (200, 60), (80, 24), (20, 6), (111, 31), (1, 1), (120, 36)):
            await pilot.resize_terminal(*size)
            await press(app, pilot, *"nnt")
        assert app.monitor.view.cursor == 14
        assert "op 14/" in text(app, "#where")


async def test_keys_work_whatever_has_the_focus():
    async with opened(XOR) as (app, pilot):
        for widget in app.step.focus_chain:
            widget.focus()
            await press(app, pilot, "n", "n", "b")
        count = len(app.step.focus_chain)
        assert count >= 3
        assert app.monitor.view.cursor == count
