"""What all blocks of an experiment file share: strictness, units, short spelling, problems.

A block is a pydantic model. Its fields carry type, range, default, `title`, `description` (one line
of help) and, in `json_schema_extra`, a `unit`; the forms, the checks and the overrides of the
command line all read them there.
"""

import difflib
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from types import UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
    model_serializer,
)
from pydantic_core import CoreSchema, ErrorDetails

# What a hostile file nests a thousand deep is shown to a depth of a few.
_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 200
_ALTERNATIVES = ("list[", "literal[", "dict[")  # how pydantic labels those that are no block


class Block(BaseModel):
    """A frozen piece of an experiment; unknown keys and NaN or infinite numbers are errors.

    Nothing is read as what it is not: true is no 1, "5" no 5. (A field of several blocks is
    `strict=False`, for a file gives it as a list.)
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Kind(Block):
    """A block chosen by its `type`; written as a bare string while all else is at its default."""

    type: str
    aliases: ClassVar[tuple[str, ...]] = ()
    summary: ClassVar[str] = ""
    start: ClassVar[Mapping[str, Any]] = {}
    """What a new one is given where forms offer it: of what has no usual value."""

    @model_serializer(mode="wrap")
    def _type_first(self, handler: Any) -> dict[str, Any]:
        # `exclude_unset` must never drop the tag, by which the block is read again.
        rest = {key: value for key, value in handler(self).items() if key != "type"}
        return {"type": self.type, **rest}


class Shorthand(Kind):
    """A kind that may be written as its bare type: `activation = "relu"`."""

    @model_serializer(mode="wrap")
    def _short(self, handler: Any) -> dict[str, Any] | str:
        rest = {key: value for key, value in handler(self).items() if key != "type"}
        fields = type(self).model_fields.items()
        if all(getattr(self, key) == field.default for key, field in fields):
            return self.type
        return {"type": self.type, **rest}


def kind_name(kind: type[Kind]) -> str:
    """The tag of a kind: the single value of its `type` literal."""
    return str(get_args(kind.model_fields["type"].annotation)[0])


@dataclass(frozen=True)
class OneOf:
    """Annotates a field that holds one of these kinds, told apart by `type`.

    `Annotated[Activation, OneOf(ACTIVATIONS)]`: a bare string stands for the kind with its
    defaults; aliases are read and the canonical name is written back.
    """

    kinds: tuple[type[Kind], ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        if len(self.kinds) == 1:
            return handler(Annotated[self.kinds[0], BeforeValidator(self._canonical)])
        union = reduce(or_, self.kinds)
        tagged = Annotated[union, Field(discriminator="type")]  # type: ignore[valid-type]
        return handler(Annotated[tagged, BeforeValidator(self._canonical)])

    def _canonical(self, value: Any) -> Any:
        if isinstance(value, str):
            return {"type": self._names.get(value, value)}
        if isinstance(value, dict) and isinstance(value.get("type"), str):
            return {**value, "type": self._names.get(value["type"], value["type"])}
        return value

    @property
    def _names(self) -> dict[str, str]:
        return {alias: kind_name(kind) for kind in self.kinds for alias in kind.aliases}


def choices(annotation: Any, metadata: Iterable[Any] = ()) -> tuple[type[Block], ...]:
    """The blocks that a field (its annotation and metadata) may hold: () when it holds none."""
    for marker in metadata:
        if isinstance(marker, OneOf):
            return marker.kinds
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        return choices(inner, marks)
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return (annotation,)
    if get_origin(annotation) in {Union, UnionType}:
        return tuple(found for part in get_args(annotation) for found in choices(part))
    return ()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in an experiment: where (`layers[1].units`) and what."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ExperimentError(ValueError):
    """An experiment that can't be used; `problems` holds all that is wrong with it at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def nearest(word: str, known: Iterable[str]) -> str:
    """' (did you mean ...?)' for the closest known word, else all that are known."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}"


def problems_of(error: ValidationError, model: type[Block]) -> tuple[Problem, ...]:
    """Pydantic's findings in the words and paths of the experiment file."""
    found = _likeliest(error.errors(include_url=False))
    return tuple(_problem(details, model) for details in found if not _follows(details, found))


def _follows(details: ErrorDetails, found: Iterable[ErrorDetails]) -> bool:
    """Whether it is wrong only because something else is.

    A list is too short because items of it are wrong, which pydantic drops; a default that
    depends on other fields is not made while one of them is wrong.
    """
    loc = details["loc"]
    if details["type"] == "default_factory_not_called":
        return True
    return details["type"] == "too_short" and any(
        other["loc"][: len(loc)] == loc and len(other["loc"]) > len(loc) for other in found
    )


