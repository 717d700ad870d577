"""A series that grows for ever in constant memory."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SMOOTHINGS: Final = (10.0, 100.0, 1000.0)
"""Time constants, in points, of the smoothed series that run along with every history."""

# Rows of the table; the smoothed values follow, one row a time constant.
_FIRST, _LAST, _LOW, _HIGH, _TOTAL, _FINITE, _SMOOTHED = range(7)

_HUGE: Final = 1e280  # from here on sums would overflow, so such a value counts as infinite


class Bucket(NamedTuple):
    """Neighbouring points of a history, merged.

    `values` is how many finite values there are: 1 means that low, high and mean are that very
    value, 0 that every value was inf or NaN (then the three are NaN).
    """

    first: int
    last: int
    low: float
    high: float
    mean: float
    values: int


class Buckets(NamedTuple):
    """All buckets of a history, oldest first; each array has shape (n,). NaN marks a gap."""

    first: Floats
    low: Floats
    high: Floats
    mean: Floats
    smoothed: Floats


def smooth(values: ArrayLike, time_constant: float, start: float = np.nan) -> Floats:
    """Exponential smoothing: s_i = s_{i-1} + (1 - exp(-1 / time_constant)) (v_i - s_{i-1}).

    `values` has shape (n,); `start` is s before the first value, NaN for "none yet" (then s begins
    at the first finite value). A non-finite value leaves s where it was. Returns shape (n,).
    """
    values = np.asarray(values, dtype=np.float64)
    finite = np.abs(values) < _HUGE  # False for NaN
    steps = values[finite]
    decay = np.exp(-1.0 / time_constant)
    # Divided by decay**i the recurrence is a running sum; a block keeps the divisor above e**-50.
    block = max(1, int(50 * time_constant))
    powers = decay ** np.arange(1, min(block, steps.size) + 1)
    s = np.empty(steps.size + 1)
    s[0] = steps[0] if steps.size and np.isnan(start) else start
    for begin in range(0, steps.size, block):
        part = steps[begin : begin + block]
        power = powers[: part.size]
        s[begin + 1 : begin + 1 + part.size] = power * (
            s[begin] + (1.0 - decay) * np.cumsum(part / power)
        )
    s[0] = start
    smoothed: Floats = s[np.cumsum(finite)]
    return smoothed


class History:
    """Values by iteration, merged two by two whenever there are more than `capacity` buckets.

    Iterations rise but need not be neighbours: a value an epoch is kept as exactly as one an
    iteration. inf, NaN and values of 1e280 or more are kept as gaps and never spoil their
    neighbours.
    """

    def __init__(self, capacity: int = 2048) -> None:
        if capacity < 2:
            raise ValueError(f"capacity must be at least 2 (is {capacity})")
        self.capacity = capacity
        self.clear()

    def __len__(self) -> int:
        """Number of buckets."""
        return int(self._table.shape[1])

    @property
    def stride(self) -> int:
        """Iterations that share one bucket: a power of two."""
        return self._stride

    @property
    def first(self) -> int | None:
        """The oldest iteration, None while empty."""
        return int(self._table[_FIRST, 0]) if len(self) else None

    @property
    def last(self) -> int | None:
        """The newest iteration, None while empty."""
        return self._last

    def clear(self) -> None:
        """Forget everything."""
        self._table: Floats = np.empty((_SMOOTHED + len(SMOOTHINGS), 0))
        self._stride = 1
        self._last: int | None = None

    def append(self, iteration: int, value: float) -> None:
        """Add one value; see `extend`."""
        self.extend(iteration, [value])

    def extend(self, first_iteration: int, values: ArrayLike) -> None:
        """Add the values of first_iteration, first_iteration + 1, ...; shape (n,); see `add`."""
        values = np.asarray(values, dtype=np.float64).ravel()
        self.add(np.arange(first_iteration, first_iteration + values.size), values)

    def add(self, iterations: ArrayLike, values: ArrayLike) -> None:
        """Add values (n,) at these rising iterations (n,).

        Raises:
            ValueError: the history already holds the first of them or a later one (`truncate`
                first).
        """
        values = np.asarray(values, dtype=np.float64).ravel()
        iterations = np.asarray(iterations, dtype=np.float64).ravel()
        if not values.size:
            return
        if self._last is not None and iterations[0] <= self._last:
            raise ValueError(
                f"iteration {iterations[0]:.0f} is not after {self._last}, the last; truncate first"
            )
        self._table = np.concatenate([self._table, self._points(iterations, values)], axis=1)
        self._last = int(iterations[-1])
        self._merge()
        while len(self) > self.capacity:
            self._stride *= 2
            self._merge()

    def truncate(self, iteration: int) -> None:
        """Drop the points after `iteration`.

        A bucket that reaches beyond it goes as a whole (its values are no longer known one by one),
        so up to stride - 1 points before it may go as well, never more.
        """
        if self._last is None or iteration >= self._last:
            return
        self._table = self._table[:, self._table[_LAST] <= iteration]
        self._last = iteration
        if not len(self):
            self.clear()

    def split(self, iteration: int) -> "History":
        """Drop the points after `iteration` (see `truncate`); returns them as a history."""
        later = History(self.capacity)
        later._table = self._table[:, self._table[_LAST] > iteration].copy()
        later._stride, later._last = self._stride, self._last
        if not len(later):
            later.clear()
        self.truncate(iteration)
        return later

    def at(self, iteration: int) -> Bucket | None:
        """The bucket of `iteration`, else the newest before it; None if there is none."""
        index = int(np.searchsorted(self._table[_FIRST], iteration, side="right")) - 1
        if index < 0:
            return None
        column = self._table[:, index]
        count = int(column[_FINITE])
        return Bucket(
            first=int(column[_FIRST]),
            last=int(column[_LAST]),
            low=float(column[_LOW]),
            high=float(column[_HIGH]),
            mean=float(column[_TOTAL]) / count if count else float("nan"),
            values=count,
        )

    def buckets(self, smoothing: float = 0.0) -> Buckets:
        """All buckets, with the series smoothed by one of `SMOOTHINGS`; 0 is the mean itself."""
        table = self._table
        gap = table[_FINITE] == 0
        mean = np.where(gap, np.nan, table[_TOTAL] / np.maximum(table[_FINITE], 1))
        smoothed = mean
        if smoothing:
            row = table[_SMOOTHED + SMOOTHINGS.index(smoothing)]
            smoothed = np.where(gap, np.nan, row)
        return Buckets(
            table[_FIRST].copy(), table[_LOW].copy(), table[_HIGH].copy(), mean, smoothed
        )

    def _points(self, iterations: Floats, values: Floats) -> Floats:
        """Each value as a bucket of its own; shape (rows, n)."""
        points = np.empty((_SMOOTHED + len(SMOOTHINGS), values.size))
        finite = np.abs(values) < _HUGE
        points[_FIRST] = points[_LAST] = iterations
        points[_LOW] = points[_HIGH] = np.where(finite, values, np.nan)
        points[_TOTAL] = np.where(finite, values, 0.0)
        points[_FINITE] = finite
        for row, time_constant in enumerate(SMOOTHINGS, start=_SMOOTHED):
            start = self._table[row, -1] if len(self) else np.nan
            points[row] = smooth(values, time_constant, start)
        return points

    def _merge(self) -> None:
        """Merge the buckets that fall into the same stride; iterations are counted from 1."""
        table = self._table
        keys = (table[_FIRST] - 1) // self._stride
        starts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
        if starts.size == table.shape[1]:
            return
        ends = np.append(starts[1:], table.shape[1]) - 1
        merged = table[:, ends]
        merged[_FIRST] = table[_FIRST, starts]
        merged[_LOW] = np.fmin.reduceat(table[_LOW], starts)
        merged[_HIGH] = np.fmax.reduceat(table[_HIGH], starts)
        merged[_TOTAL : _FINITE + 1] = np.add.reduceat(table[_TOTAL : _FINITE + 1], starts, axis=1)
        self._table = merged
