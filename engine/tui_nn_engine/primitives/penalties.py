"""Penalties on large weights, as operations: an end of its own beside the loss."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from tui_nn_engine.formulas.expressions import Expression, Quantity, formula
from tui_nn_engine.formulas.functions import absolute, sign, total
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import ALL, Meaning, Reading
from tui_nn_engine.programs.regularizers import Regularizer

AnyArray = Any


class Penalty(Primitive):
    """Ω = l1·Σ|w| + l2·Σw² of one parameter, of any shape: a scalar."""

    name = "penalty"

    def __init__(self, regularizer: Regularizer) -> None:
        self.l1, self.l2 = regularizer.weights
        parts = [text for text, factor in (("l1·Σ|w|", self.l1), ("l2·Σw²", self.l2)) if factor]
        self.formula = f"Ω = {' + '.join(parts) or 0}"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:  # noqa: ARG002
        """A scalar."""
        return {"": ()}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Sums of absolute values and of squares."""
        w: AnyArray = inputs[0].reshape(-1)
        out, sizes = outputs[0], np.empty_like(w)
        l1, l2 = self.l1, self.l2

        def call() -> None:
            found = l2 * np.dot(w, w)
            if l1:
                np.abs(w, sizes)
                found += l1 * np.sum(sizes)
            out.fill(found)

        return call

    def explain(self, read: Reading) -> Meaning:
        """One term a weight."""
        w = read.input(0, *(ALL for _ in read.inputs[0].shape))
        by_size = Quantity("l1", self.l1) * total(absolute(w))
        by_square = Quantity("l2", self.l2) * total(w**2)
        both = by_size + by_square if self.l1 and self.l2 else by_size if self.l1 else by_square
        return Meaning(
            read.lines(both),
            "What large weights cost. Training makes the loss and this small together, so a "
            "weight grows only where that lowers the loss by more. The loss shown for an epoch is "
            "without it.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:  # noqa: ARG002
        """Of the weights alone: the penalty is an end, as the loss is."""
        yield Contribution(op.inputs[0], op.inputs, PenaltyGradient(self.l1, self.l2))


class PenaltyGradient(Primitive):
    """∂Ω/∂w = l1·sgn(w) + 2·l2·w; sgn(0) = 0, a subgradient."""

    name = "penalty gradient"

    def __init__(self, l1: float, l2: float) -> None:
        self.l1, self.l2 = l1, l2
        self.formula = formula("∂Ω/∂w", self._of(Quantity("w")))

    def _of(self, w: Expression) -> Expression:
        by_size = Quantity("l1", self.l1) * sign(w)
        by_square = 2 * Quantity("l2", self.l2) * w
        return by_size + by_square if self.l1 and self.l2 else by_size if self.l1 else by_square

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of w."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """The sign and the value, each times its factor."""
        w, out = inputs[0], outputs[0]
        l1, twice = np.array(self.l1, w.dtype), np.array(2 * self.l2, w.dtype)
        signs = np.empty_like(w)

        def call() -> None:
            np.multiply(w, twice, out)
            if self.l1:
                np.sign(w, signs)
                np.multiply(signs, l1, signs)
                np.add(out, signs, out)

        return call

    def explain(self, read: Reading) -> Meaning:
        """For one weight."""
        told = "The penalty pulls the weight towards 0"
        if self.l1:
            told += ", with the same force however small it is" if not self.l2 else ""
        else:
            told += ", the stronger the larger it is"
        return Meaning(read.lines(self._of(read.here(0))), f"{told}.")
