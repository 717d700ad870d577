"""What the numbers of an update are called: as on paper (w14, z4, δ4) or as in code.

On paper all units are numbered through, inputs first; a layer without parameters keeps the numbers
of the units before it, and says by a prime that it comes after them. Where branches meet or columns
are picked units are numbered anew. In code a slot stands with its index: dense_1.kernel[0, 3].
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from math import prod

import numpy as np

from tui_nn_engine.explanation import Notation
from tui_nn_engine.layers import INPUT
from tui_nn_engine.network import LayerSummary, Network
from tui_nn_engine.parameters import Parameters
from tui_nn_engine.program import Program, Slot

_LETTERS = {"xW": "a", "z": "z", "h": "h", "mask": "m", "noise": "n"}
_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_KINDS = {
    "x": "input",
    "t": "target",
    "xW": "weighted sum",
    "z": "net input",
    "h": "output",
    "E": "loss",
    "t′": "smoothed target",
    "c": "class weight",
    "mask": "dropout mask",
    "e": "error",
    "i": "active inhibitory inputs",
    "x̂": "normalized value",
    "γx̂": "scaled value",
    "moving_mean": "moving mean",
    "moving_variance": "moving variance",
}
_WEIGHTS = {"kernel": "w", "inhibition": "w⁻"}
_OF_UNITS = {
    "bias": "b",
    "threshold": "θ",
    "gamma": "γ",
    "beta": "β",
    "moving_mean": "µ",
    "moving_variance": "σ²",
}


@dataclass(frozen=True, slots=True)
class Numbers:
    """The paper's number of a layer's first unit, and of the first unit that feeds it.

    `primes` tells outputs of units with the same number apart: h4, h4′.
    """

    first: int
    before: int
    primes: int


def numbered(
    rows: Iterable[LayerSummary], inputs: int, written: Container[str]
) -> dict[str, Numbers]:
    """Of each layer, by name; `written` are the slots of the forward pass."""
    found = {INPUT: Numbers(1, 1, -1)}
    sizes = {INPUT: inputs}
    free, taken = 1 + inputs, set[tuple[int, int]]()
    for row in rows:
        source, size = row.sources[0], prod(row.output_shape)
        before, writes = found[source], f"{row.name}.h" in written
        number, primes = before.first, before.primes + writes
        anew = row.connections or size != sizes[source] or row.rearranges
        if anew or (writes and (number, primes) in taken):  # another branch goes on from these, too
            number, primes, free = free, writes - 1, free + size
        if writes:
            taken.add((number, primes))
        found[row.name], sizes[row.name] = Numbers(number, before.first, primes), size
    del found[INPUT]
    return found


class Names:
    """Names of slots' elements in one notation."""

    def __init__(
        self, network: Network, program: Program, parameters: Parameters, notation: Notation
    ) -> None:
        self.notation = notation
        self._program, self._parameters = program, parameters
        self._inputs = prod(network.sample_shape)
        self._single = prod(network.output_shape) == 1
        written = {op.output.name for op in program.ops if op.phase == "forward"}
        self._numbers = numbered(network.summary(), self._inputs, written)

    def negated(self, slot: Slot) -> bool:
        """Whether the slot holds errors and these are shown as e = −∂E/∂z."""
        return self.notation.error == "e" and _is_error(slot)

    def symbol(
        self, slot: Slot, index: tuple[int, ...], *, sample: bool = False, as_: str = ""
    ) -> str:
        """One element; `sample`: the sample is part of the name; `as_`: its formula's symbol."""
        if not slot.shape and (as_ or slot.role != "value"):
            return as_ if as_ and self.notation.names == "paper" else slot.name
        if as_:
            return self._flat(slot, index[-1], as_)
        if self.notation.names == "code":
            return self._code(slot, index)
        told = sample or (len(slot.shape) == 1 and slot.role == "value" and slot.shape[0] > 1)
        return self._paper(slot, index) + (_power(index[0] + 1) if told else "")

    def title(self, slot: Slot, index: tuple[int, ...], what: str) -> str:
        """What the element is and where it belongs: "net input, dense_1, sample 2 of 4"."""
        batch = self._program.batch
        if slot is self._program.loss:
            told = f" of {batch} samples, with sample {index[0] + 1}" if batch > 1 else ""
            return f"{what}{told}"
        of = slot if slot.of is None else slot.of
        layer = of.name.partition(".")[0]
        if of.role == "parameter" or layer not in self._numbers or not of.shape:
            return what
        sample = f", sample {index[0] + 1} of {batch}" if batch > 1 else ""
        return f"{what}, {layer}{sample}"

    def weight(self, position: int) -> str:
        """A trainable parameter by its place in the flat vector."""
        name, index = self.place(position)
        if self.notation.names == "code":
            return f"{name}{list(index)}"
        return self._parameter(name, index)

    def place(self, position: int) -> tuple[str, tuple[int, ...]]:
        """Which parameter and which of its elements stands there in the flat vector."""
        for spec in self._parameters.specs:
            place = self._parameters.places[spec.name]
            if place.start <= position < place.stop:
                found = np.unravel_index(position - place.start, spec.shape)
                return spec.name, tuple(int(i) for i in found)
        raise IndexError(f"no parameter at {position}")

    def _flat(self, slot: Slot, position: int, as_: str) -> str:
        weight = self.weight(position)
        if slot.role == "parameter":
            return weight
        if slot.role == "gradient":
            ruled = slot.name if slot.name != "gradient" else ""  # a rule's direction, x·e
            if self.notation.names == "paper":
                return f"{ruled}({weight})" if ruled else f"∂E/∂{weight}"
            name, index = self.place(position)
            return f"{ruled or 'dE/d'}({name}){list(index)}"
        if as_.startswith("Δ"):
            return f"Δ{weight}"
        state = self.notation.names == "code" and slot.role == "state"
        return f"{slot.name if state else as_}({weight})"

    def _code(self, slot: Slot, index: tuple[int, ...]) -> str:
        name = f"e({slot.of.name})" if slot.of and self.negated(slot) else slot.name
        return f"{name}{list(index)}" if index else name

    def _paper(self, slot: Slot, index: tuple[int, ...]) -> str:
        if slot.of is not None:
            return self._gradient(slot, slot.of, index)
        if slot.role == "parameter":
            return self._parameter(slot.name, index)
        if slot.name == "loss.E.per sample":
            return "E"
        layer, _, part = slot.name.partition(".")
        unit = int(np.ravel_multi_index(index[1:], slot.shape[1:])) if index[1:] else 0
        if slot is self._program.y or slot is self._program.output or part == "t′":
            letter = "y" if slot is self._program.output else "t"
            last = self._numbers[self._program.output.name.partition(".")[0]].first
            place = "" if self._single else str(last + unit)
            return f"{letter}{place}{'′' if part == 't′' else ''}"
        if slot is self._program.x:
            return f"x{1 + unit}"
        if layer not in self._numbers:
            return part or slot.name
        number = self._numbers[layer].first + unit
        if part == "f'(z)":
            return f"f′(z{number})"
        primes = "′" * self._numbers[layer].primes if part == "h" else ""
        return f"{_LETTERS.get(part, part)}{number}{primes}"

    def _gradient(self, slot: Slot, of: Slot, index: tuple[int, ...]) -> str:
        share = slot.name.partition(" #")[2]
        mark = f" #{share}" if share else ""
        minus = "−" if self.negated(slot) else ""
        if not _is_error(slot):
            direction = slot.name.partition("(")[0]
            if direction != "dE/d":
                return f"{direction}({self._paper(of, index)})"
            return f"∂E/∂{self._paper(of, index)}{mark}"
        layer, _, part = of.name.partition(".")
        if part == "z" and layer in self._numbers:
            unit = int(np.ravel_multi_index(index[1:], of.shape[1:]))
            return f"{'e' if minus else 'δ'}{self._numbers[layer].first + unit}{mark}"
        return f"{minus}∂E/∂{self._paper(of, index)}{mark}"

    def _parameter(self, name: str, index: tuple[int, ...]) -> str:
        layer, _, part = name.partition(".")
        unit = self._numbers[layer].first + index[-1]
        if part in _WEIGHTS and len(index) == 2:
            source = self._numbers[layer].before + index[0]
            comma = "" if max(source, unit) < 10 else ","
            return f"{_WEIGHTS[part]}{source}{comma}{unit}"
        return f"{_OF_UNITS[part]}{unit}" if part in _OF_UNITS else f"{part}{list(index)}"


def kind(slot: Slot) -> str:
    """What a slot holds, in a student's words."""
    if slot.of is not None:
        if slot.name.startswith("dE/d"):
            return "gradient" if _of_parameter(slot) else "error"
        return "direction of change"
    part = slot.name.rpartition(".")[2]
    return _KINDS.get(part, part)


def _is_error(slot: Slot) -> bool:
    """Gradients of what flows through the network; those of parameters are no errors."""
    return slot.of is not None and not _of_parameter(slot)


def _of_parameter(slot: Slot) -> bool:
    return slot.of is not None and slot.of.role == "parameter"


def _power(number: int) -> str:
    return f"⁽{str(number).translate(_SUPERSCRIPT)}⁾"
