"""What the app works around in Textual stays worked around."""

import itertools

import pytest
from textual.app import App
from waiting import until

import tui_nn.textual_patches  # noqa: F401


async def test_a_timer_that_is_late_fires_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is put aside between two looks at the clock: Textual skips what it missed."""
    app, fired = App[None](), []
    async with app.run_test() as pilot:
        clock = itertools.count(step=0.5)
        monkeypatch.setattr("textual.timer._time.get_time", lambda: next(clock))
        app.set_timer(0.001, lambda: fired.append(1))
        await until(pilot, lambda: fired, "the timer")
