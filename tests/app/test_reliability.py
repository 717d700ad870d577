"""What goes wrong, and that nothing is lost by it."""

import gc
import os
import random
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from textual.errors import NoWidget
from textual.events import Resize
from textual.geometry import Size
from textual.widgets import Button, Input

from tui_nn.app import Laboratory
from tui_nn.modes.transport import Transport
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.runs import Run

MOONS = """
seed = 3
[data]
name = "moons"
samples = 60
validation_fraction = 0.2
test_fraction = 0.2
[[layers]]
type = "dense"
units = 6
activation = "relu"
[[layers]]
type = "dense"
units = 6
activation = "relu"
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
[loss]
type = "binary_crossentropy"
[optimizer]
type = "adam"
learning_rate = 0.01
[training]
epochs = EPOCHS
batch_size = 8
threads = 1
"""


@pytest.fixture
def moons(tmp_path: Path) -> Path:
    """Training that does not end by itself."""
    path = tmp_path / "moons.toml"
    path.write_text(MOONS.replace("EPOCHS", "1000000"))
    return path


# -- the engine dies ------------------------------------------------------------------------------


async def test_a_killed_engine_is_told_and_its_run_goes_on_to_the_same_end(
    laboratory: Any, mnist: Path
) -> None:
    mnist.write_text(mnist.read_text().replace("epochs = 1", "epochs = 8"))
    async with laboratory(mnist) as app:
        await app.press("space")
        saved = await app.until(lambda: app.monitor.saved_iteration, "an autosave")
        await app.iteration(saved + 3)
        shown = len(app.monitor.loss)
        folder = app.folder
        os.kill(app.engine, signal.SIGKILL)
        await app.shows("The engine has died")
        await app.shows(f"Go on from iteration {app.monitor.saved_iteration:,}")
        assert "killed by signal 9" in app.log
        assert len(app.monitor.loss) >= shown, "the plots stay"
        await app.press("enter")
        await app.state("paused")
        assert app.folder == folder
        assert app.monitor.iteration == app.monitor.saved_iteration
        await app.press("space")
        await app.state("completed")
        assert app.monitor.loss.last == app.monitor.total
        assert app.saved() == app.plain(Experiment.load(mnist))


async def test_an_engine_killed_before_anything_was_saved_starts_anew(
    laboratory: Any, moons: Path
) -> None:
    async with laboratory(moons) as app:
        await app.press("N")
        await app.iteration(1)
        os.kill(app.engine, signal.SIGKILL)
        await app.shows("nothing was")
        await app.press("escape")
        await app.until(lambda: "dead" in app.title, "a title that says so")
        await app.press("space")  # any key of the transport asks again
        await app.shows("Start anew")
        await app.press("enter")
        await app.state("ready")
        await app.press("space")
        await app.iteration(20)


async def test_a_dead_engine_does_not_keep_one_from_opening_a_saved_run(
    laboratory: Any, moons: Path
) -> None:
    async with laboratory(moons) as app:
        await app.press("N", "x")
        await app.until(lambda: app.monitor.saved_iteration == 1, "a save")
        folder = app.folder
        os.kill(app.engine, signal.SIGKILL)
        await app.shows("The engine has died")
        await app.press("escape", "o")
        await app.shows("Go on with a saved run")
        await app.press("enter")
        await app.state("paused")
        assert app.folder == folder
        await app.press("N")
        await app.iteration(2)


async def test_where_the_autosave_is_lost_too_the_run_begins_anew(
    laboratory: Any, moons: Path
) -> None:
    async with laboratory(moons) as app:
        await app.press("N", "x")
        await app.until(lambda: app.monitor.saved_iteration == 1, "a save")
        (app.folder / "checkpoints" / "last.safetensors").unlink()
        os.kill(app.engine, signal.SIGKILL)
        await app.shows("Go on from iteration 1")
        await app.press("enter")
        await app.shows("This run begins anew")
        await app.press("space")
        await app.iteration(20)


# -- numbers that explode -------------------------------------------------------------------------


async def test_a_rate_of_1e30_stops_with_a_message_and_the_app_stays_usable(
    laboratory: Any, moons: Path
) -> None:
    async with laboratory(moons) as app:
        await app.press("space")
        await app.iteration(50)
        await app.press("l")
        app.app.screen.query_one(Input).value = "1e30"
        await app.press("enter")
        await app.state("diverged")
        told = next(line for line in app.log.splitlines() if "not finite" in line)
        assert told.startswith("error: update ")
        assert f"update {app.monitor.iteration + 1} " in told
        assert "dense_" in told or "loss" in told
        assert "smaller learning rate" in told
        await app.shows("not finite")
        assert len(app.monitor.loss) > 0
        await app.press("y", "w", "y", "home", "end")
        await app.press("r")
        await app.state("ready")
        await app.press("l")
        app.app.screen.query_one(Input).value = "0.02"
        await app.press("enter", "space")
        await app.iteration(50)
        assert app.monitor.learning_rate == 0.02
        assert app.monitor.state == "running"


# -- no space left --------------------------------------------------------------------------------


