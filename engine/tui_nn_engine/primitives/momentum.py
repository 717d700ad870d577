"""Gradient descent with a constant step, and the momentums."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.formulas.expressions import Expression, Quantity
from tui_nn_engine.formulas.functions import when
from tui_nn_engine.primitives.formula import Formula, hyperparameter
from tui_nn_engine.primitives.optimizer import (
    AnyArray,
    Clipping,
    Decay,
    apply_change,
    direction,
    velocity_of,
)
from tui_nn_engine.programs.program import Builder, Slot

_CALLED = {"g": "gradient", "v": "mean gradient"}


class SGD(Clipping):
    """Gradient descent, with Keras's form of momentum: v ← µ v - η g, w ← w + v.

    Nesterov: w ← w + µ v - η g (Sutskever et al. 2013). At a constant rate both walk as PyTorch's.
    Averaged: v = g at first, then v ← µ v + (1 - µ) g, w ← w - η v; PyTorch's with dampening = µ.
    """

    type: Literal["sgd"] = "sgd"
    summary: ClassVar[str] = "plain gradient descent, with momentum if wished"
    momentum: Annotated[Decay, Field(description="share of the last step kept; 0: none")] = 0.0
    nesterov: Annotated[bool, Field(description="look ahead by the momentum (needs one)")] = False
    averaged: Annotated[
        bool, Field(description="step along the running mean of gradients (needs momentum)")
    ] = False

    def vectors(self) -> tuple[str, ...]:
        """The velocity (or the mean gradient), if there is momentum."""
        if not self.momentum:
            return ()
        return ("mean_gradient",) if self.averaged else ("velocity",)

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Without momentum two operations, with it three."""
        rate = builder.state["learning_rate"]
        if not self.momentum:
            change = builder.apply(_scaled_gradient("Δw"), gradient, rate, name="Δw")
            apply_change(builder, weights, change)
            return
        if self.averaged:
            mean = self._emit_mean(builder, gradient)
            change = builder.apply(_scaled_gradient("Δw", "v"), mean, rate, name="Δw")
            apply_change(builder, weights, change)
            return
        mu = hyperparameter(builder, "momentum", self.momentum)
        step = builder.apply(_scaled_gradient("s"), gradient, rate, name="-ηg")
        velocity = builder.state["velocity"]

        def accelerate(v: AnyArray, step: AnyArray, mu: AnyArray, _: AnyArray) -> None:
            np.multiply(v, mu, v)
            np.add(v, step, v)

        builder.append(velocity_of("v", accelerate), (velocity, step, mu), (velocity,))
        if not self.nesterov:
            apply_change(builder, weights, velocity)
            return

        def look_ahead(v: AnyArray, step: AnyArray, mu: AnyArray, change: AnyArray) -> None:
            np.multiply(v, mu, change)
            np.add(change, step, change)

        looking = Formula(
            "look ahead",
            "Δw",
            "v s µ",
            lambda v, s, mu: mu * v + s,
            lambda *_: (
                "Nesterov's momentum: the weight moves as the velocity will have it in the "
                "next update already, so that it turns earlier."
            ),
            look_ahead,
        )
        change = builder.apply(looking, velocity, step, mu, name="Δw")
        apply_change(builder, weights, change)

    def _emit_mean(self, builder: Builder, gradient: Slot) -> Slot:
        mean, iteration = builder.state["mean_gradient"], builder.state["iteration"]
        mu = hyperparameter(builder, "momentum", self.momentum)
        rest = np.array(1 - self.momentum, builder.dtype)
        work: AnyArray = np.empty_like(gradient.array)

        def compute(v: AnyArray, g: AnyArray, mu: AnyArray, made: AnyArray, _: AnyArray) -> None:
            if not made:
                np.copyto(v, g)
                return
            np.multiply(v, mu, v)
            np.multiply(g, rest, work)
            np.add(v, work, v)

        averaging = Formula(
            "mean gradient",
            "v",
            "v g µ t",
            _running_mean,
            lambda *_: (
                "A running mean of the gradients, which begins at the first one: what points "
                "the same way in update after update stays, what swings to and fro cancels."
            ),
            compute,
        )
        builder.append(averaging, (mean, gradient, mu, iteration), (mean,))
        return mean


def _running_mean(v: Expression, g: Expression, mu: Expression, made: Expression) -> Expression:
    """By the number of the update, counted from 1."""
    return when(Quantity("t", made.value + 1) > 1, mu * v + (1 - mu) * g, g)


def _scaled_gradient(left: str, right: str = "g") -> Formula:
    return Formula(
        "step",
        left,
        f"{right} η",
        lambda g, rate: -(rate * g),
        lambda g, _: f"{direction(g, _CALLED[right])} The learning rate says how far.",
        lambda g, rate, out: np.multiply(g, -rate, out),
    )
