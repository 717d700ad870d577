"""McCulloch-Pitts units: logic without learning."""

from math import prod
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.blocks.schema import Problem
from tui_nn_engine.layers.layer import Layer, Shape
from tui_nn_engine.primitives.linear import MatMul
from tui_nn_engine.primitives.logic import Fire
from tui_nn_engine.programs.initializers import Given
from tui_nn_engine.programs.parameters import ParameterSpec
from tui_nn_engine.programs.program import Builder, Slot

Synapses = Annotated[int, Field(ge=0)]
Threshold = Annotated[int, Field(ge=0)]


class McCullochPitts(Layer):
    """A unit fires (1) when enough of its inputs fire and none that inhibits it, else it rests (0).

    McCulloch & Pitts, "A logical calculus of the ideas immanent in nervous activity", 1943:
    inputs are 0 or 1, each excitatory synapse carries one spike, inhibition is absolute. Nothing
    in it learns, and no gradient passes it.
    """

    type: Literal["mcculloch_pitts"] = "mcculloch_pitts"
    summary: ClassVar[str] = "all-or-none units of 1943: thresholds and inhibition, no learning"
    units: Annotated[int, Field(ge=1, description="neurons in this layer")]
    excitatory: Annotated[
        list[list[Synapses]],
        Field(description="exciting synapses: a row an input, a column a unit"),
    ]
    thresholds: Annotated[
        list[Threshold], Field(description="for each unit, the spikes it takes to fire")
    ]
    inhibitory: Annotated[
        list[list[Synapses]] | None,
        Field(description="inhibiting synapses, likewise: one that is active silences the unit"),
    ] = None

    def output_shape(self, shape: Shape) -> Shape:
        """(..., units)."""
        return (*shape[:-1], self.units)

    def problems(self, shape: Shape) -> list[Problem]:
        """The tables must have a row an input and a column a unit."""
        tables: dict[str, tuple[list[Any], Shape]] = {
            field: (table, (shape[-1], self.units)) for field, table in self._tables().items()
        }
        tables["thresholds"] = self.thresholds, (self.units,)
        found = []
        for field, (table, expected) in tables.items():
            has = str(np.shape(table)) if _rectangular(table) else "rows of unequal length"
            if has != str(expected):
                said = ": a row an input, a column a unit" if len(expected) > 1 else ""
                message = f"must have the shape {expected}{said} (has {has})"
                found.append(Problem(field, message))
        return found

    def parameters(self, name: str, shape: Shape) -> list[ParameterSpec]:  # noqa: ARG002
        """kernel and, if any, inhibition (inputs, units), threshold (units,): all frozen."""
        given = {
            f"{name}.kernel": _given(self.excitatory),
            f"{name}.threshold": Given(values=[float(number) for number in self.thresholds]),
        }
        if self.inhibitory is not None:
            given[f"{name}.inhibition"] = _given(self.inhibitory)
        return [ParameterSpec(name, one.shape, one, trainable=False) for name, one in given.items()]

    def connections(self, shape: Shape) -> int:
        """One a pair of input and unit that has a synapse, at each place of the leading axes."""
        synapses = np.array(list(self._tables().values())).any(axis=0)
        return prod(shape[:-1]) * int(np.count_nonzero(synapses))

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """Spikes that arrive, those that inhibit, and whether the unit fires."""
        z = builder.apply(MatMul(), x, builder.parameter("kernel"), name="z")
        threshold = builder.parameter("threshold")
        if self.inhibitory is None:
            return builder.apply(Fire(inhibited=False), z, threshold, name="h")
        i = builder.apply(MatMul(), x, builder.parameter("inhibition"), name="i")
        return builder.apply(Fire(inhibited=True), z, threshold, i, name="h")

    def _tables(self) -> dict[str, list[list[int]]]:
        tables = {"excitatory": self.excitatory}
        return tables if self.inhibitory is None else {**tables, "inhibitory": self.inhibitory}


def _given(table: list[list[int]]) -> Given:
    return Given(values=[[float(number) for number in row] for row in table])


def _rectangular(table: list[Any]) -> bool:
    return len({len(row) for row in table if isinstance(row, list)}) <= 1
