"""Drives the app with its real engine process: press keys, wait for what must come of them."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from textual.pilot import Pilot
from textual.widgets import RichLog
from textual_internals import replace_waiting, screen_text
from waiting import PATIENCE, drawing, settled, until

from tui_nn.app import Laboratory
from tui_nn.modes.mode import Mode
from tui_nn.widgets.status_line import Counters, RunTitle
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.checkpoint import load


class Driver:
    """An open app, and what a test does with it and sees of it."""

    def __init__(self, app: Laboratory, pilot: Pilot[None]) -> None:
        assert app.desk is not None
        self.app, self.pilot, self.desk = app, pilot, app.desk
        self.monitor = self.desk.monitor

    async def press(self, *keys: str) -> None:
        """Press keys, and let the app take each of them in."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()

    async def until(self, condition: Callable[[], Any], what: str = "") -> Any:
        """Wait until the condition holds; fails with what the screen shows."""
        try:
            return await until(self.pilot, condition, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log}") from None

    async def state(self, *states: str) -> None:
        """Wait until the run is in one of these states."""
        await self.until(lambda: self.monitor.state in states, f"state {states}")

    async def iteration(self, count: int) -> None:
        """Wait until so many updates are made."""
        await self.until(lambda: self.monitor.iteration >= count, f"iteration {count}")

    async def shows(self, text: str) -> None:
        """Wait until this stands somewhere on the screen."""
        await self.until(lambda: text in self.screen(), f"{text!r} on the screen")

    async def mode(self, key: str, name: str) -> None:
        """Go to a mode."""
        await self.press(key)
        await self.until(
            lambda: self.app.current_mode == name and self.app.screen.is_mounted, f"mode {name}"
        )

    def screen(self) -> str:
        """All text on the screen, line by line."""
        return screen_text(self.app)

    @property
    def title(self) -> str:
        """The first line."""
        return str(self._mode.query_one(RunTitle).render())

    @property
    def counters(self) -> str:
        """The second line."""
        return str(self._mode.query_one(Counters).render())

    @property
    def _mode(self) -> Mode:
        mode = self.app.screen_stack[0]
        assert isinstance(mode, Mode)
        return mode

    @property
    def log(self) -> str:
        """What the event log has been told."""
        return "\n".join(f"{entry.severity}: {entry.text}" for entry in self.monitor.log)

    @property
    def log_shown(self) -> str:
        """What the event log shows."""
        return "\n".join(
            strip.text for strip in self.app.screen.query_one("#events", RichLog).lines
        )

    @property
    def engine(self) -> int:
        """The process id of the engine."""
        assert self.desk.link.pid is not None
        return self.desk.link.pid

    @property
    def folder(self) -> Path:
        """Of the run."""
        assert self.monitor.opened is not None
        return Path(self.monitor.opened.folder)

    def saved(self, folder: Path | None = None) -> bytes:
        """The weights of a run's last checkpoint."""
        path = (folder or self.folder) / "checkpoints" / "last.safetensors"
        array: NDArray[Any] = load(path).snapshot.arrays["parameters"]
        assert np.isfinite(array).all()
        return array.tobytes()

    @staticmethod
    def plain(experiment: Experiment, updates: int | None = None) -> bytes:
        """The weights that a plain loop ends with."""
        trainer = Trainer(experiment)
        for _ in trainer.run(updates):
            pass
        return trainer.parameters.values.tobytes()

    @staticmethod
    def alive(pid: int) -> bool:
        """Whether a process is there; one that has ended but was not waited for is not."""
        return alive(pid)


@asynccontextmanager
async def _laboratory(
    path: Path | None = None, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[Driver]:
    """The app, open, its engine ready; closed at the end, the engine with it."""
    app = Laboratory(path)
    async with app.run_test(size=size, notifications=True) as pilot:
        while app.desk is None:
            await pilot.pause(0.01)
        desk, driver = app.desk, Driver(app, pilot)
        await driver.until(lambda: desk.link.pid, "the engine")
        engine = driver.engine
        await driver.until(lambda: desk.monitor.state != "starting", "an opened experiment")
        await pilot.pause()
        yield driver
        app.exit()
        engine = desk.link.pid or engine
    assert not alive(engine), "the engine outlived the app"


def alive(pid: int) -> bool:
    """Whether a process is there (one that has ended but was not waited for is not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.fixture(autouse=True)
def settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each key, click and pause an app has taken in what it was told."""
    replace_waiting(monkeypatch, settled)
    drawing.install(monkeypatch)


@pytest.fixture
def laboratory(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`async with laboratory(path, size) as app:` opens the app; see `Driver`."""
    monkeypatch.setattr(Laboratory, "NOTIFICATION_TIMEOUT", PATIENCE)
    notify = Laboratory.notify

    def lasting(app: Laboratory, message: str, **options: Any) -> None:
        notify(app, message, **options | {"timeout": None})

    monkeypatch.setattr(Laboratory, "notify", lasting)  # a slow test sees it, too
    return _laboratory


ENDLESS = """
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
epochs = 1000000
batch_size = 8
threads = 1
"""


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """Training that does not end by itself."""
    path = tmp_path / "moons.toml"
    path.write_text(ENDLESS)
    return path
