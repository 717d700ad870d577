"""The range test in Train mode: begun, watched, taken over or left."""

from pathlib import Path
from typing import Any

import numpy as np
from textual.app import App
from textual.widgets import Button, Input, Label
from waiting import until

from tui_nn.monitor import Monitor
from tui_nn.widgets.rate_finder import RateFinder, words
from tui_nn.widgets.rate_plot import RatePlot
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.sessions import protocol
from tui_nn_engine.training.rate_range import RangeTest, RatesTried


def found(path: Path, updates: int = 0) -> RatesTried:
    trainer = Trainer(Experiment.load(path))
    for _ in range(updates):
        trainer.update()
    *_, told = RangeTest(trainer).run()
    return told


async def try_rates(app: Any) -> None:
    await app.press("L")
    await app.until(lambda: app.monitor.rates and app.monitor.rates.done, "the test's end")
    await app.shows("┊ suggested")


async def test_before_the_first_update_the_experiment_takes_the_rate(
    laboratory: Any, moons: Path
) -> None:
    expected = found(moons)
    async with laboratory(moons) as app:
        await app.mode("2", "train")
        await app.state("ready")
        await try_rates(app)
        assert app.monitor.rates.losses.tolist() == expected.losses.tolist()
        await app.press("t")
        rate = expected.suggestion
        await app.until(lambda: app.monitor.learning_rate == rate, "the rate")
        assert app.desk.draft.value("optimizer.learning_rate") == rate
        assert app.monitor.iteration == 0
        await app.press("1", "ctrl+z")
        await app.until(lambda: app.monitor.learning_rate == 0.001, "the rate before")


async def test_later_it_holds_from_the_next_update_on(laboratory: Any, moons: Path) -> None:
    async with laboratory(moons) as app:
        await app.mode("2", "train")
        await app.state("ready")
        await app.press("N")
        await app.iteration(1)
        await try_rates(app)
        expected = found(moons, 1)
        assert app.monitor.rates.losses.tolist() == expected.losses.tolist()
        await app.press("t")
        await app.until(lambda: app.monitor.learning_rate == expected.suggestion, "the rate")
        await app.press("space")
        await app.state("completed")
        (change,) = Experiment.load(app.folder / "experiment.toml").training.changes
        assert (change.iteration, change.learning_rate) == (1, expected.suggestion)


async def test_left_it_changes_nothing(laboratory: Any, moons: Path) -> None:
    async with laboratory(moons) as app:
        await app.mode("2", "train")
        await app.state("ready")
        await try_rates(app)
        await app.press("escape", "space")
        await app.state("completed")
        assert app.saved() == app.plain(Experiment.load(moons))


# -- the dialog by itself -------------------------------------------------------------------------


class FinderApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.monitor = Monitor()
        self.sent: list[protocol.Command] = []
        self.answers: list[float | None] = []

    def on_mount(self) -> None:
        self.push_screen(RateFinder(self.monitor, self.sent.append), self.answers.append)


UNDER_WAY = RatesTried(100, np.array([1e-6, 1e-5]), np.array([0.7, 0.6]), np.array([0.7, 0.6]))


async def test_what_runs_is_called_off_with_the_dialog() -> None:
    app = FinderApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.monitor.rates = UNDER_WAY
        assert app.screen.query_one("#take", Button).disabled
        await pilot.press("t")  # there is nothing to take yet
        await pilot.press("escape")
        assert app.sent == [protocol.TryRates(), protocol.Pause()]
        assert app.answers == [None]


async def test_other_rates_can_be_tried() -> None:
    app = FinderApp()
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        app.monitor.rates = UNDER_WAY
        field = app.screen.query_one(Input)
        field.focus()
        field.value = "1 0.1 50"
        await pilot.press("enter")
        assert app.monitor.rates is UNDER_WAY
        field.value = "1e-4, 0.1, 50"
        await pilot.press("enter")
        assert app.sent == [protocol.TryRates(), protocol.TryRates(1e-4, 0.1, 50)]
        assert app.monitor.rates is None
        assert app.screen.query_one(RatePlot).span == (1e-4, 0.1)


async def test_without_a_suggestion_there_is_nothing_to_take() -> None:
    app = FinderApp()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.monitor.rates = RatesTried(100, done=True, why="L-BFGS needs none")
        await until(pilot, lambda: "L-BFGS" in str(app.screen.query_one("#words", Label).content))
        assert str(app.screen.query_one("#words", Label).content) == (
            "No rate is suggested: L-BFGS needs none."
        )
        await pilot.press("t", "escape")
        assert app.sent == [protocol.TryRates()]
        assert app.answers == [None]


def test_words() -> None:
    assert words(UNDER_WAY, 0.1) == "2 of 100 rates tried, now at 1e-05; escape calls it off"
    done = RatesTried(
        100, *[np.ones(3)] * 3, done=True, suggestion=0.01, lowest=0.1, steepest=0.02, why="so"
    )
    assert words(done, 0.5) == (
        "Suggested: 0.01 (now 0.5), a tenth of 0.1, at which the loss is lowest. "
        "It falls fastest at 0.02; so."
    )
