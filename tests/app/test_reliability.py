"""What goes wrong, and that nothing is lost by it."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Button, Input

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.runs import Run

# -- the engine dies ------------------------------------------------------------------------------


async def test_a_killed_engine_is_told_and_its_run_goes_on_to_the_same_weights(
    laboratory: Any, endless: Path
) -> None:
    async with laboratory(endless) as app:
        await app.press("space")
        await app.until(lambda: app.monitor.saved_iteration, "an autosave")
        shown, folder = app.monitor.loss.last, app.folder
        os.kill(app.engine, signal.SIGKILL)
        await app.shows("The engine has died")
        saved = app.monitor.saved_iteration
        await app.shows(f"Go on from iteration {saved:,}")
        assert "killed by signal 9" in app.log
        assert app.monitor.loss.last >= shown, "the plots stay"
        await app.press("enter")
        await app.state("paused")
        assert app.folder == folder
        assert app.monitor.iteration == saved
        await app.press("g")
        app.app.screen.query_one(Input).value = "+25"
        await app.press("enter")
        await app.until(lambda: app.monitor.iteration == saved + 25, "25 updates more")
        await app.state("paused")
        await app.press("x")
        await app.until(lambda: app.monitor.saved_iteration == saved + 25, "a save")
        assert app.monitor.loss.last == saved + 25
        assert app.saved() == app.plain(Experiment.load(endless), saved + 25)


async def test_an_engine_killed_before_anything_was_saved_starts_anew(
    laboratory: Any, endless: Path
) -> None:
    async with laboratory(endless) as app:
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
    laboratory: Any, endless: Path
) -> None:
    async with laboratory(endless) as app:
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
    laboratory: Any, endless: Path
) -> None:
    async with laboratory(endless) as app:
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
    laboratory: Any, endless: Path
) -> None:
    async with laboratory(endless) as app:
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
    laboratory: Any, endless: Path, tmp_path: Path
) -> None:
    async with laboratory(endless) as app:
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
        kept = Experiment.load(endless)
        assert app.saved() == app.plain(kept, app.monitor.saved_iteration)


# -- leaving --------------------------------------------------------------------------------------


async def test_quitting_while_it_trains_saves_and_leaves_no_process(
    laboratory: Any, endless: Path
) -> None:
    async with laboratory(endless) as app:
        await app.press("space")
        await app.iteration(50)
        told, folder = app.monitor.iteration, app.folder
        await app.pilot.press("q")
    assert app.app.return_code == 0
    async with laboratory(folder) as again:
        await again.until(lambda: again.monitor.iteration >= told, "what was trained")


async def test_the_garbage_collector_is_left_as_it_was_found(
    laboratory: Any, endless: Path
) -> None:
    before = gc.get_freeze_count()
    async with laboratory(endless) as app:
        await app.until(lambda: gc.get_freeze_count() > before, "what has come frozen")
        assert gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() <= before


async def test_an_exception_in_the_app_leaves_no_process(laboratory: Any, endless: Path) -> None:
    engines: list[int] = []

    def fail() -> None:
        raise RuntimeError("a fault of the app")

    async def use() -> None:
        async with laboratory(endless) as app:
            await app.press("space")
            await app.iteration(20)
            engines.append(app.engine)
            app.app.call_later(fail)
            await app.pilot.pause()

    with pytest.raises(RuntimeError, match="a fault of the app"):
        await use()
    with pytest.raises(ProcessLookupError):
        os.kill(engines[0], 0)


async def test_a_dialog_is_answered_with_the_mouse_too(laboratory: Any, endless: Path) -> None:
    async with laboratory(endless) as app:
        os.kill(app.engine, signal.SIGKILL)
        await app.shows("Start anew")
        await app.pilot.click("#again")
        await app.state("ready")
        assert not app.app.screen.query(Button)


async def test_a_run_that_was_broken_off_before_it_was_saved_begins_anew(
    laboratory: Any, endless: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "broken off"
    Run(Trainer(Experiment.load(endless)), folder).begin()
    async with laboratory(folder) as app:
        await app.shows("This run begins anew")
        await app.press("N")
        await app.iteration(1)


async def test_a_run_open_elsewhere_is_refused_and_another_is_none_that_begins_anew(
    laboratory: Any, endless: Path, tmp_path: Path
) -> None:
    elsewhere = Run(Trainer(Experiment.load(endless)), tmp_path / "elsewhere")
    elsewhere.begin()
    async with laboratory(elsewhere.folder) as app:
        said = app.app._notifications
        await app.until(lambda: any("has this run open" in one.message for one in said), "a no")
        await app.shows("Nothing is open")
        await app.press("space")
        await app.iteration(1)
        assert app.folder != elsewhere.folder
        assert not any("anew" in one.title for one in said)
    elsewhere.release()
