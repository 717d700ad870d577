"""The keys of a media player and a debugger, the same in every mode that watches a run."""

from collections.abc import Callable

from textual import work
from textual.binding import Binding

from tui_nn.modes.mode import Mode
from tui_nn.monitor import Monitor
from tui_nn.widgets.dialogs import Ask, parse_positive, parse_whole
from tui_nn_engine import protocol

Send = Callable[[protocol.Command], None]


class Transport(Mode):
    """A mode with a run before it. `send` takes commands for the engine."""

    # Priority: a focused table or tree would swallow space, enter, home and digits.
    BINDINGS = [
        Binding("space", "play_or_pause", "Play", priority=True),
        Binding("N", "update", "Update", key_display="N", priority=True),
        Binding("e", "epoch", "Epoch", priority=True),
        Binding("r", "restart", "Restart", priority=True),
        Binding("l", "learning_rate", "Rate", priority=True),
        Binding("m", "more_epochs", "Epochs", priority=True),
        Binding("x", "stop", "Stop", priority=True),
    ]

    def __init__(self, monitor: Monitor, send: Send) -> None:
        super().__init__()
        self.monitor = monitor
        self.send = send

    def show_run(self) -> None:
        """Show what the monitor knows now; called after each batch of the engine's messages."""
        raise NotImplementedError

    def action_play_or_pause(self) -> None:
        """Train on, or stop after the update under way."""
        self.send(protocol.Pause() if self.monitor.busy else protocol.Play())

    def action_update(self) -> None:
        """One whole update."""
        self.send(protocol.Update())

    def action_epoch(self) -> None:
        """To the end of the next epoch."""
        self.send(protocol.Play(epochs=1))

    def action_restart(self) -> None:
        """The same experiment from its start; what was trained is kept as a run of its own."""
        self.send(protocol.Restart())

    def action_stop(self) -> None:
        """Pause, and write a checkpoint."""
        self.send(protocol.Pause())
        self.send(protocol.Save())

    @work
    async def action_learning_rate(self) -> None:
        """Ask for a learning rate; it holds from the next update on."""
        now = self.monitor.learning_rate
        ask = Ask(
            "Learning rate from the next update on",
            str(now),
            parse_positive,
            "Written into the experiment, so that a replay repeats it.",
        )
        rate = await self.app.push_screen_wait(ask)
        if rate is not None and rate != now:
            self.send(protocol.SetLearningRate(rate))

    @work
    async def action_more_epochs(self) -> None:
        """Ask how many epochs to train in all."""
        monitor = self.monitor
        ask = Ask(
            "Train until epoch",
            str(monitor.epochs + 10),
            parse_whole,
            f"{monitor.epoch} of {monitor.epochs} are done.",
        )
        epochs = await self.app.push_screen_wait(ask)
        if epochs is not None:
            self.send(protocol.TrainUntil(int(epochs)))
