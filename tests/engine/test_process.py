"""The session in its own process: what may be said over its pipes, and how it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.sessions import wire
from tui_nn_engine.sessions.protocol import (
    Close,
    Open,
    Opened,
    Pause,
    Play,
    Refused,
    Save,
    StateChanged,
    Update,
)
from tui_nn_engine.training.events import Progress, RunEnded, Saved
from tui_nn_engine.training.runs import Run

ENDLESS: dict[str, Any] = {
    "data": {"name": "moons", "samples": 40},
    "layers": [{"type": "dense", "units": 1, "activation": "sigmoid"}],
    "loss": {"type": "binary_crossentropy"},
    "training": {"epochs": 10**8, "batch_size": 8, "threads": 1},
}
MNIST: dict[str, Any] = {
    "data": {"name": "mnist_small", "validation_fraction": 0.1},
    "layers": [
        {"type": "dense", "units": 512, "activation": "relu"},
        {"type": "dense", "units": 10, "activation": "softmax"},
    ],
    "loss": {"type": "categorical_crossentropy"},
    "training": {"epochs": 2, "batch_size": 128, "threads": 1},
}
MODULE = [sys.executable, "-P", "-m", "tui_nn_engine.sessions.process"]


class Engine:
    """A process that is spoken to as the app speaks to it."""

    def __init__(self, command: list[str] | None = None) -> None:
        self.process = subprocess.Popen(
            command or MODULE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.heard: list[Any] = []

    def ask(self, *commands: object) -> None:
        assert self.process.stdin is not None
        for command in commands:
            self.process.stdin.write(wire.pack(command))
        self.process.stdin.flush()

    def until(self, kind: type, **values: Any) -> Any:
        """The next message of this class with these values."""
        while (message := self.next()) is not None:
            if isinstance(message, kind) and all(
                getattr(message, name) == value for name, value in values.items()
            ):
                return message
        raise AssertionError(f"the engine ended without {kind.__name__} {values}")

    def next(self) -> Any:
        message = wire.read(self.process.stdout)  # type: ignore[arg-type]
        self.heard.append(message)
        return message

    def ended(self) -> int:
        """Read what is left; the exit code."""
        while self.next() is not None:
            pass
        return self.process.wait()

    def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def release(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None and not stream.closed:
                with suppress(BrokenPipeError):
                    stream.close()


@pytest.fixture
def engine() -> Iterator[Engine]:
    found = Engine()
    yield found
    found.release()


def training(engine: Engine, folder: Path, tree: dict[str, Any] = ENDLESS) -> None:
    """Open, play, and wait until some updates are made."""
    engine.ask(Open(tree, str(folder)), Play())
    engine.until(Progress)


def test_it_speaks_the_protocol(engine: Engine, tmp_path: Path) -> None:
    engine.ask(Play())
    assert isinstance(engine.next(), Refused)
    engine.ask(Open(ENDLESS, str(tmp_path / "run")), Update(), Close())
    assert isinstance(engine.next(), Opened)
    assert engine.ended() == 0
    assert engine.process.stderr is not None
    assert engine.process.stderr.read() == b""


# Printing in every way one can, before and while training.
NOISY = """
import os, subprocess, sys, warnings
from tui_nn_engine.sessions import process
from tui_nn_engine.training import trainer
def shout():
    print("a stray print")
    sys.stderr.write("a stray complaint\\n")
    os.write(1, b"a stray write\\n")
    subprocess.run(["echo", "a stray child"])
    warnings.warn("a stray warning")
    sys.stdout.flush()
update = trainer.Trainer._update
def noisy(self):
    if not self.state.iteration:
        shout()
    return update(self)
