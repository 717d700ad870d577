"""Waiting for what an app must come to show: as long as a slow machine needs, and no longer."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from textual._context import active_app
from textual.app import App
from textual.message_pump import MessagePump
from textual.pilot import Pilot

from tui_nn.modes.build import Build

PATIENCE = 30.0  # seconds after which what has not come will not come
CALM = 5  # turns of the event loop, in which what was sent (a key, a thread's notice) arrives
MANY = 1000  # looks, a second or more


def screen_text(app: App[Any]) -> str:
    """All text on the screen, line by line."""
    strips = app.screen._compositor.render_strips(app.screen.size)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(pilot: Pilot[Any], condition: Callable[[], Any], what: str = "") -> Any:
    """Wait until the condition holds and what goes with it has come. Returns what held.

    Fails with what the screen shows.
    """
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"in vain: {what}\n{screen_text(pilot.app)}")
        await pilot.pause(0.01)
    await pilot.pause()
    return found


async def settled(*_: object) -> bool:
    """Wait until the app has taken in all that it was told, and shows what came of it.

    It stands in for what Textual's pilot does after a key, a click, a pause: that lets every part
    take in what it was told, but not what they tell each other then, and looks whether the
    processor has little to do: it never has while a run is watched, and seems to where others keep
    it busy. An app that draws without a pause is left at work after many looks.
    """
    app = active_app.get()
    calm = looks = 0
    while calm < CALM and looks < MANY and app.is_running and app.screen_stack:
        calm, looks = 0 if _at_work(app) else calm + 1, looks + 1
        await asyncio.sleep(0 if calm else 0.001)
    return True


def _at_work(app: App[Any]) -> bool:
    """Whether a part of it does not just wait for its next message, moves or is yet to be drawn."""
    screen = app.screen
    return bool(
        any(part.is_running and not _waits(part) for part in (app, *app._registry))
        or any(_is_up(task) for task in asyncio.all_tasks() - {asyncio.current_task()})
        or app.animator._animations
        or app._resize_event
        or screen._layout_required
        or screen._repaint_required
        or screen._dirty_widgets
        or screen._callbacks
    )


def _waits(part: MessagePump) -> bool:
    return any(not one.done() for one in part._message_queue.ready_event._waiters)


def _is_up(task: "asyncio.Task[Any]") -> bool:
    """Whether it has something to do: what it waited for has come, or it waits for nothing."""
    waited_for = getattr(task, "_fut_waiter", None)
    return waited_for is None or waited_for.done()


def form_stands(build: Build, path: str) -> bool:
    """Whether the form of this part is there, ready to be typed into."""
    form = build._form
    if form is None or form.path != path or not form.is_mounted:
        return False
    return all(one.is_mounted for one in form.query("*"))
