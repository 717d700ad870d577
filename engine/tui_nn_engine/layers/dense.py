"""The fully connected layer."""

from math import prod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tui_nn_engine.blocks.schema import Problem
from tui_nn_engine.layers.layer import Layer, Shape
from tui_nn_engine.primitives.activations import Activation, AnyActivation, Linear
from tui_nn_engine.primitives.linear import AddBias, MatMul
from tui_nn_engine.programs.initializers import (
    AnyInitializer,
    Given,
    GlorotUniform,
    Initializer,
    Zeros,
)
from tui_nn_engine.programs.parameters import ParameterSpec
from tui_nn_engine.programs.program import Builder, Slot
from tui_nn_engine.programs.regularizers import AnyRegularizer, Regularizer


class Dense(Layer):
    """h = f(xW + b): every unit sees every input; on (..., features) it works on the last axis."""

    type: Literal["dense"] = "dense"
    aliases: ClassVar[tuple[str, ...]] = ("fully_connected",)
    summary: ClassVar[str] = "every unit sees every input: h = f(xW + b)"
    units: Annotated[int, Field(ge=1, description="neurons in this layer")]
    activation: Annotated[AnyActivation, Field(description="f, applied to each net input")] = (
        Linear()
    )
    use_bias: Annotated[bool, Field(description="whether each neuron has a bias b")] = True
    kernel_initializer: Annotated[AnyInitializer, Field(description="how the weights W start")] = (
        GlorotUniform()
    )
    bias_initializer: Annotated[AnyInitializer, Field(description="how the biases b start")] = (
        Zeros()
    )
    kernel_regularizer: Annotated[
        AnyRegularizer | None, Field(description="what large weights cost beside the loss")
    ] = None
    bias_regularizer: Annotated[
        AnyRegularizer | None, Field(description="what large biases cost beside the loss")
    ] = None
    kernel_trainable: Annotated[bool, Field(description="off: the weights stay as they are")] = True
    bias_trainable: Annotated[bool, Field(description="off: the biases stay as they are")] = True

    def output_shape(self, shape: Shape) -> Shape:
        """(..., units)."""
        return (*shape[:-1], self.units)

    def problems(self, shape: Shape) -> list[Problem]:
        """Given arrays must have the shape of the parameter they start."""
        found = []
        wanted: dict[str, Shape] = {"kernel_initializer": (shape[-1], self.units)}
        if self.use_bias:
            wanted["bias_initializer"] = (self.units,)
        for field, expected in wanted.items():
            given = getattr(self, field)
            if isinstance(given, Given) and given.shape != expected:
                message = f"must have the shape {expected} (has {given.shape})"
                found.append(Problem(f"{field}.values", message))
        return found

    def parameters(self, name: str, shape: Shape) -> list[ParameterSpec]:
        """kernel (inputs, units) and bias (units,)."""
        specs = [self._spec(name, "kernel", (shape[-1], self.units))]
        if self.use_bias:
            specs.append(self._spec(name, "bias", (self.units,)))
        return specs

    def _spec(self, name: str, part: str, shape: Shape) -> ParameterSpec:
        initializer: Initializer = getattr(self, f"{part}_initializer")
        trainable: bool = getattr(self, f"{part}_trainable")
        regularizer: Regularizer | None = getattr(self, f"{part}_regularizer")
        return ParameterSpec(f"{name}.{part}", shape, initializer, trainable, regularizer)

    def connections(self, shape: Shape) -> int:
        """One a pair of input and unit, at each place of the leading axes."""
        return prod(shape) * self.units

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """matmul, add bias, activation; a linear activation is no operation."""
        product = "xW" if self.use_bias else "z"
        z = builder.apply(MatMul(), x, builder.parameter("kernel"), name=product)
        if self.use_bias:
            z = builder.apply(AddBias(), z, builder.parameter("bias"), name="z")
        return activate(builder, z, self.activation)


def activate(builder: Builder, z: Slot, activation: Activation) -> Slot:
    """h = f(z), or z itself where f is linear."""
    if isinstance(activation, Linear):
        return z
    return builder.apply(activation, z, name="h")
