"""A step size for each weight, by how large its gradients were: RMSprop, Adagrad, Adadelta."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.functions import sqrt
from tui_nn_engine.primitives.formula import Formula
from tui_nn_engine.primitives.optimizer import (
    AnyArray,
    Decay,
    Epsilon,
    Optimizer,
    Rate,
    apply_change,
    direction,
    hyperparameter,
    mean_square_of,
    remember_square,
    velocity_of,
)
from tui_nn_engine.program import Builder, Slot


class RMSprop(Optimizer):
    """v ← ρ v + (1 - ρ) g², Δw = -η g / sqrt(v + ε) (Hinton 2012), as Keras writes it.

    ε stands inside the root; PyTorch's stands outside. With momentum: b ← µ b - η g / sqrt(v + ε),
    Δw = b.
    """

    type: Literal["rmsprop"] = "rmsprop"
    summary: ClassVar[str] = "step divided by the recent size of the gradient"
    learning_rate: Rate = 0.001
    rho: Annotated[Decay, Field(description="how long the size of gradients is remembered")] = 0.9
    momentum: Annotated[Decay, Field(description="share of the last step kept; 0: none")] = 0.0
    epsilon: Epsilon = 1e-7

    def vectors(self) -> tuple[str, ...]:
        """The mean square, and the velocity if there is momentum."""
        return ("mean_square", "velocity") if self.momentum else ("mean_square",)

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Mean square, step, momentum if any, new weights."""
        mean_square = builder.state["mean_square"]
        rho = hyperparameter(builder, "rho", self.rho)
        epsilon = hyperparameter(builder, "epsilon", self.epsilon)
        builder.append(
            mean_square_of("mean square", "ρ", remember_square(builder, gradient, self.rho)),
            (mean_square, gradient, rho),
            (mean_square,),
        )

        def divide(g: AnyArray, v: AnyArray, rate: AnyArray, eps: AnyArray, out: AnyArray) -> None:
            np.add(v, eps, out)
            np.sqrt(out, out)
            np.divide(g, out, out)
            np.multiply(out, rate, out)
            np.negative(out, out)

        step = builder.apply(
            Formula(
                "step",
                "s" if self.momentum else "Δw",
                "g v η ε",
                lambda g, v, rate, epsilon: -(rate * g / sqrt(v + epsilon)),
                lambda g, *_: (
                    f"{direction(g)} Divided by the usual size of its gradients, each "
                    "weight moves about as far as any other; ε keeps the division finite."
                ),
                divide,
            ),
            gradient,
            mean_square,
            builder.state["learning_rate"],
            epsilon,
            name="Δw" if not self.momentum else "-ηg/√(v+ε)",
        )
        if not self.momentum:
            apply_change(builder, weights, step)
            return
        velocity = builder.state["velocity"]

        def accelerate(b: AnyArray, step: AnyArray, mu: AnyArray, _: AnyArray) -> None:
            np.multiply(b, mu, b)
            np.add(b, step, b)

        mu = hyperparameter(builder, "momentum", self.momentum)
        builder.append(velocity_of("b", accelerate), (velocity, step, mu), (velocity,))
        apply_change(builder, weights, velocity)
