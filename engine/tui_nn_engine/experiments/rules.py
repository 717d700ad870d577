"""Learning without gradients: rules older than backpropagation, as programs of primitives.

Each rule is a block of the experiment file, `[rule]`, in place of `[loss]` and `[optimizer]`. All
but `fixed` teach one dense layer: a signal for every unit (for the delta rules the error e = t − y)
times each of its inputs is the direction in which that weight is changed.

Slots, for whoever shows or explains them, with `dense_1` the layer that learns:

- `dense_1.e` (samples, units): the error itself, not a derivative (the rules know no dE/d...);
  Hebb's rule has none, its signal is the target `t`.
- `x·e(dense_1.kernel)` (inputs, units) and `x·e(dense_1.bias)` (units,), where the input is 1:
  the direction, summed over the samples of the batch; `x·t(...)` for Hebb's. They are views on one
  flat vector, as gradients are, whose slot is called `x·e` or `x·t`.
- `Δw`, `weights`: as an optimizer's.
- `loss.E` is the half squared error, ½ Σ (t − y)², mean over the batch: a figure to watch. The
  rules don't use it.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, ClassVar, Literal

import numpy as np

from tui_nn_engine.blocks.schema import Kind, OneOf
from tui_nn_engine.formulas.functions import total
from tui_nn_engine.primitives.activations import Activation
from tui_nn_engine.primitives.formula import Formula
from tui_nn_engine.primitives.linear import AddBias, BiasGradient, KernelGradient, MatMul
from tui_nn_engine.primitives.losses import HalfSquaredError
from tui_nn_engine.primitives.optimizer import Rate, apply_change
from tui_nn_engine.programs.parameters import Parameters, StateSpec
from tui_nn_engine.programs.program import Array, Builder, Call, Primitive, Slot
from tui_nn_engine.programs.reading import Meaning, Reading

Levels = Literal["0 and 1", "-1 and +1", "numbers"]
"""The values that targets have."""


class Rule(Kind):
    """What stands in `[rule]`.

    `activations`: for each kind of targets those that may follow the sum; {}: any, always.
    """

    activations: ClassVar[Mapping[Levels, tuple[str, ...]]] = {}
    learns: ClassVar[bool] = True
    signal: ClassVar[str] = "e"

    def states(self, parameters: int) -> tuple[StateSpec, ...]:  # noqa: ARG002
        """None: a rule remembers nothing but the weights."""
        return ()

    def direction(self, parameter: str) -> str:
        """Its inputs times the signal."""
        return f"x·{self.signal}({parameter})"

    def measure(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """Half the squared error of the output."""
        with builder.within("loss", "loss"):
            return HalfSquaredError().emit(builder, output, target)


class Fixed(Rule):
    """Nothing learns: the weights stay as they are given. For networks worked out by hand."""

    type: Literal["fixed"] = "fixed"
    aliases: ClassVar[tuple[str, ...]] = ("mcculloch_pitts",)
    summary: ClassVar[str] = "nothing learns: the weights stay as given"
    learns: ClassVar[bool] = False

    @property
    def learning_rate(self) -> float:
        """None."""
        return 0.0

    def train(
        self,
        builder: Builder,
        output: Slot,
        target: Slot,
        parameters: Parameters,  # noqa: ARG002
    ) -> Slot:
        """The half squared error alone."""
        return self.measure(builder, output, target)


class Teaching(Rule):
    """A rule by which the weights of one dense layer learn.

    With several samples in a batch their changes are summed: the weights they are computed with
    are those before the batch. The rules of the textbooks change the weights after each sample:
    `training.batch_size = 1`.
    """

    learning_rate: Rate = 1.0

    def train(self, builder: Builder, output: Slot, target: Slot, parameters: Parameters) -> Slot:
        """The half squared error, the signal, the direction of each weight, the change."""
        loss = self.measure(builder, output, target)
        taught = [op for op in builder.ops if builder.gradient(op.inputs[-1]) is not None]
        with builder.within(taught[0].path, "backward"):
            signal = self.emit_signal(builder, output, target)
            for op in reversed(taught):
                self._emit_direction(builder, op.primitive, op.inputs, signal)
        weights = Slot("weights", parameters.trainable, "parameter")
        direction = Slot(f"x·{self.signal}", parameters.gradients, "gradient", weights)
        with builder.within(self.type, "update"):
            rate = builder.state["learning_rate"]
            apply_change(
                builder, weights, builder.apply(_step(self.signal), direction, rate, name="Δw")
            )
        return loss

    def emit_signal(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """Append what makes the signal that teaches (samples, units); returns its slot."""
        return builder.apply(Error("y"), target, output, name="e")

    def _emit_direction(
        self, builder: Builder, primitive: Primitive, inputs: Sequence[Slot], signal: Slot
    ) -> None:
        direction = builder.gradient(inputs[-1])
        assert direction is not None  # noqa: S101
        if isinstance(primitive, MatMul):
            builder.append(InputTimesSignal(self.signal), (inputs[0], signal), (direction,))
        elif isinstance(primitive, AddBias):
            builder.append(SignalSum(self.signal), (signal,), (direction,))


class Perceptron(Teaching):
    """The delta rule of Rosenblatt's perceptron (1958): w ← w + α e x, e = t − y, b likewise.

    The output unit is a step (targets 0 and 1) or a sign (targets −1 and +1). It changes weights
    only where the output is wrong: an epoch with an accuracy of 1 has changed nothing, so it has
    converged. For classes that a line can divide it always does (Novikoff 1962); for others never.
    """

    type: Literal["perceptron"] = "perceptron"
    aliases: ClassVar[tuple[str, ...]] = ("delta_rule", "rosenblatt")
    summary: ClassVar[str] = "w ← w + α(t − y)x: Rosenblatt's, changes where the output is wrong"
    activations: ClassVar[Mapping[Levels, tuple[str, ...]]] = {
        "0 and 1": ("step",),
        "-1 and +1": ("sign",),
    }


class Hebb(Teaching):
    """Hebb (1949): cells that fire together wire together, w ← w + η x t, b ← b + η t.

    The target stands for the activity of the unit, as if a teacher held it at that value.
    """

    type: Literal["hebb"] = "hebb"
    aliases: ClassVar[tuple[str, ...]] = ("hebbian",)
    summary: ClassVar[str] = "w ← w + ηxt: fire together, wire together"
    signal: ClassVar[str] = "t"

    def emit_signal(self, builder: Builder, output: Slot, target: Slot) -> Slot:  # noqa: ARG002
        """The target itself."""
        return target


class Adaline(Teaching):
    """Widrow & Hoff (1960), "LMS": w ← w + α e x with e = t − z, the error of the net input.

    The output unit after z (linear, or sign to classify) plays no part in learning. It is the step
    of gradient descent on ½ Σ (t − z)², here summed over a batch's samples.
    """

    type: Literal["adaline"] = "adaline"
    aliases: ClassVar[tuple[str, ...]] = ("widrow_hoff", "lms")
    summary: ClassVar[str] = "w ← w + α(t − z)x: Widrow-Hoff, by the net input"
    activations: ClassVar[Mapping[Levels, tuple[str, ...]]] = {
        "0 and 1": ("linear",),
        "-1 and +1": ("sign", "linear"),
        "numbers": ("linear",),
    }
    learning_rate: Rate = 0.1

    def measure(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """Half the squared error of the net input."""
        return super().measure(builder, _net_input(builder, output), target)

    def emit_signal(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """t − z."""
        return builder.apply(Error("z"), target, _net_input(builder, output), name="e")


class Error(Primitive):
    """e = t − y (or t − z): by how much the output (the net input) is too small."""

    name = "error"

    def __init__(self, of: str) -> None:
        self.of, self.formula = of, f"e = t − {of}"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, ..., units)."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One difference."""
        return partial(np.subtract, inputs[0], inputs[1], outputs[0])

    def explain(self, read: Reading) -> Meaning:
        """Target less what came out."""
        lines = read.lines(read.here(0) - read.here(1))
        error, what = lines[-1].right.scalar, "net input" if self.of == "z" else "output"
        if error == 0:
            told = f"The {what} is what the target says: nothing is to be changed."
        elif error != error:
            told = f"By how much the {what} falls short of the target."
        else:
            amount, way = ("small", "grow") if error > 0 else ("large", "shrink")
            told = f"The {what} is too {amount}: for inputs like these it must {way}."
        return Meaning(lines, f"{told} No slope, no chain rule: the error is used as it is.")


