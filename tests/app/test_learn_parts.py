"""What Learn mode is made of, without the app: the way to an operation, a reading, its tables."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tui_nn.lessons import Figure, FigureTable, Progress, Story, load
from tui_nn.lessons.reading import Reading
from tui_nn.lessons.shelf import Shelf
from tui_nn.walk import Walk, look_at, operations_until
from tui_nn.widgets.figure_sheet import FigureGrid, FigureSheet
from tui_nn_engine import Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.sessions import protocol
from tui_nn_engine.sessions.protocol import LookAt
from tui_nn_engine.sessions.session import Session
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.stepview import StepView, listing

NOTATION = Notation("paper", "e", 4)


@pytest.fixture(scope="module")
def story() -> Story:
    """The lesson of backpropagation by hand."""
    return Story(load("L6"))


# -- the way to an operation ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slot", "operations"),
    [("x", 0), ("dense_1.z", 2), ("loss.E", 7), ("dE/d(dense_1.z)", 13), ("dense_1.kernel", 17)],
)
def test_a_slot_is_written_after_so_many_operations(
    story: Story, slot: str, operations: int
) -> None:
    found = listing(Stepper(Trainer(story.experiments["network"])))
    assert len(found.outputs) == 17
    assert operations_until(found, slot) == operations


@pytest.mark.parametrize(
    ("slot", "formulas", "at"),
    [
        ("dE/d(dense_1.z)", ["error(dense_1.z)[0, 1]"], LookAt("dense_1", 1)),
        ("dense_1.h", ["dense_2.z[0, 3]", "2*dense_1.h[4, 2]"], LookAt("dense_1", 2, 4)),
        ("dense_1.kernel", ["new(dense_1.kernel)[2, 1]"], LookAt("dense_1", 1, source=2)),
        ("dense_1.bias", ["new(dense_1.bias)[1]"], LookAt("dense_1", 1)),
        ("dE/d(dense_1.bias)", ["dense_1.z[3, 1]"], LookAt("dense_1", 1, 3)),
        ("dense_10.h", ["dense_1.h[0, 4]"], LookAt("dense_10")),
        ("x", ["x[0]"], LookAt()),
        ("", [], LookAt()),
    ],
)
def test_the_element_that_a_step_names_is_looked_at(
    slot: str, formulas: list[str], at: LookAt
) -> None:
    found = look_at(slot, formulas, NOTATION)
    assert found.notation is NOTATION
    assert (found.layer, found.unit, found.sample, found.source) == (
        at.layer, at.unit, at.sample, at.source
    )  # fmt: skip


@pytest.mark.parametrize(
    ("update", "epochs", "iteration"), [(1, None, 0), (4, None, 3), (None, 7, 7), (None, 100, 100)]
)
def test_a_walk_leads_to_its_operation(
    story: Story, tmp_path: Path, update: int | None, epochs: int | None, iteration: int
) -> None:
    """Also to the update after the last, and although the session was busy with another run."""
    said: list[Any] = []
    session = Session(said.append)
    experiment = story.experiments["network"].tree()
    session.handle(protocol.Open(experiment, str(tmp_path / "before")))
    session.handle(protocol.Step(3))
    said.clear()
    walk = Walk(update, epochs, "dense_2.h", LookAt())
    session.handle(protocol.Open(experiment, str(tmp_path / "run")))
    while not walk.arrived:
        if not said:
            session.work()
            continue
        command = walk.after(said.pop(0))
        if command is not None:
            session.handle(command)
    view = next(one for one in reversed(said) if isinstance(one, StepView))
    assert (view.iteration, view.cursor) == (iteration + 1, 6)


def test_what_is_shown_on_the_way_is_not_the_end(story: Story, tmp_path: Path) -> None:
    """Step mode lays each update open that it finds: also the first, before the walk went on."""
    said: list[Any] = []
    session = Session(said.append)
    session.handle(protocol.Open(story.experiments["network"].tree(), str(tmp_path / "run")))
    session.handle(protocol.Step(0))
    walk = Walk(9, None, "dense_2.h", LookAt())
    wanted = [walk.after(message) for message in said]
    assert [command for command in wanted if command] == [protocol.GoTo(8)]
    session.handle(protocol.Update())
    assert session.state == "paused"
    assert not any(walk.after(message) for message in said[len(wanted) :])
    assert not walk.arrived


def test_a_walk_ends_where_the_experiment_is_refused() -> None:
    walk = Walk(1, None, "dense_1.z", LookAt())
    assert walk.after(protocol.Refused("no")) is None
    assert walk.arrived


# -- a reading --------------------------------------------------------------------------------


def test_exercises_are_asked_one_after_the_other(story: Story, tmp_path: Path) -> None:
    reading = Reading("L6", story, Progress(tmp_path / "progress.json"))
    assert reading.asked is None
    reading.go_to(1)
    first = reading.asked
    assert first is not None
    assert (first.value, first.number, first.count) == (0, 1, 2)
    reading.answered(0, solved=False)
    assert not reading.offers_answer(0)
    reading.answered(0, solved=False)
    assert reading.offers_answer(0)
    reading.answered(0, solved=True)
    second = reading.asked
    assert second is not None
    assert second.number == 2
    reading.show(second.value)
    assert reading.asked is None
    reading.ask_again()
    assert reading.asked is not None
    assert not reading.offers_answer(0)


def test_what_was_solved_is_known_at_the_next_reading(story: Story, tmp_path: Path) -> None:
    progress = Progress(tmp_path / "progress.json")
    reading = Reading("L6", story, progress)
    reading.go_to(1)
    reading.answered(0, solved=True)
    reading.show(1)
    again = Reading("L6", story, progress)
    assert again.step == 1
    assert again.asked is not None
    assert again.asked.value == 1


@pytest.mark.parametrize(("asked", "step"), [(-3, 0), (99, 6)])
def test_no_step_lies_outside(story: Story, tmp_path: Path, asked: int, step: int) -> None:
    reading = Reading("L6", story, Progress(tmp_path / "progress.json"))
    reading.go_to(asked)
    assert reading.step == step


# -- the shelf --------------------------------------------------------------------------------


def test_the_first_lesson_that_is_not_done_is_next() -> None:
    shelf = Shelf()
    first, second = shelf.entries[:2]
    assert shelf.next_to_do == first.name
    for step in range(first.steps):
        shelf.progress.opened(first.name, step)
    assert shelf.next_to_do == first.name  # its exercises are not done
    for number in range(first.exercises):
        shelf.progress.answered(first.name, 0, number, solved=True)
    assert shelf.next_to_do == second.name
    assert shelf.after(first.name) == second.name
    assert shelf.after(shelf.entries[-1].name) == shelf.entries[-1].name


def test_a_lesson_once_opened_stays_as_it_was_left() -> None:
    shelf = Shelf()
    reading = shelf.read("backpropagation")
    reading.go_to(1)
    reading.show(0)
    assert shelf.read("backpropagation") is reading
    assert shelf.read("backpropagation", anew=True) is not reading


def test_a_file_has_a_progress_of_its_own(tmp_path: Path) -> None:
    """Though it is named like a lesson that comes with tui-nn; and it is listed once."""
    path = tmp_path / "backpropagation.toml"
    path.write_text(files("tui_nn.lessons").joinpath("backpropagation.toml").read_text("utf-8"))
    shelf = Shelf()
    count = len(shelf.entries)
    for _ in range(2):
        shelf.read(str(path), anew=True).go_to(3)
    assert [entry.name for entry in shelf.entries[count:]] == [str(path)]
    assert shelf.progress.of(str(path)).seen == (3,)
    assert shelf.progress.of("backpropagation").seen == ()


def test_progress_is_written_once(tmp_path: Path) -> None:
    shelf = Shelf()
    shelf.read("backpropagation").go_to(2)
    assert shelf.save() == ""
    file = shelf.progress.path
    assert Progress.load(file).of("backpropagation").step == 2
    file.unlink()
    assert shelf.save() == ""
    assert not file.exists(), "nothing is new"
    shelf.read("backpropagation").go_to(3)
    file.mkdir()
    assert "can't keep your progress" in shelf.save()


# -- tables -----------------------------------------------------------------------------------


def figure(label: str, shown: str, printed: str, grade: Any, **more: Any) -> Figure:
    """A figure as a story has it."""
    return Figure(label, f"slot({label})", 0.0, shown, printed, grade, grade, False, **more)


FIGURES = (
    figure("net4", "-0.7", "-0.7", "exact"),
    figure("share of the first", "0.591272", "0.7", "mismatch", why="They must add up to one."),
    figure("E", "0.138", "", "computed", note="what falls"),
)


def sheet(width: int, asked: int | None = None) -> list[str]:
    """Its lines."""
    made = FigureSheet()
    made._figures, made._asked = FIGURES, asked
    return [line.plain for line in made.lines(width)]


@pytest.mark.parametrize("width", [24, 40, 60, 80, 120])
def test_no_line_of_a_sheet_is_too_long(width: int) -> None:
    lines = sheet(width)
    assert max(map(len, lines)) <= width
    assert any("✗" in line and "0.591272" in line for line in lines)


def test_a_sheet_says_sign_word_and_reason() -> None:
    text = "\n".join(sheet(90))
    assert "✓ exact" in text
    assert "✗ mismatch" in text
    assert "↳ They must add up to one." in text
    assert "↳ what falls" in text
    assert "slot(net4)" in text
    assert "slot(net4)" not in "\n".join(sheet(44))


def test_a_sheet_keeps_what_is_asked_and_what_follows() -> None:
    text = "\n".join(sheet(90, asked=1))
    assert "-0.7" in text
    for hidden in ("0.591272", "0.7 ", "They must", "0.138", "E "):
        assert hidden not in text.replace("-0.7", "")
    assert "share of the first" in text
    assert "… 1 more figure after your answer" in text


def test_a_grid_marks_what_is_not_as_printed() -> None:
    rows = ((FIGURES[0], FIGURES[1]), (FIGURES[0], FIGURES[2]))
    grid = FigureGrid(FigureTable("Shares", ("a", "b"), ("", ""), ("first", "second"), rows))
    lines = [line.plain for line in grid.lines(80)]
    assert lines[0] == "Shares"
    assert "0.591272 ✗ 0.7" in lines[2]
    assert "-0.7  " in lines[2]
    assert "✓" not in lines[2]
    assert "0.138 ·" in lines[3]
    assert "✗ share of the first: slide 0.7, program 0.591272" in lines
    assert any("✓ as printed where nothing is marked" in line for line in lines)


def test_a_grid_says_once_what_holds_for_many() -> None:
    wrong = [replace(FIGURES[1], label=f"share {number}") for number in range(3)]
    rows = ((wrong[0], wrong[1]), (wrong[2], FIGURES[2]))
    grid = FigureGrid(FigureTable("Shares", ("a", "b"), ("", ""), ("first", "second"), rows))
    lines = [line.plain for line in grid.lines(80)]
    assert lines[2].count("0.591272 ✗ 0.7") == 2
    assert "✗ share 0 … share 2: 3 figures" in lines
    assert sum("They must add up to one." in line for line in lines) == 1
