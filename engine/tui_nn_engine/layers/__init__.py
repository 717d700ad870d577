"""Layers: each is one file, composed of primitives; its backward half follows from theirs."""

from typing import Annotated

from tui_nn_engine.layers.dense import Dense
from tui_nn_engine.layers.layer import Layer
from tui_nn_engine.layers.mcculloch_pitts import McCullochPitts
from tui_nn_engine.layers.normalization import (
    BatchNormalization,
    LayerNormalization,
    Normalization,
)
from tui_nn_engine.layers.shaping import ActivationLayer, Dropout, Flatten, GaussianNoise
from tui_nn_engine.schema import OneOf

LAYERS: tuple[type[Layer], ...] = (
    Dense,
    ActivationLayer,
    Dropout,
    GaussianNoise,
    BatchNormalization,
    LayerNormalization,
    Flatten,
    McCullochPitts,
)
AnyLayer = Annotated[Layer, OneOf(LAYERS)]

__all__ = [
    "LAYERS",
    "ActivationLayer",
    "AnyLayer",
    "BatchNormalization",
    "Dense",
    "Dropout",
    "Flatten",
    "GaussianNoise",
    "Layer",
    "LayerNormalization",
    "McCullochPitts",
    "Normalization",
]
