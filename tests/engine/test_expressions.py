"""Formulas: brackets, signs, branches, long sums; symbols, numbers and value say the same."""

import numpy as np
import pytest

from tui_nn_engine.formulas.expressions import (
    Expression,
    Part,
    Quantity,
    equations,
    formula,
    lift,
    number,
)
from tui_nn_engine.formulas.functions import absolute, exp, largest, ln, smallest, sqrt, total, when

a, b, c = Quantity("a", 2.0), Quantity("b", -0.5), Quantity("c", 4.0)
NEGATIVE = -a


@pytest.mark.parametrize(
    ("expression", "symbols", "numbers", "value"),
    [
        (a + b, "a + b", "2 + (−0.5)", 1.5),
        (b + a, "b + a", "−0.5 + 2", 1.5),
        (a - b, "a − b", "2 − (−0.5)", 2.5),
        (a - (b + c), "a − (b + c)", "2 − (−0.5 + 4)", -1.5),
        (a - (b - c), "a − (b − c)", "2 − (−0.5 − 4)", 6.5),
        (a * b, "a·b", "2·(−0.5)", -1.0),
        (b * a, "b·a", "−0.5·2", -1.0),
        ((a + b) * c, "(a + b)·c", "(2 + (−0.5))·4", 6.0),
        (c + b * a, "c + b·a", "4 + (−0.5)·2", 3.0),
        (c / (a * b), "c/(a·b)", "4/(2·(−0.5))", -4.0),
        (c / (a + b), "c/(a + b)", "4/(2 + (−0.5))", 4 / 1.5),
        (c / a / b, "c/a/b", "4/2/(−0.5)", -4.0),
        (b**2, "b²", "(−0.5)²", 0.25),
        (a**b, "a^b", "2^(−0.5)", 2**-0.5),
        ((a * b) ** 2, "(a·b)²", "(2·(−0.5))²", 1.0),
        (exp(a) ** 2, "(e^(a))²", "(e^(2))²", np.exp(4)),
        (Quantity("∂E/∂w", 3.0) ** 2, "(∂E/∂w)²", "3²", 9.0),
        (1 / (1 + exp(-b)), "1/(1 + e^(−b))", "1/(1 + e^(−(−0.5)))", 1 / (1 + np.exp(0.5))),
        (largest(0, b), "max(0, b)", "max(0, −0.5)", 0.0),
        (smallest(a, c), "min(a, c)", "min(2, 4)", 2.0),
        (absolute(b), "|b|", "|−0.5|", 0.5),
        (sqrt(c) + ln(a), "√(c) + ln(a)", "√(4) + ln(2)", 2 + np.log(2)),
        (1 * a, "1·a", "1·2", 2.0),
    ],
)
def test_brackets_stand_where_they_must_and_nowhere_else(
    expression: Expression, symbols: str, numbers: str, value: float
) -> None:
    assert expression.text() == symbols
    assert expression.text(4) == numbers
    assert expression.scalar == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("expression", "symbols"),
    [
        (-(a - b), "b − a"),
        (-((a - b) / c), "(b − a)/c"),
        (-(2 * (a - b) / c), "2·(b − a)/c"),
        (-(a * (b - c)), "a·(c − b)"),
        (-NEGATIVE, "a"),
        (-a * b, "−a·b"),
        (a * -b, "−a·b"),
        (-a * -b, "a·b"),
        (-a + -b, "−(a + b)"),
        (a + -b, "a − b"),
        (a - -b, "a + b"),
        (-a - -b, "b − a"),
        (-a / b, "−a/b"),
        (-(a + b), "−(a + b)"),
        (-lift(0), "0"),
    ],
)
def test_minus_signs_come_to_the_simplest_form(expression: Expression, symbols: str) -> None:
    assert expression.text() == symbols


def test_of_a_choice_the_numbers_show_the_branch_taken() -> None:
    leaky = when(b > 0, b, 0.2 * b)
    assert leaky.text() == "b if b > 0 else 0.2·b"
    assert leaky.text(4) == "0.2·(−0.5)"
    assert leaky.value == -0.1
    assert (a * leaky).text() == "a·(b if b > 0 else 0.2·b)"
    assert (a * when(b > 0, b, c)).text(4) == "2·4"
    assert np.isnan(when(Quantity("z") > 0, 1, 0).value)


def vector(name: str, *values: float) -> Quantity:
    return Quantity(lambda place: f"{name}{place + 1}", np.array(values))


def test_a_short_sum_is_written_out_with_every_term() -> None:
    x, w = vector("x", 1, 0, 1), vector("w", 0.2, 0.4, -0.5)
    found = total(x * w)
    assert found.text() == "x1·w1 + x2·w2 + x3·w3"
    assert found.text(4) == "1·0.2 + 0·0.4 + 1·(−0.5)"
    assert found.scalar == pytest.approx(-0.3)
    assert (a * found).text(4) == "2·(1·0.2 + 0·0.4 + 1·(−0.5))"
    assert total(vector("d", -0.5)).text(4) == "−0.5"
    assert (a * total(vector("d", -0.5))).text(4) == "2·(−0.5)"
    assert total(-vector("e", 1, 2)).text() == "−(e1 + e2)"


def test_of_a_long_sum_the_largest_terms_in_their_order_and_what_the_others_come_to() -> None:
    values = np.full(500, 0.001)
    values[[3, 400, 40, 7, 90, 12]] = [5, -4, 3, -2, 1, 0.5]
    found = total(vector("d", *values))
    assert found.text(4) == "5 + (−2) + 0.5 + 3 + 1 + (−4) + (the other 494 terms: 0.494)"
    assert found.text() == "d4 + d8 + d13 + d41 + d91 + d401 + (the other 494 terms)"
    assert found.scalar == pytest.approx(values.sum())


def test_a_sum_not_computed_yet_names_its_first_terms() -> None:
    found = total(vector("d", *np.full(20, np.nan)))
    assert found.text().startswith("d1 + d2 + d3")
    assert np.isnan(found.scalar)


def test_a_part_is_named_in_the_whole_and_explained_before_it() -> None:
    slope = Part("f′(z)", b * (1 - b))
    lines = equations("δ", a * slope)
    assert [(left, right.text()) for left, right in lines] == [
        ("f′(z)", "b·(1 − b)"),
        ("δ", "a·f′(z)"),
    ]
    assert lines[1][1].text(4) == "2·(−0.75)"
    assert formula("δ", a * slope) == "δ = a·f′(z), f′(z) = b·(1 − b)"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.331812, 4, "0.3318"),
        (-0.5, 4, "−0.5"),
        (12500, 2, "12500"),
        (12345.678, 3, "12346"),
        (1.2e-7, 4, "1.2e−7"),
        (3e12, 3, "3e12"),
        (0.0, 4, "0"),
        (-0.0, 4, "0"),
        (0.1, 17, "0.10000000000000001"),
        (float("nan"), 4, "nan"),
        (float("-inf"), 4, "−∞"),
    ],
)
def test_numbers_at_significant_digits(value: float, digits: int, text: str) -> None:
    assert number(value, digits) == text
