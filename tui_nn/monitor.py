"""What the screen knows of the run: every message of the engine, put where widgets read it."""

import math
from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tui_nn.errors_in_time import ErrorsInTime
from tui_nn.history import History
from tui_nn.link import EngineDied
from tui_nn_engine.inspection.sight import Sight
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.sessions.protocol import (
    Branched,
    BreakpointsSet,
    Exported,
    HealthReport,
    Message,
    Opened,
    Refused,
    State,
    StateChanged,
    Watched,
)
from tui_nn_engine.stepping.gradient_check import GradientChecked
from tui_nn_engine.stepping.stepview import Listing, StepView
from tui_nn_engine.training.events import (
    Epochs,
    Progress,
    RunEnded,
    RunStarted,
    Saved,
    SaveFailed,
    Stopped,
)
from tui_nn_engine.training.rate_range import RatesTried
from tui_nn_engine.training.verdicts import Verdict

Severity = Literal["information", "warning", "error"]


@dataclass(frozen=True)
class Entry:
    """A line of the event log."""

    time: str
    text: str
    severity: Severity = "information"


class Monitor:
    """The run as the screen sees it."""

    def __init__(self) -> None:
        self.opened: Opened | None = None
        self.state: State | Literal["starting", "dead"] = "starting"
        self.iteration = self.epoch = self.batch = self.epochs = 0
        self.tip = 0
        """The farthest iteration of this run; more than `iteration` in the past."""
        self.ended_early = ""
        """Why training is complete before its last epoch is: "loss reached"."""
        self.learning_rate = 0.0
        self.elapsed = 0.0
        self.seconds_per_update = 0.0
        self.loss = History()
        self.figures: dict[str, History] = {}
        self.branch_loss: History | None = None
        """Of the run that this one branched off from, after that place; so `branch_figures`."""
        self.branch_figures: dict[str, History] = {}
        self.watched: dict[str, History] = {}
        """Of each watched weight, in the order in which they were named."""
        self.watched_now: dict[str, float] = {}
        self.breakpoints: tuple[str, ...] = ()
        self.gradient: GradientChecked | None = None
        """The gradient checked last in the update that is laid open."""
        self.stopped: Stopped | None = None
        self.exported: Exported | None = None
        """What was told last of a condition that came true, and of an update written down."""
        self.health: NDArray[np.float64] | None = None
        self.verdicts: tuple[Verdict | None, ...] = ()
        self.errors_in_time = ErrorsInTime()
        self.rates: RatesTried | None = None
        """What was told last of a learning-rate range test."""
        self.subject: Subject | None = None
        """What there is to look at, and what was told last of it."""
        self.sight: Sight | None = None
        self.listing: Listing | None = None
        self.view: StepView | None = None
        self.log: deque[Entry] = deque(maxlen=1000)
        self.logged = 0
        self.saved_iteration: int | None = None
        self.test: dict[str, float] = {}

    @property
    def busy(self) -> bool:
        """Whether it trains, or is on the way to another iteration."""
        return self.state in {"running", "travelling"}

    @property
    def total(self) -> int:
        """Updates of the whole run."""
        return self.epochs * self.opened.batches_per_epoch if self.opened else 0

    @property
    def begun(self) -> int:
        """Epochs of which an update has been made, also in the future of where it stands."""
        updates = max(self.tip, self.iteration + (self.state == "stepping"))
        return math.ceil(updates / self.opened.batches_per_epoch) if self.opened else 0

    @property
    def eta(self) -> float:
        """Seconds of computing until the last epoch is complete."""
        return max(self.total - self.iteration, 0) * self.seconds_per_update

    @property
    def metric(self) -> str:
        """The first metric's name, "accuracy" or "r2"; "" before it is known."""
        names = [name for name in self.figures if name != "loss" and not name.startswith("val_")]
        return names[0] if names else ""

    def note(self, text: str, severity: Severity = "information") -> None:
        """Add a line to the event log."""
        self.log.append(Entry(f"{datetime.now():%H:%M:%S}", text, severity))
        self.logged += 1

    def hear(self, message: Message | EngineDied) -> None:
        """Take in one message."""
        match message:
            case Progress():
                self._progress(message)
            case HealthReport():
                self.health, self.verdicts = message.values, message.verdicts
                self.errors_in_time.hear(message)
            case StepView():
                self.view = message
            case Listing():
                self.listing, self.gradient = message, None
            case StateChanged():
                self._state(message)
            case Opened():
                self._opened(message)
            case Branched():
                self._branched(message)
            case Watched():
                self._watched(message)
            case BreakpointsSet():
                self._breakpoints_set(message)
            case Subject():
                self.subject, self.sight = message, None
            case _ if isinstance(message, Sight):
                self.sight = message
            case Stopped():
                self.stopped = message
                self.note(f"stopped: {message.reason}")
            case RatesTried():
                self.rates = message
            case GradientChecked():
                self.gradient = message
            case Exported():
                self.exported = message
                self.note(f"the update is written down in {message.path}")
            case Saved():
                self.saved_iteration = message.iteration
                if self.state != "running":
                    self.note(f"saved at iteration {message.iteration:,}")
            case SaveFailed():
                self.note(f"could not save {message.path}: {message.message}", "warning")
            case RunEnded():
                self._ended(message)
            case Refused():
                if self.state == "starting":
                    self.state = "ready"
                self.note(message.message, "warning")
            case EngineDied():
                self.state = "dead"
                self.note(f"the engine process ended ({_exit(message.code)})", "error")
            case RunStarted():
                pass

    def _opened(self, message: Opened) -> None:
        again = self.opened is not None and self.opened.folder == message.folder
        self.opened = message
        if again:
            for history in (self.loss, *self.figures.values(), *self.watched.values()):
                history.truncate(message.iteration)
        else:
            if self.iteration:
                self.note("back at the start" if not message.iteration else "another run")
            self.loss.clear()
            self.figures = {}
            self.branch_loss, self.branch_figures = None, {}
            self.watched, self.watched_now = {}, {}
            self._recall(message.history)
            self.elapsed = self.seconds_per_update = 0.0
        self.test, self.view, self.listing, self.health = {}, None, None, None
        self.verdicts, self.errors_in_time = (), ErrorsInTime()
        self.gradient = self.subject = self.sight = None
        self.saved_iteration = message.iteration or None
        self.iteration, self.epoch, self.batch = message.iteration, message.epoch, message.batch
        self.tip, self.learning_rate = message.iteration, 0.0
        if message.iteration:
            self.note(f"resumed at iteration {message.iteration:,} from {message.folder}")

    def _branched(self, message: Branched) -> None:
        """What the run before did from here on is kept, to be compared with."""
        if self.opened is not None:
            self.opened = replace(self.opened, folder=message.folder)
        self.branch_loss = self.loss.split(message.iteration)
        self.branch_figures = {
            name: history.split(message.iteration) for name, history in self.figures.items()
        }
        for history in self.watched.values():
            history.truncate(message.iteration)
        self.saved_iteration = None
        self.note(f"a branch from iteration {message.iteration:,}; the run before is kept")

    def _state(self, message: StateChanged) -> None:
        before, self.state = self.state, message.state
        stayed = message.iteration == self.iteration  # elsewhere in time another rate may hold
        self.iteration, self.epoch, self.batch = message.iteration, message.epoch, message.batch
        self.tip, self.ended_early = message.tip, message.ended_early
        if message.epochs != self.epochs and self.epochs and before != "starting":
            self.note(f"trains until epoch {message.epochs}")
        changed = message.learning_rate != self.learning_rate
        if changed and stayed and self.learning_rate and self.iteration:
            self.note(f"learning rate {message.learning_rate:g} from iteration {self.iteration:,}")
        self.epochs, self.learning_rate = message.epochs, message.learning_rate
        if message.state != "stepping":
            self.view = self.listing = self.gradient = None
        if before == "travelling" and message.state != "travelling":
            self.note(f"at iteration {message.iteration:,} of {message.tip:,} reached")
        elif (
            before != message.state and message.state in {"running", "paused"} and before != "ready"
        ):
            self.note("training goes on" if message.state == "running" else "paused")
        elif before == "ready" and message.state == "running":
            self.note("training starts")

    def _watched(self, message: Watched) -> None:
        self.watched = {name: self.watched.get(name) or History() for name in message.weights}
        self.watched_now = dict(zip(message.weights, message.values[-1].tolist(), strict=True))
        iterations = message.first_iteration + np.arange(len(message.values))
        for name, values in zip(message.weights, message.values.T, strict=True):
            history = self.watched[name]
            new = iterations > (-1 if history.last is None else history.last)  # see `_progress`
            history.add(iterations[new], values[new])

    def _breakpoints_set(self, message: BreakpointsSet) -> None:
        if lost := set(self.breakpoints) - set(message.conditions):
            self.note(f"no longer stops at: {', '.join(sorted(lost))}")
        if new := set(message.conditions) - set(self.breakpoints):
            self.note(f"stops at: {', '.join(sorted(new))}")
        self.breakpoints = message.conditions

    def _progress(self, message: Progress) -> None:
        self.iteration, self.batch = message.iteration, message.batch
        self.epoch, self.learning_rate = message.epoch - 1, message.learning_rate
        self.tip = max(self.tip, message.iteration)
        if len(message.losses):
            known = max((self.loss.last or 0) - message.first_iteration + 1, 0)
            self.loss.extend(message.first_iteration + known, message.losses[known:])
            self.elapsed += message.seconds
            if message.seconds:
                pace = message.seconds / len(message.losses)
                old = self.seconds_per_update
                self.seconds_per_update = 0.8 * old + 0.2 * pace if old else pace
        self._epochs(message.epochs)

    def _epochs(self, epochs: Epochs) -> None:
        if not len(epochs):
            return
        iterations = epochs.column("iteration")
        for name in epochs.columns[2:]:
            history = self.figures.setdefault(name, History())
            new = iterations > (history.last or 0)  # trained again, coming from the past, is known
            history.add(iterations[new], epochs.column(name)[new])
        if self.seconds_per_update * (self.opened.batches_per_epoch if self.opened else 1) > 0.1:
            last = dict(zip(epochs.columns, epochs.values[-1].tolist(), strict=True))
            figures = "  ".join(f"{n} {v:.4g}" for n, v in last.items() if n not in _COUNTERS)
            self.note(f"epoch {int(last['epoch'])}: {figures}")

    def _recall(self, epochs: Epochs) -> None:
        """The epochs of a resumed run, whose single losses were not kept."""
        if len(epochs):
            self.loss.add(epochs.column("iteration"), epochs.column("loss"))
        self._epochs(epochs)

    def _ended(self, message: RunEnded) -> None:
        if message.reason == "diverged":
            self.note(message.message, "error")
            return
        if message.test_loss is not None:
            self.test = {"loss": message.test_loss, **(message.test_metrics or {})}
        figures = "  ".join(f"{name} {value:.4f}" for name, value in self.test.items())
        what = "training is complete" if message.reason == "completed" else message.how
        why = f": {message.message}" if message.message else ""
        self.note(what + why + (f"; on the test data: {figures}" if figures else ""))


_COUNTERS = {"epoch", "iteration"}


def _exit(code: int) -> str:
    return f"killed by signal {-code}" if code < 0 else f"exit code {code}"
