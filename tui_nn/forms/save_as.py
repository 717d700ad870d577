"""Where to save."""

from textual.widgets import Input
from textual_fspicker import FileSave


class SaveAs(FileSave):
    """The library's dialog, with the name of the file to begin with: most type no more."""

    def on_mount(self) -> None:
        """The library focuses the list of files."""
        self.call_after_refresh(self.query_one(Input).focus)
