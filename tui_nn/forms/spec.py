"""What a form needs to know of each field, read from the pydantic model of its block."""

from copy import deepcopy
from dataclasses import dataclass
from inspect import cleandoc
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from tui_nn_engine.blocks.schema import Block, Kind, OneOf, choices


@dataclass(frozen=True)
class Number:
    """A number; `whole`: without a fraction."""

    whole: bool


@dataclass(frozen=True)
class Text:
    """Any text."""


@dataclass(frozen=True)
class File:
    """The path of a file."""


@dataclass(frozen=True)
class Truth:
    """Yes or no."""


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Numbers:
    """A list of numbers (rank 1), a table of them (rank 2), or either; `whole`: no fractions.

    `words` may stand in their place.
    """

    ranks: frozenset[int]
    whole: bool = False
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variants:
    """A block of one of several kinds, which its field `tag` tells apart."""

    tag: str
    blocks: dict[str, type[Block]]
    aliases: dict[str, str]

    def chosen(self, value: Any) -> str | None:
        """The kind of a tree (a table, or a bare name), by its canonical name."""
        name = value.get(self.tag) if isinstance(value, dict) else value
        return self.aliases.get(name, name) if isinstance(name, str) else None

    def summary(self, name: str) -> str:
        """One line on a kind."""
        block = self.blocks[name]
        said = getattr(block, "summary", "") or cleandoc(block.__doc__ or "").split("\n")[0]
        return said.rstrip(".")

    def switched(self, value: Any, name: str) -> Any:
        """The tree as another kind, with the fields that both have."""
        fields = self.blocks[name].model_fields
        table = value if isinstance(value, dict) else {}
        kept = {key: part for key, part in table.items() if key in fields and key != self.tag}
        return {self.tag: name, **start(self.blocks[name]), **kept}


def start(block: type[Block]) -> dict[str, Any]:
    """What a new one holds beside its kind."""
    return deepcopy(dict(block.start)) if issubclass(block, Kind) else {}


@dataclass(frozen=True)
class Nested:
    """A block within the block."""

    block: type[Block]


@dataclass(frozen=True)
class Listing:
    """Any number of blocks."""

    item: "Nested | Variants"


Content = Number | Text | File | Truth | Choice | Numbers | Variants | Nested | Listing


@dataclass(frozen=True)
class Spec:
    """A field: its name in the file, what it is called and what it means, what it holds."""

    name: str
    label: str
    help: str
    content: Content
    default: Any = None
    """As in the file; None where there is none."""
    required: bool = False
    optional: bool = False
    """Whether None is a value, too: it stands for "as usual"."""
    nothing: str = ""
    """What None stands for, where it means more than that."""
    late: bool = False
    """Whether few need it: it is shown last."""
    outlined: bool = False
    """Whether its blocks are parts of the experiment's outline, not fields of the form."""


def specs(block: type[Block]) -> tuple[Spec, ...]:
    """Its fields, those that must be given first, what few need last.

    Raises TypeError for a type no form can show.
    """
    fields = [spec(name, info) for name, info in block.model_fields.items()]
    return tuple(sorted(fields, key=lambda field: (not field.required, field.late)))


def spec(name: str, info: FieldInfo) -> Spec:
    """One field. Raises TypeError for a type that no form can show."""
    types = [part for part in _union(info.annotation) if part is not type(None)]
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    content = File() if extra.get("file") else _content(types, info.metadata, info.discriminator)
    default = None if info.is_required() else _default(info)
    if isinstance(default, Block):
        default = default.model_dump(mode="json", exclude_unset=True)
    said = [info.description or "", _range(info.metadata, content), str(extra.get("unit", ""))]
    return Spec(
        name,
        info.title or name.replace("_", " "),
        " · ".join(part for part in said if part),
        content,
        list(default) if isinstance(default, tuple) else default,
        info.is_required(),
        len(types) < len(_union(info.annotation)),
        str(extra.get("nothing", "")),
        bool(extra.get("late", False)),
        bool(extra.get("outlined", False)),
    )


