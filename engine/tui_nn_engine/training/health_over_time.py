"""How errors fare on their way back through time in the update just made; what clipping did."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.formulas.matrices import spectral_radius
from tui_nn_engine.networks.elements import Elements
from tui_nn_engine.programs.program import Program
from tui_nn_engine.programs.slots import layer_of
from tui_nn_engine.training.trainer import Trainer

Floats = NDArray[np.float64]
LARGEST = 128
"""Units of which the spectral radius is worked out: it takes a few ms then, and grows with their
cube."""


@dataclass(frozen=True, slots=True, eq=False)
class OverTime:
    """Of one recurrent layer.

    `hidden` and `cell` (times,) are the norms of dE/dh_t and dE/dc_t over all units and samples of
    the batch, in the order of time; nan where no error came (or there is no cell). `radius` is the
    spectral radius of the weights U with which the state works on itself, of each gate; nan above
    `LARGEST` units. Errors of a simple_rnn with tanh vanish over many steps where it is below 1,
    and can only explode where it is above (Pascanu, Mikolov & Bengio 2013). `backwards`: the layer
    goes from the last step to the first.
    """

    layer: str
    hidden: Floats
    cell: Floats
    gates: tuple[str, ...]
    radius: Floats
    backwards: bool = False

    @property
    def norms(self) -> Floats:
        """(times,) of the larger of both, in the order in which the layer goes through time."""
        both = np.fmax(self.hidden, self.cell)
        return both[::-1] if self.backwards else both


@dataclass(frozen=True, slots=True)
class Clipping:
    """The norm of the whole gradient before and after it was clipped; `kind` is how."""

    kind: str
    before: float
    after: float


def over_time(trainer: Trainer, program: Program) -> tuple[OverTime, ...]:
    """Of each recurrent layer, after an update by `program`; () where there is none."""
    elements = Elements(trainer.network)
    if not elements.over_time:
        return ()
    steps: dict[str, list[int]] = {}
    for op in program.ops:
        path, _, step = op.path.rpartition("/t=")
        if op.phase == "forward" and path and (not steps.get(path) or steps[path][-1] != int(step)):
            steps.setdefault(path, []).append(int(step))
    slots = program.slots()

    def norms(path: str, state: str) -> Floats:
        names = (f"dE/d({path}/t={t}.{state})" for t in range(1, len(steps[path]) + 1))
        found = (slots.get(name) for name in names)
        return np.array([np.nan if slot is None else _norm(slot.array) for slot in found])

    return tuple(
        OverTime(
            path,
            norms(path, "h"),
            norms(path, "c"),
            elements.gates(layer_of(path)),
            _radii(trainer, path, elements.gates(layer_of(path))),
            order[0] > 1,
        )
        for path, order in steps.items()
    )


def clipping(program: Program) -> Clipping | None:
    """What was clipped in the update just made; None where nothing is."""
    for op in program.ops:
        if op.phase == "update" and op.primitive.name.startswith("clip"):
            before, after = _norm(op.inputs[0].array), _norm(op.output.array)
            return Clipping(op.primitive.name, before, after)
    return None


def _radii(trainer: Trainer, layer: str, gates: tuple[str, ...]) -> Floats:
    """Of each gate's square of the recurrent kernel."""
    kernel = trainer.parameters.views.get(f"{layer}.recurrent_kernel")
    if kernel is None or len(kernel) > LARGEST or not np.isfinite(kernel).all():
        return np.full(len(gates), np.nan)
    squares = np.split(np.asarray(kernel, np.float64), len(gates), axis=1)
    return np.array([spectral_radius(square) for square in squares])


def _norm(array: NDArray[np.generic]) -> float:
    # In float64: the square of a float32 error that has vanished to 1e-30 is 0.
    found = float(np.linalg.norm(np.asarray(array, np.float64).ravel()))
    return found if found == found else float("inf")