def _likeliest(found: list[ErrorDetails]) -> list[ErrorDetails]:
    """Of a list that may be flat or nested (or a word), the complaints about what was meant.

    Pydantic reports every alternative; meant is the one that got furthest before it failed.
    """
    depths: dict[tuple[int | str, ...], dict[int | str, int]] = {}
    alternatives = [_alternative(details["loc"]) for details in found]
    for (before, label), details in zip(alternatives, found, strict=True):
        if label:
            labels = depths.setdefault(before, {})
            labels[label] = max(labels.get(label, 0), len(details["loc"]))
    meant = {before: max(labels, key=lambda key: labels[key]) for before, labels in depths.items()}
    return [
        details
        for (before, label), details in zip(alternatives, found, strict=True)
        if not label or label == meant[before]
    ]


def _alternative(loc: tuple[int | str, ...]) -> tuple[tuple[int | str, ...], str]:
    """The steps before the label of an alternative, and the label: '' where there is none."""
    for index, step in enumerate(loc):
        if isinstance(step, str) and step.startswith(_ALTERNATIVES):
            return loc[:index], step
    return loc, ""


def _problem(details: ErrorDetails, model: type[Block]) -> Problem:
    path, owner = _path(details, model)
    return Problem(path, _message(details, owner))


def _path(details: ErrorDetails, model: type[Block]) -> tuple[str, type[Block] | None]:
    """The location without the tags pydantic adds for unions, and the block of the last step."""
    path = ""
    owner: type[Block] | None = model
    inside: tuple[type[Block], ...] = (model,)
    # An unknown key may be any word, also one that reads like a tag.
    unknown = details["loc"][-1] if details["type"] == "extra_forbidden" else None
    for step in details["loc"]:
        if isinstance(step, int):
            path += f"[{step}]"
            continue
        if step != unknown:
            chosen = [block for block in inside if step in _tags(block)]
            if chosen:
                owner, inside = chosen[0], ()
                continue
            if step.startswith(_ALTERNATIVES):
                continue
        if len(inside) == 1:
            owner = inside[0]
        if owner is None:
            continue
        path += f".{step}" if path else step
        field = owner.model_fields.get(step)
        inside = _blocks_within(field.annotation, field.metadata) if field else ()
    return path, owner


def _tags(block: type[Block]) -> tuple[str, ...]:
    for key in ("type", "name"):
        if key in block.model_fields and (tags := get_args(block.model_fields[key].annotation)):
            return tuple(map(str, tags))
    return (block.__name__,)


def _blocks_within(annotation: Any, metadata: Iterable[Any] = ()) -> tuple[type[Block], ...]:
    found = choices(annotation, metadata)
    if found or isinstance(annotation, str):
        return found
    return tuple(block for part in get_args(annotation) for block in _blocks_within(part))


def _message(details: ErrorDetails, owner: type[Block] | None) -> str:
    kind, context, given = details["type"], details.get("ctx", {}), details.get("input")
    shown = f"(is {_short(given)})"
    match kind:
        case "greater_than_equal":
            return f"must be at least {context['ge']} {shown}"
        case "greater_than":
            return f"must be greater than {context['gt']} {shown}"
        case "less_than_equal":
            return f"must be at most {context['le']} {shown}"
        case "less_than":
            return f"must be less than {context['lt']} {shown}"
        case "missing":
            return "is missing"
        case "extra_forbidden":
            known = owner.model_fields if owner else ()
            return f"is not known here; {nearest(str(details['loc'][-1]), known)}"
        case "literal_error":
            return f"must be {context['expected']} {shown}"
        case "union_tag_invalid":
            names = [name.strip("' ") for name in str(context["expected_tags"]).split(",")]
            return f"{context['tag']!r} is not known; {nearest(str(context['tag']), names)}"
        case "union_tag_not_found":
            return f"needs its {context['discriminator']}, which says what it is {shown}"
        case "int_type" | "int_parsing" | "int_from_float":
            return f"must be a whole number {shown}"
        case "float_type" | "float_parsing":
            return f"must be a number {shown}"
        case "finite_number":
            return f"must be a finite number {shown}"
        case "bool_type" | "bool_parsing":
            return f"must be true or false {shown}"
        case "too_short":
            return (
                f"needs at least {context['min_length']} of them (has {context['actual_length']})"
            )
        case "value_error":
            return str(context["error"])
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"must be a table {shown}"
        case "tuple_type" | "list_type":
            return f"must be a list {shown}"
        case "string_type":
            return f"must be text {shown}"
    message = details["msg"]
    return f"{message[0].lower()}{message[1:]} {shown}"


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()  # as the file spells it
    try:
        text = _REPR.repr(value)
    except ValueError:  # Python writes out no number of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}..."
