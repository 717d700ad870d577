"""An update is a program: a flat list of operations on named, preallocated slots.

Training calls every operation, stepping calls the next one, explaining reads the slots. The
backward half is derived: walking the forward operations in reverse, each primitive says which
operations its gradient is, and contributions to the same slot are summed.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from tui_nn_engine.programs.backward import Backward
from tui_nn_engine.programs.operations import PHASES as PHASES
from tui_nn_engine.programs.operations import Call as Call
from tui_nn_engine.programs.operations import Contribution as Contribution
from tui_nn_engine.programs.operations import Op as Op
from tui_nn_engine.programs.operations import Phase as Phase
from tui_nn_engine.programs.operations import Primitive as Primitive
from tui_nn_engine.programs.operations import Sum as Sum
from tui_nn_engine.programs.slots import Array as Array
from tui_nn_engine.programs.slots import Role as Role
from tui_nn_engine.programs.slots import Slot as Slot


@dataclass(eq=False)
class Program:
    """The operations of one update for one batch size, in order, and the slots at its ends."""

    ops: tuple[Op, ...]
    x: Slot
    y: Slot
    output: Slot
    loss: Slot | None = None
    penalties: tuple[Slot, ...] = ()
    compute: tuple[Call, ...] = field(init=False)
    update: tuple[Call, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.compute = tuple(op.call for op in self.ops if op.phase != "update")
        self.update = tuple(op.call for op in self.ops if op.phase == "update")

    @property
    def batch(self) -> int:
        """Samples that one run takes."""
        return self.x.shape[0]

    @property
    def loss_value(self) -> float:
        """The mean loss of the batch. Raises ValueError for a program compiled without one."""
        if self.loss is None:
            raise ValueError("this program has no loss")
        value: float = self.loss.array.item()
        return value

    @property
    def penalty(self) -> float:
        """What the sizes of weights cost, as last computed."""
        return float(sum(slot.array.item() for slot in self.penalties))

    def slots(self) -> Mapping[str, Slot]:
        """Every slot by name, in the order in which they are first touched."""
        return self._slots

    @cached_property
    def _slots(self) -> Mapping[str, Slot]:
        found = {self.x.name: self.x, self.y.name: self.y}
        for op in self.ops:
            for slot in (*op.inputs, *op.outputs):
                found.setdefault(slot.name, slot)
        return MappingProxyType(found)

    def first_not_finite(self) -> Op | None:
        """The first operation that wrote an infinite number or NaN, or None."""
        for op in self.ops:
            if op.phase != "update" and not all(np.isfinite(s.array).all() for s in op.outputs):
                return op
        return None


class Builder:
    """Compiles a program: layers and losses `apply` primitives, `differentiate` adds the rest.

    `parameters` are slots shared by all programs of one network; `gradients` are the slots their
    gradients must end in. `training` tells layers such as dropout what they are compiled for.
    """

    def __init__(
        self,
        dtype: DTypeLike,
        parameters: Mapping[str, Slot],
        gradients: Mapping[str, Slot],
        state: Mapping[str, Slot],
        *,
        seed: int,
        training: bool,
    ) -> None:
        self.dtype = np.dtype(dtype)
        self.parameters = parameters
        self.state = state
        self.seed = seed
        self.training = training
        self.penalties: list[Slot] = []
        self.mask: Slot | None = None
        """(batch, time): 1 where a step is real, 0 where it is padding; None: all are real."""
        self.ends: tuple[Slot, ...] = ()
        self.ops: list[Op] = []
        self.path = ""
        self.phase: Phase = "forward"
        self._gradients: dict[Slot, Slot] = {parameters[n]: g for n, g in gradients.items()}
        self._differentiable: set[Slot] = set(self._gradients)
        self._parts: dict[Slot, list[Slot]] = {}
        self._joined: set[Slot] = set()  # slots that are written part by part

    @contextmanager
    def within(self, path: str, phase: Phase | None = None) -> Iterator[None]:
        """Operations applied inside belong to this layer (and phase)."""
        before = self.path, self.phase
        self.path, self.phase = path, phase or self.phase
        try:
            yield
        finally:
            self.path, self.phase = before

    def parameter(self, name: str) -> Slot:
        """The parameter `name` of the layer being built."""
        return self.parameters[f"{self.path}.{name}"]

    def gradient(self, parameter: Slot) -> Slot | None:
        """The slot that the gradient of a trainable parameter must end in; None for others."""
        return self._gradients.get(parameter)

    def slot(self, name: str, shape: Sequence[int], role: Role = "value") -> Slot:
        """A new slot of the network's dtype, named within the layer being built."""
        full = f"{self.path}.{name}" if self.path else name
        return Slot(full, np.zeros(tuple(shape), self.dtype), role)

    def part(self, slot: Slot, name: str, *index: Any) -> Slot:
        """A part of a slot, named within the layer being built: no operation, no copy.

        Either an operation writes the whole and others read its parts, or operations write the
        parts (`apply(into=part)`) and others read the whole; gradients find their way in both.
        """
        found = slot.part(f"{self.path}.{name}", *index)
        self._parts.setdefault(slot, []).append(found)
        if slot in self._differentiable:
            self._differentiable.add(found)
        return found

    def apply(
        self, primitive: Primitive, *inputs: Slot, name: str = "", into: Slot | None = None
    ) -> Slot:
        """Append an operation; returns the slot of its value: `into`, or a new one named `name`."""
        outputs = [
            self.slot(f"{name}.{suffix}" if suffix else name, shape)
            for suffix, shape in primitive.outputs(*inputs).items()
        ]
        if into is not None:
            outputs[0] = into
            self._joined.update(into.wholes())
        if self._differentiable.intersection(inputs):
            self._differentiable.update((outputs[0], *outputs[0].wholes()))
        return self.append(primitive, inputs, outputs).output

    def append(self, primitive: Primitive, inputs: Sequence[Slot], outputs: Sequence[Slot]) -> Op:
        """Append an operation that writes slots which exist already."""
        call = primitive.bind([s.array for s in inputs], [s.array for s in outputs])
        op = Op(self.phase, self.path, primitive, tuple(inputs), tuple(outputs), call)
        self.ops.append(op)
        return op

    def producer(self, slot: Slot) -> Op | None:
        """The operation whose value this slot is."""
        return next((op for op in self.ops if op.output is slot), None)

    def differentiate(self, *ends: Slot) -> None:
        """Append the backward half: dE/d(slot) for every trainable parameter, in reverse order.

        E is the sum of the scalars `ends`.
        """
        self.ends = ends
        backward = Backward(self, self._gradients, self._parts, self._joined)
        for op in reversed(tuple(self.ops)):
            with self.within(op.path, "backward"):
                gradient = op.output if op.output in ends else backward.total(op.output)
                if gradient is None:
                    continue
                for share in op.primitive.gradients(op, gradient):
                    if share.of in self._differentiable:
                        backward.add(share)
        for parameter in self._gradients:
            with self.within(parameter.name.rpartition(".")[0], "backward"):
                backward.total(parameter)
