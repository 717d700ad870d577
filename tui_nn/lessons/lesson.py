"""The model of a lesson file: experiments, and a story in short steps about their numbers.

Like an experiment it is read from TOML, and all its problems are told at once, each with its path.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator

from tui_nn.lessons.arithmetic import FUNCTIONS, REFERENCES, Expression
from tui_nn.lessons.grading import Grade
from tui_nn.lessons.moments import When
from tui_nn_engine import Experiment, ExperimentError, Problem
from tui_nn_engine.blocks.schema import Block, nearest, problems_of
from tui_nn_engine.comparisons import comparison
from tui_nn_engine.experiments.files import read_text, tree_of


def _readable(text: str) -> str:
    Expression(text)
    return text


def _name(text: str) -> str:
    if not text.isidentifier() or not text.isascii():
        raise ValueError(f"must be a word of letters, digits and _ (is {text!r})")
    if text in FUNCTIONS or text in REFERENCES:
        raise ValueError(f"{text!r} is a function of the formulas; choose another name")
    return text


Formula = Annotated[
    str,
    AfterValidator(_readable),
    Field(description="arithmetic on the network's numbers, as in dense_1.z[0, 1]"),
]
Name = Annotated[str, AfterValidator(_name)]
Numbers = float | list[float] | list[list[float]]
Item = TypeVar("Item")
Many = Annotated[tuple[Item, ...], Field(strict=False)]
"""A list in the file."""


class Placed(Block):
    """What stands at a moment of an experiment; what it does not say, it takes from around it."""

    experiment: Annotated[
        str | None, Field(description="which experiment; default: the first of the lesson")
    ] = None
    update: Annotated[
        int | None, Field(ge=1, le=1_000_000, description="in this update; the first is 1")
    ] = None
    epochs: Annotated[
        int | None, Field(ge=0, le=100_000, description="or after so many epochs")
    ] = None

    @model_validator(mode="after")
    def _one_moment(self) -> Self:
        if self.update is not None and self.epochs is not None:
            raise ValueError("say either update or epochs, not both")
        return self

    def when(self, around: When) -> When:
        """The moment, with what is not said taken from around it."""
        unsaid = self.update is None and self.epochs is None
        return When(
            self.experiment or around.experiment,
            around.update if unsaid else self.update,
            around.epochs if unsaid else self.epochs,
        )


class Mistake(Block):
    """A wrong answer that is often given, and what to say to it."""

    value: Formula
    hint: Annotated[str, Field(min_length=1)]


class Exercise(Block):
    """A question whose answer is the value it stands at; asked before the value is shown."""

    question: Annotated[str, Field(min_length=1)]
    hint: Annotated[str, Field(min_length=1, description="for any wrong answer")]
    mistakes: Many[Mistake] = ()


class Expected(Block):
    """The grade that a printed figure deserves."""

    grade: Annotated[
        Literal["exact", "rounded", "close", "mismatch"],
        Field(description="the worst grade it may get; mismatch: the slide is wrong"),
    ] = "rounded"
    why: Annotated[str, Field(description="why the slide is wrong, or how it was rounded")] = ""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.grade == "mismatch" and not self.why:
            raise ValueError("a mismatch needs its why: what is wrong on the slide")
        return self


class Expectation(Expected):
    """How a printed figure is expected to compare with the program's."""

    printed: Annotated[str, Field(description="with the digits printed; empty: not printed")] = ""

    @model_validator(mode="after")
    def _is_printed(self) -> Self:
        if self.grade == "mismatch" and not self.compares:
            raise ValueError("a mismatch needs the printed figure that is wrong")
        return self

    @property
    def compares(self) -> bool:
        """Whether there is something to compare with."""
        return bool(self.printed)

    @property
    def expected(self) -> Grade:
        """The worst grade that is still as the lesson says."""
        return self.grade if self.compares else "computed"


_NOTHING = Expectation()


