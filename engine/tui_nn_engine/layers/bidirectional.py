"""A recurrent layer and its like backwards in time, side by side."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tui_nn_engine.blocks.schema import OneOf
from tui_nn_engine.layers.gru import GRU
from tui_nn_engine.layers.joining import JOINS, Join
from tui_nn_engine.layers.layer import Layer
from tui_nn_engine.layers.lstm import LSTM
from tui_nn_engine.layers.recurrent import Recurrent
from tui_nn_engine.layers.simple_rnn import SimpleRNN

_JOINED = {"concat": "concatenate", "sum": "add"}


class Bidirectional(Layer):
    """One layer goes from the first step to the last, one from the last to the first, both joined.

    Schuster & Paliwal 1997; names as Keras's Bidirectional. In a network it is both layers, each
    with weights of its own (`lstm_1`, `lstm_2`), and their join: see `places.placed`.
    """

    type: Literal["bidirectional"] = "bidirectional"
    summary: ClassVar[str] = "a recurrent layer forwards and another backwards in time, joined"
    layer: Annotated[
        Recurrent,
        OneOf((SimpleRNN, LSTM, GRU)),
        Field(description="the layer; that backwards in time is made alike"),
    ]
    merge_mode: Annotated[
        Literal["concat", "sum"],
        Field(description="what both give: side by side, or summed unit by unit"),
    ] = "concat"

    @property
    def ways(self) -> tuple[Layer, Layer]:
        """Forwards and backwards in time."""
        back = not self.layer.go_backwards
        return self.layer, self.layer.model_copy(update={"go_backwards": back})

    @property
    def joining(self) -> Join:
        """The layer in which both meet."""
        return JOINS[_JOINED[self.merge_mode]]
