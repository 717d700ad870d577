"""Step mode through time: steps and gates chosen, unrolled, what each step adds to a gradient."""

import contextlib
import copy

import pytest
from textual.app import App
from waiting import until

from tui_nn.modes.looking import same_operation
from tui_nn.modes.step import Step
from tui_nn.monitor import Monitor
from tui_nn.widgets.operation_tree import OperationTree
from tui_nn.widgets.time_table import TimeTable
from tui_nn.widgets.unrolled_diagram import UnrolledDiagram
from tui_nn.widgets.weight_table import WeightTable
from tui_nn_engine.sessions import protocol
from tui_nn_engine.sessions.session import Session

STEPS = 5
TREE = {
    "dtype": "float64",
    "data": {"name": "first_symbol", "delay": STEPS - 1, "samples": 40},
    "layers": [
        {"type": "lstm", "units": 3},
        {"type": "dense", "units": 2, "activation": "softmax"},
    ],
    "loss": {"type": "categorical_crossentropy"},
    "optimizer": {"type": "sgd", "learning_rate": 0.1},
    "training": {"batch_size": 4},
}
SMALL, WIDE = (80, 24), (120, 36)


class Harness(App):
    """Step mode on a real session in this process."""

    def __init__(self, experiment, folder):
        super().__init__()
        self.monitor = Monitor()
        self.session = Session(self.monitor.hear)
        self.session.handle(protocol.Open(experiment, str(folder)))
        self.step = Step(self.monitor, self.send)

    def on_mount(self):
        self.push_screen(self.step)

    def send(self, command):
        self.session.handle(command)
        self.call_later(self.step.show_run)


class Driver:
    """The app, and what a test does with it."""

    def __init__(self, app, pilot):
        self.app, self.pilot, self.step = app, pilot, app.step

    async def until(self, condition):
        await self.pilot.pause()
        await until(self.pilot, condition)

    async def press(self, *keys):
        await self.pilot.press(*keys)
        await self.settled()

    async def go(self, cursor):
        self.app.send(protocol.Step(cursor - self.step.moment.view.cursor))
        await self.settled()

    async def settled(self):
        step, monitor = self.step, self.app.monitor
        await self.until(lambda: step.moment and step.moment.view is monitor.view)

    async def go_behind(self, path, output):
        listing = self.step.moment.listing
        pairs = zip(listing.paths, listing.outputs, strict=True)
        await self.go(1 + next(k for k, pair in enumerate(pairs) if pair == (path, output)))

    @property
    def view(self):
        return self.step.moment.view

    def text(self, widget):
        shown = self.step.query_one(widget)
        return "\n".join(shown.render_line(y).text.rstrip() for y in range(shown.size.height))

    @property
    def where(self):
        return str(self.step.query_one("#where").content)

    @property
    def explanation(self):
        return self.step.query_one("#explanation").plain


@pytest.fixture
def opened(tmp_path):
    @contextlib.asynccontextmanager
    async def run(size=WIDE, **options):
        tree = copy.deepcopy(TREE)
        tree["layers"][0] |= options
        app = Harness(tree, tmp_path)
        async with app.run_test(size=size) as pilot:
            driver = Driver(app, pilot)
            await driver.until(lambda: app.monitor.view is not None)
            await driver.settled()
            yield driver

    return run