@pytest.fixture
def full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """From the moment the file `full` exists, the engine can't write a byte to any file."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import errno, os\n"
        "real = os.fdopen\n"
        f"full = {str(tmp_path / 'full')!r}\n"
        "def fdopen(handle, *args, **kwargs):\n"
        "    if os.path.exists(full):\n"
        "        os.close(handle)\n"
        "        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n"
        "    return real(handle, *args, **kwargs)\n"
        "os.fdopen = fdopen\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(site))
    yield
    (tmp_path / "full").unlink(missing_ok=True)


@pytest.mark.usefixtures("full_disk")
async def test_no_space_left_is_told_and_training_goes_on(
    laboratory: Any, moons: Path, tmp_path: Path
) -> None:
    async with laboratory(moons) as app:
        await app.press("space")
        await app.iteration(20)
        await app.press("x")
        await app.until(lambda: "saved at iteration" in app.log, "a save")
        saved, before = app.monitor.saved_iteration, app.saved()
        (tmp_path / "full").touch()
        await app.press("space")
        await app.iteration(saved + 100)
        await app.press("x")
        told = "No space left on device; the checkpoint before is intact"
        await app.until(lambda: told in app.log, "a message")
        await app.until(lambda: "No space left" in app.log_shown, "the message on screen")
        await app.press("space")
        await app.iteration(saved + 300)
        assert app.saved() == before
        (tmp_path / "full").unlink()
        await app.press("x")
        await app.until(lambda: (app.monitor.saved_iteration or 0) >= saved + 300, "a save again")
        kept = Experiment.load(moons)
        assert app.saved() == app.plain(kept, app.monitor.saved_iteration)


# -- keys, clicks, sizes --------------------------------------------------------------------------

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


async def test_every_key_before_the_first_number_is_there(laboratory: Any, moons: Path) -> None:
    async with laboratory(moons) as app:
        for mode, name in (("2", "train"), ("3", "step"), ("1", "build"), ("2", "train")):
            await app.mode(mode, name)
            for key in EARLY if name != "build" else ["tab", "down", "enter", "escape", "f", "p"]:
                await app.press(key)
                while len(app.app.screen_stack) > 1:
                    await app.press("escape")
                if app.app.current_mode != name:
                    await app.mode(mode, name)
        await works(app)


async def test_keys_pressed_before_the_engine_is_up_are_followed(moons: Path) -> None:
    app = Laboratory(moons)
    async with app.run_test() as pilot:
        await pilot.press("space")
        while app.desk is None or app.desk.monitor.iteration < 10:
            await pilot.pause(0.01)


async def test_leaving_at_once(moons: Path) -> None:
    app = Laboratory(moons)
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
async def test_200_random_keys_and_clicks(
    laboratory: Any, moons: Path, mode: str, name: str
) -> None:
    async with laboratory(moons, (80, 24)) as app:
        fresh = moons.with_name("fresh.toml")  # a click may save what was made of the other
        fresh.write_bytes(moons.read_bytes())
        await play_about(app, mode, name, 200, seed=20)
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
    laboratory: Any, moons: Path, mode: str, name: str, seed: int
) -> None:
    fresh = moons.with_name("fresh.toml")
    fresh.write_bytes(moons.read_bytes())
    async with laboratory(moons, ((120, 36), (80, 24), (60, 16))[seed]) as app:
        await play_about(app, mode, name, 2000, seed)
        app.desk.draft.open(fresh)
        await app.mode("f5", "train")
        await app.mode("1", "build")
        await app.until(lambda: not app.desk._problems, "a review of what is right again")
        await works(app)


async def test_resizing_while_it_trains(laboratory: Any, moons: Path) -> None:
    async with laboratory(moons, (200, 60)) as app:
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
    laboratory: Any, moons: Path, mode: str, name: str
) -> None:
    async with laboratory(moons) as app:
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


# -- leaving --------------------------------------------------------------------------------------


async def test_quitting_while_it_trains_saves_and_leaves_no_process(
    laboratory: Any, moons: Path
) -> None:
    async with laboratory(moons) as app:
        await app.press("space")
        await app.iteration(50)
        told, folder = app.monitor.iteration, app.folder
        await app.pilot.press("q")
    assert app.app.return_code == 0
    async with laboratory(folder) as again:
        await again.until(lambda: again.monitor.iteration >= told, "what was trained")


async def test_the_garbage_collector_is_left_as_it_was_found(laboratory: Any, moons: Path) -> None:
    before = gc.get_freeze_count()
    async with laboratory(moons) as app:
        await app.until(lambda: gc.get_freeze_count() > before, "what has come frozen")
        assert gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() <= before


async def test_an_exception_in_the_app_leaves_no_process(laboratory: Any, moons: Path) -> None:
    engines: list[int] = []

    def fail() -> None:
        raise RuntimeError("a fault of the app")

    async def use() -> None:
        async with laboratory(moons) as app:
            await app.press("space")
            await app.iteration(20)
            engines.append(app.engine)
            app.app.call_later(fail)
            await app.pilot.pause()

    with pytest.raises(RuntimeError, match="a fault of the app"):
        await use()
    with pytest.raises(ProcessLookupError):
        os.kill(engines[0], 0)


async def test_a_dialog_is_answered_with_the_mouse_too(laboratory: Any, moons: Path) -> None:
    async with laboratory(moons) as app:
        os.kill(app.engine, signal.SIGKILL)
        await app.shows("Start anew")
        await app.pilot.click("#again")
        await app.state("ready")
        assert not app.app.screen.query(Button)


async def test_a_run_that_was_broken_off_before_it_was_saved_begins_anew(
    laboratory: Any, moons: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "broken off"
    Run(Trainer(Experiment.load(moons)), folder).begin()
    async with laboratory(folder) as app:
        await app.shows("This run begins anew")
        await app.press("N")
        await app.iteration(1)


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
