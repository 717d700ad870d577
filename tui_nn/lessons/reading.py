"""A lesson being read: at which step, what has been asked, what is still hidden. No screen."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_nn.lessons import Progress, Story

OFFER_AFTER = 2
"""Wrong answers to an exercise before the answer is offered."""


@dataclass(frozen=True)
class Asked:
    """The exercise to be answered now: of which value of the step, the how-manyth of how many."""

    value: int
    question: str
    number: int
    count: int


class Reading:
    """One lesson in the hands of one person. `name` is its own in `progress`."""

    def __init__(
        self, name: str, story: "Story", progress: "Progress", path: Path | None = None
    ) -> None:
        self.name, self.story, self.path = name, story, path
        self._progress = progress
        self.step = min(progress.of(name).step, len(story.lesson.steps) - 1)
        self._known = {
            (step, value)
            for step, block in enumerate(story.lesson.steps)
            for value in range(len(block.values))
            if progress.is_solved(name, step, value)
        }
        self._wrong: Counter[tuple[int, int]] = Counter()

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.story.lesson.steps)

    @property
    def seen(self) -> frozenset[int]:
        """The steps that were on the screen once."""
        return frozenset(self._progress.of(self.name).seen)

    def go_to(self, step: int) -> None:
        """Open that step."""
        self.step = min(max(step, 0), self.steps - 1)
        self._progress.opened(self.name, self.step)

    @property
    def asked(self) -> Asked | None:
        """The first exercise of this step whose answer is not known yet."""
        exercises = self._exercises
        for number, value in enumerate(exercises, start=1):
            if (self.step, value) not in self._known:
                block = self.story.lesson.steps[self.step].values[value]
                question = block.exercise.question if block.exercise else ""
                return Asked(value, question, number, len(exercises))
        return None

    @property
    def can_ask_again(self) -> bool:
        """Whether an exercise of this step is answered or shown."""
        return any((self.step, value) in self._known for value in self._exercises)

    def answered(self, value: int, *, solved: bool) -> None:
        """An exercise of this step was tried."""
        self._progress.answered(self.name, self.step, value, solved=solved)
        if solved:
            self._known.add((self.step, value))
        else:
            self._wrong[self.step, value] += 1

    def offers_answer(self, value: int) -> bool:
        """Whether there were wrong answers enough."""
        return self._wrong[self.step, value] >= OFFER_AFTER

    def show(self, value: int) -> None:
        """Give the answer away; the exercise counts as solved only when it was answered."""
        self._known.add((self.step, value))

    def ask_again(self) -> None:
        """Put the questions of this step once more; what was solved stays solved."""
        for value in self._exercises:
            self._known.discard((self.step, value))
            del self._wrong[self.step, value]

    @property
    def _exercises(self) -> list[int]:
        values = self.story.lesson.steps[self.step].values
        return [index for index, value in enumerate(values) if value.exercise is not None]
