"""Learn mode: the lessons, one step of a story at a time, with exercises."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import OptionList

from tui_nn import lessons
from tui_nn.forms.files import lesson_to_open
from tui_nn.lessons.library import is_path
from tui_nn.lessons.reading import OFFER_AFTER, Reading
from tui_nn.lessons.shelf import Shelf
from tui_nn.modes.mode import Mode
from tui_nn.walk import Walk, look_at
from tui_nn.widgets.exercise import Answer, ExerciseBox
from tui_nn.widgets.lesson_list import LessonList, done_text, number_text, step_lines
from tui_nn.widgets.story_pane import StoryPane
from tui_nn_datasets import DataError
from tui_nn_engine import Experiment
from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.formulas.explanation import Notation

if TYPE_CHECKING:
    from tui_nn.lessons import Page, Verdict

PATIENCE: Final = 0.15  # seconds of computing before it is said that something is computed
VERDICTS: Final = {
    "right": ("✓", "$text-success"),
    "rounded": ("≈", "$text-success"),
    "wrong": ("✗", "$text-error"),
    "unreadable": ("!", "$text-warning"),
}
HELP: Final = f"""\
**A lesson is a story in steps.** Enter opens one, `n` goes on, `b` back, `home` to the list.

Where a number is asked for, type it: enter checks it. `n` goes on without an answer, `escape`
leaves the field. After {OFFER_AFTER} wrong answers `s` shows the right one; before, it begins a
formula. `x` shows the numbers of this step at work, in Step mode; `6` comes back here.

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
        self._shelf: Shelf | None = None
        self._reading: Reading | None = None
        self._page: Page | None = None

    def compose_mode(self) -> ComposeResult:
        """The list, and the page with its exercise and where one is."""
        with Horizontal(id="desk"):
            with Vertical(id="shelf") as shelf:
                shelf.border_title = "Lessons"
                yield LessonList()
            yield StoryPane()

    def on_mount(self) -> None:
        """Fetch the lessons and what was done of them."""
        self._fetch()

    @property
    def _pane(self) -> StoryPane:
        return self.query_one(StoryPane)

    @work(group="page", exclusive=True)
    async def _fetch(self) -> None:
        self._shelf = await asyncio.to_thread(Shelf)
        if self._shelf.progress.warning:
            self.notify(self._shelf.progress.warning, severity="warning", timeout=10)
        self._show_list(self._shelf.next_to_do)
        self.action_shelf()
        if self._file is not None:
            self._open(str(self._file))

    def on_unmount(self) -> None:
        """What is not written yet is written now."""
        if self._shelf is not None:
            self._shelf.save()

    # -- the list -------------------------------------------------------------------------------

    def _show_list(self, current: str) -> None:
        if self._shelf is not None:
            with self.prevent(OptionList.OptionHighlighted):
                self.query_one(LessonList).show(self._shelf.entries, self._shelf.progress, current)

    @on(OptionList.OptionHighlighted)
    def _lesson_marked(self) -> None:
        if self._reading is None:
            self._show_cover()

    @on(OptionList.OptionSelected)
    def _lesson_chosen(self, event: OptionList.OptionSelected) -> None:
        self._open(event.option.id or "")

    @work(group="page", exclusive=True)
    async def _show_cover(self) -> None:
        """What the marked lesson is about."""
        marked = self.query_one(LessonList).highlighted
        if self._shelf is None or marked is None:
            return
        entry, progress = self._shelf.entries[marked], self._shelf.progress
        seen = progress.of(entry.name).seen
        text = (
            f"{entry.summary}\n\n{done_text(entry, progress)}\n\n"
            f"**enter** {'goes on where you were' if seen else 'begins'}"
        )
        await self._pane.say(f"{number_text(entry)} {entry.title}", text, step_lines(entry, seen))

    def action_shelf(self) -> None:
        """Back to the list."""
        self._reading = self._page = None
        self.remove_class("-reading")
        self.query_one(LessonList).focus()
        self._show_cover()
        self.refresh_bindings()

    # -- a lesson -------------------------------------------------------------------------------

    @work(group="page", exclusive=True)
    async def _open(self, name: str, *, anew: bool = False) -> None:
        """Open a lesson by its name or path, at the step it was left."""
        if self._shelf is None:
            return
        self.add_class("-reading")
        try:
            reading = await self._computed(partial(self._shelf.read, name, anew=anew))
        except (ExperimentError, DataError) as error:
            await self._show_problems(name, error)
            return
        self._reading = reading
        self._file = reading.path or self._file
        self._show_list(reading.name)
        self._go_to(reading.step)

    async def _show_problems(self, name: str, error: Exception) -> None:
        self._reading = self._page = None
        if is_path(name):
            self._file = Path(name)
        problems = getattr(error, "problems", None) or [error]
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        await self._pane.say(
            f"{Path(name).name} can't be told yet",
            f"It has {count}. Mend the file, then **R** reads it again; **home** leads to the "
            "lessons.",
            [Content.assemble(("✗ ", "$text-error"), str(problem)) for problem in problems],
        )
        self._pane.page.focus(scroll_visible=False)
        self.refresh_bindings()

    @work(group="page", exclusive=True)
    async def _go_to(self, step: int) -> None:
        """Show a step; its figures are computed in a thread."""
        reading = self._reading
        if reading is None:
            return
        reading.go_to(step)
        self._page = None
        self._pane.head(reading)
        try:
            self._page = await self._computed(partial(reading.story.page, reading.step))
        except (ExperimentError, DataError) as error:
            await self._show_problems(reading.name, error)
            return
        self._show_list(reading.name)
        await self._tell(into_field=True)
        self._pane.to_top()
        self._save_progress()

    async def _tell(self, *, into_field: bool) -> None:
        if self._reading is not None and self._page is not None:
            await self._pane.tell(self._reading, self._page, into_field=into_field)
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
        if self._shelf is not None and (wrong := await asyncio.to_thread(self._shelf.save)):
            self.notify(wrong, severity="warning")

    # -- where one is ---------------------------------------------------------------------------

    def action_turn(self, direction: int) -> None:
        """To the next step or the one before; from the last on to the list."""
        reading = self._reading
        if reading is None:
            if direction > 0:
                self.query_one(LessonList).action_select()
        elif 0 <= reading.step + direction < reading.steps:
            self._go_to(reading.step + direction)
        elif direction > 0:
            self._finish(reading)

    def _finish(self, reading: Reading) -> None:
        """After the last step: the next lesson is marked."""
        if self._shelf is not None:
            self._show_list(self._shelf.after(reading.name))
            self.action_shelf()

    def action_go(self, step: int) -> None:
        """To that step."""
        self._go_to(step)

    def action_leaf(self, direction: int) -> None:
        """Scroll a page; at its end, turn it."""
        if self._reading is None or not self._pane.leaf(direction):
            self.action_turn(direction)

    def action_scroll_page(self, direction: int) -> None:
        """Scroll the page, also from the answer's field."""
        self._pane.scrolling.scroll_relative(y=direction, animate=False)

    def action_out(self) -> None:
        """Out of the field; then back to the list."""
        if isinstance(self.focused, Answer):
            self._pane.page.focus(scroll_visible=False)
        elif not isinstance(self.focused, LessonList):
            self.action_shelf()

    # -- exercises ------------------------------------------------------------------------------

    @on(Answer.HandedOn)
    async def _handed_on(self, event: Answer.HandedOn) -> None:
        await self.run_action(event.action)

    @on(ExerciseBox.Submitted)
    def _submitted(self, event: ExerciseBox.Submitted) -> None:
        if not event.text.strip():
            self._pane.exercise.say("n goes on without an answer", "dim")
        elif self._page is not None:
            self._judge(event.text)

    @work(group="page", exclusive=True)
    async def _judge(self, text: str) -> None:
        reading = self._reading
        asked = reading.asked if reading else None
        if reading is None or asked is None:
            return
        place = (reading.story, reading.step, asked.value)
        verdict: Verdict = await self._computed(partial(lessons.answer, *place, text))
        box = self._pane.exercise
        sign, style = VERDICTS[verdict.kind]
        if verdict.kind == "unreadable":
            box.say(f"{sign} {verdict.text}", style)
            return
        reading.answered(asked.value, solved=verdict.solved)
        self._save_progress()
        self._show_list(reading.name)
        if verdict.solved:
            box.say(f"{sign} {verdict.text}", style)
            await self._tell(into_field=True)
            self._pane.to_end()
            return
        key = "s" if box.field.for_number else "escape, then s,"  # which a word may begin with
        offer = f"after {OFFER_AFTER} wrong ones {key} shows it"
        if reading.offers_answer(asked.value):
            box.offer()
            offer = f"{key} shows the answer"
        box.field.value = ""
        box.say(f"{sign} {text.strip()}: {verdict.text}  ({offer})", style)

    @work(group="page", exclusive=True)
    async def action_show(self) -> None:
        """Show the answer; it counts as solved only when it is found."""
        reading = self._reading
        asked = reading.asked if reading else None
        if reading is None or asked is None or self._page is None:
            return
        reading.show(asked.value)
        figure = self._page.values[asked.value]
        self._pane.exercise.say(f"· {figure.label} = {figure.shown}", "dim")
        await self._tell(into_field=isinstance(self.focused, Answer))
        self._pane.to_end()

    @work(group="page", exclusive=True)
    async def action_again(self) -> None:
        """Ask once more what was answered."""
        if self._reading is not None:
            self._reading.ask_again()
            self._pane.exercise.say("")
            await self._tell(into_field=True)
            self._pane.to_end()

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
        self._open(str(path), anew=True)

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
        lesson = reading.story.lesson
        step, written = lesson.steps[reading.step], lesson.notation
        notation = Notation(written.names, written.error, written.digits)
        at = look_at(step.slot, (value.value for value in step.values), notation)
        self._take_apart(experiment, Walk(when.update, when.epochs, step.slot, at))

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
                return reading is not None and self._page is not None and reading.can_ask_again
            case "reload":
                broken = reading is None and self.has_class("-reading")
                return self._file is not None and (broken or bool(reading and reading.path))
        return super().check_action(action, parameters)
