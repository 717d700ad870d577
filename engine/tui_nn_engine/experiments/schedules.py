"""Learning-rate schedules: the rate of every update, from the one the optimizer (or rule) names.

The rate is a pure function of the iteration, and, where it waits for the loss, of a few counters
in the training state: so it is the same after a resume, in a replay, wherever one goes back to. No
schedule ever exceeds the optimizer's rate. A rate that is set by hand (`training.changes`) holds
from there on, and the schedule no longer acts.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self

from numpy.typing import NDArray
from pydantic import Field

from tui_nn_engine.blocks.schema import Kind, OneOf
from tui_nn_engine.programs.parameters import StateSpec

Counters = Mapping[str, NDArray[Any]]
"""What is kept in the training state: 0-d float64 arrays, written in place."""

Unit = Literal["epochs", "iterations"]
Gamma = Annotated[float, Field(gt=0, le=1, description="the rate is multiplied by it each time")]
Lowest = Annotated[float, Field(ge=0, description="the rate goes no lower")]
Length = Annotated[
    int | None, Field(ge=1, description="until the rate is lowest; default: training.epochs")
]
Tolerance = Annotated[float, Field(ge=0, description="a loss must fall by more to count as better")]
Patience = Annotated[int, Field(ge=1, description="epochs in a row without a better loss")]


@dataclass(frozen=True)
class Course:
    """What an epoch is made of: its updates and its samples."""

    batches: int
    samples: int

    def updates(self, count: int, unit: Unit) -> int:
        """So many epochs or iterations, in updates."""
        return count * self.batches if unit == "epochs" else count


class Schedule(Kind):
    """What stands in `[schedule]`."""

    counters: ClassVar[tuple[StateSpec, ...]] = ()

    def rate(self, base: float, iteration: int, course: Course, counters: Counters) -> float:
        """The rate of the update after `iteration` updates; `base` is the optimizer's."""
        raise NotImplementedError

    def changes_at(self, iteration: int, course: Course) -> int | None:
        """The next iteration, after this one, from which the rate may be another; None: never."""
        raise NotImplementedError

    def epoch_ended(self, loss: float, watched: float, counters: Counters) -> None:
        """Count an epoch: its training loss, and that on the validation data where there is any."""

    @property
    def length(self) -> int | None:
        """Epochs until the rate is lowest and stays so; None: it has no such end."""
        return None

    def settled(self, epochs: int) -> Self:  # noqa: ARG002 - for those that have a length
        """As it is for a run of so many epochs; training on for longer changes nothing in it."""
        return self


class Warmed(Schedule):
    """A schedule whose rate may first rise.

    For i = 1 to W, W the warm-up's updates, the rate is multiplied by i / W (Goyal et al. 2017,
    from 0): like PyTorch's `LinearLR(start_factor=1/W, total_iters=W-1)` chained with the schedule,
    which goes its way meanwhile.
    """

    warmup: Annotated[
        int, Field(ge=0, title="warm-up", description="the rate first rises for so long; 0: not")
    ] = 0
    warmup_unit: Annotated[
        Unit, Field(title="warm-up in", description="what the warm-up is counted in")
    ] = "epochs"

    def rate(self, base: float, iteration: int, course: Course, counters: Counters) -> float:
        """The scheduled rate, or the part of it that the warm-up has reached."""
        rate = self.scheduled(base, iteration, course, counters)
        rising = course.updates(self.warmup, self.warmup_unit)
        return rate * ((iteration + 1) / rising) if iteration < rising else rate

    def changes_at(self, iteration: int, course: Course) -> int | None:
        """Each update while it rises."""
        if iteration < course.updates(self.warmup, self.warmup_unit):
            return iteration + 1
        unit = self.steps_in()
        if unit is None:
            return None
        return iteration + 1 if unit == "iterations" else _next_epoch(iteration, course)

    def scheduled(self, base: float, iteration: int, course: Course, counters: Counters) -> float:
        """The rate without the warm-up."""
        raise NotImplementedError

    def steps_in(self) -> Unit | None:
        """How often that may be another; None: never."""
        return "epochs"


class Constant(Warmed):
    """η, always."""

    type: Literal["constant"] = "constant"
    summary: ClassVar[str] = "the same rate from first to last"

    def scheduled(self, base: float, *_: Any) -> float:
        """The optimizer's."""
        return base

    def steps_in(self) -> Unit | None:
        """Never."""
        return None