async def test_time_steps_fold_but_the_one_at_work(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=2", "lstm_1/t=2.net")
        shown = app.text(OperationTree)
        assert "▸ t=1 ✓ 4 operations" in shown
        assert "▾ t=2" in shown
        assert "▸ t=3   4 operations" in shown
        tree = app.step.query_one(OperationTree)
        folded = next(row for row in range(12) if "t=3" in tree.row_text(row, 30).plain)
        tree.choose(folded)
        assert "▾ t=3" in app.text(OperationTree)
        await app.go_behind("lstm_1/t=5", "lstm_1/t=5.net")
        assert "▸ t=2 ✓ 4 operations" in app.text(OperationTree)
        assert "▾ t=5" in app.text(OperationTree)


async def test_the_layer_is_unrolled_with_the_numbers_of_each_step(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=2", "lstm_1/t=2.c")
        diagram = app.text(UnrolledDiagram)
        assert "▶ t=2" in diagram
        assert "┏" in diagram
        assert "─▶" in diagram
        through = app.view.through
        for number in (*through.values[1], *through.cell[:2, 0], *through.states[0, :1]):
            assert f"{number:.4g}" in diagram
        assert app.step.query_one("#network").display is False
        assert app.step.query_one("#neurons").display is False


async def test_on_the_way_back_the_errors_go_from_step_to_step(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=4", "dE/d(lstm_1/t=4.net)")
        diagram = app.text(UnrolledDiagram)
        assert "◀─" in diagram
        assert "∂h5" in diagram
        assert f"{app.view.through.errors[3, 0]:.4g}" in diagram
        await app.press("s")
        assert "−∂h5" in app.text(UnrolledDiagram)
        assert f"{-app.view.through.errors[3, 0]:.4g}" in app.text(UnrolledDiagram)


async def test_keys_choose_the_time_step_and_the_same_operation_there(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=4", "lstm_1/t=4.c")
        assert "t=4 of 5" in app.where
        await app.press("less_than_sign", "less_than_sign")
        assert app.view.time == 2
        assert app.explanation.startswith("c5⟨2⟩ = ")
        assert "t=2 of 5" in app.where
        assert app.view.cursor == app.step.moment.view.cursor
        await app.press("greater_than_sign")
        assert app.explanation.startswith("c5⟨3⟩ = ")
        await app.press(*["less_than_sign"] * 4)
        assert app.view.time == 1
        await app.press("n")
        assert app.view.time == 4


async def test_an_operation_on_all_steps_is_explained_at_the_step_chosen(opened):
    async with opened() as app:
        await app.go(1)
        assert app.explanation.startswith("ai5⟨5⟩ = ")
        await app.press("less_than_sign")
        assert app.explanation.startswith("ai5⟨4⟩ = ")


async def test_keys_choose_the_gate_its_weights_and_its_equation(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=2", "lstm_1/t=2.gates")
        assert app.explanation.startswith("i5⟨2⟩ = ")
        assert "wi15" in app.text(WeightTable)
        await app.press("right_curly_bracket")
        assert app.explanation.startswith("f5⟨2⟩ = ")
        assert "gate f" in app.where
        assert "uf55" in app.text(WeightTable)
        assert "weights into unit 5, gate f" in app.step.query_one(WeightTable).border_title
        await app.press("left_curly_bracket", "left_curly_bracket")
        assert app.explanation.startswith("o5⟨2⟩ = ")


async def test_keys_pressed_before_the_engine_answers_count_as_often_as_pressed(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=5", "lstm_1/t=5.gates")
        asked = []
        app.step.send = asked.append  # the engine is busy
        await app.pilot.press("less_than_sign", "less_than_sign", "less_than_sign")
        await app.pilot.press("right_curly_bracket", "right_curly_bracket")
        await app.until(lambda: len(asked) == 5)
        app.app.send(asked[-1])
        await app.settled()
        assert app.view.time == 2
        assert "gate c" in app.where


async def test_time_steps_of_an_operation_on_all_of_them_count_as_often_as_pressed(opened):
    async with opened() as app:
        await app.go(1)
        asked = []
        app.step.send = asked.append  # the engine is busy
        await app.pilot.press("less_than_sign", "less_than_sign")
        await app.until(lambda: len(asked) == 2)
        assert asked[-1].time == 3


async def test_stepping_follows_the_gate_at_work(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=5", "dE/d(lstm_1/t=5.f)")
        assert "gate f" in app.where


async def test_a_click_chooses_time_step_gate_and_unit(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=2", "lstm_1/t=2.h")
        diagram = app.step.query_one(UnrolledDiagram)
        assert 1 in diagram.shown
        lines = app.text(UnrolledDiagram).splitlines()
        border = 1
        row = next(y for y, line in enumerate(lines) if line.startswith("o "))
        await app.pilot.click(UnrolledDiagram, offset=(lines[1].index("╭") + border + 2, row + 1))
        await app.settled()
        assert app.view.time == 1
        assert app.view.gate == 3
        row = next(y for y, line in enumerate(lines) if line.startswith("h6"))
        await app.pilot.click(UnrolledDiagram, offset=(lines[1].index("┏") + border + 2, row + 1))
        await app.settled()
        assert app.view.unit == 1
        await app.pilot.click("#times", offset=(3, 2 + 2))
        await app.settled()
        assert app.view.time == 3


async def test_the_sum_over_time_is_listed_largest_first(opened):
    async with opened() as app:
        await app.go_behind("lstm_1", "dE/d(lstm_1.recurrent_kernel)")
        shares = app.view.through.shares
        told = [line for line in app.explanation.splitlines() if line[1:4] in {"t=1", "t=5", "sum"}]
        assert told[-1].split()[1] == f"{shares.sum():.4g}"
        listed = [line[1:].split() for line in app.explanation.splitlines() if line[1:3] == "t="]
        order = [int(step.removeprefix("t=")) for step, *_ in listed]
        assert order == (abs(shares).argsort()[::-1] + 1).tolist()
        assert "what time steps put into ∂E/∂ui55: largest first" in " ".join(
            app.explanation.split()
        )
        assert "→∂ui55" in app.text(TimeTable)


async def test_truncated_windows_are_marked(opened):
    async with opened(bptt_steps=2) as app:
        await app.go_behind("lstm_1/t=4", "dE/d(lstm_1/t=4.net)")
        assert app.view.through.cuts == (2, 4)
        assert "╫" in app.text(UnrolledDiagram)
        assert "╫4" in app.text(TimeTable)
        await app.go_behind("lstm_1", "dE/d(lstm_1.kernel)")
        assert "no error goes back past t=2, 4" in app.explanation


async def test_of_a_layer_that_goes_backwards_the_state_goes_to_the_left(opened):
    async with opened(go_backwards=True) as app:
        await app.go_behind("lstm_1/t=4", "lstm_1/t=4.h")
        assert app.view.through.backwards
        states = next(line for line in app.text(UnrolledDiagram).splitlines() if "h5" in line)
        assert "◀─" in states
        assert "─▶" not in states


async def test_one_time_step_in_the_network_again(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=2", "lstm_1/t=2.h")
        await app.press("T")
        assert app.step.query_one("#unrolled").display is False
        assert app.step.query_one("#network").display
        assert f"{app.view.units['lstm_1'][0, 1]:.4g}" in app.text("#neurons")
        await app.press("T")
        assert app.step.query_one("#unrolled").display


async def test_layers_without_time_are_shown_as_ever(opened):
    async with opened() as app:
        await app.go_behind("dense_1", "dense_1.z")
        assert app.step.query_one("#network").display
        assert not app.step.query_one("#unrolled").display
        assert "gate" not in app.where


@pytest.mark.parametrize(
    ("kind", "size"), [("lstm", SMALL), ("lstm", (40, 12)), ("simple_rnn", SMALL), ("gru", WIDE)]
)
async def test_any_moment_can_be_shown_at_any_size(opened, kind, size):
    async with opened(size, type=kind) as app:
        for section, first in (("network", 3), ("tables", 10)):
            app.step.action_show_section(section)
            for cursor in range(first, len(app.step.moment.listing.names) + 1, 30):
                await app.go(cursor)
                assert "t=" in app.where or app.view.through is None


async def test_few_columns_in_a_narrow_table_say_that_there_are_more(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=4", "dE/d(lstm_1/t=4.net)")
        assert "more columns" in app.step.query_one(TimeTable).border_title
        assert "δi" in app.text(TimeTable)
    async with opened((200, 50)) as app:
        await app.go_behind("lstm_1/t=4", "dE/d(lstm_1/t=4.net)")
        heading = app.text(TimeTable).splitlines()[0].split()
        assert heading == ["i", "f", "c̃", "o", "c", "h", "∂c", "∂h", "δi", "→∂wi15"]


async def test_a_copy_holds_the_unit_over_time(opened):
    async with opened() as app:
        await app.go_behind("lstm_1/t=2", "lstm_1/t=2.h")
        copied = app.step.text_on_screen()
        assert "unit 5 of lstm_1 over time" in copied
        assert "weights into unit 5, gate i" in copied


async def test_every_operation_of_a_step_has_its_like_at_the_others(opened):
    async with opened() as app:
        listing = app.step.moment.listing
        for place, path in enumerate(listing.paths):
            if path != "lstm_1/t=3":
                continue
            for time in (2, 4):
                there = same_operation(listing, place, time)
                assert there is not None
                assert listing.paths[there] == f"lstm_1/t={time}"
                assert listing.names[there] == listing.names[place]
                assert same_operation(listing, there, 3) == place
