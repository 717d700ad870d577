"""An app of nothing but Step mode, its session in the same process; and what its panes show."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from lesson_network import LESSON
from textual.app import App
from textual.pilot import Pilot
from waiting import until

from tui_nn.modes.step import Step
from tui_nn.monitor import Monitor
from tui_nn_engine.sessions import protocol
from tui_nn_engine.sessions.session import Session

L6 = LESSON | {"training": {"epochs": 3, "batch_size": 1}}


def dense(units: int, activation: str) -> dict[str, Any]:
    return {"type": "dense", "units": units, "activation": activation}


XOR: dict[str, Any] = {
    "dtype": "float64",
    "data": {"name": "xor"},
    "layers": [dense(2, "sigmoid"), dense(1, "sigmoid")],
    "loss": {"type": "half_squared_error"},
    "optimizer": {"type": "sgd", "momentum": 0.9},
    "training": {"batch_size": 4, "epochs": 3},
}
DEEP = XOR | {
    "layers": [
        dense(4, "tanh"),
        {"type": "dropout", "rate": 0.5},
        dense(20, "relu"),
        dense(1, "sigmoid"),
    ],
    "loss": {"type": "binary_crossentropy"},
    "optimizer": {"type": "adam"},
}


class StepApp(App[None]):
    """Step mode on a real session; messages arrive as the app would bring them."""

    def __init__(self, experiment: dict[str, Any]) -> None:
        super().__init__()
        self.monitor = Monitor()
        self.sent: list[protocol.Command] = []
        self.session = Session(self.monitor.hear)
        self.session.handle(protocol.Open(experiment))
        self.step = Step(self.monitor, self.send)

    def on_mount(self) -> None:
        self.push_screen(self.step)

    def send(self, command: protocol.Command) -> None:
        self.sent.append(command)
        self.session.handle(command)
        self.call_later(self.step.show_run)


@asynccontextmanager
async def opened(
    experiment: dict[str, Any], size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[StepApp, Pilot[None]]]:
    """Step mode on an experiment, its first update laid open."""
    app = StepApp(experiment)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.monitor.view is not None)
        await press(app, pilot)
        yield app, pilot


async def press(app: StepApp, pilot: Pilot[None], *keys: str) -> None:
    """Press keys and wait until the screen shows what the engine answered."""
    await pilot.press(*keys)
    await pilot.pause()
    await until(pilot, lambda: app.step.moment and app.step.moment.view is app.monitor.view)
    await pilot.pause()


def lines(app: StepApp, selector: str) -> list[str]:
    """What a pane shows, line by line."""
    widget = app.step.query_one(selector)
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


def text(app: StepApp, selector: str) -> str:
    return "\n".join(lines(app, selector))


def table(app: StepApp, selector: str) -> dict[str, list[str]]:
    """The cells of a table by the label of their row."""
    shown = [line.replace(", ", ",") for line in lines(app, selector)[1:]]
    rows = [line.split() for line in shown if line.strip()]
    return {row[0].lstrip("›"): row[1:] for row in rows}
