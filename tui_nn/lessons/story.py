"""A lesson being told: each step's figures out of the running network, graded."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np

from tui_nn.lessons.arithmetic import Array, Expression, FormulaError, Result
from tui_nn.lessons.curves import Curves, Drawing
from tui_nn.lessons.grading import Grade, deviates, grade, shown, significant
from tui_nn.lessons.lesson import Column, Expectation, Lesson, Plot, Row, Step, Table, Value
from tui_nn.lessons.moments import Moment, Player, When
from tui_nn_datasets import DataError
from tui_nn_engine import DivergedError, Experiment, ExperimentError, Problem
from tui_nn_engine.blocks.schema import nearest

MOMENTS_BYTES = 64 * 2**20
"""The memory that moments may take: each holds copies of all arrays of an update."""
EXACT = 1e-12
_AT_STEP = re.compile(r"/t=([^\W\d]\w*)")


@dataclass(frozen=True)
class Figure:
    """The program's value beside the printed one; `deviates`: it is not as the lesson expects.

    `value` is a number, a text or a row of numbers; `shown` the same as text; `formula` the
    program's notation. Where it was compared with another way to the same number, `printed` is
    empty and `compared` holds that number.
    """

    label: str
    formula: str
    value: Result
    shown: str
    printed: str
    grade: Grade
    expected: Grade
    deviates: bool
    why: str = ""
    note: str = ""
    compared: str = ""


@dataclass(frozen=True)
class FigureTable:
    """Figures in rows and columns; `formulas` has the program's notation of each column."""

    title: str
    columns: tuple[str, ...]
    formulas: tuple[str, ...]
    labels: tuple[str, ...]
    rows: tuple[tuple[Figure, ...], ...]


