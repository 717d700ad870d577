"""The language in which a lesson says where a number comes from: arithmetic on slots.

`(t[0, 0] - y[0, 0]) * slope(dense_2.z)[0, 0]` is Python's syntax, read by `ast` and worked out
here, node by node; nothing is ever executed. Added to it are the names of what belongs to a time
step, `lstm_1/t=3.h`. All numbers are float64: nothing grows without bounds.
"""

import ast
import operator
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from tui_nn_engine.blocks.schema import ExperimentError, nearest
from tui_nn_engine.formulas.matrices import spectral_radius

Array = Any
Result = float | str | tuple[float, ...]

LONGEST = 400
"""Characters of an expression: enough for a formula, too few to nest deeply."""
LARGEST = 20_000_000
"""Numbers in an array that an expression may make."""
MOST_SHOWN = 24
"""Numbers in a result: more are no figure of a table."""


class FormulaError(ValueError):
    """An expression that can't be read or worked out, and why."""


class Names(Protocol):
    """What an expression may refer to."""

    def value(self, name: str) -> Array:
        """The array, number or text of that name. Raises FormulaError for an unknown one."""

    def of(self, function: str, name: str) -> Array:
        """What belongs to a name: `REFERENCES` lists these. Raises FormulaError."""


REFERENCES: Mapping[str, str] = {
    "old": "a weight before the update",
    "new": "a weight after the update",
    "change": "what the update adds to a weight: new − old",
    "gradient": "∂E/∂(name), of the update's batch",
    "delta": "the same of a net input: δ = ∂E/∂z",
    "error": "e = −∂E/∂(name)",
    "slope": "f′(z), of a net input z",
    "numerical": "∂E/∂w by moving each weight a little and looking at the loss",
    "above": "that loss with the weight a little larger",
    "below": "and a little smaller",
}


def _log(x: Array) -> Array:
    return np.log(x)


FUNCTIONS: Mapping[str, Callable[..., Array]] = {
    "ln": _log,
    "log": _log,
    "log2": np.log2,
    "log10": np.log10,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sign": np.sign,
    "tanh": np.tanh,
    "cosh": np.cosh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "round": lambda x, digits=0.0: np.round(x, _whole(digits)),
    "floor": np.floor,
    "ceil": np.ceil,
    "max": lambda *values: np.max(values[0]) if len(values) == 1 else _all_of(np.maximum, values),
    "min": lambda *values: np.min(values[0]) if len(values) == 1 else _all_of(np.minimum, values),
    "argmax": lambda x: np.argmax(x, axis=-1).astype(np.float64),
    "sum": np.sum,
    "mean": np.mean,
    "norm": lambda x: np.sqrt(np.sum(np.square(x))),
    "spectral_radius": lambda matrix: spectral_radius(np.asarray(matrix)),
    "where": lambda condition, yes, no: np.where(condition != 0, yes, no),
    "transpose": np.transpose,
    "flatten": np.ravel,
    "zeros": lambda *shape: np.zeros(_shape(shape)),
    "shape": lambda x: np.array(np.shape(x), np.float64),
    "ndim": lambda x: float(np.ndim(x)),
    "size": lambda x: float(np.size(x)),
    "dtype": lambda x: str(np.asarray(x).dtype),
}

_BINARY: Mapping[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.Mod: operator.mod,
    ast.FloorDiv: operator.floordiv,
    ast.MatMult: operator.matmul,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Array], Array]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Array, Array], Array]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
# Python itself only warns of a number that runs into a word, as in `2x`.
_RUN_ON = re.compile(r"(?<![\w.])(?>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[A-Za-z_]")
# The path of a time step, lstm_1/t=3 of lstm_1/t=3.h: read as one word, with letters for / and =.
_TIME_STEP = re.compile(r"[A-Za-z_]\w*(?:/[A-Za-z_]\w*)*/t=\w+(?=\.[^\W\d])")
_AS_LETTERS = str.maketrans("/=", "ǀǂ")
_AS_PATH = str.maketrans("ǀǂ", "/=")
_ALLOWED = re.compile(r"[\w\s.,+\-*/%@()\[\]<>=!:]*")


