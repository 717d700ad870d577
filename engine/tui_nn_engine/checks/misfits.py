"""Whether a network fits its data and its loss: each misfit names its place and offers its mend."""

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from tui_nn_engine.blocks.schema import ExperimentError, Problem
from tui_nn_engine.checks.join_checks import join_misfit
from tui_nn_engine.checks.loss_checks import loss_misfits
from tui_nn_engine.checks.mending import Misfit as Misfit
from tui_nn_engine.checks.mending import end_of, last_dense, mended, with_layer
from tui_nn_engine.checks.optimizer_checks import optimizer_misfits
from tui_nn_engine.checks.sequence_checks import input_misfits, padding_misfit, time_misfit
from tui_nn_engine.checks.stopping_checks import stopping_misfits
from tui_nn_engine.checks.usual import output_layer
from tui_nn_engine.data.prepared import PreparedData
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.experiments.rules import Levels, Rule
from tui_nn_engine.layers import (
    INPUT,
    ActivationLayer,
    Add,
    BatchNormalization,
    Dense,
    Embedding,
    GaussianNoise,
    Join,
    Layer,
    Masking,
    McCullochPitts,
    Normalization,
    Place,
    shaped,
)
from tui_nn_engine.networks.network import Network, summarize
from tui_nn_engine.primitives.activations import Step
from tui_nn_engine.programs.parameters import Parameters
from tui_nn_engine.programs.weights import weight_named


def misfits(experiment: Experiment, data: PreparedData) -> tuple[Misfit, ...]:
    """All that keeps the experiment from being trained on this data."""
    found = list(input_misfits(experiment, data)) or list(_layers(experiment, data.sample_shape))
    weights = [] if found else list(_weights(experiment, data))
    if not found:
        found += [*_spikes(experiment, data), *_output(experiment, data)]
    if not found and experiment.rule is not None:
        found += _rule(experiment, experiment.rule, data)
    elif not found and experiment.loss is not None:
        found += loss_misfits(experiment, experiment.loss, data)
    if experiment.optimizer is not None:
        found += optimizer_misfits(experiment, experiment.optimizer, data)
    found += stopping_misfits(experiment, data)
    return (*found, *_batches(experiment, data), *_rates(experiment), *weights)


def ensure_fits(experiment: Experiment, data: PreparedData) -> None:
    """Raises ExperimentError with every misfit."""
    if found := misfits(experiment, data):
        raise ExperimentError(found)


def _layers(experiment: Experiment, shape: tuple[int, ...]) -> Iterator[Misfit]:
    for place, fed, _ in shaped(experiment.places(), shape):
        if isinstance(place.layer, Join):
            if not place.layer.fits(*fed):
                yield join_misfit(experiment, place, place.layer, fed)
            continue
        for problem in place.layer.problems(fed[0]):
            yield Misfit(f"{place.path}.{problem.path}".rstrip("."), problem.message)
        if place.sources != (INPUT,) and _masks(place.layer):
            message = (
                f"{place.name} finds padding in the data itself, so it must be the first layer"
            )
            yield Misfit(place.path, message)


def _masks(layer: Layer) -> bool:
    return isinstance(layer, Masking) or (isinstance(layer, Embedding) and layer.mask_zero)


def _batches(experiment: Experiment, data: PreparedData) -> Iterator[Misfit]:
    """A batch of a single sample has no spread to normalize by."""
    samples, size = len(data.train), experiment.training.batch_size
    if samples % min(size, samples) != 1 and min(size, samples) > 1:
        return
    for place, (shape, *_), _ in shaped(experiment.places(), data.sample_shape):
        if isinstance(place.layer, BatchNormalization) and prod(shape[:-1]) == 1:
            what = "the last of each epoch is" if 1 < size < samples else "each is"
            better = next((n for n in range(max(size, 1) + 1, samples + 1) if samples % n != 1), 0)
            yield Misfit(
                "training.batch_size",
                f"{place.name} normalizes over a batch, but {what} a single sample, which has no "
                "spread",
                f"set it to {better}" if better else "",
                mended(experiment, {"training.batch_size": better}) if better else None,
            )
            return


