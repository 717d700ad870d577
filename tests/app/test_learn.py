"""Learn mode on the real engine: what a person sees of a lesson, does in it, and finds again."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from learn_app import answer, at, learn
from textual.widgets import Input
from waiting import PATIENCE

from tui_nn.lessons import entries, load
from tui_nn.lessons.shelf import Shelf
from tui_nn.modes.learn import Learn
from tui_nn.widgets.lesson_list import LessonList
from tui_nn.widgets.story_page import StoryPage


async def test_all_lessons_are_listed_with_their_progress(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor, (120, 50)) as app:
        await learn(app, step=3)
        screen = app.screen()
        for entry in entries():
            assert entry.title[:20] in screen
        assert "L6 Backpropagation by hand" in screen
        assert "2/7 steps · 0/7 exercises" in screen  # the first and the third
        await app.press("escape", "home")
        await app.shows("enter goes on where you were")
        titles = next(one for one in entries() if one.name == "backpropagation").step_titles
        await app.shows(titles[-1])
        seen = [title for title in titles if f"  {title}" in app.screen()]
        assert seen == [*titles]
        marked = [line for line in app.screen().splitlines() if "✓" in line]
        assert [titles.index(title) for title in titles if any(title in m for m in marked)] == [
            0,
            2,
        ]
        await app.press("enter")
        await at(app, 3)


async def test_in_a_narrow_terminal_the_list_has_all_of_it(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor, (80, 24)) as app:
        await app.mode("6", "learn")
        await app.shows("L1 McCulloch-Pitts neurons")
        shelf = app.app.screen.query_one("#shelf")
        await app.until(lambda: shelf.region.width == 80, "a list over the whole width")


async def test_a_story_is_stepped_through_by_many_keys(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        mode = await learn(app)
        await app.shows("Six units, numbered straight through")
        for key, step in (
            ("n", 2), ("b", 1), ("right", 2), ("left", 1), ("enter", 2), ("b", 1), ("space", 2),
            ("n", 3), ("pageup", 2), ("pagedown", 3), ("right", 4), ("left", 3),
        ):  # fmt: skip
            if step == 2 and key == "enter":  # from here on a question is asked at steps 2 and 3
                assert not isinstance(mode.focused, Input)
            await app.press(key)
            await at(app, step)
        await app.press("escape", "escape")
        await app.until(lambda: isinstance(mode.focused, LessonList), "the list")


async def test_a_story_is_stepped_through_by_mouse(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        await learn(app)
        await click(app, "n ▸")
        await at(app, 2)
        await click(app, "◂ b")
        await at(app, 1)
        await click(app, "▱▱▱▱▱  n ▸")  # the third step: the first of five not seen
        await at(app, 3)
        await click(app, "L5 Forward passes")
        await app.shows("L5 Forward passes by hand ─")
        await at(app, 1)
        await click(app, "x open in Step mode")
        await app.until(lambda: app.app.current_mode == "step", "Step mode")


async def click(app: Any, text: str) -> None:
    """Click on the first cell of a text on the screen."""
    row, line = next((y, s) for y, s in enumerate(app.screen().splitlines()) if text in s)
    await app.pilot.click(offset=(line.index(text), row))
    await app.pilot.pause()


async def test_after_the_last_step_the_next_lesson_is_marked(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        mode = await learn(app, step=7)
        await app.press("n")
        await app.until(lambda: isinstance(mode.focused, LessonList), "the list")
        await app.shows("L7 Losses by hand")
        assert mode.query_one(LessonList).highlighted_option.id == "losses"


async def test_a_table_lays_the_slide_beside_the_program(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        await learn(app, step=7)
        name = "new(dense_1.bias)[0]"
        await app.shows(name)
        row = next(line for line in app.screen().splitlines() if name in line)
        words = row.strip("│ ").split("│")[-1].split()
        assert words == ["b4", "-0.408", "-0.407852", "≈", "rounded", "new(dense_1.bias)[0]"]
        await app.shows("· computed")
        mode = app.app.screen
        mode.action_shelf()
        await app.pilot.pause()
        await learn(app, "losses")
        await app.press("escape", "s", "s")
        await app.shows("✗ mismatch")
        await app.shows("add up to 1.4")


async def test_what_is_asked_is_hidden_until_it_is_answered(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        mode = await learn(app, step=2)
        assert isinstance(mode.focused, Input)
        await app.shows("What is net4")
        for figure in ("0.331812", "0.332", "0.525", "dense_1.z"):
            assert figure not in app.screen()
        await answer(app, "-0.7")
        await app.shows("✓ Right: -0.7.")
        await app.shows("✓ exact")
        await app.shows("And what does unit 4 put out?")
        assert "0.331812" not in app.screen()
        await answer(app, "0.33")
        await app.shows("≈ Right but rounded: the program has 0.331812.")
        await app.shows("0.525")
        await app.shows("2/7 exercises")
        await app.until(lambda: isinstance(mode.focused, StoryPage), "the story")
        await app.press("a")
        await app.shows("What is net4")
        assert "0.331812" not in app.screen()
        await app.shows("2/7 exercises")  # what was solved stays solved


async def test_wrong_answers_get_hints_and_then_an_offer(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        await learn(app, step=2)
        await answer(app, "-0.3")
        exercise = load("L6").steps[1].values[0].exercise
        assert exercise is not None
        mistakes = exercise.mistakes
        await app.shows(f"✗ -0.3: {mistakes[0].hint[:30]}")
        await app.shows("(after 2 wrong ones s shows it)")
        await app.press("s", "i")  # as yet it begins a formula
        await app.until(lambda: app.app.screen.focused.value == "si", "what is typed")
        await app.press("backspace", "backspace")
        await answer(app, "12")
        await app.shows("Multiply each input")
        await app.shows("(s shows the answer)")
        await app.press("s")
        await app.shows("And what does unit 4 put out?")
        await app.shows("✓ exact")
        await app.shows("0/7 exercises")  # shown is not solved
        await app.press("n")
        await at(app, 3)


async def test_an_answer_that_is_no_number_is_kept_to_be_mended(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        mode = await learn(app, step=2)
        await answer(app, "-0,7 volt")
        await app.shows("Type a number, as 0.25")
        assert mode.focused.value == "-0,7 volt"
        assert app.app.current_mode == "learn"
        await app.press("backspace", "backspace", "backspace", "backspace", "backspace", "enter")
        await app.shows("✓ Right: -0.7.")


async def test_progress_outlives_the_app(laboratory: Any, xor: Path, tmp_path: Path) -> None:
    async with laboratory(xor) as app:
        await learn(app, step=2)
        await answer(app, "-0.7")
        await app.shows("✓ Right")
    kept = json.loads((tmp_path / "progress.json").read_text())["lessons"]["backpropagation"]
    assert kept["seen"] == [0, 1]
    assert kept["solved"] == ["1.0"]
    async with laboratory(xor) as app:
        await app.mode("6", "learn")
        await app.shows("2/7 steps · 1/7 exercises")
        mode = app.app.screen
        mode.query_one(LessonList).highlighted = 5
        await app.press("enter")
        await at(app, 2)
        await app.shows("And what does unit 4 put out?")


async def test_leaving_while_a_lesson_is_worked_out_calls_that_off(
    laboratory: Any, xor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, done = threading.Event(), threading.Event()
    monkeypatch.setattr(Shelf, "read", lambda *_, **__: (reading.set(), done.wait(PATIENCE)))
    async with laboratory(xor) as app:
        await app.mode("6", "learn")
        await app.shows("L6 Backpropagation")
        await app.press("enter")
        await app.until(reading.is_set, "a lesson being read")
        app.app.exit()
        await app.until(lambda: not app.app.workers, "no worker left")
        done.set()


async def test_a_damaged_progress_file_is_put_aside(
    laboratory: Any, xor: Path, tmp_path: Path
) -> None:
    (tmp_path / "progress.json").write_text("{")
    async with laboratory(xor) as app:
        await app.mode("6", "learn")
        await app.until(
            lambda: any("could not be read" in said.message for said in app.app._notifications)
        )
        await app.press("enter")
        await app.until(lambda: app.app.screen._page, "a page")
    assert (tmp_path / "progress.json.damaged").read_text() == "{"
    assert json.loads((tmp_path / "progress.json").read_text())["lessons"]


@pytest.mark.parametrize(
    ("step", "slot", "unit", "shown"),
    [(2, "dense_1.h", 0, "0.3318"), (5, "dE/d(dense_1.z)", 1, "-0.006542")],
)
async def test_step_mode_opens_at_the_very_number(
    laboratory: Any, xor: Path, step: int, slot: str, unit: int, shown: str
) -> None:
    async with laboratory(xor) as app:
        await learn(app, step=step)
        before = app.desk.draft.tree
        await app.press("x")
        await app.until(lambda: app.app.current_mode == "step", "Step mode")
        await app.until(lambda: app.monitor.view and app.monitor.view.cursor, "the operation")
        listing, view = app.monitor.listing, app.monitor.view
        assert listing.outputs[view.cursor - 1] == slot
        assert view.iteration == 1
        await app.until(lambda: app.monitor.view.unit == unit, "its unit")
        await app.shows(shown)
        await app.shows("e = −∂E/∂z")  # as this course writes it
        assert app.monitor.opened.experiment["data"]["name"] == "given"
        await app.shows("What Build held comes back with ctrl+z")
        app.desk.draft.undo()
        assert app.desk.draft.tree == before
        await app.mode("6", "learn")
        await at(app, step)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 45), (40, 12)])
async def test_everything_can_be_reached_at_every_size(
    laboratory: Any, xor: Path, size: tuple[int, int]
) -> None:
    async with laboratory(xor, size) as app:
        mode = await learn_small(app)
        await app.shows("Forward: the hidden units")
        for key in ("your turn", "What is net4", "step 2/7"):
            await scroll_to(app, key)
        await answer(app, "-0.7")
        await app.until(lambda: mode._reading.asked.number == 2, "the second question")
        await app.press("escape", "home")
        await app.shows("L6 Backpropagation")


async def test_a_page_is_read_from_its_top_however_late_the_field_has_the_focus(
    laboratory: Any, xor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Textual scrolls to what has the focus: to nothing, where that is not laid out yet."""
    monkeypatch.setattr(Learn, "call_later", Learn.call_after_refresh)
    async with laboratory(xor, (40, 12)) as app:
        mode = await learn_small(app)
        await app.pilot.pause()
        assert "Forward: the hidden units" in app.screen()
        await answer(app, "-0.7")
        await app.until(lambda: mode._reading.asked.number == 2, "the second question")
        await app.pilot.pause()
        assert "Exercise 2 of 2" in app.screen()


