"""The loss on the straight line between two sets of weights.

Source: Goodfellow, Vinyals, Saxe, "Qualitatively characterizing neural network optimization
problems", 2015: θ(α) = (1 − α) θ_a + α θ_b.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.data.prepared import Part
from tui_nn_engine.inspection.subject import few_enough, parts_of
from tui_nn_engine.programs.program import Program
from tui_nn_engine.training.trainer import Trainer

STEPS = 25  # points
BEYOND = 0.25  # of the way, on each side
SAMPLES = (50, 500)  # of a part, at least and at most
WORK = 1.5e9  # weights times samples times points: some tenths of a second
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LossPath:
    """Loss at `alphas` (points,) of the way from the weights `ends`[0] (α = 0) to `ends`[1] (1).

    `losses` (parts, points) are of `samples` samples of each of the `parts`; `distance` is between
    the ends. `choices` are the pairs of ends that can be asked for.
    """

    iteration: int
    ends: tuple[str, str]
    choices: tuple[str, ...]
    distance: float
    alphas: Floats
    parts: tuple[str, ...]
    samples: tuple[int, ...]
    losses: Floats


class Landscape:
    """The mean loss of a trainer's network with any weights; nothing of the trainer is written."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self._parameters = trainer.network.parameters()
        found = parts_of(trainer)
        most = few_enough(trainer, WORK / STEPS, SAMPLES)
        wanted = [name for name in ("train", "validation") if name in found]
        self.parts = {name: _few(found[name], most) for name in wanted}
        self._programs: dict[str, Program] = {}
        for name, part in self.parts.items():
            network = trainer.network
            program = network.compile_forward(len(part), self._parameters, with_loss=True)
            program.x.array[...] = part.x
            program.y.array[...] = trainer.data.targets(part, network.output_shape[-1])
            self._programs[name] = program

    def losses(self, values: NDArray[np.floating]) -> Floats:
        """(parts,), penalties left out, for all parameters (parameters,)."""
        self._parameters.values[...] = values
        found = []
        for program in self._programs.values():
            for call in program.compute:
                call()
            found.append(program.loss_value)
        return np.array(found, np.float64)


def loss_path(landscape: Landscape, start: NDArray[np.floating], choice: int) -> LossPath:
    """Between the ends of this number; `start` are all parameters at the start."""
    trainer = landscape.trainer
    known = {"start": start, "now": trainer.parameters.values} | _best(trainer)
    pairs = [("start", "now"), ("start", "best"), ("best", "now")]
    pairs = [pair for pair in pairs if set(pair) <= set(known)]
    ends = pairs[choice % len(pairs)]
    first, last = (known[end].astype(np.float64) for end in ends)
    alphas = np.linspace(-BEYOND, 1 + BEYOND, STEPS)
    losses = [landscape.losses((1 - alpha) * first + alpha * last) for alpha in alphas]
    return LossPath(
        trainer.state.iteration,
        ends,
        tuple(f"{a} to {b}" for a, b in pairs),
        float(np.linalg.norm(last - first)),
        alphas,
        tuple(landscape.parts),
        tuple(map(len, landscape.parts.values())),
        np.stack(losses, axis=1),
    )


def _best(trainer: Trainer) -> dict[str, NDArray[np.floating]]:
    """The weights that early stopping would give back, if it has any."""
    memory = trainer.state.memory
    if "stopping.weights" not in memory or not memory["stopping.best_epoch"]:
        return {}
    return {"best": memory["stopping.weights"]}


def _few(part: Part, most: int) -> Part:
    few = np.linspace(0, len(part) - 1, min(most, len(part))).round().astype(int)
    return Part(part.x[few], part.y[few], part.indices[few])
