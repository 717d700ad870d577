"""Every figure that the course's slides print stands in its lesson, with the grade it deserves."""

import pytest

from tui_nn.lessons import Page, Story, entries, load

BY_LABEL: dict[str, list[tuple[str, str, str]]] = {
    "perceptron": [
        ("heaviside(−2)", "0", "exact"),
        ("heaviside(0), worked example", "0", "exact"),
        ("heaviside(0), exercise", "1", "exact"),
        ("heaviside(3)", "1", "exact"),
        ("sgn(−2), sgn(0), sgn(3)", "(-1, 0, 1)", "exact"),
        ("(t, y) in e = t − y", "(0, 0)", "mismatch"),
    ],
    "logic_gates": [("g(10)", "1", "rounded"), ("g(−10)", "0", "rounded")],
    "hebb": [
        ("w1", "2", "exact"),
        ("w2", "2", "exact"),
        ("b", "-2", "exact"),
        ("w1", "0", "exact"),
        ("w2", "0", "exact"),
        ("b", "0", "exact"),
    ],
    "forward_passes": [
        ("x", "(1, 2, 1)", "exact"),
        ("W1, row 1", "(1, 0, 1)", "exact"),
        ("W1, row 2", "(1, -1, 0)", "exact"),
        ("W2", "(0, 1)", "exact"),
        ("W1 x", "(2, -1)", "exact"),
        ("ReLU", "(2, 0)", "exact"),
        ("output", "0", "exact"),
    ],
    "backpropagation": [
        ("x", "(1, 0, 1)", "exact"),
        ("t", "1", "exact"),
        ("α", "0.9", "exact"),
        ("w14", "0.2", "exact"),
        ("w15", "-0.3", "exact"),
        ("w24", "0.4", "exact"),
        ("w25", "0.1", "exact"),
        ("w34", "-0.5", "exact"),
        ("w35", "0.2", "exact"),
        ("w46", "-0.3", "exact"),
        ("w56", "-0.2", "exact"),
        ("b4", "-0.4", "exact"),
        ("b5", "0.2", "exact"),
        ("b6", "0.1", "exact"),
        ("net4", "-0.7", "exact"),
        ("out4", "0.332", "rounded"),
        ("net5", "0.1", "exact"),
        ("out5", "0.525", "rounded"),
        ("net6", "-0.105", "rounded"),
        ("out6", "0.474", "rounded"),
        ("e6", "0.1311", "close"),
        ("e5", "-0.0065", "rounded"),
        ("e4", "-0.0087", "rounded"),
        ("w46", "-0.261", "rounded"),
        ("w56", "-0.138", "rounded"),
        ("w14", "0.192", "rounded"),
        ("w15", "-0.306", "rounded"),
        ("w24", "0.4", "exact"),
        ("w25", "0.1", "exact"),
        ("w34", "-0.508", "rounded"),
        ("w35", "0.194", "rounded"),
        ("b4", "-0.408", "rounded"),
        ("b5", "0.194", "rounded"),
        ("b6", "0.218", "rounded"),
    ],
    "losses": [
        ("p1", "0.7", "mismatch"),
        ("p2", "0.5", "mismatch"),
        ("p3", "0.15", "mismatch"),
        ("p4", "0.05", "mismatch"),
        ("H", "0.57", "rounded"),
        ("(0.9, 0.07, 0.015, 0.015), bits", "0.15", "rounded"),
        ("(0.6, 0.1, 0.2, 0.1), bits", "0.7", "rounded"),
    ],
    "epochs_and_batches": [
        ("examples", "1000", "exact"),
        ("batch size", "100", "exact"),
        ("iterations an epoch", "10", "exact"),
        ("45000 / 1024", "43.95", "rounded"),
        ("iterations an epoch, batch size 1024", "44", "exact"),
        ("iterations an epoch, batch size 32", "1407", "exact"),
        ("iterations a batch", "multiple", "mismatch"),
    ],
    "first_look": [
        ("test accuracy, whole MNIST, 5 epochs (recorded), %", "98", "rounded"),
        ("updates an epoch, 45,000 images", "44", "exact"),
        ("sigmoid below ReLU (1: yes)", "1", "exact"),
        ("ReLU below linear (1: yes)", "1", "mismatch"),
        ("training accuracy, dropout on, % (recorded)", "92.96", "mismatch"),
        ("held-out accuracy, %", "96.98", "mismatch"),
        ("held-out loss", "0.0199", "mismatch"),
    ],
    "tensors": [
        ("X (1000, 4)", "(1000, 4)", "exact"),
        ("X W + b, with W (4, 1), b (1, 1)", "(1000, 1)", "exact"),
        ("X", "(128, 784)", "exact"),
        ("W", "(784, 512)", "exact"),
        ("b", "(1, 512)", "exact"),
        ("X W + b", "(128, 512)", "exact"),
        ("ndim", "3", "exact"),
        ("shape of MNIST", "(60000, 28, 28)", "exact"),
        ("dtype", "uint8", "exact"),
    ],
    "matt_mazur": [
        ("E total", "0.298371109", "rounded"),
        ("w5", "0.35891648", "rounded"),
        ("w1", "0.149780716", "rounded"),
        ("E after one update", "0.291027774", "rounded"),
        ("E after one update, as printed", "0.291027924", "mismatch"),
        ("E after two updates", "0.283547133", "rounded"),
    ],
}

