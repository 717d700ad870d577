"""Whether the options of an update rule fit each other and the data."""

from collections.abc import Iterator

from tui_nn_engine.checks.mending import Misfit, mended, without_layer
from tui_nn_engine.data.prepared import PreparedData
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.layers import Dropout, GaussianNoise
from tui_nn_engine.primitives.updates import LBFGS, SGD, Optimizer

CLIPS = ("clipvalue", "clipnorm", "global_clipnorm")


def optimizer_misfits(
    experiment: Experiment, optimizer: Optimizer, data: PreparedData
) -> Iterator[Misfit]:
    """All that keeps the update rule from being used."""
    yield from _clipping(experiment, optimizer)
    if isinstance(optimizer, SGD):
        yield from _momentum(experiment, optimizer)
    if isinstance(optimizer, LBFGS):
        yield from _search(experiment, optimizer, data)


def _clipping(experiment: Experiment, optimizer: Optimizer) -> Iterator[Misfit]:
    first, *others = [name for name in CLIPS if getattr(optimizer, name, None) is not None] or [""]
    for other in others:
        yield Misfit(
            f"optimizer.{other}",
            f"can't stand beside {first}: the gradient is clipped in one way at most",
            f"keep {first}",
            mended(experiment, {f"optimizer.{name}": None for name in others}),
        )


def _momentum(experiment: Experiment, optimizer: SGD) -> Iterator[Misfit]:
    if optimizer.averaged and optimizer.nesterov:
        yield Misfit(
            "optimizer.nesterov",
            "can't stand beside averaged: Nesterov's is of the momentum that adds up",
            "keep averaged",
            mended(experiment, {"optimizer.nesterov": False}),
        )
    elif (optimizer.averaged or optimizer.nesterov) and not optimizer.momentum:
        name = "averaged" if optimizer.averaged else "nesterov"
        does = "averages gradients by" if optimizer.averaged else "looks ahead by"
        yield Misfit(
            f"optimizer.{name}",
            f"{does} the momentum, but the momentum is 0",
            "set the momentum to 0.9",
            mended(experiment, {"optimizer.momentum": 0.9}),
        )


def _search(experiment: Experiment, optimizer: LBFGS, data: PreparedData) -> Iterator[Misfit]:
    """A line search compares losses: they must be of the same samples and the same network."""
    samples, batch = len(data.train), experiment.training.batch_size
    if batch < samples:
        yield Misfit(
            "training.batch_size",
            f"{optimizer.type} compares losses of one update with the next, so each must be of "
            f"all {samples} training samples (is {batch})",
            f"set it to {samples}",
            mended(experiment, {"training.batch_size": samples}),
        )
    for place in experiment.places():
        if isinstance(place.layer, Dropout | GaussianNoise):
            yield Misfit(
                place.path,
                f"{place.name} changes the network at random in every update, but {optimizer.type} "
                "compares losses of one update with the next",
                "take it out",
                without_layer(experiment, place.path),
            )
