"""The rows that need a terminal: the app in a pseudo-terminal, as a person has it."""

import fcntl
import json
import os
import pty
import random
import select
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Self

EMPTY_APP = """
from textual.app import App
from textual.widgets import Label

class Empty(App):
    def compose(self):
        yield Label("nothing but this")

Empty().run()
"""
PLAYING_APP = """
import json, sys, time
from pathlib import Path
from tui_nn.app import Laboratory
from tui_nn_engine.sessions import protocol

def follow(app):
    monitor = app.desk.monitor if app.desk else None
    if monitor is None:
        return
    if monitor.state == "ready" and not begun:
        begun.append(time.perf_counter())
        app.desk.command(protocol.Play())
    elif monitor.state == "completed":
        Path(sys.argv[2]).write_text(json.dumps(time.perf_counter() - begun[0]))
        app.exit()

begun = []
app = Laboratory(Path(sys.argv[1]))
app.call_later(app.set_interval, 0.005, lambda: follow(app))
app.run()
"""
DIGITS = """
loss = "categorical_crossentropy"
data = { name = "mnist_small" }
layers = [
  { type = "dense", units = 512, activation = "relu" },
  { type = "dense", units = 10, activation = "softmax" },
]
training = { epochs = EPOCHS, batch_size = 128, threads = 1 }
"""
SPIRAL = """
loss = "binary_crossentropy"
data = { name = "spiral" }
layers = [
  { type = "dense", units = 8, activation = "tanh" },
  { type = "dense", units = 8, activation = "tanh" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
training = { epochs = EPOCHS, batch_size = 10, threads = 1 }
"""


class Terminal:
    """A program in a pseudo-terminal of 120 x 36; what it writes is gathered by a thread."""

    def __init__(self, *command: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        environment = dict(os.environ, TERM="xterm-256color", COLORTERM="truecolor")
        environment["TUI_NN_RUNS"] = tempfile.mkdtemp()
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        self._written = bytearray()
        self._more = threading.Condition()
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._gather, daemon=True)
        self._reader.start()

    def _gather(self) -> None:
        while not self._ended.is_set():
            try:
                ready, _, _ = select.select([self._master], [], [], 0.1)
                part = os.read(self._master, 65536) if ready else b""
            except OSError:
                return
            if part:
                with self._more:
                    self._written += part
                    self._more.notify_all()

    def press(self, key: str) -> None:
        """Forget what was written, and type a key."""
        with self._more:
            self._written.clear()
        os.write(self._master, key.encode())

    def answered(self, key: str, text: str) -> float:
        """Seconds from the key until the program has written this; it has a moment's rest then."""
        begun = time.perf_counter()
        self.press(key)
        self.wait_for(text)
        taken = time.perf_counter() - begun
        time.sleep(0.5)
        return taken

    def wait_for(self, text: str, seconds: float = 30.0) -> None:
        """Until the program has written this. Raises TimeoutError."""
        with self._more:
            if not self._more.wait_for(lambda: text.encode() in self._written, seconds):
                raise TimeoutError(f"{text!r} never came: {bytes(self._written[-500:])!r}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self._ended.set()
        self._reader.join()  # before the next terminal is given the same number
        os.close(self._master)


def painted(marker: str, *command: str) -> float:
    """Seconds until a program has written its marker."""
    begun = time.perf_counter()
    with Terminal(*command) as terminal:
        terminal.wait_for(marker)
        return time.perf_counter() - begun


def first_paint() -> tuple[float, float]:
    """Seconds until our first picture, and until that of an empty Textual app, in turn."""
    times = [
        (
            painted("neural-network", sys.executable, "-m", "tui_nn"),
            painted("nothing but this", sys.executable, "-c", EMPTY_APP),
        )
        for _ in range(9)
    ]
    return median(ours for ours, _ in times), median(theirs for _, theirs in times)


def speeds(text: str, epochs: int, turns: int = 3) -> tuple[float, float]:
    """Seconds of a run without a screen, and with the app open: the fastest of each."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "experiment.toml"
        path.write_text(text.replace("EPOCHS", str(epochs)))
        pairs = [(_headless(path), _in_app(path)) for _ in range(turns)]
    return min(plain for plain, _ in pairs), min(app for _, app in pairs)


def _headless(path: Path) -> float:
    from tui_nn_engine import Experiment, Trainer
    from tui_nn_engine.training.runs import Run

    with tempfile.TemporaryDirectory() as folder:
        run = Run(Trainer(Experiment.load(path)), Path(folder) / "run")
        begun = time.perf_counter()
        for _ in run.record():
            pass
        return time.perf_counter() - begun


def _in_app(path: Path) -> float:
    out = path.with_suffix(".json")
    out.unlink(missing_ok=True)
    with Terminal(sys.executable, "-c", PLAYING_APP, str(path), str(out)) as terminal:
        terminal.process.wait(300)
    return float(json.loads(out.read_text()))


def key_to_screen(presses: int = 40) -> float:
    """Milliseconds, 95th percentile, from a key to its effect while the smallest network trains."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "experiment.toml"
        path.write_text(SPIRAL.replace("EPOCHS", "100000"))
        with Terminal(sys.executable, "-m", "tui_nn", str(path)) as terminal:
            terminal.wait_for("Press space")
            terminal.press(" ")
            terminal.wait_for("running")
            delays = []
            for _ in range(presses):
                time.sleep(random.uniform(0.1, 0.3))  # at any moment of its redrawing
                begun = time.perf_counter()
                terminal.press("y")
                terminal.wait_for("(log)")
                delays.append(time.perf_counter() - begun)
                time.sleep(0.1)
                terminal.press("y")
    return quantiles(delays, n=20)[-1] * 1e3


def step_opens(turns: int = 7) -> tuple[float, float, float]:
    """Milliseconds, medians, until the screen shows it: from the key to the first update of
    784-512-10 laid open, the same when Step mode was there before, and from [ to its 512 units.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "experiment.toml"
        path.write_text(DIGITS.replace("EPOCHS", "10"))
        first, again, layer = zip(*(_step_opens(path) for _ in range(turns)), strict=True)
    return median(first) * 1e3, median(again) * 1e3, median(layer) * 1e3


def _step_opens(path: Path) -> tuple[float, float, float]:
    with Terminal(sys.executable, "-m", "tui_nn", str(path)) as terminal:
        terminal.wait_for("Press space")
        time.sleep(1.0)  # until it rests
        first = terminal.answered("3", "paper names")  # stands beside what is shown, never alone
        terminal.answered("]", "neurons of dense_2")
        layer = terminal.answered("[", "neurons of dense_1")
        terminal.answered("2", "Layers")
        again = terminal.answered("3", "neurons of dense_1")
        return first, again, layer
