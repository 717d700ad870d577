"""All that can be seen of a network, one class a view."""

from tui_nn_engine.inspection.filters import Filters
from tui_nn_engine.inspection.guess import Guess
from tui_nn_engine.inspection.memory import Memory
from tui_nn_engine.inspection.mistakes import Mistakes, Residuals
from tui_nn_engine.inspection.path import LossPath
from tui_nn_engine.inspection.roc import Roc
from tui_nn_engine.inspection.spread import Spread
from tui_nn_engine.inspection.surface import Surface
from tui_nn_engine.inspection.trace import Trace
from tui_nn_engine.inspection.writing import Writing

Sight = (
    Guess
    | Surface
    | Mistakes
    | Residuals
    | Roc
    | Trace
    | Memory
    | Filters
    | Spread
    | LossPath
    | Writing
)
