"""What a person answers to an exercise, judged: right, right but rounded, or a hint."""

import re
from dataclasses import dataclass
from typing import Literal

from tui_nn.lessons.arithmetic import Expression, FormulaError, Result
from tui_nn.lessons.grading import GRADES, Grade, grade, row, shown
from tui_nn.lessons.lesson import Exercise, Value
from tui_nn.lessons.story import Story

NEARLY = 0.02
"""An answer this near and right at its own digits is right but rounded; 0 is never 0.004."""
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


@dataclass(frozen=True)
class Verdict:
    """`kind` "unreadable" is no attempt: nothing could be made of the answer."""

    kind: Literal["right", "rounded", "wrong", "unreadable"]
    text: str

    @property
    def solved(self) -> bool:
        """Whether the value may be shown now."""
        return self.kind in {"right", "rounded"}


class NoNames:
    """An answer may calculate (1/3, ln(2)), but not ask the network."""

    def value(self, name: str) -> float:
        """There is none."""
        raise FormulaError(f"{name!r} is no number")

    def of(self, function: str, name: str) -> float:
        """There is none."""
        raise FormulaError(f"{function}({name}) is no number")


def answer(story: Story, step: int, value: int, text: str) -> Verdict:
    """Judge the answer to the exercise of `lesson.steps[step].values[value]`.

    The answer is a number, written with a point or a comma, or arithmetic on numbers; a row of
    them; or a word, as the value asks. Raises ValueError where there is no exercise,
    ExperimentError where the value itself can't be had.
    """
    block: Value = story.lesson.steps[step].values[value]
    if block.exercise is None:
        raise ValueError(f"steps[{step}].values[{value}] is no exercise")
    figure = story.page(step).values[value]
    right = figure.value
    try:
        given, written = _read(text, right)
    except FormulaError as problem:
        return Verdict("unreadable", f"That {problem}. Type a number, as 0.25 or -1/3.")
    if isinstance(given, tuple) and isinstance(right, tuple) and len(given) != len(right):
        asked = f"Numbers asked for: {len(right)}, with a comma between them"
        return Verdict("unreadable", f"{asked}; you gave {len(given)}.")
    if _equal(given, right) or written == figure.shown:
        return Verdict("right", f"Right: {figure.shown}.")
    if _nearly(written, given, right):
        return Verdict("rounded", f"Right but rounded: the program has {figure.shown}.")
    if block.printed and written == block.printed and figure.grade == "close":
        why = f" {block.why}" if block.why else ""
        return Verdict("rounded", f"As printed; the program has {figure.shown}.{why}")
    return Verdict("wrong", _hint(story, block.exercise, (step, value), written, given))


def _read(text: str, right: Result) -> tuple[Result, str]:
    """The answer as what the right one is, and as it was written. Raises FormulaError."""
    text = text.strip().replace("−", "-")
    if isinstance(right, str):
        return text, text
    if isinstance(right, tuple):
        items = [Expression(item).result(NoNames()) for item in row(text)]
        return tuple(item for item in items if isinstance(item, float)), text
    if _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    given = Expression(text).result(NoNames())
    return given, text


def _equal(given: Result, right: Result) -> bool:
    if isinstance(given, float) and isinstance(right, float):
        return abs(given - right) <= 1e-12
    if isinstance(given, tuple) and isinstance(right, tuple):
        return len(given) == len(right) and all(map(_equal, given, right))
    return given == right


def _nearly(written: str, given: Result, right: Result) -> bool:
    """Right at the digits that were written, or off by a little rounding on the way."""
    if isinstance(given, tuple) and isinstance(right, tuple):
        items = row(written)
        return len(given) == len(right) and all(
            _equal(g, r) or _nearly(w, g, r) for w, g, r in zip(items, given, right, strict=True)
        )
    if not (isinstance(given, float) and isinstance(right, float)):
        return False
    if right == int(right) or abs(given - right) > NEARLY * abs(right):
        return False  # a whole number is counted, not measured
    found: Grade = grade(right, written)
    if found == "mismatch":  # arithmetic, as 1/3: it has no digits of its own
        found = grade(right, shown(given, 3))
    return GRADES.index(found) <= GRADES.index("close")


def _hint(
    story: Story, exercise: Exercise, place: tuple[int, int], written: str, given: Result
) -> str:
    step, value = place
    when = story.lesson.steps[step].values[value].when(story.place(step)[1])
    right = story.page(step).values[value].value
    for mistake in exercise.mistakes:
        wrong = Expression(mistake.value).result(story.names(when))
        if _equal(given, wrong) or _nearly(written, given, wrong):
            return mistake.hint
    if _is_opposite(written, given, right):
        return f"The size is right, the sign is not. {exercise.hint}"
    return exercise.hint


def _is_opposite(written: str, given: Result, right: Result) -> bool:
    if not (isinstance(given, float) and isinstance(right, float) and given * right < 0):
        return False
    return _nearly(written.lstrip("+-"), abs(given), abs(right))
