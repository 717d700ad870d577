"""What the numbers of an update are called: as on paper (w14, z4, δ4) or as in code.

On paper all units are numbered through, inputs first; a layer without parameters keeps the numbers
of the units before it, and says by a prime that it comes after them. Where branches meet or columns
are picked units are numbered anew. In code a slot stands with its index: dense_1.kernel[0, 3].
"""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from math import prod

import numpy as np

from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.layers import INPUT
from tui_nn_engine.networks.elements import Element, Elements
from tui_nn_engine.networks.network import LayerSummary, Network
from tui_nn_engine.programs.parameters import Parameters
from tui_nn_engine.programs.program import Program, Slot
from tui_nn_engine.programs.slots import layer_of

_LETTERS = {
    "xW": "a",
    "z": "z",
    "h": "h",
    "mask": "m",
    "recurrent mask": "m′",
    "noise": "n",
    "net": "z",
    "gates": "",
    "r⊙h′": "rh",
}
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
    "a": "sum of the inputs",
    "net": "net input",
    "gates": "gate",
    "ĥ": "output",
    "ĉ": "cell state",
    "h̃": "candidate",
    "h′": "state after dropout",
    "x′": "input after dropout",
    "r⊙h′": "what the reset gate lets through",
    "recurrent mask": "dropout mask of the state",
    "real": "mask",
    "s": "share of the step",
    "cs": "weight of the step",
}
_OF_CELLS = {"c": "cell state", "s": "sum of the state"}
_WEIGHTS = {"kernel": "w", "inhibition": "w⁻", "recurrent_kernel": "u"}
_OF_UNITS = {
    "bias": "b",
    "recurrent_bias": "b′",
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
    rows: Iterable[LayerSummary],
    inputs: int,
    written: Container[str],
    size_of: Callable[[tuple[int, ...]], int] = prod,
) -> dict[str, Numbers]:
    """Of each layer, by name; `written` are the slots of the forward pass.

    `size_of` is how many units an output of some shape is of.
    """
    found = {INPUT: Numbers(1, 1, -1)}
    sizes = {INPUT: inputs}
    free, taken = 1 + inputs, set[tuple[int, int]]()
    for row in rows:
        source, size = row.sources[0], size_of(row.output_shape)
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
        self._elements = Elements(network)
        self._slots = {
            name: Slot(name, view, "parameter") for name, view in parameters.views.items()
        }
        size = self._elements.size
        self._single = size(network.output_shape) == 1
        written = {op.output.name for op in program.ops if op.phase == "forward"}
        inputs = size(network.sample_shape)
        self._numbers = numbered(network.summary(), inputs, written, size)

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
        layer = layer_of(of.name)
        if of.role == "parameter" or layer not in self._numbers or not of.shape:
            return what
        sample = f", sample {index[0] + 1} of {batch}" if batch > 1 else ""
        time = self._elements.find(of, index).time
        return f"{what}, {layer}{f', time step {time}' if time else ''}{sample}"

    def weight(self, position: int) -> str:
        """A trainable parameter by its place in the flat vector."""
        name, index = self.place(position)
        if self.notation.names == "code":
            return f"{name}{list(index)}"
        return self._parameter(self._slots[name], index)

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
            return self._parameter(slot, index)
        if slot.name == "loss.E.per sample":
            return "E"
        at = self._elements.find(slot, index)
        if at.part == "E.per step":
            return f"E{at.when}"
        if slot is self._program.y or slot is self._program.output or at.part == "t′":
            letter = "y" if slot is self._program.output else "t"
            last = self._numbers[layer_of(self._program.output.name)].first
            place = "" if self._single else str(last + at.unit)
            return f"{letter}{place}{'′' if at.part == 't′' else ''}{at.when}"
        if slot is self._program.x:
            return f"x{1 + at.unit}{at.when}"
        if at.layer not in self._numbers:
            return f"{at.part}{at.when}" if at.part else slot.name
        return self._of_layer(at, units=len(slot.shape) > 1 and at.part != "real")

    def _of_layer(self, at: Element, *, units: bool) -> str:
        """An element of what a layer computes; some have no units."""
        numbers = self._numbers[at.layer]
        if not units:
            return f"m{at.when}"
        number = (numbers.before if at.part == "x′" else numbers.first) + at.unit
        if at.part == "f'(z)":
            return f"f′(z{number}{at.when})"
        if at.part.endswith(".f(c)"):
            return f"f(c{number}{at.when})"
        primes = "′" * numbers.primes if at.part == "h" and at.time is None else ""
        return f"{_LETTERS.get(at.part, at.part)}{at.gate}{number}{primes}{at.when}"

    def _gradient(self, slot: Slot, of: Slot, index: tuple[int, ...]) -> str:
        mark = _mark(slot.name)
        minus = "−" if self.negated(slot) else ""
        if not _is_error(slot):
            direction = slot.name.partition("(")[0]
            if direction != "dE/d":
                return f"{direction}({self._paper(of, index)})"
            return f"∂E/∂{self._paper(of, index)}{mark}"
        at = self._elements.find(of, index)
        if at.part in {"z", "net"} and at.layer in self._numbers:
            number = self._numbers[at.layer].first + at.unit
            return f"{'e' if minus else 'δ'}{at.gate}{number}{at.when}{mark}"
        return f"{minus}∂E/∂{self._paper(of, index)}{mark}"

    def _parameter(self, slot: Slot, index: tuple[int, ...]) -> str:
        at = self._elements.find(slot, index)
        numbers = self._numbers[at.layer]
        unit = numbers.first + at.unit
        if at.part in _WEIGHTS and len(index) == 2:
            recurrent = at.part == "recurrent_kernel"
            source = (numbers.first if recurrent else numbers.before) + index[0]
            comma = "" if max(source, unit) < 10 else ","
            return f"{_WEIGHTS[at.part]}{at.gate}{source}{comma}{unit}"
        if at.part in _OF_UNITS:
            return f"{_OF_UNITS[at.part]}{at.gate}{unit}"
        return f"{at.part}{list(index)}"


def kind(slot: Slot) -> str:
    """What a slot holds, in a student's words."""
    if slot.of is not None:
        if slot.name.startswith("dE/d"):
            return "gradient" if _of_parameter(slot) else "error"
        return "direction of change"
    path, _, part = slot.name.partition(".")
    part = part.rpartition(".")[2].partition(" (")[0]
    if "/" in path and part in _OF_CELLS:
        return _OF_CELLS[part]
    return _KINDS.get(part, part)


def _mark(name: str) -> str:
    """What tells a share of a gradient from the others: " #21", or the time step it comes from."""
    share = name.rpartition(") ")[2]
    return share if share.startswith("⟨") else f" {share}" if share.startswith("#") else ""


def _is_error(slot: Slot) -> bool:
    """Gradients of what flows through the network; those of parameters are no errors."""
    return slot.of is not None and not _of_parameter(slot)


def _of_parameter(slot: Slot) -> bool:
    return slot.of is not None and slot.of.role == "parameter"


def _power(number: int) -> str:
    return f"⁽{str(number).translate(_SUPERSCRIPT)}⁾"
