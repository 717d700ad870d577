"""Trains runs one after the other: `python -P -m tui_nn_engine.comparisons.worker`.

Each `Open` on its standard input names a folder, and an experiment for it. What the folder holds
already is gone on with. A run ends with RunEnded, or with Refused where it can't be trained.
SIGTERM saves the run and ends, and so does a closed pipe; SIGINT is left to whoever started this.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from tui_nn_datasets import DataError
from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.sessions import wire
from tui_nn_engine.sessions.process import log_to
from tui_nn_engine.sessions.protocol import Open, Refused
from tui_nn_engine.training.checkpoint import CheckpointError
from tui_nn_engine.training.claim import claimed
from tui_nn_engine.training.events import Event, RunEnded
from tui_nn_engine.training.runs import Outcome, Run, is_run
from tui_nn_engine.training.trainer import Trainer

INTERVAL = 0.25  # seconds of training between two messages
TERMINATED = 143

log = logging.getLogger(__name__)


class Worker:
    """Follows Opens until the pipe closes."""

    def __init__(self, outgoing: BinaryIO) -> None:
        self.outgoing = outgoing
        self.training = self.stopped = False

    def serve(self, incoming: BinaryIO) -> None:
        """Train what comes, one after the other."""
        while not self.stopped and isinstance(message := wire.read(incoming), Open):
            self._train(message)

    def stop(self, _number: int, _frame: FrameType | None) -> None:
        """The signal to end: no update is torn."""
        self.stopped = True
        if not self.training:
            os._exit(TERMINATED)

    def _train(self, wanted: Open) -> None:
        folder = Path(wanted.folder or "")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with alone(folder):
                log_to(folder / "log")
                ended = Outcome.of(folder).ended
                if ended is not None:  # meanwhile, by another
                    self._tell(ended)
                    return
                self.training = True
                self._follow(_opened(folder, Experiment.parse(wanted.experiment)))
        except BrokenPipeError:
            raise
        except (ExperimentError, DataError, CheckpointError) as error:
            self._tell(Refused(str(error)))
        except Exception as error:
            log.exception("in %s", folder)
            self._tell(Refused(f"{type(error).__name__}: {error}; see {folder / 'log'}"))
        finally:
            self.training = False

    def _follow(self, run: Run) -> None:
        try:
            for event in run.record(interval=INTERVAL):
                self._tell(event)
                if self.stopped and not isinstance(event, RunEnded):
                    self._tell(run.save())
                    return
        except BrokenPipeError:
            run.save()
            raise
        finally:
            run.release()

    def _tell(self, event: Event | Refused) -> None:
        self.outgoing.write(wire.pack(event))
        self.outgoing.flush()


def _opened(folder: Path, experiment: Experiment) -> Run:
    """The run of the folder, where its last checkpoint stands, or new."""
    if is_run(folder) and (folder / "experiment.toml").exists():
        return Run.resume(folder, experiment)
    return Run(Trainer(experiment), folder)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process writes in the folder: one that was orphaned ends soon after."""
    claim = claimed(folder, wait=True)
    yield
    del claim


def main() -> None:
    """Serve standard input; standard output is kept for the messages."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # until there is a log, a stray print goes where errors go
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    worker = Worker(outgoing)
    signal.signal(signal.SIGTERM, worker.stop)
    with suppress(BrokenPipeError):
        worker.serve(incoming)
        return
    # Python flushes once more at the end; so its documentation of SIGPIPE advises.
    os.dup2(os.open(os.devnull, os.O_WRONLY), outgoing.fileno())
    sys.exit(TERMINATED)


if __name__ == "__main__":
    main()
