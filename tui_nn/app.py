"""The app: its first picture, global keys, and where messages from outside arrive.

It imports Textual alone. All else comes with the desk, after the first picture, in a thread.
"""

import asyncio
import contextlib
import gc
import os
import signal
import threading
import time
from collections.abc import Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.events import Key
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui_nn.modes import MODES
from tui_nn.textual_patches import keep_parsed_styles

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tui_nn.desk import Desk
    from tui_nn.modes.build import Build

TERMINATED = 143
OPENING = "[b]tui-nn[/b]\n\nthe neural-network laboratory opens …"


def _key_of_mode(number: int, name: str) -> Binding:
    action = f"switch_mode('{name}')"
    return Binding(str(number), action, name, show=False, tooltip=MODES[name])


class EngineSpoke(Message):
    """The engine has said something; the desk can hear it."""


class Laboratory(App[None]):
    """The neural-network laboratory. `path` is an experiment file or the folder of a run."""

    TITLE = "tui-nn"
    # Each mode names its own, too: but for one that comes later, Textual parses all it has anew.
    CSS_PATH = ["app.tcss", *(f"modes/{mode}.tcss" for mode in MODES)]
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = [
        *(_key_of_mode(number, name) for number, name in enumerate(MODES, 1)),
        Binding("q", "quit", "Quit", show=False),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True),
        Binding("f5", "train", "Train", show=False, tooltip="From anywhere"),
    ]

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        keep_parsed_styles(self.stylesheet)
        self._colours = self.get_css_variables()
        self.desk: Desk | None = None
        self._path = path
        self._early_keys: list[str] = []
        self._entered: set[str] = set()
        self._said: dict[tuple[str, str], float] = {}

    def compose(self) -> ComposeResult:
        """The first picture."""
        yield Static(OPENING, id="opening")

    def on_mount(self) -> None:
        """Understand the signal that asks to end."""
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._terminate)

    def _terminate(self) -> None:
        self.exit(return_code=TERMINATED)
        # Where the terminal is gone, Textual waits for it for ever.
        last_resort = threading.Timer(10.0, os._exit, [TERMINATED])
        last_resort.daemon = True
        last_resort.start()

    def on_ready(self) -> None:
        """The first picture stands: now all the rest."""
        self._open()

    @work
    async def _open(self) -> None:
        gc.disable()  # until the first mode stands: nothing of all this goes away
        module = await asyncio.to_thread(import_module, "tui_nn.desk")
        desk: Desk = module.Desk(self, self._path, lambda: self.post_message(EngineSpoke()))
        self.desk = desk
        for name, make in desk.modes().items():
            self.add_mode(name, make)
        await self.switch_mode(desk.first_mode)
        desk.start()
        for key in self._early_keys:
            self.simulate_key(key)

    async def on_unmount(self) -> None:
        """Let the engine save and end; leave the garbage collector as it was found."""
        gc.unfreeze()
        gc.enable()
        if self.desk is not None:
            await asyncio.to_thread(self.desk.close)

    def exit(
        self, result: None = None, return_code: int = 0, message: "RenderableType | None" = None
    ) -> None:
        """Leave; what is still under way is called off, so that it meets no half a screen."""
        self.workers.cancel_all()
        super().exit(result, return_code, message)

    def _handle_exception(self, error: Exception) -> None:
        """Who leaves is not told what a mode that was just being put up lacks.

        From `exit` on Textual mounts nothing more: whatever looks for its parts then finds none.
        """
        if not (self._exit and isinstance(error, NoMatches)):
            super()._handle_exception(error)

    def refresh_css(self, animate: bool = True) -> None:
        """Parse all styles anew where a colour has changed.

        Textual asks for it whenever a mode is entered, for each new one twice; a screen that is
        entered has its styles applied anyway.
        """
        colours = self.get_css_variables()
        if colours != self._colours:
            self._colours = colours
            super().refresh_css(animate)

    # -- messages -------------------------------------------------------------------------------

    def on_engine_spoke(self) -> None:
        """From the engine's listener."""
        if self.desk is not None:
            self.desk.hear()

    def on_mode_entered(self) -> None:
        """A mode shows the run as it now is."""
        if self.desk is not None:
            self.desk.entered()
        if self.current_mode not in self._entered:
            self._entered.add(self.current_mode)
            self.call_after_refresh(self._stay)

    def _stay(self) -> None:
        """What a new mode has brought stays: to look through it for garbage again and again would
        stop the screen for a tenth of a second each time.
        """
        gc.freeze()
        gc.enable()

    def on_build_changed(self, event: "Build.Changed") -> None:
        """The experiment was edited."""
        if self.desk is not None:
            self.desk.edited(event.review)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002  a path or an error may hold brackets
    ) -> None:
        """Say it, but not again while it still stands there."""
        now = time.monotonic()
        if self._said.get((title, message), 0.0) < now:
            lasting = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
            self._said[title, message] = now + lasting
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    # -- keys -----------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Before the desk stands, keys are kept for it, but for the one that leaves."""
        return self.desk is not None or action in {"quit", "help_quit"}

    def on_key(self, event: Key) -> None:
        """Keep what is pressed too early."""
        if self.desk is None:
            self._early_keys.append(event.key)

    async def action_quit(self) -> None:
        """Leave; a run saves itself, but changes that no file holds are asked about."""
        if self.desk is None:
            self.exit()
            return
        for dialog in reversed(self.screen_stack[1:]):
            dialog.dismiss()
        self.run_worker(self.desk.leave())

    def action_train(self) -> None:
        """Start training, wherever one is."""
        if self.desk is not None:
            self.switch_mode("train")
            self.desk.play()

    @work
    async def action_open_run(self) -> None:
        """Choose a saved run and go on with it."""
        if self.desk is not None:
            await self.desk.open_run()

    def action_help(self) -> None:
        """What the mode is for, and all its keys."""
        from tui_nn.widgets.help import Help, keys_of, title_of

        if self.desk is not None and not isinstance(self.screen, ModalScreen):
            screen = self.screen
            self.push_screen(Help(title_of(screen), screen.HELP or "", keys_of(screen)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Textual's own, and whatever a key does in this mode."""
        for command in super().get_system_commands(screen):
            if command.title != "Keys":  # the help tells them
                yield command
        for node, binding, enabled, _ in screen.active_bindings.values():
            if enabled and binding.description and not binding.system:
                run = partial(self.run_action, binding.action, node)
                title = binding.description.capitalize()
                yield SystemCommand(title, f"Key {self.get_key_display(binding)}", run)
