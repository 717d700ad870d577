"""A step size for each weight, by how large its gradients were: RMSprop, Adagrad, Adadelta."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.formulas.functions import largest, sqrt
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
    velocity_of,
)
from tui_nn_engine.programs.parameters import StateSpec
from tui_nn_engine.programs.program import Builder, Slot


class RMSprop(Clipping):
    """v ← ρ v + (1 - ρ) g², Δw = -η g / sqrt(v + ε) (Hinton 2012), as Keras writes it.

    ε stands inside the root; PyTorch's stands outside. Centered (Graves 2013): with the mean
    a ← ρ a + (1 - ρ) g, v - a² stands for v in the root, the variance. With momentum: b ← µ b + s
    of these steps s, Δw = b.
    """

    type: Literal["rmsprop"] = "rmsprop"
    summary: ClassVar[str] = "step divided by the recent size of the gradient"
    learning_rate: Rate = 0.001
    rho: Annotated[Decay, Field(description="how long the size of gradients is remembered")] = 0.9
    momentum: Annotated[Decay, Field(description="share of the last step kept; 0: none")] = 0.0
    epsilon: Epsilon = 1e-7
    centered: Annotated[
        bool, Field(description="divide by the spread of gradients about their mean")
    ] = False

    def vectors(self) -> tuple[str, ...]:
        """The mean square, the mean if centered, the velocity if there is momentum."""
        return (
            "mean_square",
            *(("mean_gradient",) if self.centered else ()),
            *(("velocity",) if self.momentum else ()),
        )

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Mean square, mean if centered, step, momentum if any, new weights."""
        size = builder.state["mean_square"]
        rho = hyperparameter(builder, "rho", self.rho)
        builder.append(
            mean_square_of("mean square", "ρ", remember_square(builder, gradient, self.rho)),
            (size, gradient, rho),
            (size,),
        )
        if self.centered:
            mean = builder.state["mean_gradient"]
            averaging = mean_of("mean gradient", "a", "ρ", remember(builder, gradient, self.rho))
            builder.append(averaging, (mean, gradient, rho), (mean,))
            size = builder.apply(_variance(), size, mean, name="v-a²")
        name, left = ("-ηg/√(v+ε)", "s") if self.momentum else ("Δw", "Δw")
        rate = builder.state["learning_rate"]
        epsilon = hyperparameter(builder, "epsilon", self.epsilon)
        step = builder.apply(_divided(left), gradient, size, rate, epsilon, name=name)
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


