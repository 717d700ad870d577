"""What there is to look at: the data, its parts, the layers."""

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from tui_nn_datasets import Dataset
from tui_nn_engine.data.prepared import Part
from tui_nn_engine.layers import Recurrent
from tui_nn_engine.training.sampling import sampling_problem
from tui_nn_engine.training.trainer import Trainer

MOST_POINTS = 2000
MATRICES = {"kernel", "recurrent_kernel", "embeddings"}


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The data that a network is looked at with.

    `image` is (height, width) of a sample that is a picture, or (). `outputs` counts the network's
    outputs; either `classes`, or `labels` (any number of them apply to a sample), or the `targets`
    of a regression are named.
    `parts` are those that have samples, the one to look at first. `kernels` are the weights between
    inputs and units ("dense_1"), or from a state to itself ("lstm_1.recurrent_kernel"),
    `parameters` whether there are any at all. `points` (n, inputs) and `values` (n, 1 or targets),
    class or targets, are samples to draw where there are one or two inputs. `is_text` says whether
    the network can be asked to write, `recurrent` are the layers that go through time step by step.
    """

    folder: str
    data: str
    image: tuple[int, ...]
    brightest: float
    inputs: tuple[str, ...]
    outputs: int
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    targets: tuple[str, ...]
    bipolar: bool
    parts: tuple[str, ...]
    sizes: tuple[int, ...]
    layers: tuple[str, ...]
    kernels: tuple[str, ...]
    parameters: bool
    points: NDArray[np.float64]
    values: NDArray[np.float64]
    is_text: bool
    recurrent: tuple[str, ...] = ()

    def of_output(self, output: int) -> "Subject":
        """About one of several targets, or one label: two classes then, without it and with it."""
        values = self.values[:, output : output + 1]
        if self.labels:
            label = self.labels[output]
            return replace(self, classes=(f"not {label}", label), labels=(), values=values)
        return replace(self, targets=self.targets[output : output + 1], values=values)

    def part_after(self, name: str) -> str:
        """The next of the parts, the first after the last."""
        return self.parts[(self.parts.index(name) + 1) % len(self.parts)]


def subject(trainer: Trainer, folder: str = "") -> Subject:
    """Of this trainer, whose run is in `folder`."""
    data, dataset = trainer.data, trainer.data.dataset
    parts = parts_of(trainer)
    names = dataset.input_names or tuple(f"x{i + 1}" for i in range(dataset.x[0].size))
    points, values = _points(dataset)
    return Subject(
        folder,
        dataset.name,
        tuple(dataset.shape) if dataset.is_image and len(dataset.shape) == 2 else (),
        float(dataset.x.max()) if dataset.is_image else 0.0,
        () if dataset.is_image else names,
        int(trainer.network.output_shape[-1]),
        dataset.target_names if dataset.classes else (),
        dataset.target_names if dataset.task == "multilabel" else (),
        dataset.target_names if dataset.task == "regression" else (),
        bool(getattr(data.block, "bipolar_targets", False)),
        tuple(parts),
        tuple(map(len, parts.values())),
        tuple(name for name, _ in trainer.network.layers),
        tuple(name.removesuffix(".kernel") for name in kernels(trainer)),
        bool(trainer.parameters.specs),
        points,
        values,
        not sampling_problem(dataset, trainer.network),
        recurrent(trainer),
    )


def recurrent(trainer: Trainer) -> tuple[str, ...]:
    """Names of the layers that go through time step by step."""
    return tuple(name for name, layer in trainer.network.layers if isinstance(layer, Recurrent))


def kernels(trainer: Trainer) -> list[str]:
    """The parameters (inputs, units), in the order of the layers."""
    found = [s.name for s in trainer.parameters.specs if len(s.shape) == 2]
    return [name for name in found if name.rpartition(".")[2] in MATRICES]


def few_enough(trainer: Trainer, work: float, limits: tuple[int, int]) -> int:
    """How many samples `work` is enough for, counted as weights used times samples."""
    steps = prod(trainer.network.sample_shape[:-1])  # of a sequence
    each = max(trainer.parameters.values.size, 1) * steps
    least, most = limits
    return int(min(max(work / each, least), most))


def parts_of(trainer: Trainer) -> dict[str, Part]:
    """The parts of the data that have samples, by name, the one to look at first in front."""
    data = trainer.data
    parts = {"test": data.test, "validation": data.validation, "train": data.train}
    return {name: part for name, part in parts.items() if len(part)}


def part_of(trainer: Trainer, name: str) -> Part:
    """The part of that name. Raises ValueError where the data has none."""
    parts = parts_of(trainer)
    if name not in parts:
        raise ValueError(f"the data has no samples for {name or 'that part'!r}: {', '.join(parts)}")
    return parts[name]


def as_given(trainer: Trainer, name: str) -> NDArray[np.generic]:
    """The inputs of a part as the data has them, before scaling: (samples, ...)."""
    dataset, part = trainer.data.dataset, part_of(trainer, name)
    own = name == "test" and dataset.x_test is not None
    x = dataset.x_test if own and dataset.x_test is not None else dataset.x
    return x[part.indices]


def _points(dataset: Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if dataset.is_image or dataset.steps or dataset.shape not in {(1,), (2,)}:
        return np.empty((0, 0)), np.empty((0, 0))
    few = np.linspace(0, len(dataset.x) - 1, min(MOST_POINTS, len(dataset.x))).astype(int)
    values = dataset.y[few].astype(np.float64).reshape(len(few), -1)
    return dataset.x[few].astype(np.float64), values