def _spikes(experiment: Experiment, data: PreparedData) -> Iterator[Misfit]:
    """What McCulloch-Pitts units are fed must be 0 or 1."""
    places = experiment.places()
    if not any(isinstance(place.layer, McCullochPitts) for place in places):
        return
    inputs = f"inputs of {data.dataset.name!r}"
    # Who is to blame, "" where all values are 0 or 1.
    blame = {INPUT: "" if np.isin(data.train.x, (0, 1)).all() else inputs}
    for place in places:
        layer, source = place.layer, next(filter(None, map(blame.get, place.sources)), "")
        if isinstance(layer, McCullochPitts):
            if source:
                bipolar = source == inputs and getattr(data.block, "bipolar", False)
                yield Misfit(
                    place.path,
                    f"{place.name} needs inputs of 0 and 1, but the {source} are others",
                    "make the inputs 0 and 1" if bipolar else "",
                    mended(experiment, {"data.bipolar": False}) if bipolar else None,
                )
            source = ""
        elif isinstance(layer, Dense | ActivationLayer):
            binary = isinstance(layer.activation, Step) and layer.activation.at_zero in {0, 1}
            source = "" if binary else f"outputs of {place.name}"
        elif isinstance(layer, Normalization | GaussianNoise | Add):
            source = f"outputs of {place.name}"
        blame[place.name] = source


def _output(experiment: Experiment, data: PreparedData) -> Iterator[Misfit]:
    rows = summarize(experiment, data.sample_shape)
    shape = rows[-1].output_shape
    wanted, steps = data.outputs, data.dataset.steps
    allowed = [(*steps, count) for count in wanted]
    misfit = time_misfit(experiment, data, shape)
    if misfit is None and shape in allowed:
        misfit = padding_misfit(experiment, data)
    if misfit is not None:
        yield misfit
    if misfit is not None or shape in allowed:
        return
    targets = f"the targets of {data.dataset.name!r} need {' or '.join(map(str, allowed))}"
    if len(shape) > 1 + len(steps):
        dense = next((row for row in rows if row.type == "dense"), None)
        name, got = (dense.name, dense.input_shape) if dense else ("the output", shape)
        path = f"layers[{dense.top}]" if dense else end_of(experiment)
        yield Misfit(
            dense.path if dense else "layers",
            f"{name} gets samples of shape {got}, which makes the output {shape}, but {targets}",
            "insert a flatten layer before it",
            with_layer(experiment, path, {"type": "flatten"}),
        )
        return
    last = last_dense(experiment)
    if last is None:
        yield Misfit(
            "layers",
            f"the network's output is {shape}, but {targets}",
            f"add a dense layer of {wanted[0]} units at the end",
            with_layer(experiment, end_of(experiment), output_layer(data)),
        )
        return
    yield Misfit(
        f"{last.path}.units",
        f"{last.name} makes the output {shape}, but {targets}",
        f"set its units to {wanted[0]}",
        mended(experiment, {f"{last.path}.units": wanted[0]}),
    )


def _rule(experiment: Experiment, rule: Rule, data: PreparedData) -> Iterator[Misfit]:
    """Rules teach one dense layer; between its sum and the targets there is one activation."""
    rows, places = summarize(experiment, data.sample_shape), experiment.places()
    learning = [place for place, row in zip(places, rows, strict=True) if row.trainable]
    if not learning:
        if rule.learns:
            yield Misfit(
                "rule",
                f"{rule.type} has nothing to teach: no layer has weights that learn",
                "use fixed",
                mended(experiment, {"rule": {"type": "fixed"}}),
            )
        return
    yield from _costs(experiment, rule)
    last = learning[-1]
    for earlier in learning[:-1]:
        fields = type(earlier.layer).model_fields
        flags = [field for field in fields if field.endswith("_trainable")]
        frozen = {f"{earlier.path}.{flag}": False for flag in flags}
        yield Misfit(
            earlier.path,
            f"{rule.type} teaches a single layer and sends no errors back: {earlier.name} can't "
            f"learn beside {last.name}",
            "keep its weights as they start, as in Rosenblatt's machine",
            mended(experiment, frozen),
        )
    after = places[places.index(last) + 1 :]
    hinders = [place for place in after if not isinstance(place.layer, ActivationLayer)]
    if not isinstance(last.layer, Dense):
        yield Misfit(last.path, f"{rule.type} teaches dense layers only")
    elif hinders:
        within = last.path != f"layers[{last.top}]"
        yield Misfit(
            f"layers[{hinders[0].top if within else last.top + 1}]",
            f"{rule.type} compares what {last.name} gives with the targets: nothing but an "
            "activation may follow it",
            "" if within else "take out what follows",
            None if within else _without_layers(experiment, last.top + 1),
        )
    else:
        yield from _rule_output(experiment, rule, data, [last, *after])


