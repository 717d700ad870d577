"""An app of nothing but Build mode, what a test sees of it, and ways to a part's form."""

from textual.app import App
from textual.pilot import Pilot
from textual.widgets import OptionList
from waiting import form_stands, until

from tui_nn.draft import Draft
from tui_nn.forms.field import Field
from tui_nn.forms.parts import PartList
from tui_nn.modes.build import Build
from tui_nn.review import Review
from tui_nn.starters import starters


class BuildApp(App[None]):
    """Build mode on a draft, xor unless told otherwise; keeps what was said of the draft."""

    def __init__(self, draft: Draft | None = None) -> None:
        super().__init__()
        self.draft = draft or Draft(starters()["xor"])
        self.build = Build(self.draft)
        self.reviews: list[Review] = []

    def on_mount(self) -> None:
        self.push_screen(self.build)

    def on_build_changed(self, event: Build.Changed) -> None:
        self.reviews.append(event.review)

    @property
    def titles(self) -> list[str]:
        return [part.title for part in self.build.query_one(PartList).parts]

    @property
    def chosen(self) -> str:
        parts = self.build.query_one(PartList)
        assert parts.highlighted is not None, "no part is chosen"
        return parts.parts[parts.highlighted].title

    def field(self, path: str) -> Field:
        return next(one for one in self.build.query(Field) if one.path == path)

    def has_field(self, path: str) -> bool:
        return any(one.path == path and one.is_mounted for one in self.build.query(Field))


async def ready(pilot: Pilot[None], app: BuildApp) -> None:
    """Wait until the draft is checked and a form is there."""
    await until(pilot, lambda: app.reviews and app.build.query("#form-pane Field"))


async def go(pilot: Pilot[None], app: BuildApp, path: str) -> None:
    """Choose a part in the list and wait for its form."""
    listing = app.build.query_one(PartList)
    listing.focus()
    listing.highlighted = listing.index_of(path)
    await until(pilot, lambda: form_stands(app.build, path))
    await pilot.pause()


def prompts(listing: OptionList) -> list[str]:
    return [str(option.prompt) for option in listing.options]
