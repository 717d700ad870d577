"""Step mode: an update forwards and back, its numbers those of the engine and of the textbook."""

import numpy as np
import pytest
from step_app import DEEP, L6, XOR, StepApp, lines, opened, press, table, text
from textual.widgets import Static
from waiting import until

from tui_nn.widgets.figures import aligned, figure
from tui_nn_engine.sessions import protocol

LARGE = (160, 48)  # every pane is on screen


def card(app):
    """Name and value of each line of the chosen neuron's card."""
    return lines(app, "#neuron Static")


def numbers(cells):
    return [float("nan") if cell == "·" else float(cell) for cell in cells]


async def test_the_textbook_update_by_hand():
    async with opened(L6, LARGE) as (app, pilot):
        await press(app, pilot, *"nnn")
        assert table(app, "#neurons") == {"4": ["-0.7", "0.3318", "·"], "5": ["0.1", "0.525", "·"]}
        await press(app, pilot, *"nnn")
        assert table(app, "#neurons") == {"6": ["-0.1045", "0.4739", "·"]}
        await press(app, pilot, "s", *"nnn")
        error = numbers(table(app, "#neurons")["6"])[2]
        assert error == pytest.approx(0.1311, abs=1.5e-4)  # printed from rounded factors: 0.1312
        assert "e = −∂E/∂z" in text(app, "#neuron Static")
        await press(app, pilot, *"nnnn")
        errors = [numbers(cells)[2] for cells in table(app, "#neurons").values()]
        assert errors == pytest.approx([-0.0087, -0.0065], abs=5e-5)
        await press(app, pilot, "p", "p")
        assert app.monitor.view.cursor == len(app.monitor.listing.names)
        new = [cells[3] for cells in table(app, "#weights").values()]
        assert numbers(new) == pytest.approx([0.192, 0.4, -0.508, -0.408], abs=5e-4)
        await press(app, pilot, "u")
        new = [cells[3] for cells in table(app, "#weights").values()]
        assert numbers(new) == pytest.approx([-0.306, 0.1, 0.194, 0.194], abs=5e-4)
        await press(app, pilot, "]")
        new = [cells[3] for cells in table(app, "#weights").values()]
        assert numbers(new) == pytest.approx([-0.261, -0.138, 0.218], abs=5e-4)


async def test_every_number_is_the_engines_slot():
    async with opened(XOR, (200, 60)) as (app, pilot):
        await press(app, pilot, *"DDDDDDDDa", "f", ".", ".", "[", "u")
        names = ("dense_1.z", "dense_1.h", "dE/d(dense_1.z)")
        for _ in app.monitor.listing.names:
            await press(app, pilot, "n")
            stepper = app.session.stepping.stepper
            slots = [stepper.slot(name) for name in names]
            for unit, cells in table(app, "#neurons").items():
                wanted = [s.array[2, int(unit)] if s else np.nan for s in slots]
                assert numbers(cells) == pytest.approx(wanted, rel=1e-11, nan_ok=True)
            gradient = stepper.slot("dE/d(dense_1.kernel)")
            change = stepper.written("velocity")
            cells = [numbers(row) for row in table(app, "#weights").values()]
            old = [*stepper.before["dense_1.kernel"][:, 1], stepper.before["dense_1.bias"][1]]
            assert [row[0] for row in cells] == pytest.approx(old, rel=1e-11)
            shown = [row[1] for row in cells[:-1]]
            wanted = gradient.array[:, 1] if gradient else [np.nan] * 2
            assert shown == pytest.approx(wanted, rel=1e-11, nan_ok=True)
            assert np.isnan(cells[0][2]) == (change is None)
            if change:
                views = stepper.trainer.parameters.named(change.array)
                assert [r[2] for r in cells[:-1]] == pytest.approx(views["dense_1.kernel"][:, 1])
            if stepper.complete:
                now = stepper.trainer.parameters.views["dense_1.kernel"][:, 1]
                assert [row[3] for row in cells[:-1]] == pytest.approx(now, rel=1e-11)
        losses = [float(line.split()[-1]) for line in card(app) if "loss" in line]
        slots = stepper.slot("loss.E.per sample").array[2], stepper.slot("loss.E").array
        assert losses == pytest.approx([float(value) for value in slots], rel=1e-11)


