"""Layers that begin, mask or repeat sequences: embedding, masking, repeat_vector."""

from typing import Annotated, Any, ClassVar, Literal

from numpy.typing import NDArray
from pydantic import Field

from tui_nn_engine.blocks.schema import Problem
from tui_nn_engine.layers.layer import Layer, Mask, Shape
from tui_nn_engine.primitives.embedding import Lookup, Repeat
from tui_nn_engine.primitives.padding import RealSteps, real_steps
from tui_nn_engine.programs.initializers import AnyInitializer, Given, Uniform
from tui_nn_engine.programs.parameters import ParameterSpec
from tui_nn_engine.programs.program import Builder, Slot
from tui_nn_engine.programs.regularizers import AnyRegularizer


class Masking(Layer):
    """Steps whose features all equal `mask_value` are padding, from here on.

    Recurrent layers keep their state there; loss and metrics leave them out where the output has
    time. As Keras's, but the values themselves are passed on as they are.
    """

    type: Literal["masking"] = "masking"
    summary: ClassVar[str] = "steps that hold nothing but one value are padding, left out"
    over_time: ClassVar[bool] = True
    mask_value: Annotated[float, Field(description="what padded steps are filled with")] = 0.0

    def problems(self, shape: Shape) -> list[Problem]:
        """It needs sequences."""
        return _sequences_needed(self, shape)

    def real_steps(self, x: NDArray[Any]) -> Mask | None:
        """Those with another number."""
        found: Mask = real_steps(x, self.mask_value)
        return found

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """The mask; x goes on as it is."""
        builder.mask = builder.apply(RealSteps(self.mask_value), x, name="real")
        return x


class Embedding(Layer):
    """h = E[x]: a token, a whole number from 0, becomes the row of a table that is learned.

    As Keras's. With `mask_zero` the token 0 is padding.
    """

    type: Literal["embedding"] = "embedding"
    summary: ClassVar[str] = "gives each token (a word, a letter) numbers that are learned"
    over_time: ClassVar[bool] = True
    input_dim: Annotated[int, Field(ge=1, description="how many tokens there are")]
    output_dim: Annotated[int, Field(ge=1, description="numbers for each token")]
    mask_zero: Annotated[bool, Field(description="the token 0 is padding, left out")] = False
    embeddings_initializer: Annotated[AnyInitializer, Field(description="how the table starts")] = (
        Uniform()
    )
    embeddings_regularizer: Annotated[
        AnyRegularizer | None, Field(description="what large numbers cost beside the loss")
    ] = None
    embeddings_trainable: Annotated[bool, Field(description="off: the table stays")] = True

    def output_shape(self, shape: Shape) -> Shape:
        """(time, output_dim)."""
        return (*shape, self.output_dim)

    def problems(self, shape: Shape) -> list[Problem]:
        """It needs tokens (time,); a given table must have their number of rows."""
        if len(shape) != 1:
            message = f"embedding needs tokens, inputs of shape (time,) (has {shape})"
            return [Problem("", message)]
        given, expected = self.embeddings_initializer, (self.input_dim, self.output_dim)
        if isinstance(given, Given) and given.shape != expected:
            message = f"must have the shape {expected} (has {given.shape})"
            return [Problem("embeddings_initializer.values", message)]
        return []

    def parameters(self, name: str, shape: Shape) -> list[ParameterSpec]:  # noqa: ARG002
        """embeddings (input_dim, output_dim)."""
        return [
            ParameterSpec(
                f"{name}.embeddings",
                (self.input_dim, self.output_dim),
                self.embeddings_initializer,
                self.embeddings_trainable,
                self.embeddings_regularizer,
            )
        ]

    def connections(self, shape: Shape) -> int:
        """One a token of the sequence and number it is given."""
        return shape[0] * self.output_dim

    def real_steps(self, x: NDArray[Any]) -> Mask | None:
        """Tokens other than 0, if that masks."""
        found: Mask | None = real_steps(x, 0.0) if self.mask_zero else None
        return found

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """The mask, if any, and the look-up."""
        if self.mask_zero:
            builder.mask = builder.apply(RealSteps(0.0), x, name="real")
        return builder.apply(Lookup(), x, builder.parameter("embeddings"), name="h")


class RepeatVector(Layer):
    """The same numbers at each of n time steps: what an encoder made, for a decoder to unfold."""

    type: Literal["repeat_vector"] = "repeat_vector"
    summary: ClassVar[str] = "the same numbers at every one of n time steps: (3,) → (n, 3)"
    over_time: ClassVar[bool] = True
    rearranges: ClassVar[bool] = True
    n: Annotated[int, Field(ge=1, description="how many time steps")]

    def output_shape(self, shape: Shape) -> Shape:
        """(n, features)."""
        return (self.n, *shape)

    def problems(self, shape: Shape) -> list[Problem]:
        """It needs plain rows of numbers."""
        if len(shape) == 1:
            return []
        return [Problem("", f"repeat_vector needs inputs of shape (features,) (has {shape})")]

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """A copy for each step."""
        return builder.apply(Repeat(self.n), x, name="h")


def _sequences_needed(layer: Layer, shape: Shape) -> list[Problem]:
    if len(shape) == 2:
        return []
    message = f"{layer.type} needs sequences, inputs of shape (time, features) (has {shape})"
    return [Problem("", message)]
