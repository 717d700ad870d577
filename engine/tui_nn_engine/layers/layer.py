"""What every layer says of itself."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.blocks.schema import Kind, Problem
from tui_nn_engine.programs.parameters import ParameterSpec
from tui_nn_engine.programs.program import Builder, Slot

Shape = tuple[int, ...]
Mask = NDArray[np.bool_]


class Layer(Kind):
    """A layer: its block in the experiment file, and how it is composed of primitives.

    Shapes are of one sample, without the batch: (784,), (28, 28).
    """

    rearranges: ClassVar[bool] = False
    """Whether, though it has no weights, its units are others than those that feed it."""

    over_time: ClassVar[bool] = False
    """Whether it takes the first of two axes for time."""

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of one output sample for an input sample of `shape`."""
        return shape

    def problems(self, shape: Shape) -> list[Problem]:  # noqa: ARG002
        """What does not fit when it is fed samples of `shape`; paths relative to the layer."""
        return []

    def parameters(self, name: str, shape: Shape) -> list[ParameterSpec]:  # noqa: ARG002
        """Its parameters, named "`name`.kernel" and so on."""
        return []

    def connections(self, shape: Shape) -> int:  # noqa: ARG002
        """Weighted connections from its inputs to its outputs, biases not counted."""
        return 0

    def real_steps(self, x: NDArray[Any]) -> Mask | None:  # noqa: ARG002
        """(samples, time): which steps of data x it takes for real; None: it does not look."""
        return None

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """Append its operations on x (batch, ...); returns the slot of its output."""
        raise NotImplementedError