class Expression:
    """A formula of a lesson. Raises FormulaError where it is none."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree = _read(text)

    def __str__(self) -> str:
        return self.text

    @cached_property
    def names(self) -> frozenset[str]:
        """What it refers to, dotted: "dense_1.z", "loss"."""
        found = set()

        def visit(node: ast.AST) -> None:
            if isinstance(node, ast.Name | ast.Attribute):
                found.add(_dotted(node))
                return
            children = [*node.args] if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
            for child in children:
                visit(child)

        visit(self._tree)
        return frozenset(found)

    def array(self, names: Names) -> Array:
        """What it comes to, as it is. Raises FormulaError."""
        try:
            with np.errstate(all="ignore"):
                return _evaluate(self._tree, names)
        except (FormulaError, ExperimentError):
            raise
        except ZeroDivisionError:
            raise FormulaError("divides by zero") from None
        except OverflowError:
            raise FormulaError("comes to a number too large to write down") from None
        except RecursionError:
            raise FormulaError("is nested too deeply") from None
        except (ValueError, TypeError) as error:
            raise FormulaError(f"can't be worked out: {error}") from None

    def result(self, names: Names) -> Result:
        """A number, a text, or a row of numbers (a shape, say). Raises FormulaError."""
        value = self.array(names)
        if isinstance(value, str):
            return value
        array = np.asarray(value, np.float64)
        if array.ndim > 1 or array.size > MOST_SHOWN:
            raise FormulaError(
                f"is an array of shape {array.shape}; choose one number of it, as in name[0, 1]"
            )
        if not np.isfinite(array).all():
            raise FormulaError("does not come to a finite number")
        return float(array) if array.ndim == 0 else tuple(array.tolist())


def _read(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise FormulaError(f"is longer than {LONGEST} characters")
    if not _ALLOWED.fullmatch(text):
        odd = next(sign for sign in text if not _ALLOWED.fullmatch(sign))
        raise FormulaError(f"can't be read: {odd!r} has no meaning in a formula")
    given, text = text, _TIME_STEP.sub(lambda path: path[0].translate(_AS_LETTERS), text)
    if run_on := _RUN_ON.search(text):
        raise FormulaError(f"can't be read: a number runs into a word in {run_on[0]!r}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        _check(tree)
    except FormulaError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise FormulaError(f"can't be read as a formula: {given!r}") from None
    return tree


def _check(node: ast.expr) -> None:
    """Refuse, before any number is known, whatever is no arithmetic."""
    match node:
        case ast.Constant(value=(int() | float()) as number):
            if isinstance(number, bool) or abs(number) > 1e300:
                raise FormulaError(f"holds {number!r}, which is no number it can use")
        case ast.Name() | ast.Attribute():
            _dotted(node)
        case ast.BinOp() if type(node.op) in _BINARY:
            _check(node.left)
            _check(node.right)
        case ast.UnaryOp() if type(node.op) in _UNARY:
            _check(node.operand)
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            _check(node.left)
            _check(node.comparators[0])
        case ast.List() | ast.Tuple():
            for item in node.elts:
                _check(item)
        case ast.Subscript():
            _check(node.value)
            for index in _indices(node):
                _check_index(index)
        case ast.Call():
            _check_call(node)
        case _:
            raise FormulaError(f"holds {_source(node)!r}, which is no arithmetic")


def _check_index(index: ast.expr) -> None:
    if isinstance(index, ast.Slice):
        for bound in (index.lower, index.upper, index.step):
            if bound is not None:
                _check(bound)
    else:
        _check(index)


def _check_call(node: ast.Call) -> None:
    known = (*FUNCTIONS, *REFERENCES)
    if not isinstance(node.func, ast.Name) or node.func.id not in known:
        name = _source(node.func)
        raise FormulaError(f"{name!r} is not a function here; {nearest(name, known)}")
    if node.keywords:
        raise FormulaError(f"{node.func.id}: takes its numbers by place, without names")
    if node.func.id in REFERENCES:
        if len(node.args) != 1 or not isinstance(node.args[0], ast.Name | ast.Attribute):
            raise FormulaError(
                f"{node.func.id}(...) takes one name, as in {node.func.id}(dense_1.kernel)[0, 1]"
            )
        _dotted(node.args[0])
        return
    if not node.args:
        raise FormulaError(f"{node.func.id}(): needs something to work on")
    for argument in node.args:
        _check(argument)


def _evaluate(node: ast.expr, names: Names) -> Array:
    match node:
        case ast.Constant(value=(int() | float()) as number):
            return float(number)
        case ast.Name() | ast.Attribute():
            return names.value(_dotted(node))
        case ast.BinOp():
            return _combined(node, _evaluate(node.left, names), _evaluate(node.right, names))
        case ast.UnaryOp():
            return _UNARY[type(node.op)](_numbers(_evaluate(node.operand, names)))
        case ast.Compare():
            left, right = (_evaluate(side, names) for side in (node.left, node.comparators[0]))
            compared = _COMPARISONS[type(node.ops[0])](_numbers(left), _numbers(right))
            return np.asarray(compared, np.float64)[()]
        case ast.List() | ast.Tuple():
            return np.array([_numbers(_evaluate(item, names)) for item in node.elts], np.float64)
        case ast.Subscript():
            return _element(node, names)
        case ast.Call(func=ast.Name(id=name)):
            return _called(name, node.args, names)
    raise FormulaError(f"holds {_source(node)!r}, which is no arithmetic")


def _combined(node: ast.BinOp, left: Array, right: Array) -> Array:
    left, right = _numbers(left), _numbers(right)
    _keep_small(node, left, right)
    if isinstance(node.op, ast.Div | ast.Mod | ast.FloorDiv) and np.any(np.equal(right, 0)):
        raise FormulaError("divides by zero")
    value = _BINARY[type(node.op)](left, right)
    if isinstance(value, complex):
        raise FormulaError("takes a root of a negative number")
    return value


def _keep_small(node: ast.BinOp, left: Array, right: Array) -> None:
    a, b = np.shape(left), np.shape(right)
    product = isinstance(node.op, ast.MatMult)
    shape = (*a[:-1], *b[-1:]) if product else np.broadcast_shapes(a, b)
    if np.prod(shape, dtype=float) > LARGEST:
        raise FormulaError(f"makes an array of shape {shape}, which is too large")


def _element(node: ast.Subscript, names: Names) -> Array:
    array = _evaluate(node.value, names)
    if isinstance(array, str) or np.ndim(array) == 0:
        raise FormulaError(f"{_source(node.value)} is a single value: it has no elements")
    indices = tuple(_index(index, names) for index in _indices(node))
    try:
        return array[indices]
    except IndexError:
        raise FormulaError(
            f"{_source(node)} lies outside: the shape of {_source(node.value)} is {array.shape}"
        ) from None


def _index(node: ast.expr, names: Names) -> int | slice:
    if isinstance(node, ast.Slice):
        bounds = (node.lower, node.upper, node.step)
        return slice(*(None if b is None else _whole(_evaluate(b, names)) for b in bounds))
    return _whole(_evaluate(node, names))


def _called(name: str, arguments: list[ast.expr], names: Names) -> Array:
    if name in REFERENCES:
        return names.of(name, _dotted(arguments[0]))
    values = [_evaluate(argument, names) for argument in arguments]
    if name not in {"shape", "ndim", "size", "dtype"}:
        values = [_numbers(value) for value in values]
    try:
        return FUNCTIONS[name](*values)
    except TypeError:
        raise FormulaError(f"{name}(...) can't work on {len(values)} of these") from None


def _all_of(function: Callable[[Array, Array], Array], values: tuple[Array, ...]) -> Array:
    found = values[0]
    for value in values[1:]:
        found = function(found, value)
    return found


def _numbers(value: Array) -> Array:
    """As float64, in which the arithmetic is done."""
    if isinstance(value, str):
        raise FormulaError(f"can't calculate with the text {value!r}")
    return value if isinstance(value, float) else np.asarray(value, np.float64)[()]


def _whole(value: Array) -> int:
    if isinstance(value, str) or np.ndim(value) or value != np.floor(value):
        raise FormulaError(f"needs a whole number as an index (is {value})")
    return int(value)


def _shape(sizes: tuple[Array, ...]) -> tuple[int, ...]:
    shape = tuple(_whole(size) for size in sizes)
    if min(shape) < 0 or np.prod(shape, dtype=float) > LARGEST:
        raise FormulaError(f"can't make an array of shape {shape}")
    return shape


def _indices(node: ast.Subscript) -> list[ast.expr]:
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id.translate(_AS_PATH)
        case ast.Attribute():
            return f"{_dotted(node.value)}.{node.attr.translate(_AS_PATH)}"
    raise FormulaError(f"holds {_source(node)!r}, which is no name")


def _source(node: ast.expr) -> str:
    return ast.unparse(node).translate(_AS_PATH)
