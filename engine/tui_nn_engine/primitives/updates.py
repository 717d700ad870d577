"""Update rules: each is its block in the experiment file and the operations it runs as.

All work on the flat vectors of trainable parameters w and gradients g, both (parameters,). State
vectors start at zero. Hyperparameters are 0-d slots of the same dtype: seen while stepping, twice
as fast as Python floats, and unlike NumPy's float64 scalars they promote nothing.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.expressions import Expression, Quantity
from tui_nn_engine.functions import sqrt
from tui_nn_engine.primitives.formula import Formula
from tui_nn_engine.program import Builder, Slot
from tui_nn_engine.schema import Kind, OneOf

AnyArray = Any
Rate = Annotated[
    float, Field(gt=0, title="learning rate", description="step size; η or α in textbooks")
]
Decay = Annotated[float, Field(ge=0, lt=1)]


class Optimizer(Kind):
    """An update rule: how the gradient becomes a change of the weights."""

    learning_rate: Rate = 0.01
    state_names: ClassVar[tuple[str, ...]] = ()

    def states(self) -> tuple[str, ...]:
        """Names of the state vectors it keeps, each (parameters,)."""
        return self.state_names

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Append its operations: what changes the state, Δw, and w ← w + Δw.

        The builder's state holds "learning_rate", "iteration" (updates made so far) and a vector
        for each name of `states()`.
        """
        raise NotImplementedError


def hyperparameter(builder: Builder, name: str, value: float) -> Slot:
    """A hyperparameter as a constant 0-d slot."""
    return Slot(name, np.array(value, builder.dtype), "input")


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


class SGD(Optimizer):
    """Gradient descent, with Keras's form of momentum: v ← µ v - η g, w ← w + v.

    Nesterov: w ← w + µ v - η g (Sutskever et al. 2013). At a constant rate both walk as PyTorch's.
    """

    type: Literal["sgd"] = "sgd"
    summary: ClassVar[str] = "plain gradient descent, with momentum if wished"
    momentum: Annotated[Decay, Field(description="share of the last step kept; 0: none")] = 0.0
    nesterov: Annotated[bool, Field(description="look ahead by the momentum (needs one)")] = False

    def states(self) -> tuple[str, ...]:
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

        builder.append(_velocity("v", accelerate), (velocity, step, mu), (velocity,))
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
    epsilon: Annotated[float, Field(gt=0, description="keeps the division finite")] = 1e-7

    def states(self) -> tuple[str, ...]:
        """The mean square, and the velocity if there is momentum."""
        return ("mean_square", "velocity") if self.momentum else ("mean_square",)

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Mean square, step, momentum if any, new weights."""
        mean_square = builder.state["mean_square"]
        rho = hyperparameter(builder, "rho", self.rho)
        epsilon = hyperparameter(builder, "epsilon", self.epsilon)
        builder.append(
            _squares("mean square", "ρ", _remember_square(builder, gradient, self.rho)),
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
                    f"{_direction(g)} Divided by the usual size of its gradients, each "
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
        builder.append(_velocity("b", accelerate), (velocity, step, mu), (velocity,))
        apply_change(builder, weights, velocity)


class Adam(Optimizer):
    """Adam as Algorithm 1 of Kingma & Ba 2015: m, v, both bias-corrected, Δw = -η m̂/(sqrt(v̂) + ε).

    PyTorch's agrees; Keras's multiplies the corrections into the rate, which moves ε.
    """

    type: Literal["adam"] = "adam"
    summary: ClassVar[str] = "momentum and step size for each weight: a safe first choice"
    learning_rate: Rate = 0.001
    beta_1: Annotated[Decay, Field(description="how long gradients are remembered")] = 0.9
    beta_2: Annotated[Decay, Field(description="how long their squares are")] = 0.999
    epsilon: Annotated[float, Field(gt=0, description="keeps the division finite")] = 1e-7
    state_names: ClassVar[tuple[str, ...]] = ("m", "v")

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
            _squares("second moment", "β₂", _remember_square(builder, gradient, self.beta_2)),
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
                    f"{_direction(m, 'mean gradient')} Divided by the usual size of its "
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


def _scaled_gradient(left: str) -> Formula:
    return Formula(
        "step",
        left,
        "g η",
        lambda g, rate: -(rate * g),
        lambda g, _: f"{_direction(g)} The learning rate says how far.",
        lambda g, rate, out: np.multiply(g, -rate, out),
    )


def _direction(gradient: Expression, called: str = "gradient") -> str:
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


def _velocity(left: str, compute: Callable[..., None]) -> Formula:
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


def _squares(name: str, decay: str, compute: Callable[..., None]) -> Formula:
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


def _remember_square(builder: Builder, gradient: Slot, decay: float) -> Callable[..., None]:
    """v ← decay v + (1 - decay) g², with scratch memory of its own."""
    work: AnyArray = np.empty_like(gradient.array)
    rest = np.array(1 - decay, builder.dtype)

    def compute(v: AnyArray, g: AnyArray, decay: AnyArray, _: AnyArray) -> None:
        np.multiply(v, decay, v)
        np.multiply(g, g, work)
        np.multiply(work, rest, work)
        np.add(v, work, v)

    return compute


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


OPTIMIZERS: tuple[type[Optimizer], ...] = (Adam, SGD, RMSprop)
AnyOptimizer = Annotated[Optimizer, OneOf(OPTIMIZERS)]
