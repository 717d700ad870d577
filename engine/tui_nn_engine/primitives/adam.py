"""Adam and its family: momentum, and a step size for each weight."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.formulas.expressions import Expression, Quantity, lift, part
from tui_nn_engine.formulas.functions import sqrt
from tui_nn_engine.primitives.formula import Formula, hyperparameter
from tui_nn_engine.primitives.optimizer import (
    AnyArray,
    Clipping,
    Decay,
    Epsilon,
    Rate,
    apply_change,
    direction,
    mean_of,
    mean_square_of,
    remember,
    remember_square,
)
from tui_nn_engine.programs.parameters import StateSpec
from tui_nn_engine.programs.program import Builder, Slot


class _Moments(Clipping):
    """Running means m of the gradients and v of their squares, as Algorithm 1 of Kingma & Ba."""

    learning_rate: Rate = 0.001
    beta_1: Annotated[Decay, Field(description="how long gradients are remembered")] = 0.9
    beta_2: Annotated[Decay, Field(description="how long their squares are")] = 0.999
    epsilon: Epsilon = 1e-7

    def vectors(self) -> tuple[str, ...]:
        """The running means of g and g²."""
        return ("m", "v")

    def emit_moments(self, builder: Builder, gradient: Slot) -> None:
        """Append the two running means."""
        m, v = builder.state["m"], builder.state["v"]
        builder.append(
            mean_of("first moment", "m", "β₁", remember(builder, gradient, self.beta_1)),
            (m, gradient, hyperparameter(builder, "beta_1", self.beta_1)),
            (m,),
        )
        builder.append(
            mean_square_of("second moment", "β₂", remember_square(builder, gradient, self.beta_2)),
            (v, gradient, hyperparameter(builder, "beta_2", self.beta_2)),
            (v,),
        )

    def emit_step(self, builder: Builder, m_hat: Slot, name: str, left: str) -> Slot:
        """Append v̂ and the step -η m̂/(sqrt(v̂) + ε); returns the step."""
        v, iteration = builder.state["v"], builder.state["iteration"]
        v_hat = builder.apply(_corrected("v̂", "β₂", self.beta_2), v, iteration, name="v̂")
        epsilon = hyperparameter(builder, "epsilon", self.epsilon)
        rate = builder.state["learning_rate"]
        return builder.apply(_step(left), m_hat, v_hat, rate, epsilon, name=name)

    def emit_adam(self, builder: Builder, gradient: Slot, name: str, left: str) -> Slot:
        """Append all of Adam's step; returns it."""
        self.emit_moments(builder, gradient)
        m, iteration = builder.state["m"], builder.state["iteration"]
        m_hat = builder.apply(_corrected("m̂", "β₁", self.beta_1), m, iteration, name="m̂")
        return self.emit_step(builder, m_hat, name, left)


class Adam(_Moments):
    """Adam as Algorithm 1 of Kingma & Ba 2015: m, v, both bias-corrected, Δw = -η m̂/(sqrt(v̂) + ε).

    PyTorch's agrees; Keras's multiplies the corrections into the rate, which moves ε.
    """

    type: Literal["adam"] = "adam"
    summary: ClassVar[str] = "momentum and step size for each weight: a safe first choice"

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """m, v, m̂, v̂, Δw, new weights."""
        apply_change(builder, weights, self.emit_adam(builder, gradient, "Δw", "Δw"))


class AdamW(_Moments):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019): Δw = -η m̂/(sqrt(v̂) + ε) - η λ w.

    As PyTorch's and Keras's, the decay λ is multiplied by the rate and acts on all that is
    trained. An L2 penalty in the loss would be divided by the size of the gradients; this is not.
    """

    type: Literal["adamw"] = "adamw"
    summary: ClassVar[str] = "Adam, and all weights shrink a little in each update"
    weight_decay: Annotated[
        float, Field(ge=0, description="λ: share of a weight lost in an update, times the rate")
    ] = 0.004

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Adam's step s, the decay, new weights."""
        step = self.emit_adam(builder, gradient, "-ηm̂/(√v̂+ε)", "s")
        rate = builder.state["learning_rate"]
        decay = hyperparameter(builder, "weight_decay", self.weight_decay)

        def compute(
            step: AnyArray, w: AnyArray, rate: AnyArray, decay: AnyArray, out: AnyArray
        ) -> None:
            np.multiply(w, rate * decay, out)
            np.subtract(step, out, out)

        decaying = Formula(
            "weight decay",
            "Δw",
            "s w η λ",
            lambda s, w, rate, decay: s - rate * decay * w,
            lambda *_: (
                "Besides Adam's step the weight loses a small share of itself: one that the "
                "data does not need goes to 0."
            ),
            compute,
        )
        change = builder.apply(decaying, step, weights, rate, decay, name="Δw")
        apply_change(builder, weights, change)


