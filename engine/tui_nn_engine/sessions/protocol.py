"""What the screen asks of a session, and what a session says besides the events of training."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.inspection.sight import Sight
from tui_nn_engine.inspection.subject import Subject
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
from tui_nn_engine.training.health_over_time import Clipping, OverTime
from tui_nn_engine.training.rate_range import RatesTried
from tui_nn_engine.training.verdicts import Verdict

State = Literal["ready", "running", "travelling", "paused", "stepping", "completed", "diverged"]


@dataclass(frozen=True, slots=True)
class Open:
    """Make this experiment the session's, from its start or, with `resume`, from its checkpoint."""

    experiment: dict[str, Any] | None = None
    folder: str | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Play:
    """Train on; `epochs` > 0: until that many more are complete; `until` > 0: until so many updates
    are made; else until the end.
    """

    epochs: int = 0
    until: int = 0


@dataclass(frozen=True, slots=True)
class GoTo:
    """Be where `iteration` updates were made: back, or forward, beyond the tip by training on.

    An update that is half done is undone first. On the way the state is "travelling": Pause, and
    whatever trains, steps or goes elsewhere, stops there; a change is refused until it is over.
    """

    iteration: int


@dataclass(frozen=True, slots=True)
class Back:
    """So many updates back, or `epochs` > 0 starts of epochs; while travelling, back from there.

    The update or epoch under way counts as the first.
    """

    updates: int = 1
    epochs: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop after the update under way."""


@dataclass(frozen=True, slots=True)
class PlayOrPause:
    """Pause where it trains or is on its way, else train on until the end."""


@dataclass(frozen=True, slots=True)
class Update:
    """One whole update (the rest of it, where one is half done)."""


@dataclass(frozen=True, slots=True)
class Step:
    """`count` operations on (or back, where negative)."""

    count: int = 1


@dataclass(frozen=True, slots=True)
class StepTo:
    """To where `cursor` operations of the update laid open are done."""

    cursor: int


@dataclass(frozen=True, slots=True)
class StepPhase:
    """To the start of the next phase; or back to that of this one, then of the one before."""

    direction: Literal[1, -1] = 1


@dataclass(frozen=True, slots=True)
class LookAt:
    """Show this layer, unit, sample and weight (from `source`) while stepping.

    `operation` is the one to be explained; -1: the last one done (the first, before any). Of a
    layer over time also this gate (from 0), and this time step (from 1) if the operation has none.
    """

    layer: str = ""
    unit: int = 0
    sample: int = 0
    source: int = 0
    operation: int = -1
    notation: Notation = Notation()  # noqa: RUF009 - frozen
    gate: int = 0
    time: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Inspect:
    """Tell this view of the network, and again while it trains, in place of the view before.

    "subject" says what there is to see, "" ends it. Each view reads its own fields: guess the
    `picture` (height, width), put in the middle if `centre`; surface `columns` and `rows`; mistakes
    `part`, `cell` (true class, guess; -1: all) and, of a regression or of labels, `output`; roc
    `part` and `output`, the class or label; trace `part` and `place` (-1: the worst); filters
    `layer`, `first` (unit); path `ends`; writing `temperature` and `seed`; memory `part`,
    `place` and `layer`, of the recurrent ones.
    """

    view: Literal[
        "",
        "subject",
        "guess",
        "surface",
        "mistakes",
        "roc",
        "trace",
        "filters",
        "spread",
        "path",
        "writing",
        "memory",
    ] = ""
    picture: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    centre: bool = False
    columns: int = 0
    rows: int = 0
    part: str = "train"
    cell: tuple[int, int] = (-1, -1)
    output: int = 0
    place: int = -1
    layer: int = 0
    first: int = 0
    ends: int = 0
    temperature: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Restart:
    """The same experiment again from its start, as a run of its own."""


@dataclass(frozen=True, slots=True)
class SetLearningRate:
    """From the next update on; in the past, that begins a branch (see `Branched`)."""

    rate: float


@dataclass(frozen=True, slots=True)
class SetWeight:
    """Put `value` into one weight ("dense_1.kernel[0, 3]") before the next update.

    In the past, that begins a branch (see `Branched`).
    """

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Watch:
    """Follow these weights ("dense_1.kernel[0, 3]"), in place of those before: see `Watched`."""

    weights: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Break:
    """Stop training where one of these becomes true, in place of those before.

    As `breakpoints.condition` reads them: "loss < 0.1", "dead dense_1[3]".
    """

    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckGradient:
    """Compare backpropagation with the numerical gradient of this weight, while stepping."""

    weight: str


@dataclass(frozen=True, slots=True)
class Export:
    """Write the whole update being stepped into a file, as a handout.

    For the sample and in the notation being looked at.
    """

    path: str
    format: Literal["text", "markdown", "csv", "json"] = "markdown"


@dataclass(frozen=True, slots=True)
class TryRates:
    """Make the learning-rate range test from here, on a copy (see `RatesTried`).

    What trains is paused before. Whatever then trains, steps or goes elsewhere ends it; so Pause.
    """

    lowest: float = 1e-6
    highest: float = 10.0
    updates: int = 100


@dataclass(frozen=True, slots=True)
class TrainUntil:
    """Make this the number of epochs."""

    epochs: int


@dataclass(frozen=True, slots=True)
class Save:
    """Write a checkpoint now."""


@dataclass(frozen=True, slots=True)
class Close:
    """Save what there is and end."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The session holds this experiment now; `history` are the epochs of a resumed run."""

    experiment: dict[str, Any]
    folder: str
    layers: tuple[str, ...]
    shapes: tuple[str, ...]
    parameters: tuple[int, ...]
    iteration: int
    epoch: int
    batch: int
    batches_per_epoch: int
    samples: int
    threads: int
    history: Epochs = field(default_factory=Epochs)


