"""The saved runs: read in a thread, and taken away so that it can be undone."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.training.claim import is_claimed
from tui_nn_engine.training.records import Record
from tui_nn_engine.training.runs import runs_folder

FILES = ("experiment.toml", "metrics.jsonl", "run.json", "about.json")
TRASH = ".deleted"
Stamp = tuple[tuple[int, int] | None, ...]


class Shelf:
    """All runs in the folder of runs, and those of comparisons. Not for the event loop."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Stamp, Record | None]] = {}
        self._trash: list[tuple[Path, Path]] = []

    @property
    def can_undo(self) -> bool:
        """Whether a run was deleted that can be brought back."""
        return bool(self._trash)

    def read(self) -> tuple[Record, ...]:
        """The runs, newest first, those of a comparison as its file has them.

        Only what has changed is read anew.
        """
        found: dict[Path, tuple[Stamp, Record | None]] = {}
        for folder in _folders():
            stamp = tuple(_stamp(folder / name) for name in FILES)
            known = self._known.get(folder)
            if known is None or known[0] != stamp:
                known = stamp, _read(folder)
            found[folder] = known
        self._known = found
        newest: dict[Path, int] = {}
        for folder, (stamp, _) in found.items():
            newest[_group(folder)] = max(newest.get(_group(folder), 0), _newest(stamp))
        records = [record for _, record in found.values() if record is not None]
        records.sort(key=lambda one: (-newest[_group(one.folder)], one.label.place))
        return tuple(records)

    def delete(self, folder: Path) -> None:
        """Move it where it is kept until the app ends. Raises OSError, while it is trained too."""
        if is_claimed(folder):
            raise BlockingIOError(
                f"{folder.name} is being trained; end that first (a comparison: c stops it)"
            )
        trash = runs_folder() / TRASH
        trash.mkdir(parents=True, exist_ok=True)
        place = trash / f"{len(self._trash)}-{folder.name}"
        while place.exists():
            place = place.with_name(f"{place.name}-")
        folder.rename(place)
        self._trash.append((folder, place))

    def undo(self) -> Path | None:
        """Bring back the run deleted last. Raises OSError, also where its place is taken."""
        if not self._trash:
            return None
        folder, place = self._trash[-1]
        if folder.exists():
            raise FileExistsError(f"{folder} exists again; move it away first")
        folder.parent.mkdir(parents=True, exist_ok=True)
        place.rename(folder)
        self._trash.pop()
        return folder

    def empty_trash(self) -> None:
        """What was deleted is gone for good."""
        for _, place in self._trash:
            shutil.rmtree(place, ignore_errors=True)
        self._trash.clear()
        with suppress(OSError):
            (runs_folder() / TRASH).rmdir()


def title_of(record: Record) -> str:
    """What it is called; a run of a comparison that has no name is called like the comparison."""
    if record.label.name:
        return record.label.name
    return _group(record.folder).name


def _folders() -> Iterator[Path]:
    """Of runs, and of the runs of comparisons, which lie one folder deeper."""
    for pattern in ("*/experiment.toml", "*/*/experiment.toml"):
        with suppress(OSError):
            for path in runs_folder().glob(pattern):
                parts = path.parent.relative_to(runs_folder()).parts
                if not any(part.startswith(".") for part in parts):
                    yield path.parent


def _read(folder: Path) -> Record | None:
    with suppress(ExperimentError):
        return Record.read(folder)
    return None


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _group(folder: Path) -> Path:
    """The folder of the comparison that a run belongs to, else its own."""
    return folder if folder.parent == runs_folder() else folder.parent


def _newest(stamp: Stamp) -> int:
    """When training last said something; a name given later moves nothing."""
    return max((one[0] for one in stamp[:-1] if one is not None), default=0)