class Nadam(_Moments):
    """Adam with Nesterov's momentum (Dozat 2016), µ growing from β₁/2 to β₁ as Keras does it.

    µ_t = β₁ (1 - ½ 0.96^t); m̂ = µ_(t+1) m / (1 - Π_(i≤t+1) µ_i) + (1 - µ_t) g / (1 - Π_(i≤t) µ_i).
    PyTorch's agrees with momentum_decay = 1 (its own default, 0.004, warms up 250 times slower).
    """

    type: Literal["nadam"] = "nadam"
    summary: ClassVar[str] = "Adam that looks ahead by the momentum, as Nesterov"

    def states(self, parameters: int) -> tuple[StateSpec, ...]:
        """m, v, and the product of all µ so far."""
        return (*super().states(parameters), StateSpec("momentum_product", (), 1.0))

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """m, v, the product of µ, m̂, v̂, Δw, new weights."""
        self.emit_moments(builder, gradient)
        iteration, product = builder.state["iteration"], builder.state["momentum_product"]

        def multiply(product: AnyArray, iteration: AnyArray, _: AnyArray) -> None:
            np.multiply(product, self._momentum(int(iteration) + 1), product)

        builder.append(
            Formula(
                "product of momentums",
                "Πµ",
                "Πµ t",
                lambda product, made: product * self._mu(made, "µ"),
                lambda *_: (
                    "The momentum µ grows with t; how much of m's beginning at 0 is still in it is "
                    "the product of all of them."
                ),
                multiply,
            ),
            (product, iteration),
            (product,),
        )
        work: AnyArray = np.empty_like(gradient.array)

        def look_ahead(
            m: AnyArray, g: AnyArray, product: AnyArray, iteration: AnyArray, out: AnyArray
        ) -> None:
            now, following = (self._momentum(int(iteration) + ahead) for ahead in (1, 2))
            past = float(product)
            np.multiply(m, np.array(following / (1 - past * following), m.dtype), out)
            np.multiply(g, np.array((1 - now) / (1 - past), g.dtype), work)
            np.add(out, work, out)

        m_hat = builder.apply(
            Formula(
                "look ahead",
                "m̂",
                "m g Πµ t",
                self._ahead,
                lambda *_: (
                    "Nesterov: not the mean of the gradients until now, but what it will be in the "
                    "next update already, as far as it is known. The divisors make up for its "
                    "beginning at 0."
                ),
                look_ahead,
            ),
            builder.state["m"],
            gradient,
            product,
            iteration,
            name="m̂",
        )
        apply_change(builder, weights, self.emit_step(builder, m_hat, "Δw", "Δw"))

    def _momentum(self, t: float) -> float:
        return float(self.beta_1 * (1 - 0.5 * 0.96**t))

    def _mu(self, made: Expression, symbol: str, *, ahead: bool = False) -> Expression:
        t: Expression = Quantity("t", made.value + 1)
        growing = 1 - 0.5 * lift(0.96) ** (t + 1 if ahead else t)
        return part(symbol, Quantity("β₁", self.beta_1) * growing)

    def _ahead(
        self, m: Expression, g: Expression, product: Expression, made: Expression
    ) -> Expression:
        mu, following = self._mu(made, "µ"), self._mu(made, "µ₊", ahead=True)
        return following * m / (1 - product * following) + (1 - mu) * g / (1 - product)


def _step(left: str) -> Formula:
    def divide(m: AnyArray, v: AnyArray, rate: AnyArray, eps: AnyArray, change: AnyArray) -> None:
        np.sqrt(v, change)
        np.add(change, eps, change)
        np.divide(m, change, change)
        np.multiply(change, -rate, change)

    return Formula(
        "step",
        left,
        "m̂ v̂ η ε",
        lambda m, v, rate, epsilon: -(rate * m / (sqrt(v) + epsilon)),
        lambda m, *_: (
            f"{direction(m, 'mean gradient')} Divided by the usual size of its gradients, each "
            "weight moves by about the learning rate; ε keeps the division finite."
        ),
        divide,
    )


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
