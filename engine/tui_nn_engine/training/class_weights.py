"""What the classes count where the experiment wants them balanced."""

import numpy as np

from tui_nn_datasets import NO_TARGET
from tui_nn_engine.data.prepared import PreparedData
from tui_nn_engine.experiments.experiment import Experiment


def with_class_weights(experiment: Experiment, data: PreparedData) -> Experiment:
    """With numbers in place of `class_weight = "balanced"`: n / (K · n_k), as in scikit-learn.

    n training samples, n_k of class k, K classes that occur; a class that does not counts 1. Where
    every time step has a class, steps are counted in place of samples.
    """
    loss = experiment.loss
    if loss is None or loss.class_weight != "balanced":
        return experiment
    y = data.train.y[data.train.y != NO_TARGET]
    counts = np.bincount(y, minlength=data.dataset.classes)
    occurring = np.count_nonzero(counts)
    weights = [len(y) / (occurring * n) if n else 1.0 for n in counts.tolist()]
    return experiment.model_copy(update={"loss": loss.model_copy(update={"class_weight": weights})})
