"""Formulas as trees: from one tree come the symbols, the same with the numbers put in, the value.

So the three cannot disagree. `1 / (1 + exp(-z))` is such a tree where z is a `Quantity`, and reads
`1/(1 + e^(−z4))` or `1/(1 + e^(−0.7))`. Quantities may hold vectors, for sums over them: see
`functions.total`.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Number = float | NDArray[np.float64]
Chosen = int | NDArray[np.intp]

# How tightly a text binds: what binds less than its surroundings is put in brackets.
CHOICE, SUM, PRODUCT, POWER, ATOM = range(5)
_EXACT = 1e6  # whole numbers below are never rounded
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int) -> str:
    """A number at `digits` significant digits: "−0.3318", "12500", "1.2e−7"."""
    if not np.isfinite(value):
        return "nan" if np.isnan(value) else "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < _EXACT:
        return str(int(value)).replace("-", "−")
    if 10**digits <= abs(value) < _EXACT:
        return f"{value:.0f}".replace("-", "−")
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return f"{mantissa}{f'e{int(exponent)}' if exponent else ''}".replace("-", "−")


class Expression:
    """A formula, or a part of one; + − * / ** and comparisons make larger ones."""

    @cached_property
    def value(self) -> Number:
        """What it comes to: a number, or a vector (terms,); nan where something is not known."""
        with np.errstate(all="ignore"):
            return self._compute()

    @property
    def scalar(self) -> float:
        """Its value, one number."""
        return float(self.value)

    def at(self, chosen: Chosen) -> "Expression":
        """The same for one place (or some) of the vectors in it."""
        raise NotImplementedError

    def text(self, digits: int | None = None, *, leading: bool = True) -> str:
        """In symbols or, given `digits`, in numbers of so many significant digits.

        Where it is not `leading`, a minus sign in front needs brackets.
        """
        raise NotImplementedError

    def binding(self, digits: int | None) -> int:  # noqa: ARG002
        """How tightly its text binds."""
        return ATOM

    @property
    def operands(self) -> "tuple[Expression, ...]":
        """What it is made of."""
        return ()

    def parts(self) -> "Iterator[Part]":
        """The parts in it that have a name of their own, those they are made of first."""
        for operand in self.operands:
            yield from operand.parts()

    def _compute(self) -> Number:
        raise NotImplementedError

    def _within(self, level: int, digits: int | None, *, leading: bool = False) -> str:
        """As an operand of something that binds as `level`."""
        if self.binding(digits) < level:
            return f"({self.text(digits)})"
        return self.text(digits, leading=leading)

    def __add__(self, other: "Operand") -> "Expression":
        right = lift(other)
        if isinstance(self, Negative) and isinstance(right, Negative):
            return Negative(Sum(self.of, right.of))
        return Difference(self, right.of) if isinstance(right, Negative) else Sum(self, right)

    def __radd__(self, other: "Operand") -> "Expression":
        return lift(other) + self

    def __sub__(self, other: "Operand") -> "Expression":
        right = lift(other)
        if isinstance(right, Negative):
            return -(self.of - right.of) if isinstance(self, Negative) else Sum(self, right.of)
        return Difference(self, right)

    def __rsub__(self, other: "Operand") -> "Expression":
        return lift(other) - self

    def __mul__(self, other: "Operand") -> "Expression":
        right = lift(other)
        if isinstance(self, Negative):
            return -(self.of * right)
        return -(self * right.of) if isinstance(right, Negative) else Product(self, right)

    def __rmul__(self, other: "Operand") -> "Expression":
        return lift(other) * self

    def __truediv__(self, other: "Operand") -> "Expression":
        right = lift(other)
        return -(self.of / right) if isinstance(self, Negative) else Quotient(self, right)

    def __rtruediv__(self, other: "Operand") -> "Expression":
        return lift(other) / self

    def __pow__(self, exponent: "Operand") -> "Expression":
        return Power(self, lift(exponent))

    def __neg__(self) -> "Expression":
        return Negative(self)

    def __gt__(self, other: "Operand") -> "Comparison":
        return Comparison(">", self, lift(other))

    def __ge__(self, other: "Operand") -> "Comparison":
        return Comparison("≥", self, lift(other))

    def __lt__(self, other: "Operand") -> "Comparison":
        return Comparison("<", self, lift(other))


Operand = Expression | float


def lift(operand: Operand) -> Expression:
    """A plain number as a constant."""
    return operand if isinstance(operand, Expression) else Constant(operand)


class Quantity(Expression):
    """A named number, or a vector of them named by place."""

    def __init__(self, symbol: str | Callable[[int], str], value: Number = np.nan) -> None:
        self.symbol, self.given = symbol, value

    def _compute(self) -> Number:
        return self.given

    def at(self, chosen: Chosen) -> Expression:
        """The element there; where it holds a single number, itself."""
        if np.ndim(self.given) == 0:
            return self
        name: Any = self.symbol
        if isinstance(chosen, np.ndarray):
            symbol = name if isinstance(name, str) else lambda i: name(int(chosen[i]))
            return Quantity(symbol, self.given[chosen])  # type: ignore[index]
        symbol = name if isinstance(name, str) else name(chosen)
        return Quantity(symbol, float(self.given[chosen]))  # type: ignore[index]

    def text(self, digits: int | None = None, *, leading: bool = True) -> str:
        """Its symbol or its number."""
        text = number(self.scalar, digits) if digits is not None else str(self.symbol)
        return text if leading or not text.startswith("−") else f"({text})"

    def binding(self, digits: int | None) -> int:
        """∂E/∂w and x⁽²⁾ need brackets where they are squared."""
        compound = digits is None and ("/" in self.text() or self.text().endswith("⁾"))
        return POWER if compound else ATOM


class Constant(Expression):
    """A number that belongs to the formula; it is never rounded."""

    def __init__(self, given: float) -> None:
        self.given = given

    def _compute(self) -> Number:
        return float(self.given)

    def at(self, chosen: Chosen) -> Expression:  # noqa: ARG002
        """The same everywhere."""
        return self

    def text(self, digits: int | None = None, *, leading: bool = True) -> str:  # noqa: ARG002
        """The number."""
        text = number(self.given, 15)
        return text if leading or not text.startswith("−") else f"({text})"


class Part(Expression):
    """A part with a name of its own, `symbol`: shown as that, and explained in a line before."""

    def __init__(self, symbol: str, definition: Expression) -> None:
        self.symbol, self.definition = symbol, definition

    def _compute(self) -> Number:
        return self.definition.value

    def at(self, chosen: Chosen) -> Expression:  # noqa: ARG002
        """A part is one number, the same everywhere."""
        return self

    def text(self, digits: int | None = None, *, leading: bool = True) -> str:
        """As a quantity."""
        return Quantity(self.symbol, self.value).text(digits, leading=leading)

    @property
    def operands(self) -> tuple[Expression, ...]:
        """Its definition."""
        return (self.definition,)

    def parts(self) -> "Iterator[Part]":
        """Those of its definition, and itself."""
        yield from super().parts()
        yield self


class Negative(Expression):
    """−a. −(a − b) never comes to this: it is b − a."""

    def __new__(cls, of: Expression) -> Any:
        """The simplest expression that is −`of`."""
        if isinstance(of, Negative):
            return of.of
        if isinstance(of, Constant):
            return Constant(-of.given)
        if isinstance(of, Difference):
            return Difference(of.right, of.left)
        if isinstance(of, Product) and isinstance(of.right, Difference):
            return Product(of.left, -of.right)
        if isinstance(of, Product | Quotient) and isinstance(
            of.left, Product | Quotient | Difference
        ):
            left = -of.left
            if not isinstance(left, Negative):
                return type(of)(left, of.right)
        return super().__new__(cls)

    def __init__(self, of: Expression) -> None:
        self.of = of

    def _compute(self) -> Number:
        return -self.of.value

    def at(self, chosen: Chosen) -> Expression:
        """Of the element there."""
        return -self.of.at(chosen)

    def text(self, digits: int | None = None, *, leading: bool = True) -> str:
        """A minus sign in front."""
        text = f"−{self.of._within(PRODUCT, digits)}"
        return text if leading else f"({text})"

    def binding(self, digits: int | None) -> int:  # noqa: ARG002
        """As a product with −1."""
        return PRODUCT

    @property
    def operands(self) -> tuple[Expression, ...]:
        """What is negated."""
        return (self.of,)


class _Binary(Expression):
    """Two operands and a sign between them."""

    sign = ""
    level = SUM

    def __init__(self, left: Expression, right: Expression) -> None:
        self.left, self.right = left, right

    def at(self, chosen: Chosen) -> Expression:
        """Of the elements there."""
        return type(self)(self.left.at(chosen), self.right.at(chosen))

    def text(self, digits: int | None = None, *, leading: bool = True) -> str:
        """Left, sign, right."""
        left = self.left._within(self.level, digits, leading=leading)
        return f"{left}{self.sign}{self._right(digits)}"

    def _right(self, digits: int | None) -> str:
        return self.right._within(self.level, digits)

    def binding(self, digits: int | None) -> int:  # noqa: ARG002
        """As its sign."""
        return self.level

    @property
    def operands(self) -> tuple[Expression, ...]:
        """Both sides."""
        return self.left, self.right


class Sum(_Binary):
    """a + b."""

    sign = " + "

    def _compute(self) -> Number:
        return self.left.value + self.right.value


class Difference(_Binary):
    """a − b."""

    sign = " − "

    def _compute(self) -> Number:
        return self.left.value - self.right.value

    def _right(self, digits: int | None) -> str:
        return self.right._within(PRODUCT, digits)


class Product(_Binary):
    """a·b."""

    sign = "·"
    level = PRODUCT

    def _compute(self) -> Number:
        return self.left.value * self.right.value


class Quotient(_Binary):
    """a/b."""

    sign = "/"
    level = PRODUCT

    def _compute(self) -> Number:
        return np.divide(self.left.value, self.right.value)

    def _right(self, digits: int | None) -> str:
        return self.right._within(POWER, digits)


class Power(_Binary):
    """a² or a^b."""

    level = POWER

    def _compute(self) -> Number:
        return np.power(self.left.value, self.right.value)

    def text(self, digits: int | None = None, *, leading: bool = True) -> str:  # noqa: ARG002
        """Whole exponents are superscripts."""
        base = self.left._within(ATOM, digits)
        exponent = self.right.text(digits)
        if isinstance(self.right, Constant) and exponent.isdigit():
            return base + exponent.translate(_SUPERSCRIPT)
        return f"{base}^{self.right._within(ATOM, digits)}"


class Comparison:
    """a > b, as the condition of a choice."""

    _TESTS = {">": np.greater, "≥": np.greater_equal, "<": np.less}

    def __init__(self, sign: str, left: Expression, right: Expression) -> None:
        self.sign, self.left, self.right = sign, left, right

    def at(self, chosen: Chosen) -> "Comparison":
        """Of the elements there."""
        return Comparison(self.sign, self.left.at(chosen), self.right.at(chosen))

    @property
    def holds(self) -> Any:
        """Whether it is so (at each place)."""
        return self._TESTS[self.sign](self.left.value, self.right.value)

    @property
    def symbols(self) -> str:
        """ "z > 0"."""
        return f"{self.left.text()} {self.sign} {self.right.text()}"


def part(symbol: str, definition: Expression) -> Expression:
    """A part with a name of its own; a minus sign stays outside."""
    if isinstance(definition, Negative):
        return -Part(symbol, definition.of)
    return Part(symbol, definition)


def equations(left: str, right: Expression) -> list[tuple[str, Expression]]:
    """left = right, after a line for each part in it that has a name."""
    parts = {inner.symbol: inner.definition for inner in right.parts()}
    return [*parts.items(), (left, right)]


def formula(left: str, right: Expression) -> str:
    """The same as one line, the parts last: "δ = ∂E/∂h·f′(z), f′(z) = h·(1 − h)"."""
    *parts, whole = equations(left, right)
    return ", ".join(f"{name} = {inner.text()}" for name, inner in (whole, *parts))
