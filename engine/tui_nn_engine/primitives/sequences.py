"""Operations on whole sequences (batch, time, features), all time steps at once.

Where time steps are worked on one by one, an array has the shape (batch, time, features) but lies
in memory step after step, so that each step is one contiguous block: see `by_step`.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from tui_nn_engine.formulas.expressions import Quantity, part
from tui_nn_engine.formulas.functions import ALL_SHOWN, total
from tui_nn_engine.primitives.linear import BiasGradient, InputGradient, KernelGradient
from tui_nn_engine.programs.program import Array, Builder, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import ALL, Meaning, Reading

AnyArray = Any


def by_step(builder: Builder, name: str, shape: Sequence[int]) -> Slot:
    """A slot (batch, time, features) that lies in memory step after step."""
    batch, time, features = shape
    array = np.zeros((time, batch, features), builder.dtype).transpose(1, 0, 2)
    return Slot(f"{builder.path}.{name}", array)


def steps_of(array: Array) -> AnyArray:
    """(time · batch, features): a view of an array that lies in memory step after step."""
    turned = array.transpose(1, 0, 2)
    return turned.reshape(-1, turned.shape[2])


def _stepwise(array: Array) -> tuple[AnyArray, Call | None]:
    """The array's rows, step after step; and what copies them there, where they lie otherwise."""
    turned: AnyArray = array.transpose(1, 0, 2)
    if turned.flags.c_contiguous:
        return turned.reshape(-1, turned.shape[2]), None
    copied = np.empty(turned.shape, turned.dtype)
    return copied.reshape(-1, turned.shape[2]), partial(np.copyto, copied, turned)


def in_turn(*calls: Call | None) -> Call:
    """One call for all that are there."""
    made = [call for call in calls if call is not None]
    if len(made) == 1:
        return made[0]

    def call() -> None:
        for each in made:
            each()

    return call


