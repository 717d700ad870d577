"""What a person looks at in Step mode: layer, unit, sample, weight, operation; and how."""

from dataclasses import replace
from typing import Any, Final

import numpy as np

from tui_nn.widgets.moment import Moment
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.sessions.protocol import LookAt
from tui_nn_engine.stepping.stepview import Listing, StepView
from tui_nn_engine.stepping.through_time import step_of

DIGITS: Final = range(2, 18)


class Looking:
    """The choices, and what follows from them for the next choice. Knows no screen.

    `place` is the iteration and the operation at which `at` was chosen.
    """

    def __init__(self, at: LookAt | None = None, place: tuple[int, int] | None = None) -> None:
        self.at = at or LookAt()
        self.follow = True
        self.largest_first = True
        self.unroll = True
        self._place = place

    @property
    def notation(self) -> Notation:
        """How numbers, names and errors are written."""
        return self.at.notation

    def moment(self, view: StepView, listing: Listing) -> Moment:
        """A moment as it is to be shown."""
        how = self.notation, self.at.operation, self.largest_first, self.unroll
        return Moment(view, listing, *how)

    def keep(self, view: StepView) -> None:
        """Another experiment may have other layers: look at what the engine chose."""
        if self.at.layer not in view.units:
            self.change(layer=view.layer, unit=view.unit, sample=view.sample, source=view.source)

    def followed(self, moment: Moment) -> bool:
        """Look at the operation just done, and at its layer while that is wished; True if new.

        Before any is done, at the first: that one is explained.
        """
        view, before = moment.view, self.at
        place = view.iteration, view.cursor
        if place == self._place:
            return False
        self._place = place
        self.change(operation=-1, time=0)
        if self.follow:
            self._to_layer_of(moment, max(view.cursor - 1, 0))
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
            self.change(layer=layer, source=0, gate=0)
        arrangement = moment.listing.arrangement
        if layer in arrangement.layers:
            gates = arrangement.gates[arrangement.layers.index(layer)]
            written = moment.listing.outputs[operation].removeprefix("dE/d(").partition(")")[0]
            letter = written.rpartition(".")[2]
            if letter in gates:
                self.change(gate=gates.index(letter))

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

    def next_time(self, moment: Moment, direction: int) -> LookAt | None:
        """The time step after, or before: the same operation there, if it is one of a step."""
        _, step = step_of(moment.listing.paths[moment.explained])
        return self.to_time(moment, (step or self.at.time or moment.view.time) + direction)

    def to_time(self, moment: Moment, time: int) -> LookAt | None:
        """That time step."""
        view, listing = moment.view, moment.listing
        time = min(max(time, 1), view.times)
        if not time:
            return None
        _, step = step_of(listing.paths[moment.explained])
        if not step:
            return self.change(time=time)
        there = same_operation(listing, moment.explained, time)
        return self.change(time=time, operation=there) if there is not None else None

    def next_gate(self, moment: Moment, direction: int) -> LookAt | None:
        """The gate after, or before, round and round."""
        through = moment.view.through
        count = len(through.gates) if through else 1
        gate = min(self.at.gate, count - 1) + direction
        return self.change(gate=gate % count) if count > 1 else None

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


def same_operation(listing: Listing, operation: int, time: int) -> int | None:
    """Where an operation of a time step has its like at another; None: nowhere."""
    layer, step = step_of(listing.paths[operation])
    phase = listing.phases[operation]
    there = [
        place
        for place, path in enumerate(listing.paths)
        if path == f"{layer}/t={time}" and listing.phases[place] == phase
    ]

    named = [place for place in there if listing.names[place] == listing.names[operation]]

    def told(place: int, at: int) -> str:
        output = listing.outputs[place].partition(" #")[0]
        return output.replace(f"/t={at}.", ".").replace(f"⟨{at}⟩", "")

    for beside in (0, -1, 1):  # of the step before, or after, it may be the error
        wanted = told(operation, step + beside)
        for place in named:
            if told(place, time + beside) == wanted:
                return place
    return next(iter([*named, *there]), None)
