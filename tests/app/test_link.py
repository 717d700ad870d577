"""The link to the engine process: what it hears, and that no process outlives it."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tui_nn.link import EngineDied, Link
from tui_nn_engine.sessions import protocol
from tui_nn_engine.training.events import Progress
from tui_nn_engine.training.runs import Run

ENDLESS: dict[str, Any] = {
    "data": {"name": "moons", "samples": 40},
    "layers": [{"type": "dense", "units": 1, "activation": "sigmoid"}],
    "loss": {"type": "binary_crossentropy"},
    "training": {"epochs": 10**8, "batch_size": 8, "threads": 1},
}


class Listener:
    """Hears what a link says, as the app does, but waits for it."""

    def __init__(self) -> None:
        self.spoken = threading.Semaphore(0)
        self.link = Link(self.spoken.release)
        self.heard: list[Any] = []

    def until(self, kind: type) -> Any:
        while True:
            for message in self.heard:
                if isinstance(message, kind):
                    self.heard.clear()
                    return message
            assert self.spoken.acquire(timeout=60), f"no {kind.__name__}"
            self.heard += self.link.drain()


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    found.link.start()
    yield found
    found.link.close()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_commands_go_out_and_messages_come_in(listener: Listener, tmp_path: Path) -> None:
    assert listener.link.alive
    listener.link.send(protocol.Play())
    assert listener.until(protocol.Refused).message
    listener.link.send(protocol.Open(ENDLESS, str(tmp_path / "run")))
    assert listener.until(protocol.Opened).folder == str(tmp_path / "run")


def test_a_slow_screen_is_told_once(listener: Listener, tmp_path: Path) -> None:
    listener.link.send(protocol.Open(ENDLESS, str(tmp_path / "run")))
    listener.until(protocol.Opened)
    while listener.spoken.acquire(blocking=False):
        pass
    listener.link.drain()
    listener.link.send(protocol.Play())
    listener.spoken.acquire()
    # Some messages come while nobody fetches them; nobody is told again.
    while len(listener.link._said) < 5:
        pass
    assert not listener.spoken.acquire(blocking=False)
    iterations = [m.iteration for m in listener.link.drain() if isinstance(m, Progress)]
    assert iterations == sorted(iterations), "in the order in which they were said"
    assert listener.spoken.acquire(timeout=60), "after fetching, the next is told"


def test_closing_lets_the_engine_save(listener: Listener, tmp_path: Path) -> None:
    listener.link.send(protocol.Open(ENDLESS, str(tmp_path / "run")))
    listener.link.send(protocol.Play())
    told = listener.until(Progress).iteration
    pid = listener.link.pid
    listener.link.close()
    assert pid is not None
    assert gone(pid)
    assert Run.resume(tmp_path / "run").trainer.state.iteration >= told
    assert not any(isinstance(m, EngineDied) for m in listener.link.drain())
    listener.link.close()  # twice is no fault


def test_an_engine_that_does_not_end_is_killed(listener: Listener) -> None:
    pid = listener.link.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    listener.link.close(patience=0.1)
    assert gone(pid)


def test_an_engine_that_dies_is_told_and_started_anew(listener: Listener) -> None:
    first = listener.link.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert listener.until(EngineDied).code == -signal.SIGKILL
    assert not listener.link.alive
    listener.link.send(protocol.Play())  # goes nowhere, and is no fault
    listener.link.start()
    listener.link.send(protocol.Play())
    assert listener.until(protocol.Refused)
    assert listener.link.pid != first


def test_closing_before_it_is_up_leaves_no_process() -> None:
    listener = Listener()
    listener.link.close()
    listener.link.start()
    assert not listener.link.alive
    listener.link.send(protocol.Play())
    assert listener.link.pid is None
