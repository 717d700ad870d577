"""Branches that meet, and columns that part: concatenate, add, select; and their ways back.

Every share of a gradient is an operation of its own here, though it computes nothing: so each
branch has its error in a slot of its own, to be stepped to and read.
"""

from collections.abc import Iterator, Sequence
from functools import partial, reduce
from operator import add

import numpy as np

from tui_nn_engine.formulas.expressions import lift
from tui_nn_engine.programs.program import Array, Call, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import Meaning, Reading


class Concatenate(Primitive):
    """h = [a, b, ...]: inputs (batch, ..., features) side by side along the last axis."""

    name = "concatenate"
    formula = "h = [a, b]"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, ..., sum of the features)."""
        return {"": (*inputs[0].shape[:-1], sum(slot.shape[-1] for slot in inputs))}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One copy an input."""
        return partial(np.concatenate, tuple(inputs), -1, outputs[0])

    def explain(self, read: Reading) -> Meaning:
        """The unit of the branch that stands there."""
        *place, unit = read.element
        for position, (start, stop) in enumerate(_parts(read.inputs)):
            if start <= unit < stop:
                lines = read.lines(read.input(position, *place, unit - start))
                said = f"Unit {unit - start + 1} of branch {position + 1} of {len(read.inputs)}"
                return Meaning(lines, f"{said}: the branches stand side by side, none is changed.")
        raise IndexError(f"no unit {unit}")

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """To each branch the errors of its own units."""
        for slot, (start, stop) in zip(op.inputs, _parts(op.inputs), strict=True):
            yield Contribution(slot, (gradient,), PartOfErrors(start, stop))


def _parts(inputs: Sequence[Slot]) -> list[tuple[int, int]]:
    """From where to before where each input stands."""
    stops = np.cumsum([slot.shape[-1] for slot in inputs]).tolist()
    return [(stop - slot.shape[-1], stop) for slot, stop in zip(inputs, stops, strict=True)]


class PartOfErrors(Primitive):
    """dE/da = δ[start:stop]: of the errors of branches side by side, those of one."""

    name = "errors back"
    formula = "∂E/∂a = its part of δ"

    def __init__(self, start: int, stop: int) -> None:
        self.start, self.stop = start, stop

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, ..., stop - start)."""
        return {"": (*inputs[0].shape[:-1], self.stop - self.start)}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One copy."""
        return partial(np.copyto, outputs[0], inputs[0][..., self.start : self.stop])

    def explain(self, read: Reading) -> Meaning:
        """The error of the unit it became."""
        *place, unit = read.element
        return Meaning(
            read.lines(read.input(0, *place, self.start + unit)),
            "Side by side with those of other branches it was not changed, so the error of the "
            "unit that it became is its own.",
        )


class AddBranches(Primitive):
    """h = a + b + ...: inputs of one shape, element by element."""

    name = "add"
    formula = "h = a + b"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape that all inputs have."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Left to right, so that the order of summation is fixed."""
        first, second, *rest = inputs
        out = outputs[0]

        def call() -> None:
            np.add(first, second, out)
            for array in rest:
                np.add(out, array, out)

        return call

    def explain(self, read: Reading) -> Meaning:
        """One addend a branch."""
        values = [read.here(position) for position in range(len(read.inputs))]
        return Meaning(
            read.lines(reduce(add, values)),
            "What the branches say of this unit is added up. A branch that leaves its input as it "
            "is makes this a residual block: the others need only learn what is to be added.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """To each branch the whole error."""
        for slot in op.inputs:
            yield Contribution(slot, (gradient,), WholeErrors())


class WholeErrors(Primitive):
    """dE/da = δ: an addend counts in full, so it has the error of the sum."""

    name = "errors back"
    formula = "∂E/∂a = δ"

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """The shape of δ."""
        return {"": inputs[0].shape}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One copy."""
        return partial(np.copyto, outputs[0], inputs[0])

    def explain(self, read: Reading) -> Meaning:
        """The same number."""
        return Meaning(
            read.lines(read.here(0)),
            "A sum grows by just what an addend grows by, so each branch gets its error whole: "
            "along a branch that changes nothing, errors reach the layers before undiminished.",
        )


class Select(Primitive):
    """h = x[..., columns]: some columns of the last axis, in the order given."""

    name = "select"
    formula = "h = columns of x"

    def __init__(self, columns: Sequence[int]) -> None:
        self.columns = tuple(columns)

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, ..., columns)."""
        return {"": (*inputs[0].shape[:-1], len(self.columns))}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """One gather; `clip`, for with `raise` NumPy would gather into a buffer first."""
        return partial(np.take, inputs[0], np.array(self.columns), -1, outputs[0], "clip")

    def explain(self, read: Reading) -> Meaning:
        """The column it comes from."""
        *place, unit = read.element
        column = self.columns[unit]
        return Meaning(
            read.lines(read.input(0, *place, column)),
            f"Column {column + 1} of {read.inputs[0].shape[-1]}, as it is.",
        )

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        """Back to where each came from."""
        width = op.inputs[0].shape[-1]
        yield Contribution(op.inputs[0], (gradient,), Scatter(self.columns, width))


class Scatter(Primitive):
    """dE/dx: δ where a column was selected, 0 where none was; `columns` differ from each other."""

    name = "errors back"
    formula = "∂E/∂x = δ, else 0"

    def __init__(self, columns: Sequence[int], width: int) -> None:
        self.columns, self.width = tuple(columns), width

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        """(batch, ..., width)."""
        return {"": (*inputs[0].shape[:-1], self.width)}

    def bind(self, inputs: Sequence[Array], outputs: Sequence[Array]) -> Call:
        """Zeros, then a copy."""
        source, target, places = inputs[0], outputs[0], np.array(self.columns)

        def call() -> None:
            target.fill(0)
            target[..., places] = source

        return call

    def explain(self, read: Reading) -> Meaning:
        """The error of the column that was selected, or nothing."""
        *place, column = read.element
        if column not in self.columns:
            return Meaning(
                read.lines(lift(0.0)),
                "It was not selected, so nothing after it hangs on it: along this path the loss "
                "does not change with it.",
            )
        return Meaning(
            read.lines(read.input(0, *place, self.columns.index(column))),
            "It went on as it is, so the error of what it became is its own.",
        )
