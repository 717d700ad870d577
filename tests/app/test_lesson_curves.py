"""Lesson L14: gradient descent arrives where the closed forms say; more layers bend the border."""

import numpy as np
import pytest

from tui_nn.lessons import Story, load
from tui_nn.lessons.moments import When


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(load("curves_and_boundaries"))


def figures(story: Story, step: int) -> dict[str, float]:
    return {figure.label: figure.value for figure in story.page(step).values}


def rows(story: Story, step: int) -> dict[str, tuple[float, ...]]:
    (table,) = story.page(step).tables
    cells = [tuple(cell.value for cell in row) for row in table.rows]
    return dict(zip(table.labels, cells, strict=True))


def least_squares(columns: list[np.ndarray], t: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(np.stack(columns, axis=1), t, rcond=None)[0]


def test_the_line_is_the_least_squares(story: Story) -> None:
    x, t = np.arange(-2.0, 3.0), np.array([1.0, 2.0, 2.0, 4.0, 6.0])
    slope, constant = least_squares([x, np.ones(5)], t)
    found = figures(story, 1)
    assert found["w after 200 updates"] == pytest.approx(slope, rel=1e-12)
    assert found["b"] == pytest.approx(constant, rel=1e-12)
    assert found["E: what no line can take away"] == pytest.approx(
        np.mean((slope * x + constant - t) ** 2), rel=1e-12
    )


def test_the_cubic_is_the_least_squares(story: Story) -> None:
    moment = story.moment(When("cubic", epochs=400))
    x, t = moment.value("x")[:, 0], moment.value("t")[:, 0]
    *weights, constant = least_squares([x, x**2, x**3, np.ones_like(x)], t)
    kernel, bias = moment.value("dense_1.kernel")[:, 0], moment.value("dense_1.bias")
    assert kernel == pytest.approx(weights, rel=1e-6)
    assert bias[0] == pytest.approx(constant, rel=1e-6)
    assert story.lesson.given["cubic_exact"] == pytest.approx([*weights, constant], rel=1e-9)


def test_degree_nine_learns_the_noise(story: Story) -> None:
    found = rows(story, 3)
    learned = {label: row[0] for label, row in found.items()}
    held_out = {label: row[1] for label, row in found.items()}
    assert learned["line"] > 5 * learned["degree 3"]
    assert learned["degree 3"] > learned["degree 9, gradient descent"]
    assert learned["degree 9, gradient descent"] > 2 * learned["degree 9, L-BFGS"]
    assert held_out["degree 9, L-BFGS"] > 10 * held_out["degree 9, gradient descent"]
    assert held_out["degree 3"] == min(held_out.values())


def test_each_layer_sets_more_points_right(story: Story) -> None:
    right = [row[1] for row in rows(story, 5).values()]
    assert right[0] < 180 < 185 < right[1] < right[2]
    moment = story.moment(When("one_layer", epochs=1000))
    x, kernel = moment.value("x"), moment.value("dense_1.kernel")
    side = x @ kernel + moment.value("dense_1.bias") > 0
    assert (side == (moment.value("y") > 0.5)).all()


def test_a_circle_is_a_line_in_the_squares(story: Story) -> None:
    found = figures(story, 6)
    assert found["one neuron: right, of 200"] < 110
    assert found["with squares: right, of 200"] == 200
    assert 0.5 < found["radius of the border: √(−b/w)"] < 1
