"""Equations as they are laid out, and the pane that shows them."""

from rich.cells import cell_len

from tui_nn.widgets.derivation import derivation, wrapped
from tui_nn.widgets.explanation_pane import explained, waiting
from tui_nn.widgets.moment import Moment
from tui_nn_engine.formulas.explanation import Explanation, Line, Share

A = Line("a4", "x1·w14 + x2·w24 + x3·w34", "1·0.2 + 0·0.4 + 1·(−0.5)", "−0.3", -0.3)
Z = Line("z4", "a4 + b4", "−0.3 + (−0.4)", "−0.7", -0.7)
PLAIN = ("", "", "")


def laid(*lines, width=60):
    return derivation(lines, width, PLAIN).plain.splitlines()


def test_the_last_line_is_written_below_itself_step_by_step():
    assert laid(Z) == [
        "z4 = a4 + b4",
        "   = −0.3 + (−0.4)",
        "   = −0.7",
    ]


def test_parts_stand_on_one_line_where_they_fit_and_above_a_gap():
    short = Line("p", "q", "2", "2", 2.0)
    assert laid(short, Z)[:3] == [" p = q = 2", "", "z4 = a4 + b4"]


def test_long_lines_are_broken_before_an_operator_below_the_equals_sign():
    assert laid(A, width=26) == [
        "a4 = x1·w14 + x2·w24",
        "     + x3·w34",
        "   = 1·0.2 + 0·0.4",
        "     + 1·(−0.5)",
        "   = −0.3",
    ]


def test_a_long_left_side_stands_alone():
    line = Line("dE/d(dense_1.kernel)[0, 3]", "δ·x", "2·3", "6", 6.0)
    assert laid(line, width=40) == ["dE/d(dense_1.kernel)[0, 3]", "   = δ·x", "   = 2·3", "   = 6"]


def test_what_is_not_computed_yet_is_a_dot():
    assert laid(Line("z4", "a4 + b4", "", "", float("nan"))) == ["z4 = a4 + b4", "   = ·"]


def test_nothing_is_wider_than_the_pane():
    for width in range(16, 60):
        for line in laid(A, Z, width=width):
            assert cell_len(line) <= width, (width, line)


def test_words_longer_than_a_row_are_cut():
    assert wrapped("abcdefghij + k", 4) == ["abcd", "efgh", "ij", "+ k"]


def test_accents_take_no_room():
    assert wrapped("m\u0302 + v\u0302", 5) == ["m\u0302 + v\u0302"]


class View:
    """What an explanation's text needs of a view."""

    def __init__(self, explanation, cursor, sample=0):
        self.explanation, self.cursor, self.sample = explanation, cursor, sample
        self.layer = "dense_1"


class Names:
    names = ("matmul", "add bias", "sigmoid")
    paths = ("dense_1",) * 3
    phases = ("forward",) * 3


class Theme(dict):
    def __missing__(self, key):
        return ""


def text(explanation, cursor, width=40, **moment):
    shown = Moment(View(explanation, cursor, 1), Names(), **moment)
    return explained(shown, width, Theme()).plain


SHARES = tuple(Share(i, f"δ·x = {i}·0.5", 0.5 * i) for i in (3, 1))


def test_the_headline_is_the_element_and_its_result():
    shown = text(Explanation(1, "z4: net input, dense_1", (A, Z), "It decides."), 2)
    assert shown.splitlines()[0] == "z4 = −0.7  net input, dense_1"
    assert "It decides." in shown
    assert "not computed" not in shown


def test_samples_shares_stand_above_their_mean_and_the_chosen_is_marked():
    shown = text(Explanation(1, "z4: x", (Z,), "Why.", SHARES, 128), 2, width=30)
    assert shown.splitlines()[-4:] == [
        "what the 2 largest of 128 samples put in",
        "    4 δ·x = 3·0.5          1.5",
        "›   2 δ·x = 1·0.5          0.5",
        " mean                     −0.7",
    ]


def test_it_says_how_to_get_what_is_not_computed_yet():
    nothing = Explanation(1, "z4: x", (Line("z4", "a", "", "", float("nan")),), "Why.")
    assert "n computes it" in text(nothing, 1, operation=1)
    assert "2 operations ahead" in waiting(Moment(View(nothing, 0), Names(), operation=1))
