"""Two ways to learn: down the gradient of a loss, or by a rule; an update is compiled from either.

`GradientDescent` is the first; the second are the kinds of `rules.py`. Both are a `Method`, and
whoever compiles, trains, steps or checks an experiment asks its method, not which way it is.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from tui_nn_engine.primitives.losses import Loss
from tui_nn_engine.primitives.optimizer import Optimizer
from tui_nn_engine.primitives.penalties import Penalty
from tui_nn_engine.programs.parameters import Parameters, StateSpec
from tui_nn_engine.programs.program import Builder, Slot


class Method(Protocol):
    """What happens in an update after the forward pass."""

    @property
    def learning_rate(self) -> float:
        """The rate it begins with; 0 where nothing learns."""

    @property
    def learns(self) -> bool:
        """Whether it changes weights at all; if not, every parameter is frozen."""

    def states(self, parameters: int) -> tuple[StateSpec, ...]:
        """All state it keeps for so many trainable parameters."""

    def direction(self, parameter: str) -> str:
        """The name of the slot along which a parameter is changed: "dE/d(dense_1.kernel)"."""

    def measure(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """Append the loss that is shown; returns the slot of the batch's mean, a scalar."""

    def train(self, builder: Builder, output: Slot, target: Slot, parameters: Parameters) -> Slot:
        """Append the phases loss, backward and update; returns the slot of the mean loss."""


@dataclass(frozen=True)
class GradientDescent:
    """The chain rule gives dE/dw of a loss for every weight, an optimizer makes changes of them."""

    loss: Loss
    optimizer: Optimizer
    learns: ClassVar[bool] = True

    @property
    def learning_rate(self) -> float:
        """The optimizer's."""
        return self.optimizer.learning_rate

    def states(self, parameters: int) -> tuple[StateSpec, ...]:
        """The optimizer's."""
        return self.optimizer.states(parameters)

    def direction(self, parameter: str) -> str:
        """The gradient."""
        return f"dE/d({parameter})"

    def measure(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """The loss."""
        with builder.within("loss", "loss"):
            return self.loss.emit(builder, output, target)

    def train(self, builder: Builder, output: Slot, target: Slot, parameters: Parameters) -> Slot:
        """The loss, the backward half derived from all before it, the optimizer's operations."""
        loss = self.measure(builder, output, target)
        penalize(builder, parameters)
        builder.differentiate(loss, *builder.penalties)
        weights = Slot("weights", parameters.trainable, "parameter")
        gradient = Slot("gradient", parameters.gradients, "gradient", weights)
        with builder.within(self.optimizer.type, "update"):
            self.optimizer.emit(builder, weights, self.optimizer.clipped(builder, gradient))
        return loss


def penalize(builder: Builder, parameters: Parameters) -> None:
    """Append what the sizes of weights cost: one scalar for each parameter with a regularizer."""
    for spec in parameters.specs:
        if spec.penalty is None:
            continue
        layer, _, part = spec.name.rpartition(".")
        with builder.within(layer, "loss"):
            cost = builder.apply(Penalty(spec.penalty), builder.parameter(part), name=f"Ω({part})")
        builder.penalties.append(cost)
