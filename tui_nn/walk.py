"""The way from a lesson to the operation it speaks of, message by message."""

import re
from collections.abc import Iterable

from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.sessions import protocol
from tui_nn_engine.stepping.stepview import Listing, StepView


class Walk:
    """Begins when the experiment has been asked for; says what to ask for next.

    The end is in the update of number `update` (the first is 1), or else in the one after `epochs`
    epochs, where `slot` has just been written; `at` is what is to be looked at there.
    """

    def __init__(
        self, update: int | None, epochs: int | None, slot: str, at: protocol.LookAt
    ) -> None:
        self.at = at
        self.arrived = False
        self._update, self._epochs, self._slot = update, epochs or 0, slot
        self._iteration: int | None = None
        self._listing: Listing | None = None

    def after(self, message: object) -> protocol.Command | None:
        """What to ask for now that this was said; None: nothing yet."""
        match message:
            case protocol.Opened():
                before = self._epochs * message.batches_per_epoch
                self._iteration = before if self._update is None else self._update - 1
                return protocol.GoTo(self._iteration) if self._iteration else protocol.Step(0)
            case protocol.StateChanged() if message.iteration == self._iteration:
                if message.state == "completed":  # there is an update to take apart all the same
                    return protocol.TrainUntil(message.epoch + 1)
                return protocol.Step(0) if message.state == "paused" else None
            case Listing():
                self._listing = message
            case StepView() if message.iteration - 1 == self._iteration and self._listing:
                self.arrived = True
                return protocol.StepTo(operations_until(self._listing, self._slot))
            case protocol.Refused():
                self.arrived = True
        return None


def operations_until(listing: Listing, slot: str) -> int:
    """How many operations it takes until that slot is written.

    Weights ("dense_1.kernel") are written by the last operation; inputs are there from the start.
    """
    if slot in listing.outputs:
        return len(listing.outputs) - listing.outputs[::-1].index(slot)
    return len(listing.outputs) if "." in slot else 0


def look_at(slot: str, formulas: Iterable[str], notation: Notation) -> protocol.LookAt:
    """What to look at: the first element of the slot that a formula names, else of its layer.

    `slot` is "dense_1.z", "dE/d(dense_1.z)", "dense_1.kernel", ...; formulas as a lesson's.
    """
    found = re.fullmatch(r"(?:dE/d\()?(\w+)\.(.+?)\)?", slot)
    if found is None:
        return protocol.LookAt(notation=notation)
    layer, name = found.groups()
    texts = tuple(formulas)
    for what in (re.escape(name), "[zh]"):
        element = rf"\b{layer}\.{what}\)?\[(\d+)(?:, ?(\d+))?\]"
        for named in filter(None, (re.search(element, text) for text in texts)):
            first, second = int(named[1]), int(named[2] or 0)
            if name == "kernel":
                return protocol.LookAt(layer, second, source=first, notation=notation)
            if named[2] is None:  # of a bias
                return protocol.LookAt(layer, first, notation=notation)
            return protocol.LookAt(layer, second, first, notation=notation)
    return protocol.LookAt(layer, notation=notation)
