"""The app: modes, global keys, and the one place where the engine's messages arrive."""

import asyncio
import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.app import App
from textual.binding import Binding
from textual.message import Message
from tui_nn_engine import protocol
from tui_nn_engine.experiment import Experiment
from tui_nn_engine.schema import ExperimentError

from tui_nn.draft import Draft, Review
from tui_nn.link import EngineDied, Link
from tui_nn.modes.mode import Mode
from tui_nn.modes.transport import Transport
from tui_nn.monitor import Monitor
from tui_nn.saved_runs import saved_runs
from tui_nn.widgets.dialogs import Choose, Decide

if TYPE_CHECKING:
    from tui_nn.modes.build import Build


class EngineSpoke(Message):
    """The engine has said something; `Link.drain` has it."""


class Laboratory(App[None]):
    """The neural-network laboratory. `path` is an experiment file or the folder of a run."""

    TITLE = "tui-nn"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = [
        Binding("1", "switch_mode('build')", "Build", show=False),
        Binding("2", "switch_mode('train')", "Train", show=False),
        Binding("3", "switch_mode('step')", "Step", show=False),
        Binding("question_mark", "toggle_help", "Help", key_display="?", show=False),
        Binding("q", "quit", "Quit", show=False),
        Binding("f5", "train", "Train from anywhere", show=False),
    ]

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self._resume = path if path is not None and path.is_dir() else None
        self.draft = Draft()
        self._path = path if self._resume is None else None
        self.monitor = Monitor()
        self.link = Link(lambda: self.post_message(EngineSpoke()))
        self._early: list[protocol.Command] = []
        self._wanted: Experiment | None = None
        self._given: Experiment | None = None
        self._problems = ""
        self._asking = False

    def on_mount(self) -> None:
        """Modes, signals, the file, and, once the first picture stands, the engine."""
        self.add_mode("build", self._build)
        self.add_mode("train", self._train)
        self.add_mode("step", self._step)
        with contextlib.suppress(NotImplementedError):
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGTERM, lambda: self.exit(return_code=143))
        mode = "train"
        if self._path is not None:
            try:
                self.draft.open(self._path)
            except ExperimentError as error:
                self.notify(str(error), title=str(self._path), severity="error", timeout=15)
        try:
            self._wanted = Experiment.parse(self.draft.tree)
        except ExperimentError as error:
            self._problems, mode = str(error), "build"
        self.switch_mode(mode)
        self.call_after_refresh(self._start_engine, self._resume)

    # A mode is imported when it is first entered, so that the first picture comes soon.

    def _build(self) -> Mode:
        from tui_nn.modes.build import Build

        return Build(self.draft)

    def _train(self) -> Mode:
        from tui_nn.modes.train import Train

        return Train(self.monitor, self.command)

    def _step(self) -> Mode:
        from tui_nn.modes.step import Step

        return Step(self.monitor, self.command)

    async def on_unmount(self) -> None:
        """Let the engine save and end."""
        await asyncio.to_thread(self.link.close)

    # -- the engine -----------------------------------------------------------------------------

    @work
    async def _start_engine(self, folder: Path | None = None) -> None:
        """Start it on the run in `folder` or the experiment; then follow keys come too early."""
        self.monitor.state = "starting"
        try:
            await asyncio.to_thread(self.link.start)
        except OSError as error:
            self.monitor.hear(EngineDied(error.errno or 1))
            self.notify(str(error), title="The engine can't be started", severity="error")
            return
        if folder is not None:
            self.link.send(protocol.Open(folder=str(folder), resume=True))
        else:
            self._open_wanted()
        early, self._early = self._early, []
        for command in early:
            self.command(command)

    def _open_wanted(self) -> None:
        if self._wanted is None:
            self.monitor.state = "ready"  # for an experiment: Build says what is wrong with this
            return
        self._given = self._wanted
        self.link.send(protocol.Open(self._wanted.tree()))

    def on_engine_spoke(self) -> None:
        """Take in all that was said, then let the mode on screen show it, once."""
        died = False
        for message in self.link.drain():
            starting = self.monitor.state == "starting"
            self.monitor.hear(message)
            match message:
                case EngineDied():
                    died = True
                case protocol.Refused():
                    self._resume = None
                    self._given = None if starting else self._given
                    self.notify(message.message, severity="warning", timeout=8)
                case protocol.Opened() if self._resume is not None:
                    self._adopt(message)
        self.show_run()
        if died:
            self._engine_died()

    def _adopt(self, opened: protocol.Opened) -> None:
        """A resumed run brings its experiment."""
        self._resume = None
        self._given = self._wanted = Experiment.parse(opened.experiment)
        self.draft.replace(self._wanted)

    def on_mode_entered(self) -> None:
        """It shows the run as it now is."""
        self.show_run()

    def show_run(self) -> None:
        """Let what is on screen show the run."""
        mode = self.screen_stack[0]  # also under a dialog
        if not mode.is_mounted:
            return
        if isinstance(mode, Mode):
            mode.show_status(self.monitor, self._title())
        if isinstance(mode, Transport):
            mode.show_run()

    def _title(self) -> str:
        experiment = self._given
        if experiment is None:
            return "no network yet"
        text = f"{experiment.data.name} · {outline(experiment)}"
        if self._wanted != self._given or self._problems:
            text += "  (Build has changes: r starts anew with them)"
        return text

    def command(self, command: protocol.Command) -> None:
        """Pass on a command, after what must come first."""
        if self.monitor.state == "dead":
            self._engine_died()
            return
        if not self.link.alive:
            self._early.append(command)
            return
        changed = self._wanted != self._given or bool(self._problems)
        starts = (
            isinstance(command, protocol.Restart) or not self._given or not self.monitor.iteration
        )
        if changed and starts:
            if self._problems:
                self.notify(
                    f"{self._problems}\nMend it in Build (1).",
                    title="This experiment can't be trained",
                    severity="error",
                    timeout=10,
                )
                return
            self._open_wanted()
            if isinstance(command, protocol.Restart):
                return
        self.link.send(command)

    @work
    async def _engine_died(self) -> None:
        if self._asking:
            return
        self._asking = True
        opened, saved = self.monitor.opened, self.monitor.saved_iteration
        choices = {"again": "Start anew", "leave": "Leave it"}
        text = "What was trained since the start is lost; nothing was saved yet."
        if opened is not None and saved is not None:
            choices = {"resume": f"Go on from iteration {saved:,}", **choices}
            text = f"The last autosave is of iteration {saved:,}: {opened.folder}"
        answer = await self.push_screen_wait(Decide("The engine has died", text, choices))
        self._asking = False
        if answer in {"resume", "again"}:
            self._start_engine(Path(opened.folder) if opened and answer == "resume" else None)

    # -- what a person does ---------------------------------------------------------------------

    def on_build_changed(self, event: "Build.Changed") -> None:
        """The experiment was edited: before the first update it is simply taken over."""
        review: Review = event.review
        self._problems = "\n".join(str(problem) for problem in review.problems[:3])
        if review.trainable is not None:
            self._wanted = review.trainable
            if self.monitor.iteration == 0 and self._wanted != self._given and self.link.alive:
                self._open_wanted()
        self.show_run()

    def action_train(self) -> None:
        """Start training, wherever one is."""
        self.switch_mode("train")
        self.command(protocol.Play())

    @work
    async def action_open_run(self) -> None:
        """Choose a saved run and go on with it."""
        found = await asyncio.to_thread(saved_runs)
        options = [(str(run.folder), run.label) for run in found]
        empty = "No run has been saved yet: each one saves itself while it trains."
        folder = await self.push_screen_wait(Choose("Go on with a saved run", options, empty))
        if folder is not None:
            self._resume = Path(folder)
            if self.link.alive:
                self.link.send(protocol.Open(folder=folder, resume=True))
            else:
                self._start_engine(self._resume)

    def action_toggle_help(self) -> None:
        """All keys of what is focused, and of the mode."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()


def outline(experiment: Experiment) -> str:
    """The network in one line: 512 relu → 10 softmax."""
    parts = []
    for layer in experiment.layers:
        about = [str(getattr(layer, "units", "")) or layer.type]
        activation = getattr(layer, "activation", None)
        if activation is not None and activation.type != "linear":
            about.append(activation.type)
        parts.append(" ".join(about))
    return " → ".join(parts)
