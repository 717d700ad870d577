"""A comparison: one experiment with lists of values, run with each combination of them.

A comparison file is an experiment file with `[compare]`, or names one by `experiment`:

    experiment = "iris.toml"
    [compare]
    "optimizer.learning_rate" = [0.1, 0.01]
    seed = [0, 1, 2]
    [compare.optimizer]                       # alternatives that are whole blocks have names
    "plain" = { type = "sgd" }
    "with momentum" = { type = "sgd", momentum = 0.9 }
    [variants.iris]                           # or several places at once, as in lessons
    set = ["data.name=iris", "layers[0].units=16"]
    [variants.depth.deep]                     # of which there may be several sorts, each with each
    set = ["layers[1].units=16"]
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Discriminator, Field, Tag, ValidationError, field_validator

from tui_nn_datasets import DataError
from tui_nn_engine.blocks.paths import Steps, steps_of, with_value
from tui_nn_engine.blocks.schema import Block, ExperimentError, Problem, problems_of
from tui_nn_engine.checks.misfits import ensure_fits
from tui_nn_engine.data.prepared import PreparedData, prepare
from tui_nn_engine.experiments.experiment import Experiment, overridden
from tui_nn_engine.experiments.files import read_text, tree_of

MOST = 10_000
Check = Callable[[str, Any], Any]


class Variant(Block):
    """An experiment that differs from another in a few places."""

    set: Annotated[
        tuple[str, ...],
        Field(
            strict=False,
            min_length=1,
            description='as on the command line: "training.epochs=3"',
        ),
    ]

    def tree_from(self, tree: Any) -> Any:
        """The tree with the values put in. Raises ExperimentError."""
        return overridden(tree, self.set)


_ONE, _SORT = "dict[variant]", "dict[sort]"  # labels that paths of problems leave out


def _label(value: Any) -> str:
    """A table of nothing but tables holds the variants of a sort."""
    holds = isinstance(value, dict) and value
    return _SORT if holds and all(isinstance(one, dict) for one in value.values()) else _ONE


Variants = Annotated[
    Annotated[Variant, Tag(_ONE)] | Annotated[dict[str, Variant], Tag(_SORT)],
    Discriminator(_label),
]


@dataclass(frozen=True)
class Member:
    """One run of a comparison: what sets it apart from the others, and its experiment."""

    settings: dict[str, str]
    experiment: Experiment

    @property
    def name(self) -> str:
        """What sets it apart, in words; "" where there is but one."""
        return " · ".join(self.settings.values())

    @property
    def title(self) -> str:
        """The names that the file gives it; "" where it only lists values."""
        named = (one for key, one in self.settings.items() if not one.startswith(f"{key}="))
        return " · ".join(named)

    @property
    def folder(self) -> str:
        """The name of its folder: made of what it is, so that it is found again, and is new when
        the experiment was edited.
        """
        tree = json.dumps(self.experiment.tree(), sort_keys=True)
        words = re.sub(r"[^A-Za-z0-9.=+-]+", "_", self.name)[:80].strip("_.") or "run"
        return f"{words}-{hashlib.sha256(tree.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class _Choice:
    """An alternative on one axis: its name, and how it changes an experiment's tree."""

    label: str
    apply: Callable[[Any], Any]


class Comparison(Block):
    """An experiment, values to compare, and variants; see the module."""

    experiment: dict[str, Any]
    compare: dict[str, Any] = {}
    variants: dict[str, Variants] = {}

    @field_validator("compare")
    @classmethod
    def _alternatives(cls, compare: dict[str, Any]) -> dict[str, Any]:
        for path, values in compare.items():
            steps_of(path)
            if not isinstance(values, list | dict) or not values:
                raise ValueError(
                    f"{path} needs a list of values, or a table that names each: "
                    f'"{path}" = [...] (is {values!r})'
                )
        return compare

    @classmethod
    def parse(cls, tree: Any, folder: Path = Path()) -> Self:
        """From plain tables and lists; `folder` is where `experiment = "file.toml"` lies.

        Raises ExperimentError with all problems at once, those of every run among them.
        """
        try:
            comparison = cls.model_validate(_sorted_out(tree, folder))
        except ValidationError as error:
            raise ExperimentError(problems_of(error, cls)) from None
        comparison.members()
        return comparison

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file. Raises ExperimentError, also where the file can't be read."""
        return cls.parse(tree_of(read_text(path)), path.parent)

    def members(self) -> tuple[Member, ...]:
        """The runs, in the order of the file, the last list fastest; one BLAS thread each.

        Raises ExperimentError with what is wrong in any of them.
        """
        axes = [*self._axes()]
        if not axes:
            text = 'lists nothing to compare: "optimizer.learning_rate" = [0.1, 0.01]'
            raise ExperimentError([Problem("compare", text)])
        names = [heading for heading, _ in axes]
        for name in names:
            if names.count(name) > 1:
                raise ExperimentError([Problem("variants", f"two things are called {name!r} here")])
        count = math.prod(len(choices) for _, choices in axes)
        if count > MOST:
            raise ExperimentError([Problem("compare", f"makes {count:,} runs, more than {MOST:,}")])
        found: list[Member] = []

        def member(_name: str, picked: Sequence[_Choice]) -> None:
            tree: Any = self.experiment
            for choice in picked:
                tree = choice.apply(tree)
            settings = {heading: one.label for (heading, _), one in zip(axes, picked, strict=True)}
            found.append(Member(settings, _on_one_thread(Experiment.parse(tree))))

        combined = product(*(choices for _, choices in axes))
        _of_all(((" · ".join(one.label for one in each), each) for each in combined), member)
        _ensure_distinct(found)
        return tuple(found)

    def _axes(self) -> Iterator[tuple[str, list[_Choice]]]:
        """Each with its heading."""
        alone = {name: one for name, one in self.variants.items() if isinstance(one, Variant)}
        if alone:
            yield "variant", _choices(alone)
        for heading, sort in self.variants.items():
            if not isinstance(sort, Variant):
                yield heading, _choices(sort)
        headings = short_names([*self.compare])
        for path, values in self.compare.items():
            heading, steps = headings[path], steps_of(path)
            if isinstance(values, dict):
                named = [*values.items()]
            else:
                named = [(f"{heading}={in_words(value)}", value) for value in values]
            yield heading, [_Choice(label, _putting(steps, value)) for label, value in named]


