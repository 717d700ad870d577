"""Train mode on the real engine: what each key does, and that it changes no number."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input, Static

from tui_nn.widgets.curve import Curve
from tui_nn.widgets.layer_table import LayerPane, LayerTable
from tui_nn_engine import Experiment
from tui_nn_engine.experiments.experiment import Change


@pytest.fixture
def endless(moons: Path) -> Path:
    """Training that does not end while one looks at it: five updates an epoch, then validation."""
    settings = [
        "data.validation_fraction=0.2",
        "data.test_fraction=0.2",
        "optimizer.type=adam",
        "optimizer.learning_rate=0.01",
        "training.batch_size=8",
        "training.epochs=1000000",
    ]
    path = moons.with_name("endless.toml")
    path.write_text(Experiment.load(moons).overridden(settings).to_toml(onto=moons.read_text()))
    return path


@pytest.fixture
def short(endless: Path) -> Path:
    """Twenty epochs of the same."""
    path = endless.with_name("short.toml")
    path.write_text(endless.read_text().replace("1000000", "20"))
    return path


def curve(app: Any, which: str = "loss") -> Curve:
    found: Curve = app.app.screen_stack[0].query_one(f"#{which}", Curve)
    return found


async def test_space_trains_to_the_end_as_a_plain_loop_does(laboratory: Any, mnist: Path) -> None:
    mnist.write_text(mnist.read_text().replace("epochs = 1", "epochs = 3"))
    async with laboratory(mnist) as app:
        assert "ready" in app.title
        assert "mnist_small · 512 relu → 10 softmax" in app.title
        assert "epoch 1/3  batch 0/" in app.counters
        await app.press("space")
        await app.state("completed")
        await app.pilot.pause()
        total = app.monitor.total
        assert f"epoch 3/3  batch {total // 3}/{total // 3}" in app.counters
        assert f"iteration {total}/{total}" in app.counters
        assert "100%" in app.counters
        assert "on the test data: loss" in app.log
        assert "accuracy" in app.log.splitlines()[-1]
        await app.shows("training is complete")
        assert curve(app).series[0].history.last == total
        assert len(curve(app, "metric").series) == 2 - (not app.monitor.figures.get("val_accuracy"))
        await app.shows("Accuracy")
        assert app.saved() == app.plain(Experiment.load(mnist))


async def test_space_pauses_and_goes_on(laboratory: Any, endless: Path) -> None:
    async with laboratory(endless) as app:
        await app.press("space")
        await app.iteration(50)
        await app.press("space")
        await app.state("paused")
        stood = app.monitor.iteration
        assert "paused" in app.title
        assert "ETA" not in app.counters
        await app.press("space")
        await app.iteration(stood + 10)
        assert "running" in app.title
        assert "ETA" in app.counters
        assert "samples/s" in app.counters


async def test_one_update_and_one_epoch(laboratory: Any, endless: Path) -> None:
    async with laboratory(endless) as app:
        for count in (1, 2, 3):
            await app.press("N")
            await app.until(lambda count=count: app.monitor.iteration == count, "an update")
        await app.state("paused")
        batches = app.monitor.opened.batches_per_epoch
        assert batches == 5
        assert "epoch 1/1000000  batch 3/5  iteration 3/5000000" in app.counters
        for epoch in (1, 2):
            await app.press("e")
            await app.until(
                lambda epoch=epoch: app.monitor.iteration == epoch * batches, "the end of the epoch"
            )
            await app.state("paused")
            assert f"epoch {epoch}/1000000  batch 5/5" in app.counters
        assert curve(app, "metric").series[0].history.last == 2 * batches
        await app.press("x")
        await app.until(lambda: app.monitor.saved_iteration == 10, "the checkpoint")
        assert app.saved() == app.plain(Experiment.load(endless), 10)


async def test_restart_is_the_same_again_and_keeps_what_was(laboratory: Any, short: Path) -> None:
    async with laboratory(short) as app:
        await app.press("space")
        await app.state("completed")
        first, folder = app.saved(), app.folder
        await app.press("r")
        await app.until(lambda: app.folder != folder and app.monitor.state == "ready", "a new run")
        await app.pilot.pause()
        assert app.monitor.iteration == 0
        assert not len(curve(app).series[0].history)
        assert not any(len(series.history) for series in curve(app, "metric").series)
        await app.shows("Press space to start training")
        await app.press("space")
        await app.state("completed")
        assert app.saved() == first
        assert app.saved(folder) == first


async def test_a_rate_changed_while_it_trains_is_in_the_experiment(
    laboratory: Any, short: Path
) -> None:
    async with laboratory(short) as app:
        for _ in range(7):
            await app.press("N")
        await app.until(lambda: app.monitor.iteration == 7, "seven updates")
        await app.press("l")
        field = app.app.screen.query_one(Input)
        assert field.value == "0.01"
        for wrong, why in (("x", "is no number"), ("0", "greater than 0"), ("inf", "finite")):
            field.value = wrong
            await app.shows(why)
            await app.press("enter")
            assert app.app.screen.query(Input), "a wrong rate must not be taken"
        field.value = "0.003"
        await app.press("enter")
        await app.until(lambda: app.monitor.learning_rate == 0.003, "the new rate")
        assert "rate 0.003" in app.counters
        assert "learning rate 0.003 from iteration 7" in app.log
        await app.press("space")
        await app.state("completed")
        written = tomllib.loads((app.folder / "experiment.toml").read_text())
        assert written["training"]["changes"] == [{"iteration": 7, "learning_rate": 0.003}]
        kept = Experiment.load(app.folder / "experiment.toml")
        assert kept.training.changes == (Change(iteration=7, learning_rate=0.003),)
        assert app.saved() == app.plain(kept)
        assert app.saved() != app.plain(Experiment.load(short))


async def test_the_rate_while_it_runs(laboratory: Any, endless: Path) -> None:
    async with laboratory(endless) as app:
        await app.press("space")
        await app.iteration(10)
        await app.press("l")
        before = app.monitor.iteration
        await app.iteration(before + 10)  # behind the dialog it trains on, and shows it
        await app.until(lambda: f"iteration {before}/" not in app.counters, "counters that move")
        app.app.screen.query_one(Input).value = "0.5"
        await app.press("enter")
        await app.until(lambda: "rate 0.5" in app.counters, "the new rate")
        await app.press("l", "escape")
        assert app.monitor.learning_rate == 0.5
        assert app.monitor.state == "running"
        await app.press("x")
        await app.state("paused")
        await app.until(lambda: app.monitor.saved_iteration == app.monitor.iteration, "the save")
        kept = Experiment.load(app.folder / "experiment.toml")
        assert len(kept.training.changes) == 1
        assert app.saved() == app.plain(kept, app.monitor.iteration)


async def test_more_epochs_after_completion(laboratory: Any, short: Path) -> None:
    async with laboratory(short) as app:
        await app.press("space")
        await app.state("completed")
        await app.press("space")
        await app.until(lambda: "training is complete; add epochs" in app.log, "a refusal")
        await app.press("m")
        field = app.app.screen.query_one(Input)
        assert field.value == "30"
        field.value = "2.5"
        await app.shows("is no whole number")
        field.value = "3"
        await app.press("enter")
        await app.shows("not fewer than the 20 that have begun")
        field.value = "25"
        await app.press("enter")
        await app.until(lambda: app.monitor.epochs == 25, "more epochs")
        assert app.monitor.state == "paused"
        await app.press("space")
        await app.state("completed")
        assert "epoch 25/25" in app.counters
        kept = Experiment.load(app.folder / "experiment.toml")
        assert kept.training.epochs == 25
        assert app.saved() == app.plain(kept)


async def test_a_saved_run_is_opened_and_goes_on(laboratory: Any, short: Path) -> None:
    async with laboratory(short) as app:
        for _ in range(3):
            await app.press("e")
            await app.state("paused")
        await app.press("N", "x")
        await app.until(lambda: app.monitor.saved_iteration == app.monitor.iteration > 5, "a save")
        folder, stood = app.folder, app.monitor.iteration
    async with laboratory(short) as app:
        assert app.folder != folder
        await app.press("o")
        await app.shows("Go on with a saved run")
        await app.shows("moons")
        await app.press("enter")
        await app.until(lambda: app.folder == folder, "the saved run")
        await app.until(lambda: app.monitor.iteration == stood, "where it stood")
        assert "resumed at iteration" in app.log
        assert len(curve(app).series[0].history), "the losses of its epochs are shown"
        assert len(curve(app, "metric").series[0].history)
        await app.press("space")
        await app.state("completed")
        kept = Experiment.load(folder / "experiment.toml")
        assert app.saved() == app.plain(kept) == app.plain(Experiment.load(short))


async def test_the_folder_of_a_run_can_be_opened_from_the_start(
    laboratory: Any, short: Path
) -> None:
    async with laboratory(short) as app:
        await app.press("e")
        await app.until(lambda: app.monitor.iteration == 5, "an epoch")
        folder = app.folder
    async with laboratory(folder) as app:
        await app.until(lambda: app.monitor.iteration == 5, "where it stood")
        assert "moons" in app.title
        assert "≠ Build" not in app.title


async def test_log_axis_smoothing_and_cursor(laboratory: Any, short: Path) -> None:
    async with laboratory(short) as app:
        await app.press("space")
        await app.state("completed")
        await app.press("y")
        assert curve(app).log_scale
        await app.shows("Loss (log)")
        await app.press("y")
        assert not curve(app).log_scale
        for constant in (10, 100, 1000, 0):
            await app.press("w")
            assert curve(app).smoothing == constant
        curve(app).focus()
        await app.press("home")
        assert curve(app).cursor == 1
        first = curve(app).series[0].history.at(1)
        assert first is not None
        assert f"iteration 1  training {first.mean:.4g}" in curve(app).cursor_text
        await app.shows("iteration 1  training")
        await app.press("end", "escape")
        assert curve(app).cursor is None
        assert "validation" in curve(app).cursor_text
        await app.pilot.hover("#loss", offset=(30, 5))
        assert curve(app).cursor is not None


async def test_the_table_of_layers_and_the_event_log(laboratory: Any, short: Path) -> None:
    async with laboratory(short) as app:
        table = app.app.screen.query_one(LayerTable)

        def row(index: int) -> list[str]:
            return [str(cell) for cell in table.get_row_at(index)]

        assert row(0)[:5] == ["dense_1", "", "6", "18", ""]
        await app.press("N")
        await app.until(lambda: row(0)[6] != "", "health")
        assert "±" in row(0)[4]
        assert float(row(1)[6]) > 0
        assert row(1)[8] == "0%"
        assert row(0)[1] == "✓ learning"
        await app.press("space")
        await app.state("completed")
        await app.until(lambda: "training is complete" in app.log_shown, "the log")
        for entry in app.monitor.log:
            assert entry.text.split()[0] in app.log_shown


async def test_the_worst_layer_is_told_until_another_is_chosen(
    laboratory: Any, endless: Path
) -> None:
    """Eight layers of sigmoid units: the front ones vanish."""
    path = endless.with_name("deep.toml")
    head, layer, rest = endless.read_text().partition('[[layers]]\ntype = "dense"\nunits = 6\n')
    rest = rest.removeprefix('activation = "tanh"\n')
    path.write_text(head + f'{layer}activation = "sigmoid"\n' * 8 + rest)
    async with laboratory(path) as app:
        pane = app.app.screen.query_one(LayerPane)
        table, told = pane.query_one(LayerTable), pane.query_one("#verdict", Static)

        def said() -> str:
            return str(told.content)

        await app.press("N")
        await app.until(lambda: "vanishing" in said(), "a verdict")
        assert said().startswith("dense_1 ✗ vanishing. Its gradient is ")
        assert "Try: relu instead of sigmoid" in said()
        assert "Glorot & Bengio 2010" in said()
        table.focus()
        await app.press(*["down"] * 8)
        await app.until(lambda: said().startswith("dense_9 ✓ learning."), "the last layer")
        await app.press("N")
        await app.iteration(2)
        await app.pilot.pause()
        assert said().startswith("dense_9")
        await app.press("r")
        await app.until(lambda: said() == "", "nothing said of a run that has not begun")


async def test_narrow_terminals_show_one_pane_at_a_time(laboratory: Any, short: Path) -> None:
    async with laboratory(short, (80, 24)) as app:
        await app.press("space")
        await app.state("completed")
        await app.shows("Loss")
        panes = ("#loss", "#metric", "LayerTable", "#events")
        seen = []
        for _ in panes:
            shown = [pane for pane in panes if app.app.screen.query_one(pane).region.area]
            assert len(shown) == 1, shown
            seen += shown
            await app.press("t")
        assert seen == list(panes)


async def test_a_wrong_file_opens_build_and_says_why_it_cannot_train(
    laboratory: Any, endless: Path
) -> None:
    path = endless.with_name("wrong.toml")
    path.write_text(endless.read_text().replace("units = 6", "units = 0"))
    async with laboratory(path) as app:
        await app.until(lambda: app.app.current_mode == "build", "Build")
        await app.shows("layers[0].units: must be at")
        assert "starting" not in app.counters
        await app.mode("2", "train")
        await app.press("space")
        await app.shows("This experiment can't be trained")
        assert app.monitor.opened is None


async def test_events_told_while_their_pane_is_hidden_are_wrapped_to_its_width(
    laboratory: Any, xor: Path
) -> None:
    async with laboratory(xor, (80, 24)) as app:
        await app.press("t", "t", "t")
        await app.shows("─ Events ─")
        await app.press("t", "space")  # the loss again, and the events hidden
        await app.state("completed")
        await app.press("t", "t", "t")
        await app.shows("training is complete")