class InputTimesSignal(KernelGradient):
    """xᵀe: each input times the signal of each unit, summed over the samples of the batch."""

    def __init__(self, signal: str) -> None:
        self.signal, self.formula = signal, f"xᵀ{signal}"
        self.name = f"input × {_SIGNALS[signal]}"

    def explain(self, read: Reading) -> Meaning:
        """Input times signal, summed over the samples."""
        source, unit = read.element
        terms = read.input(0, ..., source) * read.input(1, ..., unit)
        return Meaning(read.lines(total(terms)), f"{_TOLD[self.signal]}{_summed(read)}")


class SignalSum(BiasGradient):
    """Σ e over the samples of the batch: a bias is a weight whose input is always 1."""

    def __init__(self, signal: str) -> None:
        self.signal, self.formula = signal, f"Σ{signal}"
        self.name = f"1 × {_SIGNALS[signal]}"

    def explain(self, read: Reading) -> Meaning:
        """The signals of all samples."""
        terms = read.input(0, ..., *read.element)
        told = (
            f"A bias is a weight whose input is always 1: it follows the {_SIGNALS[self.signal]}."
        )
        return Meaning(read.lines(total(terms)), f"{told}{_summed(read)}")


_SIGNALS = {"e": "error", "t": "target"}
_TOLD = {
    "e": "The weight is to move with its input times the error: an input that was 0 has no part in "
    "the error, so its weight stays; a large one had much part in it.",
    "t": "Hebb: where the input and the unit (held at the target) are active together the "
    "connection grows, where they are opposed it shrinks.",
}


def _summed(read: Reading) -> str:
    samples = read.inputs[0].shape[0]
    return f" The changes for the {samples} samples of the batch add up." if samples > 1 else ""


def _step(signal: str) -> Formula:
    return Formula(
        "step",
        "Δw",
        f"x·{signal} η",
        lambda direction, rate: rate * direction,
        lambda *_: "The learning rate says how far the weight goes in that direction.",
        np.multiply,
    )


def _net_input(builder: Builder, output: Slot) -> Slot:
    """The z that an output was made from; itself where the output is linear."""
    producer = builder.producer(output)
    if producer is not None and isinstance(producer.primitive, Activation):
        return producer.inputs[0]
    return output


RULES: tuple[type[Teaching | Fixed], ...] = (Perceptron, Hebb, Adaline, Fixed)
AnyRule = Annotated[Teaching | Fixed, OneOf(RULES)]
