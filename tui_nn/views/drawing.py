"""Draw a digit, and watch what the network makes of it."""

import numpy as np
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from tui_nn.palette import GRAYSCALE
from tui_nn.views.view import View
from tui_nn.widgets.board import Board
from tui_nn.widgets.class_bars import ClassBars, by_class
from tui_nn.widgets.picture import Picture
from tui_nn.widgets.pixels import shades
from tui_nn_engine.inspection.guess import Guess
from tui_nn_engine.inspection.mistakes import Mistakes
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.sessions import protocol

EMPTY = "Draw a digit on the left: what the network takes it for stands here, while it trains, too."
FITTED = (
    "fitted like MNIST's digits: 20 px high or wide, centre of mass in the middle (f: as drawn)"
)
PLAIN = "as drawn (f: fitted and centred)"
MNIST = 28  # such pictures were centred when the set was made; the 8 x 8 ones fill their field


class Drawing(View):
    """A board to draw on, bars for the classes, and the picture that the network is given."""

    label = "Draw"
    BINDINGS = [
        Binding("c", "clear", "Clear", tooltip="An empty board (backspace, too)"),
        Binding("backspace,delete", "clear", "Clear", show=False),
        Binding("f", "fit", "Fit", tooltip="Fit and centre the drawing as MNIST's digits are"),
        Binding("d", "sample", "A digit", tooltip="Put a picture of the data on the board"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._centre = True
        self._sample = -1
        self._samples: Mistakes | None = None

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Pictures with classes."""
        return bool(subject.image and subject.classes)

    def compose(self) -> ComposeResult:
        """The board left, what comes of it right."""
        with Horizontal():
            yield Board()
            with Vertical(id="says"):
                yield Static(id="verdict")
                yield ClassBars()
                yield Static(id="how")
                yield Picture(id="seen")

    def begin(self, subject: Subject) -> None:
        """An empty board of the data's size; what is drawn stays where the size does."""
        before, self.subject = self.subject, subject
        board = self.query_one(Board)
        if before is None or before.image != subject.image:
            self._centre = subject.image[0] >= MNIST
            board.begin(subject.image, subject.brightest)
        self._samples = None
        self.query_one(ClassBars).clear(EMPTY)

    def enter(self) -> None:
        """Keys are for the board."""
        self.query_one(Board).focus()

    def request(self) -> protocol.Inspect:
        """The outputs for what is drawn."""
        board = self.query_one(Board)
        if self._sample >= 0 and self._samples is None:
            return protocol.Inspect("mistakes")
        if board.is_empty:
            return protocol.Inspect()
        return protocol.Inspect("guess", picture=board.picture, centre=self._centre)

    def show(self, sight: object) -> None:
        """Bars, and what the network was given."""
        if isinstance(sight, Mistakes) and self._sample >= 0 and self._samples is None:
            self._samples = sight
            self._put_sample()
        board, subject = self.query_one(Board), self.subject
        if not isinstance(sight, Guess) or subject is None or board.is_empty:
            return
        values = by_class(sight.outputs, bipolar=subject.bipolar)
        bars = self.query_one(ClassBars)
        bars.show(subject.classes, values)
        words = f"[b]It says: {bars.leading}[/b]"
        if not sight.iteration:
            words += "  (not trained yet: only chance; space trains)"
        self.query_one("#verdict", Static).update(words)
        self.query_one("#how", Static).update(f"It is given, {FITTED if self._centre else PLAIN}:")
        picture = sight.picture / subject.brightest
        self.query_one(Picture).show(shades(np.asarray(picture, np.float64), GRAYSCALE))

    def on_board_drawn(self) -> None:
        """Ask what the network makes of it."""
        if self.query_one(Board).is_empty:
            self.query_one(ClassBars).clear(EMPTY)
            self.query_one("#verdict", Static).update("")
            self.query_one("#how", Static).update("")
            self.query_one(Picture).clear()
        self.want()

    def action_clear(self) -> None:
        """An empty board."""
        board = self.query_one(Board)
        board.put(np.zeros_like(board.picture))

    def action_fit(self) -> None:
        """Fit and centre the drawing, or leave it as it is."""
        self._centre = not self._centre
        self.want()

    def action_sample(self) -> None:
        """A picture of the data: those that the network is least sure of come first."""
        self._sample += 1
        if self._samples is None:
            self.want()
        else:
            self._put_sample()

    def _put_sample(self) -> None:
        found = self._samples
        if found is not None and len(found.inputs):
            self.query_one(Board).put(found.inputs[self._sample % len(found.inputs)])
