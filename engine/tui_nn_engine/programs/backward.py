"""The backward half of a program, derived: gradients on their way back, and where they add up."""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

import numpy as np

from tui_nn_engine.programs.operations import Contribution, Op, Primitive, Sum
from tui_nn_engine.programs.slots import Slot

_LETTERS = {
    "kernel": "W",
    "recurrent_kernel": "U",
    "embeddings": "E",
    "bias": "b",
    "recurrent_bias": "b′",
    "net": "z",
}
"""What formulas call the parts whose names are words."""


class Appends(Protocol):
    """Who takes down the operations."""

    ops: list[Op]
    path: str

    def slot(self, name: str, shape: Sequence[int]) -> Slot:
        """A new slot."""

    def append(self, primitive: Primitive, inputs: Sequence[Slot], outputs: Sequence[Slot]) -> Op:
        """Append an operation that writes slots which exist already."""


class Backward:
    """Gradients on their way back: the shares that came to each slot, and what they sum to.

    `parts` are those of each slot that has any; those of a `joined` slot are written one by one.
    """

    def __init__(
        self,
        builder: Appends,
        places: Mapping[Slot, Slot],
        parts: Mapping[Slot, Sequence[Slot]],
        joined: AbstractSet[Slot],
    ) -> None:
        self._builder, self._fixed = builder, places
        self._parts, self._joined = parts, joined
        self._uses = Counter(slot for op in builder.ops for slot in op.inputs)
        self._places: dict[Slot, Slot] = {}
        self._shares: dict[Slot, list[Slot]] = {}
        self._totals: dict[Slot, Slot | None] = {}
        self._taken: set[str] = set()

    def add(self, share: Contribution) -> None:
        """Append the operation that computes a share of dE/d(`share.of`)."""
        self._shares.setdefault(share.of, []).append(self._computed(share))

    def total(self, slot: Slot) -> Slot | None:
        """dE/d(slot), once all that use it have been walked: the only share itself, or their sum.

        By the chain rule, one share for each path along which it acts on the loss.
        """
        if slot not in self._totals:
            found = [*self._shares.get(slot, ()), *self._of_parts(slot), *self._of_whole(slot)]
            self._totals[slot] = self._sum(slot, found)
        return self._totals[slot]

    def _computed(self, share: Contribution) -> Slot:
        of, builder = share.of, self._builder
        if share.primitive is None:
            return share.inputs[0]
        _, *others = share.primitive.outputs(*share.inputs).items()
        if self._single(of) and (of in self._fixed or of.whole is not None):
            target = self._place(of)
        else:
            name = f"dE/d({of.name})" if self._single(of) else self._another(of)
            target = Slot(name, np.zeros_like(of.array), "gradient", of)
        beside = [builder.slot(suffix, shape) for suffix, shape in others]
        builder.append(share.primitive, share.inputs, (target, *beside))
        return target

    def _single(self, slot: Slot) -> bool:
        """Whether it acts on the loss along one path only."""
        uses = self._uses[slot]
        if slot in self._parts and slot not in self._joined:
            uses += len(self._parts[slot])
        if slot.whole is not None and slot.whole in self._joined:
            uses += self._uses[slot.whole]
        return uses == 1

    def _another(self, slot: Slot) -> str:
        """The name of one share of several: of a weight by its time step, if it comes from one."""
        layer, _, time = self._builder.path.rpartition("/t=")
        step = f"dE/d({slot.name}) ⟨{time}⟩"
        if slot.role == "parameter" and layer and step not in self._taken:
            self._taken.add(step)
            return step
        return f"dE/d({slot.name}) #{len(self._builder.ops)}"

    def _sum(self, slot: Slot, found: Sequence[Slot]) -> Slot | None:
        if not found:
            return None
        if len(found) == 1 and self._fixed.get(slot) in {None, found[0]}:
            if found[0].of is slot:
                found[0].name = f"dE/d({slot.name})"
            return found[0]
        target = self._place(slot)
        self._builder.append(Sum(_letter(slot)), found, (target,))
        return target

    def _place(self, slot: Slot) -> Slot:
        """Where dE/d(slot) ends, if it is not a share itself; a part's within that of the whole."""
        if slot in self._fixed:
            return self._fixed[slot]
        if slot not in self._places:
            name = f"dE/d({slot.name})"
            if slot.whole is None:
                made = Slot(name, np.zeros_like(slot.array), "gradient", slot)
            else:
                made = self._place(slot.whole).part(name, *slot.index, of=slot)
            self._places[slot] = made
        return self._places[slot]

    def _of_parts(self, slot: Slot) -> Sequence[Slot]:
        """What came back to the parts of a slot, together; a part that nothing reached has 0."""
        parts = [] if slot in self._joined else self._parts.get(slot, [])
        totals = [self.total(part) for part in parts]
        if whole := _common(parts, totals):
            return [whole]
        for part, total in zip(parts, totals, strict=True):
            if total is not None and total is not self._place(part):
                self._builder.append(Sum(_letter(part)), (total,), (self._place(part),))
        return [self._place(slot)] if any(totals) else []

    def _of_whole(self, part: Slot) -> Sequence[Slot]:
        """What came back to the slot that this one is a part of, here."""
        if part.whole is None or part.whole not in self._joined:
            return []
        total = self.total(part.whole)
        return [] if total is None else [total.part(self._another(part), *part.index, of=part)]


def _letter(slot: Slot) -> str:
    """What formulas call such a value: U for "lstm_1.recurrent_kernel", s for "gru_1/t=3.s (z)"."""
    part = slot.name.rpartition(".")[2].partition(" (")[0]
    return _LETTERS.get(part, part)


def _common(parts: Sequence[Slot], totals: Sequence[Slot | None]) -> Slot | None:
    """The slot whose parts the totals are, each where its part is in the slot differentiated."""
    wholes = {
        total.whole if total is not None and total.index == part.index else None
        for part, total in zip(parts, totals, strict=True)
    }
    return wholes.pop() if len(wholes) == 1 else None
