"""How far to go along a direction: a step length that meets the strong Wolfe conditions.

Nocedal & Wright, Numerical Optimization, 2nd ed. 2006: Algorithms 3.5 (bracketing) and 3.6 (zoom),
cubic interpolation (3.59). Along the line w + αp the loss is φ(α), its slope φ′(α) = p·∇E.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from tui_nn_engine.programs.program import Op, Slot

AnyArray = Any
DECREASE = 1e-4  # c₁: φ(α) ≤ φ(0) + c₁ α φ′(0)
CURVATURE = 0.9  # c₂: |φ′(α)| ≤ c₂ |φ′(0)|; both as the book has them for quasi-Newton methods
MOST = 20  # evaluations, as SciPy's
GROWTH = 4.0  # of the step, while the loss keeps falling
MARGIN = 0.1  # of the bracket that a new step keeps from its ends


@dataclass(frozen=True, slots=True)
class Point:
    """φ and φ′ at one step length."""

    at: float
    value: float
    slope: float


class LineSearch:
    """One search; `evaluations` counts those made.

    `start` is the point at 0, going down; `evaluate` gives any other. `resolution` is the relative
    rounding error of the loss: what cannot be told apart is not searched.
    """

    def __init__(self, evaluate: Callable[[float], Point], start: Point, resolution: float) -> None:
        self._evaluate, self._start, self._resolution = evaluate, start, resolution
        self.last = start
        self.evaluations = 0

    def run(self, first: float) -> Point:
        """Algorithm 3.5, beginning with the step `first`.

        Where `MOST` evaluations or the loss's rounding find no such point: the lowest known.
        """
        before, at = self._start, first
        while self.evaluations < MOST:
            here = self._at(at)
            higher = self.evaluations > 1 and here.value >= before.value
            if not self._decreases(here) or higher:
                return self._zoom(before, here)
            if self._is_flat(here):
                return here
            if here.slope >= 0:
                return self._zoom(here, before)
            before, at = here, GROWTH * at
        return before

    def _zoom(self, low: Point, high: Point) -> Point:
        """Algorithm 3.6: between the ends lie points that meet both; `low` is the lowest known."""
        while self.evaluations < MOST and self._differs(low, high):
            here = self._at(_between(low, high))
            if not self._decreases(here) or here.value >= low.value:
                high = here
                continue
            if self._is_flat(here):
                return here
            if here.slope * (high.at - low.at) >= 0:
                high = low
            low = here
        return low

    def _at(self, at: float) -> Point:
        self.evaluations += 1
        self.last = self._evaluate(at)
        return self.last

    def _decreases(self, point: Point) -> bool:
        """The first condition; False where the loss is not finite."""
        return point.value <= self._start.value + DECREASE * point.at * self._start.slope

    def _is_flat(self, point: Point) -> bool:
        """The second."""
        return abs(point.slope) <= -CURVATURE * self._start.slope

    def _differs(self, low: Point, high: Point) -> bool:
        within = abs((high.at - low.at) * low.slope)
        return within > self._resolution * abs(low.value) and within > 0


def _between(low: Point, high: Point) -> float:
    """The minimum of the cubic through both points, where that is well inside; else the middle."""
    width = high.at - low.at
    found = math.nan
    if math.isfinite(high.value) and math.isfinite(high.slope):
        d1 = low.slope + high.slope - 3 * (high.value - low.value) / width
        square = d1 * d1 - low.slope * high.slope
        if square >= 0:
            d2 = math.copysign(math.sqrt(square), width)
            below = high.slope - low.slope + 2 * d2
            if below:
                found = high.at - width * (high.slope + d2 - d1) / below
    share = (found - low.at) / width
    return found if MARGIN <= share <= 1 - MARGIN else low.at + width / 2


class Objective:
    """The loss and its gradient at other weights, computed by the program's own operations.

    The loss is the sum of the scalars `ends`, as it was differentiated (penalties included). Inside
    `elsewhere()` the weights may be moved; afterwards they, and all that the operations write, are
    what they were. The memory for that is taken once.
    """

    def __init__(
        self, ops: Sequence[Op], ends: Sequence[Slot], weights: Slot, gradient: Slot
    ) -> None:
        self._calls = tuple(op.call for op in ops)
        self._ends = tuple(slot.array for slot in ends)
        self._weights: AnyArray = weights.array
        self.gradient: AnyArray = gradient.array
        written = {id(slot.array): slot.array for op in ops for slot in op.outputs}
        arrays: list[AnyArray] = [weights.array, *written.values()]
        self._kept = [(array, np.empty_like(array)) for array in arrays]

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Puts everything back in the end."""
        for array, kept in self._kept:
            np.copyto(kept, array)
        try:
            yield
        finally:
            for array, kept in self._kept:
                np.copyto(array, kept)

    def loss(self) -> float:
        """As last computed."""
        return float(sum(float(end) for end in self._ends))

    def at(self, weights: AnyArray) -> float:
        """The loss there; its gradient is in `gradient` (parameters,)."""
        np.copyto(self._weights, weights)
        for call in self._calls:
            call()
        return self.loss()