HOMEWORK = (  # accuracy in training and held out, epochs 2 to 10
    "94.68/93.97 95.45/94.77 95.77/94.89 96.10/95.25 96.30/95.41 96.41/95.46 96.55/95.64 "
    "96.71/95.79 96.83/95.79"
)
OR_BY_HAND = [  # epoch, x1, x2, t, y, e, w1, w2
    "1 0 0 0 0 0 -0.2 0.4",
    "1 0 1 1 1 0 -0.2 0.4",
    "1 1 0 1 0 1 0 0.4",
    "1 1 1 1 1 0 0 0.4",
    "2 0 0 0 0 0 0 0.4",
    "2 0 1 1 1 0 0 0.4",
    "2 1 0 1 0 1 0.2 0.4",
    "2 1 1 1 1 0 0.2 0.4",
]
TRUTH = {  # lesson, title of the table: its last column for (0, 0), (0, 1), (1, 0), (1, 1)
    ("mcculloch_pitts", "C = A"): "0 0 1 1",
    ("mcculloch_pitts", "C = A and B"): "0 0 0 1",
    ("mcculloch_pitts", "C = A or B"): "0 1 1 1",
    ("mcculloch_pitts", "C = A and not B"): "0 0 1 0",
    ("logic_gates", "NOT x1"): "1 0",
    ("logic_gates", "x1 OR x2"): "0 1 1 1",
    ("logic_gates", "x1 AND x2"): "0 0 0 1",
    ("logic_gates", "(NOT x1) AND (NOT x2)"): "1 0 0 0",
    ("logic_gates", "x1 XNOR x2"): "1 0 0 1",
    ("logic_gates", "x1 XOR x2"): "0 1 1 0",
    ("forward_passes", "Three points"): "0 0 1",
}
WRONG_ON_THE_SLIDE = {
    ("perceptron", "(t, y) in e = t − y"),
    ("losses", "p1"),
    ("losses", "p2"),
    ("losses", "p3"),
    ("losses", "p4"),
    ("epochs_and_batches", "iterations a batch"),
    ("first_look", "ReLU below linear (1: yes)"),
    ("first_look", "training accuracy, dropout on, % (recorded)"),
    ("first_look", "held-out accuracy, %"),
    ("first_look", "held-out loss"),
    *(("first_look", f"{part}, epoch {e}") for part in ("train", "held out") for e in range(2, 11)),
    ("formulas_checked", "as printed: mean(…)"),
    ("formulas_checked", "as printed, e = −3"),
    ("matt_mazur", "E after one update, as printed"),
}

_told: dict[str, tuple[Page, ...]] = {}


def told(name: str) -> tuple[Page, ...]:
    if name not in _told:
        _told[name] = Story(load(name)).pages()
    return _told[name]


def table(name: str, title: str):
    (found,) = (t for page in told(name) for t in page.tables if t.title == title)
    return found


def test_the_lessons_of_the_course_are_there():
    numbers = {entry.number for entry in entries()}
    assert numbers >= {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 15, 16}
    assert len({entry.name for entry in entries()}) == len(entries())


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_no_number_deviates_from_what_its_lesson_expects(entry):
    pages = told(entry.name)
    assert len(pages) == entry.steps
    assert [f.label for page in pages for f in page.figures if f.deviates] == []


@pytest.mark.parametrize("name", BY_LABEL)
def test_every_printed_figure_is_there_with_its_grade(name):
    figures = [f for page in told(name) for f in page.figures]
    found = [(f.label, f.printed, f.grade) for f in figures if f.printed]
    for wanted in BY_LABEL[name]:
        assert wanted in found
        found.remove(wanted)  # a figure printed twice must be there twice


def test_or_by_the_perceptron_row_by_row():
    rows = table("perceptron", "OR, α = 0.2").rows
    for row, by_hand in zip(rows, OR_BY_HAND, strict=False):
        assert [cell.printed for cell in row] == by_hand.split()
        assert {cell.grade for cell in row} == {"exact"}
    third = rows[8:]
    assert len(third) == 4
    for row in third:
        assert [cell.printed for cell in row[5:]] == ["0", "0.2", "0.4"]
        assert {cell.grade for cell in row[5:]} == {"exact"}


