"""A comparison file being run beside the app, by the same command as without a screen."""

import json
import subprocess
import sys
from collections.abc import Iterator
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


class ComparisonRun:
    """`tui-nn compare FILE` as a process. It saves and ends when the app does, however that ends:
    whatever it tells finds a closed pipe then. Raises OSError where it can't be started.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.said = ""
        """What was said besides: warnings, what is wrong with the file."""
        self._process = subprocess.Popen(  # noqa: S603  the file is an argument, no command
            [sys.executable, "-P", "-m", "tui_nn", "compare", str(path), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # the terminal's signals are for the app
        )

    def standings(self) -> Iterator[Standing]:
        """One whenever a run has ended. Waits for them, so not for the event loop."""
        with cast("BinaryIO", self._process.stdout) as stream:
            yield from self._told(stream)

    def _told(self, stream: BinaryIO) -> Iterator[Standing]:
        now = Standing(self.path)
        for line in stream:
            if not line.startswith(b"{"):
                self.said += line.decode(errors="replace")
            elif OPENED in line:
                told = json.loads(line)
                now = Standing(self.path, told["ended"], told["runs"], Path(told["folder"]))
                yield now
            elif ENDED in line:
                now = replace(now, ended=now.ended + 1)
                yield now
            elif RANKED in line:
                yield replace(now, best=_best(json.loads(line)))

    def wait(self) -> int:
        """The exit code; negative where a signal killed it."""
        return self._process.wait()

    def stop(self) -> None:
        """Let the runs under way be saved, and end."""
        self._process.terminate()


def _best(told: dict[str, Any]) -> str:
    """The first of the ranking, of each data set, with the figure that says so."""
    return "\n".join(
        f"{run['run']}: {told['figure'].replace('_', ' ')} {run['best']:.4g}"
        for run in told["runs"]
        if run["rank"] == 1 and run["best"] is not None
    )
