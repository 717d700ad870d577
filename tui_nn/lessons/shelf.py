"""The lessons at hand: those that come with tui-nn, files of one's own, what is done of each."""

from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from tui_nn import lessons
from tui_nn.lessons import Entry
from tui_nn.lessons.library import is_path
from tui_nn.lessons.reading import Reading

if TYPE_CHECKING:
    from tui_nn.lessons import Progress
    from tui_nn.lessons.progress import Done


class Shelf:
    """Knows no screen. Making one, `read` and `save` read, compute and write: use a thread."""

    def __init__(self) -> None:
        self.entries = list(lessons.entries())
        self.progress: Progress = lessons.Progress.load()
        self._readings: dict[str, Reading] = {}
        self._saved: dict[str, Done] = dict(self.progress.lessons)
        self._saving = Lock()

    @property
    def next_to_do(self) -> str:
        """The first lesson that is not done."""
        names = [entry.name for entry in self.entries if not self.is_done(entry)]
        return names[0] if names else self.entries[0].name

    def after(self, name: str) -> str:
        """The lesson that follows; the last is followed by none but itself."""
        names = [entry.name for entry in self.entries]
        return names[min(names.index(name) + 1, len(names) - 1)]

    def is_done(self, entry: Entry) -> bool:
        """Whether every step was seen and every exercise solved."""
        done = self.progress.of(entry.name)
        return len(done.seen) >= entry.steps and len(done.solved) >= entry.exercises

    def read(self, name: str, *, anew: bool = False) -> Reading:
        """The lesson of that name or path, once opened as it was left, unless `anew`.

        A file's steps are all computed, so that all its problems are told at once. Raises
        ExperimentError, DataError.
        """
        path = Path(name).resolve() if is_path(name) else None
        key = str(path or name)
        if anew or key not in self._readings:
            story = lessons.Story(lessons.load(key))
            if path is not None:
                story.pages()
            self._readings[key] = Reading(key, story, self.progress, path)
            if path is not None:
                self._list_file(self._readings[key])
        for other, reading in self._readings.items():
            if other != key:
                reading.story.rest()
        return self._readings[key]

    def _list_file(self, reading: Reading) -> None:
        """A file of one's own stands below the others."""
        lesson = reading.story.lesson
        exercises = sum(value.exercise is not None for s in lesson.steps for value in s.values)
        titles = tuple(step.title for step in lesson.steps)
        entry = Entry(reading.name, lesson.number, lesson.title, lesson.summary, exercises, titles)
        self.entries = [*(one for one in self.entries if one.name != entry.name), entry]

    def save(self) -> str:
        """Keep what was done since the last time; returns what went wrong, or ""."""
        with self._saving:
            now = dict(self.progress.lessons)
            if now == self._saved:
                return ""
            self._saved = now
            return replace(self.progress, lessons=now).save()
