"""The desk: the experiment being edited, the run being watched, and the engine that makes it.

What the app does not need for its first picture is imported here, not there.
"""

import asyncio
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from textual.app import App

from tui_nn.draft import Draft, Review
from tui_nn.lessons.library import is_lesson
from tui_nn.link import EngineDied, Link
from tui_nn.modes import MODES
from tui_nn.modes.mode import Mode
from tui_nn.modes.train import Train
from tui_nn.modes.transport import Transport
from tui_nn.monitor import Monitor
from tui_nn.outline import outline
from tui_nn.review import Tree
from tui_nn.saved_runs import saved_runs
from tui_nn.walk import Walk
from tui_nn.widgets.dialogs import Choose, Decide
from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.comparisons.comparison import is_comparison
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.sessions import protocol


class Desk:
    """What the modes are handed. `notify` is called, from a thread, when the engine has spoken.

    `path` is an experiment, lesson or comparison file or the folder of a run; None is the
    experiment everybody starts with.
    """

    def __init__(self, app: App[None], path: Path | None, notify: Callable[[], object]) -> None:
        self.app = app
        self.draft = Draft()
        self.monitor = Monitor()
        self.link = Link(notify)
        self.first_mode = "train"
        self._resume = path if path is not None and path.is_dir() else None
        self._lesson: Path | None = None
        self._comparison: Path | None = None
        self._walk: Walk | None = None
        self._early: list[protocol.Command] = []
        self._wanted: Experiment | None = None
        self._given: Experiment | None = None
        self._problems = ""
        self._told_of: Tree | None = None
        self._goes_on = False
        self._asking = False
        if path is not None and self._resume is None:
            self._open_file(path)
        try:
            self._wanted = Experiment.parse(self.draft.tree)
        except ExperimentError as error:
            self._problems, self.first_mode = str(error), "build"

    def _open_file(self, path: Path) -> None:
        try:
            if is_lesson(path):
                self._lesson, self.first_mode = path, "learn"
            elif is_comparison(path):
                self._comparison, self.first_mode = path, "compare"
            else:
                self.draft.open(path)
        except ExperimentError as error:
            self.app.notify(str(error), title=str(path), severity="error", timeout=15)

    def modes(self) -> dict[str, Callable[[], Mode]]:
        """How each mode is made; most are imported when they are first entered."""
        return {
            "build": self._build,
            "train": self._train,
            "step": self._step,
            "inspect": self._inspect,
            "compare": self._compare,
            "learn": self._learn,
        }

    def _build(self) -> Mode:
        from tui_nn.modes.build import Build

        return Build(self.draft)

    def _train(self) -> Mode:
        return Train(self.monitor, self.command, self.take_rate)

    def _step(self) -> Mode:
        from tui_nn.modes.step import Step

        return Step(self.monitor, self.command)

    def _inspect(self) -> Mode:
        from tui_nn.modes.inspect import Inspect

        return Inspect(self.monitor, self.command)

    def _compare(self) -> Mode:
        from tui_nn.modes.compare import Compare

        return Compare(self._is_open, self.build, self._comparison)

    def _is_open(self, folder: Path) -> bool:
        return self.monitor.opened is not None and Path(self.monitor.opened.folder) == folder

    def _learn(self) -> Mode:
        from tui_nn.modes.learn import Learn

        return Learn(self.take_apart, self._lesson)

    # -- the engine -----------------------------------------------------------------------------

    def start(self) -> None:
        """Start the engine on what the person came with, and meanwhile import the other modes."""
        self.app.run_worker(self._begin())

    async def _begin(self) -> None:
        await self._start_engine(self._resume)
        for mode in MODES:
            await asyncio.to_thread(import_module, f"tui_nn.modes.{mode}")

    def close(self) -> None:
        """Let the engine save and end; takes as long as that takes."""
        self.link.close()

    async def _start_engine(self, folder: Path | None = None) -> None:
        """Start it on the run in `folder` or the experiment; then follow keys come too early."""
        self.monitor.state = "starting"
        try:
            await asyncio.to_thread(self.link.start)
        except OSError as error:
            self.monitor.hear(EngineDied(error.errno or 1))
            self.app.notify(str(error), title="The engine can't be started", severity="error")
            return
        if folder is not None:
            self._go_on(folder)
        else:
            self._open_wanted()
        early, self._early = self._early, []
        for command in early:
            self.command(command)

    def _go_on(self, folder: Path) -> None:
        self._goes_on = True
        self.link.send(protocol.Open(folder=str(folder), resume=True))

    def _open_wanted(self) -> None:
        if self._wanted is None:
            self.monitor.state = "ready"  # for an experiment: Build says what is wrong with this
            self.show_run()
            return
        self._given = self._wanted
        self.link.send(protocol.Open(self._wanted.tree()))

    def hear(self) -> None:
        """Take in all that was said, then let the mode on screen show it, once."""
        died = False
        for message in self.link.drain():
            starting = self.monitor.state == "starting"
            self.monitor.hear(message)
            self._walk_on(message)
            match message:
                case EngineDied():
                    died = True
                case protocol.Refused():
                    self._resume, self._goes_on = None, False
                    self._given = None if starting else self._given
                    self._tell_refused(message.message)
                case protocol.Opened():
                    if self._goes_on and not message.iteration:
                        text = f"{message.folder}\nNone of its updates is saved there."
                        self.app.notify(text, title="This run begins anew", severity="warning")
                    self._goes_on = False
                    if self._resume is not None:
                        self._adopt(message)
        self.show_run()
        if died:
            self._ask_what_now()

    def _tell_refused(self, why: str) -> None:
        """Where a dialog is not open that says so itself."""
        from tui_nn.widgets.step_dialogs import Breakpoints

        if not isinstance(self.app.screen, Breakpoints):
            self.app.notify(why, severity="warning", timeout=8)

    def _walk_on(self, message: object) -> None:
        """On the way to a place that a lesson speaks of, ask for what comes next."""
        if self._walk is not None:
            command = self._walk.after(message)
            if command is not None:
                self.link.send(command)
            if self._walk.arrived:
                self._look_at(self._walk.at)
                self._walk = None

    def _look_at(self, at: protocol.LookAt) -> None:
        from tui_nn.modes.step import Step

        mode = self.app.screen_stack[0]
        if isinstance(mode, Step):
            mode.look_at(at)

    def _adopt(self, opened: protocol.Opened) -> None:
        """A resumed run brings its experiment."""
        self._resume = None
        self._given = self._wanted = Experiment.parse(opened.experiment)
        self.draft.replace(self._wanted)

    def show_run(self) -> None:
        """Let what is on screen show the run."""
        if not self.app.is_running:  # any more: the engine speaks on while the screens are closed
            return
        mode = self.app.screen_stack[0]  # also under a dialog
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
        text = f"{experiment.data.title} · {outline(experiment)}"
        return f"≠ Build: r starts it  {text}" if self._changed else text

    @property
    def _changed(self) -> bool:
        """Whether Build holds another experiment than the one that runs."""
        return self._wanted != self._given or bool(self._problems)

    def entered(self) -> None:
        """A mode is on screen, for the first time or again."""
        self.show_run()
        self._tell_of_changes()

    def _tell_of_changes(self) -> None:
        """Where the run is watched, that it is not what Build holds: once of each edit."""
        if not (self.app.is_running and self._changed and self._given and self.monitor.tip):
            return
        watched = isinstance(self.app.screen_stack[0], Transport)
        if watched and self._told_of != self.draft.tree:
            self._told_of = self.draft.tree
            text = f"What goes on is {self._given.data.title} · {outline(self._given)}."
            self.app.notify(text, title="Build holds another experiment: r starts it")

    def command(self, command: protocol.Command) -> None:
        """Pass on a command, after what must come first."""
        if self.monitor.state == "dead":
            self._ask_what_now()
            return
        if not self.link.alive:
            self._early.append(command)
            return
        if isinstance(command, protocol.Inspect):  # to look on is no step to anywhere
            self.link.send(command)
            return
        if not isinstance(command, protocol.LookAt) and command != protocol.Step(0):
            self._walk = None  # the person goes another way
        starts = isinstance(command, protocol.Restart) or not self._given or not self.monitor.tip
        if self._changed and starts:
            if self._problems:
                self.app.notify(
                    f"{self._problems}\nMend it in Build (1).",
                    title="This experiment can't be trained",
                    severity="error",
                    timeout=10,
                )
                return
            self._open_wanted()
            if isinstance(command, protocol.Restart):
                return
        self._tell_of_changes()
        self.link.send(command)

    def _ask_what_now(self) -> None:
        if not self._asking:
            self._asking = True
            self.app.run_worker(self._engine_died())

    async def _engine_died(self) -> None:
        opened, saved = self.monitor.opened, self.monitor.saved_iteration
        choices = {"again": "Start anew", "leave": "Leave it"}
        text = "What was trained since the start is lost; nothing was saved yet."
        if opened is not None and saved is not None:
            choices = {"resume": f"Go on from iteration {saved:,}", **choices}
            text = f"The last autosave is of iteration {saved:,}: {opened.folder}"
        answer = await self.app.push_screen_wait(Decide("The engine has died", text, choices))
        self._asking = False
        if answer in {"resume", "again"}:
            folder = Path(opened.folder) if opened and answer == "resume" else None
            await self._start_engine(folder)

    # -- what a person does ---------------------------------------------------------------------

    def edited(self, review: Review) -> None:
        """The experiment was edited: before the first update it is simply taken over."""
        self._problems = "\n".join(str(problem) for problem in review.problems[:3])
        if review.trainable is not None:
            self._wanted = review.trainable
            if self.monitor.tip == 0 and self._wanted != self._given and self.link.alive:
                self._open_wanted()
        self.entered()

    def take_apart(self, experiment: Experiment, walk: Walk) -> None:
        """Take a lesson's experiment apart in Step mode, where the walk ends."""
        if experiment.tree() != self.draft.tree:
            self.draft.start(experiment)
            self.app.notify(
                "What Build held comes back with ctrl+z there; 6 leads back to the lesson.",
                title="The lesson's own experiment is open",
                timeout=6,
            )
        self._wanted, self._problems = Experiment.parse(self.draft.tree), ""
        self._walk = walk
        if self.link.alive:
            self._open_wanted()
        self.app.switch_mode("step")

    def build(self, experiment: Experiment) -> None:
        """Take the experiment of a saved run into Build, as a new one."""
        self.draft.start(experiment)
        self._wanted, self._problems = Experiment.parse(self.draft.tree), ""
        self.app.notify("What Build held comes back with ctrl+z.", timeout=4)
        self.app.switch_mode("build")

    def take_rate(self, rate: float) -> None:
        """Learn at this rate: from the next update on; before the first, the experiment says so."""
        if self.monitor.tip or self._given is None or self._problems:
            self.command(protocol.SetLearningRate(rate))
            return
        self.draft.replace(with_rate(self._given, rate))
        self._wanted = Experiment.parse(self.draft.tree)
        self._open_wanted()

    def play(self) -> None:
        """Train on."""
        self.command(protocol.Play())

    async def leave(self) -> None:
        """End the app, unless the experiment has changes that are in no file and are wanted."""
        path = self.draft.path
        if self.draft.modified:
            choices = {"leave": "Leave without it", "stay": "Stay"}
            if path is not None:
                choices = {"save": f"Save {path.name} and leave", **choices}
            text = "Build has changes that are in no file (ctrl+s in Build saves them)."
            answer = await self.app.push_screen_wait(Decide("Leave?", text, choices))
            if answer not in {"save", "leave"}:
                return
            if answer == "save" and path is not None and not self._save(path):
                return
        self.app.exit()

    def _save(self, path: Path) -> bool:
        try:
            self.draft.save(path)
        except OSError as error:
            self.app.notify(str(error), title=f"{path} was not saved", severity="error")
            return False
        return True

    async def open_run(self) -> None:
        """Choose a saved run and go on with it."""
        found = await asyncio.to_thread(saved_runs)
        options = [(str(run.folder), run.label) for run in found]
        empty = "No run has been saved yet: each one saves itself while it trains."
        folder = await self.app.push_screen_wait(Choose("Go on with a saved run", options, empty))
        if folder is not None:
            self._resume = Path(folder)
            if self.link.alive:
                self._go_on(self._resume)
            else:
                await self._start_engine(self._resume)


def with_rate(experiment: Experiment, rate: float) -> Experiment:
    """With this learning rate, of its optimizer or its rule."""
    place = "optimizer" if experiment.rule is None else "rule"
    method = getattr(experiment, place).model_dump(
        mode="json", exclude_unset=True, exclude_none=True
    )
    return Experiment.parse(experiment.tree() | {place: {**method, "learning_rate": rate}})
