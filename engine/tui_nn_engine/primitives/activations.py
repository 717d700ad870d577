"""All activations there are."""

from typing import Annotated

from tui_nn_engine.blocks.schema import OneOf
from tui_nn_engine.primitives.activation import Activation, Elementwise, Slope
from tui_nn_engine.primitives.rectifiers import ELU, GELU, SELU, LeakyReLU, ReLU, Softplus, Swish
from tui_nn_engine.primitives.softmax import Softmax
from tui_nn_engine.primitives.squashing import Linear, Sigmoid, Sign, Step, Tanh

ACTIVATIONS: tuple[type[Activation], ...] = (
    Linear,
    Step,
    Sign,
    Sigmoid,
    Tanh,
    ReLU,
    LeakyReLU,
    ELU,
    SELU,
    GELU,
    Softplus,
    Swish,
    Softmax,
)
AnyActivation = Annotated[Activation, OneOf(ACTIVATIONS)]
# Those that a gate can have, which works on each number alone.
ELEMENTWISE = tuple(kind for kind in ACTIVATIONS if issubclass(kind, Elementwise))
AnyElementwise = Annotated[Elementwise, OneOf(ELEMENTWISE)]

__all__ = [
    "ACTIVATIONS",
    "ELEMENTWISE",
    "ELU",
    "GELU",
    "SELU",
    "Activation",
    "AnyActivation",
    "AnyElementwise",
    "Elementwise",
    "LeakyReLU",
    "Linear",
    "ReLU",
    "Sigmoid",
    "Sign",
    "Slope",
    "Softmax",
    "Softplus",
    "Step",
    "Swish",
    "Tanh",
]
