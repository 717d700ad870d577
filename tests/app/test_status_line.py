"""The lines at the top: counters, durations, the bar."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from textual.app import App, ComposeResult

from tui_nn.monitor import Monitor
from tui_nn.widgets.status_line import Counters, RunTitle, bar, counters, duration, quantity
from tui_nn_engine.sessions.protocol import Opened, StateChanged
from tui_nn_engine.training.events import Epochs, Progress

OPENED = Opened({}, "/a", ("dense_1",), ("1",), (3,), 0, 0, 0, 469, 60_000, 1)


def monitor(state: Any = "ready", iteration: int = 0, epochs: int = 20) -> Monitor:
    found = Monitor()
    epoch, batch = divmod(iteration, 469)
    found.hear(replace(OPENED, iteration=iteration, epoch=epoch, batch=batch))
    found.hear(StateChanged(state, iteration, epoch, batch, epochs, 0.001, iteration))
    return found


@pytest.mark.parametrize(
    ("iteration", "says"),
    [
        (0, "epoch 1/20  batch 0/469  iteration 0/9380"),
        (1, "epoch 1/20  batch 1/469  iteration 1/9380"),
        (1150, "epoch 3/20  batch 212/469  iteration 1150/9380"),
        (938, "epoch 2/20  batch 469/469  iteration 938/9380"),
        (9380, "epoch 20/20  batch 469/469  iteration 9380/9380"),
    ],
)
def test_where_the_run_stands(iteration: int, says: str) -> None:
    assert counters(monitor("paused", iteration))[0] == says


def test_rate_speed_and_time() -> None:
    found = monitor("running", 1150)
    found.hear(Progress(1160, 3, 222, 1151, np.ones(10), Epochs(), 0.01, 0.05))
    first, *rest = counters(found)
    assert first == "epoch 3/20  batch 222/469  iteration 1160/9380"
    assert rest == ["rate 0.01", "25,586 samples/s", "elapsed 0:00", "ETA 0:41"]


def test_before_there_is_a_run() -> None:
    assert counters(Monitor()) == ["starting the engine"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (7.4, "0:07"),
        (59.6, "1:00"),
        (754, "12:34"),
        (3723, "1:02:03"),
        (360000, "100:00:00"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1.25, "1.2"), (12345, "12,345"), (999_999, "999,999"), (1.25e6, "1.2 M")]
)
def test_quantities(value: float, text: str) -> None:
    assert quantity(value) == text


@pytest.mark.parametrize(
    ("done", "total", "percent"),
    [(0, 10, "0%"), (5, 10, "50%"), (10, 10, "100%"), (12, 10, "100%"), (0, 0, "0%")],
)
def test_the_bar_never_leaves_its_width(done: int, total: int, percent: str) -> None:
    for width in range(10, 41):
        text = bar(done, total, width, "blue").plain
        assert text.endswith(percent)
        assert len(text) == width


class Lines(App[None]):
    def compose(self) -> ComposeResult:
        yield RunTitle()
        yield Counters()


@pytest.mark.parametrize("width", [8, 20, 40, 60, 80, 120, 200])
async def test_what_does_not_fit_is_left_out_least_important_first(width: int) -> None:
    app = Lines()
    async with app.run_test(size=(width, 4)) as pilot:
        found = monitor("running", 1150)
        found.hear(Progress(1160, 3, 222, 1151, np.ones(10), Epochs(), 0.01, 0.05))
        app.query_one(Counters).show(found)
        app.query_one(RunTitle).show(found, "mnist · 512 relu → 10 softmax")
        await pilot.pause()
        shown = str(app.query_one(Counters).render())
        parts = counters(found)
        assert shown.startswith(parts[0])
        assert [part in shown for part in parts] == sorted(
            (part in shown for part in parts), reverse=True
        )
        if width >= 60:
            assert len(shown) <= width - 2
        assert ("ETA" in shown) == (width >= 120)
        assert "running" in str(app.query_one(RunTitle).render())


@pytest.mark.parametrize(
    "state", ["starting", "ready", "running", "paused", "stepping", "completed", "diverged", "dead"]
)
async def test_every_state_has_a_word_and_a_sign_of_its_own(state: Any) -> None:
    app = Lines()
    async with app.run_test() as pilot:
        found = monitor()
        found.state = state
        app.query_one(RunTitle).show(found, "title")
        await pilot.pause()
        sign, word, title = str(app.query_one(RunTitle).render()).split()
        assert (word, title) == (state, "title")
        assert not sign.isalnum()


def test_in_the_past_it_says_how_far_the_run_has_been() -> None:
    found = monitor("paused", 4999)
    found.tip = 5000
    assert "iteration 4,999 of 5,000 reached" in counters(found)[0]
