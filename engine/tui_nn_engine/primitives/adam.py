"""Adam and its family: momentum, and a step size for each weight."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.expressions import Expression, Quantity
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
)
from tui_nn_engine.program import Builder, Slot


class Adam(Optimizer):
    """Adam as Algorithm 1 of Kingma & Ba 2015: m, v, both bias-corrected, Δw = -η m̂/(sqrt(v̂) + ε).

    PyTorch's agrees; Keras's multiplies the corrections into the rate, which moves ε.
    """

    type: Literal["adam"] = "adam"
    summary: ClassVar[str] = "momentum and step size for each weight: a safe first choice"
    learning_rate: Rate = 0.001
    beta_1: Annotated[Decay, Field(description="how long gradients are remembered")] = 0.9
    beta_2: Annotated[Decay, Field(description="how long their squares are")] = 0.999
    epsilon: Epsilon = 1e-7

    def vectors(self) -> tuple[str, ...]:
        """The running means of g and g²."""
        return ("m", "v")

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """m, v, their corrections, m̂, v̂, Δw, new weights."""
        m, v, iteration = (builder.state[name] for name in ("m", "v", "iteration"))
        beta_1 = hyperparameter(builder, "beta_1", self.beta_1)
        beta_2 = hyperparameter(builder, "beta_2", self.beta_2)
        epsilon = hyperparameter(builder, "epsilon", self.epsilon)
        work = np.empty_like(gradient.array)
        rest = np.array(1 - self.beta_1, builder.dtype)

        def first_moment(m: AnyArray, g: AnyArray, beta: AnyArray, _: AnyArray) -> None:
            np.multiply(m, beta, m)
            np.multiply(g, rest, work)
            np.add(m, work, m)

        builder.append(
            Formula(
                "first moment",
                "m",
                "m g β₁",
                lambda m, g, beta: beta * m + (1 - beta) * g,
                lambda *_: (
                    "A running mean of the gradients: what points the same way in update "
                    "after update adds up, what swings to and fro cancels."
                ),
                first_moment,
            ),
            (m, gradient, beta_1),
            (m,),
        )
        builder.append(
            mean_square_of("second moment", "β₂", remember_square(builder, gradient, self.beta_2)),
            (v, gradient, beta_2),
            (v,),
        )
        m_hat = builder.apply(_corrected("m̂", "β₁", self.beta_1), m, iteration, name="m̂")
        v_hat = builder.apply(_corrected("v̂", "β₂", self.beta_2), v, iteration, name="v̂")

        def divide(
            m: AnyArray, v: AnyArray, rate: AnyArray, eps: AnyArray, change: AnyArray
        ) -> None:
            np.sqrt(v, change)
            np.add(change, eps, change)
            np.divide(m, change, change)
            np.multiply(change, -rate, change)

        change = builder.apply(
            Formula(
                "step",
                "Δw",
                "m̂ v̂ η ε",
                lambda m, v, rate, epsilon: -(rate * m / (sqrt(v) + epsilon)),
                lambda m, *_: (
                    f"{direction(m, 'mean gradient')} Divided by the usual size of its "
                    "gradients, each weight moves by about the learning rate; ε keeps the "
                    "division finite."
                ),
                divide,
            ),
            m_hat,
            v_hat,
            builder.state["learning_rate"],
            epsilon,
            name="Δw",
        )
        apply_change(builder, weights, change)


def _corrected(name: str, beta_name: str, beta: float) -> Formula:
    """The bias correction x̂ = x / (1 - β^t), t counted from 1."""

    def compute(x: AnyArray, iteration: AnyArray, out: AnyArray) -> None:
        np.divide(x, np.array(1 - beta ** (int(iteration) + 1), x.dtype), out)

    def equation(x: Expression, iteration: Expression) -> Expression:
        return x / (1 - Quantity(beta_name, beta) ** Quantity("t", iteration.value + 1))

    return Formula(
        "bias correction",
        name,
        f"{name[0]} t",
        equation,
        lambda *_: (
            "The running mean began at 0 and is too small at first; in update t this makes "
            "up for it, and after many updates it changes nothing."
        ),
        compute,
    )
