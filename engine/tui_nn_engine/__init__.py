"""tui-nn's engine: experiments, networks and training on NumPy, without a screen."""

from tui_nn_engine.divergence import DivergedError
from tui_nn_engine.experiment import Experiment
from tui_nn_engine.schema import ExperimentError, Problem
from tui_nn_engine.trainer import Trainer

__all__ = ["DivergedError", "Experiment", "ExperimentError", "Problem", "Trainer"]
