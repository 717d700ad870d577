"""A lesson that a teacher has written: opened, mended, read again, stepped into."""

from pathlib import Path
from typing import Any

import pytest
from learn_app import answer, at, learn
from textual.widgets import Input
from textual_fspicker import FileOpen

LESSON = """
number = 0
title = "Doubling"
summary = "A network of one weight"
notation = { names = "code", error = "e", digits = 3 }

[experiments.double]
dtype = "float64"
data = { name = "given", x = [[3]], y = [[7]], task = "regression" }
loss = { type = "half_squared_error" }
optimizer = { type = "sgd", learning_rate = 0.1 }
training = { epochs = 4, batch_size = 1, shuffle = false }

[[experiments.double.layers]]
type = "dense"
units = 1
use_bias = false
kernel_initializer = { type = "given", values = [[2]] }

[[steps]]
title = "Forwards"
text = "Two times **three**."
slot = "dense_1.z"
values = [{ label = "y", value = "y[0, 0]", printed = "6", grade = "exact" }]

[[steps]]
title = "Later"
text = "In the third update."
update = 3
slot = "dE/d(dense_1.z)"
values = [{ label = "e", value = "error(dense_1.z)[0, 0]" }]

[[steps]]
title = "In a word"
text = "Numbers have a type."
[[steps.values]]
label = "type"
value = "dtype(x)"
[steps.values.exercise]
question = "Which type?"
hint = "It takes 8 bytes."
"""


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    """A lesson of one's own."""
    path = tmp_path / "double.toml"
    path.write_text(LESSON)
    return path


async def test_a_lesson_of_ones_own_is_opened_by_path_and_read_again(
    laboratory: Any, lesson: Path
) -> None:
    async with laboratory(lesson) as app:
        assert app.app.current_mode == "learn"
        await at(app, 1)
        await app.shows("Two times three.")
        await app.shows("• Doubling")
        await app.press("n")
        await at(app, 2)
        lesson.write_text(LESSON.replace("In the third update.", "One update further."))
        await app.press("R")
        await app.shows("One update further.")
        await at(app, 2)


async def test_a_lesson_of_ones_own_is_chosen_among_files(
    laboratory: Any, xor: Path, lesson: Path
) -> None:
    async with laboratory(xor) as app:
        await learn(app)
        await app.press("o")
        await app.until(lambda: isinstance(app.app.screen, FileOpen), "a choice of files")
        await app.pilot.pause()
        field = app.app.screen.query_one(Input)
        field.focus()
        field.value = str(lesson)
        await app.press("enter")
        await app.shows("Two times three.")
        await app.press("home")
        await app.shows("• Doubling")
        await app.shows("1/3 steps · 0/1 exercises")


async def test_a_broken_lesson_shows_all_its_problems_until_it_is_mended(
    laboratory: Any, lesson: Path
) -> None:
    broken = LESSON.replace("units = 1", "units = 0").replace(
        '"error(dense_1.z)[0, 0]"', '"error(dense_7.h)"'
    )
    lesson.write_text(broken.replace('title = "Forwards"', 'tittle = "Forwards"'))
    async with laboratory(lesson) as app:
        await app.shows("double.toml can't be told yet")
        await app.shows("experiments.double.layers[0].units")
        await app.shows("steps[0].tittle")
        lesson.write_text(broken.replace("units = 0", "units = 1"))
        await app.press("R")
        await app.shows("steps[1].values[0].value: there is no error(dense_7.h)")
        lesson.write_text(LESSON)
        await app.press("R")
        await at(app, 1)
        await app.shows("Two times three.")


async def test_a_file_that_is_no_toml_is_told_line_and_column(
    laboratory: Any, lesson: Path
) -> None:
    lesson.write_text(LESSON.replace("update = 3", "update 3"))
    async with laboratory(lesson) as app:
        await app.shows("not a TOML file")
        await app.shows("line ")


async def test_step_mode_opens_in_a_later_update(laboratory: Any, lesson: Path) -> None:
    async with laboratory(lesson) as app:
        await at(app, 1)
        await app.press("n")
        await at(app, 2)
        await app.press("x")
        await app.until(lambda: app.monitor.view and app.monitor.view.cursor, "the operation")
        assert app.monitor.iteration == 2
        await app.shows("update 3")


async def test_letters_turn_pages_only_while_no_word_is_asked_for(
    laboratory: Any, lesson: Path
) -> None:
    async with laboratory(lesson) as app:
        await at(app, 1)
        await app.press("n", "n")
        await at(app, 3)
        field = app.app.screen.focused
        await app.press("n", "b", "x", "3")
        assert field.value == "nbx3"
        field.value = ""
        await answer(app, "float64")
        await app.shows("✓ Right: float64.")
