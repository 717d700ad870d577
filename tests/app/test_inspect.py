"""Inspect mode on the real engine: what is drawn, seen and chosen, while it trains too."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_nn.modes.inspect import Inspect
from tui_nn.widgets.board import Board
from tui_nn.widgets.boundary import Boundary
from tui_nn.widgets.class_bars import ClassBars
from tui_nn.widgets.confusion_matrix import ConfusionMatrix
from tui_nn_engine import Experiment
from tui_nn_engine.inspection.mistakes import Mistakes, Residuals
from tui_nn_engine.inspection.surface import Surface

DIGITS = """
seed = 1
[data]
name = "digits"
[[layers]]
type = "dense"
units = 16
activation = "relu"
[[layers]]
type = "dense"
units = 10
activation = "softmax"
[loss]
type = "categorical_crossentropy"
[optimizer]
type = "adam"
learning_rate = 0.003
[training]
epochs = 20
batch_size = 32
threads = 1
"""

MOONS = """
[data]
name = "moons"
[[layers]]
type = "dense"
units = 8
activation = "tanh"
[[layers]]
type = "dense"
units = 8
activation = "tanh"
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
[loss]
type = "binary_crossentropy"
[optimizer]
type = "adam"
[training]
epochs = 100000
batch_size = 32
threads = 1
"""
CURVE = """
dtype = "float64"
[data]
name = "given"
x = [[0.0], [1.0], [2.0], [3.0], [4.0]]
y = [0.0, 1.0, 2.0, 1.0, 0.0]
task = "regression"
[[layers]]
type = "dense"
units = 12
activation = "tanh"
[[layers]]
type = "dense"
units = 1
[loss]
type = "mean_squared_error"
[optimizer]
type = "adam"
learning_rate = 0.03
[training]
epochs = 600
batch_size = 5
threads = 1
"""


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    path = tmp_path / "digits.toml"
    path.write_text(DIGITS)
    return path


def view(app: Any) -> Any:
    mode = app.app.screen_stack[0]
    assert isinstance(mode, Inspect)
    return mode.view


async def looks_through(app: Any, label: str) -> Any:
    """Press t until that view is on screen."""
    await app.until(lambda: view(app) is not None, "a view")
    for _ in range(8):
        if view(app).label == label:
            return view(app)
        await app.press("t")
    raise AssertionError(label)


# -- drawing ---------------------------------------------------------------------------------------


async def test_a_digit_drawn_with_the_mouse_is_guessed_and_learned(
    laboratory: Any, digits: Path
) -> None:
    async with laboratory(digits) as app:
        await app.mode("4", "inspect")
        drawing = await looks_through(app, "Draw")
        board, bars = drawing.query_one(Board), drawing.query_one(ClassBars)
        await app.shows("draw here")
        assert not bars.leading
        await app.pilot.mouse_down(Board, offset=(30, 4))
        for y in range(5, 22):
            await app.pilot.hover(Board, offset=(30, y))
        await app.pilot.mouse_up(Board, offset=(30, 22))
        assert board.picture.max() > 10
        await app.until(lambda: bars.leading, "a guess")
        await app.shows("It says:")
        await app.shows("not trained yet")
        before = bars._values.copy()
        await app.press("space")
        await app.state("completed")
        await app.until(lambda: app.monitor.sight.iteration == app.monitor.total, "the last guess")
        assert not np.allclose(before, bars._values)
        assert app.saved() == app.plain(Experiment.load(digits)), "looking changed the numbers"
        trained = bars._values.copy()
        await app.pilot.mouse_down(Board, offset=(10, 20))
        for x in range(10, 50, 2):
            await app.pilot.hover(Board, offset=(x, 20))
        await app.pilot.mouse_up(Board, offset=(50, 20))
        await app.until(lambda: not np.allclose(trained, bars._values), "another guess")
        await app.press("c")
        assert board.is_empty
        await app.shows("draw here")
        await app.until(lambda: not bars.leading, "no guess about nothing")


async def test_a_digit_drawn_with_keys(laboratory: Any, digits: Path) -> None:
    async with laboratory(digits, (80, 24)) as app:
        await app.mode("4", "inspect")
        drawing = await looks_through(app, "Draw")
        board, bars = drawing.query_one(Board), drawing.query_one(ClassBars)
        await app.press("up", "up", "enter", "down", "down", "down", "enter", "right")
        assert np.flatnonzero(board.picture[:, 4] == 16).tolist() == [2, 3, 4, 5]
        assert not (board.picture[:, 5] == 16).any()
        await app.until(lambda: bars.leading, "a guess")
        await app.press("backspace")
        assert board.is_empty


async def test_a_digit_of_the_data_and_fitting(laboratory: Any, digits: Path) -> None:
    async with laboratory(digits) as app:
        await app.mode("4", "inspect")
        drawing = await looks_through(app, "Draw")
        board = drawing.query_one(Board)
        await app.press("d")
        await app.until(lambda: not board.is_empty, "a digit")
        first = board.picture.copy()
        await app.shows("as drawn")
        await app.press("f")
        await app.shows("fitted like MNIST")
        await app.press("d")
        assert not np.array_equal(first, board.picture)


async def test_nobody_looks_nobody_tells(laboratory: Any, digits: Path) -> None:
    async with laboratory(digits) as app:
        await app.mode("4", "inspect")
        drawing = await looks_through(app, "Draw")
        await app.press("enter")
        await app.until(lambda: drawing.query_one(ClassBars).leading, "a guess")
        await app.mode("2", "train")
        await app.press("space")
        await app.state("completed")
        assert app.monitor.sight.iteration == 0
        await app.mode("4", "inspect")
        await app.until(
            lambda: app.monitor.sight and app.monitor.sight.iteration == app.monitor.total,
            "the network as it is now",
        )


# -- boundary and curve ----------------------------------------------------------------------------


async def test_the_boundary_moves_while_it_trains(laboratory: Any, tmp_path: Path) -> None:
    path = tmp_path / "moons.toml"
    path.write_text(MOONS)
    async with laboratory(path) as app:
        await app.mode("4", "inspect")
        plane = await looks_through(app, "Boundary")
        boundary = plane.query_one(Boundary)
        await app.until(lambda: isinstance(app.monitor.sight, Surface), "a picture")
        await app.shows("Not trained yet")
        await app.until(
            lambda: app.monitor.sight.outputs.shape[1:] == boundary.pixels[::-1], "all pixels"
        )
        assert app.monitor.sight.sizes == (8, 8)
        await app.press("space")
        seen = set()
        await app.until(
            lambda: seen.add(app.monitor.sight.iteration) or len(seen) > 2, "three pictures"
        )
        assert app.monitor.state == "running"
        await app.shows("dense_2: 8 neurons")
        await app.press("space")
        await app.state("paused")
        await app.until(lambda: app.monitor.sight.iteration == app.monitor.iteration, "the last")
        assert "Not trained" not in app.screen()


async def test_one_input_gives_a_curve_that_fits(laboratory: Any, tmp_path: Path) -> None:
    path = tmp_path / "curve.toml"
    path.write_text(CURVE)
    async with laboratory(path, (80, 24)) as app:
        await app.mode("4", "inspect")
        await looks_through(app, "Boundary")
        await app.shows("Curve")
        await app.shows("y over x")
        await app.press("space")
        await app.state("completed")
        await app.until(lambda: app.monitor.sight.iteration == app.monitor.total, "the curve")
        outputs = app.monitor.sight.outputs[0, 0]
        across = np.linspace(*app.monitor.sight.span, len(outputs))
        at = np.interp([0.0, 2.0, 4.0], across, outputs)
        np.testing.assert_allclose(at, [0, 2, 0], atol=0.4)


# -- mistakes --------------------------------------------------------------------------------------


async def test_a_cell_is_chosen_and_its_samples_are_shown(laboratory: Any, digits: Path) -> None:
    async with laboratory(digits) as app:
        await app.press("e")
        await app.until(lambda: app.monitor.epoch == 1, "an epoch")
        await app.mode("4", "inspect")
        errors = await looks_through(app, "Mistakes")
        matrix = errors.query_one(ConfusionMatrix)
        await app.until(lambda: isinstance(app.monitor.sight, Mistakes), "a matrix")
        found = app.monitor.sight
        assert found.matrix.sum() == found.found == app.monitor.subject.sizes[0]
        await app.shows(f"{found.accuracy:.1%} right")
        await app.shows("Worst mistakes first")
        await app.press("down", "right", "down")
        await app.until(lambda: app.monitor.sight.cell == (1, 1), "the cell")
        assert app.monitor.sight.found == found.matrix[1, 1]
        await app.shows("1, known as such")
        precision, recall, f1 = found.figures[1]
        await app.shows(f"1: precision {precision:.1%}  recall {recall:.1%}  F1 {f1:.1%}")
        wrong = np.argwhere(found.matrix * (1 - np.eye(10, dtype=int)))[0]
        _, _, label, width = matrix._layout(found)
        place = (int(label + wrong[1] * width + 1), int(wrong[0] + 2))
        await app.pilot.click(ConfusionMatrix, offset=place)
        await app.until(lambda: app.monitor.sight.cell == tuple(wrong), "the clicked cell")
        await app.shows(f"In truth {wrong[0]}, taken for {wrong[1]}")
        await app.shows(f"{wrong[0]} → {wrong[1]}")
        first = int(app.monitor.sight.cases[0])
        await app.press("enter")
        await app.until(lambda: view(app).label == "Sample", "its layers")
        await app.until(lambda: getattr(app.monitor.sight, "place", -1) == first, "the sample")
        await looks_through(app, "Mistakes")
        await app.press("p")
        await app.until(lambda: app.monitor.sight.part == "validation", "the other part")
        await app.press("escape")
        await app.until(lambda: app.monitor.sight.cell == (-1, -1), "all samples")


async def test_samples_in_a_narrow_terminal(laboratory: Any, digits: Path) -> None:
    async with laboratory(digits, (80, 24)) as app:
        await app.mode("4", "inspect")
        await looks_through(app, "Mistakes")
        await app.shows("true")
        assert "Worst mistakes" not in app.screen()
        await app.press("s")
        await app.shows("Worst mistakes first")
        await app.press("s")
        await app.shows("arrows or a click")


async def test_residuals_of_a_regression(laboratory: Any, tmp_path: Path) -> None:
    path = tmp_path / "curve.toml"
    path.write_text(CURVE)
    async with laboratory(path) as app:
        await app.mode("4", "inspect")
        await looks_through(app, "Residuals")
        await app.until(lambda: isinstance(app.monitor.sight, Residuals), "residuals")
        await app.shows("what the network says over what is true")
        before = app.monitor.sight.rmse
        await app.press("space")
        await app.state("completed")
        await app.until(lambda: app.monitor.sight.iteration == app.monitor.total, "the last")
        assert app.monitor.sight.rmse < before / 2
        await app.shows("farthest off")
