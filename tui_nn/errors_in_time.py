"""What was heard of errors through time and of clipping, report after report."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.sessions.protocol import HealthReport
from tui_nn_engine.training.health_over_time import Clipping, OverTime

KEPT = 96  # reports; where there are more, every second is left out


@dataclass
class ErrorsInTime:
    """Of the run that is open. `clipped` of `seen` updates that were reported had been clipped."""

    layers: tuple[OverTime, ...] = ()
    iterations: list[int] = field(default_factory=list)
    clipping: Clipping | None = None
    seen: int = 0
    clipped: int = 0
    _norms: list[tuple[NDArray[np.float64], ...]] = field(default_factory=list)

    def hear(self, report: HealthReport) -> None:
        """Take in a report; it takes the place of those of its update and after."""
        while self.iterations and self.iterations[-1] >= report.iteration:
            self.iterations.pop()
            self._norms.pop()
        self.layers, self.clipping = report.times, report.clipping
        if report.clipping is not None:
            self.seen += 1
            self.clipped += report.clipping.after < report.clipping.before
        if report.times:
            self.iterations.append(report.iteration)
            self._norms.append(tuple(np.fmax(each.hidden, each.cell) for each in report.times))
        if len(self.iterations) > KEPT:
            self.iterations, self._norms = self.iterations[::2], self._norms[::2]

    def norms(self, layer: int) -> NDArray[np.float64]:
        """(reports, times) of a layer: how large the error of its state was, at each time step."""
        return np.array([row[layer] for row in self._norms])
