"""Waiting for what an app must come to show: as long as a slow machine needs, and no longer."""

import time
from collections.abc import Callable
from typing import Any

from textual.app import App
from textual.pilot import Pilot

from tui_nn.modes.build import Build

PATIENCE = 30.0  # seconds after which what has not come will not come


def screen_text(app: App[Any]) -> str:
    """All text on the screen, line by line."""
    strips = app.screen._compositor.render_strips(app.screen.size)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(pilot: Pilot[Any], condition: Callable[[], Any], what: str = "") -> Any:
    """Wait until the condition holds; fails with what the screen shows. Returns what held."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"in vain: {what}\n{screen_text(pilot.app)}")
        await pilot.pause(0.01)
    return found


def form_stands(build: Build, path: str) -> bool:
    """Whether the form of this part is there, ready to be typed into."""
    form = build._form
    if form is None or form.path != path or not form.is_mounted:
        return False
    return all(one.is_mounted for one in form.query("*"))
