"""The McCulloch-Pitts unit: all or nothing, with absolute inhibition."""

from collections.abc import Sequence
from functools import partial

import numpy as np

from tui_nn_engine.formulas.functions import when
from tui_nn_engine.programs.program import Array, Call, Primitive, Slot
from tui_nn_engine.programs.reading import Meaning, Reading


class Fire(Primitive):
    """h = 1 where the excitation z reaches the threshold θ, else 0 (McCulloch & Pitts 1943).

    Inputs are z (batch, ..., units), θ (units,) and, where there is inhibition, the number i of
    active inhibitory inputs, shaped as z: a single one silences its unit. It passes no gradient.
    """

    name = "fire"

    def __init__(self, *, inhibited: bool) -> None:
        self.inhibited = inhibited
        self.formula = "h = 1 if z ≥ θ and i = 0, else 0" if inhibited else "h = 1 if z ≥ θ, else 0"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of z."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One comparison, or two."""
        h = outputs[0]
        reached = partial(np.greater_equal, inputs[0], inputs[1], h)
        if not self.inhibited:
            return reached
        inhibition, free = inputs[2], np.empty(h.shape, bool)

        def call() -> None:
            reached()
            np.equal(inhibition, 0, free)
            np.multiply(h, free, h)

        return call

    def explain(self, read: Reading) -> Meaning:
        """Inhibition first, then the threshold."""
        z, threshold = read.here(0), read.input(1, read.element[-1])
        spikes = when(z >= threshold, 1, 0)
        if self.inhibited:
            i = read.here(2)
            lines = read.lines(when(i > 0, 0, spikes))
            silenced = bool(i.scalar > 0)
        else:
            lines, silenced = read.lines(spikes), False
        if silenced:
            told = "An inhibitory input is active: the unit stays silent, whatever excites it."
        elif z.scalar >= threshold.scalar:
            told = "Enough spikes arrive, and nothing inhibits: the unit fires."
        elif z.scalar < threshold.scalar:
            told = "Fewer spikes arrive than its threshold asks for: the unit stays silent."
        else:
            told = "It fires when enough spikes arrive and nothing inhibits it."
        return Meaning(lines, f"{told} All or nothing, as in a nerve cell.")
