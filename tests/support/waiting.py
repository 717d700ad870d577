"""Waiting for what an app must come to show: as long as a slow machine needs, and no longer."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual.css.query import NoMatches
from textual.pilot import Pilot
from textual_internals import Drawing, current_app, error_of, is_at_work, screen_text

from tui_nn.modes.build import Build

PATIENCE = 60.0
"""Seconds after which what has not come will not come."""
POLL = 0.005
"""Seconds between two looks at a condition; a look that takes long is repeated less often."""
CALM = 5
"""Turns of the event loop, in which what was sent (a key, a thread's notice) arrives."""
LIVE = (8, 1.0)
"""Frames and seconds after which an app that draws without a pause is left at work."""

drawing = Drawing()


async def until(pilot: Pilot[Any], condition: Callable[[], Any], what: str = "") -> Any:
    """Wait until the condition holds and what goes with it has come. Returns what held.

    A condition that asks for a widget not yet there does not hold. Fails with what the screen
    shows, and at once if the app has ended with an error.
    """
    end = time.monotonic() + PATIENCE
    while True:
        began = time.monotonic()
        if held := _holds(condition):
            await pilot.pause()
            return held
        app = pilot.app
        if (error := error_of(app)) is not None:
            raise AssertionError(f"the app ended while waiting for: {what}") from error
        if began > end:
            raise AssertionError(f"in vain: {what}\n{screen_text(app)}")
        await asyncio.sleep(max(POLL, 2 * (time.monotonic() - began)))


def _holds(condition: Callable[[], Any]) -> Any:
    try:
        return condition()
    except NoMatches:
        return None


async def settled(*_: object) -> bool:
    """Wait until the app has taken in all that it was told, and shows what came of it.

    An app that is never calm, because a run is watched on a machine that draws slowly, is left
    at work after some frames: tests wait for what they need with `until`.
    """
    app = current_app()
    began, frames, calm = time.monotonic(), drawing.frames, 0
    while calm < CALM and app.is_running and app.screen_stack:
        if is_at_work(app):
            calm = 0
            elapsed = time.monotonic() - began
            if elapsed > PATIENCE or (drawing.frames - frames >= LIVE[0] and elapsed > LIVE[1]):
                break
            await asyncio.sleep(0.001)
        elif drawing.catch_up(app):
            calm = 0
        else:
            calm += 1
            await asyncio.sleep(0)
    drawing.catch_up(app)
    return True


def form_stands(build: Build, path: str) -> bool:
    """Whether the form of this part is there, ready to be typed into."""
    form = build._form
    if form is None or form.path != path or not form.is_mounted:
        return False
    return all(one.is_mounted for one in form.query("*"))
