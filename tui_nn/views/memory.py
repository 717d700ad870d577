"""What a recurrent layer remembers of a sequence, and which time steps moved the prediction."""

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import Static

from tui_nn.views.errors import PART
from tui_nn.views.view import View
from tui_nn.widgets.heatmap import Heatmap
from tui_nn_engine.inspection.memory import Memory
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.sessions import protocol

LISTED = 4  # time steps, those that moved the prediction most


class Memories(View):
    """The hidden state over time: a column a time step, a row a unit."""

    label = "Memory"
    BINDINGS = [
        Binding("right", "move(1)", "Sample", key_display="←→", tooltip="The next sample"),
        Binding("left", "move(-1)", "Sample before", show=False),
        Binding("u", "layer", "Layer", tooltip="The next recurrent layer"),
        PART,
    ]

    def __init__(self) -> None:
        super().__init__()
        self._part, self._place, self._layer = "", 0, 0

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Recurrent layers."""
        return bool(subject.recurrent)

    def compose(self) -> ComposeResult:
        """Words above, the states, and what moved the prediction."""
        yield Static(id="memory-words")
        yield Heatmap(mode="diverging", id="states")
        yield Static(id="moved-words")
        yield Heatmap(mode="diverging", id="moved")

    def begin(self, subject: Subject) -> None:
        """The first sample of the part to look at first."""
        self.subject = subject
        self._layer %= len(subject.recurrent)
        if self._part not in subject.parts:
            self._part, self._place = subject.parts[0], 0

    def request(self) -> protocol.Inspect:
        """This layer, this sample."""
        return protocol.Inspect("memory", part=self._part, place=self._place, layer=self._layer)

    def show(self, sight: object) -> None:
        """The states as a picture, and the steps that mattered."""
        subject = self.subject
        if not isinstance(sight, Memory) or subject is None or sight.part != self._part:
            return
        times, units = sight.states.shape
        size = subject.sizes[subject.parts.index(sight.part)]
        words = Text(f"{sight.layer}", "bold")
        words.append(f": h of {units} units (rows) over {times} time steps (columns), sample ")
        words.append(f"{sight.place + 1:,} of {size:,} ({sight.part})")
        self.query_one("#memory-words", Static).update(words)
        self.query_one("#states", Heatmap).array = sight.states.T
        self.query_one("#moved-words", Static).update(moved_told(sight, subject))
        picture = self.query_one("#moved", Heatmap)
        picture.display = bool(sight.moved.size)
        picture.array = np.repeat(sight.moved[None], 2, axis=0) if sight.moved.size else None

    def action_move(self, direction: int) -> None:
        """The sample after this one, or before."""
        if self.subject is not None:
            size = self.subject.sizes[self.subject.parts.index(self._part)]
            self._place = min(max(self._place + direction, 0), size - 1)
            self.want()

    def action_layer(self) -> None:
        """The next recurrent layer."""
        if self.subject is not None:
            self._layer = (self._layer + 1) % len(self.subject.recurrent)
            self.want()

    def action_part(self) -> None:
        """The next part of the data."""
        if self.subject is not None:
            self._part, self._place = self.subject.part_after(self._part), 0
            self.want()


def moved_told(sight: Memory, subject: Subject) -> str:
    """Which time steps moved the prediction most, and how."""
    if not sight.moved.size:
        return "Tokens have no gradient, very long sequences take too long: no step is weighed."
    names = subject.classes or subject.targets
    name = names[sight.output] if sight.output < len(names) > 1 else "y"
    order = np.argsort(-np.abs(sight.moved), kind="stable")[:LISTED]
    steps = ", ".join(f"t={t + 1} {sight.moved[t]:+.3g}" for t in order.tolist())
    return f"What moved {name} most, gradient × input (∂y/∂x·x, summed over a step): {steps}"