trainer.Trainer._update = noisy
process.main()
"""
STRAY = ["print", "complaint", "write", "child", "warning"]


def test_a_stray_print_goes_to_the_log_of_the_run(tmp_path: Path) -> None:
    engine = Engine([sys.executable, "-c", NOISY])
    try:
        training(engine, tmp_path / "run")
        engine.ask(Close())
        assert engine.ended() == 0
        log = (tmp_path / "run" / "log").read_text()
        assert [what for what in STRAY if f"a stray {what}" in log] == STRAY
        assert engine.process.stderr is not None
        assert engine.process.stderr.read() == b""
    finally:
        engine.release()


CRASHING = """
from tui_nn_engine.sessions import process
from tui_nn_engine.sessions import session
def fail(self):
    raise RuntimeError("a fault of the engine")
session.Session.work = fail
process.main()
"""


def test_a_fault_is_told_in_the_log(tmp_path: Path) -> None:
    engine = Engine([sys.executable, "-c", CRASHING])
    try:
        engine.ask(Open(ENDLESS, str(tmp_path / "run")), Update(), Play())
        assert engine.ended() == 1
        assert "a fault of the engine" in (tmp_path / "run" / "log").read_text()
    finally:
        engine.release()


def test_it_ignores_ctrl_c(engine: Engine, tmp_path: Path) -> None:
    training(engine, tmp_path / "run")
    engine.process.send_signal(signal.SIGINT)
    for _ in range(5):
        engine.until(Progress)
    engine.ask(Pause())
    engine.until(StateChanged, state="paused")


@pytest.mark.parametrize("how", ["the pipe closes", "SIGTERM", "the screen is gone"])
def test_it_saves_before_it_ends(engine: Engine, tmp_path: Path, how: str) -> None:
    training(engine, tmp_path / "run")
    if how == "SIGTERM":
        engine.process.terminate()
    elif how == "the pipe closes":
        engine.hang_up()
    else:
        assert engine.process.stdout is not None
        engine.process.stdout.close()
    assert (engine.process.wait() if how == "the screen is gone" else engine.ended()) == 0
    resumed = Run.resume(tmp_path / "run")
    told = max(m.iteration for m in engine.heard if isinstance(m, Progress))
    assert resumed.trainer.state.iteration >= told


def test_it_ends_where_what_it_reads_makes_no_sense(engine: Engine, tmp_path: Path) -> None:
    training(engine, tmp_path / "run")
    assert engine.process.stdin is not None
    engine.process.stdin.write(os.urandom(100))
    engine.hang_up()
    assert engine.ended() == 0
    assert Run.resume(tmp_path / "run").trainer.state.iteration
    assert "WireError" in (tmp_path / "run" / "log").read_text()


def test_killed_and_resumed_it_ends_byte_equal(tmp_path: Path) -> None:
    folder = str(tmp_path / "run")
    first, second = Engine(), Engine()
    try:
        first.ask(Open(MNIST, folder), Play())
        saved = first.until(Saved)
        first.until(Progress)
        first.process.kill()
        assert first.process.wait() == -signal.SIGKILL
        second.ask(Open(folder=folder, resume=True), Play())
        assert second.until(Opened).iteration >= saved.iteration
        second.until(RunEnded, reason="completed")
        second.ask(Save(), Close())
        assert second.ended() == 0
    finally:
        first.release()
        second.release()
    plain = Trainer(Experiment.parse(MNIST))
    for _ in plain.run():
        pass
    resumed = Run.resume(tmp_path / "run").trainer
    assert resumed.parameters.values.tobytes() == plain.parameters.values.tobytes()


def test_it_never_imports_the_screen(tmp_path: Path) -> None:
    code = """
import atexit, sys
from tui_nn_engine.sessions import process
def check():
    bad = {"textual", "rich", "click", "plotext"} & set(sys.modules)
    print("imported", sorted(bad))
atexit.register(check)
process.main()
"""
    engine = Engine([sys.executable, "-c", code])
    try:
        training(engine, tmp_path / "run")
        engine.ask(Close())
        engine.ended()
        assert "imported []" in (tmp_path / "run" / "log").read_text()
    finally:
        engine.release()
