"""Layers that normalize: over the features of each sample, or over the batch."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tui_nn_engine.layers.layer import Layer, Shape
from tui_nn_engine.primitives.normalization import (
    MovingAverage,
    Normalize,
    Scale,
    Shift,
    Standardize,
)
from tui_nn_engine.programs.initializers import Constant, Zeros
from tui_nn_engine.programs.parameters import ParameterSpec
from tui_nn_engine.programs.program import Builder, Slot

ONES = Constant(value=1.0)


class Normalization(Layer):
    """h = γ ⊙ x̂ + β; what x̂ is, is the kinds' own. γ starts at 1, β at 0, one of each a feature."""

    epsilon: Annotated[float, Field(gt=0, description="added to the variance")] = 1e-3
    center: Annotated[bool, Field(description="whether β is added")] = True
    scale: Annotated[bool, Field(description="whether γ is multiplied with")] = True
    gamma_trainable: Annotated[bool, Field(description="off: γ stays 1")] = True
    beta_trainable: Annotated[bool, Field(description="off: β stays 0")] = True

    def parameters(self, name: str, shape: Shape) -> list[ParameterSpec]:
        """gamma and beta (features,)."""
        each = shape[-1:]
        found = []
        if self.scale:
            found.append(ParameterSpec(f"{name}.gamma", each, ONES, self.gamma_trainable))
        if self.center:
            found.append(ParameterSpec(f"{name}.beta", each, Zeros(), self.beta_trainable))
        return found

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """x̂, times γ, plus β; the last of them is the layer's output h."""
        steps = ["x̂", *["γx̂"] * self.scale, *["h"] * self.center]
        steps[-1] = "h"
        h = self.normalized(builder, x, steps[0])
        if self.scale:
            h = builder.apply(Scale(), h, builder.parameter("gamma"), name=steps[1])
        if self.center:
            h = builder.apply(Shift(), h, builder.parameter("beta"), name=steps[-1])
        return h

    def normalized(self, builder: Builder, x: Slot, name: str) -> Slot:
        """Append what makes x̂, and name it."""
        raise NotImplementedError


class LayerNormalization(Normalization):
    """Each sample's features are brought to mean 0 and variance 1 (Ba, Kiros & Hinton 2016)."""

    type: Literal["layer_normalization"] = "layer_normalization"
    summary: ClassVar[str] = "brings the values of each sample to mean 0 and spread 1"

    def normalized(self, builder: Builder, x: Slot, name: str) -> Slot:
        """The same while training and after."""
        return builder.apply(Normalize("features", self.epsilon), x, name=name)


class BatchNormalization(Normalization):
    """Each feature is brought to mean 0 and variance 1 over the batch (Ioffe & Szegedy 2015).

    After training, moving averages of mean and variance stand in for the batch's: frozen
    parameters that each update moves. As in Keras the variance averaged is the batch's own, divided
    by n; PyTorch averages that divided by n − 1, and its momentum is 1 − this one.
    """

    type: Literal["batch_normalization"] = "batch_normalization"
    summary: ClassVar[str] = "brings each unit's values in the batch to mean 0 and spread 1"
    momentum: Annotated[
        float, Field(ge=0, lt=1, description="how much of the moving averages an update keeps")
    ] = 0.99

    def parameters(self, name: str, shape: Shape) -> list[ParameterSpec]:
        """gamma, beta, moving_mean, moving_variance: all (features,)."""
        each = shape[-1:]
        return [
            *super().parameters(name, shape),
            ParameterSpec(f"{name}.moving_mean", each, Zeros(), trainable=False),
            ParameterSpec(f"{name}.moving_variance", each, ONES, trainable=False),
        ]

    def normalized(self, builder: Builder, x: Slot, name: str) -> Slot:
        """By the batch's own mean and variance while training, else by those training has seen."""
        averages = [builder.parameter(part) for part in ("moving_mean", "moving_variance")]
        if not builder.training:
            return builder.apply(Standardize(self.epsilon), x, *averages, name=name)
        x_hat = builder.apply(Normalize("batch", self.epsilon), x, name=name)
        seen = builder.ops[-1].outputs[1:]
        with builder.within(builder.path, "update"):
            for average, of, what, symbol in zip(
                averages, seen, ("mean", "variance"), ("µ", "σ²"), strict=True
            ):
                moving = MovingAverage(what, symbol, self.momentum)
                builder.append(moving, (average, of), (average,))
        return x_hat