async def test_stepping_forward_and_back_by_keys():
    async with opened(XOR) as (app, pilot):
        count = len(app.monitor.listing.names)
        assert [sent for sent in app.sent if not isinstance(sent, protocol.LookAt)] == [
            protocol.Step(0)
        ]
        start = text(app, "#neurons"), text(app, "#weights")
        await press(app, pilot, *"nnnn")
        assert app.monitor.view.cursor == 4
        assert "op 4/" in text(app, "#where")
        await press(app, pilot, *"bbbbb")
        assert app.monitor.view.cursor == 0
        assert (text(app, "#neurons"), text(app, "#weights")) == start
        phases = app.monitor.listing.phases
        for phase in ("loss", "backward", "update"):
            await press(app, pilot, "p")
            assert app.monitor.view.cursor == phases.index(phase)
        await press(app, pilot, "p")
        assert app.monitor.view.cursor == count
        for phase in ("update", "backward", "loss", "forward", "forward"):
            await press(app, pilot, "P")
            assert app.monitor.view.cursor == phases.index(phase)
        await press(app, pilot, "N")
        assert (app.monitor.view.iteration, app.monitor.view.cursor) == (2, 0)
        assert app.session.run.trainer.state.iteration == 1


async def test_what_is_not_computed_yet_is_said_so():
    async with opened(L6, LARGE) as (app, _pilot):
        assert table(app, "#neurons") == {"4": ["·"] * 3, "5": ["·"] * 3}
        assert table(app, "#weights")["b4"] == ["-0.4", "·", "·", "·"]
        assert [line.split()[-1] for line in card(app)[:3]] == ["·"] * 3
        assert "· not computed yet" in text(app, "#legend")
        assert "nan" not in "".join(map(str, [text(app, "#network"), *card(app)]))


async def test_the_layer_looked_at_is_that_of_the_operation_explained():
    async with opened(DEEP, (80, 24)) as (app, pilot):
        assert "◂ dense_1 ▸" in text(app, "#where")  # before any is done: the first is explained
        assert "dense_1" in app.monitor.view.explanation.title
        await press(app, pilot, "p")
        assert "◂ dense_3 ▸ follows" in text(app, "#where")
        await press(app, pilot, "P")
        assert "◂ dense_1 ▸ follows" in text(app, "#where")
        await press(app, pilot, "f")
        assert "◂ dense_1 ▸ held" in text(app, "#where")


@pytest.mark.parametrize("width", [160, 120, 100, 80, 72, 66])
async def test_all_that_is_looked_at_can_be_clicked_on_at_every_width(width: int):
    async with opened(DEEP, (width, 30)) as (app, pilot):
        await press(app, pilot, "p", "p")
        where = lines(app, "#where")[0]
        assert where.startswith("op ")
        assert "…" not in where
        assert where.count("◂") == where.count("▸") >= 4
        last = where.index("▸", where.index("sample 1"))
        await pilot.click("#where", offset=(1 + last, 0))
        await until(pilot, lambda: app.monitor.view.sample == 1)
        await until(pilot, lambda: "sample 2" in text(app, "#where"))
        await pilot.resize_terminal(200, 30)
        await until(pilot, lambda: "largest first" in text(app, "#where"))


async def test_the_title_of_the_diagram_has_room_for_the_loss():
    async with opened(DEEP, (120, 36)) as (app, pilot):
        await press(app, pilot, "p", "p")
        network = app.step.query_one("#network")
        title = network.border_title
        assert [part.split()[0] for part in title.split("  ")] == ["sample", "y", "E"]
        assert len(title) <= network.outer_size.width - 4  # corners, and a blank at each end


async def test_what_a_lesson_looks_at_is_kept_where_nothing_is_done():
    async with opened(DEEP) as (app, pilot):
        app.step.look_at(protocol.LookAt("dense_3", 0, source=1))
        await press(app, pilot)
        assert (app.monitor.view.layer, app.monitor.view.source) == ("dense_3", 1)


