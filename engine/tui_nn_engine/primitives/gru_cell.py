"""What a GRU does at one time step: it resets, and mixes its state with a candidate."""

from collections.abc import Iterator, Sequence

import numpy as np

from tui_nn_engine.primitives.activation import AnyArray
from tui_nn_engine.primitives.recurrent import Alike, through
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Slot
from tui_nn_engine.programs.reading import Meaning, Reading


class Mixture(Alike):
    """h = z ⊙ h′ + (1 − z) ⊙ h̃ (Cho et al. 2014). Inputs h′, z, h̃."""

    name = "new state"
    formula = "h = z ⊙ h′ + (1 − z) ⊙ h̃"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """h̃ + z (h′ − h̃)."""
        before, z, candidate = inputs
        h: AnyArray = outputs[0]
        work = np.empty_like(h)

        def call() -> None:
            np.subtract(before, candidate, work)
            np.multiply(work, z, work)
            np.add(work, candidate, h)

        return call

    def explain(self, read: Reading) -> Meaning:
        """What stays and what is new."""
        before, z, candidate = (read.here(position) for position in range(3))
        return Meaning(
            read.lines(z * before + (1 - z) * candidate),
            "The update gate decides, unit by unit, how much of the state stays as it was (z near "
            "1) and how much the candidate takes its place (z near 0).",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """z gets the difference of what it chooses between, both others their share."""
        before, z, candidate = op.inputs
        yield Contribution(z, (gradient, before, candidate), ChoiceGradient())
        yield Contribution(candidate, (gradient, z), RestGradient())
        yield Contribution(before, (gradient, z), through("h′", "update gate"))


class ChoiceGradient(Alike):
    """dE/dz = dE/dh ⊙ (h′ − h̃)."""

    name = "gate"
    formula = "∂E/∂z = ∂E/∂h ⊙ (h′ − h̃)"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A difference and a product."""
        gradient, before, candidate = inputs
        work: AnyArray = np.empty(outputs[0].shape, outputs[0].dtype)

        def call() -> None:
            np.subtract(before, candidate, work)
            np.multiply(work, gradient, outputs[0])

        return call

    def explain(self, read: Reading) -> Meaning:
        """The error times what the gate chooses between."""
        error, before, candidate = (read.here(position) for position in range(3))
        return Meaning(
            read.lines(error * (before - candidate)),
            "The update gate moves the state from the candidate towards the state before: where "
            "these are alike, it does not matter.",
        )


class RestGradient(Alike):
    """dE/dh̃ = dE/dh ⊙ (1 − z)."""

    name = "gate"
    formula = "∂E/∂h̃ = ∂E/∂h ⊙ (1 − z)"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A difference and a product."""
        gradient, z = inputs
        one, work = np.array(1, z.dtype), np.empty(z.shape, z.dtype)

        def call() -> None:
            np.subtract(one, z, work)
            np.multiply(work, gradient, outputs[0])

        return call

    def explain(self, read: Reading) -> Meaning:
        """The error times the share that the candidate had."""
        error, z = read.here(0), read.here(1)
        return Meaning(
            read.lines(error * (1 - z)),
            "The candidate had the share 1 − z of the new state, so it gets that share of its "
            "error.",
        )


class ResetSum(Alike):
    """z = a + r ⊙ s: the reset gate works on what the state sends. Inputs a, r, s."""

    name = "reset"
    formula = "z = a + r ⊙ s"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A product and a sum."""
        a, r, s = inputs
        z: AnyArray = outputs[0]

        def call() -> None:
            np.multiply(r, s, z)
            np.add(z, a, z)

        return call

    def explain(self, read: Reading) -> Meaning:
        """What the reset gate lets through, and what comes from the inputs."""
        a, r, s = (read.here(position) for position in range(3))
        return Meaning(
            read.lines(a + r * s),
            "The candidate's net input: from the inputs in full, from the state before only what "
            "the reset gate lets through.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """a gets all of it, the factors each the gradient times the other."""
        a, r, s = op.inputs
        yield Contribution(a, (gradient,))
        yield Contribution(r, (gradient, s), through("r", "state sent"))
        yield Contribution(s, (gradient, r), through("s", "reset gate"))
