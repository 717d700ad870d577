"""Powers of the inputs, so that a linear layer fits a polynomial."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tui_nn_engine.layers.layer import Layer, Shape
from tui_nn_engine.primitives.powers import Powers
from tui_nn_engine.programs.program import Builder, Slot


class Polynomial(Layer):
    """h = [x, x², ..., x^degree], of each input by itself: no products of different inputs."""

    type: Literal["polynomial"] = "polynomial"
    summary: ClassVar[str] = "x, x², x³ …: with these a linear layer draws curves"
    rearranges: ClassVar[bool] = True
    degree: Annotated[int, Field(ge=1, le=20, description="the highest power")] = 2

    def output_shape(self, shape: Shape) -> Shape:
        """(..., features · degree)."""
        return (*shape[:-1], shape[-1] * self.degree)

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """One operation."""
        return builder.apply(Powers(self.degree), x, name="h")
