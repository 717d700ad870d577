"""How a ratio is measured: two things side by side, a repetition of each in turn."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from threadpoolctl import threadpool_limits

Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """A ratio measured; `aim` is the most it should be."""

    name: str
    aim: float
    ratio: float
    detail: str

    def __str__(self) -> str:
        verdict = "met" if self.ratio <= self.aim else "MISSED"
        return f"{self.name:<62} {self.ratio:7.3f} {self.aim:7.3f}  {verdict:<6}  {self.detail}"


def versus(name: str, aim: float, mine: Work, theirs: Work, repetitions: int) -> Row:
    """Time both in turn, after one warm-up; the ratio is of the medians."""
    with threadpool_limits(1):
        mine()
        theirs()
        times = [(seconds(mine), seconds(theirs)) for _ in range(repetitions)]
    a, b = median(t for t, _ in times), median(t for _, t in times)
    return Row(name, aim, a / b, f"{a * 1e3:.2f} ms against {b * 1e3:.2f} ms")


def seconds(work: Work) -> float:
    """Processor time of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun
