"""What formulas are made of besides + − · /: functions, choices, sums of many terms.

`total(x * w)` is the sum over the vectors in it, computed by NumPy, of which only the largest terms
are written out.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from tui_nn_engine.formulas.expressions import (
    ATOM,
    CHOICE,
    POWER,
    PRODUCT,
    SUM,
    Chosen,
    Comparison,
    Expression,
    Negative,
    Number,
    Operand,
    Quantity,
    lift,
    number,
)

ALL_SHOWN = 10  # terms of a sum that are all written out
LARGEST = 6  # terms that are, of a longer sum


class Function(Expression):
    """A named function; `shape` is how it is written, with {} for each argument."""

    def __init__(self, shape: str, compute: Callable[..., Any], *arguments: Expression) -> None:
        self.shape, self.compute, self.arguments = shape, compute, arguments

    def _compute(self) -> Number:
        found: Number = self.compute(*(argument.value for argument in self.arguments))
        return found

    def at(self, chosen: Chosen) -> Expression:
        """Of the elements there."""
        return Function(self.shape, self.compute, *(a.at(chosen) for a in self.arguments))

    def text(self, digits: int | None = None, *, leading: bool = True) -> str:  # noqa: ARG002
        """Its arguments in brackets."""
        return self.shape.format(*(argument.text(digits) for argument in self.arguments))

    def binding(self, digits: int | None) -> int:  # noqa: ARG002
        """e^(z) squared needs brackets."""
        return POWER if "^" in self.shape else ATOM

    @property
    def operands(self) -> tuple[Expression, ...]:
        """Its arguments."""
        return self.arguments


class Choice(Expression):
    """One of two, by a condition: the numbers are those of the branch taken."""

    def __init__(self, condition: Comparison, then: Expression, otherwise: Expression) -> None:
        self.condition, self.then, self.otherwise = condition, then, otherwise

    @property
    def taken(self) -> Expression:
        """The branch that counts here."""
        return self.then if self.condition.holds else self.otherwise

    def _compute(self) -> Number:
        unknown = np.isnan(np.asarray(self.condition.left.value))
        found = np.where(self.condition.holds, self.then.value, self.otherwise.value)
        found = np.where(unknown, np.nan, found)
        return found if found.ndim else float(found)

    def at(self, chosen: Chosen) -> Expression:
        """Of the elements there."""
        branches = self.then.at(chosen), self.otherwise.at(chosen)
        return Choice(self.condition.at(chosen), *branches)

    def text(self, digits: int | None = None, *, leading: bool = True) -> str:
        """ "a if z > 0 else b", or the numbers of one of them."""
        if digits is not None:
            return self.taken.text(digits, leading=leading)
        return f"{self.then.text()} if {self.condition.symbols} else {self.otherwise.text()}"

    def binding(self, digits: int | None) -> int:
        """Least of all; in numbers as the branch taken."""
        return CHOICE if digits is None else self.taken.binding(digits)

    @property
    def operands(self) -> tuple[Expression, ...]:
        """Both branches."""
        return self.then, self.otherwise


class Total(Expression):
    """The sum of all places of its vectors: all written out, or of many the largest."""

    def __init__(self, terms: Expression) -> None:
        self.terms = terms

    @property
    def count(self) -> int:
        """How many terms."""
        return int(np.size(self.terms.value))

    def _compute(self) -> Number:
        return float(np.sum(self.terms.value))

    def at(self, chosen: Chosen) -> Expression:  # noqa: ARG002
        """A sum over all places is the same everywhere."""
        return self

    def __neg__(self) -> Expression:
        terms = -self.terms
        return Negative(self) if isinstance(terms, Negative) else Total(terms)

    @cached_property
    def _written(self) -> tuple[list[int], float]:
        """The terms to write out, and what the others come to."""
        values = np.atleast_1d(self.terms.value)
        if self.count <= ALL_SHOWN:
            return list(range(self.count)), 0.0
        chosen = np.argsort(-np.abs(values), kind="stable")[:LARGEST]  # nan comes last
        return sorted(chosen.tolist()), float(np.sum(np.delete(values, chosen)))

    def text(self, digits: int | None = None, *, leading: bool = True) -> str:
        """Terms and plus signs."""
        chosen, rest = self._written
        if not np.ndim(self.terms.value):
            return self.terms.text(digits, leading=leading)
        level = PRODUCT if self.count > 1 else CHOICE
        parts = [
            self.terms.at(place)._within(level, digits, leading=leading and not index)
            for index, place in enumerate(chosen)
        ]
        if others := self.count - len(chosen):
            told = "" if digits is None else f": {number(rest, digits)}"
            parts.append(f"(the other {others} terms{told})")
        return " + ".join(parts)

    def binding(self, digits: int | None) -> int:
        """As a sum, or as its only term."""
        return SUM if self.count > 1 else self.terms.at(0).binding(digits)

    @property
    def operands(self) -> tuple[Expression, ...]:
        """Its terms."""
        return (self.terms,)


def total(terms: Expression) -> Expression:
    """The sum over all places of the vectors in `terms`."""
    return -Total(terms.of) if isinstance(terms, Negative) else Total(terms)


def many(terms: Sequence[Expression]) -> Expression:
    """The sum of named numbers of which only the largest are written out."""
    values = np.array([term.scalar for term in terms])
    return Total(Quantity(lambda place: terms[place].text(), values))


def when(condition: Comparison, then: Operand, otherwise: Operand) -> Expression:
    """`then` where the condition holds, else `otherwise`."""
    return Choice(condition, lift(then), lift(otherwise))


def exp(x: Expression) -> Expression:
    """e^(x)."""
    return Function("e^({})", np.exp, x)


def ln(x: Expression) -> Expression:
    """The natural logarithm."""
    return Function("ln({})", np.log, x)


def sqrt(x: Expression) -> Expression:
    """√(x)."""
    return Function("√({})", np.sqrt, x)


def tanh(x: Expression) -> Expression:
    """Hyperbolic tangent."""
    return Function("tanh({})", np.tanh, x)


def cosh(x: Expression) -> Expression:
    """Hyperbolic cosine."""
    return Function("cosh({})", np.cosh, x)


def absolute(x: Expression) -> Expression:
    """|x|."""
    return Function("|{}|", np.abs, x)


def largest(x: Operand, y: Operand) -> Expression:
    """max(x, y)."""
    return Function("max({}, {})", np.maximum, lift(x), lift(y))


def smallest(x: Operand, y: Operand) -> Expression:
    """min(x, y)."""
    return Function("min({}, {})", np.minimum, lift(x), lift(y))


def sign(x: Expression) -> Expression:
    """sgn(x): −1, 0 or 1."""
    return Function("sgn({})", np.sign, x)
