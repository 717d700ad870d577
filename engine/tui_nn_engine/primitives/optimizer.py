"""What all update rules share: their block in the experiment file, and pieces of their formulas.

All work on the flat vectors of trainable parameters w and gradients g, both (parameters,).
Hyperparameters are 0-d slots of the same dtype: seen while stepping, twice as fast as Python
floats, and unlike NumPy's float64 scalars they promote nothing.
"""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from tui_nn_engine.blocks.schema import Kind
from tui_nn_engine.formulas.expressions import Expression
from tui_nn_engine.primitives.clipping import clip_global_norm, clip_norm, clip_value
from tui_nn_engine.primitives.formula import Formula
from tui_nn_engine.programs.parameters import StateSpec
from tui_nn_engine.programs.program import Builder, Slot

AnyArray = Any
Rate = Annotated[
    float, Field(gt=0, title="learning rate", description="step size; η or α in textbooks")
]
Decay = Annotated[float, Field(ge=0, lt=1)]
Epsilon = Annotated[float, Field(gt=0, description="keeps the division finite")]
Most = Annotated[
    float | None, Field(gt=0, json_schema_extra={"nothing": "no clipping", "late": True})
]


class Optimizer(Kind):
    """An update rule: how the gradient becomes a change of the weights."""

    learning_rate: Rate = 0.01

    def vectors(self) -> tuple[str, ...]:
        """Names of the state vectors (parameters,) it keeps, which start at 0."""
        return ()

    def states(self, parameters: int) -> tuple[StateSpec, ...]:
        """All state it keeps for so many trainable parameters."""
        return tuple(StateSpec(name, (parameters,)) for name in self.vectors())

    def clipped(self, builder: Builder, gradient: Slot) -> Slot:  # noqa: ARG002
        """Append what clips the gradient (parameters,), if anything; returns what is used."""
        return gradient

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Append its operations: what changes the state, Δw, and w ← w + Δw, which is the last.

        The builder's state holds "learning_rate", "iteration" (updates made so far) and an array
        for each of `states()`.
        """
        raise NotImplementedError


class Clipping(Optimizer):
    """An update rule whose gradient may be clipped first, as in Keras: in one way at most."""

    clipvalue: Annotated[
        Most, Field(title="clip by value", description="cuts each number of the gradient")
    ] = None
    clipnorm: Annotated[
        Most, Field(title="clip by norm", description="scales each array's gradient down to it")
    ] = None
    global_clipnorm: Annotated[
        Most, Field(title="clip by global norm", description="scales the whole gradient down to it")
    ] = None

    def clipped(self, builder: Builder, gradient: Slot) -> Slot:
        """By value, by norm, by global norm, or not at all."""
        if self.clipvalue is not None:
            return clip_value(builder, gradient, self.clipvalue)
        if self.clipnorm is not None:
            return clip_norm(builder, gradient, self.clipnorm)
        if self.global_clipnorm is not None:
            return clip_global_norm(builder, gradient, self.global_clipnorm)
        return gradient


def apply_change(builder: Builder, weights: Slot, change: Slot) -> None:
    """The last operation of every update: w ← w + Δw."""

    def compute(_: AnyArray, delta: AnyArray, w: AnyArray) -> None:
        np.add(w, delta, w)

    def why(_: Expression, change: Expression) -> str:
        stays = change.scalar == 0
        return f"The weight {'stays: its change is 0' if stays else 'moves by its change'}."

    builder.append(
        Formula("new weights", "w", "w Δw", lambda w, change: w + change, why, compute),
        (weights, change),
        (weights,),
    )


def direction(gradient: Expression, called: str = "gradient") -> str:
    """Which way the step goes, in words."""
    slope = gradient.scalar
    if slope > 0:
        return (
            f"The {called} is positive: a larger weight makes the loss larger, so the step is down."
        )
    if slope < 0:
        return (
            f"The {called} is negative: a larger weight makes the loss smaller, so the step is up."
        )
    if slope == 0:
        return f"The {called} is 0: so is the step."
    return f"The step goes against the {called}, downhill on the loss."


def velocity_of(left: str, compute: Callable[..., None]) -> Formula:
    """v ← µ v + s, by its symbol."""

    def why(v: Expression, step: Expression, _: Expression) -> str:
        before, now = v.scalar, step.scalar
        told = "Momentum: the weight keeps part of the speed it had, like a ball that rolls."
        if before == 0:
            return f"{told} It had none yet."
        if before * now > 0:
            return f"{told} This step points the same way, so it gets faster."
        return f"{told} This step points the other way and slows it." if before * now < 0 else told

    return Formula("velocity", left, f"{left} s µ", lambda v, s, mu: mu * v + s, why, compute)


def mean_square_of(name: str, decay: str, compute: Callable[..., None]) -> Formula:
    """v ← β v + (1 − β) g²."""
    return Formula(
        name,
        "v",
        f"v g {decay}",
        lambda v, g, beta: beta * v + (1 - beta) * g**2,
        lambda *_: (
            "A running mean of the squared gradients: how large they usually are, whatever "
            "their sign."
        ),
        compute,
    )


def remember_square(builder: Builder, gradient: Slot, decay: float) -> Callable[..., None]:
    """v ← decay v + (1 - decay) g², with scratch memory of its own."""
    work: AnyArray = np.empty_like(gradient.array)
    rest = np.array(1 - decay, builder.dtype)

    def compute(v: AnyArray, g: AnyArray, decay: AnyArray, _: AnyArray) -> None:
        np.multiply(v, decay, v)
        np.multiply(g, g, work)
        np.multiply(work, rest, work)
        np.add(v, work, v)

    return compute


def mean_of(name: str, left: str, decay: str, compute: Callable[..., None]) -> Formula:
    """m ← β m + (1 − β) g."""
    return Formula(
        name,
        left,
        f"{left} g {decay}",
        lambda m, g, beta: beta * m + (1 - beta) * g,
        lambda *_: (
            "A running mean of the gradients: what points the same way in update after update "
            "adds up, what swings to and fro cancels."
        ),
        compute,
    )


def remember(builder: Builder, gradient: Slot, decay: float) -> Callable[..., None]:
    """m ← decay m + (1 - decay) g, with scratch memory of its own."""
    work: AnyArray = np.empty_like(gradient.array)
    rest = np.array(1 - decay, builder.dtype)

    def compute(m: AnyArray, g: AnyArray, decay: AnyArray, _: AnyArray) -> None:
        np.multiply(m, decay, m)
        np.multiply(g, rest, work)
        np.add(m, work, m)

    return compute
