"""The runs of a comparison on the machine's cores, a worker process each, their events merged.

Every run keeps itself in a folder of its own within the comparison's. One that has ended is not
repeated, one that was broken off goes on from its last checkpoint.
"""

import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO, cast

from tui_nn_engine.comparisons.comparison import Member
from tui_nn_engine.sessions import wire
from tui_nn_engine.sessions.protocol import Open, Refused
from tui_nn_engine.training.events import Event, RunEnded
from tui_nn_engine.training.records import Label
from tui_nn_engine.training.runs import Outcome
from tui_nn_engine.training.threads import cores

LOOK = 0.1  # seconds between two looks at whether to stop
PATIENCE = 20.0  # seconds for saving, after which a worker is killed


@dataclass(frozen=True, slots=True)
class Told:
    """What a run of a comparison tells; Refused where it can't be trained, or its worker died."""

    member: int
    event: Event | Refused


def unfinished(members: Sequence[Member], out: Path) -> list[int]:
    """The runs that have not ended yet, by their place among the members."""
    return [
        index
        for index, member in enumerate(members)
        if Outcome.of(out / member.folder).ended is None
    ]


def compare(
    members: Sequence[Member],
    out: Path,
    jobs: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[Told]:
    """Train all that have not ended, `jobs` at a time (default: one a core).

    It ends when all are done, or soon after `stop()` is true or the generator is closed; then
    each run under way is saved first. Raises OSError where no process can be started.
    """
    waiting = deque(unfinished(members, out))
    crew = _Crew(members, out)
    try:
        for _ in range(min(jobs or cores(), len(waiting))):
            crew.hire(waiting.popleft())
        while crew.busy and not stop():
            for worker, message in crew.said():
                if message is not None:
                    yield Told(crew.member(worker), message)
                else:
                    code = worker.wait()
                    text = f"its process ended ({code}); see the log in its folder"
                    yield Told(crew.member(worker), Refused(text))
                if message is None or isinstance(message, RunEnded | Refused):
                    crew.release(worker, waiting)
        if crew.busy:
            yield from crew.dismissed()
    finally:
        crew.dismiss()


Worker = subprocess.Popen[bytes]
Said = tuple[Worker, Event | Refused | None]


class _Crew:
    """The worker processes, and what each is at."""

    def __init__(self, members: Sequence[Member], out: Path) -> None:
        self._members, self._out = members, out
        self._at: dict[Worker, int] = {}
        self._said: SimpleQueue[Said] = SimpleQueue()

    @property
    def busy(self) -> bool:
        """Whether any run is under way."""
        return bool(self._at)

    def member(self, worker: Worker) -> int:
        """The run it is at."""
        return self._at[worker]

    def hire(self, member: int) -> None:
        """A new process for this run."""
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "tui_nn_engine.comparisons.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # the terminal's signals are for who started the comparison
        )
        threading.Thread(target=self._listen, args=(worker,), daemon=True).start()
        self._begin(worker, member)

    def release(self, worker: Worker, waiting: deque[int]) -> None:
        """Its run has ended: give it the next one, or let it go; a dead one is replaced."""
        del self._at[worker]
        if not waiting:
            _close(worker)
        elif worker.poll() is None:
            self._begin(worker, waiting.popleft())
        else:
            self.hire(waiting.popleft())

    def said(self) -> Iterator[Said]:
        """What was said since the last time, of runs under way; it waits a moment for it."""
        with suppress(Empty):
            found = self._said.get(timeout=LOOK)
            if found[0] in self._at:
                yield found

    def dismissed(self) -> Generator[Told]:
        """Let all save and end; yields what they say last."""
        for worker in self._at:
            worker.terminate()
        with suppress(Empty):
            while self._at:
                worker, message = self._said.get(timeout=PATIENCE)
                if message is None:
                    self._at.pop(worker, None)
                elif worker in self._at:
                    yield Told(self._at[worker], message)

    def dismiss(self) -> None:
        """Let all save and end; one that does not is killed."""
        for worker in self._at:
            worker.terminate()
        for worker in self._at:
            _close(worker)
            try:
                worker.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
        self._at = {}

    def _begin(self, worker: Worker, member: int) -> None:
        self._at[worker] = member
        one = self._members[member]
        folder = self._out / one.folder
        order = Open(one.experiment.tree(), str(folder))
        if not folder.exists():
            folder.mkdir(parents=True)
            Label(one.title, place=member).write(folder)
        with suppress(BrokenPipeError):  # it has died: its listener tells
            stream = cast("BinaryIO", worker.stdin)
            stream.write(wire.pack(order))
            stream.flush()

    def _listen(self, worker: Worker) -> None:
        with cast("BinaryIO", worker.stdout) as stream:
            try:
                while (message := wire.read(stream)) is not None:
                    self._said.put((worker, message))
            except (wire.WireError, OSError):
                worker.kill()
        worker.wait()
        _close(worker)
        self._said.put((worker, None))


def _close(worker: Worker) -> None:
    with suppress(BrokenPipeError):
        cast("BinaryIO", worker.stdin).close()
