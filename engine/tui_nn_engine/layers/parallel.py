"""Branches side by side: wide and deep, residual blocks, and what else is no single file of layers.

Sources: Cheng et al., "Wide & Deep Learning for Recommender Systems" (2016); He et al., "Deep
Residual Learning for Image Recognition" (2016).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from tui_nn_engine.blocks.schema import Block
from tui_nn_engine.layers.joining import JOINS, Join
from tui_nn_engine.layers.layer import Layer

if TYPE_CHECKING:
    from tui_nn_engine.layers import AnyLayer

OUTLINED = {"outlined": True}
"""Of a field whose blocks stand in the list of an experiment's parts, not in the form."""


class Branch(Block):
    """One way from what comes into the parallel block to where its branches meet."""

    name: Annotated[str, Field(max_length=40, description="what you call it")] = ""
    layers: Annotated[
        "tuple[AnyLayer, ...]",
        Field(
            strict=False,
            description="one after the other; none: the input as it is",
            json_schema_extra=OUTLINED,
        ),
    ] = ()


class Parallel(Layer):
    """Several branches take the same input; what they give is joined.

    It is compiled branch by branch, in the file's order, then the join, which is what is seen of it
    in a network (`concatenate_1`, `add_1`): see `places.placed`.
    """

    type: Literal["parallel"] = "parallel"
    summary: ClassVar[str] = "branches side by side, then joined: wide & deep, residual"
    start: ClassVar[Mapping[str, Any]] = {
        "branches": [
            {"name": "wide", "layers": []},
            {"name": "deep", "layers": [{"type": "dense", "units": 8, "activation": "relu"}]},
        ]
    }
    join: Annotated[
        Literal["concatenate", "add"],
        Field(description="what becomes of the branches: side by side, or summed unit by unit"),
    ] = "concatenate"
    branches: Annotated[
        tuple[Branch, ...],
        Field(
            min_length=2,
            strict=False,
            description="each takes all that comes in",
            json_schema_extra=OUTLINED,
        ),
    ]

    @property
    def joining(self) -> Join:
        """The layer in which its branches meet."""
        return JOINS[self.join]
