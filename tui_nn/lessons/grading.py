"""How a printed figure compares with the program's own: exact, rounded, close, mismatch."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal, get_args

from tui_nn.lessons.arithmetic import Result

Grade = Literal["exact", "rounded", "close", "mismatch", "computed"]
GRADES: tuple[Grade, ...] = get_args(Grade)

EXACT = Decimal("1e-12")
"""Computing in float64 may differ by this much from what a person gets on paper."""
UNITS = 2
SHARE = Decimal("0.02")


@dataclass(frozen=True)
class Printed:
    """A figure as it stands on a slide: its value, and what its last digit is worth."""

    value: Decimal
    unit: Decimal

    @classmethod
    def read(cls, text: str) -> "Printed":
        """From "0.332", "-0.0065", "−7", "1e-3". Raises ValueError for anything else."""
        try:
            value = Decimal(text.strip().replace("−", "-"))
        except InvalidOperation:
            raise ValueError(f"{text!r} is not a number") from None
        exponent = value.as_tuple().exponent
        if not isinstance(exponent, int) or abs(value.adjusted()) > 400:
            raise ValueError(f"{text!r} is not a number of a table")
        return cls(value, Decimal(1).scaleb(exponent))


def grade(value: Result, printed: str) -> Grade:
    """Grade a printed figure against the program's value; "computed" where none is printed.

    exact: within 1e-12. rounded: equal at the printed digits (a tie may be rounded either way).
    close: at most 2 units of the last printed digit and at most 2 % away: rounded along the way.
    mismatch: anything else. Rows of numbers, written "(2, -1)", have the grade of their worst.
    Raises ValueError for a printed figure that can't be read as what the value is.
    """
    if not printed.strip():
        return "computed"
    if isinstance(value, str):
        return "exact" if value == printed.strip() else "mismatch"
    if isinstance(value, tuple):
        items = row(printed)
        if len(items) != len(value):
            return "mismatch"
        grades = [grade(v, text) for v, text in zip(value, items, strict=True)]
        return max(grades, key=GRADES.index, default="exact")
    try:
        figure = Printed.read(printed)
    except ValueError:
        return "mismatch"  # a word, where the program has a number
    return _graded(Decimal(value), figure)


def _graded(value: Decimal, printed: Printed) -> Grade:
    distance = abs(value - printed.value)
    if distance <= EXACT:
        return "exact"
    if distance <= printed.unit / 2 + EXACT:
        return "rounded"
    if distance <= UNITS * printed.unit + EXACT and distance <= SHARE * abs(printed.value) + EXACT:
        return "close"
    return "mismatch"


def row(text: str) -> list[str]:
    """The items of "(2, -1)"; brackets may be left out."""
    inside = text.strip().removeprefix("(").removesuffix(")").strip()
    return [item.strip() for item in inside.split(",") if item.strip()]


def significant(printed: str) -> int:
    """How many significant digits a printed figure has; of a row, its longest number."""
    digits = 0
    for item in row(printed):
        try:
            digits = max(digits, len(Printed.read(item).value.as_tuple().digits))
        except ValueError:
            continue
    return min(digits, 17)


def deviates(found: Grade, expected: Grade) -> bool:
    """Whether the program does worse than the lesson says, or agrees where the slide is wrong."""
    if expected in {"mismatch", "computed"} or found in {"mismatch", "computed"}:
        return found != expected
    return GRADES.index(found) > GRADES.index(expected)


def shown(value: Result, digits: int = 6) -> str:
    """The program's value as a person reads it: whole numbers whole, others to so many digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        items = [shown(item, digits) for item in value]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.{digits}g}"
    return text if "e" not in text else _scientific(text)


def _scientific(text: str) -> str:
    mantissa, exponent = text.split("e")
    return f"{mantissa}e{int(exponent)}"
