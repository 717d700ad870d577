"""Asking for a file: which to open, where to save."""

from pathlib import Path
from typing import Any

from textual.app import App

from tui_nn.draft import Draft
from tui_nn.forms.picker import Picker


async def file_to_open(app: App[Any], draft: Draft) -> Path | None:
    """The file that was chosen, None if none was. To be awaited in a worker."""
    from textual_fspicker import FileOpen

    dialog = FileOpen(_folder(draft), title="Open an experiment", filters=_filters())
    path: Path | None = await app.push_screen_wait(dialog)
    return path


async def lesson_to_open(app: App[Any], folder: Path) -> Path | None:
    """The lesson file that was chosen, None if none was. To be awaited in a worker."""
    from textual_fspicker import FileOpen

    dialog = FileOpen(folder, title="Open a lesson", filters=_filters("Lessons"))
    path: Path | None = await app.push_screen_wait(dialog)
    return path


async def comparison_to_open(app: App[Any], folder: Path) -> Path | None:
    """The comparison file that was chosen, None if none was. To be awaited in a worker."""
    from textual_fspicker import FileOpen

    dialog = FileOpen(folder, title="Run a comparison file", filters=_filters("Comparisons"))
    path: Path | None = await app.push_screen_wait(dialog)
    return path


async def data_to_open(app: App[Any], folder: Path) -> Path | None:
    """The table or text that was chosen, None if none was. To be awaited in a worker."""
    from textual_fspicker import FileOpen

    filters = _filters("Data", ".csv", ".tsv", ".txt")
    path: Path | None = await app.push_screen_wait(
        FileOpen(folder, title="Your data", filters=filters)
    )
    return path


async def file_to_save(app: App[Any], draft: Draft) -> Path | None:
    """The file that was chosen; one that exists only after asking. To be awaited in a worker."""
    from tui_nn.forms.save_as import SaveAs

    name = draft.path.name if draft.path else "experiment.toml"
    dialog = SaveAs(_folder(draft), title="Save as", filters=_filters(), default_file=name)
    path: Path | None = await app.push_screen_wait(dialog)
    if path is None:
        return None
    path = path if path.suffix else path.with_suffix(".toml")
    if path.exists() and path != draft.path:
        answers = {"overwrite": f"what {path.name} holds is lost", "cancel": "leave it alone"}
        answer = await app.push_screen_wait(Picker(f"{path.name} exists", answers))
        return path if answer == "overwrite" else None
    return path


def _folder(draft: Draft) -> Path:
    return draft.path.parent if draft.path else Path.cwd()


def _filters(what: str = "Experiments", *suffixes: str) -> Any:
    from textual_fspicker import Filters

    wanted = suffixes or (".toml",)
    return Filters(
        (what, lambda path: path.suffix.lower() in wanted), ("All files", lambda _: True)
    )
