"""Gradient clipping: what is too large is cut or scaled down before the update rule sees it.

By value each number is cut by itself, which turns the direction; by norm (Pascanu et al. 2013) all
numbers of an array, or of all arrays together, are scaled by one factor, which keeps it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tui_nn_engine.formulas.expressions import Expression
from tui_nn_engine.formulas.functions import largest, smallest, sqrt, total
from tui_nn_engine.primitives.formula import Formula, hyperparameter
from tui_nn_engine.programs.program import Array, Builder, Call, Primitive, Slot
from tui_nn_engine.programs.reading import Meaning, Reading

AnyArray = Any


def clip_value(builder: Builder, gradient: Slot, most: float) -> Slot:
    """Append g ← min(max(g, −c), c); returns the clipped gradient (parameters,)."""

    def why(g: Expression, c: Expression) -> str:
        told = f"No number of the gradient may be larger than {c.scalar:g}, with either sign"
        if abs(g.scalar) > c.scalar:
            return f"{told}: this one is cut off."
        return f"{told}: this one is not, and stays." if abs(g.scalar) <= c.scalar else f"{told}."

    cut = Formula(
        "clip by value",
        "g",
        "g c",
        lambda g, c: smallest(largest(g, -c), c),
        why,
        lambda g, c, out: np.clip(g, -c, c, out),
    )
    return builder.apply(cut, gradient, hyperparameter(builder, "clipvalue", most), name="g")


def clip_norm(builder: Builder, gradient: Slot, most: float) -> Slot:
    """Append the norm of each parameter array's gradient, and the scaling by it."""
    stops = np.cumsum([slot.array.size for slot in _trained(builder)]).tolist()
    places = tuple(slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False))
    norms = builder.apply(ArrayNorms(places), gradient, name="‖g‖")
    work: AnyArray = np.empty_like(gradient.array)

    def compute(g: AnyArray, norm: AnyArray, c: AnyArray, out: AnyArray) -> None:
        np.maximum(norm, c, out=work)
        np.divide(c, work, work)
        np.multiply(g, work, out)

    scaled = _scaled("array's", compute)
    return builder.apply(
        scaled, gradient, norms, hyperparameter(builder, "clipnorm", most), name="g"
    )


def clip_global_norm(builder: Builder, gradient: Slot, most: float) -> Slot:
    """Append the norm of the whole gradient, and the scaling by it."""
    norm = builder.apply(GlobalNorm(), gradient, name="‖g‖")

    def compute(g: AnyArray, norm: AnyArray, c: AnyArray, out: AnyArray) -> None:
        np.multiply(g, c / max(norm, c), out)

    scaled = _scaled("network's", compute)
    return builder.apply(
        scaled, gradient, norm, hyperparameter(builder, "global_clipnorm", most), name="g"
    )


class GlobalNorm(Primitive):
    """‖g‖ = √(Σ g²) of a gradient (parameters,): a scalar."""

    name = "norm"
    formula = "‖g‖ = √(Σ g²)"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:  # noqa: ARG002
        """A scalar."""
        return {"": ()}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """The norm of all."""
        gradient, out = inputs[0], outputs[0]
        return lambda: out.fill(_norm(gradient))

    def explain(self, read: Reading) -> Meaning:
        """Root of the sum of squares."""
        lines = read.lines(sqrt(total(read.input(0, ..., as_="g") ** 2)), as_="‖g‖")
        return Meaning(lines, "How long the gradient of all weights together is, as an arrow.")


class ArrayNorms(Primitive):
    """For each weight ‖g‖ of the array (a layer's kernel, its bias) it belongs to: (parameters,).

    `places` are the arrays' places in the flat vector.
    """

    name = "norm"
    formula = "‖g‖ = √(Σ g²) of each array"

    def __init__(self, places: Sequence[slice]) -> None:
        self.places = places

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """As the gradient."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One norm an array."""
        pairs = [(inputs[0][place], outputs[0][place]) for place in self.places]

        def call() -> None:
            for gradient, out in pairs:
                out.fill(_norm(gradient))

        return call

    def explain(self, read: Reading) -> Meaning:
        """Root of the sum of squares over the array of the weight."""
        here = read.element[0]
        place = next(place for place in self.places if place.start <= here < place.stop)
        squares = read.input(0, ..., as_="g").at(np.arange(place.start, place.stop)) ** 2
        return Meaning(
            read.lines(sqrt(total(squares)), as_="‖g‖"),
            "How long the gradient of this weight's array is, as an arrow.",
        )


def _scaled(whose: str, compute: Callable[..., None]) -> Formula:
    def why(_: Expression, norm: Expression, c: Expression) -> str:
        most, now = c.scalar, norm.scalar
        if now > most:
            return (
                f"The {whose} gradient has the norm {now:.4g}, more than {most:g}: all of it is "
                f"scaled by {most / now:.4g}. It keeps its direction; only the step gets shorter."
            )
        told = f"Only where the {whose} gradient has a norm above {most:g} is it scaled down"
        return f"{told}; {now:.4g} is not, so it stays." if now <= most else f"{told}."

    return Formula(
        "clip by norm", "g", "g ‖g‖ c", lambda g, norm, c: g * c / largest(norm, c), why, compute
    )


def _trained(builder: Builder) -> list[Slot]:
    """In the order of the flat vectors."""
    return [slot for slot in builder.parameters.values() if builder.gradient(slot) is not None]


def _norm(gradient: AnyArray) -> AnyArray:
    """Also where the squares overflow, as gradients that explode do."""
    square = np.dot(gradient, gradient)
    if np.isfinite(square):
        return np.sqrt(square)
    most = np.abs(gradient).max()
    return most * np.sqrt(np.sum((gradient / most) ** 2))
