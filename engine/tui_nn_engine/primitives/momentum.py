"""Gradient descent with a constant step, and the momentums."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.primitives.formula import Formula
from tui_nn_engine.primitives.optimizer import (
    AnyArray,
    Decay,
    Optimizer,
    apply_change,
    direction,
    hyperparameter,
    velocity_of,
)
from tui_nn_engine.program import Builder, Slot


class SGD(Optimizer):
    """Gradient descent, with Keras's form of momentum: v ← µ v - η g, w ← w + v.

    Nesterov: w ← w + µ v - η g (Sutskever et al. 2013). At a constant rate both walk as PyTorch's.
    """

    type: Literal["sgd"] = "sgd"
    summary: ClassVar[str] = "plain gradient descent, with momentum if wished"
    momentum: Annotated[Decay, Field(description="share of the last step kept; 0: none")] = 0.0
    nesterov: Annotated[bool, Field(description="look ahead by the momentum (needs one)")] = False

    def vectors(self) -> tuple[str, ...]:
        """The velocity, if there is momentum."""
        return ("velocity",) if self.momentum else ()

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Without momentum two operations, with it three."""
        rate = builder.state["learning_rate"]
        if not self.momentum:
            change = builder.apply(_scaled_gradient("Δw"), gradient, rate, name="Δw")
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


def _scaled_gradient(left: str) -> Formula:
    return Formula(
        "step",
        left,
        "g η",
        lambda g, rate: -(rate * g),
        lambda g, _: f"{direction(g)} The learning rate says how far.",
        lambda g, rate, out: np.multiply(g, -rate, out),
    )
