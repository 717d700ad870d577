"""Conditions that stop training, as a person types them: "loss < 0.1", "dead dense_1[3]".

Each is checked after every update, on what that update computed. A condition on a quantity stops
where it *becomes* true: it was not after the check before. So one that holds already when it is
set stops once, after the next update, and training can then go on past it; it stops again once it
has been untrue in between. "iteration 500" and "epoch 3" are moments, true at one update alone.
"""

import math
import operator
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.programs.weights import weight_at
from tui_nn_engine.training.health import dead_units
from tui_nn_engine.training.trainer import Trainer

EXAMPLES = (
    "loss < 0.1",
    "loss > 10",
    "gradient > 10",
    "iteration 500",
    "epoch 3",
    "dead dense_1",
    "dead dense_1[3]",
)
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS = {"≤": "<=", "≥": ">=", "below": "<", "under": "<", "above": ">", "over": ">"}
_LISTED = 5

_LEAD = re.compile(r"(?:stop|when|if|at|after|any|the|a)\s+")
_MOMENT = re.compile(r"(iteration|update|epoch)s?\s*(?:==?|:|is)?\s*([\d,_]+)")
_QUANTITY = re.compile(
    r"(loss|\|?\s*(?:gradient|grad)s?\s*\|?)\s*(?:is\s+)?(<=?|>=?|≤|≥|below|under|above|over)"
    r"\s*(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)"
)
_DEAD = re.compile(r"dead\s+(\w+)\s*(?:\[\s*(\d+)\s*\])?")


class Condition(Protocol):
    """Something that may become true in an update; `text` is how it is spelled."""

    text: str

    def check(self, trainer: Trainer, loss: float) -> str | None:
        """One sentence on why to stop after the update just made, or None."""


class Breakpoints:
    """Conditions on one trainer. Raises ValueError for one that is not understood."""

    def __init__(self, trainer: Trainer, texts: Iterable[str]) -> None:
        self._trainer = trainer
        found = [condition(text, trainer) for text in texts]
        self.conditions = tuple({each.text: each for each in found}.values())

    @property
    def texts(self) -> tuple[str, ...]:
        """The conditions, each spelled in one way."""
        return tuple(each.text for each in self.conditions)

    def check(self, loss: float) -> str | None:
        """Why to stop after the update just made, whose loss this is; None: go on."""
        found = [each.check(self._trainer, loss) for each in self.conditions]
        return "; ".join(filter(None, found)) or None


def condition(text: str, trainer: Trainer) -> Condition:
    """The condition in a text; capitals and spaces do not matter, "stop when ..." is understood.

    Raises ValueError with examples, or with what the network has instead.
    """
    plain = text.strip().casefold()
    while lead := _LEAD.match(plain):
        plain = plain[lead.end() :]
    if match := _MOMENT.fullmatch(plain):
        return _moment(match[1], match[2], text)
    if match := _QUANTITY.fullmatch(plain):
        return _threshold(match[1], match[2], match[3], trainer)
    if match := _DEAD.fullmatch(plain):
        return _dead(match[1], match[2], trainer)
    raise ValueError(f"{text.strip()!r} is no condition; write one as {_listed(EXAMPLES)}")


def _listed(texts: Iterable[str]) -> str:
    *others, last = texts
    return f"{', '.join(others)} or {last}" if others else last


class Moment:
    """So many updates are made, or epochs complete."""

    def __init__(self, unit: str, number: int) -> None:
        self.unit, self.number = unit, number
        self.text = f"{unit} {number}"

    def check(self, trainer: Trainer, loss: float) -> str | None:  # noqa: ARG002
        """True after one update alone."""
        state = trainer.state
        if self.unit == "iteration":
            return f"iteration {self.number} is reached" if state.iteration == self.number else None
        if state.epoch == self.number and state.batch == 0:
            return f"epoch {self.number} is complete at iteration {state.iteration}"
        return None


