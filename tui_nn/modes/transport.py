"""The keys of a media player and a debugger, the same in every mode that watches a run."""

from collections.abc import Callable
from dataclasses import replace

from textual import work
from textual.binding import Binding

from tui_nn.modes.mode import Mode
from tui_nn.monitor import Monitor
from tui_nn.widgets.dialogs import Ask, epochs_parser, parse_positive, place_parser
from tui_nn.widgets.timeline_bar import TimelineBar
from tui_nn_engine.sessions import protocol

Send = Callable[[protocol.Command], None]


def _key(key: str, action: str, name: str, tooltip: str) -> Binding:
    return Binding(key, action, name, key_display=key, priority=True, tooltip=tooltip)


class Transport(Mode):
    """A mode with a run before it. `send` takes commands for the engine."""

    BINDING_GROUP_TITLE = "The run"
    # Priority: a focused table or tree would swallow space, enter, home and digits.
    BINDINGS = [
        _key("space", "play_or_pause", "Play", "Train on from here, or pause"),
        _key("N", "update", "Update", "One update on, or the rest of the one laid open"),
        _key("B", "back", "Back", "One update back, or undo the one laid open"),
        _key("e", "epoch", "Epoch", "On to the end of the epoch"),
        replace(
            _key("E", "epoch_back", "Epoch back", "Back to the start of the epoch"), show=False
        ),
        _key("g", "go_to", "Go to", "Go to any iteration or epoch, back or on"),
        _key("r", "restart", "Restart", "A new run from the start with the same seed"),
        _key("l", "learning_rate", "Rate", "Change the learning rate; in the past, that branches"),
        _key("m", "more_epochs", "Epochs", "Train for more epochs, or fewer"),
        _key("x", "stop", "Stop", "Pause, and write a checkpoint"),
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
        self.send(protocol.PlayOrPause())

    def action_update(self) -> None:
        """One whole update."""
        self.send(protocol.Update())

    def action_epoch(self) -> None:
        """To the end of the next epoch."""
        self.send(protocol.Play(epochs=1))

    def action_back(self) -> None:
        """One update back."""
        self.send(protocol.Back())

    def action_epoch_back(self) -> None:
        """To the start of this epoch, or of the one before."""
        self.send(protocol.Back(epochs=1))

    @work
    async def action_go_to(self) -> None:
        """Ask where to go."""
        monitor = self.monitor
        batches = monitor.opened.batches_per_epoch if monitor.opened else 1
        ask = Ask(
            "Go to iteration",
            str(monitor.iteration),
            place_parser(monitor.iteration, monitor.tip, monitor.total, batches),
            "500, +100, -100, epoch 3 (its end), start, or end (the farthest reached). "
            "What was not reached yet is trained.",
        )
        iteration = await self.app.push_screen_wait(ask)
        if iteration is not None:
            self.send(protocol.GoTo(int(iteration)))

    def on_timeline_bar_chosen(self, event: TimelineBar.Chosen) -> None:
        """Go there."""
        self.send(protocol.GoTo(event.iteration))

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
            epochs_parser(monitor.begun),
            f"{monitor.epoch} of {monitor.epochs} are done.",
        )
        epochs = await self.app.push_screen_wait(ask)
        if epochs is not None:
            self.send(protocol.TrainUntil(int(epochs)))
