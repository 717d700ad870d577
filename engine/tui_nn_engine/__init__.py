"""tui-nn's engine: experiments, networks and training on NumPy, without a screen."""

from tui_nn_engine.blocks.schema import ExperimentError, Problem
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.training.divergence import DivergedError
from tui_nn_engine.training.trainer import Trainer

__all__ = ["DivergedError", "Experiment", "ExperimentError", "Problem", "Trainer"]
