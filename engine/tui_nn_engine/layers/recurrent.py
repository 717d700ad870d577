"""What recurrent layers share: parameters, unrolling over time, masks, dropout, truncation.

The update's program holds every time step: operations at step 3 have the path "lstm_1/t=3". The
products of the inputs with W are made for all steps at once. That the same weights work at every
step is all that backpropagation through time is: each step adds its share to their gradients.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.blocks.schema import Problem
from tui_nn_engine.layers.layer import Layer, Shape
from tui_nn_engine.primitives.activations import AnyElementwise, Tanh
from tui_nn_engine.primitives.carrying import Carry
from tui_nn_engine.primitives.linear import Multiply
from tui_nn_engine.primitives.noise import DropoutMask
from tui_nn_engine.primitives.sequences import InOrder, InputProducts, MultiplySteps, by_step
from tui_nn_engine.programs.initializers import (
    AnyInitializer,
    Given,
    GlorotUniform,
    Initializer,
    Orthogonal,
    Zeros,
)
from tui_nn_engine.programs.parameters import ParameterSpec
from tui_nn_engine.programs.program import Builder, Slot
from tui_nn_engine.programs.regularizers import AnyRegularizer, Regularizer

ALL = slice(None)
States = dict[str, Slot]
Weights = dict[str, Slot]
Part = Literal["kernel", "recurrent", "bias"]


@dataclass(frozen=True, slots=True)
class TimeStep:
    """What a cell is given at one time step.

    `a` comes from the inputs, `net` is where net inputs go, both (batch, columns); `before` are the
    states before, `heard` is h among them as U takes it, `h` is where the new h goes, if it has a
    place.
    """

    a: Slot
    net: Slot
    before: States
    heard: Slot
    h: Slot | None


class Recurrent(Layer):
    """A layer that goes through a sequence (time, features) step by step and keeps a state h.

    It gives (time, units) where it returns sequences, else h of the last step, (units,). At steps
    that are padding the state stays as it was, as in Keras. Going backwards, what it gives at each
    step stays at that step (Keras turns the sequence round).
    """

    over_time: ClassVar[bool] = True
    gates: ClassVar[tuple[str, ...]] = ("",)
    states: ClassVar[tuple[str, ...]] = ("h",)

    units: Annotated[int, Field(ge=1, description="numbers that the layer remembers")]
    activation: Annotated[AnyElementwise, Field(description="f, applied to each net input")] = (
        Tanh()
    )
    return_sequences: Annotated[
        bool, Field(description="give what every time step gave, not only the last")
    ] = False
    use_bias: Annotated[bool, Field(description="whether each unit has a bias b")] = True
    kernel_initializer: Annotated[
        AnyInitializer, Field(description="how the weights W of the inputs start")
    ] = GlorotUniform()
    recurrent_initializer: Annotated[
        AnyInitializer, Field(description="how the weights U of the state before start")
    ] = Orthogonal()
    bias_initializer: Annotated[AnyInitializer, Field(description="how the biases b start")] = (
        Zeros()
    )
    go_backwards: Annotated[
        bool, Field(description="from the last time step to the first; each output keeps its step")
    ] = False
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="share of the inputs dropped, each for a sequence")
    ] = 0.0
    recurrent_dropout: Annotated[
        float, Field(ge=0, lt=1, description="share of the state dropped on its way to U")
    ] = 0.0
    bptt_steps: Annotated[
        int | None,
        Field(
            ge=1,
            description="errors go back through time within windows of so many steps, the last "
            "one full; default: through all steps",
        ),
    ] = None
    initial_state: Annotated[
        list[float] | None, Field(description="h before the first step; default: zeros")
    ] = None
    kernel_regularizer: Annotated[
        AnyRegularizer | None, Field(description="what large weights W cost beside the loss")
    ] = None
    recurrent_regularizer: Annotated[
        AnyRegularizer | None, Field(description="what large weights U cost beside the loss")
    ] = None
    bias_regularizer: Annotated[
        AnyRegularizer | None, Field(description="what large biases cost beside the loss")
    ] = None
    kernel_trainable: Annotated[bool, Field(description="off: W stays as it is")] = True
    recurrent_trainable: Annotated[bool, Field(description="off: U stays as it is")] = True
    bias_trainable: Annotated[bool, Field(description="off: the biases stay as they are")] = True

    # -- shapes and parameters --------------------------------------------------------------------

    def output_shape(self, shape: Shape) -> Shape:
        """(time, units) or (units,)."""
        return (*shape[:-1], self.units) if self.return_sequences else (self.units,)

    @property
    def columns(self) -> int:
        """Of W, U and b: units of all gates."""
        return len(self.gates) * self.units

    def problems(self, shape: Shape) -> list[Problem]:
        """It needs sequences; what is given must have the shape of what it starts."""
        if len(shape) != 2:
            message = f"{self.type} needs sequences, inputs of shape (time, features) (has {shape})"
            return [Problem("", message)]
        found = []
        wanted: dict[str, Shape] = {
            "kernel_initializer": (shape[1], self.columns),
            "recurrent_initializer": (self.units, self.columns),
        }
        if self.use_bias:
            wanted["bias_initializer"] = (self.columns,)
        for field, expected in wanted.items():
            given = getattr(self, field)
            if isinstance(given, Given) and given.shape != expected:
                message = f"must have the shape {expected} (has {given.shape})"
                found.append(Problem(f"{field}.values", message))
        for field in self._initial_fields:
            given = getattr(self, field)
            if given is not None and len(given) != self.units:
                message = f"needs a number for each of the {self.units} units (has {len(given)})"
                found.append(Problem(field, message))
        return found

    _initial_fields: ClassVar[tuple[str, ...]] = ("initial_state",)

    def parameters(self, name: str, shape: Shape) -> list[ParameterSpec]:
        """kernel (features, columns), recurrent_kernel (units, columns), bias (columns,)."""
        found = [
            self._spec(f"{name}.kernel", "kernel", (shape[-1], self.columns)),
            self._spec(f"{name}.recurrent_kernel", "recurrent", (self.units, self.columns)),
        ]
        if self.use_bias:
            found.append(self._spec(f"{name}.bias", "bias", (self.columns,)))
        return found

    def _spec(self, name: str, part: Part, shape: Shape) -> ParameterSpec:
        trainable: bool = getattr(self, f"{part}_trainable")
        regularizer: Regularizer | None = getattr(self, f"{part}_regularizer")
        return ParameterSpec(name, shape, self._initializer(part), trainable, regularizer)

    def _initializer(self, part: Part) -> Initializer:
        found: Initializer = getattr(self, f"{part}_initializer")
        return found

    def connections(self, shape: Shape) -> int:
        """At each time step one a pair of input (or unit) and unit, for each gate."""
        return prod(shape[:-1]) * (shape[-1] + self.units) * self.columns

    # -- the program ------------------------------------------------------------------------------

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """The input products of all steps, then the steps one after the other."""
        batch, time, _ = x.shape
        here, weights = builder.path, self._weights(builder)
        a = self._input_products(builder, x, weights)
        dropped = self._recurrent_mask(builder, batch)
        net = by_step(builder, "net by step", (batch, time, self.columns))
        shown = by_step(builder, "h by step", (batch, time, self.units))
        states = self._initial(builder, batch)
        steps = range(time - 1, -1, -1) if self.go_backwards else range(time)
        for done, t in enumerate(steps):
            if done and self.bptt_steps and (time - done) % self.bptt_steps == 0:
                states = {name: _constant(slot) for name, slot in states.items()}
            with builder.within(f"{here}/t={t + 1}"):
                step = TimeStep(
                    builder.part(a, "a", ALL, t),
                    builder.part(net, "net", ALL, t),
                    states,
                    _dropped(builder, states["h"], dropped),
                    builder.part(shown, "h", ALL, t),
                )
                states = self._at(builder, weights, step, t)
        if self.return_sequences:
            return builder.apply(InOrder(), shown, name="h")
        return states["h"]

    def _at(self, builder: Builder, weights: Weights, step: "TimeStep", t: int) -> States:
        """The new states; where the step is padding for a sample, its state stays as it was."""
        if builder.mask is None:
            return self.cell(builder, weights, step)
        made = self.cell(builder, weights, replace(step, h=None))
        mask = builder.part(builder.mask, "m", ALL, t)
        return {
            name: builder.apply(
                Carry(),
                new,
                step.before[name],
                mask,
                name=name,
                into=step.h if name == "h" else None,
            )
            for name, new in made.items()
        }

    def cell(self, builder: Builder, weights: Weights, step: "TimeStep") -> States:
        """One time step: the new states. A new h without a place is called ĥ, and so on."""
        raise NotImplementedError

    def _weights(self, builder: Builder) -> Weights:
        """By name, and as the cell takes them."""
        names = ["kernel", "recurrent_kernel", *["bias"] * self.use_bias]
        return {name: builder.parameter(name) for name in names}

    def _input_products(self, builder: Builder, x: Slot, weights: Weights) -> Slot:
        batch, time, features = x.shape
        if builder.training and self.dropout:
            purpose = f"dropout {builder.path}"
            drawing = DropoutMask(self.dropout, (batch, features), builder.seed, purpose)
            mask = builder.apply(drawing, builder.state["iteration"], name="mask")
            x = builder.apply(MultiplySteps(), x, mask, name="x′")
        into = by_step(builder, "a", (batch, time, self.columns))
        bias = [weights["bias"]] if self.use_bias else []
        products = InputProducts(biased=self.use_bias)
        return builder.apply(products, x, weights["kernel"], *bias, into=into)

    def _recurrent_mask(self, builder: Builder, batch: int) -> Slot | None:
        if not builder.training or not self.recurrent_dropout:
            return None
        purpose = f"recurrent_dropout {builder.path}"
        shape = (batch, self.units)
        drawing = DropoutMask(self.recurrent_dropout, shape, builder.seed, purpose)
        return builder.apply(drawing, builder.state["iteration"], name="recurrent mask")

    def _initial(self, builder: Builder, batch: int) -> States:
        found = {}
        for name, field in zip(self.states, self._initial_fields, strict=True):
            slot = builder.slot(f"t=0.{name}", (batch, self.units), "input")
            slot.name = f"{builder.path}/t=0.{name}"
            given: Sequence[float] | None = getattr(self, field)
            slot.array[...] = np.zeros(self.units) if given is None else given
            found[name] = slot
        return found


def _constant(slot: Slot) -> Slot:
    """The same numbers, through which no error goes back: where truncated windows meet."""
    return Slot(slot.name, slot.array, slot.role, slot.of, slot.whole, slot.index)


def _dropped(builder: Builder, state: Slot, mask: Slot | None) -> Slot:
    return state if mask is None else builder.apply(Multiply(), state, mask, name="h′")
