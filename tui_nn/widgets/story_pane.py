"""A story on the screen: one step of it, the exercise to be done, and where one is."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from tui_nn.widgets.exercise import ExerciseBox
from tui_nn.widgets.story_nav import StoryNav
from tui_nn.widgets.story_page import StoryPage

if TYPE_CHECKING:
    from tui_nn.lessons import Page
    from tui_nn.lessons.reading import Reading


class StoryPane(Vertical):
    """Page, exercise and steps, one below the other."""

    def compose(self) -> ComposeResult:
        """The page takes what room the others leave."""
        yield Static("computing…", id="computing")
        yield StoryPage()
        yield ExerciseBox()
        yield StoryNav()

    @property
    def page(self) -> StoryPage:
        """Text and figures."""
        return self.query_one(StoryPage)

    @property
    def exercise(self) -> ExerciseBox:
        """The question and its field."""
        return self.query_one(ExerciseBox)

    def head(self, reading: "Reading") -> None:
        """Say where one is; its page may yet have to be computed."""
        lesson = reading.story.lesson
        number = f"L{lesson.number} " if lesson.number else ""
        self.border_title = f"{number}{lesson.title}"
        self.exercise.say("")
        self._show_nav(reading)

    def _show_nav(self, reading: "Reading") -> None:
        nav = self.query_one(StoryNav)
        nav.display = True
        nav.show(reading.step, reading.steps, reading.seen)

    async def tell(self, reading: "Reading", page: "Page", *, into_field: bool) -> None:
        """Show a step as far as its exercises are answered.

        `into_field`: there the keys go, for one will type a number. What is in view stays: a focus
        that scrolls does so before the next layout or after it, as it happens.
        """
        asked, box = reading.asked, self.exercise
        await self.page.show(page, asked.value if asked else None)
        self._show_nav(reading)
        box.display = asked is not None or reading.can_ask_again
        if asked is None:
            box.rest("Exercise done: a asks again")
            self.page.focus(scroll_visible=False)
            return
        number = not isinstance(page.values[asked.value].value, str)
        title = f"Exercise {asked.number} of {asked.count}" if asked.count > 1 else "Exercise"
        box.ask(title, asked.question, for_number=number)
        if reading.offers_answer(asked.value):
            box.offer()
        if into_field:
            box.field.focus(scroll_visible=False)

    async def say(self, title: str, text: str, lines: Iterable[Content]) -> None:
        """Show words in place of a story, and lines below them."""
        self.border_title = ""
        self.exercise.display = self.query_one(StoryNav).display = False
        await self.page.show_text(title, text, lines)
        self.to_top()

    @property
    def scrolling(self) -> Widget:
        """What scrolls: the page, on a low screen all of it, its exercise too."""
        return self if self.show_vertical_scrollbar else self.page

    def to_top(self) -> None:
        """From where one reads."""
        self.scroll_home(animate=False)

    def to_end(self) -> None:
        """To the newest figure and the question, once they are laid out."""
        self.call_after_refresh(lambda: self.scrolling.scroll_end(animate=False))

    def leaf(self, direction: int) -> bool:
        """Scroll by so many pages; False at the end, where there is nothing to scroll."""
        part = self.scrolling
        if part.is_vertical_scroll_end if direction > 0 else part.scroll_y <= 0:
            return False
        part.scroll_relative(y=direction * max(part.size.height - 2, 1), animate=False)
        return True
