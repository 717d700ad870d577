"""What the health of a layer means, in a word: why, and what to try.

The numbers are those of one update, so a verdict is about that update; it costs training nothing.
Where the literature names no threshold, what was chosen here says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.layers import Place, fed_by
from tui_nn_engine.primitives.activations import Elementwise, Sign, Step
from tui_nn_engine.primitives.lbfgs import LBFGS
from tui_nn_engine.programs.program import Program
from tui_nn_engine.training.health import BEYOND, COLUMNS, health
from tui_nn_engine.training.health_over_time import OverTime, over_time
from tui_nn_engine.training.trainer import Trainer

Severity = Literal["good", "notice", "bad"]
Row = Mapping[str, float]

USUAL = 1e-3
"""|Δw| / |w| of one update (Karpathy, CS231n: "this ratio should be somewhere around 1e-3")."""
SLOW, FAST = USUAL / 100, USUAL * 100
"""A hundred times less, or more, than is usual. The factor was chosen here: small networks on easy
data learn well at 0.1 to 0.01."""
LEAPS = 0.5
"""An update half as large as the weights it makes: repeated, it doubles them each time.
Weights that began at 0 are small beside any update: so for `FAST` and `LEAPS` an update must be
large beside fresh weights as well (`update_size` of `health.health`)."""
GROWN = 1e3
"""Weights so many times as large as fresh ones have exploded, however little they still move."""
VANISHED = 1e-3
"""Of the largest gradient (root mean square over the weights of a layer) of the layers after it.
A sigmoid's slope is at most 1/4 (Hochreiter 1991; Glorot & Bengio 2010): five layers of it,
4^-5 = 0.001, hold back as much."""
EXPLODED = 1e3
"""Of the last layer's gradient: the same factor the other way (Pascanu, Mikolov & Bengio 2013)."""
DEAD = 0.4
"""Share of ReLU units that no sample of the batch makes fire (Karpathy, CS231n: "as much as 40% of
your network can be dead")."""
FEWEST = 10
"""Samples in a batch that tell a dead unit from one at rest: by chance a unit that fires for every
second sample is silent in one batch of 2^10 = 1024."""
SATURATED = 0.8
"""Share of a hidden layer's outputs that lie where the activation is flat (`health.BEYOND`). Glorot
& Bengio 2010 name no share; small networks that have solved their task lie at 0.2 to 0.75."""

