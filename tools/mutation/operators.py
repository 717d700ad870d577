"""Small mutations of a Python module: what could be written wrongly without looking wrong.

Each mutation changes one expression of the source text and leaves everything else as it is.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeGuard

ARITHMETIC: Final = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/")} | {
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
}
SIGNS: Final = {ast.Add, ast.Sub}
COMPARISONS: Final = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
}
TWINS: Final = {"any": "all", "all": "any", "min": "max", "max": "min"} | {
    "argmin": "argmax",
    "argmax": "argmin",
    "floor": "ceil",
    "ceil": "floor",
    "minimum": "maximum",
    "maximum": "minimum",
}
COMMUTATIVE: Final = {"max", "min", "maximum", "minimum", "add", "multiply", "array_equal"}
OTHER_INDEX: Final = {0: "1", 1: "0", -1: "0", 2: "1"}
NOT_MUTATED: Final = {"BINDINGS", "DEFAULT_CSS", "CSS_PATH", "__all__", "COMPONENT_CLASSES"}


@dataclass(frozen=True)
class Mutation:
    """One changed expression: `source[start:stop]` of the file at `path` becomes `after`."""

    path: Path
    line: int
    last_line: int
    kind: str
    start: int
    stop: int
    before: str
    after: str
    constant: str = ""
    """The module-level name whose value is changed: tests that read it should notice."""

    def applied(self, source: str) -> str:
        """The mutated source."""
        assert source[self.start : self.stop] == self.before
        return source[: self.start] + self.after + source[self.stop :]


class _Source:
    """Source text with the places of syntax nodes in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._encoded = [line.encode() for line in text.splitlines(keepends=True)]
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def offset(self, line: int, column: int) -> int:
        """The place of a line (from 1) and a column in bytes."""
        return self._starts[line - 1] + len(self._encoded[line - 1][:column].decode())

    def span(self, node: ast.expr | ast.keyword) -> tuple[int, int]:
        """Where the node begins and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self.offset(node.lineno, node.col_offset)
        return start, self.offset(node.end_lineno, node.end_col_offset)


def mutations(path: Path, text: str) -> Iterator[Mutation]:
    """All mutations of a module."""
    source = _Source(text)
    tree = ast.parse(text)
    skipped = set(_skipped(tree))
    constants = dict(_constants(tree))
    for node in ast.walk(tree):
        if node in skipped or not isinstance(node, ast.expr):
            continue
        found = [*_of_node(node, source)]
        if node in constants and isinstance(node, ast.Constant) and _is_number(node.value):
            found.append(("constant", *source.span(node), _other_number(node.value)))
        for kind, start, stop, after in found:
            if (before := text[start:stop]) != after:
                last = node.end_lineno or node.lineno
                name = constants.get(node, "")
                yield Mutation(path, node.lineno, last, kind, start, stop, before, after, name)


def _skipped(tree: ast.Module) -> Iterator[ast.AST]:
    """Annotations, and class attributes that only describe the screen."""
    for node in ast.walk(tree):
        named: list[ast.AST] = []
        match node:
            case ast.AnnAssign():
                named = [node.annotation]
                if isinstance(node.target, ast.Name) and node.target.id in NOT_MUTATED:
                    named.append(node)
            case ast.Assign(targets=[ast.Name(id=name)]) if name in NOT_MUTATED:
                named = [node]
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                named = [node.returns] if node.returns else []
                named += node.decorator_list
            case ast.arg(annotation=ast.expr() as annotation):
                named = [annotation]
            case ast.Assert():
                named = [node]
            case ast.Subscript(value=ast.Name(id=name)) if name[:1].isupper():
                named = [node]  # a generic type
            case ast.Call(func=ast.Name(id="isinstance"), args=[_, kinds]):
                named = [kinds]
            case ast.ExceptHandler(type=ast.expr() as kinds):
                named = [kinds]
        for one in named:
            yield from ast.walk(one)
        yield from _unordered(node)


def _unordered(node: ast.AST) -> Iterator[ast.AST]:
    """Lists whose order means nothing, and calls that take either operand first."""
    match node:
        case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[ast.Tuple() | ast.List() as x]):
            yield x
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in COMMUTATIVE:
            yield node


def _constants(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """The nodes of each module-level value, and of an enum's, with its name."""
    enums = (node for node in tree.body if isinstance(node, ast.ClassDef) and _is_enum(node))
    for statement in [*tree.body, *(one for enum in enums for one in enum.body)]:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield from ((node, name) for node in ast.walk(value))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield from ((node, name) for node in ast.walk(value))


