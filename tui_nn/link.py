"""The only module that talks to the engine process: starts it, sends commands, hears it."""

import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, cast

from tui_nn_engine.sessions import wire
from tui_nn_engine.sessions.protocol import Close, Command, Message


@dataclass(frozen=True, slots=True)
class EngineDied:
    """The process ended though nobody asked it to; a negative code is the signal's number."""

    code: int


class Link:
    """A child process that runs a session. `notify` is called, from a thread, when it has spoken.

    It is called once until `drain` has fetched what there is, so a slow screen is never flooded.
    """

    def __init__(self, notify: Callable[[], object]) -> None:
        self._notify = notify
        self._process: subprocess.Popen[bytes] | None = None
        self._said: deque[Message | EngineDied] = deque()
        self._told = threading.Event()
        self._closing = False

    @property
    def alive(self) -> bool:
        """Whether there is an engine to talk to."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Of the engine process."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start an engine; one that has died may be started anew. Raises OSError."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui_nn_engine.sessions.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the terminal's signals are for the screen
        )
        self._process = process
        threading.Thread(target=self._listen, args=(process,), daemon=True).start()
        if self._closing:  # meanwhile
            self.close()

    def send(self, command: Command) -> None:
        """Ask for something; what comes of it is heard by `drain`."""
        process = self._process
        if process is None or process.stdin is None:
            return
        with suppress(BrokenPipeError, ValueError):  # it has died: the listener tells
            process.stdin.write(wire.pack(command))
            process.stdin.flush()

    def drain(self) -> list[Message | EngineDied]:
        """All that was said since the last call."""
        self._told.clear()
        found = []
        while self._said:
            found.append(self._said.popleft())
        return found

    def close(self, patience: float = 5.0) -> None:
        """Let the engine save and end; one that does not within `patience` seconds is killed.

        None is started after that.
        """
        process, self._process = self._process, None
        self._closing = True
        if process is None or process.stdin is None:
            return
        with suppress(BrokenPipeError, ValueError):
            process.stdin.write(wire.pack(Close()))
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        with cast("BinaryIO", process.stdout) as stream:
            try:
                while (message := wire.read(stream)) is not None:
                    self._hear(message)
            except (wire.WireError, OSError):
                process.kill()
        code = process.wait()
        with suppress(BrokenPipeError):
            cast("BinaryIO", process.stdin).close()
        if not self._closing:
            self._hear(EngineDied(code))

    def _hear(self, message: Message | EngineDied) -> None:
        self._said.append(message)
        if not self._told.is_set():
            self._told.set()
            self._notify()
