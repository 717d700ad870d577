"""The lessons there are, and how far one has come in each."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_nn.lessons import Entry

if TYPE_CHECKING:
    from tui_nn.lessons import Progress


def done_text(entry: Entry, progress: "Progress") -> str:
    """How far: "3/9 steps · 2/7 exercises", and ✓ where nothing is left."""
    done = progress.of(entry.name)
    steps, solved = min(len(done.seen), entry.steps), min(len(done.solved), entry.exercises)
    parts = [f"{steps}/{entry.steps} steps"]
    if entry.exercises:
        parts.append(f"{solved}/{entry.exercises} exercises")
    whole = steps == entry.steps and solved == entry.exercises
    return " · ".join(parts) + (" ✓" if whole else "")


def number_text(entry: Entry) -> str:
    """As the course counts: "L6"; a lesson without a number has a bullet."""
    return f"L{entry.number}" if entry.number else "•"


def step_lines(entry: Entry, seen: Collection[int]) -> list[Content]:
    """The steps of a lesson, one a line, those that were seen marked."""
    return [
        Content.assemble(
            ("✓ " if step in seen else "  ", "$text-success"), (f"{step + 1:>2}  ", "dim"), title
        )
        for step, title in enumerate(entry.step_titles)
    ]


class LessonList(OptionList):
    """Two lines a lesson. Choosing one (`OptionSelected`, its id is the lesson's name) opens it."""

    DEFAULT_CSS = """
    LessonList, LessonList:focus { border: none; padding: 0; background: transparent; }
    LessonList { text-wrap: nowrap; text-overflow: ellipsis; }
    LessonList > .option-list--option { padding: 0 1; }
    """

    def show(self, entries: Sequence[Entry], progress: "Progress", current: str) -> None:
        """Show them; `current` is the one marked."""
        names = [entry.name for entry in entries]
        self.set_options(Option(_lines(one, progress), id=one.name) for one in entries)
        if names:
            self.highlighted = names.index(current) if current in names else 0


def _lines(entry: Entry, progress: "Progress") -> Text:
    title = Text(overflow="ellipsis", no_wrap=True)
    title.append(f"{number_text(entry):>3} {entry.title}", "bold")
    return title.append(f"\n    {done_text(entry, progress)}", "dim")
