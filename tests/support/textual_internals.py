"""The private parts of Textual that the tests of the app lean on, all in one place.

Tried with Textual 8.2.4 to 8.2.8. A version that renames one of them breaks this module alone.
"""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from textual._compositor import Compositor
from textual._context import active_app
from textual.app import App, ScreenStackError
from textual.message_pump import MessagePump
from textual.pilot import Pilot

_render_update = Compositor.render_update


def current_app() -> App[Any]:
    """The app that the running task belongs to."""
    return active_app.get()


def screen_text(app: App[Any]) -> str:
    """All text on the screen, line by line."""
    strips = app.screen._compositor.render_strips(app.screen.size)
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def error_of(app: App[Any]) -> Exception | None:
    """The exception that ended the app, if one did."""
    return app._exception


def is_at_work(app: App[Any]) -> bool:
    """Whether a part of the app has something to do, moves, or is yet to be laid out."""
    try:
        screen = app.screen
    except ScreenStackError:
        return False
    return bool(
        any(part.is_running and not _is_waiting(part) for part in (app, *app._registry))
        or any(_can_go_on(task) for task in asyncio.all_tasks() - {asyncio.current_task()})
        or app.animator._animations
        or app._resize_event
        or screen._layout_required
        or screen._repaint_required
        or screen._dirty_widgets
        or screen._callbacks
    )


def _is_waiting(part: MessagePump) -> bool:
    return any(not one.done() for one in part._message_queue.ready_event._waiters)


def _can_go_on(task: "asyncio.Task[Any]") -> bool:
    """Whether what the task waits for has come, or it waits for nothing."""
    waits_for = getattr(task, "_fut_waiter", None)
    return waits_for is None or waits_for.done()


class Drawing:
    """Puts off composing a headless app's screen, which nobody sees, until a test looks.

    `frames` counts how often it would have been composed.
    """

    def __init__(self) -> None:
        self.frames = 0
        self._put_off: set[Compositor] = set()

    def catch_up(self, app: App[Any]) -> bool:
        """Compose what was put off for the current screen; whether there was anything."""
        with suppress(ScreenStackError):
            screen = app.screen
            if screen._compositor in self._put_off:
                self._put_off.clear()
                try:
                    _render_update(screen._compositor, screen_stack=app._background_screens)
                except Exception as error:  # as Textual does with a widget that cannot be drawn
                    app._handle_exception(error)
                return True
        return False

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put drawing off until the end of the test."""

        def render_update(
            compositor: Compositor, full: bool = False, *arguments: Any, **named: Any
        ) -> Any:
            if full:  # a screenshot
                return _render_update(compositor, full, *arguments, **named)
            self.frames += 1
            self._put_off.add(compositor)
            return None

        monkeypatch.setattr(Compositor, "render_update", render_update)


def replace_waiting(monkeypatch: pytest.MonkeyPatch, settled: Any) -> None:
    """Have Textual's pilot wait with `settled` after each key, click and pause.

    Its own waiting looks whether the processor is idle, which says nothing on a busy machine.
    """
    for module in ("textual.app", "textual.pilot"):
        monkeypatch.setattr(f"{module}.wait_for_idle", settled)
    monkeypatch.setattr(Pilot, "_wait_for_screen", settled)
