import contextlib

import numpy as np
import pytest
from textual.app import App
from textual.widgets import Static
from waiting import until

from tui_nn.modes.step import Step
from tui_nn.monitor import Monitor
from tui_nn.widgets.figures import aligned, figure
from tui_nn_engine.sessions import protocol
from tui_nn_engine.sessions.session import Session

GIVEN = "given"
# Textbook example L6: 3-2-1, sigmoid, one update by hand.
L6 = {
    "dtype": "float64",
    "data": {"name": "given", "x": [[1, 0, 1]], "y": [[1]]},
    "layers": [
        {
            "type": "dense",
            "units": 2,
            "activation": "sigmoid",
            "kernel_initializer": {"type": GIVEN, "values": [[0.2, -0.3], [0.4, 0.1], [-0.5, 0.2]]},
            "bias_initializer": {"type": GIVEN, "values": [-0.4, 0.2]},
        },
        {
            "type": "dense",
            "units": 1,
            "activation": "sigmoid",
            "kernel_initializer": {"type": GIVEN, "values": [[-0.3], [-0.2]]},
            "bias_initializer": {"type": GIVEN, "values": [0.1]},
        },
    ],
    "loss": {"type": "half_squared_error"},
    "optimizer": {"type": "sgd", "learning_rate": 0.9},
    "training": {"epochs": 3, "batch_size": 1},
}


LARGE = (160, 48)  # every pane is on screen


class Harness(App):
    """Step mode on a real session in this process; messages arrive as the app would bring them."""

    def __init__(self, experiment, folder):
        super().__init__()
        self.monitor = Monitor()
        self.sent = []
        self.session = Session(self.monitor.hear)
        self.session.handle(protocol.Open(experiment, str(folder)))
        self.step = Step(self.monitor, self.send)

    def on_mount(self):
        self.push_screen(self.step)

    def send(self, command):
        self.sent.append(command)
        self.session.handle(command)
        self.call_later(self.step.show_run)


def dense(units, activation):
    return {"type": "dense", "units": units, "activation": activation}


XOR = {
    "dtype": "float64",
    "data": {"name": "xor"},
    "layers": [dense(2, "sigmoid"), dense(1, "sigmoid")],
    "loss": {"type": "half_squared_error"},
    "optimizer": {"type": "sgd", "momentum": 0.9},
    "training": {"batch_size": 4, "epochs": 3},
}
DEEP = XOR | {
    "layers": [
        dense(4, "tanh"),
        {"type": "dropout", "rate": 0.5},
        dense(20, "relu"),
        dense(1, "sigmoid"),
    ],
    "loss": {"type": "binary_crossentropy"},
    "optimizer": {"type": "adam"},
}
MNIST = {
    "data": {"name": "mnist_small"},
    "layers": [dense(512, "relu"), dense(10, "softmax")],
    "loss": {"type": "categorical_crossentropy"},
    "training": {"batch_size": 128},
}


@pytest.fixture
def opened(tmp_path):
    """Step mode on an experiment: `async with opened(L6, size) as (app, pilot)`."""

    @contextlib.asynccontextmanager
    async def run(experiment, size=(120, 36)):
        app = Harness(experiment, tmp_path)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.monitor.view is not None)
            await press(app, pilot)
            yield app, pilot

    return run


async def press(app, pilot, *keys):
    """Press keys and wait until the screen shows what the engine answered."""
    await pilot.press(*keys)
    await pilot.pause()
    await until(pilot, lambda: app.step.moment and app.step.moment.view is app.monitor.view)
    await pilot.pause()


def lines(app, selector):
    """What a pane shows, line by line."""
    widget = app.step.query_one(selector)
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


def text(app, selector):
    return "\n".join(lines(app, selector))


def table(app, selector):
    """The cells of a table by the label of their row."""
    shown = [line.replace(", ", ",") for line in lines(app, selector)[1:]]
    rows = [line.split() for line in shown if line.strip()]
    return {row[0].lstrip("›"): row[1:] for row in rows}


def card(app):
    """Name and value of each line of the chosen neuron's card."""
    return lines(app, "#neuron Static")


def numbers(cells):
    return [float("nan") if cell == "·" else float(cell) for cell in cells]


async def test_the_textbook_update_by_hand(opened):
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


async def test_every_number_is_the_engines_slot(opened):
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


async def test_stepping_forward_and_back_by_keys(opened):
    async with opened(XOR) as (app, pilot):
        count = len(app.monitor.listing.names)
        assert app.sent == [protocol.Step(0)]
        start = text(app, "#neurons"), text(app, "#weights")
        await press(app, pilot, *"nnnn")
        assert app.monitor.view.cursor == 4
        assert "operation 4/" in text(app, "#where")
        await press(app, pilot, *"bbbbb")
        assert app.monitor.view.cursor == 0
        await press(app, pilot, "f", "]")
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


