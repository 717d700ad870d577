"""Learn mode: the lessons, one step of a story at a time, with exercises."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.style import Style
from textual.widget import Widget
from textual.widgets import OptionList, Static

from tui_nn import lessons
from tui_nn.forms.files import lesson_to_open
from tui_nn.lessons import Entry
from tui_nn.modes.mode import Mode
from tui_nn.modes.reading import Reading
from tui_nn.walk import Walk
from tui_nn.widgets.exercise import Answer, ExerciseBox
from tui_nn.widgets.lesson_list import LessonList, done_text, number_text
from tui_nn.widgets.story_page import StoryPage
from tui_nn_datasets import DataError
from tui_nn_engine import Experiment
from tui_nn_engine.schema import ExperimentError

if TYPE_CHECKING:
    from tui_nn.lessons import Page, Progress, Verdict

PATIENCE: Final = 0.15  # seconds of computing before it is said that something is computed
VERDICTS: Final = {
    "right": ("✓", "$text-success"),
    "rounded": ("≈", "$text-success"),
    "wrong": ("✗", "$text-error"),
    "unreadable": ("!", "$text-warning"),
}
HELP: Final = """\
**A lesson is a story in steps.** Enter opens one, `n` goes on, `b` back, `home` to the list.

Where a number is asked for, type it: enter checks it. `n` goes on without an answer, `escape`
leaves the field. `x` shows the numbers of this step at work, in Step mode; `6` comes back here.