@dataclass(frozen=True, slots=True)
class StateChanged:
    """What the session is doing, and where it stands.

    `tip` is the farthest iteration of this run: more than `iteration` when one stands in the past.
    `ended_early` says why training is complete before its last epoch is: "loss reached".
    """

    state: State
    iteration: int
    epoch: int
    batch: int
    epochs: int
    learning_rate: float
    tip: int
    ended_early: str = ""


@dataclass(frozen=True, slots=True)
class Branched:
    """Something was changed in the past: from `iteration` on this is a run of its own, in `folder`.

    The run before is kept, saved at its tip.
    """

    iteration: int
    folder: str


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """Values (updates, weights) of the watched weights, after updates `first_iteration` and on.

    Told with progress, and once when watching begins: the values then.
    """

    weights: tuple[str, ...]
    first_iteration: int
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BreakpointsSet:
    """The conditions that stop training from now on, each spelled in one way."""

    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exported:
    """A handout was written."""

    path: str


@dataclass(frozen=True, slots=True, eq=False)
class HealthReport:
    """`health.health` after this many updates, (layers, columns), and what is to be said of it;
    that of recurrent layers through time; what was clipped, if anything is.
    """

    iteration: int
    values: NDArray[np.float64]
    verdicts: tuple[Verdict | None, ...] = ()
    times: tuple[OverTime, ...] = ()
    clipping: Clipping | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A command that could not be followed; nothing changed."""

    message: str


Command = (
    Open
    | Play
    | GoTo
    | Back
    | Pause
    | PlayOrPause
    | Update
    | Step
    | StepTo
    | StepPhase
    | LookAt
    | Inspect
    | Restart
    | SetLearningRate
    | SetWeight
    | Watch
    | Break
    | CheckGradient
    | Export
    | TryRates
    | TrainUntil
    | Save
    | Close
)
Message = (
    Opened
    | StateChanged
    | Branched
    | Watched
    | BreakpointsSet
    | Stopped
    | GradientChecked
    | Exported
    | RatesTried
    | HealthReport
    | Refused
    | Listing
    | StepView
    | Subject
    | Sight
    | RunStarted
    | Progress
    | Saved
    | SaveFailed
    | RunEnded
)
