"""Long short-term memory."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.layers.recurrent import ALL, Part, Recurrent, States, TimeStep, Weights
from tui_nn_engine.primitives.activations import AnyElementwise, Sigmoid
from tui_nn_engine.primitives.lstm_cell import CellOutput, CellState
from tui_nn_engine.primitives.recurrent import Gates, RecurrentProduct
from tui_nn_engine.programs.initializers import Given, Initializer
from tui_nn_engine.programs.program import Builder


class LSTM(Recurrent):
    """A cell c beside the state h, which gates write, keep and show.

    Hochreiter & Schmidhuber 1997, with the forget gate of Gers, Schmidhuber & Cummins 2000.
    Equations, names and the order of gates in the columns (i, f, c̃, o) as Keras's LSTM:
    i = σ(xWi + h′Ui + bi), f and o alike, c̃ = tanh(xWc + h′Uc + bc), c = f ⊙ c′ + i ⊙ c̃,
    h = o ⊙ tanh(c). Biases given as numbers stand as given, those of the forget gate too.
    """

    type: Literal["lstm"] = "lstm"
    summary: ClassVar[str] = "a memory cell that gates write, keep and show: learns over long times"
    gates: ClassVar[tuple[str, ...]] = ("i", "f", "c̃", "o")
    states: ClassVar[tuple[str, ...]] = ("h", "c")
    _initial_fields: ClassVar[tuple[str, ...]] = ("initial_state", "initial_cell_state")

    recurrent_activation: Annotated[
        AnyElementwise, Field(description="of the three gates; activation is that of c̃ and c")
    ] = Sigmoid()
    unit_forget_bias: Annotated[
        bool,
        Field(
            description="the forget gate's biases start at 1, so that the cell keeps what it has"
        ),
    ] = True
    initial_cell_state: Annotated[
        list[float] | None, Field(description="c before the first step; default: zeros")
    ] = None

    def _initializer(self, part: Part) -> Initializer:
        found = super()._initializer(part)
        if part == "bias" and self.unit_forget_bias and not isinstance(found, Given):
            return UnitForgetBias(biases=found)
        return found

    def cell(self, builder: Builder, weights: Weights, step: TimeStep) -> States:
        """Net inputs, gates, cell, output."""
        f, squash = self.recurrent_activation, self.activation
        z = builder.apply(
            RecurrentProduct(), step.a, step.heard, weights["recurrent_kernel"], into=step.net
        )
        kinds = Gates([("i", f), ("f", f), ("c̃", squash), ("o", f)])
        gates = builder.apply(kinds, z, name="gates")
        n = self.units
        i, forget, candidate, o = (
            builder.part(gates, letter, ALL, slice(at * n, (at + 1) * n))
            for at, letter in enumerate(self.gates)
        )
        name = "c" if step.h is not None else "ĉ"
        c = builder.apply(CellState(), step.before["c"], forget, i, candidate, name=name)
        return {"h": builder.apply(CellOutput(squash), c, o, name="ĥ", into=step.h), "c": c}


class UnitForgetBias(Initializer):
    """Ones for the forget gate, the second of four (Jozefowicz et al. 2015); others as `biases`."""

    type: Literal["unit_forget_bias"] = "unit_forget_bias"
    biases: Initializer

    def initial(self, shape: tuple[int, ...], seed: int, name: str) -> np.ndarray:
        """(4 · units,)."""
        found = self.biases.initial(shape, seed, name)
        units = shape[0] // 4
        found[units : 2 * units] = 1.0
        return found