- ✓ exactly as printed
- ≈ equal at the printed digits
- ~ rounded along the way
- ✗ the slide has another number
- · computed, not printed
"""

Result = TypeVar("Result")
TakeApart = Callable[[Experiment, Walk], None]


class Learn(Mode):
    """The lessons at the left, the story at the right; one of them where it is narrow.

    `take_apart` opens Step mode where the lesson stands; `path` is a lesson file to begin with.
    """

    CSS_PATH = "learn.tcss"
    HELP = HELP
    BINDING_GROUP_TITLE = "Learn mode"
    name_of_mode = "learn"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-medium"), (150, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-normal"), (42, "-tall")]
    BINDINGS = [
        Binding("n,right,enter", "turn(1)", "next", tooltip="On to the next step"),
        Binding("b,left", "turn(-1)", "back", tooltip="Back to the step before"),
        Binding("home", "shelf", "lessons", tooltip="To the list of lessons"),
        Binding("x", "walk", "Step mode", tooltip="The numbers of this step at work"),
        Binding("s", "show", "show it", tooltip="Show the answer"),
        Binding("a", "again", "again", tooltip="Do the exercises of this step again"),
        Binding("o", "open", "open file", tooltip="A lesson of your own, by its file"),
        Binding("R", "reload", "read again", tooltip="Read the lesson's file again"),
        Binding("question_mark", "app.toggle_help", "help", key_display="?"),
        Binding("space,pagedown", "leaf(1)", "Down, then next", show=False),
        Binding("pageup", "leaf(-1)", "Up, then back", show=False),
        Binding("down", "scroll_page(1)", "Scroll down", show=False),
        Binding("up", "scroll_page(-1)", "Scroll up", show=False),
        Binding("escape", "out", "Out of the field, then to the list", show=False),
    ]

    def __init__(self, take_apart: TakeApart, path: Path | None = None) -> None:
        super().__init__()
        self._take_apart = take_apart
        self._file = path
        self._progress: Progress | None = None
        self._entries: list[Entry] = []
        self._files: dict[str, Path] = {}
        self._readings: dict[str, Reading] = {}
        self._reading: Reading | None = None
        self._page: Page | None = None
        self._saving = asyncio.Lock()
        self._unsaved = False

    def compose_mode(self) -> ComposeResult:
        """The list, and the page with its exercise and where one is."""
        with Horizontal(id="desk"):
            with Vertical(id="shelf") as shelf:
                shelf.border_title = "Lessons"
                yield LessonList()
            with Vertical(id="page"):
                yield Static("computing…", id="computing")
                yield StoryPage(id="story")
                yield ExerciseBox()
                yield Static(id="nav")

    def on_mount(self) -> None:
        """Fetch the lessons and what was done of them."""
        self._fetch()

    @work(group="page", exclusive=True)
    async def _fetch(self) -> None:
        self._entries = list(await asyncio.to_thread(lessons.entries))
        self._progress = await asyncio.to_thread(_progress)
        if self._progress.warning:
            self.notify(self._progress.warning, severity="warning", timeout=10)
        self._show_list(self._last_open())
        self.action_shelf()
        if self._file is not None:
            self._open(str(self._file))

    def _last_open(self) -> str | None:
        """The lesson that was read last is not known; the first that is not done is next."""
        progress = self._progress
        begun = [e.name for e in self._entries if progress and not _complete(e, progress)]
        return begun[0] if begun else None

    async def on_unmount(self) -> None:
        """What could not be written yet is written now."""
        if self._unsaved and self._progress is not None:
            self._progress.save()

    # -- the list -------------------------------------------------------------------------------

    def _show_list(self, current: str | None = None) -> None:
        if self._progress is not None:
            with self.prevent(OptionList.OptionHighlighted):
                self.query_one(LessonList).show(self._entries, self._progress, current)

    @property
    def _marked(self) -> Entry | None:
        marked = self.query_one(LessonList).highlighted
        return self._entries[marked] if marked is not None and self._entries else None

    @on(OptionList.OptionHighlighted)
    def _lesson_marked(self) -> None:
        if self._reading is None:
            self._show_cover()

    @on(OptionList.OptionSelected)
    def _lesson_chosen(self, event: OptionList.OptionSelected) -> None:
        self._open(event.option.id or "")

    @work(group="page", exclusive=True)
    async def _show_cover(self) -> None:
        entry, progress = self._marked, self._progress
        self.query_one("#page").border_title = ""
        if entry is None or progress is None:
            return
        title = f"{number_text(entry)} {entry.title}"
        begun = bool(progress.of(entry.name).seen)
        text = (
            f"{entry.summary}\n\n{done_text(entry, progress)}\n\n"
            f"**enter** {'goes on where you were' if begun else 'begins'}"
        )
        await self.query_one(StoryPage).show_text(title, text)
        self._show_exercise()
        self._show_nav()

    def action_shelf(self) -> None:
        """Back to the list."""
        self._reading = self._page = None
        self.remove_class("-reading")
        self.query_one(LessonList).focus()
        self._show_cover()
        self.refresh_bindings()

    # -- a lesson -------------------------------------------------------------------------------

    @work(group="page", exclusive=True)
    async def _open(self, name: str) -> None:
        """Open a lesson by its name or path, at the step it was left."""
        self.add_class("-reading")
        reading = self._readings.get(name)
        if reading is None:
            try:
                reading = await self._computed(partial(self._read, name))
            except (ExperimentError, DataError, lessons.UnknownLessonError, OSError) as error:
                await self._show_problems(name, error)
                return
            self._readings[name] = reading
        self._reading = reading
        if reading.path is not None:
            self._file = reading.path
            self._list_file(reading)
        self._show_list(reading.name)
        self._go_to(reading.step)

    def _read(self, name: str) -> Reading:
        """In a thread. A file's steps are all computed, so that all its problems are told."""
        assert self._progress is not None  # noqa: S101 - fetched before anything can be opened
        story = lessons.Story(lessons.load(name))
        path = Path(name).resolve() if name in self._files or _is_file(name) else None
        if path is not None:
            story.pages()
        return Reading(str(path or name), story, self._progress, path)

    def _list_file(self, reading: Reading) -> None:
        """A file of one's own stands below the others."""
        lesson = reading.story.lesson
        exercises = sum(value.exercise is not None for s in lesson.steps for value in s.values)
        entry = Entry(
            reading.name, lesson.number, lesson.title, lesson.summary, reading.steps, exercises
        )
        others = [one for one in self._entries if one.name != entry.name]
        self._entries = [*others, entry]

    async def _show_problems(self, name: str, error: Exception) -> None:
        self._reading = self._page = None
        if _is_file(name):
            self._file = Path(name)
        problems = getattr(error, "problems", None) or [error]
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        await self.query_one(StoryPage).show_problems(
            f"{Path(name).name} can't be told yet",
            f"It has {count}. Mend the file, then **R** reads it again; **home** leads to the "
            "lessons.",
            map(str, problems),
        )
        self.query_one("#page").border_title = ""
        self._show_exercise()
        self._show_nav()
        self.query_one(StoryPage).focus()
        self.refresh_bindings()

    @work(group="page", exclusive=True)
    async def _go_to(self, step: int) -> None:
        """Show a step; its figures are computed in a thread."""
        reading = self._reading
        if reading is None:
            return
        reading.go_to(step)
        lesson = reading.story.lesson
        number = f"L{lesson.number} " if lesson.number else ""
        self.query_one("#page").border_title = f"{number}{lesson.title}"
        self._show_nav()
        self.query_one(ExerciseBox).say("")
        try:
            self._page = await self._computed(partial(reading.story.page, reading.step))
        except (ExperimentError, DataError) as error:
            await self._show_problems(reading.name, error)
            return
        self._show_list(reading.name)
        await self._show_step(into_field=True)
        self.query_one("#page").scroll_home(animate=False)
        self._save_progress()

    async def _show_step(self, *, into_field: bool) -> None:
        reading, page = self._reading, self._page
        if reading is None or page is None:
            return
        asked = reading.asked
        await self.query_one(StoryPage).show(page, asked.value if asked else None)
        self._show_exercise(into_field=into_field)
        self._show_nav()
        self.refresh_bindings()

    async def _computed(self, work: Callable[[], Result]) -> Result:
        """What that comes to, computed in a thread; said to be, where it takes its time."""
        waiting = self.set_timer(PATIENCE, lambda: self.add_class("-computing"))
        try:
            return await asyncio.to_thread(work)
        finally:
            waiting.stop()
            self.remove_class("-computing")

    @work(group="progress")
    async def _save_progress(self) -> None:
        """In a thread, one after the other."""
        self._unsaved = True
        async with self._saving:
            progress = self._progress
            if not self._unsaved or progress is None:
                return
            self._unsaved = False
            now = replace(progress, lessons=dict(progress.lessons))
            wrong = await asyncio.to_thread(now.save)
        if wrong:
            self.notify(wrong, severity="warning")

    # -- where one is ---------------------------------------------------------------------------

    def _show_nav(self) -> None:
        nav, reading = self.query_one("#nav", Static), self._reading
        nav.display = reading is not None
        if reading is None:
            return
        seen = reading.seen
        bar: list[Content] = []
        for step in range(reading.steps):
            sign = "●" if step == reading.step else "▰" if step in seen else "▱"
            bar.append(_link(sign, f"go({step})"))
        nav.update(
            Content.assemble(
                _link("◂ b", "turn(-1)"), "  ", *bar, "  ", _link("n ▸", "turn(1)"),
                (f"   step {reading.step + 1}/{reading.steps}", "bold"),
                "   ", _link("x open in Step mode", "walk"),
            )
        )  # fmt: skip

    def action_turn(self, direction: int) -> None:
        """To the next step or the one before; from the last on to the list."""
        reading = self._reading
        if reading is None:
            if direction > 0 and (entry := self._marked) is not None:
                self._open(entry.name)
        elif 0 <= reading.step + direction < reading.steps:
            self._go_to(reading.step + direction)
        elif direction > 0:
            self._finish(reading)

    def _finish(self, reading: Reading) -> None:
        """After the last step: the next lesson is marked."""
        names = [entry.name for entry in self._entries]
        place = names.index(reading.name) + 1
        self.action_shelf()
        self._show_list(names[min(place, len(names) - 1)])
        self._show_cover()

    def action_go(self, step: int) -> None:
        """To that step."""
        self._go_to(step)

    def action_leaf(self, direction: int) -> None:
        """Scroll a page; at its end, turn it."""
        page = self._scrolling
        end = page.is_vertical_scroll_end if direction > 0 else page.scroll_y <= 0
        if end or self._reading is None:
            self.action_turn(direction)
        elif direction > 0:
            page.scroll_page_down(animate=False)
        else:
            page.scroll_page_up(animate=False)

    def action_scroll_page(self, direction: int) -> None:
        """Scroll the page, also from the answer's field."""
        self._scrolling.scroll_relative(y=direction, animate=False)

    @property
    def _scrolling(self) -> Widget:
        """The story; on a low screen all of the page, its exercise too."""
        return self.query_one("#page" if self.has_class("-short") else "#story")

    def action_out(self) -> None:
        """Out of the field; then back to the list."""
        if isinstance(self.focused, Answer):
            self.query_one(StoryPage).focus()
        elif not isinstance(self.focused, LessonList):
            self.action_shelf()

    # -- exercises ------------------------------------------------------------------------------

    def _show_exercise(self, *, into_field: bool = False) -> None:
        """Ask what there is to ask; `into_field`: there the keys go, for one will type a number."""
        box, reading, page = self.query_one(ExerciseBox), self._reading, self._page
        asked = reading.asked if reading else None
        if reading is None or page is None or (asked is None and not reading.can_ask_again):
            box.display = False
            if reading is not None:
                self.query_one(StoryPage).focus()
            return
        box.display = True
        if asked is None:
            box.rest("Exercise done: a asks again")
            self.query_one(StoryPage).focus()
            return
        value = page.values[asked.value].value
        box.ask(_title(asked.number, asked.count), asked.question, for_number=_is_number(value))
        if reading.offers_answer(asked.value):
            box.offer()
        if into_field:
            box.field.focus()

    @on(Answer.HandedOn)
    async def _handed_on(self, event: Answer.HandedOn) -> None:
        await self.run_action(event.action)

    @on(ExerciseBox.Submitted)
    def _submitted(self, event: ExerciseBox.Submitted) -> None:
        if event.text.strip():
            self._judge(event.text)
        else:
            self.query_one(ExerciseBox).say("n goes on without an answer", "dim")

    @work(group="page", exclusive=True)
    async def _judge(self, text: str) -> None:
        reading = self._reading
        asked = reading.asked if reading else None
        if reading is None or asked is None:
            return
        place = (reading.story, reading.step, asked.value)
        verdict: Verdict = await self._computed(partial(lessons.answer, *place, text))
        box = self.query_one(ExerciseBox)
        sign, style = VERDICTS[verdict.kind]
        if verdict.kind == "unreadable":
            box.say(f"{sign} {verdict.text}", style)
            return
        reading.answered(asked.value, solved=verdict.solved)
        self._save_progress()
        self._show_list(reading.name)
        if verdict.solved:
            box.say(f"{sign} {verdict.text}", style)
            await self._show_step(into_field=True)
            self._scrolling.scroll_end(animate=False)
            return
        offer = ""
        if reading.offers_answer(asked.value):
            box.offer()
            offer = "  (s shows the answer)"
        box.field.value = ""
        box.say(f"{sign} {text.strip()}: {verdict.text}{offer}", style)

    @work(group="page", exclusive=True)
    async def action_show(self) -> None:
        """Show the answer; it counts as solved only when it is found."""
        reading = self._reading
        asked = reading.asked if reading else None
        if reading is None or asked is None or self._page is None:
            return
        reading.show(asked.value)
        figure = self._page.values[asked.value]
        self.query_one(ExerciseBox).say(f"· {figure.label} = {figure.shown}", "dim")
        await self._show_step(into_field=isinstance(self.focused, Answer))
        self._scrolling.scroll_end(animate=False)

    @work(group="page", exclusive=True)
    async def action_again(self) -> None:
        """Ask once more what was answered."""
        if self._reading is not None:
            self._reading.ask_again()
            self.query_one(ExerciseBox).say("")
            await self._show_step(into_field=True)

    # -- files, Step mode -----------------------------------------------------------------------

    @work
    async def action_open(self) -> None:
        """Choose a lesson file."""
        folder = self._file.parent if self._file else Path.cwd()
        path = await lesson_to_open(self.app, folder)
        if path is not None:
            self.open_file(path)

    def open_file(self, path: Path) -> None:
        """Open a lesson file, read anew."""
        name = str(path.resolve())
        self._readings.pop(name, None)
        self._open(name)

    def action_reload(self) -> None:
        """Read the file again: its writer has changed it."""
        if self._file is not None:
            self.open_file(self._file)

    def action_walk(self) -> None:
        """To Step mode, at this very place."""
        reading = self._reading
        if reading is None:
            return
        experiment, when = reading.story.place(reading.step)
        slot = reading.story.lesson.steps[reading.step].slot
        self._take_apart(experiment, Walk(when.update, when.epochs, slot))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done now."""
        reading = self._reading
        match action:
            case "turn":
                return reading is not None or parameters == (1,)
            case "walk":
                return reading is not None
            case "shelf":
                return self.has_class("-reading")
            case "show":
                return reading is not None and self._page is not None and bool(reading.asked)
            case "again":
                return reading is not None and reading.can_ask_again
            case "reload":
                broken = reading is None and self.has_class("-reading")
                return self._file is not None and (broken or bool(reading and reading.path))
        return super().check_action(action, parameters)


def _progress() -> "Progress":
    return lessons.Progress.load()


def _complete(entry: Entry, progress: "Progress") -> bool:
    done = progress.of(entry.name)
    return len(done.seen) >= entry.steps and len(done.solved) >= entry.exercises


def _is_file(name: str) -> bool:
    return Path(name).suffix == ".toml" or "/" in name


def _is_number(value: object) -> bool:
    return not isinstance(value, str)


def _title(number: int, count: int) -> str:
    return f"Exercise {number} of {count}" if count > 1 else "Exercise"


def _link(text: str, action: str) -> Content:
    return Content.styled(text, Style.from_meta({"@click": f"screen.{action}"}))
