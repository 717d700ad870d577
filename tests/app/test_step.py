import asyncio

import numpy as np
import pytest
from textual.app import App
from textual.widgets import Static

from tui_nn.modes.step import Step
from tui_nn.monitor import Monitor
from tui_nn_engine import protocol
from tui_nn_engine.session import Session

GIVEN = "given"
# Textbook example L6: 3-2-1, sigmoid, one update by hand.
L6 = {
    "dtype": "float64",
    "data": {"name": "given", "x": [[1, 0, 1]], "y": [[1]]},
    "layers": [
        {
            "type": "dense",
            "units": 2,
            "activation": "sigmoid",
            "kernel_initializer": {"type": GIVEN, "values": [[0.2, -0.3], [0.4, 0.1], [-0.5, 0.2]]},
            "bias_initializer": {"type": GIVEN, "values": [-0.4, 0.2]},
        },
        {
            "type": "dense",
            "units": 1,
            "activation": "sigmoid",
            "kernel_initializer": {"type": GIVEN, "values": [[-0.3], [-0.2]]},
            "bias_initializer": {"type": GIVEN, "values": [0.1]},
        },
    ],
    "loss": {"type": "half_squared_error"},
    "optimizer": {"type": "sgd", "learning_rate": 0.9},
    "training": {"epochs": 3, "batch_size": 1},
}


class Harness(App):
    """Step mode on a real session in this process; messages arrive as the app would bring them."""

    def __init__(self, experiment, folder):
        super().__init__()
        self.monitor = Monitor()
        self.sent = []
        self.session = Session(self.monitor.hear)
        self.session.handle(protocol.Open(experiment, str(folder)))
        self.step = Step(self.monitor, self.send)

    def on_mount(self):
        self.push_screen(self.step)

    def send(self, command):
        self.sent.append(command)
        self.session.handle(command)
        self.call_later(self.step.show_run)
