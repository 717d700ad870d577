"""Answers to exercises and the hints they get; progress that is kept and never lost."""

import json

import pytest

from tui_nn.lessons import Lesson, Progress, Story, answer, entries, load
from tui_nn.lessons.arithmetic import Expression
from tui_nn.lessons.exercises import NoNames

E6 = 3, 2  # step and value of the output error in L6: 0.131169, printed 0.1311


@pytest.fixture(scope="module")
def story() -> Story:
    return Story(load("backpropagation"))


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("0.131169", "right", "Right: 0.131169"),
        ("0.1312", "rounded", "Right but rounded: the program has 0.131169"),
        ("0,1312", "rounded", "Right but rounded"),
        (" .13 ", "rounded", "Right but rounded"),
        ("0.1311", "rounded", "rounded"),
        ("(1 - 0.474)*0.474*(1 - 0.474)", "rounded", "rounded"),
        ("-0.1312", "wrong", "this course takes t − y"),
        ("−0.131", "wrong", "this course takes t − y"),
        ("0.526", "wrong", "slope of the sigmoid"),
        ("0.249", "wrong", "One factor is missing"),
        ("0", "wrong", "(t − y)·y·(1 − y)"),
        ("7", "wrong", "(t − y)·y·(1 − y)"),
        ("", "unreadable", "Type a number"),
        ("zero", "unreadable", "Type a number"),
        ("1/0", "unreadable", "divides by zero"),
        ("9**9**9", "unreadable", "too large"),
        ("__import__('os')", "unreadable", "no meaning"),
    ],
)
def test_verdicts(story, text, kind, told):
    verdict = answer(story, *E6, text)
    assert (verdict.kind, told in verdict.text) == (kind, True), verdict
    assert verdict.solved == (kind in {"right", "rounded"})


def test_a_zero_is_exact_or_wrong(story):
    """w24 stays 0.4: nothing near it is right."""
    index = [v.label for v in story.lesson.steps[5].values].index("w24")
    assert answer(story, 5, index, "0.4").kind == "right"
    assert answer(story, 5, index, "0").kind == "wrong"
    assert answer(story, 5, index, "0.5").kind == "wrong"


def test_rows_and_words():
    story = Story(load("forward_passes"))
    assert answer(story, 1, 0, "2, -1").kind == "right"
    assert answer(story, 1, 0, "(2, -1)").kind == "right"
    assert answer(story, 1, 0, "(2, 0)").text.startswith("That is after the ReLU")
    for text, count in (("2", 1), ("2, -1, 0", 3)):
        verdict = answer(story, 1, 0, text)
        assert verdict.kind == "unreadable"  # no attempt: what was typed stays, to be gone on with
        told = f"Numbers asked for: 2, with a comma between them; you gave {count}."
        assert verdict.text == told


def test_the_sign_is_told_where_the_lesson_says_nothing_of_it(story):
    verdict = answer(story, 2, 0, "0.105")
    assert verdict.kind == "wrong"
    assert verdict.text.startswith("The size is right, the sign is not.")


def test_a_value_without_a_question_is_no_exercise(story):
    with pytest.raises(ValueError, match="no exercise"):
        answer(story, 0, 0, "1")


def exercises():
    for entry in entries():
        lesson = load(entry.name)
        for step, page in enumerate(lesson.steps):
            for value, block in enumerate(page.values):
                if block.exercise is not None:
                    yield pytest.param(entry.name, step, value, id=f"{entry.name} {step}.{value}")


_stories: dict[str, Story] = {}


@pytest.mark.parametrize(("name", "step", "value"), exercises())
def test_every_exercise_takes_its_answer_and_knows_its_mistakes(name, step, value):
    """What the program shows and what the slide prints is right, each mistake gets its own hint."""
    story = _stories.setdefault(name, Story(load(name)))
    block = story.lesson.steps[step].values[value]
    figure = story.page(step).values[value]
    assert answer(story, step, value, figure.shown).kind == "right"
    if block.printed and figure.grade != "mismatch":
        assert answer(story, step, value, block.printed).solved
    for mistake in block.exercise.mistakes:
        when = block.when(story.place(step)[1])
        wrong = Expression(mistake.value).result(story.names(when))
        text = repr(wrong) if isinstance(wrong, float) else str(wrong)
        verdict = answer(story, step, value, text)
        assert (verdict.kind, verdict.text) == ("wrong", mistake.hint)


def test_answers_may_calculate_but_not_ask_the_network():
    assert Expression("1/3 + ln(2)").result(NoNames()) == pytest.approx(1.026480513893279)


# -- progress ----------------------------------------------------------------------------------


def test_progress_is_kept(tmp_path):
    progress = Progress.load(tmp_path / "deep" / "progress.json")
    assert (progress.warning, progress.of("hebb").step) == ("", 0)
    progress.opened("hebb", 0)
    progress.opened("hebb", 1)
    progress.answered("hebb", 1, 0, solved=False)
    progress.answered("hebb", 1, 0, solved=True)
    assert progress.save() == ""
    again = Progress.load(tmp_path / "deep" / "progress.json")
    assert again.lessons == progress.lessons
    done = again.of("hebb")
    assert (done.step, done.seen, done.solved, done.attempts) == (1, (0, 1), ("1.0",), {"1.0": 2})
    assert again.is_solved("hebb", 1, 0)
    assert not again.is_solved("hebb", 1, 1)
    again.forget("hebb")
    assert again.of("hebb").seen == ()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"lessons": {"hebb": {"step": -1}}}', b"[" * 5000]
)
def test_a_damaged_file_is_put_aside_with_a_warning(tmp_path, content):
    path = tmp_path / "progress.json"
    for name in ("progress.json.damaged", "progress.json.damaged-2"):
        path.write_bytes(content)
        progress = Progress.load(path)
        assert progress.lessons == {}
        assert name in progress.warning
        assert (tmp_path / name).read_bytes() == content
    assert Progress.load(path).warning == ""


def test_a_disk_that_does_not_let_it_is_told(tmp_path):
    (tmp_path / "file").write_text("no folder")
    progress = Progress.load(tmp_path / "file" / "progress.json")
    progress.opened("hebb", 1)
    assert "can't keep your progress" in progress.save()


def test_where_it_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("TUI_NN_PROGRESS", str(tmp_path / "mine.json"))
    progress = Progress.load()
    progress.opened("hebb", 2)
    progress.save()
    assert json.loads((tmp_path / "mine.json").read_text())["lessons"]["hebb"]["step"] == 2


def test_a_lesson_with_no_exercises_is_a_lesson():
    lesson = Lesson.parse(load("backpropagation").model_dump(mode="json", exclude_unset=True))
    assert lesson == load("backpropagation")
