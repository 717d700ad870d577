"""The real program in a real terminal, by tmux: what it shows, and that it gives it all back."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

PATIENCE = 60.0
PROMPT = "back-in-the-shell"


class Terminal:
    """A terminal with a shell in it; the program's exit code is printed when it has ended."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self.socket = f"tui-nn-{os.getpid()}-{width}-{time.monotonic_ns()}"
        self.folder = folder
        (folder / "rc").write_text(f"PS1='{PROMPT}$ '\n")
        size = ["-x", str(width), "-y", str(height)]
        shell = f"cd {folder} && exec bash --rcfile rc -i"
        self.tmux("-f", "/dev/null", "new-session", "-d", *size, shell)
        self.until(lambda: PROMPT in self.screen(), "a shell")

    def tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self.socket, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def keys(self, *keys: str) -> None:
        self.tmux("send-keys", *keys)

    def run(self, command: str) -> None:
        self.tmux("send-keys", f"clear; {command}; echo exit code $?", "Enter")

    def state(self) -> dict[str, str]:
        """What programs have switched on in this terminal."""
        names = ("alternate_on", "mouse_any_flag", "mouse_sgr_flag", "cursor_flag")
        wanted = " ".join(f"{name}=#{{{name}}}" for name in names)
        found = self.tmux("display-message", "-p", wanted).split()
        return dict(pair.split("=") for pair in found)

    def until(self, condition: Callable[[], object], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"in vain: {what}\n{self.screen()}"
            time.sleep(0.05)  # between two looks

    def shows(self, text: str) -> None:
        self.until(lambda: text in self.screen(), text)

    def exit_code(self) -> int:
        """Wait for it; the terminal is as it was."""
        self.until(lambda: re.search(r"exit code \d+\s", self.screen()), "the end of the program")
        assert self.state() == {
            "alternate_on": "0",
            "mouse_any_flag": "0",
            "mouse_sgr_flag": "0",
            "cursor_flag": "1",
        }
        code = re.search(r"exit code (\d+)\s", self.screen())
        assert code is not None
        self.run("stty -a")
        self.shows("icanon")
        assert " -echo " not in self.screen()
        return int(code[1])

    def close(self) -> None:
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, check=False)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[[int, int], Terminal]]:
    opened: list[Terminal] = []

    def open_terminal(width: int = 120, height: int = 36) -> Terminal:
        opened.append(Terminal(tmp_path, width, height))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.close()


TUI_NN = f"{sys.executable} -m tui_nn"


def engines(folder: Path) -> list[int]:
    """The engine processes whose runs are in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            environment = (process / "environ").read_bytes()
        except OSError:
            continue
        if b"tui_nn_engine.sessions.process" in command and str(folder).encode() in environment:
            found.append(int(process.name))
    return found


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 36)])
def test_it_opens_ready_trains_by_one_key_and_leaves_the_terminal_as_it_was(
    terminal: Callable[..., Terminal], tmp_path: Path, width: int, height: int
) -> None:
    screen = terminal(width, height)
    screen.run(TUI_NN)
    screen.shows("ready")
    assert screen.state()["alternate_on"] == "1"
    screen.shows("mnist_small")
    screen.shows("epoch 1/10  batch 0/")
    screen.keys("Space")
    screen.shows("running")
    screen.until(lambda: re.search(r"epoch [2-9]/10", screen.screen()), "the second epoch")
    screen.shows("Loss")
    assert len(engines(tmp_path)) == 1
    screen.keys("q")
    assert screen.exit_code() == 0
    screen.until(lambda: not engines(tmp_path), "the end of the engine")


def test_sigterm_gives_the_terminal_back_and_saves(
    terminal: Callable[..., Terminal], tmp_path: Path, xor: Path
) -> None:
    xor.write_text(xor.read_text().replace("epochs = 5", "epochs = 100000000"))
    screen = terminal()
    screen.run(f"{TUI_NN} {xor} & echo $! > app.pid; fg > /dev/null")
    screen.shows("ready")
    screen.keys("Space")
    screen.until(lambda: re.search(r"iteration [1-9]\d{2,}/", screen.screen()), "training")
    os.kill(int((tmp_path / "app.pid").read_text()), signal.SIGTERM)
    assert screen.exit_code() == 143
    screen.until(lambda: not engines(tmp_path), "the end of the engine")
    assert list((tmp_path / "runs").glob("*/checkpoints/last.safetensors"))


def test_an_exception_in_the_app_gives_the_terminal_back(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    (tmp_path / "failing.py").write_text(
        "import sys\n"
        "from tui_nn.app import Laboratory\n"
        "def fail(self):\n"
        "    raise RuntimeError('a fault of the app')\n"
        "Laboratory.action_help = fail\n"
        "from tui_nn.cli import main\n"
        "main()\n"
    )
    screen = terminal()
    screen.run(f"{sys.executable} failing.py")
    screen.shows("ready")
    screen.keys("Space")
    screen.shows("running")
    screen.keys("?")
    assert screen.exit_code() == 1
    screen.until(lambda: not engines(tmp_path), "the end of the engine")


def test_a_terminal_that_closes_takes_everything_with_it(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    screen = terminal()
    screen.run(TUI_NN)
    screen.shows("ready")
    screen.keys("Space")
    screen.shows("running")
    assert engines(tmp_path)
    screen.tmux("kill-session")
    end = time.monotonic() + PATIENCE
    while engines(tmp_path):
        assert time.monotonic() < end, "the engine outlived its terminal"
        time.sleep(0.05)