async def scroll_to(app: Any, text: str) -> None:
    """Down until it is in view; where a slow screen has scrolled past it meanwhile, up again."""
    for key in ("down", "up", "down"):
        for _ in range(40):
            if text in app.screen():
                return
            await app.press(key)
    await app.shows(text)


async def learn_small(app: Any) -> Any:
    """The second step of L6, where the screen may be too small to say so."""
    await app.mode("6", "learn")
    mode = app.app.screen
    shelf = mode.query_one(LessonList)
    await app.until(lambda: shelf.option_count, "a list of lessons")
    shelf.highlighted = 5
    await app.press("enter")
    await app.until(lambda: mode._page and mode._page.title.startswith("The network"), "a page")
    await app.press("n")
    await app.until(lambda: isinstance(mode.focused, Input), "a question")
    return mode


async def test_every_page_of_every_lesson_is_told(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor, (80, 24)) as app:
        await app.mode("6", "learn")
        mode = app.app.screen
        await app.until(lambda: mode.query_one(LessonList).option_count, "a list of lessons")
        for entry in entries():
            mode._open(entry.name)
            for step in range(entry.steps):
                await at(app, step + 1)
                assert mode._page.title == mode._reading.story.lesson.steps[step].title
                await app.shows(mode._page.title.split()[0])
                mode.action_turn(1)
            await app.until(lambda: mode._reading is None, "the list")