class Threshold:
    """The batch's loss, or the largest |∂E/∂w| of all weights, passes a number."""

    def __init__(self, quantity: str, comparison: str, number: str) -> None:
        self.quantity, self.comparison, self.limit = quantity, comparison, float(number)
        if not 0 <= self.limit < math.inf:
            raise ValueError(f"{number} is never passed: loss and |gradient| lie from 0 on")
        self._limit = repr(self.limit).removesuffix(".0")
        self.text = f"{quantity} {comparison} {self._limit}"
        self._held = False

    def check(self, trainer: Trainer, loss: float) -> str | None:
        """True where the number is passed, and was not in the update before."""
        gradients = trainer.parameters.gradients
        value = loss if self.quantity == "loss" else _largest(gradients)
        held, self._held = self._held, COMPARISONS[self.comparison](value, self.limit)
        if held or not self._held:
            return None
        name = "loss"
        if self.quantity == "gradient":
            weight = weight_at(int(np.abs(gradients).argmax()), trainer.parameters)
            name = f"|gradient| of {weight.name}"
            if self.comparison.startswith("<"):
                name = f"the largest {name}"
        passed = f"{self._number(value)} {self.comparison} {self._limit}"
        return f"{name} {passed} at iteration {trainer.state.iteration}"

    def _number(self, value: float) -> str:
        """Short, but with as many digits as the comparison needs to be seen to be true."""
        short = f"{value:.4g}"
        return short if COMPARISONS[self.comparison](float(short), self.limit) else repr(value)


class Dead:
    """A unit gives 0 for every sample of the batch; of a whole layer: one more unit does."""

    def __init__(self, layer: str, unit: int | None) -> None:
        self.layer, self.unit = layer, unit
        self.text = f"dead {layer}" if unit is None else f"dead {layer}[{unit}]"
        self._held: NDArray[np.bool_] = np.zeros((), np.bool_)

    def check(self, trainer: Trainer, loss: float) -> str | None:  # noqa: ARG002
        """True where a unit is dead that was not in the batch before."""
        program = trainer.program
        if program is None:
            return None
        dead = dead_units(program, self.layer)
        if self.unit is not None:
            dead &= np.arange(dead.size) == self.unit
        died = np.flatnonzero(dead & ~self._held)
        self._held = dead
        if not died.size:
            return None
        names = [f"{self.layer}[{unit}]" for unit in died[:_LISTED]]
        more = f" and {died.size - _LISTED} more" if died.size > _LISTED else ""
        give = "gives" if died.size == 1 else "give"
        return (
            f"{', '.join(names)}{more} {give} 0 for every sample of the batch "
            f"at iteration {trainer.state.iteration}"
        )


def _largest(gradients: NDArray[np.floating]) -> float:
    """The largest absolute value, in two passes and without a copy; 0 of none."""
    if not gradients.size:
        return 0.0
    return max(float(gradients.max()), -float(gradients.min()))


def _threshold(quantity: str, comparison: str, number: str, trainer: Trainer) -> Threshold:
    if quantity != "loss" and (rule := trainer.experiment.rule):
        raise ValueError(f"{rule.type} learns by a rule and has no gradient; watch the loss")
    comparison = _WORDS.get(comparison, comparison)
    return Threshold("loss" if quantity == "loss" else "gradient", comparison, number)


def _moment(unit: str, digits: str, text: str) -> Moment:
    number = digits.replace(",", "").replace("_", "")
    if not 0 < len(number) <= 15 or int(number) < 1:
        raise ValueError(f"{text.strip()!r}: updates and epochs count from 1")
    return Moment("epoch" if unit == "epoch" else "iteration", int(number))


def _dead(layer: str, unit: str | None, trainer: Trainer) -> Dead:
    shapes = {row.name: row.output_shape for row in trainer.network.summary()}
    if layer not in shapes:
        near = get_close_matches(layer, shapes, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(shapes)}"
        raise ValueError(f"there is no layer {layer!r}; {hint}")
    units = shapes[layer][-1]
    if unit is None:
        return Dead(layer, None)
    if len(unit) > 15 or int(unit) >= units:
        raise ValueError(f"{layer} has no unit {unit}: they count from 0 to {units - 1}")
    return Dead(layer, int(unit))
