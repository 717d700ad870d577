"""What a loss is: its block in the experiment file and the operation it runs as.

A loss operation writes the mean over the batch (its value, a scalar) and the loss of each sample.
Operations write from one array into another: in place, NumPy takes three times as long on a single
number.
"""

from collections.abc import Sequence
from functools import partial, reduce
from operator import mul
from typing import Any, ClassVar

import numpy as np

from tui_nn_engine.expressions import Expression, Quantity, formula, lift
from tui_nn_engine.functions import total
from tui_nn_engine.primitives.linear import rows
from tui_nn_engine.program import Array, Builder, Call, Primitive, Slot
from tui_nn_engine.reading import Equation, Meaning, Reading
from tui_nn_engine.schema import Kind

AnyArray = Any


class Loss(Kind):
    """A loss E(y, t) between a network's output y and its targets t, both (batch, ..., outputs)."""

    def emit(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """Append the loss; returns the slot of the mean loss of the batch, a scalar."""
        raise NotImplementedError


class LossOp(Primitive):
    """Writes the mean loss, the loss of each sample, and what its gradient will need again."""

    meaning = ""
    averaged: ClassVar[bool] = True  # over the outputs; else they are summed

    def of_outputs(self, *inputs: Expression) -> Expression:
        """The loss of one sample from all its outputs (vectors of the inputs), not averaged."""
        raise NotImplementedError

    def parts(self, read: Reading) -> tuple[Equation, ...]:  # noqa: ARG002
        """What comes before the loss: how the output looked at was made, if that is fused."""
        return ()

    def explain(self, read: Reading) -> Meaning:
        """The loss of the sample at hand, and the mean over the batch."""
        each = self.of_outputs(*(read.sample(position) for position in range(len(read.inputs))))
        width, batch = read.inputs[0].array[0].size, read.outputs[1].shape[0]
        if self.averaged and width > 1:
            each = each / width
        told = f"{self.meaning} The smaller, the better."
        if batch == 1:
            return Meaning((*self.parts(read), *read.lines(each)), told)
        mean = read.lines(total(read.output(1, ...)) / batch)
        sample = read.lines(each, 1, read.element[0])
        told += f" The loss of the batch is the mean over its {batch} samples."
        return Meaning((*self.parts(read), *sample, *mean), told)

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """A scalar; (batch,); the shape of the output."""
        shape = inputs[0].shape
        return {"": (), "per sample": shape[:1], "per output": shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Per output, summed to per sample, averaged over the batch."""
        mean, each, per_output = outputs
        batch = len(each)
        write = self.bind_terms([rows(array) for array in inputs], rows(per_output))
        flat: AnyArray = per_output.reshape(batch, -1)
        weight = np.full(flat.shape[1], self.weight(flat.shape[1]), flat.dtype)
        share = np.full(batch, 1 / batch, flat.dtype)
        sum_outputs = partial(np.dot, flat, weight, each)
        average = partial(np.dot, each, share, mean)

        def call() -> None:
            write()
            sum_outputs()
            average()

        return call

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        """A call that writes the loss of every output of every sample."""
        raise NotImplementedError

    def weight(self, outputs: int) -> float:
        """What each output's term counts in its sample's loss; 1/outputs: their mean."""
        return 1 / outputs


class LossGradient(Primitive):
    """dE/d(input of the loss): a formula of the loss's inputs, times one factor."""

    name = "loss gradient"
    output = "y"  # what the gradient is of, by its symbol

    def __init__(self, loss: LossOp) -> None:
        self.loss = loss
        outputs, batch = Quantity("outputs"), Quantity("batch")
        slope = self.slope(Quantity("y"), Quantity("t"))
        factor = outputs * batch if loss.averaged else batch
        self.formula = formula(f"∂E/∂{self.output}", slope / factor)

    def slope(self, y: Expression, target: Expression) -> Expression:
        """The derivative of one output's term."""
        raise NotImplementedError

    def explain(self, read: Reading) -> Meaning:
        """The slope of the output's term, its share of the means taken."""
        y, target = read.here(0), read.here(1)
        batch, width = read.outputs[0].shape[0], read.outputs[0].array[0].size
        slope = self.slope(y, target)
        counts = [lift(width)] if self.loss.averaged and width > 1 else []
        if batch > 1:
            counts.append(lift(batch))
        if counts:
            slope = slope / reduce(mul, counts)
        shared = f" Divided by {batch}, for the loss is the mean of {batch} samples." * (batch > 1)
        return Meaning(read.lines(slope), f"{self.why(y.scalar, target.scalar)}{shared}")

    def why(self, y: float, target: float) -> str:
        """Which way the output should go."""
        start = f"How much the loss changes when {'the net input' if self.output == 'z' else 'y'}"
        start += " does."
        if y > target:
            return f"{start} The output is larger than its target: to lower the loss it must fall."
        if y < target:
            return f"{start} The output is smaller than its target: to lower the loss it must rise."
        return f"{start} The output is its target: nothing to mend." if y == target else start

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of the network's output."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """The formula, with 1/batch and each output's weight in its factor."""
        delta = outputs[0]
        batch, width = delta.shape[0], int(np.prod(delta.shape[1:]))
        factor = np.array(self.loss.weight(width) / batch, delta.dtype)
        return self.bind_gradient(inputs, delta, factor)

    def bind_gradient(self, inputs: Sequence[AnyArray], delta: AnyArray, factor: AnyArray) -> Call:
        """A call that writes `factor` times the gradient of each term into `delta`."""
        raise NotImplementedError


class Difference(LossGradient):
    """factor * scale * (y - t)."""

    def __init__(self, loss: LossOp, *, output: str, scale: float = 1.0) -> None:
        self.output, self.scale = output, scale
        super().__init__(loss)

    def slope(self, y: Expression, target: Expression) -> Expression:
        """y − t; twice that where the square is not halved."""
        return 2 * (y - target) if self.scale == 2 and self.loss.averaged else y - target

    def why(self, y: float, target: float) -> str:
        """Where the short form comes from."""
        told = super().why(y, target)
        if self.output == "y":
            return told
        return f"{told} (The slopes of the loss and of the activation, multiplied, are just y − t.)"

    def bind_gradient(self, inputs: Sequence[AnyArray], delta: AnyArray, factor: AnyArray) -> Call:
        """A difference and a product."""
        y, target = inputs[0], inputs[1]
        scale, work = np.array(factor * self.scale, delta.dtype), np.empty_like(delta)

        def call() -> None:
            np.subtract(y, target, work)
            np.multiply(work, scale, delta)

        return call
