"""The formulas of lessons: what they come to, and that they can do nothing but arithmetic."""

import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_nn.lessons.arithmetic import LONGEST, Expression, FormulaError

SLOTS = {
    "dense_1.z": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]),
    "y": np.array([0.25, 0.75]),
    "loss": 0.5,
    "images": np.zeros((4, 28, 28), np.uint8),
    "kind": "uint8",
}


class Slots:
    def value(self, name):
        if name not in SLOTS:
            raise FormulaError(f"there is no {name!r} here")
        return SLOTS[name]

    def of(self, function, name):
        return -self.value(name) if function == "error" else self.value(name)


def worked_out(text):
    return Expression(text).result(Slots())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2*3 - 4/8", 6.5),
        ("-2**2", -4.0),
        ("7 % 4 + 7 // 4", 4.0),
        ("1e-3", 0.001),
        ("ln(exp(2)) + log2(8) + sqrt(9)", 8.0),
        ("max(1, 5, 3) - min([4, 2])", 3.0),
        ("round(2.567, 2)", 2.57),
        ("where(2 > 1, 10, 20)", 10.0),
        ("argmax([[1, 3, 2], [5, 4, 0]])[0]", 1.0),
        ("sum(dense_1.z)", 21.0),
        ("mean(y)", 0.5),
        ("dense_1.z[1, 2]", 6.0),
        ("dense_1.z[1][-1]", 6.0),
        ("dense_1.z[loss*2, 1 + 1]", 6.0),
        ("dense_1.z[:, 0]", (1.0, 4.0)),
        ("dense_1.z[0] @ dense_1.z[1]", 32.0),
        ("y > 0.5", (0.0, 1.0)),
        ("error(dense_1.z)[0, 1]", -2.0),
        ("shape(images)", (4.0, 28.0, 28.0)),
        ("shape(images[1 : 3])", (2.0, 28.0, 28.0)),
        ("ndim(images)", 3.0),
        ("dtype(images)", "uint8"),
        ("kind", "uint8"),
        ("shape(5)", ()),
        ("shape(zeros(3, 4) @ zeros(4, 1) + zeros(1, 1))", (3.0, 1.0)),
        ("sigmoid(0)", 0.5),
        ("norm([3, 4])", 5.0),
        ("-" * 399 + "1", -1.0),
    ],
)
def test_what_formulas_come_to(text, expected):
    assert worked_out(text) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "1 2",
        "2x",
        "1if 2else 3",
        "'text'",
        '"text"',
        "f'{1}'",
        "x := 3",
        "lambda: 1",
        "[i for i in y]",
        "{1: 2}",
        "y if loss else 1",
        "y and loss",
        "not y",
        "~3",
        "1 << 100",
        "1j",
        "True",
        "None",
        "...",
        "*y",
        "1 < 2 < 3",
        "import os",
        "__import__(os)",
        "open(y)",
        "eval(y)",
        "y.sum()",
        "y.__class__.__mro__()",
        "(y + 1).shape",
        "dense_1.z[0](3)",
        "sum(y, axis=0)",
        "sum(*y)",
        "ln()",
        "old(1 + 2)",
        "old(y, y)",
        "exp\x00",
        "y; y",
        "y\n=1",
        "await y",
        "9" * (LONGEST + 1),
        "(" * 200 + "1" + ")" * 200,
        "[" * 190 + "]" * 190,
        "1e400",
    ],
)
def test_what_is_no_arithmetic_is_refused(text):
    with pytest.raises(FormulaError):
        worked_out(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("9**9**9", "too large"),
        ("9**9**9**9", "too large"),
        ("1/0", "divides by zero"),
        ("1/(y - y)", "divides by zero"),
        ("1 % 0", "divides by zero"),
        ("0**-1", "divides by zero"),
        ("(-1)**0.5", "root of a negative"),
        ("ln(0)", "finite"),
        ("sqrt(-1)", "finite"),
        ("exp(1000)", "finite"),
        ("dense_1.z", "shape (2, 3); choose one number"),
        ("dense_1.z[2, 0]", "lies outside: the shape of dense_1.z is (2, 3)"),
        ("dense_1.z[0, 0, 0]", "lies outside"),
        ("loss[0]", "single value"),
        ("y[0.5]", "whole number"),
        ("y[y]", "whole number"),
        ("[1, 2, 3] + y", "can't be worked out"),
        ("[[1, 2], [3]]", "can't be worked out"),
        ("kind + 1", "text 'uint8'"),
        ("zeros(100000, 100000)", "can't make"),
        ("zeros(9000, 1) @ zeros(1, 9000)", "too large"),
        ("zeros(9000, 1) + zeros(1, 9000)", "too large"),
        ("zeros(-1)", "can't make"),
        ("z", "there is no 'z'"),
        ("snu(y)", "did you mean 'sum'"),
        ("2 x3", "can't be read"),
        ("2x", "a number runs into a word"),
        ("a $ b", "'$' has no meaning"),
    ],
)
def test_what_goes_wrong_is_told(text, told):
    with pytest.raises(FormulaError) as error:
        worked_out(text)
    assert told in str(error.value)


def test_the_names_of_a_formula():
    text = "old(dense_1.kernel)[i, 0] * sum(t[0, 0] - y) + ln(2)"
    assert Expression(text).names == {"dense_1.kernel", "i", "t", "y"}


@given(st.text(max_size=60))
def test_any_text_is_a_formula_or_told_that_it_is_none(text):
    with suppress(FormulaError):
        worked_out(text)


WORDS = ("1", "2.5", "0", "9", "y", "loss", "dense_1.z", "zeros(", "max(", "where(", "shape(")
SIGNS = ("(", ")", "[", "]", "+", "-", "*", "/", "**", "%", ",", ":", "@", ">", "==")
PARTS = st.sampled_from((*WORDS, *SIGNS))


@given(st.lists(PARTS, max_size=12))
def test_any_shuffle_of_its_own_words_too(parts):
    try:
        found = worked_out(" ".join(parts))
    except FormulaError:
        return
    numbers = found if isinstance(found, tuple) else (found,)
    assert all(isinstance(n, str) or math.isfinite(n) for n in numbers)


LEAVES = st.floats(0.1, 9).map(lambda x: f"{x:.3f}")
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({' '.join(t)})"),
    max_leaves=12,
)


@given(TREES)
def test_arithmetic_is_pythons(text):
    assert worked_out(text) == pytest.approx(eval(text), rel=1e-12, abs=1e-12)
