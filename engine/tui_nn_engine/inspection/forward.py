"""The network run forward on any inputs, every layer's output to be read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_datasets import NO_TARGET
from tui_nn_engine.data.prepared import Part
from tui_nn_engine.metrics import boundary
from tui_nn_engine.programs.program import Program
from tui_nn_engine.training.trainer import Trainer

Array = NDArray[Any]
PORTION = 1000
PROGRAMS = 6  # kept at most: a window that is dragged to ever other sizes fills no memory


class Forward:
    """A trainer's network with the weights of the moment; it disturbs no number of training.

    To be called with the BLAS threads limited to the trainer's.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._programs: dict[int, Program] = {}

    def run(self, x: Array) -> Program:
        """The program that has just run on x (samples, ...), as given, not scaled."""
        data, network = self.trainer.data, self.trainer.network
        scaled = data.scaler.apply(np.asarray(x), data.dtype)
        return self.compute(scaled.reshape(len(scaled), *network.sample_shape))

    def outputs(self, x: Array) -> Array:
        """Outputs (samples, ...) for inputs as a `Part` has them: scaled."""
        network = self.trainer.network
        found = np.empty((len(x), *network.output_shape), self.trainer.data.dtype)
        for start in range(0, len(x), PORTION):
            part = x[start : start + PORTION]
            found[start : start + len(part)] = self.compute(part).output.array
        return found

    def layers(self, program: Program) -> dict[str, Array]:
        """What each layer gave, (samples, ...), in order; one that computes nothing is left out."""
        forward = (op for op in program.ops if op.phase == "forward")
        last = {op.path.partition("/")[0]: op.output.array for op in forward}
        return {name: last[name] for name, _ in self.trainer.network.layers if name in last}

    def compute(self, x: Array) -> Program:
        """The program that has just run on x (samples, ...) as a `Part` has them: scaled."""
        program = self._programs.get(len(x))
        if program is None:
            if len(self._programs) == PROGRAMS:
                self._programs.clear()
            network, parameters = self.trainer.network, self.trainer.parameters
            program = self._programs[len(x)] = network.compile_forward(len(x), parameters)
        program.x.array[...] = x
        for call in program.compute:
            call()
        return program


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Outputs beside their targets: a case a sample, or a time step where each has its target.

    `outputs` (cases, outputs); `targets` (cases,) class numbers or (cases, outputs) numbers as the
    data has them; `places` (cases,) the sample of the part that each is of. Steps without a target
    are left out. `classes` is 0 where targets are numbers.
    """

    outputs: Array
    targets: Array
    places: NDArray[np.int64]
    classes: int


def judged(forward: Forward, samples: Part, label: int = 0) -> Judged:
    """All cases of a part. Of labels one is looked at: class 0 without it, 1 with it."""
    data = forward.trainer.data.dataset
    outputs, targets = forward.outputs(samples.x), samples.y
    places = np.arange(len(targets))
    if data.task == "multilabel":
        label = min(max(label, 0), targets.shape[1] - 1)
        one = targets[:, label].astype(np.int64)
        return Judged(outputs[:, label : label + 1], one, places, 2)
    if steps := data.steps:
        outputs = outputs.reshape(-1, outputs.shape[-1])
        targets = targets.reshape(len(outputs), *targets.shape[2:])
        places = places.repeat(steps[0])
        if data.classes:
            told = targets != NO_TARGET
            outputs, targets, places = outputs[told], targets[told], places[told]
    return Judged(outputs, targets, places, data.classes)


def threshold(trainer: Trainer) -> float:
    """Above it, a single output says the second class."""
    return boundary(trainer.data, trainer.experiment.loss)


def chosen(outputs: Array, threshold: float) -> NDArray[np.int64]:
    """The class that each row of outputs (samples, outputs) stands for, (samples,)."""
    if outputs.shape[-1] == 1:
        return np.asarray(outputs[:, 0] > threshold, np.int64)
    return np.asarray(outputs.argmax(axis=-1), np.int64)
