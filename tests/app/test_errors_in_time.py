"""Errors through time in Train mode: what is kept of them, the dialog, clipping at work."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from textual.app import App

from tui_nn.errors_in_time import KEPT, ErrorsInTime
from tui_nn.monitor import Monitor
from tui_nn.widgets.errors_in_time import ROWS, TimeErrors, clipping_told, curve
from tui_nn.widgets.heatmap import Heatmap
from tui_nn_engine import Experiment
from tui_nn_engine.sessions.protocol import HealthReport
from tui_nn_engine.training.health_over_time import Clipping, OverTime

NOTHING = np.full(3, np.nan)
TREE: dict[str, Any] = {
    "data": {"name": "first_symbol", "delay": 5, "samples": 60},
    "layers": [
        {"type": "lstm", "units": 3},
        {"type": "dense", "units": 2, "activation": "softmax"},
    ],
    "loss": "categorical_crossentropy",
    "training": {"epochs": 2, "batch_size": 16},
}


def layer(*norms: float, name: str = "simple_rnn_1") -> OverTime:
    return OverTime(name, np.array(norms), NOTHING[: len(norms)], ("",), np.array([0.5]))


def report(iteration: int, *layers: OverTime, clipping: Clipping | None = None) -> HealthReport:
    return HealthReport(iteration, np.empty((0, 0)), (), layers, clipping)


def heard(*reports: HealthReport) -> ErrorsInTime:
    found = ErrorsInTime()
    for each in reports:
        found.hear(each)
    return found


def test_norms_are_kept_by_update_and_thinned() -> None:
    found = heard(report(1, layer(1, 2, 3)), report(5, layer(4, 5, 6)))
    assert found.iterations == [1, 5]
    np.testing.assert_array_equal(found.norms(0), [[1, 2, 3], [4, 5, 6]])
    many = heard(*(report(at, layer(at, 1, 1)) for at in range(1, 2 * KEPT)))
    assert len(many.iterations) <= KEPT
    assert many.norms(0)[:, 0].tolist() == many.iterations


def test_what_was_undone_is_forgotten() -> None:
    found = heard(report(1, layer(1, 1, 1)), report(9, layer(9, 9, 9)), report(4, layer(4, 4, 4)))
    assert found.iterations == [1, 4]
    assert len(found.norms(0)) == 2


def test_clipping_is_counted() -> None:
    cut, left = Clipping("clip by norm", 3.0, 1.0), Clipping("clip by norm", 0.5, 0.5)
    found = heard(report(1, clipping=cut), report(2, clipping=left), report(3, clipping=cut))
    told = clipping_told(found)
    assert "cut from 3 to 1" in told
    assert "clipped in 2 of 3 updates" in told
    found.hear(report(4, clipping=left))
    assert "left as it is" in clipping_told(found)
    assert "Nothing is clipped" in clipping_told(heard(report(1, layer(1, 1, 1))))


@pytest.mark.parametrize("width", [20, 60])
def test_the_curve_rises_with_the_logarithm(width: int) -> None:
    lines = curve(np.array([1e-6, 1e-4, 1e-2]), width)
    assert len(lines) == ROWS + 1
    heights = [sum(line[at] != " " for line in lines[:-1]) for at in (0, width // 2, width - 3)]
    assert heights == sorted(heights)
    assert heights[0] == 1
    assert heights[-1] == ROWS
    assert "t=1: 1e-06" in lines[-1]
    assert "t=3: 0.01" in lines[-1]


def test_the_curve_leaves_out_steps_that_no_error_came_to() -> None:
    lines = curve(np.array([np.nan, np.nan, 1.0, 10.0]), 40)
    assert not lines[ROWS - 1][:20].strip()
    assert "t=3: 1" in lines[-1]
    assert curve(NOTHING, 40) == ["no error came through time yet"]
    assert len(curve(np.geomspace(1e-9, 1, 500), 40)[0]) == 40


class Bare(App[None]):
    """The dialog alone."""

    def __init__(self) -> None:
        super().__init__()
        self.monitor = Monitor()

    def on_mount(self) -> None:
        self.push_screen(TimeErrors(self.monitor))


async def test_the_dialog_shows_layer_after_layer() -> None:
    app = Bare()
    app.monitor.hear(report(1, layer(1e-9, 1e-3, 1), layer(1, 1, 1, name="lstm_1")))
    async with app.run_test(size=(80, 24)) as pilot:
        words = app.screen.query_one("#words")
        assert "simple_rnn_1 (← → of 2), spectral radius of U 0.5" in str(words.render())
        assert "vanishes" in str(words.render())
        array = app.screen.query_one(Heatmap).array
        assert array is not None
        np.testing.assert_allclose(array, [[-9, -3, 0]])
        await pilot.press("right")
        assert "neither vanish nor explode" in str(words.render())
        await pilot.press("escape")
        assert not isinstance(app.screen, TimeErrors)


async def test_train_mode_opens_it_where_there_is_time(laboratory: Any, tmp_path: Path) -> None:
    path = tmp_path / "lstm.toml"
    path.write_text(Experiment.parse(TREE).to_toml())
    async with laboratory(path) as app:
        await app.mode("2", "train")
        await app.press("T")
        assert not isinstance(app.app.screen, TimeErrors)
        await app.press("N")
        await app.until(lambda: app.monitor.errors_in_time.layers, "a report")
        await app.press("T")
        await app.until(lambda: isinstance(app.app.screen, TimeErrors), "the dialog")
        await app.shows("lstm_1, spectral radius of U")
        await app.shows("Nothing is clipped")
