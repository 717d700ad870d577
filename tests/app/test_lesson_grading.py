"""Grades of printed figures: their definition, at its borders, and over random numbers."""

import math
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_nn.lessons.grading import GRADES, deviates, grade, row, shown, significant

NUMBERS = st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6)
DIGITS = st.integers(0, 8)


def printed(value: float, digits: int, rounding: str = ROUND_HALF_UP) -> str:
    return str(Decimal(value).quantize(Decimal(1).scaleb(-digits), rounding))


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        (-0.7000000000000001, "-0.7", "exact"),
        (0.331812, "0.332", "rounded"),
        (0.131169, "0.1311", "close"),
        (0.131169, "0.1312", "rounded"),
        (0.591272, "0.7", "mismatch"),
        (0.0592803, "0.05", "mismatch"),  # 1 unit away, but 19 %
        (0.98, "0.96", "mismatch"),  # 2 units, and 2.1 %
        (1.0002, "1.0000", "close"),  # 2 units, and 0.02 %
        (1.00021, "1.0000", "mismatch"),  # 2.1 units
        (0.15, "0.2", "rounded"),  # a tie: up
        (0.15, "0.1", "rounded"),  # or to the even digit
        (0.25, "0.2", "rounded"),
        (0.25, "0.3", "rounded"),
        (4.5e-5, "0", "rounded"),
        (0.6, "0", "mismatch"),
        (0.0, "0", "exact"),
        (1407.0, "1407", "exact"),
        (1407.0, "1.407e3", "exact"),
        (-3.0, "−3", "exact"),
        (1.0, "one", "mismatch"),
        (1.0, "", "computed"),
        ((2.0, -1.0), "(2, -1)", "exact"),
        ((2.0, -1.0), "2, -1", "exact"),
        ((2.0, -1.04), "(2, -1.0)", "rounded"),
        ((2.0, -1.0), "(2, -1, 0)", "mismatch"),
        ((128.0, 512.0), "(128, 512)", "exact"),
        ((), "()", "exact"),
        ("uint8", "uint8", "exact"),
        ("float32", "uint8", "mismatch"),
    ],
)
def test_grades(value, text, expected):
    assert grade(value, text) == expected


@given(NUMBERS, DIGITS, st.sampled_from([ROUND_HALF_UP, ROUND_HALF_EVEN]))
def test_a_number_printed_properly_is_exact_or_rounded(value, digits, rounding):
    assert grade(value, printed(value, digits, rounding)) in {"exact", "rounded"}


@given(NUMBERS, DIGITS)
def test_grades_follow_the_distance(value, digits):
    """Moving the print away from the value never makes its grade better."""
    text, unit = Decimal(printed(value, digits)), Decimal(1).scaleb(-digits)
    away = unit if text >= Decimal(value) else -unit
    grades = [GRADES.index(grade(value, str(text + away * step))) for step in range(5)]
    assert grades == sorted(grades)
    assert GRADES[grades[3]] == "mismatch"


@given(NUMBERS, DIGITS, st.integers(-4, 4))
def test_close_is_two_units_and_two_percent(value, digits, units):
    text = Decimal(printed(value, digits)) + units * Decimal(1).scaleb(-digits)
    distance, unit = abs(Decimal(value) - text), Decimal(1).scaleb(-digits)
    if grade(value, str(text)) == "close":
        assert unit / 2 < distance <= 2 * unit + Decimal("1e-12")
        assert distance <= Decimal("0.02") * abs(text) + Decimal("1e-12")
    if grade(value, str(text)) == "mismatch":
        assert distance > unit / 2


@given(NUMBERS)
def test_exact_is_within_a_millionth_of_a_millionth(value):
    text = str(Decimal(value))
    assert grade(value, text) == "exact"
    moved = str(Decimal(value) + Decimal("1.1e-12"))
    assert grade(value, moved) != "exact"


def test_deviation():
    ranks = ["exact", "rounded", "close"]
    for i, found in enumerate(ranks):
        for j, expected in enumerate(ranks):
            assert deviates(found, expected) == (i > j)
        assert deviates("mismatch", found)
        assert deviates(found, "mismatch")  # the slide is said to be wrong, and is not
    assert not deviates("mismatch", "mismatch")
    assert not deviates("computed", "computed")


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 17))
def test_shown_numbers_are_the_number_at_so_many_digits(value, digits):
    text = shown(value, digits)
    whole = value == int(value) and abs(value) < 1e15
    wanted = value if whole else float(f"{value:.{digits}g}")
    assert math.isclose(float(text), wanted, rel_tol=1e-15)


def test_rows():
    assert row("(2, -1)") == ["2", "-1"]
    assert row("()") == []
    assert shown((2.0, -0.5)) == "(2, -0.5)"
    assert shown((4.0,)) == "(4,)"
    assert shown(3.5e-6) == "3.5e-6"
    assert significant("0.298371109") == 9
    assert significant("multiple") == 0