class InputProducts(Primitive):
    """a = xW + b at every time step: what the inputs alone add to the net inputs, in one product.

    Inputs x (batch, time, features), W (features, units) and, if any, b (units,); a lies in memory
    step after step.
    """

    name = "input products"

    def __init__(self, *, biased: bool) -> None:
        self.formula = "a = xW + b" if biased else "a = xW"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, time, units)."""
        return {"": (*inputs[0].shape[:-1], inputs[1].shape[1])}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One BLAS product and a sum."""
        rows, copy = _stepwise(inputs[0])
        a = steps_of(outputs[0])
        add = partial(np.add, a, inputs[2], a) if len(inputs) > 2 else None
        return in_turn(copy, partial(np.dot, rows, inputs[1], a), add)

    def explain(self, read: Reading) -> Meaning:
        """Each input of this step times the weight of its connection, summed up, and the bias."""
        *place, unit = read.element
        terms = total(read.input(0, *place, ALL) * read.input(1, ALL, unit))
        if len(read.inputs) > 2:
            terms = terms + read.input(2, unit)
        return Meaning(
            read.lines(terms),
            "What the inputs of this time step send to the unit. It does not need what the layer "
            "remembers, so it is computed for all time steps at once; the weights are the same at "
            "every step.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """As of a dense layer; W and b get the sum over all time steps."""
        x, kernel, *bias = op.inputs
        yield Contribution(kernel, (x, gradient), StepsKernelGradient())
        for slot in bias:
            yield Contribution(slot, (gradient,), StepsBiasGradient())
        yield Contribution(x, (gradient, kernel), StepsInputGradient())


class StepsKernelGradient(KernelGradient):
    """dE/dW = Σ over time steps of xᵀ δ: the same weights have worked at each of them."""

    name = "kernel gradient"
    formula = "∂E/∂W = Σₜ xₜᵀδₜ"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One BLAS product over all rows of all steps."""
        rows, copy = _stepwise(inputs[0])
        return in_turn(copy, partial(np.dot, rows.T, steps_of(inputs[1]), outputs[0]))

    def explain(self, read: Reading) -> Meaning:
        """The shares of the time steps, and each in its terms where they are few."""
        source, unit = read.element
        terms = read.input(0, ..., source) * read.input(1, ..., unit)
        return _over_time(
            read,
            terms,
            [
                total(read.input(0, ALL, t, source) * read.input(1, ALL, t, unit))
                for t in range(read.inputs[0].shape[1])
            ],
        )


class StepsBiasGradient(BiasGradient):
    """dE/db = Σ δ over all rows of all time steps."""

    formula = "∂E/∂b = Σₜ Σδₜ"

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """A product with a row of ones."""
        delta = steps_of(inputs[0])
        return partial(np.dot, np.ones(len(delta), delta.dtype), delta, outputs[0])

    def explain(self, read: Reading) -> Meaning:
        """The shares of the time steps, and each in its terms where they are few."""
        (unit,) = read.element
        return _over_time(
            read,
            read.input(0, ..., unit),
            [total(read.input(0, ALL, t, unit)) for t in range(read.inputs[0].shape[1])],
        )


class StepsInputGradient(InputGradient):
    """dE/dx = δ Wᵀ at every time step."""

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One BLAS product, and a copy where x lies sample after sample."""
        rows = steps_of(inputs[0])
        turned: AnyArray = outputs[0].transpose(1, 0, 2)
        if turned.flags.c_contiguous:
            return partial(np.dot, rows, inputs[1].T, steps_of(outputs[0]))
        work = np.empty(turned.shape, turned.dtype)
        product = partial(np.dot, rows, inputs[1].T, work.reshape(len(rows), -1))
        return in_turn(product, partial(np.copyto, turned, work))


def _over_time(read: Reading, terms: Any, shares: list[Any]) -> Meaning:
    """A gradient as the sum of what each time step adds to it."""
    name = read.output(0, *read.element).text()
    if len(shares) <= ALL_SHOWN:
        parts = [part(f"{name}⟨{t}⟩", share) for t, share in enumerate(shares, 1)]
        right = parts[0] if len(parts) == 1 else total(Quantity("", 0)) if not parts else parts[0]
        for one in parts[1:]:
            right = right + one
    else:
        values = np.array([share.scalar for share in shares])
        right = total(Quantity(lambda place: f"{name}⟨{place + 1}⟩", values))
    return Meaning(
        read.lines(right),
        "The same weight has worked at every time step, so it acts on the loss along as many "
        "paths: by the chain rule what each step adds, its input times its error, is added up. "
        f"⟨t⟩ is the share of time step t, of {len(shares)}.",
        terms,
    )


class InOrder(Primitive):
    """The same numbers, in memory sample after sample instead of step after step (or back)."""

    name = "all steps"
    formula = "h = (h⟨1⟩, h⟨2⟩, ...)"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape that it has."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One copy."""
        return partial(np.copyto, outputs[0], inputs[0])

    def explain(self, read: Reading) -> Meaning:
        """The number itself."""
        return Meaning(
            read.lines(read.here(0)),
            "The layer hands on what it gave at every time step: nothing is computed.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """The same, back."""
        yield Contribution(op.inputs[0], (gradient,), InOrder())


class MultiplySteps(Primitive):
    """h = x ⊙ m at every time step: m (batch, features) is the same at all of them.

    So a dropout mask drops an input for a whole sequence (Gal & Ghahramani 2016).
    """

    name = "multiply"
    formula = "x′ = x ⊙ m"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of x."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One product."""
        return partial(np.multiply, inputs[0], inputs[1][:, None, :], outputs[0])

    def explain(self, read: Reading) -> Meaning:
        """The value times the mask."""
        sample, _, unit = read.element
        return Meaning(
            read.lines(read.here(0) * read.input(1, sample, unit)),
            "The mask is drawn once for the sequence: what is dropped (mask 0) is dropped at all "
            "its time steps, what is kept is scaled up.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """The gradient times the mask."""
        x, mask = op.inputs
        yield Contribution(x, (gradient, mask), MultiplySteps())
