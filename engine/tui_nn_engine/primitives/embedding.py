"""Tokens to vectors, and a vector at every time step."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from tui_nn_engine.formulas.expressions import lift
from tui_nn_engine.formulas.functions import total
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import ALL, Meaning, Reading

AnyArray = Any


class Lookup(Primitive):
    """h = E[x]: each token x (batch, time), a whole number, gets its row of E (tokens, features).

    Tokens beyond the table get its last row.
    """

    name = "look up"
    formula = "h = E[x]"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, time, features)."""
        return {"": (*inputs[0].shape, inputs[1].shape[1])}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One gather."""
        x, table = inputs
        tokens = np.empty(x.shape, np.intp)

        def call() -> None:
            np.copyto(tokens, x, "unsafe")
            table.take(tokens, 0, outputs[0], "clip")

        return call

    def explain(self, read: Reading) -> Meaning:
        """The number that stands in the table."""
        *place, unit = read.element
        token = int(np.clip(read.input(0, *place).scalar, 0, read.inputs[1].shape[0] - 1))
        return Meaning(
            read.lines(read.input(1, token, unit)),
            f"Token {token} stands for row {token} of the table: numbers that say what it means, "
            "and that are learned like any weights.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """To each row, the errors of all places it was looked up from."""
        tokens, table = op.inputs
        yield Contribution(table, (tokens, gradient, table), LookupGradient())


class LookupGradient(Primitive):
    """dE/dE[k] = Σ of dE/dh where the token was k. Inputs x, dE/dh, E."""

    name = "look-up gradient"
    formula = "∂E/∂E[k] = Σ ∂E/∂h where x = k"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of the table."""
        return {"": inputs[2].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Errors sorted by token, then summed run by run: the order is fixed."""
        x: AnyArray = inputs[0]
        delta: AnyArray = inputs[1].reshape(-1, inputs[1].shape[-1])
        gradient: AnyArray = outputs[0]
        last = len(gradient) - 1

        def call() -> None:
            tokens = np.clip(x, 0, last).astype(np.intp).ravel()
            order = np.argsort(tokens, kind="stable")
            ordered = tokens[order]
            starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
            gradient.fill(0)
            gradient[ordered[starts]] = np.add.reduceat(delta[order], starts, axis=0)

        return call

    def explain(self, read: Reading) -> Meaning:
        """The errors of the places where this token stands."""
        token, unit = read.element
        tokens = np.asarray(read.input(0, ALL, ALL).value)
        there = np.flatnonzero(
            np.clip(tokens, 0, read.outputs[0].shape[0] - 1).astype(int) == token
        )
        terms = read.input(1, ..., unit).at(there) if there.size else lift(0)
        told = "does not occur" if not there.size else f"stands at {there.size} places"
        return Meaning(
            read.lines(total(terms) if there.size else terms),
            f"Token {token} {told} in this batch; the errors of what was looked up come back to "
            "its row, and by the chain rule they add up.",
        )


class Repeat(Primitive):
    """h⟨t⟩ = x at each of n time steps: (batch, features) → (batch, n, features)."""

    name = "repeat"
    formula = "h⟨t⟩ = x"

    def __init__(self, times: int) -> None:
        self.times = times

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, n, features)."""
        batch, features = inputs[0].shape
        return {"": (batch, self.times, features)}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One copy."""
        return partial(np.copyto, outputs[0], inputs[0][:, None, :])

    def explain(self, read: Reading) -> Meaning:
        """The same number at every step."""
        sample, _, unit = read.element
        return Meaning(
            read.lines(read.input(0, sample, unit)),
            "The same numbers are handed on at every time step: what was made of a whole sequence "
            "begins another.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """The sum over the steps."""
        yield Contribution(op.inputs[0], (gradient,), SumOfSteps())


class SumOfSteps(Primitive):
    """dE/dx = Σ over time of dE/dh⟨t⟩."""

    name = "sum over time"
    formula = "∂E/∂x = Σₜ ∂E/∂h⟨t⟩"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, features)."""
        batch, _, features = inputs[0].shape
        return {"": (batch, features)}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One sum."""
        return partial(np.add.reduce, inputs[0], 1, None, outputs[0])

    def explain(self, read: Reading) -> Meaning:
        """What came back from every step."""
        sample, unit = read.element
        return Meaning(
            read.lines(total(read.input(0, sample, ALL, unit))),
            "It was used at every time step, so what comes back from each of them adds up.",
        )
