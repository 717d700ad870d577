"""The experiment: all that determines a run, as pydantic models, read from and written to TOML."""

import os
import tomllib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from tui_nn_engine.blocks.paths import steps_of, with_value
from tui_nn_engine.blocks.schema import Block, ExperimentError, Problem, problems_of
from tui_nn_engine.data.data_blocks import AnyData
from tui_nn_engine.experiments.files import read_text, save_toml, toml_of, tree_of
from tui_nn_engine.experiments.learning import GradientDescent, Method
from tui_nn_engine.experiments.rules import AnyRule
from tui_nn_engine.experiments.schedules import AnySchedule, Constant, Counters, Course
from tui_nn_engine.experiments.stopping import Stopping
from tui_nn_engine.layers import AnyLayer, Place, placed
from tui_nn_engine.primitives.losses import AnyLoss
from tui_nn_engine.primitives.updates import Adam, AnyOptimizer, Optimizer

MAX_SEED = 2**63 - 1  # TOML's integers are signed 64-bit
DEEPEST = 10  # parallel blocks in each other
BESIDE_A_RULE = "can't stand beside [rule]: keep one of them"


class Change(Block):
    """What was changed while it ran; a replay repeats it.

    A person changed a rate or one weight; or the `seconds` of `[stopping]` were over.
    """

    iteration: Annotated[int, Field(ge=0, description="updates made when it was changed")]
    weight: Annotated[str | None, Field(description="set by hand: dense_1.kernel[0, 3]")] = None
    value: Annotated[float | None, Field(validate_default=True, description="of that weight")] = (
        None
    )
    seconds: Annotated[
        float | None, Field(gt=0, description="training ended here, its time being up")
    ] = None
    learning_rate: Annotated[
        float | None,
        Field(validate_default=True, gt=0, description="the rate from the next update on"),
    ] = None

    @field_validator("value")
    @classmethod
    def _of_a_weight(cls, value: float | None, info: ValidationInfo) -> float | None:
        weight = info.data.get("weight")
        if weight is not None and value is None:
            raise PydanticCustomError("missing", "is missing")
        if weight is None and value is not None and "weight" in info.data:
            raise ValueError("needs the weight that it is for")
        return value

    @field_validator("learning_rate")
    @classmethod
    def _or_of_the_rate(cls, rate: float | None, info: ValidationInfo) -> float | None:
        others = [name for name in ("weight", "seconds") if info.data.get(name) is not None]
        if others[rate is None :]:
            what = {"weight": "a weight", "seconds": "seconds"}[others[-1]]
            raise ValueError(f"can't stand beside {what}: a change is of one or the other")
        if rate is None and not others and {"weight", "value", "seconds"} <= info.data.keys():
            raise PydanticCustomError("missing", "is missing")
        return rate

    @property
    def subject(self) -> str:
        """What it changes."""
        return self.weight or ("seconds" if self.seconds is not None else "learning_rate")

    def keeps(self, other: "Change") -> bool:
        """Whether what was booked before stays when this is: nothing later, nothing of its kind."""
        same_time = other.iteration == self.iteration
        return other.iteration < self.iteration or (same_time and other.subject != self.subject)


class Training(Block):
    """How long, and in what portions."""

    epochs: Annotated[int, Field(ge=1, description="passes over the training data")] = 10
    batch_size: Annotated[int, Field(ge=1, description="samples in one update")] = 32
    shuffle: Annotated[bool, Field(description="a new order each epoch")] = True
    threads: Annotated[
        int | None, Field(ge=1, le=1024, description="of the matrix products; default: cores − 1")
    ] = None
    changes: Annotated[
        tuple[Change, ...], Field(strict=False, description="made by hand while it ran; replayed")
    ] = ()

    def time_ups(self, seconds: float | None) -> tuple[Change, ...]:
        """Where training ended because this time was up."""
        found = (change for change in self.changes if change.seconds is not None)
        return tuple(change for change in found if change.seconds == seconds)


def _usual_optimizer(validated: dict[str, Any]) -> Optimizer | None:
    return Adam() if validated.get("rule") is None else None


