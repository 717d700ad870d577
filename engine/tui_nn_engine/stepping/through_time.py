"""One unit of a recurrent layer over all time steps of an update: its gates, states and errors.

All is read from the slots of the running program, as far as it is computed. That the gradient of a
weight is the sum over time is read there, too: each step's share is the operation's own terms.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.networks.elements import Elements
from tui_nn_engine.primitives.sequences import InputProducts, StepsBiasGradient, StepsKernelGradient
from tui_nn_engine.programs.operations import Op, Sum
from tui_nn_engine.programs.slots import Array, Slot, layer_of
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.unit_weights import Rows

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ThroughTime:
    """One unit and one weight of it, for one sample; numbers not computed yet are nan.

    `path` is that of the steps, "lstm_1" of "lstm_1/t=3"; `gates` the letters of all gates ("z" of
    a layer without). Rows are time steps: `x` (times, features) is what comes in, `values` (times,
    gates) are the unit's, `cell` (times, 2) holds c and dE/dc where the layer has a cell, `states`
    and `errors` (times, units) hold h and dE/dh of all units, `deltas` (times,) dE/dz of the chosen
    gate. `shares` (times,) is what each step adds to the gradient of the chosen weight. `cuts` are
    the steps into which a state comes through which no error goes back: windows begin there.
    `backwards`: the state goes from the last step to the first.
    """

    path: str
    gates: tuple[str, ...]
    x: Floats
    values: Floats
    cell: Floats
    states: Floats
    errors: Floats
    deltas: Floats
    shares: Floats
    cuts: tuple[int, ...] = ()
    padded: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    backwards: bool = False


def step_of(path: str) -> tuple[str, int]:
    """("lstm_1", 3) of "lstm_1/t=3"; (path, 0) where it has no time step."""
    before, found, step = path.rpartition("/t=")
    return (before, int(step)) if found else (path, 0)


def through_time(
    stepper: Stepper,
    operation: int,
    layer: str,
    unit: int,
    gate: int,
    sample: int,
    weight: tuple[Rows, int] | None,
) -> ThroughTime | None:
    """Of a recurrent layer; None for another. `weight` is told by its rows and its row in them.

    A layer with two directions shows that of the operation looked at, else the first.
    """
    found = dict.fromkeys(
        step_of(op.path)[0] for op in stepper.ops if "/t=" in op.path and layer_of(op.path) == layer
    )
    if not found:
        return None
    here = step_of(stepper.ops[operation].path)[0]
    return _Steps(stepper, here if here in found else next(iter(found)), sample).read(
        layer, unit, gate, weight
    )


class _Steps:
    """The time steps of one layer in the program being stepped."""

    def __init__(self, stepper: Stepper, path: str, sample: int) -> None:
        self._stepper, self._path, self._sample = stepper, path, sample
        self._slots = stepper.program.slots()
        self._at: dict[int, list[int]] = {}
        for place, op in enumerate(stepper.ops):
            of, step = step_of(op.path)
            if step and of == path:
                self._at.setdefault(step, []).append(place)
        self._times = len(self._at)

    def read(
        self, layer: str, unit: int, gate: int, weight: tuple[Rows, int] | None
    ) -> ThroughTime:
        """All of them."""
        elements = Elements(self._stepper.trainer.network)
        gates = elements.gates(layer)
        net = elements.column(layer, unit, gate)
        gated = len(gates) > 1
        states = self._all("{}.h")
        return ThroughTime(
            path=self._path,
            gates=gates if gated else ("z",),
            x=self._inputs(),
            values=np.stack(
                [self._of(f"{{}}.{letter}", unit) for letter in gates]
                if gated
                else [self._of("{}.net", unit)],
                axis=1,
            ),
            cell=np.stack([self._of("{}.c", unit), self._of("dE/d({}.c)", unit)], axis=1),
            states=states,
            errors=self._all("dE/d({}.h)"),
            deltas=self._deltas(net),
            shares=self._shares(weight),
            cuts=tuple(self._cuts()),
            padded=self._padded(),
            backwards=next(iter(self._at)) > 1,
        )

    def _inputs(self) -> Floats:
        """(times, features): what the products of all steps are made of."""
        ops = self._stepper.ops
        found = next(
            op for op in ops if op.path == self._path and isinstance(op.primitive, InputProducts)
        )
        return np.asarray(found.inputs[0].array[self._sample], np.float64)

    def _all(self, name: str) -> Floats:
        """(times, columns) of a slot that each step has; nan where it is not computed."""
        slots = [self._slots.get(name.format(f"{self._path}/t={t}")) for t in self._steps]
        found = [self._computed(slot) if slot is not None else None for slot in slots]
        width = next((slot.shape[-1] for slot in slots if slot is not None), 0)
        nothing = np.full(width, np.nan)
        rows = [nothing if array is None else array[self._sample] for array in found]
        return np.asarray(rows, np.float64).reshape(self._times, width)

    def _of(self, name: str, column: int) -> Floats:
        found = self._all(name)
        return found[:, column] if column < found.shape[1] else np.full(self._times, np.nan)

    @property
    def _steps(self) -> range:
        return range(1, self._times + 1)

    def _computed(self, slot: Slot) -> Array | None:
        """What is there, if all that write it are done."""
        return slot.array if self._stepper.is_written(slot) else None

    def _deltas(self, column: int) -> Floats:
        """dE/dz of one column of each step."""
        sums = (StepsKernelGradient, StepsBiasGradient)
        mine = (op for op in self._stepper.ops if op.path == self._path)
        for op in mine:
            if isinstance(op.primitive, sums):
                deltas = np.asarray(op.inputs[-1].array[self._sample], np.float64)
                return np.where(self._back, deltas[:, column], np.nan)
        return np.full(self._times, np.nan)

    @property
    def _back(self) -> NDArray[np.bool_]:
        """(times,): which steps the backward pass is through; those it spares count at its end."""
        ops, cursor = self._stepper.ops, self._stepper.cursor
        last = np.array([self._at[t][-1] for t in self._steps])
        reached = np.array([ops[at].phase == "backward" for at in last])
        return np.where(reached, last, last[reached].max(initial=0)) < cursor

    def _shares(self, weight: tuple[Rows, int] | None) -> Floats:
        found = np.full(self._times, np.nan)
        if weight is not None:
            rows, row = weight
            makers = {op.output: op for op in self._stepper.ops if op.phase == "backward"}
            total = self._stepper.column_of(f"dE/d({rows.parameter})", rows.column)
            if total is not None and total[0] in makers:
                index = (*rows.index(row)[:-1], total[1])
                self._add_shares(found, makers, total[0], index)
        return np.where(self._back, found, np.nan)

    def _add_shares(
        self, found: Floats, makers: dict[Slot, Op], slot: Slot, index: tuple[int, ...]
    ) -> None:
        """Each time step's part of a gradient, and of all that is summed up in it."""
        op = makers[slot]
        _, time = step_of(op.path)
        if time:
            share = np.zeros(self._times)
            share[time - 1] = slot.array[index]
        elif isinstance(op.primitive, Sum):
            for part in op.inputs:
                if part in makers:
                    self._add_shares(found, makers, part, index)
            return
        elif isinstance(op.primitive, StepsKernelGradient):
            x, delta = (np.asarray(each.array, np.float64) for each in op.inputs)
            share = (x[..., index[0]] * delta[..., index[1]]).sum(axis=0)
        elif isinstance(op.primitive, StepsBiasGradient):
            share = np.asarray(op.inputs[0].array, np.float64)[..., index[0]].sum(axis=0)
        else:  # a penalty, which knows no time
            return
        found[:] = np.where(np.isnan(found), 0, found) + share

    def _cuts(self) -> Iterator[int]:
        """Where a step takes a state that is not the slot another step has written."""
        ops = self._stepper.ops
        written = {slot.name: slot for op in ops for slot in op.outputs}
        for step in self._steps:
            forward = (ops[at] for at in self._at[step] if ops[at].phase == "forward")
            states = (slot for op in forward for slot in op.inputs)
            if any(written.get(slot.name, slot) is not slot for slot in states):
                yield step

    def _padded(self) -> NDArray[np.bool_]:
        """(times,): which steps are padding for the sample."""
        masks = [self._slots.get(f"{self._path}/t={t}.m") for t in self._steps]
        return np.array(
            [mask is not None and mask.array[self._sample] == 0 for mask in masks], np.bool_
        )