def _default(info: FieldInfo) -> Any:
    """What holds when nothing else is written, either."""
    return info.get_default(call_default_factory=True, validated_data={})


def scalar(content: Content) -> bool:
    """Whether it is a single value: a number, a text, a path, yes or no, one of a few."""
    return isinstance(content, Number | Text | File | Truth | Choice)


def _content(types: list[Any], metadata: list[Any], discriminator: Any) -> Content:
    one_of = any(isinstance(mark, OneOf) for mark in metadata)
    blocks = choices(None, metadata) or tuple(one for part in types for one in choices(part))
    if one_of or discriminator or len(blocks) > 1:
        return _variants(blocks, discriminator or "type")
    if blocks:
        return Nested(blocks[0])
    if all(get_origin(part) is Literal for part in types):
        return Choice(tuple(value for part in types for value in get_args(part)))
    plain: dict[Any, Content] = {
        bool: Truth(), int: Number(whole=True), float: Number(whole=False), str: Text()
    }  # fmt: skip
    if len(types) == 1 and types[0] in plain:
        return plain[types[0]]
    if set(types) <= {int, float}:
        return Number(whole=False)
    lists = [part for part in types if get_origin(part) is not Literal]
    if all(get_origin(part) in {list, tuple} for part in lists):
        words = (get_args(part) for part in types if part not in lists)
        return _list(lists, tuple(word for several in words for word in several))
    raise TypeError(f"no form for a field of type {types}")


def _list(types: list[Any], words: tuple[str, ...]) -> Content:
    item = get_args(types[0])[0]
    marks = list(get_args(item)[1:]) if get_origin(item) is Annotated else []
    if get_origin(item) is Annotated:
        item = get_args(item)[0]
    if choices(item, marks):
        content = _content([item], marks, None)
        if isinstance(content, Nested | Variants):
            return Listing(content)
    numbers = [_numbers(part) for part in types]
    ranks = frozenset(rank for rank, _ in numbers)
    return Numbers(ranks, all(item is int for _, item in numbers), words)


def _numbers(annotation: Any) -> tuple[int, type]:
    """How deep the numbers are nested, and of which type they are."""
    if get_origin(annotation) is Annotated:
        return _numbers(get_args(annotation)[0])
    if annotation in {int, float}:
        return 0, annotation
    if get_origin(annotation) not in {list, tuple}:
        raise TypeError(f"no form for a list of {annotation}")
    rank, item = _numbers(get_args(annotation)[0])
    return 1 + rank, item


def _variants(blocks: tuple[type[Block], ...], tag: str) -> Variants:
    names = {
        str(name): block
        for block in blocks
        for name in get_args(block.model_fields[tag].annotation)
    }
    aliases = {
        alias: name
        for name, block in names.items()
        if issubclass(block, Kind)
        for alias in block.aliases
    }
    return Variants(tag, names, aliases)


def _union(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)


def _range(metadata: list[Any], content: Content) -> str:
    """ "0 to 0.9", "at least 1"; nothing for the lengths of texts and lists."""
    if not isinstance(content, Number):
        return ""
    low = next(
        (m for m in metadata if isinstance(m, annotated_types.Ge | annotated_types.Gt)), None
    )
    high = next(
        (m for m in metadata if isinstance(m, annotated_types.Le | annotated_types.Lt)), None
    )
    words = []
    if isinstance(low, annotated_types.Ge):
        words.append(f"at least {_shown(low.ge)}")
    elif isinstance(low, annotated_types.Gt):
        words.append(f"above {_shown(low.gt)}")
    if isinstance(high, annotated_types.Le) and high.le != 2**63 - 1:
        words.append(f"at most {_shown(high.le)}")
    elif isinstance(high, annotated_types.Lt):
        words.append(f"below {_shown(high.lt)}")
    return ", ".join(words)


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
