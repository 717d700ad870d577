"""How an operation reads its own element: inputs and outputs as named quantities.

A `Primitive` explains itself with a `Reading`, which knows names and numbers; what it says is a
`Meaning`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, Protocol

import numpy as np

from tui_nn_engine.formulas.expressions import Expression, Negative, Number, Quantity, equations
from tui_nn_engine.programs.slots import Array, Slot

Index = int | slice | EllipsisType
ALL = slice(None)


class Naming(Protocol):
    """What the elements of slots are called."""

    def symbol(self, slot: Slot, index: tuple[int, ...], *, sample: bool, as_: str) -> str:
        """One element; `sample`: the sample is part of the name; `as_`: its formula's symbol."""
        raise NotImplementedError

    def negated(self, slot: Slot) -> bool:
        """Whether the slot holds errors and these are shown as e = −∂E/∂z."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Equation:
    """left = right; `value` is what the operation computed, nan where it has not."""

    left: str
    right: Expression
    value: float


@dataclass(frozen=True, slots=True)
class Meaning:
    """The equations of one element, its own the last, and a sentence on them.

    `terms` of a sum over the rows of a batch are explained sample by sample.
    """

    equations: tuple[Equation, ...]
    sentence: str
    terms: Expression | None = None


class Reading:
    """One element of one operation: `element` is its index in the operation's first output.

    For a loss, whose value is one number, it is the index in the network's output.
    """

    def __init__(
        self,
        inputs: Sequence[Slot],
        outputs: Sequence[Slot],
        element: tuple[int, ...],
        naming: Naming,
        before: Callable[[Slot], Array | None],
        after: Callable[[Slot], Array | None],
        *,
        done: bool,
    ) -> None:
        self.inputs, self.outputs, self.element = inputs, outputs, element
        self.done = done
        self._naming, self._before, self._after = naming, before, after

    def input(self, position: int, *index: Index, as_: str = "") -> Expression:
        """One element of an input as it was when the operation ran.

        With `ALL` or ... it is a vector; with slice(0, n) its first n places.
        """
        slot = self.inputs[position]
        return self._quantity(slot, self._before(slot), index, as_)

    def output(self, position: int, *index: Index, as_: str = "") -> Expression:
        """One element of an output after the operation."""
        slot = self.outputs[position]
        return self._quantity(slot, self._after(slot), index, as_)

    def sample(self, position: int, *, of_output: bool = False) -> Expression:
        """All elements of the sample at hand, as a vector."""
        read = self.output if of_output else self.input
        return read(position, self.element[0], ...)

    def here(self, position: int, *, as_: str = "") -> Expression:
        """The element of an input that stands where the element stands."""
        axes = len(self.inputs[position].shape)
        return self.input(position, *self.element[:axes], as_=as_)

    def lines(
        self, right: Expression, position: int = 0, *index: Index, as_: str = ""
    ) -> tuple[Equation, ...]:
        """An output's element (unless told, the element at hand) is `right`, and its parts."""
        slot = self.outputs[position]
        left = self.output(position, *(index or self.element[: len(slot.shape)]), as_=as_)
        value = left.scalar if self.done else np.nan
        if isinstance(left, Negative):
            left, right, value = left.of, -right, -value
        new = "new " if slot in self.inputs else ""
        *parts, (name, whole) = equations(f"{new}{left.text()}", right)
        return (*(self._line(*part) for part in parts), Equation(name, whole, value))

    def recalled(self, quantity: Expression, right: Expression) -> Equation:
        """How an input came about, where that helps to understand what is made of it."""
        return self._line(quantity.text(), right)

    def _line(self, left: str, right: Expression) -> Equation:
        return Equation(left, right, right.scalar if self.done else np.nan)

    def _quantity(
        self, slot: Slot, array: Array | None, index: Sequence[Index], as_: str
    ) -> Expression:
        places = _expanded(index, len(slot.shape))
        free = [axis for axis, _ in _slices(places)]
        lengths = [len(range(slot.shape[axis])[place]) for axis, place in _slices(places)]
        value: Number = _number(array, tuple(places), lengths)
        # Sums over a batch of one do not tell samples apart.
        lasting = slot.role == "parameter" or not free
        sample = not lasting and free[0] == 0 and slot.shape[0] > 1

        def name(place: int) -> str:
            found: list[Any] = list(places)
            within = np.unravel_index(place, [slot.shape[axis] for axis in free])
            for axis, at in zip(free, within, strict=True):
                found[axis] = int(at)
            return self._naming.symbol(slot, tuple(found), sample=sample, as_=as_)

        symbol = name if free else name(0)
        if self._naming.negated(slot):
            return -Quantity(symbol, -value)
        return Quantity(symbol, value)


def _expanded(index: Sequence[Index], axes: int) -> list[int | slice]:
    """One entry an axis: ... and what is missing at the end stand for all places."""
    found: list[int | slice] = []
    for place in index:
        if isinstance(place, EllipsisType):
            found += [ALL] * (axes - len(index) + 1)
        else:
            found.append(place)
    return found + [ALL] * (axes - len(found))


def _slices(places: Sequence[int | slice]) -> list[tuple[int, slice]]:
    """The axes along which it is a vector."""
    return [(axis, place) for axis, place in enumerate(places) if isinstance(place, slice)]


def _number(array: Array | None, places: tuple[Any, ...], free: list[int]) -> Number:
    if array is None:
        return np.full(free, np.nan).ravel() if free else np.nan
    if not array.ndim:
        # 0.9 as float32 is meant as 0.9: the shortest decimal that is this number.
        return float(str(array))
    picked = array[places]
    return np.asarray(picked, np.float64).ravel() if free else float(picked)