async def test_what_was_just_written_is_marked():
    async with opened(L6, LARGE) as (app, pilot):
        marks = []
        for _ in app.monitor.listing.names:
            await press(app, pilot, "n")
            headings = (lines(app, "#neurons")[0] + "  " + lines(app, "#weights")[0]).split("  ")
            marked = [heading.strip() for heading in headings if "▸" in heading]
            marks.append(marked + [line.split()[0] for line in card(app)[4:] if "▸" in line])
        flat = [", ".join(found) for found in marks]
        assert flat == [
            "", "▸z", "▸h",
            "", "▸z", "▸h, ▸output",
            "▸loss, ▸loss", "",
            "▸error δ", "▸∂E/∂w", "▸∂E/∂w", "",
            "▸error δ", "▸∂E/∂w", "▸∂E/∂w",
            "▸change Δw", "▸new w",
        ]  # fmt: skip


async def test_both_signs_of_the_error():
    async with opened(L6, LARGE) as (app, pilot):
        await press(app, pilot, *"nnnnnnnnn")
        assert table(app, "#neurons")["6"][2] == "-0.1312"
        assert "δ = ∂E/∂z" in text(app, "#neuron Static")
        await press(app, pilot, "s")
        assert table(app, "#neurons")["6"][2] == "0.1312"
        assert "error e" in lines(app, "#neurons")[0]
        assert "δ" not in text(app, "#neuron Static") + text(app, "#network")


async def test_digits():
    async with opened(L6) as (app, pilot):
        await press(app, pilot, *"nnn", "D", "D", "D")
        assert table(app, "#neurons")["4"][1] == "0.3318122"
        await press(app, pilot, *"dddddddddd")
        assert table(app, "#neurons")["4"][1] == "0.33"


async def test_a_running_training_is_left_alone():
    app = StepApp(XOR)
    app.session.handle(protocol.Play())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert app.sent == []
        assert "space pauses" in str(app.step.query_one("#idle", Static).content)
        assert not app.step.query_one("#panes").is_on_screen
        await press(app, pilot, "n")
        assert app.monitor.view.cursor == 1


async def test_at_the_end_of_training_it_says_what_to_do():
    async with opened(XOR | {"training": {"epochs": 1, "batch_size": 4}}) as (app, pilot):
        await pilot.press("N")
        await until(pilot, lambda: app.step.query_one("#idle").display)
        assert "Training is complete" in str(app.step.query_one("#idle", Static).content)
        await pilot.press("n", "b", "p", "[", "down", "right", "s", "o", "D", "t", "f")
        app.send(protocol.Restart())
        view = await until(
            pilot, lambda: not app.step.query_one("#idle").display and app.monitor.view
        )
        assert view.iteration == 1


async def test_another_experiment_has_other_layers(tmp_path):
    async with opened(DEEP) as (app, pilot):
        await press(app, pilot, "]", *["down"] * 12)
        app.send(protocol.Open(L6, str(tmp_path / "other")))
        await until(pilot, lambda: app.monitor.view and "dense_3" not in app.monitor.view.units)
        await press(app, pilot, "n")
        assert (app.monitor.view.layer, app.monitor.view.unit) == ("dense_2", 0)
        await press(app, pilot, "[", "down", "up", "]", "left")
        assert (app.monitor.view.layer, app.monitor.view.unit) == ("dense_2", 0)


@pytest.mark.parametrize(
    ("value", "digits", "wanted"),
    [
        (0.33181222, 4, "0.3318"),
        (-0.7000000000000001, 4, "-0.7"),
        (-0.0, 4, "0"),
        (-0.00004, 4, "-4e-5"),
        (-0.00041, 4, "-0.00041"),
        (1.5e-7, 4, "1.5e-7"),
        (9.9996, 4, "10"),
        (100.0, 4, "100"),
        (123456.7, 4, "123457"),
        (1234567.0, 4, "1.235e6"),
        (float("nan"), 4, "·"),
        (float("-inf"), 4, "-∞"),
        (0.1 + 0.2, 12, "0.3"),
    ],
)
def test_figures(value, digits, wanted):
    assert figure(value, digits) == wanted


def test_figures_of_a_column_have_their_points_in_line():
    found = aligned([-0.7, 12.5, 3, float("nan"), 1.5e-7], 4)
    assert found == ["-0.7   ", "12.5   ", " 3     ", " ·     ", " 1.5e-7"]
