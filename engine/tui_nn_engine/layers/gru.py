"""The gated recurrent unit."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tui_nn_engine.layers.layer import Shape
from tui_nn_engine.layers.recurrent import ALL, Recurrent, States, TimeStep, Weights
from tui_nn_engine.primitives.activations import AnyElementwise, Sigmoid
from tui_nn_engine.primitives.gru_cell import Mixture, ResetSum
from tui_nn_engine.primitives.linear import Add, MatMul
from tui_nn_engine.primitives.recurrent import GateProduct, Gates, RecurrentProduct
from tui_nn_engine.programs.parameters import ParameterSpec
from tui_nn_engine.programs.program import Builder, Slot

RESET = GateProduct(
    "r ⊙ h′",
    "The reset gate lets through a share of the state, from which the candidate is made.",
)


class GRU(Recurrent):
    """Two gates decide what of the state stays and what the candidate hears (Cho et al. 2014).

    Equations, names and the order of gates in the columns (z, r, h̃) as Keras's GRU:
    z = σ(xWz + h′Uz + bz), r alike, h = z ⊙ h′ + (1 − z) ⊙ h̃. The reset gate works after the
    product, h̃ = tanh(xWh + bh + r ⊙ (h′Uh + b′h)), as in PyTorch, or before it,
    h̃ = tanh(xWh + (r ⊙ h′)Uh + bh), as in the paper. Keras keeps b and b′ as two rows of one
    array; here they are bias and recurrent_bias.
    """

    type: Literal["gru"] = "gru"
    summary: ClassVar[str] = "like lstm with two gates and no cell of its own: fewer weights"
    gates: ClassVar[tuple[str, ...]] = ("z", "r", "h̃")

    recurrent_activation: Annotated[
        AnyElementwise, Field(description="of both gates; activation is that of the candidate")
    ] = Sigmoid()
    reset_after: Annotated[
        bool, Field(description="the reset gate works after the product with U, not before it")
    ] = True

    def parameters(self, name: str, shape: Shape) -> list[ParameterSpec]:
        """As all recurrent layers; and recurrent_bias (columns,) where the reset comes after."""
        found = super().parameters(name, shape)
        if self.use_bias and self.reset_after:
            found.append(self._spec(f"{name}.recurrent_bias", "bias", (self.columns,)))
        return found

    def _weights(self, builder: Builder) -> Weights:
        found = super()._weights(builder)
        if self.reset_after:
            if self.use_bias:
                found["recurrent_bias"] = builder.parameter("recurrent_bias")
            return found
        for which, place in self._named:
            name = f"recurrent_kernel ({which})"
            found[which] = builder.part(found["recurrent_kernel"], name, *place)
        return found

    @property
    def _named(self) -> tuple[tuple[str, tuple[slice, slice]], ...]:
        """Where the columns of both gates are, and those of the candidate."""
        both = slice(0, 2 * self.units)
        return ("z, r", (ALL, both)), ("h̃", (ALL, slice(both.stop, None)))

    def cell(self, builder: Builder, weights: Weights, step: TimeStep) -> States:
        """Net inputs of both gates, gates, the candidate's net input, candidate, new state."""
        f = self.recurrent_activation
        net, net_candidate = (builder.part(step.net, f"net ({w})", *p) for w, p in self._named)
        a, a_candidate = (builder.part(step.a, f"a ({w})", *p) for w, p in self._named)
        if self.reset_after:
            sent, sent_candidate = self._sent(builder, weights, step.heard)
            builder.apply(Add("z = a + s"), a, sent, into=net)
        else:
            builder.apply(RecurrentProduct(), a, step.heard, weights["z, r"], into=net)
        gates = builder.apply(Gates([("z", f), ("r", f)]), net, name="gates")
        update = builder.part(gates, "z", ALL, slice(0, self.units))
        reset = builder.part(gates, "r", ALL, slice(self.units, None))
        if self.reset_after:
            builder.apply(ResetSum(), a_candidate, reset, sent_candidate, into=net_candidate)
        else:
            kept = builder.apply(RESET, reset, step.heard, name="r⊙h′")
            product, kernel = RecurrentProduct(), weights["h̃"]
            builder.apply(product, a_candidate, kept, kernel, into=net_candidate)
        candidate = builder.apply(self.activation, net_candidate, name="h̃")
        mixture = Mixture()
        return {
            "h": builder.apply(mixture, step.before["h"], update, candidate, name="ĥ", into=step.h)
        }

    def _sent(self, builder: Builder, weights: Weights, heard: Slot) -> tuple[Slot, Slot]:
        """h′U (+ b′): what the state sends to the gates, and to the candidate."""
        kernel = weights["recurrent_kernel"]
        if self.use_bias:
            row, product = weights["recurrent_bias"], RecurrentProduct(row=True)
            sent = builder.apply(product, row, heard, kernel, name="s")
        else:
            sent = builder.apply(MatMul(), heard, kernel, name="s")
        gates, candidate = (builder.part(sent, f"s ({w})", *p) for w, p in self._named)
        return gates, candidate