async def test_the_list_marks_what_is_done_and_what_is_next(opened):
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


async def test_a_click_explains_an_operation_and_a_double_click_goes_there(opened):
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


async def test_the_arrows_explain_operations_and_enter_goes_there(opened):
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


async def test_layers_and_phases_fold(opened):
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


async def test_choosing_layer_unit_and_sample_by_key(opened):
    async with opened(DEEP) as (app, pilot):

        def seen():
            view = app.monitor.view
            return view.layer, view.unit, view.sample

        assert seen() == ("dense_3", 0, 0)
        await press(app, pilot, "]", "u", ",")
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


async def test_choosing_by_mouse(opened):
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


async def test_what_is_not_computed_yet_is_said_so(opened):
    async with opened(L6, LARGE) as (app, _pilot):
        assert table(app, "#neurons") == {"6": ["·"] * 3}
        assert table(app, "#weights")["b6"] == ["0.1", "·", "·", "·"]
        assert [line.split()[-1] for line in card(app)[:3]] == ["·"] * 3
        assert "· not computed yet" in text(app, "#tools")
        assert "nan" not in "".join(map(str, [text(app, "#network"), *card(app)]))


async def test_what_was_just_written_is_marked(opened):
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


async def test_both_signs_of_the_error(opened):
    async with opened(L6, LARGE) as (app, pilot):
        await press(app, pilot, *"nnnnnnnnn")
        assert table(app, "#neurons")["6"][2] == "-0.1312"
        assert "δ = ∂E/∂z" in text(app, "#neuron Static")
        await press(app, pilot, "s")
        assert table(app, "#neurons")["6"][2] == "0.1312"
        assert "error e" in lines(app, "#neurons")[0]
        assert "δ" not in text(app, "#neuron Static") + text(app, "#network")


async def test_digits(opened):
    async with opened(L6) as (app, pilot):
        await press(app, pilot, *"nnn", "D", "D", "D")
        assert table(app, "#neurons")["4"][1] == "0.3318122"
        await press(app, pilot, *"dddddddddd")
        assert table(app, "#neurons")["4"][1] == "0.33"


async def test_a_large_network_opens_with_few_widgets(opened):
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


async def test_unit_keys_follow_the_order_of_the_table(opened):
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


PANES = ("program", "network", "explanation", "neuron", "neurons", "weights")
SIZES = [(160, 45), (120, 36), (80, 24), (60, 20), (40, 12), (120, 20)]


@pytest.mark.parametrize(
    ("experiment", "size"), [*((MNIST, size) for size in SIZES), (DEEP, (40, 12)), (L6, (80, 24))]
)
async def test_every_size_shows_every_pane(opened, experiment, size):
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


async def test_panes_can_be_clicked_where_they_share_a_place(opened):
    async with opened(L6, (80, 24)) as (app, pilot):
        assert not app.step.query_one("#weights").is_on_screen
        await pilot.click("#sections", offset=(lines(app, "#sections")[0].index("tables") + 2, 0))
        await pilot.pause()
        assert app.step.query_one("#weights").is_on_screen


async def test_resizing_while_stepping(opened):
    async with opened(DEEP) as (app, pilot):
        for size in ((40, 12), (200, 60), (80, 24), (20, 6), (111, 31), (1, 1), (120, 36)):
            await pilot.resize_terminal(*size)
            await press(app, pilot, *"nnt")
        assert app.monitor.view.cursor == 14
        assert "operation 14/" in text(app, "#where")


async def test_keys_work_whatever_has_the_focus(opened):
    async with opened(XOR) as (app, pilot):
        for widget in app.step.focus_chain:
            widget.focus()
            await press(app, pilot, "n", "n", "b")
        count = len(app.step.focus_chain)
        assert count >= 3
        assert app.monitor.view.cursor == count


async def test_a_running_training_is_left_alone(tmp_path):
    app = Harness(XOR, tmp_path)
    app.session.handle(protocol.Play())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause()
        assert app.sent == []
        assert "space pauses" in str(app.step.query_one("#idle", Static).content)
        assert not app.step.query_one("#panes").is_on_screen
        await press(app, pilot, "n")
        assert app.monitor.view.cursor == 1


async def test_at_the_end_of_training_it_says_what_to_do(opened):
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


async def test_another_experiment_has_other_layers(opened, tmp_path):
    async with opened(DEEP) as (app, pilot):
        await press(app, pilot, "[", *["down"] * 12)
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
