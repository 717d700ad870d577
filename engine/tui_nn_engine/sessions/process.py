"""The session in a process of its own: `python -P -m tui_nn_engine.sessions.process`.

The protocol keeps the pipes to itself: whatever prints goes to the log of the run, and before
there is one to `engine.log` in the folder of runs.
"""

import logging
import os
import queue
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from tui_nn_engine.sessions import wire
from tui_nn_engine.sessions.protocol import Close, Command
from tui_nn_engine.sessions.session import Session
from tui_nn_engine.training.events import RunStarted
from tui_nn_engine.training.runs import runs_folder

log = logging.getLogger(__name__)


def main() -> None:
    """Serve until the pipe closes or a Close comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the screen's to understand
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    log_to(runs_folder() / "engine.log")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    def send(message: object) -> None:
        # Not before it starts: a run that was never begun leaves no folder behind.
        if isinstance(message, RunStarted) and message.out:
            log_to(Path(message.out) / "log")
        outgoing.write(wire.pack(message))
        outgoing.flush()

    session = Session(send)
    commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
    signal.signal(signal.SIGTERM, lambda *_: commands.put(None))  # save, then end
    threading.Thread(target=_receive, args=(incoming, commands), daemon=True).start()
    try:
        _serve(session, commands)
    except BrokenPipeError:
        log.info("the screen is gone")
        session.close()


def _serve(session: Session, commands: "queue.SimpleQueue[Command | None]") -> None:
    while True:
        try:
            command = commands.get(block=not session.running)
        except queue.Empty:
            session.work()
            continue
        if command is None or isinstance(command, Close):
            session.close()
            return
        session.handle(command)


def _receive(incoming: BinaryIO, commands: "queue.SimpleQueue[Command | None]") -> None:
    try:
        while (message := wire.read(incoming)) is not None:
            commands.put(message)
    except (wire.WireError, OSError):
        log.exception("what the screen sends makes no sense")
    commands.put(None)


def log_to(path: Path) -> None:
    """Let descriptors 1 and 2 write to this file; a stray print would draw over the screen."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        log_file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError:
        log_file = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError):  # a full disk is no reason to end
        sys.stdout.flush()
    os.dup2(log_file, 1)
    os.dup2(log_file, 2)
    os.close(log_file)


if __name__ == "__main__":
    main()
