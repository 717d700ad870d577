"""The plain recurrent layer."""

from typing import ClassVar, Literal

from tui_nn_engine.layers.recurrent import Recurrent, States, TimeStep, Weights
from tui_nn_engine.primitives.recurrent import RecurrentProduct
from tui_nn_engine.programs.program import Builder


class SimpleRNN(Recurrent):
    """h = f(xW + h′U + b): every unit sees the inputs and what all units gave before (Elman 1990).

    Equations and names as Keras's SimpleRNN.
    """

    type: Literal["simple_rnn"] = "simple_rnn"
    aliases: ClassVar[tuple[str, ...]] = ("rnn", "elman")
    summary: ClassVar[str] = (
        "goes through a sequence and hears its own last output: f(xW + h′U + b)"
    )

    def cell(self, builder: Builder, weights: Weights, step: TimeStep) -> States:
        """Net input, activation."""
        kernel = weights["recurrent_kernel"]
        z = builder.apply(RecurrentProduct(), step.a, step.heard, kernel, into=step.net)
        activation = self.activation
        return {"h": builder.apply(activation, z, name="ĥ", into=step.h)}
