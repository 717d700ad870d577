"""Lesson L13: through time by hand, gradients that vanish or explode; the formulas it needs."""

import numpy as np
import pytest

from tui_nn.lessons import Lesson, Story, load
from tui_nn.lessons.arithmetic import Expression, FormulaError
from tui_nn.lessons.moments import When
from tui_nn_engine import Experiment, ExperimentError

KINDS, FORWARD, BACKWARD, SHARES, LINEAR, GATED, CELL, LEARNS, CLIPPING = range(9)


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(load("L13"))


def figures(story: Story, step: int) -> dict[str, float]:
    return {figure.label: figure.value for figure in story.page(step).values}


def by_hand(U: float = 0.5, W: float = 0.9) -> tuple[list[float], list[float], float]:
    """h and δ of each time step, and the loss, written out."""
    x, h = [1.0, 0.5, 0.5], [0.0]
    for each in x:
        h.append(np.tanh(W * each + U * h[-1]))
    y = 2 * h[3]
    delta = [0.0, 0.0, 0.0]
    error = 2 * (y - 1)
    for t in (2, 1, 0):
        delta[t] = error * (1 - h[t + 1] ** 2)
        error = U * delta[t]
    return h, delta, 0.5 * (y - 1) ** 2


def test_all_comes_as_the_lesson_expects(story: Story) -> None:
    found = [figure for page in story.pages() for figure in page.figures]
    assert not any(figure.deviates for figure in found)
    compared = {figure.grade for figure in found if figure.compared}
    assert compared == {"exact", "rounded"}  # rounded: the numerical gradient


def test_forward_and_backward_are_as_by_hand(story: Story) -> None:
    h, delta, loss = by_hand()
    forward, backward = figures(story, FORWARD), figures(story, BACKWARD)
    assert [forward[f"h{t}"] for t in (1, 2, 3)] == pytest.approx(h[1:], rel=1e-14)
    assert forward["E = ½(y − t)²"] == pytest.approx(loss, rel=1e-14)
    assert [backward[f"δ{t}"] for t in (1, 2, 3)] == pytest.approx(delta, rel=1e-14)
    gradient = figures(story, SHARES)["∂E/∂U"]
    assert gradient == pytest.approx((by_hand(0.500001)[2] - by_hand(0.499999)[2]) / 2e-6, rel=1e-7)


def test_the_four_kinds_have_their_shapes(story: Story) -> None:
    (table,) = story.page(KINDS).tables
    ranks = [tuple(len(cell.value) for cell in row[:2]) for row in table.rows]
    assert ranks == [(2, 2), (2, 3), (3, 2), (3, 3), (3, 3)]


def test_linear_units_vanish_and_explode_by_the_power_of_the_radius(story: Story) -> None:
    (plot,) = story.page(LINEAR).plots
    assert plot.over == "time step"
    for curve, radius in zip(plot.curves, (0.5, 1.0, 1.5), strict=True):
        assert curve.x == tuple(range(1, 52))
        steps = np.array(curve.values[:-1]) / np.array(curve.values[1:])
        assert steps == pytest.approx(np.full(50, radius), rel=1e-9)


def test_tanh_beside_lstm_and_gru(story: Story) -> None:
    (plot,) = story.page(GATED).plots
    kept = {curve.name: curve.values[0] / curve.values[-1] for curve in plot.curves}
    assert kept["ρ = 0.5"] < 1e-15
    assert 1e-4 < kept["ρ = 1"] < 1e-2
    assert 1 < kept["ρ = 1.5"] < 100
    assert kept["GRU"] < 1e-9 < 1e-6 < kept["LSTM"] < 1e-4
    (table,) = story.page(GATED).tables
    last = [cell.value for cell in table.rows[-1]]
    assert last == [curve.values[0] for curve in plot.curves]


def test_the_forget_bias_keeps_the_cells_error(story: Story) -> None:
    zero, one = (curve.values for curve in story.page(CELL).plots[0].curves)
    assert one[0] / one[-1] > 1e6 * zero[0] / zero[-1]


def test_an_orthogonal_plain_network_remembers(story: Story) -> None:
    found = figures(story, LEARNS)
    assert found["ρ = 1: right, of sequences never seen"] > 0.95
    assert found["ρ kept at 0.5: right"] < 0.65


def test_clipping_keeps_the_step_short(story: Story) -> None:
    found = figures(story, CLIPPING)
    assert found["|g|"] > 1e9
    assert found["length of the first step, without clipping"] == pytest.approx(
        0.1 * found["|g|"], rel=1e-9
    )
    with pytest.raises(FormulaError, match="linear_large: update 2 gave a number that is not"):
        Expression("linear_large.loss").result(story.names(When("clipped", update=3)))
    (table,) = story.page(CLIPPING).tables
    assert [row[1].value <= 0.1 + 1e-12 for row in table.rows] == [True] * 4
    assert table.rows[-1][2].value < 0.01 < 1e6 < table.rows[0][2].value


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("simple_rnn_1/t=4.h[0, 0]", "no 'simple_rnn_1/t=4.h' here; its time steps are 1 to 3"),
        ("delta(simple_rnn_1/t=9.net)", r"no delta\(simple_rnn_1/t=9.net\); its time steps are 1"),
        ("simple_rn_1/t=2.h", "did you mean 'simple_rnn_1/t=1.h'"),
        ("simple_rnn_1/t=step.h", "step in 'simple_rnn_1/t=step.h' is no time step"),
        ("simple_rnn_1/t=3", "can't be read as a formula: 'simple_rnn_1/t=3'"),
        (
            "spectral_radius(x[0])",
            r"spectral_radius needs a square matrix \(has the shape \(3, 1\)\)",
        ),
    ],
)
def test_what_is_wrong_with_a_formula_over_time_is_told(
    story: Story, formula: str, told: str
) -> None:
    with pytest.raises(FormulaError, match=told):
        story.result(FORWARD, formula)


def test_the_spectral_radius_is_of_the_eigenvalues_not_of_the_numbers() -> None:
    names = Story(load("L13")).names(When("tiny", update=1))
    assert Expression("spectral_radius([[0, 4], [1, 0]])").result(names) == pytest.approx(2)
    assert Expression("spectral_radius([[0, 9], [0, 0]])").result(names) == 0


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"epochs": 3}, "either epochs or time_steps"),
        ({"time_steps": None}, "either epochs or time_steps"),
        ({"value": ["loss", "loss"]}, "value has 2 formulas for 3 experiments"),
        ({"value": ["loss", "1 +", "loss"]}, "can't be read as a formula"),
    ],
)
def test_a_plot_over_time_steps_is_checked(changed: dict[str, object], told: str) -> None:
    tree = load("L13").model_dump(mode="json", exclude_unset=True)
    plot = tree["steps"][LINEAR]["plots"][0] | changed
    tree["steps"][LINEAR]["plots"] = [{k: v for k, v in plot.items() if v is not None}]
    with pytest.raises(ExperimentError, match=told):
        Lesson.parse(tree)


def test_samples_that_are_sequences_are_written_in_the_experiment() -> None:
    tree = load("L13").all_experiments()["tiny"].tree()
    assert Experiment.parse(tree).data.load().x.shape == (1, 3, 1)
    tree["data"]["x"] = [[[1], [0.5], ["a"]]]
    with pytest.raises(ExperimentError, match=r"data\.x\[0\]\[2\]\[0\]: must be a number"):
        Experiment.parse(tree)
    tree["data"]["x"] = [[1, "a"]]
    with pytest.raises(ExperimentError, match=r"data\.x\[0\]\[1\]: must be a number \(is 'a'\)"):
        Experiment.parse(tree)