@dataclass(frozen=True)
class Page:
    """One step of the story with all its figures."""

    title: str
    text: str
    values: tuple[Figure, ...]
    tables: tuple[FigureTable, ...]
    plots: tuple[Curves, ...]

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All of them, those in tables too."""
        cells = (cell for table in self.tables for line in table.rows for cell in line)
        return (*self.values, *cells)

    @property
    def deviates(self) -> bool:
        """Whether any figure is not as the lesson expects."""
        return any(figure.deviates for figure in self.figures)


class Story:
    """A lesson and its running experiments. It may be asked from any thread, one at a time.

    Raises ExperimentError from `page` with all problems of that step at once.
    """

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.experiments = lesson.all_experiments()
        self._players: dict[str, Player] = {}
        self._moments: dict[When, Moment] = {}
        self._pages: dict[int, Page] = {}
        self._lock = RLock()

    def page(self, index: int) -> Page:
        """The figures of one step, computed once. Raises ExperimentError, DataError."""
        with self._lock:
            if index not in self._pages:
                self._pages[index] = _Telling(self, index).page()
            return self._pages[index]

    def pages(self) -> tuple[Page, ...]:
        """All steps. Raises ExperimentError with the problems of all of them, DataError."""
        pages, problems = list[Page](), list[Problem]()
        for index in range(len(self.lesson.steps)):
            try:
                pages.append(self.page(index))
            except ExperimentError as error:
                problems += error.problems
        if problems:
            raise ExperimentError(dict.fromkeys(problems))
        return tuple(pages)

    def place(self, index: int) -> tuple[Experiment, When]:
        """The complete experiment of a step, and the moment it stands at."""
        when = self.lesson.steps[index].when(self.lesson.start())
        return self.experiments[when.experiment], when

    def rest(self) -> None:
        """Forget the networks, which are trained again when needed; pages told stay."""
        with self._lock:
            self._players.clear()
            self._moments.clear()

    def result(self, index: int, formula: str) -> Result:
        """What a formula comes to at the moment of a step. Raises FormulaError."""
        with self._lock:
            when = self.lesson.steps[index].when(self.lesson.start())
            return Expression(formula).result(self.names(when))

    def names(self, when: When, given: Mapping[str, Array] | None = None) -> "Names":
        """What formulas may refer to at a moment."""
        return Names(self, when, given or {})

    def moment(self, when: When) -> Moment:
        """All arrays of that moment. Raises ExperimentError, DivergedError, DataError."""
        if when not in self._moments:
            moment = self.player(when.experiment).moment(when)
            room = MOMENTS_BYTES - moment.nbytes
            while self._moments and sum(one.nbytes for one in self._moments.values()) > room:
                self._moments.pop(next(iter(self._moments)))
            self._moments[when] = moment
        return self._moments[when]

    def player(self, name: str) -> Player:
        """The running experiment of that name. Raises ExperimentError, DataError."""
        if name not in self._players:
            try:
                self._players[name] = Player(self.experiments[name])
            except ExperimentError as error:
                raise ExperimentError(
                    Problem(f"experiments.{name}.{problem.path}", str(_plain(problem)))
                    for problem in error.problems
                ) from None
            except DataError as error:
                problem = Problem(f"experiments.{name}.data", str(error))
                raise ExperimentError([problem]) from None
        return self._players[name]


@dataclass(frozen=True, eq=False)
class Names:
    """The names of a formula: given numbers, then the moment's, then other experiments' own.

    `small.loss` is the loss of the experiment "small" at the same moment.
    """

    story: Story
    when: When
    given: Mapping[str, Array]

    def value(self, name: str) -> Array:
        """By name. Raises FormulaError."""
        for numbers in (self.given, self.story.lesson.given):
            if name in numbers:
                number = numbers[name]
                return number if isinstance(number, int | float) else np.array(number, np.float64)
        moment, rest = self._moment(name)
        return moment.value(rest, (*self.given, *self.story.lesson.given))

    def of(self, function: str, name: str) -> Array:
        """What belongs to a name. Raises FormulaError."""
        moment, rest = self._moment(name)
        return moment.of(function, rest)

    def _moment(self, name: str) -> tuple[Moment, str]:
        name = _AT_STEP.sub(self._at_step, name)
        first, _, rest = name.partition(".")
        when = self.when
        if rest and first in self.story.experiments:
            when, name = When(first, when.update, when.epochs), rest
        try:
            return self.story.moment(when), name
        except DivergedError as error:
            raise FormulaError(f"{when.experiment}: {error}") from None

    def _at_step(self, named: re.Match[str]) -> str:
        """The time step that is called by a name, as in lstm_1/t=step.h."""
        number = self.given.get(named[1], self.story.lesson.given.get(named[1]))
        if not isinstance(number, int | float) or number != int(number):
            raise FormulaError(
                f"{named[1]} in {named.string!r} is no time step: a number, 1 or more"
            )
        return f"/t={int(number)}"


class _Telling:
    """One step on its way to a page; collects what is wrong."""

    def __init__(self, story: Story, index: int) -> None:
        self.story = story
        self.step: Step = story.lesson.steps[index]
        self.path = f"steps[{index}]"
        self.when = self.step.when(story.lesson.start())
        self.problems: list[Problem] = []

    def page(self) -> Page:
        """Raises ExperimentError with all problems of the step."""
        step = self.step
        # Plots first: they begin before training, and the figures stand at its end, mostly.
        plots = [self._plot(i, plot) for i, plot in enumerate(step.plots)]
        values = [self._value(i, value) for i, value in enumerate(step.values)]
        tables = [self._table(i, table) for i, table in enumerate(step.tables)]
        self._mistakes()
        self._slot()
        if self.problems:
            raise ExperimentError(self.problems)
        return Page(
            step.title, step.text.strip(), tuple(filter(None, values)), tuple(tables), tuple(plots)
        )

    def _result(self, path: str, formula: str, when: When, given: Any = None) -> Result | None:
        try:
            return Expression(formula).result(self.story.names(when, given))
        except FormulaError as problem:
            self.problems.append(Problem(path, str(problem)))
        except ExperimentError as error:
            self.problems += error.problems
        return None

    def _value(self, index: int, block: Value) -> Figure | None:
        path, when = f"{self.path}.values[{index}]", block.when(self.when)
        value = self._result(f"{path}.value", block.value, when)
        if block.same_as is not None:
            other = self._result(f"{path}.same_as", block.same_as, when)
            if value is None or other is None:
                return None
            return _compared(block, value, other)
        if value is None:
            return None
        return _figure(block.label, block.value, value, block, block.digits, block.note)

    def _table(self, index: int, block: Table) -> FigureTable:
        path = f"{self.path}.tables[{index}]"
        rows = []
        for i, line in enumerate(block.rows):
            cells = [
                self._cell(f"{path}.rows[{i}]", line, number, column)
                for number, column in enumerate(block.columns)
            ]
            rows.append(tuple(cell for cell in cells if cell))
        return FigureTable(
            block.title,
            tuple(column.label for column in block.columns),
            tuple(column.value for column in block.columns),
            tuple(line.label for line in block.rows),
            tuple(rows),
        )

    def _cell(self, path: str, line: Row, number: int, column: Column) -> Figure | None:
        place = f"{path}, column {column.label!r}"
        value = self._result(place, column.value, line.when(self.when), line.given)
        if value is None:
            return None
        label = f"{column.label}, {line.label}" if line.label else column.label
        expectation = line.expectation(number, column)
        return _figure(label, column.value, value, expectation, column.digits)

    def _plot(self, index: int, block: Plot) -> Curves:
        path = f"{self.path}.plots[{index}].value"
        drawing = Drawing(self.story, block, path, self.when)
        curves = drawing.curves()
        self.problems += drawing.problems
        return curves

    def _mistakes(self) -> None:
        for index, value in enumerate(self.step.values):
            for number, mistake in enumerate(value.exercise.mistakes if value.exercise else ()):
                path = f"{self.path}.values[{index}].exercise.mistakes[{number}].value"
                self._result(path, mistake.value, value.when(self.when))

    def _slot(self) -> None:
        if not self.step.slot:
            return
        try:
            known = self.story.moment(self.when).slots
        except (ExperimentError, DivergedError) as error:
            self.problems.append(Problem(self.path, str(error)))
            return
        if self.step.slot not in known:
            message = f"there is no {self.step.slot!r} here; {nearest(self.step.slot, known)}"
            self.problems.append(Problem(f"{self.path}.slot", message))


def _figure(
    label: str, formula: str, value: Result, block: Expectation, digits: int, note: str = ""
) -> Figure:
    found = grade(value, block.printed)
    return Figure(
        label,
        formula,
        value,
        shown(value, max(digits, significant(block.printed))),
        block.printed,
        found,
        block.expected,
        deviates(found, block.expected),
        block.why,
        note,
    )


def _compared(block: Value, value: Result, other: Result) -> Figure:
    """Two ways to one number: exact within 1e-12 of its size, else equal at the digits shown."""
    text = shown(other, block.digits)
    found: Grade = "exact" if _same(value, other) else grade(value, text)
    if found == "exact" and not _same(value, other):
        found = "rounded"
    return Figure(
        block.label,
        f"{block.value} = {block.same_as}",
        value,
        shown(value, block.digits),
        "",
        found,
        block.expected,
        deviates(found, block.expected),
        block.why,
        block.note,
        text,
    )


def _same(value: Result, other: Result) -> bool:
    if isinstance(value, str) or isinstance(other, str):
        return value == other
    if np.shape(value) != np.shape(other):
        return False
    return bool(np.allclose(value, other, rtol=EXACT, atol=EXACT))


def _plain(problem: Problem) -> str:
    return str(problem).removeprefix(f"{problem.path}: ")