class InverseScaling(Warmed):
    """η / t^power_t, as scikit-learn's "invscaling".

    t is 1 + the samples that were trained on in the epochs before this one.
    """

    type: Literal["inverse_scaling"] = "inverse_scaling"
    aliases: ClassVar[tuple[str, ...]] = ("invscaling",)
    summary: ClassVar[str] = "η / t^power_t, t the samples seen: as in scikit-learn"
    power_t: Annotated[float, Field(ge=0, description="how fast it falls; 0: not at all")] = 0.5

    def scheduled(self, base: float, iteration: int, course: Course, _: Counters) -> float:
        """It falls at each epoch's end."""
        return float(base / (iteration // course.batches * course.samples + 1) ** self.power_t)


class Step(Warmed):
    """η γ^⌊u / step_size⌋, u the epochs or iterations made: PyTorch's StepLR."""

    type: Literal["step"] = "step"
    summary: ClassVar[str] = "times gamma every so many epochs"
    step_size: Annotated[int, Field(ge=1, description="how many until it falls again")] = 10
    gamma: Gamma = 0.1
    unit: Annotated[Unit, Field(description="what step_size counts")] = "epochs"

    def scheduled(self, base: float, iteration: int, course: Course, _: Counters) -> float:
        """Lower after each step."""
        return base * self.gamma ** (_elapsed(iteration, self.unit, course) // self.step_size)

    def steps_in(self) -> Unit | None:
        """The unit's."""
        return self.unit


class Exponential(Warmed):
    """η γ^u, u the epochs or iterations made: PyTorch's ExponentialLR."""

    type: Literal["exponential"] = "exponential"
    summary: ClassVar[str] = "times gamma each epoch"
    gamma: Gamma = 0.95
    unit: Annotated[Unit, Field(description="what it falls after")] = "epochs"

    def scheduled(self, base: float, iteration: int, course: Course, _: Counters) -> float:
        """Lower after each."""
        return base * self.gamma ** _elapsed(iteration, self.unit, course)

    def steps_in(self) -> Unit | None:
        """The unit's."""
        return self.unit


class Cosine(Warmed):
    """η_min + ½ (η - η_min) (1 + cos(π u / U)), u of U epochs or iterations made, then η_min.

    Loshchilov & Hutter 2017 without restarts; PyTorch's CosineAnnealingLR with T_max = U.
    """

    type: Literal["cosine"] = "cosine"
    summary: ClassVar[str] = "falls along half a cosine over the whole run"
    min_learning_rate: Lowest = 0.0
    epochs: Length = None
    unit: Annotated[Unit, Field(description="what it falls after")] = "epochs"

    def scheduled(self, base: float, iteration: int, course: Course, _: Counters) -> float:
        """Slowly at first and last, fast in the middle."""
        total = course.batches * (self.epochs or 1) if self.unit == "iterations" else self.epochs
        share = min(1.0, _elapsed(iteration, self.unit, course) / (total or 1))
        lowest = min(self.min_learning_rate, base)
        return lowest + (base - lowest) * (1 + math.cos(math.pi * share)) / 2

    def steps_in(self) -> Unit | None:
        """The unit's."""
        return self.unit

    @property
    def length(self) -> int | None:
        """That of the run as it began, unless the experiment names one."""
        return self.epochs

    def settled(self, epochs: int) -> Self:
        """With a length."""
        return self if self.epochs else self.model_copy(update={"epochs": epochs})


class OneCycle(Schedule):
    """Up to η, and down to next to nothing, in one cycle (Smith 2018): PyTorch's OneCycleLR.

    From η / div_factor it rises over the first `pct_start` of the updates, then falls to that value
    / final_div_factor; along half a cosine, or straight as in Smith's paper. The momentum, which
    Smith lowers meanwhile, stays as it is.
    """

    type: Literal["one_cycle"] = "one_cycle"
    summary: ClassVar[str] = "rises to the optimizer's rate, then falls to almost nothing"
    pct_start: Annotated[
        float, Field(ge=0, le=1, title="rising part", description="share of the run it rises for")
    ] = 0.3
    div_factor: Annotated[float, Field(ge=1, description="it starts at the rate / this")] = 25.0
    final_div_factor: Annotated[float, Field(ge=1, description="it ends at that start / this")] = (
        1e4
    )
    anneal: Annotated[
        Literal["cosine", "linear"], Field(description="the way between these rates")
    ] = "cosine"
    epochs: Length = None

    def rate(self, base: float, iteration: int, course: Course, _: Counters) -> float:
        """Of each update another; the lowest after the last."""
        last = course.batches * (self.epochs or 1) - 1
        peak = self.pct_start * (last + 1) - 1
        start = base / self.div_factor
        if iteration < peak:
            return self._between(start, base, iteration / peak)
        share = (iteration - peak) / (last - peak) if peak < last else 1.0
        return self._between(base, start / self.final_div_factor, min(1.0, share))

    def changes_at(self, iteration: int, course: Course) -> int | None:
        """Each update."""
        over = iteration >= course.batches * (self.epochs or 1)
        return None if over else iteration + 1

    @property
    def length(self) -> int | None:
        """That of the run as it began, unless the experiment names one."""
        return self.epochs

    def settled(self, epochs: int) -> Self:
        """With a length."""
        return self if self.epochs else self.model_copy(update={"epochs": epochs})

    def _between(self, start: float, end: float, share: float) -> float:
        if self.anneal == "linear":
            return start + (end - start) * share
        return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


class Waiting(Warmed):
    """A schedule that lowers the rate when the loss no longer falls."""

    counters: ClassVar[tuple[StateSpec, ...]] = (
        StateSpec("schedule.best", (), math.inf),
        StateSpec("schedule.wait", ()),
        StateSpec("schedule.reductions", ()),
    )

    def _waited(self, better: bool, patience: int, counters: Counters) -> None:
        wait = counters["schedule.wait"]
        wait[()] = 0.0 if better else wait + 1
        if wait >= patience:
            wait[()] = 0.0
            counters["schedule.reductions"][()] += 1


class Adaptive(Waiting):
    """η / 5 whenever the training loss did not fall by `tol` for `patience` epochs in a row.

    scikit-learn's "adaptive", whose documentation names two epochs; its code waits for more than
    `n_iter_no_change` of them (10), which is `patience = 11` here. A rate of 1e-6 or less is
    divided no further (scikit-learn then stops, here `[stopping]` may).
    """

    type: Literal["adaptive"] = "adaptive"
    summary: ClassVar[str] = "a fifth whenever the training loss stops falling: scikit-learn's"
    tol: Tolerance = 1e-4
    patience: Patience = 2

    def scheduled(
        self,
        base: float,
        iteration: int,  # noqa: ARG002
        course: Course,  # noqa: ARG002
        counters: Counters,
    ) -> float:
        """Divided as often as it was counted."""
        rate = base
        for _ in range(int(counters["schedule.reductions"])):
            if rate <= 1e-6:
                break
            rate /= 5
        return rate

    def epoch_ended(self, loss: float, watched: float, counters: Counters) -> None:  # noqa: ARG002
        """The best loss is the lowest, though an epoch may be better by less than tol."""
        best = counters["schedule.best"]
        self._waited(bool(loss <= best - self.tol), self.patience, counters)
        best[()] = min(loss, float(best))


class ReduceOnPlateau(Waiting):
    """η · factor whenever the loss did not fall by more than `tol` for `patience` epochs.

    Keras's ReduceLROnPlateau (`tol` is its `min_delta`), which PyTorch's equals with
    `threshold_mode="abs"` and one epoch less of patience. The loss is that on the validation data
    where there is any, else the training loss.
    """

    type: Literal["reduce_on_plateau"] = "reduce_on_plateau"
    summary: ClassVar[str] = "times a factor whenever the validation loss stops falling"
    factor: Annotated[float, Field(gt=0, lt=1, description="the rate is multiplied by it")] = 0.1
    tol: Tolerance = 1e-4
    patience: Patience = 10
    min_learning_rate: Lowest = 0.0

    def scheduled(
        self,
        base: float,
        iteration: int,  # noqa: ARG002
        course: Course,  # noqa: ARG002
        counters: Counters,
    ) -> float:
        """Lowered as often as it was counted."""
        lowered = base * self.factor ** int(counters["schedule.reductions"])
        return max(lowered, min(self.min_learning_rate, base))

    def epoch_ended(self, loss: float, watched: float, counters: Counters) -> None:  # noqa: ARG002
        """Better is what beats the best by more than tol; only that becomes the best."""
        better = watched < counters["schedule.best"] - self.tol
        if better:
            counters["schedule.best"][()] = watched
        self._waited(bool(better), self.patience, counters)


def _elapsed(iteration: int, unit: Unit, course: Course) -> int:
    """Epochs or iterations that are complete."""
    return iteration // course.batches if unit == "epochs" else iteration


def _next_epoch(iteration: int, course: Course) -> int:
    return (iteration // course.batches + 1) * course.batches


SCHEDULES: tuple[type[Schedule], ...] = (
    Constant, InverseScaling, Adaptive, Step, Exponential, Cosine, OneCycle, ReduceOnPlateau,
)  # fmt: skip
AnySchedule = Annotated[Schedule, OneOf(SCHEDULES)]
