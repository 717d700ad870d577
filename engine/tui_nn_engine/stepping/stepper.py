"""The next update, one operation at a time, forwards and back: the program that trains, stepped."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tui_nn_engine.programs.program import Array, Op, Slot
from tui_nn_engine.training.threads import limited
from tui_nn_engine.training.trainer import Trainer


class Stepper:
    """A cursor in the program of the trainer's next update; `cursor` operations are done.

    What an operation overwrites (weights, state of the update rule) is saved before it, so going
    back is moving the cursor. The trainer must not be used otherwise until `finish` or `cancel`.
    """

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.program = trainer.load()
        self.iteration = trainer.state.iteration + 1
        self.cursor = 0
        self._producer: dict[str, int] = {}
        self._saved: dict[int, list[Array]] = {}
        self.before = {name: view.copy() for name, view in trainer.parameters.views.items()}
        self._writers: dict[str, list[int]] = {}
        for index, op in enumerate(self.program.ops):
            for slot in op.outputs:
                self._producer[slot.name] = index
                for written in (slot, *slot.wholes()):
                    self._writers.setdefault(written.name, []).append(index)

    @property
    def ops(self) -> tuple[Op, ...]:
        """The operations of this update."""
        return self.program.ops

    @property
    def complete(self) -> bool:
        """Whether every operation is done; the update is booked by `finish`."""
        return self.cursor == len(self.ops)

    def forward(self) -> bool:
        """Do the next operation; False at the end. Raises DivergedError before the first that
        would put a number that is not finite into the weights.
        """
        if self.complete:
            return False
        op = self.ops[self.cursor]
        if op.phase == "update" and self.ops[self.cursor - 1].phase != "update":
            self._verify()
        overwritten = [slot.array for slot in op.outputs if slot.role in {"parameter", "state"}]
        if overwritten:
            self._saved[self.cursor] = [array.copy() for array in overwritten]
        with limited(self.trainer.threads), np.errstate(all="ignore"):
            op.call()
        self.cursor += 1
        return True

    def back(self) -> bool:
        """Undo the last operation; False at the beginning."""
        if not self.cursor:
            return False
        self.cursor -= 1
        op = self.ops[self.cursor]
        overwritten = [slot.array for slot in op.outputs if slot.role in {"parameter", "state"}]
        for array, saved in zip(overwritten, self._saved.pop(self.cursor, ()), strict=True):
            array[...] = saved
        return True

    def go_to(self, cursor: int) -> None:
        """Step until `cursor` operations are done."""
        while self.cursor < cursor and self.forward():
            pass
        while self.cursor > cursor and self.back():
            pass

    def phase(self, direction: int) -> int:
        """The first operation of the next phase; or back that of this one, then of the one before.

        The number of operations, or 0, where there is none.
        """
        phases = [op.phase for op in self.ops]
        starts = [i for i in range(len(phases)) if i == 0 or phases[i] != phases[i - 1]]
        if direction > 0:
            return next((start for start in starts if start > self.cursor), len(phases))
        return next((start for start in reversed(starts) if start < self.cursor), 0)

    def finish(self) -> float:
        """Do what is left and book the update; returns its loss. Raises DivergedError."""
        self.go_to(len(self.ops))
        loss = self._verify()
        with limited(self.trainer.threads), np.errstate(all="ignore"):
            self.trainer.finish(self.program, loss)
        return loss

    def _verify(self) -> float:
        with np.errstate(all="ignore"):
            return self.trainer.verify(self.program)

    def cancel(self) -> None:
        """As if this update had not been begun."""
        self.go_to(0)

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Inside, the state is as before this update: what a checkpoint must hold."""
        cursor = self.cursor
        self.cancel()
        try:
            yield
        finally:
            self.go_to(cursor)

    def written(self, name: str) -> Slot | None:
        """A slot by name, if an operation already done in this update has written it."""
        done = self._producer.get(name, self.cursor) < self.cursor
        return self.program.slots()[name] if done else None

    def slot(self, name: str) -> Slot | None:
        """A slot of this update by name, if it has been written (or was there before)."""
        slot = self.program.slots().get(name)
        lasting = slot is not None and slot.role in {"parameter", "state"}
        written = self._producer.get(name, -1) < self.cursor
        return slot if lasting or written else None

    def is_written(self, slot: Slot) -> bool:
        """Whether all that write it in this update (or the slot that it is a part of) are done."""
        return all(writer < self.cursor for writer in self._writers_of(slot))

    def column_of(self, name: str, column: int) -> tuple[Slot, int] | None:
        """The slot that operations write the column of a slot in, and which it is there: a gradient
        may be written in parts, gate by gate.
        """
        for op in self.ops:
            for slot in op.outputs:
                if slot.name == name:
                    return slot, column
                if slot.whole is not None and slot.whole.name == name:
                    places = range(slot.whole.shape[-1])[slot.index[-1]]
                    if isinstance(places, range) and column in places:
                        return slot, places.index(column)
        return None

    def input_of(self, operation: int, slot: Slot) -> Array | None:
        """The slot as it is (or was) when this operation runs; None while it is not computed."""
        writers = self._writers_of(slot)
        if any(self.cursor <= writer < operation for writer in writers):
            return None
        later = [writer for writer in writers if operation <= writer < self.cursor]
        return self._saved_before(later[0], slot) if later else slot.array

    def output_of(self, operation: int, slot: Slot) -> Array | None:
        """The slot as this operation left it; None while it is not done."""
        return self.input_of(operation + 1, slot) if operation < self.cursor else None

    def _writers_of(self, slot: Slot) -> list[int]:
        """Operations that write its memory: parameters and gradients are views of flat vectors."""
        for written in (slot, *slot.wholes()):
            if written.name in self._writers:
                return self._writers[written.name]
        if slot.role == "parameter":
            return self._writers.get("weights", [])
        if slot.of is not None and slot.of.name == "weights":
            return [i for i, op in enumerate(self.ops) if op.phase == "backward"]
        return []

    def _saved_before(self, writer: int, slot: Slot) -> Array:
        """What an operation already done has overwritten; the slot itself where it did not."""
        if slot.whole is not None:
            whole: Any = self._saved_before(writer, slot.whole)
            return np.asarray(whole[slot.index])
        lasting = [s for s in self.ops[writer].outputs if s.role in {"parameter", "state"}]
        for output, saved in zip(lasting, self._saved.get(writer, ()), strict=True):
            if output.name == slot.name:
                return saved
            if output.name == "weights":
                vector: Any = saved
                return self.trainer.parameters.named(vector).get(slot.name, slot.array)
        return slot.array