class Value(Placed, Expectation):
    """One figure: as the slide prints it, beside the program's own."""

    label: Annotated[str, Field(min_length=1, description="in the slide's notation: w14, net4")]
    value: Formula
    same_as: Annotated[
        Formula | None, Field(description="another way to the same number, to compare with")
    ] = None
    digits: Annotated[int, Field(ge=1, le=17, description="significant digits shown")] = 6
    note: Annotated[str, Field(description="a remark beside it")] = ""
    exercise: Exercise | None = None

    @property
    def compares(self) -> bool:
        """Whether there is something to compare with."""
        return bool(self.printed) or self.same_as is not None

    @model_validator(mode="after")
    def _one_comparison(self) -> Self:
        if self.printed and self.same_as is not None:
            raise ValueError("compare with printed or with same_as, not with both")
        return self


class Column(Expected):
    """A column of a table: what stands in each of its rows, and the grade of what is printed."""

    label: Annotated[str, Field(min_length=1)]
    value: Formula
    digits: Annotated[int, Field(ge=1, le=17, description="significant digits shown")] = 6


class Row(Placed):
    """A row: the moment it stands at, names for its formulas, the printed figures by column."""

    label: str = ""
    given: Annotated[
        dict[Name, Numbers], Field(description="names for the formulas: { sample = 2 }")
    ] = {}
    printed: Annotated[
        Many[str | Expectation],
        Field(description="one a column; empty text where none is printed"),
    ] = ()

    def expectation(self, place: int, column: Column) -> Expectation:
        """What is printed in a column; where it says no more, the column says which grade."""
        cell = self.printed[place] if self.printed else ""
        if isinstance(cell, Expectation):
            return cell
        return Expectation(printed=cell, grade=column.grade, why=column.why) if cell else _NOTHING


class Table(Block):
    """Figures in rows and columns."""

    title: str = ""
    columns: Annotated[Many[Column], Field(min_length=1)]
    rows: Annotated[Many[Row], Field(min_length=1)]

    @model_validator(mode="after")
    def _full_rows(self) -> Self:
        for index, line in enumerate(self.rows):
            if line.printed and len(line.printed) != len(self.columns):
                raise ValueError(
                    f"rows[{index}].printed has {len(line.printed)} figures for "
                    f"{len(self.columns)} columns"
                )
        return self


class Plot(Block):
    """A value over the epochs, or over the time steps in an update; one curve an experiment."""

    title: str
    value: Annotated[
        Formula | Many[Formula],
        Field(description="of each curve, or a list of one for each; `step` is the time step"),
    ]
    experiments: Annotated[Many[str], Field(min_length=1)]
    labels: Annotated[
        Many[str], Field(description="what the curves are called; else like their experiments")
    ] = ()
    epochs: Annotated[int | None, Field(ge=1, le=10_000, description="from 0 to so many")] = None
    time_steps: Annotated[
        int | None, Field(ge=1, le=1_000, description="or from time step 1 to so many")
    ] = None
    log: Annotated[bool, Field(description="a logarithmic scale")] = False

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.epochs is None) == (self.time_steps is None):
            raise ValueError("say how far it goes: either epochs or time_steps")
        for field, count in (("labels", len(self.labels)), ("value", len(self._formulas))):
            if count not in ({0, len(self.experiments)}):
                told = "names" if field == "labels" else "formulas"
                raise ValueError(
                    f"{field} has {count} {told} for {len(self.experiments)} experiments"
                )
        return self

    @property
    def _formulas(self) -> tuple[str, ...]:
        if isinstance(self.value, str):
            return (self.value,) * len(self.experiments)
        return self.value

    @property
    def curves(self) -> tuple[tuple[str, str, str], ...]:
        """Each experiment, what its curve is called, and its formula."""
        labels = self.labels or self.experiments
        return tuple(zip(self.experiments, labels, self._formulas, strict=True))


class Step(Placed):
    """One page of the story: text, and the figures it speaks of."""

    title: Annotated[str, Field(min_length=1)]
    text: Annotated[str, Field(min_length=1, description="Markdown")]
    slot: Annotated[
        str, Field(description="the number whose operation Step mode marks, as in dense_1.z")
    ] = ""
    values: Many[Value] = ()
    tables: Many[Table] = ()
    plots: Many[Plot] = ()