CS231N = "Karpathy, CS231n"
DEPTH = "Glorot & Bengio 2010"
HOCHREITER = "Hochreiter 1991"
PASCANU = "Pascanu, Mikolov & Bengio 2013"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a layer is doing: a word, the reason, what to try (empty: nothing), who says so."""

    word: str
    severity: Severity
    why: str
    remedy: str = ""
    source: str = ""


def judge(
    trainer: Trainer, program: Program, times: Sequence[OverTime] | None = None
) -> tuple[NDArray[np.float64], tuple[Verdict | None, ...]]:
    """The health of each layer after an update by `program`, and the verdict on it.

    A rule without gradients is not judged: its steps are as large as its errors. `times` is the
    health through time of this update, where it is known already.
    """
    experiment = trainer.experiment
    with np.errstate(all="ignore"):
        table = health(trainer, program)
    if experiment.optimizer is None:
        return table, (None,) * len(table)
    searched = isinstance(experiment.optimizer, LBFGS)
    places = trainer.network.places
    found = list(verdicts(table, places, samples=program.batch, searched=searched))
    for each in over_time(trainer, program) if times is None else times:
        index = next(at for at, place in enumerate(places) if place.name == each.layer)
        before, through = found[index], verdict_over_time(each)
        if through is not None and (before is None or _graver(through, before)):
            found[index] = through
    return table, tuple(found)


def verdicts(
    table: NDArray[np.float64],
    places: Sequence[Place],
    *,
    samples: int,
    searched: bool = False,
) -> tuple[Verdict | None, ...]:
    """One verdict a row of `health.health`; None where a layer has nothing to be judged by.

    `samples` were in the batch. `searched`: each step's length is searched for, so that no
    learning rate is to blame for it.
    """
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in table.tolist()]
    net = _Net(tuple(rows), tuple(places), fed_by(places), samples, searched)
    return tuple(net.verdict(index) for index in range(len(rows)))


@dataclass(frozen=True)
class _Net:
    """The rows of all layers, for each is judged beside those after it: those it feeds, also by
    way of others, and not the branches beside it.
    """

    rows: tuple[Row, ...]
    places: tuple[Place, ...]
    after: tuple[tuple[int, ...], ...]
    samples: int
    searched: bool

    def verdict(self, index: int) -> Verdict | None:
        """The first that applies, the gravest first."""
        row, hidden = self.rows[index], index < len(self.rows) - 1
        gradient = row["gradient_norm"]
        if not isnan(gradient) and not (isfinite(gradient) and abs(row["weight_std"]) != inf):
            return _broken()
        if self._can_die(index) and self.samples >= FEWEST and row["dead"] >= DEAD:
            return _dead(row["dead"])
        if gradient == 0:
            return self._without_gradient(index)
        if hidden and row["saturated"] >= SATURATED:
            return _saturated(row["saturated"])
        if isnan(gradient):
            return None if isnan(row["weight_mean"]) else _frozen()
        return self._by_size(index)

    def _by_size(self, index: int) -> Verdict:
        """Beside the gradients of the layers after it, and by how far its weights move."""
        row = self.rows[index]
        rms, ratio, size = row["gradient_rms"], row["update_ratio"], row["update_size"]
        pace = ratio if isnan(size) else min(ratio, size)
        after = [size for size in self._sizes(self.after[index]) if size]
        if after and rms < VANISHED * max(after):
            return _vanishing(rms / max(after))
        if after and rms > EXPLODED * after[-1]:
            return _exploding_backwards(rms / after[-1])
        if size > GROWN * ratio > 0:
            return _grown(size / ratio)
        if not self.searched and pace > FAST:
            return _exploding(ratio) if pace >= LEAPS else _fast(ratio)
        if ratio < SLOW:
            return _slow(ratio)
        return _learning(ratio)

    def _sizes(self, indices: Sequence[int]) -> Iterator[float]:
        """Gradients of those of these layers that have weights."""
        for row in (self.rows[index] for index in indices):
            if not isnan(row["weight_mean"]) and isfinite(row["gradient_rms"]):
                yield row["gradient_rms"]

    def _activation(self, index: int) -> object:
        return getattr(self.places[index].layer, "activation", None)

    def _can_die(self, index: int) -> bool:
        activation = self._activation(index)
        return isinstance(activation, Elementwise) and activation.can_die

    def _without_gradient(self, index: int) -> Verdict:
        """Who of the layers from here on lets no error through."""
        for place in (index, *self.after[index]):
            name, row = self.places[place].name, self.rows[place]
            whose = "its own activation" if place == index else f"{name}, after it,"
            if isinstance(self._activation(place), Step | Sign):
                return _stuck(
                    f"{whose} is flat everywhere, so no error passes it",
                    "an activation with a slope (sigmoid, tanh, relu), or the perceptron's rule",
                )
            if self._can_die(place) and row["dead"] == 1:
                return _held_back(name, "dead") if place > index else _dead(1)
            if row["saturated"] == 1 and place < len(self.rows) - 1:
                return _held_back(name, "saturated") if place > index else _saturated(1)
            if place > index and row["weight_mean"] == row["weight_std"] == 0:
                return _stuck(
                    f"the weights of {name}, after it, are all 0, so no error comes back",
                    f"random initial weights in {name}: glorot_uniform or he_normal",
                )
        return _stuck("the loss is flat here: the last batch gave nothing to learn", "")


def verdict_over_time(found: OverTime) -> Verdict | None:
    """What is to be said of errors that shrink, or grow, on their way back through time."""
    norms = found.norms[np.isfinite(found.norms)]
    if len(norms) < 2 or not norms.any():
        return None
    first, last, largest = float(norms[0]), float(norms[-1]), float(norms.max())
    steps = len(norms) - 1
    if first < VANISHED * largest:
        gated = len(found.gates) > 1
        return _vanishing_in_time(largest / first if first else inf, steps, gated=gated)
    if last and first > EXPLODED * last:
        return _exploding_in_time(first / last, steps)
    return None


def _graver(one: Verdict, other: Verdict) -> bool:
    """Whether it is, or says of the same where it comes from."""
    order = get_args(Severity)
    return one.word == other.word or order.index(one.severity) > order.index(other.severity)


def _vanishing_in_time(times: float, steps: int, *, gated: bool) -> Verdict:
    other = (
        "a gate that keeps more at the start (unit_forget_bias, or larger biases for it)"
        if gated
        else "lstm or gru, whose state is carried on as a sum; orthogonal recurrent weights"
    )
    shrunk = "nothing is left of it" if times == inf else f"it is {_times(times)} smaller"
    return Verdict(
        "forgets",
        "notice",
        f"Its error vanishes on the way back through time: {steps} steps before, {shrunk}. What "
        "came so long ago hardly moves the weights.",
        f"{other}; shorter sequences; or nothing, if the task needs no long memory",
        f"{HOCHREITER}; {PASCANU}",
    )


def _exploding_in_time(times: float, steps: int) -> Verdict:
    return Verdict(
        "exploding",
        "bad",
        f"Its error explodes on the way back through time: {steps} steps before, it is "
        f"{_times(times)} larger.",
        "clipping (global_clipnorm = 1), smaller or orthogonal recurrent weights, or bptt_steps",
        PASCANU,
    )


def _broken() -> Verdict:
    return Verdict(
        "exploding",
        "bad",
        "Its gradient or its weights are no longer finite numbers.",
        "a smaller learning rate, clipping (global_clipnorm = 1), other initial weights, or scaled "
        "inputs",
        PASCANU,
    )


def _dead(share: float) -> Verdict:
    return Verdict(
        "dead",
        "bad",
        f"{_percent(share)} of its ReLU units gave 0 for every sample of the last batch; there the "
        "slope is 0, so their weights do not change any more.",
        "a smaller learning rate, biases that start at 0 or slightly above, he_normal weights, or "
        "leaky_relu",
        CS231N,
    )


def _saturated(share: float) -> Verdict:
    return Verdict(
        "saturated",
        "bad",
        f"{_percent(share)} of its outputs lie beyond {_percent(BEYOND)} of the way to a bound, "
        "where less than a fifth of the activation's slope is left: little of the error passes.",
        "smaller initial weights (glorot_uniform), scaled inputs, a smaller learning rate, or relu",
        DEPTH,
    )


def _vanishing(share: float) -> Verdict:
    return Verdict(
        "vanishing",
        "bad",
        f"Its gradient is {_times(1 / share)} smaller than that of a layer after it: on the way "
        "back the error is multiplied by small slopes and weights, layer by layer.",
        "relu instead of sigmoid, glorot or he initial weights, batch_normalization, or fewer "
        "layers",
        DEPTH,
    )


def _exploding_backwards(times: float) -> Verdict:
    return Verdict(
        "exploding",
        "bad",
        f"Its gradient is {_times(times)} larger than that of the last layer: on the way back the "
        "error grows, layer by layer.",
        "smaller initial weights, clipping (global_clipnorm = 1), or batch_normalization",
        PASCANU,
    )


def _grown(times: float) -> Verdict:
    return Verdict(
        "exploding",
        "bad",
        f"Its weights are {_times(times)} as large as fresh ones would be.",
        "start again with a smaller learning rate, smaller initial weights, or scaled inputs",
        PASCANU,
    )


def _exploding(ratio: float) -> Verdict:
    return Verdict(
        "exploding",
        "bad",
        f"One update is {_percent(ratio)} the size of the weights themselves (about 0.1 % is "
        "usual): they leap, and soon they will be infinite.",
        "a learning rate ten times smaller, clipping (global_clipnorm = 1), or scaled inputs",
        PASCANU,
    )


def _fast(ratio: float) -> Verdict:
    return Verdict(
        "fast",
        "notice",
        f"One update changes its weights by {_percent(ratio)} of their size; about 0.1 % is usual.",
        "a smaller learning rate, if the loss jumps or rises",
        CS231N,
    )


def _slow(ratio: float) -> Verdict:
    return Verdict(
        "slow",
        "notice",
        f"One update changes its weights by {100 * ratio:.1g} % of their size; about 0.1 % is "
        "usual. Either it has learned what it can, or its steps are too small.",
        "a larger learning rate, if the loss is still high",
        CS231N,
    )


def _learning(ratio: float) -> Verdict:
    if isnan(ratio):
        return Verdict("learning", "good", "Errors reach its weights, which are all 0 yet.")
    moved = f"One update changes its weights by {100 * ratio:.2g} % of their size"
    return Verdict("learning", "good", f"{moved}; about 0.1 % is usual.", "", CS231N)


def _frozen() -> Verdict:
    return Verdict(
        "frozen",
        "good",
        "Its weights are kept as they are: nothing of it is trained.",
        "kernel_trainable = true, if that is not what you want",
    )


def _held_back(layer: str, word: str) -> Verdict:
    return _stuck(f"{layer}, after it, is {word} and passes no error back", f"mend {layer} first")


def _stuck(why: str, remedy: str) -> Verdict:
    return Verdict("not learning", "bad", f"Its gradient is 0: {why}.", remedy)


def _times(factor: float) -> str:
    return f"{factor:,.0f} times" if factor < 1e6 else f"{factor:.0e} times"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