def _choices(variants: dict[str, Variant]) -> list[_Choice]:
    return [_Choice(name, one.tree_from) for name, one in variants.items()]


def is_comparison(path: Path) -> bool:
    """Whether a file lists values to compare, be it right or wrong.

    Raises ExperimentError where it can't be read.
    """
    return (
        re.search(r"^\s*\[?(compare|variants)\s*[.\]=]", read_text(path), re.MULTILINE) is not None
    )


def ensure_members_fit(members: Iterable[Member]) -> None:
    """Look for what keeps a run from being trained on its data, before the first one starts.

    Raises ExperimentError. Data is loaded once for all seeds.
    """
    known: dict[str, PreparedData | DataError] = {}

    def check(_name: str, member: Member) -> None:
        experiment = member.experiment
        block = f"{experiment.dtype} {experiment.data.model_dump_json()}"
        if block not in known:
            try:
                known[block] = prepare(experiment.data, experiment.seed, experiment.dtype)
            except DataError as error:
                known[block] = error
        data = known[block]
        if isinstance(data, DataError):
            raise ExperimentError([Problem("data", str(data))])
        ensure_fits(experiment, data)

    _of_all(((member.name, member) for member in members), check)


def in_words(value: Any) -> str:
    """A value of an experiment as short as it can be told: a block is its values."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        bare = ("type", "name")
        return " ".join(
            in_words(one) if key in bare else f"{key}={in_words(one)}" for key, one in value.items()
        )
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(in_words, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sorted_out(tree: Any, folder: Path) -> Any:
    """With the experiment in a table of its own, read from its file where one is named."""
    if not isinstance(tree, dict):
        return tree
    own = {key: tree[key] for key in ("compare", "variants") if key in tree}
    inline = {key: value for key, value in tree.items() if key not in {*own, "experiment"}}
    named = tree.get("experiment")
    if not own:
        raise ExperimentError([Problem("compare", "is missing: it lists the values to compare")])
    if named is None:
        return {"experiment": inline, **own}
    if inline:
        message = f"names the experiment, and it also stands here: {', '.join(inline)}; keep one"
        raise ExperimentError([Problem("experiment", message)])
    if isinstance(named, str):
        try:
            named = tree_of(read_text(folder / named))
        except ExperimentError as error:
            problems = [Problem(f"experiment ({named})", one.message) for one in error.problems]
            raise ExperimentError(problems) from None
    return {"experiment": named, **own}


def _putting(steps: Steps, value: Any) -> Callable[[Any], Any]:
    def put(tree: Any) -> Any:
        try:
            return with_value(tree, steps, value)
        except ValueError as error:
            raise ExperimentError([Problem("compare", f"{error} in the experiment")]) from None

    return put


def _on_one_thread(experiment: Experiment) -> Experiment:
    """Runs side by side share the cores; a count that the file gives stays."""
    if experiment.training.threads is not None:
        return experiment
    return Experiment.parse(with_value(experiment.tree(), ("training", "threads"), 1))


def short_names(paths: list[str]) -> dict[str, str]:
    """The last word of each path, or all of it where two end alike."""
    last = {path: path.rpartition(".")[2] for path in paths}
    words = [*last.values()]
    return {path: word if words.count(word) == 1 else path for path, word in last.items()}


def _of_all(items: Iterable[tuple[str, Any]], check: Check) -> None:
    """Check each named item. Raises ExperimentError with every problem, once.

    It says in which of them it is, unless it is in all.
    """
    found: dict[Problem, list[str]] = {}
    count = 0
    for count, (name, item) in enumerate(items, 1):  # noqa: B007
        try:
            check(name, item)
        except ExperimentError as error:
            for problem in error.problems:
                place = Problem(problem.path, problem.message)  # without the mend of a misfit
                found.setdefault(place, []).append(name)
    if found:
        raise ExperimentError(
            problem if len(names) == count else Problem(problem.path, _where(problem, names))
            for problem, names in found.items()
        )


def _where(problem: Problem, names: list[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{problem.message} (in {names[0]}{more})"


def _ensure_distinct(members: Iterable[Member]) -> None:
    known: dict[str, str] = {}
    problems = []
    for member in members:
        tree = json.dumps(member.experiment.tree(), sort_keys=True)
        if tree in known:
            message = f"{known[tree]!r} and {member.name!r} are the same experiment"
            problems.append(Problem("compare", message))
        known.setdefault(tree, member.name)
    if problems:
        raise ExperimentError(problems)
