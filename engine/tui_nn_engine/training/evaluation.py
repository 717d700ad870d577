"""The network as it is now, on data that it is not being trained on: figures and predictions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.data.prepared import Part, PreparedData
from tui_nn_engine.metrics import counted, metrics_for
from tui_nn_engine.networks.network import Network
from tui_nn_engine.programs.parameters import Parameters
from tui_nn_engine.programs.program import Program
from tui_nn_engine.training.threads import limited

Array = NDArray[Any]
BATCH = 1000
FORWARD_PROGRAMS = 8  # kept at most: predicting for ever other numbers of samples fills no memory


@dataclass(frozen=True)
class Evaluation:
    """Loss and metrics on one part of the data."""

    loss: float
    metrics: dict[str, float]


class Evaluator:
    """Runs a network forward, dropout and its like off, on `threads` BLAS threads."""

    def __init__(
        self, network: Network, parameters: Parameters, data: PreparedData, threads: int
    ) -> None:
        self.network, self.parameters, self.data, self.threads = network, parameters, data, threads
        self.metrics = metrics_for(data, network.experiment.loss)
        self._programs: dict[int, Program] = {}

    def evaluate(self, part: Part) -> Evaluation:
        """Loss and metrics on this part."""
        targets = self.data.targets(part, self.network.output_shape[-1])
        outputs = np.empty((len(part), *self.network.output_shape), self.data.dtype)
        total = 0.0
        with limited(self.threads), np.errstate(all="ignore"):
            for start, program in self._portions(part.x):
                stop = start + program.batch
                program.y.array[...] = targets[start:stop]
                for call in program.compute:
                    call()
                outputs[start:stop] = program.output.array
                total += program.loss_value * program.batch
            compared = counted(outputs, targets, self.network.mask(part.x))
            metrics = {name: metric(*compared) for name, metric in self.metrics.items()}
        return Evaluation(total / len(part), metrics)

    def predict(self, x: Array) -> Array:
        """Outputs (samples, ...) for inputs as the data has them, before scaling.

        Classes come as probabilities (whatever the last activation gives), numbers in the units
        of the data. Raises ValueError for inputs of another shape.
        """
        scaled = self.data.scaler.apply(np.asarray(x), self.data.dtype)
        try:
            scaled = scaled.reshape(len(scaled), *self.network.sample_shape)
        except ValueError:
            raise ValueError(
                f"inputs must be (samples, {', '.join(map(str, self.network.sample_shape))}), "
                f"not {scaled.shape}"
            ) from None
        outputs = np.empty((len(scaled), *self.network.output_shape), self.data.dtype)
        with limited(self.threads), np.errstate(all="ignore"):
            for start, program in self._portions(scaled):
                for call in program.compute:
                    call()
                outputs[start : start + program.batch] = program.output.array
        regression = self.data.dataset.task == "regression"
        return self.data.target_scaler.invert(outputs) if regression else outputs

    def _portions(self, x: Array) -> Iterator[tuple[int, Program]]:
        for start in range(0, len(x), BATCH):
            part = x[start : start + BATCH]
            program = self._programs.get(len(part))
            if program is None:
                if len(self._programs) == FORWARD_PROGRAMS:
                    self._programs.clear()
                program = self.network.compile_forward(len(part), self.parameters, with_loss=True)
                self._programs[len(part)] = program
            program.x.array[...] = part
            yield start, program
