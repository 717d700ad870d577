"""What becomes of the targets before a loss compares them: made softer, counted by their class."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.formulas.expressions import Quantity
from tui_nn_engine.programs.program import Array, Call, Primitive, Slot
from tui_nn_engine.programs.reading import ALL, Meaning, Reading


class SmoothTargets(Primitive):
    """t′ = t (1 − s) + s / K: Keras's label smoothing (Szegedy et al. 2016), K alternatives.

    For one class of several K is their number; for yes or no, each output alone, it is 2.
    """

    name = "label smoothing"

    def __init__(self, smoothing: float, alternatives: int) -> None:
        self.smoothing, self.alternatives = smoothing, alternatives
        self.formula = f"t′ = t·(1 − s) + s/{alternatives}"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of the targets."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A product and a sum."""
        t, soft = inputs[0], outputs[0]
        kept = np.array(1 - self.smoothing, soft.dtype)
        share = np.array(self.smoothing / self.alternatives, soft.dtype)
        work = np.empty_like(soft)

        def call() -> None:
            np.multiply(t, kept, work)
            np.add(work, share, soft)

        return call

    def explain(self, read: Reading) -> Meaning:
        """The target of one output."""
        s = Quantity("s", self.smoothing)
        lines = read.lines(read.here(0) * (1 - s) + s / self.alternatives)
        return Meaning(
            lines,
            "A little of the certainty is taken from the true answer and shared out among all: the "
            "network need not become ever surer, and a wrong label does less harm.",
        )


class ClassWeight(Primitive):
    """c (batch,): what each sample counts, by the class its targets (batch, outputs) say.

    Over time c is (batch, time), from targets (batch, time, outputs).

    With one output the classes are its two sides; else the class is the largest target.
    """

    name = "class weight"
    formula = "c = weight of the class"

    def __init__(self, weights: Sequence[float]) -> None:
        self.weights = tuple(weights)

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """One number a sample, or a time step."""
        return {"": inputs[0].shape[:-1]}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Looked up."""
        t, c = inputs[0], outputs[0]
        weights = np.array(self.weights, c.dtype)
        return lambda: weights.take(_classes(t), 0, c, "clip")

    def explain(self, read: Reading) -> Meaning:
        """The weight of one sample."""
        place = read.element[: len(read.outputs[0].shape)]
        targets = np.atleast_1d(read.input(0, *place, ALL).value)
        number = int(_classes(targets[None])[0])
        lines = read.lines(Quantity(f"weight of class {number}", self.weights[number]))
        return Meaning(
            lines,
            f"This {'step' if len(place) > 1 else 'sample'} is of class {number} (counted "
            "from 0): its loss, and with it its share of every gradient, is multiplied by the "
            "weight of that class.",
        )


def _classes(targets: Array) -> NDArray[np.intp]:
    """(...) from (..., outputs)."""
    if targets.shape[-1] == 1:
        return np.asarray(targets[..., 0] > 0, np.intp)  # type: ignore[operator]
    return np.asarray(targets.argmax(axis=-1), np.intp)
