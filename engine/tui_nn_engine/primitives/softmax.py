"""Softmax: probabilities, where every output depends on every net input."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import numpy as np

from tui_nn_engine.formulas.expressions import Expression, Quantity, part
from tui_nn_engine.formulas.functions import exp, total
from tui_nn_engine.primitives.activation import Activation, AnyArray
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import ALL, Meaning, Reading

_LARGE = 500.0  # e to the power of this is near the largest number there is


class Softmax(Activation):
    """exp(z) / Σ exp(z) along the last axis, from z minus its maximum (overflows nowhere)."""

    type: Literal["softmax"] = "softmax"
    summary: ClassVar[str] = "probabilities that sum to 1: for one class of several"

    @property
    def formula(self) -> str:  # type: ignore[override]
        """Of one output."""
        return "pᵢ = e^zᵢ / Σ e^zⱼ"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Shift, exponentiate, normalize."""
        z: AnyArray = inputs[0]
        p: AnyArray = outputs[0]
        edge = np.empty((*z.shape[:-1], 1), z.dtype)

        def call() -> None:
            np.maximum.reduce(z, -1, None, edge, keepdims=True)
            np.subtract(z, edge, p)
            np.exp(p, p)
            np.add.reduce(p, -1, None, edge, keepdims=True)
            np.divide(p, edge, p)

        return call

    def explain(self, read: Reading) -> Meaning:
        """One probability, from all net inputs of its place."""
        *place, unit = read.element
        lines = read.lines(softmax(read.input(0, *place, ALL), unit))
        return Meaning(
            lines,
            "Each net input becomes a positive number, e to its power; divided by the sum of all "
            "they add up to 1, like probabilities. The largest net input gets the largest share.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """dE/dz_i = p_i (dE/dp_i - Σ_j dE/dp_j p_j)."""
        yield Contribution(op.inputs[0], (gradient, op.output), SoftmaxGradient())


class SoftmaxGradient(Primitive):
    """dE/dz_i = p_i (g_i - Σ_j g_j p_j), with g = dE/dp: every output depends on every z."""

    name = "error × Jacobian"
    formula = "δᵢ = pᵢ(gᵢ − Σ gⱼpⱼ)"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of p."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Elementwise and one sum a row."""
        g: AnyArray = inputs[0]
        p: AnyArray = inputs[1]
        delta: AnyArray = outputs[0]

        def call() -> None:
            np.multiply(g, p, delta)
            np.subtract(g, delta.sum(-1, keepdims=True), delta)
            np.multiply(delta, p, delta)

        return call

    def explain(self, read: Reading) -> Meaning:
        """All errors act on one net input, by way of the sum."""
        *place, unit = read.element
        errors, p = read.input(0, *place, ALL), read.input(1, *place, ALL)
        shared = part("Σ", total(errors * p))
        lines = read.lines(p.at(unit) * (errors.at(unit) - shared))
        return Meaning(
            lines,
            "One net input changes all probabilities, for they share one sum: its own goes up, the "
            "others go down. So by the chain rule the errors of all outputs come together here.",
        )


def softmax(z: Expression, unit: int) -> Expression:
    """e^(zᵢ) / Σ e^(zⱼ); large net inputs less their maximum, which changes nothing."""
    peak = float(np.max(z.value))
    powers = exp(z - Quantity("max(z)", peak)) if np.abs(z.value).max() > _LARGE else exp(z)
    return powers.at(unit) / total(powers)
