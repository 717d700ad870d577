"""Step mode with its engine: explanations, watching, stopping, comparing, copying, writing down."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, OptionList

from tui_nn.widgets.explanation_pane import ExplanationPane
from tui_nn.widgets.help import Help
from tui_nn.widgets.step_dialogs import Breakpoints, GradientComparison, WatchList, WriteDown

HAND = """
dtype = "float64"
data = {name = "given", x = [[1, 0, 1]], y = [[1]]}
loss = {type = "half_squared_error"}
optimizer = {type = "sgd", learning_rate = 0.9}
training = {epochs = 50, batch_size = 1}
[[layers]]
type = "dense"
units = 2
activation = "sigmoid"
kernel_initializer = {type = "given", values = [[0.2, -0.3], [0.4, 0.1], [-0.5, 0.2]]}
bias_initializer = {type = "given", values = [-0.4, 0.2]}
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
kernel_initializer = {type = "given", values = [[-0.3], [-0.2]]}
bias_initializer = {type = "given", values = [0.1]}
"""


@pytest.fixture
def hand(tmp_path: Path) -> Path:
    """The 3-2-1 network that the lecture updates by hand."""
    path = tmp_path / "hand.toml"
    path.write_text(HAND)
    return path


async def opened(app: Any) -> None:
    await app.mode("3", "step")
    await app.until(lambda: app.monitor.view is not None, "an update laid open")
    await app.until(lambda: explanation(app), "an explanation")
    await app.shows("n step b step back")
    await app.pilot.pause()


async def at_the_output(app: Any) -> None:
    """Step mode, its next update laid open, the output layer looked at."""
    await opened(app)
    await app.press("]")
    await app.until(lambda: app.app.screen.moment.view.layer == "dense_2", "the output layer")


async def steps(app: Any, count: int) -> None:
    """So many operations on."""
    cursor = app.monitor.view.cursor + count
    await app.press(*["n"] * count)
    await app.until(lambda: app.monitor.view.cursor == cursor, f"{cursor} operations")
    await app.pilot.pause()


def explanation(app: Any) -> str:
    return str(app.app.screen.query_one(ExplanationPane).plain)


async def test_an_explanation_has_symbols_numbers_result_and_a_sentence(
    laboratory: Any, hand: Path
) -> None:
    async with laboratory(hand) as app:
        await opened(app)
        assert "n computes it" in explanation(app)
        await steps(app, 2)
        lines = explanation(app).splitlines()
        assert lines[0].startswith("z4 = −0.7  net input")
        assert [line.strip() for line in lines[2:5]] == [
            "z4 = a4 + b4",
            "= −0.3 + (−0.4)",
            "= −0.7",
        ]
        assert "bias" in explanation(app)
        await app.press("a")
        await app.until(lambda: "dense_1.z[0, 0]" in explanation(app), "code names")
        await app.shows("kernel[0, 0]")
        await app.press("a", "D", "D")
        await steps(app, 1)
        assert explanation(app).splitlines()[0].startswith("h4 = 0.331812")


async def test_the_sign_of_the_error_is_the_same_everywhere(laboratory: Any, hand: Path) -> None:
    async with laboratory(hand) as app:
        await opened(app)
        await steps(app, 9)
        assert explanation(app).startswith("δ6 = −0.1312")
        await app.press("s")
        await app.until(lambda: explanation(app).startswith("e6 = 0.1312"), "e")
        await app.until(lambda: "δ" not in app.screen(), "no δ any more")


async def test_the_keys_a_newcomer_needs_are_whole_at_80_columns(
    laboratory: Any, hand: Path
) -> None:
    async with laboratory(hand, (80, 24)) as app:
        await opened(app)
        shown = app.screen().splitlines()
        assert shown[-1].split("t pane")[0].rstrip() == (
            "n step b step back N update B update back space play g go to ? help"
        )
        assert any("▶ next (n)" in line for line in shown)
        await steps(app, 1)
        await app.shows("✓ done (b)")
        await app.press("question_mark")
        await app.until(lambda: isinstance(app.app.screen, Help), "the help")
        await app.shows("takes it back")


async def test_going_back_over_the_start_of_an_update(laboratory: Any, hand: Path) -> None:
    async with laboratory(hand) as app:
        await opened(app)
        start = app.screen()
        await app.press("N", "N")
        await app.iteration(2)
        await app.press("B", "B")
        await app.until(lambda: app.monitor.view and app.monitor.view.iteration == 1, "the start")
        await app.until(lambda: "update 1" in app.screen(), "the start")
        body = slice(6, 30)
        assert app.screen().splitlines()[body] == start.splitlines()[body]


async def test_a_weight_is_watched_over_time(laboratory: Any, hand: Path) -> None:
    async with laboratory(hand) as app:
        await at_the_output(app)
        await app.press("w")
        await app.until(lambda: "dense_2.kernel[0, 0]" in app.monitor.watched, "the weight")
        await app.press("W")
        await app.until(lambda: isinstance(app.app.screen, WatchList), "the list")
        await app.shows("dense_2.kernel[0, 0] = -0.3")
        await app.press("escape", "N")
        await app.iteration(1)
        await app.press("W")
        await app.shows("dense_2.kernel[0, 0] = -0.260")
        await app.press("delete")
        await app.until(lambda: not app.monitor.watched, "an empty list")
        await app.shows("press w")


async def test_a_weight_is_changed_by_hand(laboratory: Any, hand: Path) -> None:
    async with laboratory(hand) as app:
        await at_the_output(app)
        await app.press("v")
        await app.shows("dense_2.kernel[0, 0]")
        app.app.screen.query_one(Input).value = "one"
        await app.shows("'one' is no number")
        app.app.screen.query_one(Input).value = "0.75"
        await app.press("enter")
        await app.until(lambda: app.monitor.view and app.monitor.view.weights[0, 0] == 0.75, "it")
        await app.until(lambda: re.search(r"w46 +0\.75", app.screen()), "the new weight")


async def test_training_stops_where_a_condition_becomes_true(laboratory: Any, hand: Path) -> None:
    async with laboratory(hand) as app:
        await opened(app)
        await app.press("k")
        await app.until(lambda: isinstance(app.app.screen, Breakpoints), "the dialog")
        await app.press(*"nonsense", "enter")
        await app.shows("✗ 'nonsense' is no condition")
        assert not app.app._notifications  # said in the dialog, not a second time over the next
        app.app.screen.query_one(Input).value = "iteration 7"
        await app.press("enter")
        await app.until(lambda: app.monitor.breakpoints == ("iteration 7",), "the condition")
        await app.until(lambda: not app.app.screen.query_one(Input).value, "an empty field")
        await app.press("escape", "space")
        await app.shows("iteration 7 is reached")
        assert app.monitor.iteration == 7
        await app.press("k")
        await app.until(lambda: isinstance(app.app.screen, Breakpoints), "the dialog")
        app.app.screen.query_one(OptionList).focus()
        await app.press("delete")
        await app.until(lambda: not app.monitor.breakpoints, "none")


async def test_a_gradient_is_compared_with_the_numerical_one(laboratory: Any, hand: Path) -> None:
    async with laboratory(hand) as app:
        await at_the_output(app)
        await app.press("c")
        await app.until(lambda: isinstance(app.app.screen, GradientComparison), "the comparison")
        await app.shows("They agree.")
        shown = app.screen()
        for part in ("dense_2.kernel[0, 0] = -0.3", "-0.0435", "E(w + 1e-5)", "They agree."):
            assert part in shown, part
        await app.press("escape")
        assert not isinstance(app.app.screen, GradientComparison)


async def test_what_is_on_screen_is_copied_as_text(laboratory: Any, hand: Path) -> None:
    async with laboratory(hand) as app:
        await opened(app)
        await steps(app, 5)
        await app.until(lambda: app.monitor.view.layer == "dense_2", "the layer explained")
        await app.press("y")
        await app.shows("on the clipboard")
        text = app.app.clipboard
        assert "z6 = a6 + b6" in text
        assert "w46\t-0.3" in text
        assert "6\t-0.1045" in text


async def test_the_update_is_written_down(laboratory: Any, hand: Path, tmp_path: Path) -> None:
    async with laboratory(hand) as app:
        await opened(app)
        await app.press("X")
        await app.until(lambda: isinstance(app.app.screen, WriteDown), "the dialog")
        field = app.app.screen.query_one(Input)
        assert field.value == "update-1.md"
        field.value = str(tmp_path / "update.doc")
        await app.shows("end the name in .md, .csv, .json, .txt")
        await app.press("enter")
        assert isinstance(app.app.screen, WriteDown)
        await app.pilot.click("#json")
        await app.pilot.pause()
        await app.press("enter")
        await app.shows("The update is written down")
        assert json.loads((tmp_path / "update.json").read_text())


async def test_the_tools_can_be_clicked(laboratory: Any, hand: Path) -> None:
    async with laboratory(hand) as app:
        await opened(app)
        line = next(y for y, row in enumerate(app.screen().splitlines()) if "k stop when" in row)
        row = app.screen().splitlines()[line]
        await app.pilot.click(offset=(row.index("stop when") + 1, line))
        await app.until(lambda: isinstance(app.app.screen, Breakpoints), "the dialog")


async def test_a_weight_in_the_picture_can_be_clicked(laboratory: Any, hand: Path) -> None:
    async with laboratory(hand, (160, 45)) as app:
        await opened(app)
        diagram = app.app.screen.query_one("#network")
        label = next(one for one in diagram._labels if one.text == "0.1")
        await app.pilot.click("#network", offset=(label.x + 1, label.y + 1))
        await app.until(lambda: app.monitor.view.source == 1, "the weight")
        assert (app.monitor.view.layer, app.monitor.view.unit) == ("dense_1", 1)


async def test_every_key_says_what_it_does_and_is_in_the_palette(
    laboratory: Any, hand: Path
) -> None:
    async with laboratory(hand) as app:
        await opened(app)
        screen = app.app.screen
        own = [found for found in screen.active_bindings.values() if found.node is screen]
        titles = {command.title for command in app.app.get_system_commands(screen)}
        assert len(own) > 30
        for _, binding, _, _ in own:
            assert binding.description, binding.key
            assert binding.description.capitalize() in titles, binding.key
        for key in "nbNBeErgpPuUfsaodDwWvkcyXt":
            assert screen.active_bindings[key].binding.tooltip, key


async def test_frozen_weights_say_so(laboratory: Any, hand: Path) -> None:
    first = '[[layers]]\ntype = "dense"\n'
    hand.write_text(HAND.replace(first, f"{first}bias_trainable = false\n"))
    async with laboratory(hand) as app:
        await opened(app)
        await app.press("p", "p", "p")
        await app.until(lambda: "0.008725" in app.screen(), "the gradient")
        await app.until(lambda: re.search(r"b4 +-0\.4 +frozen", app.screen()), "frozen weights")
        await app.press("w", "c")
        await app.shows("They agree.")
