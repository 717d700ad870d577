"""Layers without parameters: activation, flatten, dropout, noise."""

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tui_nn_engine.layers.dense import activate
from tui_nn_engine.layers.layer import Layer, Shape
from tui_nn_engine.primitives.activations import Activation, AnyActivation, ReLU
from tui_nn_engine.primitives.linear import Add, Multiply, Reshape
from tui_nn_engine.primitives.noise import DropoutMask, NoiseDraw
from tui_nn_engine.programs.program import Builder, Slot


class ActivationLayer(Layer):
    """An activation as a layer of its own: h = f(x)."""

    type: Literal["activation"] = "activation"
    summary: ClassVar[str] = "an activation as a layer of its own"
    activation: Annotated[AnyActivation, Field(description="f, applied to each value")] = ReLU()

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """One operation."""
        kind: Activation = self.activation
        return activate(builder, x, kind)


class Flatten(Layer):
    """Any shape becomes one row: (28, 28) -> (784,)."""

    type: Literal["flatten"] = "flatten"
    summary: ClassVar[str] = "any shape becomes one row: (28, 28) → (784,)"

    def output_shape(self, shape: Shape) -> Shape:
        """(features,)."""
        return (prod(shape),)

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """A reshape."""
        return builder.apply(Reshape((prod(x.shape[1:]),)), x, name="h")


class Dropout(Layer):
    """While training, each value is dropped with probability `rate`, the others are scaled up."""

    type: Literal["dropout"] = "dropout"
    summary: ClassVar[str] = "drops values at random while training, against overfitting"
    rate: Annotated[float, Field(ge=0, lt=1, description="share of the values dropped")] = 0.5

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """A mask and a product while training, else nothing."""
        if not builder.training or not self.rate:
            return x
        purpose = f"dropout {builder.path}"
        drawing = DropoutMask(self.rate, x.shape, builder.seed, purpose)
        mask = builder.apply(drawing, builder.state["iteration"], name="mask")
        return builder.apply(Multiply(), x, mask, name="h")


class GaussianNoise(Layer):
    """While training, a normal random number of mean 0 is added to each value."""

    type: Literal["gaussian_noise"] = "gaussian_noise"
    summary: ClassVar[str] = "adds noise to the values while training, against overfitting"
    stddev: Annotated[float, Field(ge=0, description="standard deviation σ of the noise")] = 0.1

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """A draw and a sum while training, else nothing."""
        if not builder.training or not self.stddev:
            return x
        purpose = f"gaussian_noise {builder.path}"
        drawing = NoiseDraw(self.stddev, x.shape, builder.seed, purpose)
        noise = builder.apply(drawing, builder.state["iteration"], name="noise")
        return builder.apply(Add(), x, noise, name="h")