def test_every_printed_epoch_of_the_homework_stands_beside_the_program():
    rows = table("first_look", "784-10-512-10, linear: accuracy, %").rows
    assert ["/".join(cell.printed for cell in row) for row in rows] == HOMEWORK.split()
    assert {cell.grade for row in rows for cell in row} == {"mismatch"}


def test_xor_sends_the_perceptron_round_in_circles():
    rows = table("perceptron", "XOR, at the end of epochs").rows
    assert [cell.value for cell in rows[2][1:4]] == [cell.value for cell in rows[-1][1:4]]
    updates = table("perceptron", "XOR, epoch 4").rows
    assert all(cell.value != 0 for row in updates for cell in row[4:5])  # each one a mistake


def test_the_share_right_of_xor_is_that_of_the_epoch_under_way():
    """With the weights at its end two of four would be right: the heading says what is told."""
    figures = table("perceptron", "XOR, at the end of epochs")
    assert figures.columns[4] == "share right during it"
    _, w1, w2, b, share = (cell.value for cell in figures.rows[3])
    updates = table("perceptron", "XOR, epoch 4").rows
    assert share == sum(row[4].value == 0 for row in updates) / 4
    right = [(w1 * row[0].value + w2 * row[1].value + b >= 0) == row[2].value for row in updates]
    assert sum(right) / 4 == 0.5 != share


def test_a_plot_over_epochs_does_not_say_that_it_is_over_something_else():
    for entry in entries():
        for page in told(entry.name):
            for plot in page.plots:
                others = {"epoch", "update", "step", "time step"} - {plot.over}
                assert not any(plot.title.endswith(f"by {other}") for other in others), plot.title


@pytest.mark.parametrize(("name", "title"), TRUTH)
def test_truth_tables(name, title):
    column = [row[-1] for row in table(name, title).rows]
    assert " ".join(cell.printed for cell in column) == TRUTH[name, title]
    assert {cell.grade for cell in column} == {"exact"}


def test_a_bias_row_is_broadcast():
    rows = table("tensors", "X + b").rows
    assert [row[2].printed for row in rows] == [
        "(14, 16, 18)",
        "(17, 19, 21)",
        "(20, 22, 24)",
        "(23, 25, 27)",
    ]
    assert {cell.grade for row in rows for cell in row} == {"exact"}


def test_only_what_is_wrong_on_the_slide_is_a_mismatch_and_it_says_why():
    found = set()
    for entry in entries():
        for page in told(entry.name):
            for figure in page.figures:
                if figure.grade == "mismatch":
                    found.add((entry.name, figure.label))
                    assert figure.why
    assert found == WRONG_ON_THE_SLIDE


def value(name: str, label: str, step: int):
    (figure,) = (f for f in told(name)[step].values if f.label == label)
    return figure.value


def test_matt_mazur_to_the_last_printed_digit():
    assert f"{value('matt_mazur', 'E total', 0):.9f}" == "0.298371109"
    assert f"{value('matt_mazur', 'E after one update', 3):.9f}" == "0.291027774"
    assert f"{value('matt_mazur', 'E after two updates', 3):.9f}" == "0.283547133"


def test_the_losses_of_the_table_of_formulas():
    """Worked out by hand from the numbers in the text."""
    assert value("formulas_checked", "MBE = mean(y − ŷ)", 2) == pytest.approx(-0.25)
    assert value("formulas_checked", "MAE = mean|y − ŷ|", 2) == pytest.approx(0.5)
    assert value("formulas_checked", "MSE = mean(y − ŷ)²", 2) == pytest.approx(0.375)
    assert value("formulas_checked", "as it should be, e = −3", 1) == pytest.approx(2.5)
    assert value("formulas_checked", "hinge, mean", 3) == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("name", "step", "ends"),
    [
        ("initial_weights", 3, {"zero": 0.6, "alike": 0.4, "glorot": 0.0}),
        ("gradient_descent", 1, {"too_small": 5.0, "reasonable": 0.0, "too_large": 1000.0}),
        ("logic_gates", 6, {"learned": 0.0, "single": 0.6}),
    ],
)
def test_the_curves_tell_the_story(name, step, ends):
    """Which of them ends low, and which stays up."""
    (plot,) = told(name)[step].plots
    last = {curve.name: curve.values[-1] for curve in plot.curves}
    assert set(last) == set(ends)
    for curve, least in ends.items():
        assert last[curve] >= least
    low = [curve for curve, least in ends.items() if least == 0.0]
    assert all(last[curve] < 0.05 for curve in low)


def test_three_ways_to_descend():
    (plot,) = told("gradient_descent")[2].plots
    assert [curve.name for curve in plot.curves] == ["batch", "mini_batch", "stochastic"]
    assert all(curve.values[-1] < curve.values[0] for curve in plot.curves)
