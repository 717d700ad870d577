"""Whatever is pressed, clicked and resized: the app goes on, and each key does its own work."""

import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from textual.errors import NoWidget
from textual.events import Resize
from textual.geometry import Size

from tui_nn.app import Laboratory
from tui_nn.modes.transport import Transport

TRANSPORT_KEYS = ["space", "N", "e", "r", "l", "m", "x"]
EARLY = [
    *TRANSPORT_KEYS,
    "n",
    "b",
    "B",
    "E",
    "y",
    "w",
    "o",
    "t",
    "left",
    "home",
    "end",
    "tab",
    "enter",
]


async def test_every_key_before_the_first_number_is_there(laboratory: Any, endless: Path) -> None:
    async with laboratory(endless) as app:
        for mode, name in (("2", "train"), ("3", "step"), ("1", "build"), ("2", "train")):
            await app.mode(mode, name)
            for key in EARLY if name != "build" else ["tab", "down", "enter", "escape", "f", "p"]:
                await app.press(key)
                while len(app.app.screen_stack) > 1:
                    await app.press("escape")
                if app.app.current_mode != name:
                    await app.mode(mode, name)
        await works(app)


async def test_keys_pressed_before_the_engine_is_up_are_followed(endless: Path) -> None:
    app = Laboratory(endless)
    async with app.run_test() as pilot:
        await pilot.press("space")
        while app.desk is None or app.desk.monitor.iteration < 10:
            await pilot.pause(0.01)


async def test_leaving_at_once(endless: Path) -> None:
    app = Laboratory(endless)
    async with app.run_test() as pilot:
        await pilot.press("q")
        while app.return_code is None:
            await pilot.pause(0.01)
    assert app.return_code == 0


async def works(app: Any) -> None:
    """Whatever was done before: the app still answers, and trains."""
    while len(app.app.screen_stack) > 1:
        await app.press("escape")
    if app.monitor.state == "dead":
        raise AssertionError(app.log)
    await app.press("escape", "escape")
    app.app.set_focus(None)
    await app.mode("2", "train")
    await app.press("r")
    await app.until(lambda: app.monitor.iteration == 0 and app.monitor.state == "ready", "restart")
    await app.press("N")
    await app.iteration(1)


KEYS = [
    *TRANSPORT_KEYS,
    *"nbBEywotadfpPsKJD7123",
    *("left", "right", "up", "down", "home", "end", "pageup", "pagedown", "tab", "shift+tab"),
    *("enter", "escape", "delete", "backspace", "question_mark", "minus", "comma", "full_stop"),
    *("left_square_bracket", "right_square_bracket", "ctrl+z", "ctrl+y", "ctrl+up", "ctrl+down"),
    *("f1", "f5"),
]


async def play_about(app: Any, mode: str, name: str, count: int, seed: int) -> None:
    """So many seeded random keys and clicks; wherever they lead, it is back to this mode."""
    chance = random.Random(seed)
    done: list[str] = []
    await app.mode(mode, name)
    for index in range(count):
        width, height = app.app.size
        if chance.random() < 0.3:
            place = chance.randrange(width), chance.randrange(1, height)
            done.append(f"click {place}")
            with suppress(NoWidget):  # of a screen that is only being opened
                await app.pilot.click(offset=place)
        else:
            key = chance.choice(KEYS)
            done.append(key)
            await app.press(key)
        assert app.app.return_code is None, f"it has ended after {done[-20:]}"
        if app.app._exception is not None:
            raise AssertionError(f"after {done[-20:]}") from app.app._exception
        if index % 10 == 9:
            while len(app.app.screen_stack) > 1:
                await app.press("escape")
            if app.app.current_mode != name:
                app.app.switch_mode(name)
                await app.pilot.pause()
        assert app.monitor.state != "dead", f"after {done[-20:]}\n{app.log}"


@pytest.mark.parametrize(("mode", "name"), [("1", "build"), ("2", "train"), ("3", "step")])
async def test_60_random_keys_and_clicks(
    laboratory: Any, endless: Path, mode: str, name: str
) -> None:
    async with laboratory(endless, (80, 24)) as app:
        fresh = endless.with_name("fresh.toml")  # a click may save what was made of the other
        fresh.write_bytes(endless.read_bytes())
        await play_about(app, mode, name, 60, seed=20)
        app.desk.draft.open(fresh)
        await app.mode("f5", "train")
        await app.mode("1", "build")
        await app.until(lambda: not app.desk._problems, "a review of what is right again")
        await works(app)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("mode", "name"), [("1", "build"), ("2", "train"), ("3", "step")])
async def test_2000_random_keys_and_clicks(
    laboratory: Any, endless: Path, mode: str, name: str, seed: int
) -> None:
    fresh = endless.with_name("fresh.toml")
    fresh.write_bytes(endless.read_bytes())
    async with laboratory(endless, ((120, 36), (80, 24), (60, 16))[seed]) as app:
        await play_about(app, mode, name, 2000, seed)
        app.desk.draft.open(fresh)
        await app.mode("f5", "train")
        await app.mode("1", "build")
        await app.until(lambda: not app.desk._problems, "a review of what is right again")
        await works(app)


async def test_resizing_while_it_trains(laboratory: Any, endless: Path) -> None:
    async with laboratory(endless, (200, 60)) as app:
        await app.press("space")
        await app.iteration(20)
        for mode, name in (("2", "train"), ("3", "step"), ("1", "build"), ("2", "train")):
            await app.mode(mode, name)
            if name == "train" and app.monitor.state != "running":
                await app.press("space")
                await app.state("running")
            for size in ((120, 36), (80, 24), (40, 12), (12, 4), (40, 12), (200, 60)):
                await app.pilot.resize_terminal(*size)
                lines = size[1]
                await app.until(lambda lines=lines: len(app.screen().splitlines()) == lines)
        before = app.monitor.iteration
        await app.iteration(before + 20)
        await app.shows("iteration ")


@pytest.mark.parametrize(("mode", "name"), [("2", "train"), ("3", "step")])
async def test_every_transport_key_works_with_every_widget_focused(
    laboratory: Any, endless: Path, mode: str, name: str
) -> None:
    async with laboratory(endless) as app:
        await app.mode(mode, name)
        heard: list[str] = []
        screen = app.app.screen
        assert isinstance(screen, Transport)
        bindings = {
            key: binding.action
            for key, binding in screen._bindings
            if binding.priority and key in {*TRANSPORT_KEYS, "n", "b"}
        }
        assert set(TRANSPORT_KEYS) <= set(bindings)
        for action in {action.partition("(")[0] for action in bindings.values()}:
            setattr(screen, f"action_{action}", lambda *_, action=action: heard.append(action))
        await app.until(lambda: screen.focus_chain, "something to focus")
        widgets = [None, *screen.focus_chain]
        for widget in widgets:
            app.app.set_focus(widget)
            for key, action in bindings.items():
                heard.clear()
                await app.press(key)
                assert heard == [action.partition("(")[0]], (key, widget)


async def test_a_size_that_the_terminal_no_longer_has_changes_nothing(laboratory: Any) -> None:
    async with laboratory() as app:
        await app.mode("3", "step")
        assert app.app.screen.has_class("-wide")
        over = Size(60, 20)
        for _ in range(3):
            app.app.screen.post_message(Resize(over, over))
            await app.pilot.pause()
        assert app.app.screen.has_class("-wide")
        assert app.app.screen.size == app.app.size