class Experiment(Block):
    """One experiment: data, layers, how it learns, training.

    It learns by a rule, or down the gradient of a loss by an optimizer: never by both.
    """

    seed: Annotated[
        int, Field(ge=0, le=MAX_SEED, description="every random choice follows from it")
    ] = 0
    dtype: Annotated[
        Literal["float32", "float64"], Field(description="float64 to follow by hand")
    ] = "float32"
    data: AnyData
    layers: Annotated[tuple[AnyLayer, ...], Field(min_length=1, strict=False)]
    rule: Annotated[
        AnyRule | None,
        Field(
            title="learning",
            description="how the weights change: down the gradient of a loss, or by a rule",
            json_schema_extra={"nothing": "by gradient"},
        ),
    ] = None
    loss: Annotated[
        AnyLoss | None, Field(validate_default=True, description="what training makes small")
    ] = None
    optimizer: Annotated[
        AnyOptimizer | None, Field(description="how a gradient changes the weights")
    ] = Field(default_factory=_usual_optimizer)
    schedule: Annotated[
        AnySchedule, Field(description="how the learning rate goes on from the one named above")
    ] = Constant()
    training: Training = Training()
    stopping: Annotated[
        Stopping,
        Field(
            description="what may end training before its last epoch",
            json_schema_extra={"nothing": "after the last epoch"},
        ),
    ] = Stopping()
    replaced_by_rule: ClassVar[tuple[str, ...]] = ("loss", "optimizer")

    @field_validator("layers")
    @classmethod
    def _not_too_deep(cls, layers: tuple[AnyLayer, ...]) -> tuple[AnyLayer, ...]:
        deepest = max(place.path.count("branches") for place in placed(layers))
        if deepest > DEEPEST:
            raise ValueError(f"parallel blocks lie {deepest} deep in each other; {DEEPEST} may")
        return layers

    @field_validator(*replaced_by_rule)
    @classmethod
    def _one_way_to_learn(cls, given: Any, info: ValidationInfo) -> Any:
        if "rule" in info.data:  # else it is wrong itself, and what was meant is not known
            rule = info.data["rule"]
            if rule is not None and given is not None:
                raise ValueError(f"{BESIDE_A_RULE} ({rule.type} needs none)")
            if rule is None and given is None:
                raise PydanticCustomError("missing", "is missing")
        return given

    @property
    def method(self) -> Method:
        """How it learns."""
        if self.rule is not None:
            return self.rule
        assert self.loss is not None and self.optimizer is not None  # noqa: PT018, S101  validated
        return GradientDescent(self.loss, self.optimizer)

    @classmethod
    def parse(cls, tree: Any) -> Self:
        """From plain tables and lists. Raises ExperimentError with all problems at once."""
        try:
            return cls.model_validate(tree)
        except ValidationError as error:
            raise ExperimentError(problems_of(error, cls)) from None

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """From the text of an experiment file. Raises ExperimentError."""
        return cls.parse(tree_of(text))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file. Raises ExperimentError, also where the file can't be read."""
        return cls.from_toml(read_text(Path(path)))

    def tree(self, *, defaults: bool = False) -> dict[str, Any]:
        """As plain tables and lists; `defaults`: with what was left at its default, too."""
        return self.model_dump(mode="json", exclude_unset=not defaults, exclude_none=True)

    @classmethod
    def meaning(cls, tree: dict[str, Any], *, defaults: bool = False) -> dict[str, Any]:
        """What a tree says, in the one spelling; the tree itself where it is no experiment."""
        try:
            return cls.parse(tree).tree(defaults=defaults)
        except ExperimentError:
            return tree

    def to_toml(self, onto: str = "", *, defaults: bool = False) -> str:
        """As TOML; `onto` is the text it replaces, whose comments, order and spelling are kept."""
        meaning = partial(self.meaning, defaults=defaults)
        return toml_of(self.tree(defaults=defaults), onto, meaning)

    def save(self, path: str | os.PathLike[str], *, defaults: bool = False) -> None:
        """Write a file atomically, keeping the comments of the one it replaces. Raises OSError."""
        meaning = partial(self.meaning, defaults=defaults)
        save_toml(Path(path), self.tree(defaults=defaults), meaning)

    def overridden(self, assignments: Iterable[str]) -> Self:
        """With `training.epochs=3` and the like applied. Raises ExperimentError."""
        return self.parse(overridden(self.tree(), assignments))

    def learning_rate_at(self, iteration: int, course: Course, counters: Counters) -> float:
        """The rate of the update made after `iteration` updates.

        The last one set by hand until there; else the schedule's, for epochs like `course` and
        with what it has counted.
        """
        changes = (c for c in reversed(self.training.changes) if c.iteration <= iteration)
        by_hand = next((c.learning_rate for c in changes if c.learning_rate is not None), None)
        if by_hand is not None:
            return by_hand
        return self.schedule.rate(self.method.learning_rate, iteration, course, counters)

    def places(self) -> tuple[Place, ...]:
        """All layers, those within branches too, with their names: dense_1, dense_2."""
        return placed(self.layers)


def overridden(tree: Any, assignments: Iterable[str]) -> Any:
    """Plain tables with `path=value` put in, the value read as TOML, else as text.

    Raises ExperimentError naming every assignment that can't be made.
    """
    problems = []
    for assignment in assignments:
        path, equals, text = assignment.partition("=")
        try:
            if not equals:
                raise ValueError("write it as training.epochs=3")
            tree = with_value(tree, steps_of(path.strip()), _value_of(text.strip()))
        except ValueError as error:
            problems.append(Problem(f"--set {assignment}", str(error)))
    if problems:
        raise ExperimentError(problems)
    return tree


def _value_of(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
