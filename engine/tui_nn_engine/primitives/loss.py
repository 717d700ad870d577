"""What a loss is: its block in the experiment file and the operation it runs as.

A loss operation writes the mean over the batch (its value, a scalar) and the loss of each sample.
Operations write from one array into another: in place, NumPy takes three times as long on a single
number.
"""

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from operator import mul
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from tui_nn_engine.blocks.schema import Kind
from tui_nn_engine.formulas.expressions import Expression, Quantity, formula, lift
from tui_nn_engine.formulas.functions import total
from tui_nn_engine.primitives.linear import Multiply, rows
from tui_nn_engine.primitives.padding import StepShare
from tui_nn_engine.primitives.targets import ClassWeight
from tui_nn_engine.programs.program import Array, Builder, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import ALL, Equation, Meaning, Reading

AnyArray = Any


class Loss(Kind):
    """A loss E(y, t) between a network's output y and its targets t, both (batch, ..., outputs).

    Over time, (batch, time, outputs), the loss of a sample is the mean over its time steps; padded
    ones are left out, so that all real steps of the batch count alike, as in Keras.

    `class_weight` multiplies the loss of each sample by a number for its class. As in Keras the
    weighted losses of a batch are summed and divided by the number of its samples, not by the sum
    of their weights; so the mean over batches, each counted by its samples, is that over all
    samples, also where the last batch is smaller. Unlike Keras's, the loss shown for validation
    and test samples is weighted, too: it is the same loss.

    "balanced" stands for n / (K · n_k) as in scikit-learn: n training samples, n_k of them of this
    class, K classes. The trainer puts the numbers in its place.
    """

    boundary: ClassVar[float] = 0.5  # one output above it means the second of two classes
    class_weight: Annotated[
        Literal["balanced"] | list[Annotated[float, Field(ge=0)]] | None,
        Field(description="what samples count by their class: one number a class, or balanced"),
    ] = None

    def emit(self, builder: Builder, output: Slot, target: Slot) -> Slot:
        """Append the loss; returns the slot of the mean loss of the batch, a scalar."""
        operation, inputs = self.operation(builder, output, self.aims(builder, target))
        weights = self._weights(builder, target)
        if weights is not None:
            operation.weighted = True
            inputs = (*inputs, weights)
        return builder.apply(operation, *inputs, name="E")

    def _weights(self, builder: Builder, target: Slot) -> Slot | None:
        """What each sample (or time step) counts, by its class and whether it is real."""
        found = []
        if self.class_weight is not None:
            assert self.class_weight != "balanced"  # noqa: S101  the trainer has counted
            found.append(builder.apply(ClassWeight(self.class_weight), target, name="c"))
        if builder.mask is not None:
            found.append(builder.apply(StepShare(), builder.mask, name="s"))
        if len(found) < 2:
            return found[0] if found else None
        return builder.apply(Multiply(), *found, name="cs")

    def aims(self, builder: Builder, target: Slot) -> Slot:  # noqa: ARG002
        """The targets as this loss takes them."""
        return target

    def operation(
        self,
        builder: Builder,  # noqa: ARG002
        output: Slot,
        target: Slot,
    ) -> "tuple[LossOp, tuple[Slot, ...]]":
        """What computes it, and from which slots: unless told, the output as it is."""
        return self.primitive(), (output, target)

    def primitive(self) -> "LossOp":
        """What computes it from output and targets."""
        raise NotImplementedError


