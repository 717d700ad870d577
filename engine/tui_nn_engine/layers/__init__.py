"""Layers: each is one file, composed of primitives; its backward half follows from theirs."""

from typing import Annotated

from tui_nn_engine.blocks.schema import OneOf
from tui_nn_engine.layers.bidirectional import Bidirectional
from tui_nn_engine.layers.dense import Dense
from tui_nn_engine.layers.gru import GRU
from tui_nn_engine.layers.joining import Add, Join
from tui_nn_engine.layers.layer import Layer
from tui_nn_engine.layers.lstm import LSTM
from tui_nn_engine.layers.mcculloch_pitts import McCullochPitts
from tui_nn_engine.layers.normalization import (
    BatchNormalization,
    LayerNormalization,
    Normalization,
)
from tui_nn_engine.layers.parallel import Branch, Parallel
from tui_nn_engine.layers.places import INPUT, Place, fed_by, placed, shaped
from tui_nn_engine.layers.polynomial import Polynomial
from tui_nn_engine.layers.recurrent import Recurrent
from tui_nn_engine.layers.selecting import Select
from tui_nn_engine.layers.sequences import Embedding, Masking, RepeatVector
from tui_nn_engine.layers.shaping import ActivationLayer, Dropout, Flatten, GaussianNoise
from tui_nn_engine.layers.simple_rnn import SimpleRNN

LAYERS: tuple[type[Layer], ...] = (
    Dense,
    ActivationLayer,
    Dropout,
    GaussianNoise,
    BatchNormalization,
    LayerNormalization,
    Flatten,
    McCullochPitts,
    Polynomial,
    Select,
    Parallel,
    SimpleRNN,
    LSTM,
    GRU,
    Bidirectional,
    Embedding,
    Masking,
    RepeatVector,
)
AnyLayer = Annotated[Layer, OneOf(LAYERS)]
# A branch holds layers of any type, a parallel block among them: known only here.
Branch.model_rebuild(_types_namespace={"AnyLayer": AnyLayer})
Parallel.model_rebuild()

__all__ = [
    "GRU",
    "INPUT",
    "LAYERS",
    "LSTM",
    "ActivationLayer",
    "Add",
    "AnyLayer",
    "BatchNormalization",
    "Bidirectional",
    "Branch",
    "Dense",
    "Dropout",
    "Embedding",
    "Flatten",
    "GaussianNoise",
    "Join",
    "Layer",
    "LayerNormalization",
    "Masking",
    "McCullochPitts",
    "Normalization",
    "Parallel",
    "Place",
    "Polynomial",
    "Recurrent",
    "RepeatVector",
    "Select",
    "SimpleRNN",
    "fed_by",
    "placed",
    "shaped",
]
