"""A network: shapes from layer to layer, its parameters, and the programs compiled from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.layers import INPUT, Layer, shaped
from tui_nn_engine.layers.layer import Mask
from tui_nn_engine.layers.places import top_of
from tui_nn_engine.programs.parameters import Parameters, ParameterSpec
from tui_nn_engine.programs.program import PHASES, Builder, Program, Slot

Shape = tuple[int, ...]
M = TypeVar("M")


@dataclass(frozen=True)
class LayerSummary:
    """What is known of a layer before any number is computed; shapes without the batch.

    `path` is its place in the file, `sources` name what feeds it; `input_shape` is of the first.
    `rearranges`: without weights its units are others than those that feed it.
    """

    name: str
    type: str
    path: str
    sources: tuple[str, ...]
    input_shape: Shape
    output_shape: Shape
    parameters: int
    trainable: int
    connections: int
    rearranges: bool = False

    @property
    def top(self) -> int:
        """The index of the layer at the top of the file that it is, or is within."""
        return top_of(self.path)


class Network:
    """The layers of an experiment put on inputs of one shape.

    Raises ExperimentError from `checks.problems_with` before this, not here: a network is built
    of an experiment that was found to fit its data.
    """

    def __init__(self, experiment: Experiment, sample_shape: Shape) -> None:
        self.experiment = experiment
        self.sample_shape = sample_shape
        self.places = experiment.places()
        self.layers: tuple[tuple[str, Layer], ...] = tuple(
            (place.name, place.layer) for place in self.places
        )
        self.specs: list[ParameterSpec] = []
        for place, fed, out in shaped(self.places, sample_shape):
            self.specs += parameters_of(experiment, place.name, place.layer, fed[0])
            self.output_shape = out

    def summary(self) -> tuple[LayerSummary, ...]:
        """One row a layer."""
        return summarize(self.experiment, self.sample_shape)

    def parameters(self) -> Parameters:
        """Fresh parameters, initialized from the experiment's seed."""
        parameters = Parameters(self.specs, self.experiment.dtype)
        parameters.initialize(self.experiment.seed)
        return parameters

    def compile(
        self, batch: int, parameters: Parameters, state: Mapping[str, np.ndarray]
    ) -> Program:
        """The program of one update for this batch size.

        `state` holds the 0-d arrays "iteration" (int64) and "learning_rate", and the state
        vectors of the method, all shared by every program of a run.
        """
        builder, x, y = self._builder(batch, parameters, state, training=True)
        output, method = self._forward(builder, x), self.experiment.method
        if parameters.trainable_size:
            loss = method.train(builder, output, y, parameters)
            phases = PHASES
        else:
            loss = method.measure(builder, output, y)
            phases = PHASES[:-1]  # where nothing learns, no layer keeps anything either
        # Layers say at once what they keep; it is changed when all else is known to be finite.
        ops = tuple(op for phase in phases for op in builder.ops if op.phase == phase)
        return Program(ops, x, y, output, loss, tuple(builder.penalties))

    def compile_forward(
        self, batch: int, parameters: Parameters, *, with_loss: bool = False
    ) -> Program:
        """The forward pass alone, as for prediction: dropout and its like are off."""
        builder, x, y = self._builder(batch, parameters, {}, training=False)
        output, loss = self._forward(builder, x), None
        if with_loss:
            loss = self.experiment.method.measure(builder, output, y)
        return Program(tuple(builder.ops), x, y, output, loss)

    def mask(self, x: NDArray[Any]) -> Mask | None:
        """(samples, time): which time steps of the outputs for inputs x count; None: all.

        As `_forward` hands masks on: from a layer that masks the inputs as long as there is time.
        """
        masks = dict[str, Mask | None]({INPUT: None})
        for place, _, out in shaped(self.places, self.sample_shape):
            own = place.layer.real_steps(x) if place.sources == (INPUT,) else None
            found = _first([own, *(masks[source] for source in place.sources)])
            masks[place.name] = found if len(out) == 2 else None
        return masks[self.places[-1].name]

    def _builder(
        self,
        batch: int,
        parameters: Parameters,
        state: Mapping[str, np.ndarray],
        *,
        training: bool,
    ) -> tuple[Builder, Slot, Slot]:
        slots = {name: Slot(name, array, "parameter") for name, array in parameters.views.items()}
        method = self.experiment.method
        gradients = {
            name: Slot(method.direction(name), array, "gradient", slots[name])
            for name, array in parameters.gradient_views.items()
        }
        builder = Builder(
            self.experiment.dtype,
            slots,
            gradients,
            {name: Slot(name, array, "state") for name, array in state.items()},
            seed=self.experiment.seed,
            training=training,
        )
        x = builder.slot("x", (batch, *self.sample_shape), "input")
        y = builder.slot("t", (batch, *self.output_shape), "target")
        return builder, x, y

    def _forward(self, builder: Builder, x: Slot) -> Slot:
        made, masks = {INPUT: x}, dict[str, Slot | None]({INPUT: None})
        for place in self.places:
            builder.mask = _first(masks[source] for source in place.sources)
            with builder.within(place.name):
                fed = (made[source] for source in place.sources)
                made[place.name] = place.layer.emit(builder, *fed)
            builder.mask = builder.mask if len(made[place.name].shape) == 3 else None
            masks[place.name] = builder.mask
        return made[self.places[-1].name]


def _first(masks: Iterable[M | None]) -> M | None:
    """The first mask there is."""
    return next((mask for mask in masks if mask is not None), None)


def parameters_of(
    experiment: Experiment, name: str, layer: Layer, shape: Shape
) -> list[ParameterSpec]:
    """The parameters of a layer put on inputs of one shape: frozen where nothing learns."""
    specs = layer.parameters(name, shape)
    if experiment.method.learns:
        return specs
    return [replace(spec, trainable=False) for spec in specs]


def summarize(experiment: Experiment, sample_shape: Shape) -> tuple[LayerSummary, ...]:
    """One row a layer, also for a network whose output does not fit its data."""
    rows = []
    for place, fed, out in shaped(experiment.places(), sample_shape):
        specs = parameters_of(experiment, place.name, place.layer, fed[0])
        trainable = sum(spec.size for spec in specs if spec.trainable)
        rows.append(
            LayerSummary(
                name=place.name,
                type=place.layer.type,
                path=place.path,
                sources=place.sources,
                input_shape=fed[0],
                output_shape=out,
                parameters=sum(spec.size for spec in specs),
                trainable=trainable,
                connections=place.layer.connections(fed[0]),
                rearranges=place.layer.rearranges,
            )
        )
    return tuple(rows)