class LossOp(Primitive):
    """Writes the mean loss, the loss of each sample (and time step), and that of each output.

    Where it is `weighted`, its last input is the weight of each sample, (batch,), or of each time
    step, (batch, time).
    """

    meaning = ""
    averaged: ClassVar[bool] = True  # over the outputs; else they are summed
    weighted = False

    def of_outputs(self, *inputs: Expression) -> Expression:
        """The loss of a sample (at one time step) from its outputs (vectors), not averaged."""
        raise NotImplementedError

    def of_batch(self, mean: Expression) -> Expression:
        """The loss of a batch from the mean over its samples."""
        return mean

    def parts(self, read: Reading) -> tuple[Equation, ...]:  # noqa: ARG002
        """What comes before the loss: how the output looked at was made, if that is fused."""
        return ()

    def explain(self, read: Reading) -> Meaning:
        """The loss of the sample at hand, and the mean over the batch."""
        count = len(read.inputs) - self.weighted
        *place, _ = read.element
        each = self.of_outputs(*(_row(read, position) for position in range(count)))
        width, batch = read.inputs[0].shape[-1], read.outputs[1].shape[0]
        if self.averaged and width > 1:
            each = each / width
        told = f"{self.meaning} The smaller, the better."
        if self.weighted:
            each = _weight(read) * each
            told += f" Times {read.inputs[-1].name.rpartition('.')[2]}, what this counts."
        lines = list(self.parts(read))
        if len(read.outputs) > 3:
            steps = int(np.prod(read.outputs[3].shape[1:]))
            lines += read.lines(each, 3, *place)
            each = total(read.output(3, place[0], ...)) / steps
            told += f" The loss of a sample is the mean over its {steps} time steps."
        if batch == 1:
            return Meaning((*lines, *read.lines(self.of_batch(each))), told)
        mean = read.lines(self.of_batch(total(read.output(1, ...)) / batch))
        lines += read.lines(each, 1, place[0])
        told += f" The loss of the batch is the mean over its {batch} samples."
        return Meaning((*lines, *mean), told)

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """A scalar; (batch,); the shape of the output; over time (batch, time)."""
        shape = inputs[0].shape
        found = {"": (), "per sample": shape[:1], "per output": shape}
        return found | ({"per step": shape[:-1]} if len(shape) > 2 else {})

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Per output, summed to per step or sample (and weighted), averaged over time and batch."""
        mean, each, per_output, *steps = outputs
        values = inputs[: len(inputs) - self.weighted]
        flat: AnyArray = rows(per_output)
        write = self.bind_terms([rows(a) if a.ndim else a for a in values], flat)
        weight = np.full(flat.shape[1], self.weight(flat.shape[1]), flat.dtype)
        average = self.bind_average(each, mean)
        sums: AnyArray = steps[0] if steps else each
        inner: AnyArray = np.empty_like(sums) if self.weighted else sums
        calls: list[Call] = [write, partial(np.dot, flat, weight, inner.reshape(-1))]
        if self.weighted:
            factor = inputs[-1].reshape(*inputs[-1].shape, *(1,) * (sums.ndim - inputs[-1].ndim))
            calls.append(partial(np.multiply, inner, factor, sums))
        if steps:
            of_sample = sums.reshape(len(sums), -1)
            share = np.full(of_sample.shape[1], 1 / of_sample.shape[1], sums.dtype)
            calls.append(partial(np.dot, of_sample, share, each))
        calls.append(average)

        def call() -> None:
            for one in calls:
                one()

        return call

    def bind_terms(self, inputs: Sequence[AnyArray], terms: AnyArray) -> Call:
        """A call that writes the loss of every output of every sample."""
        raise NotImplementedError

    def bind_average(self, each: AnyArray, mean: AnyArray) -> Call:
        """A call that writes the loss of the batch from that of each sample."""
        return partial(np.dot, each, np.full(len(each), 1 / len(each), each.dtype), mean)

    def weight(self, outputs: int) -> float:
        """What each output's term counts in its sample's loss; 1/outputs: their mean."""
        return 1 / outputs

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:  # noqa: ARG002
        """That of the output, with the weights where there are any."""
        count = len(op.inputs) - self.weighted
        share = self.share(op.inputs[:count], op.output)
        yield Contribution(share.of, (*share.inputs, *op.inputs[count:]), share.primitive)

    def share(self, inputs: tuple[Slot, ...], loss: Slot) -> Contribution:
        """dE/d(input that comes from the network), weights left aside."""
        raise NotImplementedError


def _row(read: Reading, position: int) -> Expression:
    """All outputs of the sample (and time step) at hand; or an input that is one number."""
    if not read.inputs[position].shape:
        return read.input(position)
    return read.input(position, *read.element[:-1], ALL)


def _weight(read: Reading) -> Expression:
    """What the sample (or time step) at hand counts."""
    return read.input(-1, *read.element[: len(read.inputs[-1].shape)])


class LossGradient(Primitive):
    """dE/d(input of the loss): a formula of its inputs, times one factor (and the weight)."""

    name = "loss gradient"
    output = "y"  # what the gradient is of, by its symbol

    def __init__(self, loss: LossOp) -> None:
        self.loss = loss
        outputs, batch = Quantity("outputs"), Quantity("batch")
        slope = self.slope(Quantity("y"), Quantity("t"))
        if loss.weighted:
            slope = Quantity("c") * slope
        factor = outputs * batch if loss.averaged else batch
        self.formula = formula(f"∂E/∂{self.output}", slope / factor)

    def slope(self, y: Expression, target: Expression) -> Expression:
        """The derivative of one output's term."""
        raise NotImplementedError

    def here(self, read: Reading, y: Expression, target: Expression) -> Expression:  # noqa: ARG002
        """The derivative at the element at hand, where that needs more than y and t."""
        return self.slope(y, target)

    def explain(self, read: Reading) -> Meaning:
        """The slope of the output's term, its share of the means taken."""
        y, target = read.here(0), read.here(1)
        batch, *steps, width = read.outputs[0].shape
        slope = self.here(read, y, target)
        if self.loss.weighted:
            slope = _weight(read) * slope
        counts = [lift(width)] if self.loss.averaged and width > 1 else []
        counts += [lift(count) for count in (*steps, batch) if count > 1]
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
        width = delta.shape[-1]
        factor = np.array(self.loss.weight(width) * width / delta.size, delta.dtype)
        if not self.loss.weighted:
            return self.bind_gradient(inputs, delta, factor)
        alike: AnyArray = np.empty_like(delta)  # as if all samples counted alike
        write = self.bind_gradient(inputs[:-1], alike, factor)
        weights = inputs[-1].reshape(*inputs[-1].shape, *(1,) * (delta.ndim - inputs[-1].ndim))

        def call() -> None:
            write()
            np.multiply(alike, weights, delta)

        return call

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
