"""All update rules there are."""

from typing import Annotated

from tui_nn_engine.blocks.schema import OneOf
from tui_nn_engine.primitives.adam import Adam, AdamW, Nadam
from tui_nn_engine.primitives.adaptive import Adadelta, Adagrad, RMSprop
from tui_nn_engine.primitives.lbfgs import LBFGS
from tui_nn_engine.primitives.momentum import SGD
from tui_nn_engine.primitives.optimizer import Optimizer

OPTIMIZERS: tuple[type[Optimizer], ...] = (
    Adam,
    SGD,
    RMSprop,
    AdamW,
    Nadam,
    Adagrad,
    Adadelta,
    LBFGS,
)
AnyOptimizer = Annotated[Optimizer, OneOf(OPTIMIZERS)]

__all__ = [
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "AnyOptimizer",
    "Nadam",
    "Optimizer",
    "RMSprop",
]