class Adagrad(Clipping):
    """v ← v + g², Δw = -η g / sqrt(v + ε) (Duchi et al. 2011), as Keras writes it.

    v starts at 0.1 and ε stands inside the root; PyTorch's starts at 0 and has ε outside.
    """

    type: Literal["adagrad"] = "adagrad"
    summary: ClassVar[str] = "step divided by the size of all gradients so far: ever smaller"
    learning_rate: Rate = 0.001
    initial_accumulator_value: Annotated[
        float, Field(ge=0, description="of v: keeps the first steps small")
    ] = 0.1
    epsilon: Epsilon = 1e-7

    def states(self, parameters: int) -> tuple[StateSpec, ...]:
        """The sum of squares."""
        return (StateSpec("accumulator", (parameters,), self.initial_accumulator_value),)

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Sum of squares, Δw, new weights."""
        accumulator, rate = builder.state["accumulator"], builder.state["learning_rate"]
        work: AnyArray = np.empty_like(gradient.array)

        def accumulate(v: AnyArray, g: AnyArray, _: AnyArray) -> None:
            np.multiply(g, g, work)
            np.add(v, work, v)

        summing = Formula(
            "sum of squares",
            "v",
            "v g",
            lambda v, g: v + g**2,
            lambda *_: (
                "The squares of all gradients so far: it only grows, so steps only get smaller, "
                "soonest where gradients are large."
            ),
            accumulate,
        )
        builder.append(summing, (accumulator, gradient), (accumulator,))
        epsilon = hyperparameter(builder, "epsilon", self.epsilon)
        change = builder.apply(_divided("Δw"), gradient, accumulator, rate, epsilon, name="Δw")
        apply_change(builder, weights, change)


class Adadelta(Clipping):
    """Algorithm 1 of Zeiler 2012: the step has the recent size of steps over that of gradients.

    v ← ρ v + (1 - ρ) g², s = -sqrt(u + ε)/sqrt(v + ε) g, u ← ρ u + (1 - ρ) s², Δw = η s. The paper
    has no η, so it is 1, as PyTorch's; Keras's default of 0.001 makes its steps tiny.
    """

    type: Literal["adadelta"] = "adadelta"
    summary: ClassVar[str] = "step sized by the steps before: hardly needs a learning rate"
    learning_rate: Rate = 1.0
    rho: Annotated[Decay, Field(description="how long sizes are remembered")] = 0.95
    epsilon: Epsilon = 1e-7

    def vectors(self) -> tuple[str, ...]:
        """Mean squares of gradients and of steps."""
        return ("mean_square", "mean_square_step")

    def emit(self, builder: Builder, weights: Slot, gradient: Slot) -> None:
        """Mean square of gradients, step, mean square of steps, Δw, new weights."""
        gradients, steps = (builder.state[name] for name in self.vectors())
        rho = hyperparameter(builder, "rho", self.rho)
        epsilon = hyperparameter(builder, "epsilon", self.epsilon)
        builder.append(
            mean_square_of("mean square", "ρ", remember_square(builder, gradient, self.rho)),
            (gradients, gradient, rho),
            (gradients,),
        )
        step = builder.apply(
            _sized_as_before(gradient), gradient, steps, gradients, epsilon, name="s"
        )

        builder.append(
            Formula(
                "mean square of steps",
                "u",
                "u s ρ",
                lambda u, s, rho: rho * u + (1 - rho) * s**2,
                lambda *_: "How long the steps of this weight usually are, for the next one.",
                remember_square(builder, gradient, self.rho),
            ),
            (steps, step, rho),
            (steps,),
        )
        scaling = Formula(
            "step",
            "Δw",
            "s η",
            lambda step, rate: rate * step,
            lambda *_: "The learning rate scales the step; 1 leaves it as the algorithm has it.",
            np.multiply,
        )
        change = builder.apply(scaling, step, builder.state["learning_rate"], name="Δw")
        apply_change(builder, weights, change)


def _divided(left: str) -> Formula:
    """-η g / sqrt(v + ε)."""

    def divide(g: AnyArray, v: AnyArray, rate: AnyArray, eps: AnyArray, out: AnyArray) -> None:
        np.add(v, eps, out)
        np.sqrt(out, out)
        np.divide(g, out, out)
        np.multiply(out, rate, out)
        np.negative(out, out)

    return Formula(
        "step",
        left,
        "g v η ε",
        lambda g, v, rate, epsilon: -(rate * g / sqrt(v + epsilon)),
        lambda g, *_: (
            f"{direction(g)} Divided by the size of its gradients, each weight moves about as far "
            "as any other; ε keeps the division finite."
        ),
        divide,
    )


def _variance() -> Formula:
    """v - a², at least 0: rounding can make it less where all gradients are alike."""

    def compute(v: AnyArray, mean: AnyArray, out: AnyArray) -> None:
        np.multiply(mean, mean, out)
        np.subtract(v, out, out)
        np.maximum(out, 0, out=out)

    return Formula(
        "variance",
        "σ²",
        "v a",
        lambda v, mean: largest(v - mean**2, 0),
        lambda *_: (
            "How much the gradients spread about their mean: where they hardly do, the step may be "
            "long."
        ),
        compute,
    )


def _sized_as_before(gradient: Slot) -> Formula:
    """-sqrt(u + ε)/sqrt(v + ε) g."""
    work: AnyArray = np.empty_like(gradient.array)

    def compute(g: AnyArray, u: AnyArray, v: AnyArray, eps: AnyArray, out: AnyArray) -> None:
        np.add(u, eps, out)
        np.sqrt(out, out)
        np.add(v, eps, work)
        np.sqrt(work, work)
        np.divide(out, work, out)
        np.multiply(out, g, out)
        np.negative(out, out)

    return Formula(
        "step",
        "s",
        "g u v ε",
        lambda g, u, v, epsilon: -(sqrt(u + epsilon) / sqrt(v + epsilon) * g),
        lambda g, *_: (
            f"{direction(g)} It is as long as steps of this weight usually are, times the gradient "
            "by its own usual size; ε gets the first steps going."
        ),
        compute,
    )
