"""A comparison file being run beside the app, by the same command as without a screen."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

OPENED, ENDED, RANKED = b'"event": "comparison"', b'"event": "run_ended"', b'"event": "ranking"'


@dataclass(frozen=True)
class Standing:
    """How many of the runs of a file have ended, and the best one once all have."""

    path: Path
    ended: int = 0
    runs: int = 0
    folder: Path | None = None
    """Where its runs are kept; known once it has begun."""
    best: str = ""


@dataclass(frozen=True)
class Stopped:
    """The process has ended, by itself or asked to; a negative code is the signal's number."""

    path: Path
    code: int
    said: str
    """What was said besides: warnings, what is wrong with the file."""


class ComparisonRun:
    """`tui-nn compare FILE` as a process. It saves and ends when the app does, however that ends:
    whatever it tells finds a closed pipe then. Raises OSError where it can't be started.

    `tell` is called, from a thread, with a Standing whenever a run has ended, and at last with a
    Stopped.
    """

    def __init__(self, path: Path, tell: Callable[[Standing | Stopped], object]) -> None:
        self.path = path
        self._tell = tell
        self._process = subprocess.Popen(  # noqa: S603  the file is an argument, no command
            [sys.executable, "-P", "-m", "tui_nn", "compare", str(path), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's signals are for the app
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def stop(self) -> None:
        """Let the runs under way be saved, and end."""
        self._process.terminate()

    def wait(self) -> None:
        """Until it has ended, and all is told."""
        self._listener.join()

    def _listen(self) -> None:
        now, said = Standing(self.path), b""
        with cast("BinaryIO", self._process.stdout) as stream:
            for line in stream:
                if not line.startswith(b"{"):
                    said += line
                elif OPENED in line:
                    told = json.loads(line)
                    now = Standing(self.path, told["ended"], told["runs"], Path(told["folder"]))
                    self._tell(now)
                elif ENDED in line:
                    now = replace(now, ended=now.ended + 1)
                    self._tell(now)
                elif RANKED in line:
                    self._tell(replace(now, best=_best(json.loads(line))))
        code = self._process.wait()
        self._tell(Stopped(self.path, code, said.decode(errors="replace").strip()))


def _best(told: dict[str, Any]) -> str:
    """The first of the ranking, of each data set, with the figure that says so."""
    return "\n".join(
        f"{run['run']}: {told['figure'].replace('_', ' ')} {run['best']:.4g}"
        for run in told["runs"]
        if run["rank"] == 1 and run["best"] is not None
    )
