"""Whether a network goes through time as its data does: tokens, padding, a target a step."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tui_nn_datasets import NO_TARGET
from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.checks.mending import Misfit, mended, with_layer, without_layer
from tui_nn_engine.data.prepared import PreparedData
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.layers import Embedding, Place
from tui_nn_engine.networks.network import Network, Shape

_RECURRENT = {"simple_rnn", "lstm", "gru"}
_ENDS_MASK = {"repeat_vector", "flatten"}
DIMENSIONS = 16
"""Numbers for each symbol, in an embedding that is offered."""


def input_misfits(experiment: Experiment, data: PreparedData) -> Iterator[Misfit]:
    """What keeps the first layers from reading this data; of data without time, nothing."""
    dataset = data.dataset
    first = experiment.places()[0]
    if dataset.x.dtype == np.int64 and dataset.vocabulary:
        yield from _tokens(experiment, data, first)
    elif isinstance(first.layer, Embedding):
        yield from _amounts(experiment, data, first, first.layer)
    elif dataset.steps and len(data.sample_shape) == 1 and not _has(experiment, "repeat_vector"):
        (time,) = dataset.steps
        yield Misfit(
            "layers",
            f"{dataset.name!r} has {time} targets for a sample, one a time step, but its inputs "
            f"{data.sample_shape} have no time",
            f"repeat each sample {time} times",
            _begun_with(experiment, {"type": "repeat_vector", "n": time}),
        )


def _tokens(experiment: Experiment, data: PreparedData, first: Place) -> Iterator[Misfit]:
    vocabulary, padded = data.dataset.vocabulary, data.dataset.lengths is not None
    symbols, layer = len(vocabulary), first.layer
    if not isinstance(layer, Embedding):
        embedding = {"type": "embedding", "input_dim": symbols, "output_dim": DIMENSIONS}
        yield Misfit(
            first.path,
            f"{first.name} would take tokens for amounts, but they are numbers in place of names",
            "insert an embedding, which learns what each of them means",
            _begun_with(experiment, embedding | ({"mask_zero": True} if padded else {})),
        )
    elif layer.input_dim < symbols:
        yield _unknown(experiment, data, first, layer, symbols)
    elif layer.mask_zero and not padded and (data.dataset.x == 0).any():
        yield Misfit(
            f"{first.path}.mask_zero",
            f"{data.dataset.name!r} has no padding: the token 0, which would be left out, is "
            f"{vocabulary[0]!r}",
            "mask nothing",
            mended(experiment, {f"{first.path}.mask_zero": False}),
        )


def _amounts(
    experiment: Experiment, data: PreparedData, first: Place, layer: Embedding
) -> Iterator[Misfit]:
    """An embedding on data that is not known to be tokens: of one's own, perhaps it is."""
    x, name = data.train.x, data.dataset.name
    if x.ndim != 2 or not ((x >= 0) & (x == np.floor(x))).all():
        encoded = hasattr(data.block, "encoding")
        fixed = mended(experiment, {"data.encoding": "tokens"}) if encoded else None
        yield Misfit(
            first.path,
            f"{first.name} needs tokens, whole numbers in place of symbols, but the inputs of "
            f"{name!r} are amounts",
            'encode the data as "tokens"' if encoded else "take it out",
            fixed if encoded else without_layer(experiment, first.path),
        )
    elif (most := int(x.max())) >= layer.input_dim:
        yield _unknown(experiment, data, first, layer, most + 1)


def _unknown(
    experiment: Experiment, data: PreparedData, first: Place, layer: Embedding, symbols: int
) -> Misfit:
    path = f"{first.path}.input_dim"
    return Misfit(
        path,
        f"{data.dataset.name!r} has tokens from 0 to {symbols - 1}, but {first.name} knows "
        f"{layer.input_dim} only",
        f"set it to {symbols}",
        mended(experiment, {path: symbols}),
    )


def time_misfit(experiment: Experiment, data: PreparedData, shape: Shape) -> Misfit | None:
    """Why the output `shape` has no time where the targets have, or has where they have none."""
    steps, name = data.dataset.steps, data.dataset.name
    places = reversed(experiment.places())
    last = next((place for place in places if place.layer.type in _RECURRENT), None)
    field = "" if last is None else f"{last.path}.return_sequences"
    if last is not None and not steps and len(shape) == 2:
        return Misfit(
            field,
            f"{last.name} gives its state at every step, which makes the output {shape}, but "
            f"{name!r} has one target for a whole sequence",
            "give the last state only",
            mended(experiment, {field: False}),
        )
    if last is not None and steps and len(shape) == 1:
        return Misfit(
            field,
            f"{last.name} gives its last state only, which makes the output {shape}, but {name!r} "
            "has a target for every step",
            "give the state at every step",
            mended(experiment, {field: True}),
        )
    if steps and len(shape) == 2 and shape[0] != steps[0]:
        repeats = [place for place in experiment.places() if place.layer.type == "repeat_vector"]
        path = f"{repeats[-1].path}.n" if repeats else "layers"
        return Misfit(
            path,
            f"the output {shape} goes through {shape[0]} time steps, but the targets of {name!r} "
            f"through {steps[0]}",
            f"set it to {steps[0]}" if repeats else "",
            mended(experiment, {path: steps[0]}) if repeats else None,
        )
    return None


def padding_misfit(experiment: Experiment, data: PreparedData) -> Misfit | None:
    """Padding that the network would be taught, for nothing in it leaves padded steps out."""
    if not data.dataset.steps or not data.dataset.classes or _leaves_out(experiment, data):
        return None
    first, name = experiment.places()[0], data.dataset.name
    if ends := [p for p in experiment.places() if p.layer.type in _ENDS_MASK]:
        return Misfit(
            ends[-1].path,
            f"behind {ends[-1].name} nobody knows which steps of {name!r} are padding; let all its "
            "sequences have the same length, or tag each step as it comes",
        )
    if first.layer.type == "embedding":
        path = f"{first.path}.mask_zero"
        fixed, remedy = mended(experiment, {path: True}), "let it mask the token 0"
    elif first.layer.type == "masking":
        path = f"{first.path}.mask_value"
        fixed, remedy = mended(experiment, {path: 0.0}), "mask the value 0, which padding has"
    else:
        path, remedy = "layers", "begin with a masking layer"
        fixed = _begun_with(experiment, {"type": "masking"})
    return Misfit(
        path,
        f"sequences of {name!r} end before their last step, and the padding that follows would be "
        "learned like the rest",
        remedy,
        fixed,
    )


def _leaves_out(experiment: Experiment, data: PreparedData) -> bool:
    """Whether the network leaves out every step that has no target."""
    none = data.train.y == NO_TARGET
    if not none.any():
        return True
    real = Network(experiment, data.sample_shape).mask(data.train.x)
    return real is not None and not (real & none).any()


def _has(experiment: Experiment, kind: str) -> bool:
    return any(place.layer.type == kind for place in experiment.places())


def _begun_with(experiment: Experiment, layer: dict[str, Any]) -> Experiment | None:
    try:
        return with_layer(experiment, "layers[0]", layer)
    except ExperimentError:
        return None
