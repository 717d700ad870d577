"""Going back in time on the real engine: keys, the line to click on, the branch on the curve."""

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from tui_nn.widgets.curve import Curve
from tui_nn.widgets.dialogs import Ask, place_parser
from tui_nn.widgets.layer_table import LayerTable
from tui_nn.widgets.timeline_bar import TimelineBar
from tui_nn_engine import Experiment
from tui_nn_engine.training.runs import read_metrics

TREE: dict[str, Any] = {
    "data": {"name": "moons", "samples": 40, "validation_fraction": 0.1},
    "layers": [
        {"type": "dense", "units": 6, "activation": "tanh"},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": {"type": "binary_crossentropy"},
    "optimizer": {"type": "adam", "learning_rate": 0.02},
    "training": {"epochs": 30, "batch_size": 9, "threads": 1},
}  # 4 batches an epoch
ORIGINAL = Experiment.parse(TREE)


@pytest.fixture
def moons(tmp_path: Path) -> Path:
    path = tmp_path / "moons.toml"
    ORIGINAL.save(path)
    return path


async def go_to(app: Any, text: str) -> None:
    await app.press("g")
    await app.until(lambda: isinstance(app.app.screen, Ask), "the dialog")
    app.app.screen.query_one(Input).value = text
    await app.press("enter")


async def stands(app: Any, iteration: int, tip: int) -> None:
    await app.until(
        lambda: (
            (app.monitor.iteration, app.monitor.tip) == (iteration, tip)
            and app.monitor.state in {"paused", "completed"}
        ),
        f"iteration {iteration} of {tip}",
    )


async def test_back_by_update_and_epoch_and_to_any_place(laboratory: Any, moons: Path) -> None:
    async with laboratory(moons) as app:
        await go_to(app, "41")
        await stands(app, 41, 41)
        await app.press("B")
        await stands(app, 40, 41)
        await app.shows("iteration 40 of 41 reached")
        await app.press("B", "B", "B")
        await stands(app, 37, 41)
        await app.press("E")
        await stands(app, 36, 41)
        await app.press("E")
        await stands(app, 32, 41)
        await app.press("e")
        await stands(app, 36, 41)
        await app.press("N")
        await stands(app, 37, 41)
        for text, place in (("-30", 7), ("+5", 12), ("epoch 2", 8), ("start", 0), ("end", 41)):
            await go_to(app, text)
            await stands(app, place, 41)
        assert app.monitor.loss.last == 41
        await app.press("B", "space")
        await app.state("completed")
        assert app.saved() == app.plain(ORIGINAL)
        rows = read_metrics(app.folder / "metrics.jsonl")
        assert [row.epoch for row in rows] == list(range(1, 31))
        assert len((app.folder / "metrics.jsonl").read_text().splitlines()) == 30


async def test_the_table_of_layers_is_of_the_place_reached(laboratory: Any, moons: Path) -> None:
    async with laboratory(moons, size=(140, 40)) as app:
        table = app.app.screen.query_one(LayerTable)

        def row() -> list[str]:
            return [str(cell) for cell in table.get_row_at(0)]

        await go_to(app, "41")
        await stands(app, 41, 41)
        await app.until(lambda: row()[1], "a verdict")
        left = row()
        await go_to(app, "start")
        await stands(app, 0, 41)
        await app.until(lambda: not any(row()[4:]) and not row()[1], "an emptied table")
        await app.shows("How the layers do here, the next update tells (N makes one).")
        await go_to(app, "epoch 1")
        await stands(app, 4, 41)
        await app.until(lambda: row()[1] and row()[6], "numbers")
        assert row() != left
        reached = row()
        await app.press("r")
        await stands_anew(app)
        await go_to(app, "4")
        await stands(app, 4, 4)
        await app.until(lambda: row() == reached, "the numbers of iteration 4")


async def stands_anew(app: Any) -> None:
    await app.until(lambda: (app.monitor.state, app.monitor.tip) == ("ready", 0), "a new run")


async def test_a_click_on_the_line_goes_there(laboratory: Any, moons: Path) -> None:
    async with laboratory(moons) as app:
        await go_to(app, "100")
        await stands(app, 100, 100)
        bar = app.app.screen.query_one(TimelineBar)
        cells = str(bar.render()).index(" 100") - 2
        assert str(bar.render())[2 + cells - 1] == "●"
        await app.pilot.click(bar, offset=(1 + 2 + cells // 2, 0))
        await app.until(lambda: 45 <= app.monitor.iteration <= 55, "the middle")
        await app.until(lambda: abs(str(bar.render()).index("●") - 2 - cells // 2) <= 1, "the mark")
        await app.pilot.click(bar, offset=(1 + 2, 0))
        await stands(app, 0, 100)


async def test_a_rate_changed_in_the_past_branches_and_both_curves_are_there(
    laboratory: Any, moons: Path
) -> None:
    async with laboratory(moons) as app:
        await go_to(app, "60")
        await stands(app, 60, 60)
        before = app.folder
        await go_to(app, "30")
        await stands(app, 30, 60)
        await app.press("l")
        await app.until(lambda: isinstance(app.app.screen, Ask), "the dialog")
        app.app.screen.query_one(Input).value = "0.5"
        await app.press("enter")
        await app.until(lambda: app.folder != before, "a branch")
        await stands(app, 30, 30)
        await app.shows("branch before")
        loss = app.app.screen.query_one("#loss", Curve)
        assert loss.cursor_text.startswith("iteration 30  training ")
        ranges = {s.name: (s.history.first, s.history.last) for s in loss.series}
        assert ranges["branch before"] == (31, 60)
        assert ranges["training"] == (1, 30)
        await go_to(app, "50")
        await stands(app, 50, 50)
        ranges = {s.name: (s.history.first, s.history.last) for s in loss.series}
        assert (ranges["branch before"], ranges["training"]) == ((31, 60), (1, 50))
        await app.press("x")
        await app.until(lambda: app.monitor.saved_iteration == 50, "saved")
        experiment = Experiment.load(app.folder / "experiment.toml")
        assert app.saved() == app.plain(experiment, 50)
        assert app.saved(before) == app.plain(ORIGINAL, 60)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("500", 500),
        ("1,000", 1000),
        (" +100 ", 150),
        ("-20", 30),
        ("epoch 3", 30),
        ("Epoch 0", 0),
        ("start", 0),
        ("end", 400),
    ],
)
def test_what_places_may_be_called(text: str, place: int) -> None:
    assert place_parser(50, 400, 1000, 10)(text) == place


@pytest.mark.parametrize(
    "text", ["", "now", "1.5", "epoch", "epoch x", "3 4", "-51", "1001", "+951"]
)
def test_what_is_no_place_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"write it as|is not within 0 and 1,000"):
        place_parser(50, 400, 1000, 10)(text)
