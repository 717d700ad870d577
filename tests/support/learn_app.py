"""Ways through Learn mode."""

from typing import Any

from tui_nn.lessons import entries
from tui_nn.widgets.lesson_list import LessonList


async def learn(app: Any, name: str = "backpropagation", step: int = 1) -> Any:
    """Learn mode, that lesson open at that step."""
    await app.mode("6", "learn")
    mode = app.app.screen
    shelf = mode.query_one(LessonList)
    await app.until(lambda: shelf.option_count, "a list of lessons")
    shelf.highlighted = [entry.name for entry in entries()].index(name)
    await app.press("enter")
    await at(app, 1)
    if step > 1:
        mode.action_go(step - 1)
        await at(app, step)
    return mode


async def at(app: Any, step: int) -> None:
    """Wait until a step stands on the screen, its exercise asked."""
    await app.shows(f"step {step}/")
    mode = app.app.screen
    await app.until(lambda: not any(w.is_running for w in mode.workers if w.group == "page"))
    await app.pilot.pause()


async def answer(app: Any, text: str) -> None:
    """Type an answer and have it checked."""
    keys = {".": "full_stop", "-": "minus", " ": "space"}
    await app.press(*(keys.get(letter, letter) for letter in text), "enter")
