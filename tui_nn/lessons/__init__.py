"""Lessons: worked examples, told in steps, their figures graded against the running network.

`entries()` lists them without loading the engine; the rest is imported when it is first asked for:

    story = Story(load("backpropagation"))     # or "L6", or the path of a file
    page = story.page(0)                       # text, figures, tables, curves of the first step
    verdict = answer(story, 0, 2, "0.332")     # the exercise of lesson.steps[0].values[2]
    experiment, when = story.place(0)          # what Step mode opens, and the moment it goes to
    progress = Progress.load()                 # what was done before

`page`, `answer` and `load` compute: call them in a worker thread, not on the event loop.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tui_nn.lessons.library import Entry, UnknownLessonError, entries, find, load, name_of

if TYPE_CHECKING:
    from tui_nn.lessons.curves import Curves
    from tui_nn.lessons.exercises import Verdict, answer
    from tui_nn.lessons.lesson import Lesson
    from tui_nn.lessons.progress import Progress
    from tui_nn.lessons.story import Figure, FigureTable, Page, Story

_LATER = {
    "Curves": "curves",
    "Figure": "story",
    "FigureTable": "story",
    "Lesson": "lesson",
    "Page": "story",
    "Progress": "progress",
    "Story": "story",
    "Verdict": "exercises",
    "answer": "exercises",
}

__all__ = [
    "Curves",
    "Entry",
    "Figure",
    "FigureTable",
    "Lesson",
    "Page",
    "Progress",
    "Story",
    "UnknownLessonError",
    "Verdict",
    "answer",
    "entries",
    "find",
    "load",
    "name_of",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(f"tui_nn.lessons.{_LATER[name]}"), name)
    raise AttributeError(name)
