"""What a person looks at in Step mode: layer, unit, sample, weight, operation; and how."""

from dataclasses import replace
from typing import Any, Final

import numpy as np

from tui_nn.widgets.moment import Moment
from tui_nn_engine.explanation import Notation
from tui_nn_engine.protocol import LookAt
from tui_nn_engine.stepview import Listing, StepView

DIGITS: Final = range(2, 18)


class Looking:
    """The choices, and what follows from them for the next choice. Knows no screen."""

    def __init__(self, at: LookAt | None = None) -> None:
        self.at = at or LookAt()
        self.follow = True
        self.largest_first = True
        self._place: tuple[int, int] | None = None

    @property
    def notation(self) -> Notation:
        """How numbers, names and errors are written."""
        return self.at.notation

    def moment(self, view: StepView, listing: Listing) -> Moment:
        """A moment as it is to be shown."""
        return Moment(view, listing, self.notation, self.at.operation, self.largest_first)

    def keep(self, view: StepView) -> None:
        """Another experiment may have other layers: look at what the engine chose."""
        if self.at.layer not in view.units:
            self.change(layer=view.layer, unit=view.unit, sample=view.sample, source=view.source)

    def followed(self, moment: Moment) -> bool:
        """Look at the operation just done, and at its layer while that is wished; True if new."""
        view, before = moment.view, self.at
        place = view.iteration, view.cursor
        if place == self._place:
            return False
        self._place = place
        self.change(operation=-1)
        if self.follow and view.cursor:
            self._to_layer_of(moment, view.cursor - 1)
        return self.at != before

    def change(self, **changes: Any) -> LookAt:
        """Look at something else."""
        self.at = replace(self.at, **changes)
        return self.at

    def write(self, **changes: Any) -> LookAt:
        """Write numbers, names or errors in another way."""
        return self.change(notation=replace(self.notation, **changes))

    def other_sign(self) -> LookAt:
        """Errors as δ = ∂E/∂z, or as e = −δ."""
        return self.write(error="delta" if self.notation.error == "e" else "e")

    def other_names(self) -> LookAt:
        """Names as on paper, or as in code."""
        return self.write(names="code" if self.notation.names == "paper" else "paper")

    def at_operation(self, moment: Moment, operation: int) -> LookAt:
        """Have an operation explained, in its own layer."""
        self.change(operation=operation)
        self._to_layer_of(moment, operation)
        return self.at

    def _to_layer_of(self, moment: Moment, operation: int) -> None:
        layer = moment.listing.paths[operation].partition("/")[0]
        if layer in moment.view.units and layer != self.at.layer:
            self.change(layer=layer, source=0)

    def hold(self, layer: str, unit: int) -> LookAt:
        """Look at what the person chose, and stay there."""
        here = layer == self.at.layer
        self.follow = self.follow and here
        return self.change(layer=layer, unit=unit, source=self.at.source if here else 0)

    def next_layer(self, moment: Moment, direction: int) -> LookAt | None:
        """The layer after, or before."""
        layers = moment.layers
        place = layers.index(self.at.layer) + direction
        return self.hold(layers[place], 0) if 0 <= place < len(layers) else None

    def next_unit(self, moment: Moment, direction: int) -> LookAt:
        """The next unit in the order of the table."""
        order = moment.unit_order[0]
        count = len(moment.view.units[self.at.layer])
        if len(order) == count:
            place = int(np.flatnonzero(order == min(self.at.unit, count - 1))[0]) + direction
            return self.change(unit=int(order[min(max(place, 0), count - 1)]))
        # The engine has yet to say what the layer just chosen holds.
        return self.change(unit=min(max(self.at.unit + direction, 0), count - 1))

    def next_sample(self, moment: Moment, direction: int) -> LookAt:
        """Another sample of the batch."""
        last = moment.view.batch - 1
        return self.change(sample=min(max(min(self.at.sample, last) + direction, 0), last))

    def more_digits(self, change: int) -> LookAt:
        """Fewer or more significant digits."""
        return self.write(digits=min(max(self.notation.digits + change, DIGITS[0]), DIGITS[-1]))


def next_phase(moment: Moment, direction: int) -> int:
    """The first operation of the next phase, or of this one, then of the one before."""
    phases, cursor = moment.listing.phases, moment.view.cursor
    starts = [i for i in range(len(phases)) if i == 0 or phases[i] != phases[i - 1]]
    if direction > 0:
        return next((start for start in starts if start > cursor), len(phases))
    return next((start for start in reversed(starts) if start < cursor), 0)
