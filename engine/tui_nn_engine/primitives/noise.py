"""Random operations; each draw is a pure function of seed, layer and iteration."""

from collections.abc import Sequence

import numpy as np

from tui_nn_datasets import stream
from tui_nn_engine.formulas.expressions import Quantity, lift
from tui_nn_engine.formulas.functions import when
from tui_nn_engine.programs.program import Array, Call, Primitive, Slot
from tui_nn_engine.programs.reading import Meaning, Reading


class DropoutMask(Primitive):
    """m: 0 with probability `rate`, else 1/(1 - rate), so that the mean stays (inverted dropout).

    Srivastava et al. 2014; scaled while training, as Keras does. Input: the iteration counter, so
    that any iteration's mask can be drawn again alone.
    """

    name = "dropout mask"
    formula = "m ∈ {0, 1/(1 − rate)}"

    def __init__(self, rate: float, shape: Sequence[int], seed: int, purpose: str) -> None:
        self.rate, self.shape, self.seed, self.purpose = rate, tuple(shape), seed, purpose

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:  # noqa: ARG002
        """The shape of what is masked."""
        return {"": self.shape}

    def explain(self, read: Reading) -> Meaning:
        """The number that was drawn, against the rate."""
        random = stream(self.seed, self.purpose, int(read.input(0).scalar))
        drawn = random.random(self.shape, np.float32)[read.element]
        kept = when(Quantity("u", float(drawn)) >= self.rate, 1 / (1 - lift(self.rate)), 0)
        chance = f"With probability {self.rate:g} an output is dropped for this update"
        fate = "this one is dropped" if drawn < self.rate else "this one is kept and scaled up"
        return Meaning(
            read.lines(kept),
            f"{chance}, so that units do not rely on single others; a random number u between 0 "
            f"and 1 decides, here u = {drawn:.4f}: {fate}.",
        )

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One uniform number an element, compared with the rate."""
        iteration, mask = inputs[0], outputs[0]
        drawn = np.empty(self.shape, np.float32)
        kept = np.array(1 / (1 - self.rate), mask.dtype)

        def call() -> None:
            random = stream(self.seed, self.purpose, int(iteration))
            random.random(out=drawn, dtype=np.float32)
            np.multiply(drawn >= self.rate, kept, mask)

        return call


class NoiseDraw(Primitive):
    """n: normal numbers of mean 0 and standard deviation `stddev`, drawn anew for each update.

    Noise on what goes through a network keeps it from learning its samples by heart (Bishop,
    "Training with noise is equivalent to Tikhonov regularization", 1995). Input: the iteration
    counter, so that any iteration's noise can be drawn again alone.
    """

    name = "noise"
    formula = "n = σ·u, u ∼ N(0, 1)"

    def __init__(self, stddev: float, shape: Sequence[int], seed: int, purpose: str) -> None:
        self.stddev, self.shape, self.seed, self.purpose = stddev, tuple(shape), seed, purpose

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:  # noqa: ARG002
        """The shape of what it is added to."""
        return {"": self.shape}

    def explain(self, read: Reading) -> Meaning:
        """The number that was drawn, times the standard deviation."""
        random = stream(self.seed, self.purpose, int(read.input(0).scalar))
        drawn = random.standard_normal(self.shape, np.float32)[read.element]
        return Meaning(
            read.lines(self.stddev * Quantity("u", float(drawn))),
            f"A random number u, usually between −2 and 2 and 0 on average, here {drawn:.4f}: "
            "whoever can't rely on the exact value must learn what holds for its neighbours, too.",
        )

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One normal number an element, scaled."""
        iteration, noise = inputs[0], outputs[0]
        drawn = np.empty(self.shape, np.float32)
        stddev = np.array(self.stddev, noise.dtype)

        def call() -> None:
            random = stream(self.seed, self.purpose, int(iteration))
            random.standard_normal(out=drawn, dtype=np.float32)
            np.multiply(drawn, stddev, noise)

        return call
