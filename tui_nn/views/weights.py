"""The weights of a layer's units: pictures where they look at one, else a table in colours."""

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.widgets import ContentSwitcher, Static

from tui_nn.views.view import View
from tui_nn.widgets.heatmap import Heatmap
from tui_nn.widgets.unit_images import UnitImages
from tui_nn.widgets.weight_cells import WeightCells
from tui_nn_engine.inspection.filters import Filters
from tui_nn_engine.inspection.subject import Subject
from tui_nn_engine.sessions import protocol


class Weights(View):
    """Those of one layer, now or as they were at the start."""

    label = "Weights"
    BINDINGS = [
        Binding("right_square_bracket", "page(1)", "More units", key_display="[]"),
        Binding("left_square_bracket", "page(-1)", "Units before", show=False),
        Binding("u", "layer", "Layer", tooltip="The next layer that has weights"),
        Binding("a", "then", "Then/now", tooltip="The weights at the start, or as they are now"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._layer = self._first = 0
        self._then = False
        self._found: Filters | None = None

    @staticmethod
    def suits(subject: Subject) -> bool:
        """Layers with weights."""
        return bool(subject.kernels)

    def compose(self) -> ComposeResult:
        """Words above, pictures or a table below."""
        yield Static(id="what")
        with ContentSwitcher(initial="table", id="shown"):
            yield UnitImages(id="pictures")
            yield WeightCells(id="numbers")
            yield Heatmap(id="table")

    def begin(self, subject: Subject) -> None:
        """The first layer at first."""
        if self.subject is None or self.subject.kernels != subject.kernels:
            self._layer = self._first = 0
        self.subject = subject

    def request(self) -> protocol.Inspect:
        """The layer, from the first unit in view on."""
        return protocol.Inspect("filters", layer=self._layer, first=self._first)

    def show(self, sight: object) -> None:
        """Pictures or a table."""
        if not isinstance(sight, Filters) or self.subject is None:
            return
        self._found = sight
        weights = (sight.start if self._then else sight.weights).astype(np.float64)
        image = self.subject.image
        pictured = bool(image) and sight.inputs == image[0] * image[1] == weights.shape[1]
        if pictured:
            self.query_one("#shown", ContentSwitcher).current = "pictures"
            self.query_one(UnitImages).show(weights.reshape(-1, *image), sight.first)
        else:
            self._tabulate(sight, weights)
        self.call_after_refresh(self._say)

    def _tabulate(self, found: Filters, weights: np.ndarray) -> None:
        """Numbers where there is room, else colours alone."""
        shown = self.query_one("#shown", ContentSwitcher)
        if WeightCells.fits(found.inputs, shown.size.width):
            shown.current = "numbers"
            cells = self.query_one(WeightCells)
            cells.show(weights, self._inputs(found), found.units, found.greatest)
        else:
            shown.current = "table"
            self.query_one("#table", Heatmap).array = weights

    def _inputs(self, found: Filters) -> tuple[str, ...]:
        """The names of what the layer is given: the data's, or the units before."""
        names = self.subject.inputs if self.subject and found.layer == found.names[0] else ()
        if len(names) == found.inputs:
            return names
        letter = "h" if found.layer.endswith(".recurrent_kernel") else ""
        return tuple(f"{letter}{k + 1}" for k in range(found.inputs))

    def on_resize(self) -> None:
        """Numbers may fit now, or no more."""
        if self._found is not None:
            self.call_after_refresh(self.show, self._found)

    @on(UnitImages.Resized)
    def _say(self) -> None:
        found = self._found
        if found is None:
            return
        pictured = self.query_one("#shown", ContentSwitcher).current == "pictures"
        count = self.query_one(UnitImages).shown if pictured else len(found.weights)
        noun = "update" if found.iteration == 1 else "updates"
        when = "at the start" if self._then else f"after {found.iteration:,} {noun}"
        text = f"[b]{found.layer}[/b], {when}: "
        if found.units[0].isdigit():
            text += f"units {found.first + 1} to {found.first + count} of {found.of:,}; "
        else:
            text += f"{found.units[0]} to {found.units[count - 1]}, the units gate by gate; "
        if pictured:
            text += "blue below 0, orange above, each to its own greatest weight"
        else:
            text += f"a row a unit, its {found.inputs:,} inputs across"
        self.query_one("#what", Static).update(text)

    # -- choosing -------------------------------------------------------------------------------

    def action_page(self, direction: int) -> None:
        """Other units."""
        found = self._found
        if found is not None:
            pictured = self.query_one("#shown", ContentSwitcher).current == "pictures"
            step = self.query_one(UnitImages).shown if pictured else len(found.weights)
            first = self._first + direction * max(step, 1)
            if first < found.of:
                self._first = max(first, 0)
                self.want()

    def action_layer(self) -> None:
        """The next layer."""
        if self.subject is not None:
            self._layer, self._first = (self._layer + 1) % len(self.subject.kernels), 0
            self.want()

    def action_then(self) -> None:
        """Then, or now."""
        self._then = not self._then
        self.show(self._found)