def _costs(experiment: Experiment, rule: Rule) -> Iterator[Misfit]:
    """A rule makes no loss small, so the size of weights can't be weighed against it."""
    for place in experiment.places():
        for part in ("kernel", "bias"):
            if getattr(place.layer, f"{part}_regularizer", None) is not None:
                path = f"{place.path}.{part}_regularizer"
                yield Misfit(
                    path,
                    f"{rule.type} makes no loss small that a penalty could be added to",
                    "take it out",
                    mended(experiment, {path: None}),
                )


def _rule_output(
    experiment: Experiment, rule: Rule, data: PreparedData, ends: Sequence[Place]
) -> Iterator[Misfit]:
    """Of the layer that learns and the activations after it."""
    activations = [
        (f"{end.path}.activation", end.layer.activation.type)
        for end in ends
        if isinstance(end.layer, Dense | ActivationLayer) and end.layer.activation.type != "linear"
    ]
    if len(activations) > 1:
        place, activation = activations[0]
        yield Misfit(
            place,
            f"{rule.type} needs a single activation after the sum, but {activation} is followed by "
            "another",
            "use linear here",
            mended(experiment, {place: "linear"}),
        )
        return
    place, activation = activations[0] if activations else (f"{ends[0].path}.activation", "linear")
    levels = _levels(data)
    suited = rule.activations.get(levels, ())
    if rule.activations and not suited:
        yield Misfit(
            "rule",
            f"{rule.type} needs targets of 0 and 1, or of -1 and +1, but {data.dataset.name!r} has "
            "numbers to predict",
            "use adaline",
            mended(experiment, {"rule.type": "adaline"}),
        )
    elif suited and activation not in suited:
        yield Misfit(
            place,
            f"{rule.type} with targets of {levels} needs {' or '.join(suited)} at the output "
            f"(is {activation})",
            f"use {suited[0]}",
            mended(experiment, {place: suited[0]}),
        )


def _levels(data: PreparedData) -> Levels:
    """Which values the targets have."""
    if data.dataset.task == "classification":
        bipolar = getattr(data.block, "bipolar_targets", False)
        return "-1 and +1" if bipolar else "0 and 1"
    if np.isin(data.train.y, (0, 1)).all():
        return "0 and 1"
    if np.isin(data.train.y, (-1, 1)).all():
        return "-1 and +1"
    return "numbers"


def _rates(experiment: Experiment) -> Iterator[Misfit]:
    place = "optimizer" if experiment.rule is None else "rule"
    rates = {f"{place}.learning_rate": experiment.method.learning_rate} | {
        f"training.changes[{index}].learning_rate": change.learning_rate
        for index, change in enumerate(experiment.training.changes)
        if change.learning_rate is not None
    }
    for place, rate in rates.items():
        if problem := rate_problem(rate, experiment.dtype):
            remedy = "set it to 0.001"
            yield Misfit(place, problem, remedy, mended(experiment, {place: 0.001}))


def rate_problem(rate: float, dtype: str) -> str:
    """What is wrong with a learning rate for weights of this type, or nothing."""
    most = float(np.finfo(dtype).max)
    return f"is infinite as a {dtype}, whose largest is {most:.2g} (is {rate:g})" * (rate > most)


def _weights(experiment: Experiment, data: PreparedData) -> Iterator[Misfit]:
    """Weights set by hand that the network does not have, or that can't have that value."""
    changes = experiment.training.changes
    if all(change.weight is None for change in changes):
        return
    parameters = Network(experiment, data.sample_shape).parameters()
    for index, change in enumerate(changes):
        if change.weight is not None and change.value is not None:
            for problem in weight_problems(change.weight, change.value, parameters):
                yield Misfit(f"training.changes[{index}].{problem.path}", problem.message)


def weight_problems(name: str, value: float, parameters: Parameters) -> tuple[Problem, ...]:
    """What keeps a weight from being set to a value: its name, the value, both."""
    found = []
    try:
        weight_named(name, parameters)
    except ValueError as error:
        found.append(Problem("weight", str(error)))
    most = float(np.finfo(parameters.values.dtype).max)
    if not abs(value) <= most:  # also where it is NaN
        kind = parameters.values.dtype
        message = f"must be finite as a {kind}, whose largest is {most:.2g} (is {value:g})"
        found.append(Problem("value", message))
    return tuple(found)


def _without_layers(experiment: Experiment, start: int) -> Experiment:
    tree = experiment.tree()
    return Experiment.parse({**tree, "layers": tree["layers"][:start]})
