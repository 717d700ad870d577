"""The plots of a lesson: a value over the epochs of a training, or the time steps of a pass."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tui_nn.lessons.arithmetic import Expression, FormulaError, Result
from tui_nn.lessons.lesson import Plot
from tui_nn.lessons.moments import When
from tui_nn_engine import DivergedError, ExperimentError, Problem

if TYPE_CHECKING:
    from tui_nn.lessons.story import Story


@dataclass(frozen=True)
class Curve:
    """A value over the epochs (or time steps) `x`; it ends where the training diverged."""

    name: str
    x: tuple[int, ...]
    values: tuple[float, ...]
    diverged: bool = False


@dataclass(frozen=True)
class Curves:
    """Several curves in one plot; `over` is what lies on its x axis."""

    title: str
    log: bool
    over: str
    curves: tuple[Curve, ...]


class Drawing:
    """A plot on its way; collects what is wrong. `when` is the moment of the page it is on."""

    def __init__(self, story: "Story", block: Plot, path: str, when: When) -> None:
        self.story, self.block, self.path, self.when = story, block, path, when
        self.problems: list[Problem] = []

    def curves(self) -> Curves:
        """All curves, as far as they go."""
        found = tuple(self._curve(*named) for named in self.block.curves)
        over = "epoch" if self.block.time_steps is None else "time step"
        return Curves(self.block.title, self.block.log, over, found)

    def _curve(self, name: str, label: str, formula: str) -> Curve:
        kept = re.fullmatch(r"history\.\w+", formula)
        first = 0 if self.block.time_steps is None and not kept else 1
        values: list[float] = []
        diverged = False
        try:
            if kept:
                values += self._kept(name, formula)
            else:
                for value in self._each(name, Expression(formula)):
                    if not isinstance(value, float):
                        raise FormulaError("must be one number for each epoch or time step")
                    values.append(value)
        except DivergedError:
            diverged = True
        except FormulaError as problem:
            self.problems.append(Problem(self.path, str(problem)))
        except ExperimentError as error:
            self.problems += error.problems
        return Curve(label, tuple(range(first, first + len(values))), tuple(values), diverged)

    def _each(self, name: str, expression: Expression) -> Iterator[Result]:
        """For each epoch, from before training on; or for each time step."""
        if self.block.epochs is not None:
            for epoch in range(self.block.epochs + 1):
                yield expression.result(self.story.player(name).moment(When(name, epochs=epoch)))
        for step in range(1, (self.block.time_steps or 0) + 1):
            when = replace(self.when, experiment=name)
            yield expression.result(self.story.names(when, {"step": step}))

    def _kept(self, name: str, formula: str) -> list[float]:
        """What training kept of each epoch, from the first on: had at once."""
        moment = self.story.player(name).moment(When(name, epochs=self.block.epochs))
        found: list[float] = np.ravel(moment.value(formula)).tolist()
        return found