def _of_node(node: ast.expr, source: _Source) -> Iterator[tuple[str, int, int, str]]:
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            if not any(isinstance(side, ast.Constant | ast.JoinedStr) and _is_text(side)
                       for side in (left, right)):  # fmt: skip
                kind = "sign" if type(op) in SIGNS else "factor"
                yield from _between(source, left, right, *ARITHMETIC[type(op)], kind)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            yield from _between(source, left, right, *COMPARISONS[type(op)], "threshold")
        case ast.BoolOp(op=ast.And(), values=[left, right, *_]):
            yield from _between(source, left, right, "and", "or", "logic")
        case ast.BoolOp(op=ast.Or(), values=[left, right, *_]):
            yield from _between(source, left, right, "or", "and", "logic")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            start, stop = source.span(node)
            yield "sign", start, stop, source.text[slice(*source.span(operand))]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            start, stop = source.span(node)
            yield "logic", start, stop, f"bool({source.text[slice(*source.span(operand))]})"
        case ast.Subscript(slice=index) if (number := _whole(index)) is not None:
            start, stop = source.span(index)
            yield "axis", start, stop, OTHER_INDEX.get(number, str(number - 1))
        case ast.Name(id=name) if name in TWINS and isinstance(node.ctx, ast.Load):
            start, stop = source.span(node)
            yield "twin", start, stop, TWINS[name]
        case ast.Attribute(attr=name) if name in TWINS and isinstance(node.ctx, ast.Load):
            _, stop = source.span(node)
            yield "twin", stop - len(name), stop, TWINS[name]
        case ast.Tuple(elts=elements) | ast.List(elts=elements) if len(elements) > 1:
            for first, second in pairwise(elements):
                yield from _exchanged(source, first, second)
        case ast.Call(args=arguments, keywords=keywords):
            for keyword in keywords:
                number = _whole(keyword.value)
                if keyword.arg in {"axis", "axes"} and number is not None:
                    yield "axis", *source.span(keyword.value), OTHER_INDEX.get(number, "0")
            for first, second in pairwise(arguments):
                yield from _exchanged(source, first, second)
            for one, other in pairwise(keywords):
                yield from _exchanged(source, one.value, other.value)
        case ast.IfExp(body=first, orelse=second):
            yield from _exchanged(source, first, second)


def _is_enum(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id.endswith("Enum") for base in node.bases)


def _is_number(value: object) -> TypeGuard[float]:
    return type(value) in {int, float}


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _whole(node: ast.expr) -> int | None:
    """A whole number written out, with its sign."""
    match node:
        case ast.Constant(value=int() as value) if type(value) is int:
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as value)):
            return -value
    return None


def _other_number(value: float) -> str:
    """A little more: thresholds, shares and counts that tests should know exactly."""
    return str(value + max(1, value // 10)) if isinstance(value, int) else repr(value * 1.1)


def _between(
    source: _Source, left: ast.expr, right: ast.expr, sign: str, other: str, kind: str
) -> Iterator[tuple[str, int, int, str]]:
    """The operator that stands between two operands."""
    start, stop = source.span(left)[1], source.span(right)[0]
    text = source.text[start:stop]
    if text.count(sign) == 1:
        place = start + text.index(sign)
        yield kind, place, place + len(sign), other


def _exchanged(
    source: _Source, first: ast.expr, second: ast.expr
) -> Iterator[tuple[str, int, int, str]]:
    """Two neighbors, each in the place of the other; not of two literal texts."""
    if any(isinstance(one, ast.Starred) for one in (first, second)):
        return
    if _is_text(first) and _is_text(second):
        return
    (start, middle), (onward, stop) = source.span(first), source.span(second)
    text = source.text
    after = text[onward:stop] + text[middle:onward] + text[start:middle]
    yield "exchange", start, stop, after
