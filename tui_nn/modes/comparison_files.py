"""What Compare mode does with comparison files: run one, say how far it is, stop it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from textual import on, work
from textual.message import Message
from textual.notifications import SeverityLevel

from tui_nn.comparison_run import ComparisonRun, Standing, Stopped
from tui_nn.comparisons import said_of, shipped
from tui_nn.modes.mode import Mode

OTHER = "a file …"


class ComparisonFiles(Mode):
    """Runs files beside the app, in processes. Subclasses bind `run_file` and show how it goes."""

    @dataclass
    class _Told(Message):
        of: Standing | Stopped

    def __init__(self, file: Path | None = None) -> None:
        super().__init__()
        self._file = file
        self._comparisons: dict[Path, ComparisonRun] = {}
        self.standings: dict[Path, Standing] = {}

    def show_standings(self) -> None:
        """The standings have changed."""
        raise NotImplementedError

    def show_comparison(self, folder: Path) -> None:
        """A comparison has begun; its runs are kept there."""
        raise NotImplementedError

    def show_ranking(self) -> None:
        """All runs of a comparison have ended."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Run what the app was opened with."""
        if self._file is not None:
            self.run_comparison(self._file)

    async def on_unmount(self) -> None:
        """The runs under way are saved, and what was begun ends."""
        for comparison in self._comparisons.values():
            comparison.stop()
        for comparison in self._comparisons.values():
            await asyncio.to_thread(comparison.wait)

    @work
    async def action_run_file(self) -> None:
        """One that comes with tui-nn, or any other; one under way is stopped."""
        from tui_nn.forms.files import comparison_to_open
        from tui_nn.forms.picker import Picker

        running = {f"stop {path.name}": path for path in self._comparisons}
        known = {name: path for name, path in shipped().items() if path not in running.values()}
        options = {
            **{name: f"{_so_far(self.standings.get(path))}; what was trained is kept"
               for name, path in running.items()},
            **{name: said_of(path) for name, path in known.items()},
            OTHER: "with a section [compare] or [variants]",
        }  # fmt: skip
        choice = await self.app.push_screen_wait(Picker("Run a comparison file", options))
        if choice is None:
            return
        if choice in running:
            self._stop(running[choice])
            return
        path = known.get(choice) or await comparison_to_open(self.app, Path.cwd())
        if path is not None:
            self.run_comparison(path)

    def run_comparison(self, path: Path) -> None:
        """Run what of it has not ended yet; the runs appear in the list as they are trained."""
        path = path.resolve()
        if path in self._comparisons:
            self.notify(f"{path.name} is being run already.", timeout=3)
            return
        try:
            self._comparisons[path] = ComparisonRun(
                path, lambda told: self.post_message(self._Told(told))
            )
        except OSError as error:
            self.notify(str(error), title=f"{path.name} can't be run", severity="error")
            return
        self.standings[path] = Standing(path)
        self.show_standings()

    def _stop(self, path: Path) -> None:
        if path in self._comparisons:  # it may have ended under the dialog
            self._comparisons[path].stop()

    @on(_Told)
    def _told(self, event: _Told) -> None:
        if not self.app.is_running:
            return
        if isinstance(event.of, Standing):
            self._stands(event.of)
        else:
            self._stopped(event.of)

    def _stands(self, standing: Standing) -> None:
        begins = self.standings[standing.path].folder is None
        self.standings[standing.path] = standing
        self.show_standings()
        if begins and standing.folder is not None:
            self.show_comparison(standing.folder)

    def _stopped(self, stopped: Stopped) -> None:
        path = stopped.path
        del self._comparisons[path]
        standing = self.standings.pop(path)
        self.show_standings()
        if standing.best:
            self.show_ranking()
            title = f"{path.name}: all runs have ended, the best"
            self.notify(standing.best, title=title, timeout=8)
        if stopped.said:
            wanted = stopped.code > 128
            severity: SeverityLevel = "information" if wanted else "warning"
            self.notify(stopped.said, title=path.name, severity=severity, timeout=12)


def _so_far(standing: Standing | None) -> str:
    if standing is None or not standing.runs:
        return "it begins"
    return f"{standing.ended} of {standing.runs} runs have ended"
