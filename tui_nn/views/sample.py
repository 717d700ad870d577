"""The predictions one by one, and what every layer makes of the sample."""

import numpy as np
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Static

from tui_nn.palette import GRAYSCALE
from tui_nn.views.errors import PART
from tui_nn.views.view import View
from tui_nn.widgets.class_bars import ClassBars, by_class
from tui_nn.widgets.layer_strips import LayerStrips
from tui_nn.widgets.picture import Picture
from tui_nn.widgets.pixels import shades
from tui_nn.widgets.plot import number
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.inspection.trace import Trace
from tui_nn_engine.sessions import protocol

INPUTS = 60  # named, of a sample that is no picture
CLASSES = 12  # bars


class Sample(View):
    """One sample: what it is, what the network says, and the activations of all layers."""

    label = "Sample"
    BINDINGS = [
        Binding("right", "move(1)", "Next", key_display="←→", tooltip="The next best, or worse"),
        Binding("left", "move(-1)", "Worse", show=False),
        Binding("home", "worst", "Worst", tooltip="The sample that the network does worst on"),
        PART,
    ]

    def __init__(self) -> None:
        super().__init__()
        self._part = ""
        self._place = -1
        self._found: Trace | None = None

    @staticmethod
    def suits(subject: Subject) -> bool:  # noqa: ARG004
        """Any data."""
        return True

    def compose(self) -> ComposeResult:
        """The sample left, what becomes of it right."""
        with Vertical(id="given"):
            yield Static(id="about")
            yield Picture(id="pixels")
            yield Static(id="inputs")
        with Vertical(id="made"):
            yield ClassBars()
            yield LayerStrips()

    def begin(self, subject: Subject) -> None:
        """The worst sample of the part to look at first."""
        before, self.subject = self.subject, subject
        same = before is not None and (before.data, before.sizes) == (subject.data, subject.sizes)
        if not same:
            self._place, self._found = -1, None
        if self._part not in subject.parts:
            self._part = subject.parts[0]
        self.query_one("#pixels").display = bool(subject.image)
        self.query_one("#inputs").display = not subject.image
        self.query_one(ClassBars).display = bool(subject.classes)
        self.query_one(ClassBars).styles.height = min(len(subject.classes), CLASSES) + 1

    def look_at(self, part: str, place: int) -> None:
        """At this sample of the part, which may be another one."""
        self._part, self._place = part, place

    def enter(self) -> None:
        """The arrows choose a sample."""
        self.focus()

    def request(self) -> protocol.Inspect:
        """The sample that is looked at, or the worst."""
        return protocol.Inspect("trace", part=self._part, place=self._place)

    def show(self, sight: object) -> None:
        """The sample and its way."""
        subject = self.subject
        if not isinstance(sight, Trace) or subject is None or sight.part != self._part:
            return
        wanted = self._place if self._place >= 0 else int(sight.order[0])
        if sight.place != wanted:  # an answer to what was asked before
            return
        self._found, self._place = sight, sight.place
        self.query_one("#about", Static).update(self._about(sight, subject))
        names = subject.classes or subject.labels or subject.targets
        self.query_one(LayerStrips).show(sight, names)
        if subject.image:
            pixels = sight.given.reshape(subject.image).astype(np.float64) / subject.brightest
            self.query_one("#pixels", Picture).show(shades(pixels, GRAYSCALE))
        else:
            self.query_one("#inputs", Static).update(_inputs(sight, subject))
        if subject.classes:
            values = by_class(sight.outputs, bipolar=subject.bipolar)
            self.query_one(ClassBars).show(subject.classes, values, int(sight.truth[0]))

    def _about(self, found: Trace, subject: Subject) -> Text:
        places = np.flatnonzero(found.order == found.place)
        rank = f"{places[0] + 1}" if places.size else "one of the last"
        size = subject.sizes[subject.parts.index(found.part)]
        step = f", its step {found.step}" if found.step else ""
        text = Text(f"{rank} of {size:,} ({found.part}),\nworst first{step}\n\n")
        if subject.classes:
            guess = int(by_class(found.outputs, bipolar=subject.bipolar).argmax())
            truth = int(found.truth[0])
            right = guess == truth
            text.append(
                f"{'✓' if right else '✗'} true {subject.classes[truth]}, "
                f"says {subject.classes[guess]}",
                style="bold",
            )
            return text
        for label, truth, says in zip(subject.labels, found.truth, found.outputs, strict=False):
            likely = (says + 1) / 2 if subject.bipolar else says
            sign = "✓" if (likely > 0.5) == (truth > 0) else "✗"
            is_so = "yes" if truth > 0 else "no"
            text.append(f"{sign} {label}: true {is_so}, says {number(says)}\n", style="bold")
        for name, truth_, says in zip(subject.targets, found.truth, found.outputs, strict=False):
            line = f"{name}: true {number(truth_)}, says {number(says)}, off {says - truth_:+.4g}\n"
            text.append(line, style="bold")
        return text

    # -- choosing -------------------------------------------------------------------------------

    def action_move(self, direction: int) -> None:
        """The sample after this one, or before, in the order of the mistakes."""
        found = self._found
        if found is not None:
            places = np.flatnonzero(found.order == self._place)
            rank = int(places[0]) + direction if places.size else 0
            self._place = int(found.order[min(max(rank, 0), len(found.order) - 1)])
            self.want()

    def action_worst(self) -> None:
        """The worst of them."""
        self._place = -1
        self.want()

    def action_part(self) -> None:
        """The next part of the data."""
        if self.subject is not None:
            self._part, self._place = self.subject.part_after(self._part), -1
            self.want()


def _inputs(found: Trace, subject: Subject) -> str | Text:
    if found.symbols:
        return _written(found)
    values = np.ravel(found.given)
    names = subject.inputs if len(subject.inputs) == values.size else ()
    width = min(max(map(len, names), default=4), 20)
    lines = [
        f"{(names[k] if names else f'x{k + 1}')[:20]:<{width}} {number(float(value)):>10}"
        for k, value in enumerate(values[:INPUTS])
    ]
    if values.size > INPUTS:
        lines.append(f"and {values.size - INPUTS} more")
    return "\n".join(lines)


def _written(found: Trace) -> Text:
    """The sample in its own symbols, the step that is told of marked."""
    apart = any(len(symbol) > 1 for symbol in found.symbols)
    text = Text("reads ")
    for step, symbol in enumerate(found.symbols, 1):
        text.append(symbol, style="reverse bold" if step == found.step else "bold")
        text.append(" " if apart else "")
    return text
