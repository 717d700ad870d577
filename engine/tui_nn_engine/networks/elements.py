"""Where an element of a slot stands: in which layer, which gate and unit, at which time step."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.layers import Recurrent
from tui_nn_engine.networks.network import Network
from tui_nn_engine.programs.slots import Slot, layer_of

_TIME = re.compile(r"/t=(\d+)")
_STEPWISE = {"real", "s", "c", "cs", "E.per step"}
_GATED = {"a", "net", "gates", "s", "kernel", "recurrent_kernel", "bias", "recurrent_bias"}


@dataclass(frozen=True, slots=True)
class Element:
    """`unit` counts from 0, within its gate where the layer has gates; `time` from 1.

    Time 0 is before the first step; None: there is no time.
    """

    layer: str
    part: str
    gate: str
    unit: int
    time: int | None

    @property
    def when(self) -> str:
        """ "⟨3⟩" at time step 3, "" where there is no time."""
        return f"⟨{self.time}⟩" if self.time is not None else ""


class Elements:
    """Finds elements in the slots of one network's programs."""

    def __init__(self, network: Network) -> None:
        self.over_time = any(layer.over_time for _, layer in network.layers)
        self._gates: Mapping[str, Recurrent] = {
            name: layer for name, layer in network.layers if isinstance(layer, Recurrent)
        }

    def size(self, shape: tuple[int, ...]) -> int:
        """Units of an output of this shape: at each time step the same."""
        return shape[-1] if self.over_time and len(shape) == 2 else int(np.prod(shape))

    def gates(self, layer: str) -> tuple[str, ...]:
        """The letters of a layer's gates; ("",) where it has none."""
        recurrent = self._gates.get(layer)
        return recurrent.gates if recurrent else ("",)

    def column(self, layer: str, unit: int, gate: int) -> int:
        """Where a unit of a gate stands among the units of all gates of its layer."""
        recurrent = self._gates.get(layer)
        return unit if recurrent is None else gate * recurrent.units + unit

    def place(self, slot: Slot, unit: int, gate: int) -> int:
        """Where a unit stands in the last axis of a slot: that of a gate, if the slot has it."""
        of = slot.of or slot
        recurrent = self._gates.get(layer_of(of.name))
        if recurrent is None or slot.shape[-1] == recurrent.units:
            return unit
        _, (column,) = _of_whole(of, (0,))
        wanted = gate * recurrent.units + unit - column
        return wanted if 0 <= wanted < slot.shape[-1] else unit

    def find(self, slot: Slot, index: tuple[int, ...]) -> Element:
        """The element at `index` of a slot."""
        slot, index = _of_whole(slot, index)
        path, _, part = slot.name.partition(".")
        layer, part = layer_of(path), part.removesuffix(" by step")
        found = _TIME.search(path)
        time = int(found[1]) if found else None
        if slot.role == "parameter":
            unit = index[-1]
        elif self.over_time and len(index) == 3:
            time, unit = index[1] + 1, index[2]
        else:
            unit = int(np.ravel_multi_index(index[1:], slot.shape[1:])) if index[1:] else 0
            if part in _STEPWISE and len(index) == 2 and time is None:
                time, unit = unit + 1, 0
        gate, recurrent = "", self._gates.get(layer)
        if recurrent is not None and part in _GATED:
            gate, unit = recurrent.gates[unit // recurrent.units], unit % recurrent.units
        return Element(layer, part, gate, unit, time)

    def units(self, slot: Slot) -> NDArray[np.intp]:
        """Which unit each number of one sample belongs to, in the shape of a sample."""
        shape = slot.shape[1:]
        columns = shape[-1:] if self.over_time and len(shape) == 2 else shape
        before = (0,) * (len(slot.shape) - len(columns))
        of = slot.of or slot
        found = [self.find(of, (*before, *index)).unit for index in np.ndindex(columns)]
        return np.broadcast_to(np.reshape(found, columns), shape)


def _of_whole(slot: Slot, index: tuple[int, ...]) -> tuple[Slot, tuple[int, ...]]:
    """The same element in the slot whose columns the slot is."""
    while slot.whole is not None and isinstance(slot.index[-1], slice):
        index = (*index[:-1], index[-1] + (slot.index[-1].start or 0))
        slot = slot.whole
    return slot, index
