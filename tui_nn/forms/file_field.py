"""The path of a file: typed, or chosen among the files there are."""

from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.widgets import Button

from tui_nn.forms.field import TextField
from tui_nn.forms.files import data_to_open


class FileField(TextField):
    """What is chosen is written as seen from where the app was started, if it lies there."""

    def compose(self) -> ComposeResult:
        """A line of text, and below it a way to the files."""
        yield from super().compose()
        yield Button("Choose a file…", compact=True)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self._choose()

    @work
    async def _choose(self) -> None:
        here = Path.cwd()
        path = await data_to_open(self.app, _folder_of(Path(self._input.value), here))
        if path is not None:
            inside = path.is_relative_to(here)
            self._input.value = str(path.relative_to(here) if inside else path)
            self._input.focus()


def _folder_of(path: Path, here: Path) -> Path:
    return path.parent if path.parent.is_dir() and path.name else here