class Variant(comparison.Variant):
    """An experiment that differs in a few places from another of the lesson."""

    of: str


class Reading(Block):
    """How Step mode is to write what the lesson opens in it."""

    names: Literal["paper", "code"] = "paper"
    error: Annotated[
        Literal["delta", "e"], Field(description="δ = ∂E/∂z, or the slide's e = −∂E/∂z")
    ] = "delta"
    digits: Annotated[int, Field(ge=2, le=17)] = 4


class Lesson(Block):
    """A lesson: what it is called, its experiments, and its story."""

    number: Annotated[int, Field(ge=0, description="its place among the lessons")] = 0
    title: Annotated[str, Field(min_length=1)]
    summary: Annotated[str, Field(min_length=1, description="one line for the list")]
    source: Annotated[str, Field(description="where its figures were printed")] = ""
    notation: Reading = Reading()
    given: Annotated[
        dict[Name, Numbers], Field(description="numbers with names, for the formulas")
    ] = {}
    experiments: Annotated[dict[Name, Experiment], Field(min_length=1)]
    variants: dict[Name, Variant] = {}
    steps: Annotated[Many[Step], Field(min_length=1)]

    @classmethod
    def parse(cls, tree: Any) -> Self:
        """From plain tables and lists. Raises ExperimentError with all problems at once."""
        try:
            lesson = cls.model_validate(tree)
        except ValidationError as error:
            raise ExperimentError(problems_of(error, cls)) from None
        if found := [*lesson._misnamed()]:
            raise ExperimentError(found)
        lesson.all_experiments()
        return lesson

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """From the text of a lesson file. Raises ExperimentError."""
        return cls.parse(tree_of(text))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file. Raises ExperimentError, also where the file can't be read."""
        return cls.from_toml(read_text(Path(path)))

    def all_experiments(self) -> dict[str, Experiment]:
        """Experiments and variants by name, each complete. Raises ExperimentError."""
        found = dict(self.experiments)
        problems: list[Problem] = []
        for name, variant in self.variants.items():
            try:
                found[name] = Experiment.parse(variant.tree_from(found[variant.of].tree()))
            except ExperimentError as error:
                found[name] = found[variant.of]
                problems += [
                    Problem(f"variants.{name}: {problem.path}", problem.message)
                    for problem in error.problems
                ]
        if problems:
            raise ExperimentError(problems)
        return found

    def start(self) -> When:
        """The moment of a step that says nothing of it: the first update of the first."""
        return When(next(iter(self.experiments)), update=1)

    def _misnamed(self) -> Iterator[Problem]:
        """Experiments that are named but not there, and names given twice."""
        known = [*self.experiments]
        for name, variant in self.variants.items():
            if variant.of not in known:
                yield Problem(f"variants.{name}.of", _unknown(variant.of, known))
            if name in self.experiments:
                yield Problem(f"variants.{name}", "there is an experiment of this name already")
            known.append(name)
        for path, block in self._blocks():
            if isinstance(block, Placed) and block.experiment not in {None, *known}:
                yield Problem(f"{path}.experiment", _unknown(str(block.experiment), known))
            if isinstance(block, Plot):
                for index, name in enumerate(block.experiments):
                    if name not in known:
                        yield Problem(f"{path}.experiments[{index}]", _unknown(name, known))
        for name in self.given:
            if name in known:
                yield Problem(f"given.{name}", "there is an experiment of this name already")

    def _blocks(self) -> Iterator[tuple[str, Block]]:
        for index, step in enumerate(self.steps):
            here = f"steps[{index}]"
            yield here, step
            parts: Mapping[str, tuple[Block, ...]] = {"values": step.values, "plots": step.plots}
            for part, blocks in parts.items():
                yield from ((f"{here}.{part}[{i}]", block) for i, block in enumerate(blocks))
            for number, table in enumerate(step.tables):
                for i, line in enumerate(table.rows):
                    yield f"{here}.tables[{number}].rows[{i}]", line


def _unknown(name: str, known: list[str]) -> str:
    return f"there is no experiment {name!r}; {nearest(name, known)}"
