"""What every pane of Step mode shows: a moment of an update, as the person wants to see it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui_nn.widgets.network_layout import Layout
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.programs.slots import layer_of
from tui_nn_engine.stepping.stepview import Listing, StepView
from tui_nn_engine.stepping.through_time import step_of
from tui_nn_engine.stepping.unit_weights import MATRICES

Floats = NDArray[np.float64]
Order = NDArray[np.intp]

Z, H, ERROR = range(3)
"""Columns of a layer's values."""
OLD, GRADIENT, CHANGE, NEW = range(4)
"""Columns of a unit's weights."""

SORTED_FROM: Final = 17  # fewer rows are seen at one glance, and stay where they are
WEIGHTS: Final = {
    "kernel": "w",
    "inhibition": "w⁻",
    "recurrent_kernel": "u",
    "bias": "b",
    "recurrent_bias": "b′",
    "threshold": "θ",
}
"""What a unit's weights may be of, and their letters."""
_SLOT = re.compile(r"((?:dE/d|x·[et])\()?([^()]+)\.(\w+)\)?")


def layer_and_part(slot: str) -> tuple[str, str, bool]:
    """Of a slot's name: the layer, what of it, whether it is the gradient of that; "" for none.

    What a rule has in a gradient's place counts as one.
    """
    found = _SLOT.match(slot)
    if not found or slot.endswith("⟩") or " #" in slot:  # a share of a gradient is not the whole
        return "", "", False
    return layer_of(found[2]), found[3], bool(found[1])


def _with_e(formula: str) -> str:
    """A formula with −e in place of δ."""
    for delta, e in (("xᵀδ", "−xᵀe"), ("Σδ", "−Σe"), ("δWᵀ", "−eWᵀ")):
        formula = formula.replace(delta, e)
    return formula.replace("δ", "−e")


class Written(NamedTuple):
    """What the last operation done wrote, as far as the panes show it.

    `parts` are of "z", "h", "error", `WEIGHTS` (their gradients), "change", "new", "loss".
    """

    layer: str = ""
    parts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Moment:
    """A moment of an update for one layer, unit and sample.

    `operation` is the one to be explained, -1 the last one done; `largest_first` sorts the rows of
    large layers by what matters; `unroll` shows a recurrent layer over time.
    """

    view: StepView
    listing: Listing
    notation: Notation = Notation()  # noqa: RUF009 - frozen
    operation: int = -1
    largest_first: bool = True
    unroll: bool = True

    @property
    def digits(self) -> int:
        """How many significant digits are shown."""
        return self.notation.digits

    @property
    def textbook(self) -> bool:
        """Whether errors are shown as e = -dE/dz instead of delta = dE/dz."""
        return self.notation.error == "e"

    @property
    def paper(self) -> bool:
        """Whether units are numbered through the network, inputs first, instead of by layer."""
        return self.notation.names == "paper"

    @property
    def explained(self) -> int:
        """The operation that is explained: the one looked at, else the last one done."""
        last = max(len(self.listing.names) - 1, 0)
        return min(self.operation if self.operation >= 0 else max(self.view.cursor - 1, 0), last)

    @property
    def unrolled(self) -> bool:
        """Whether the chosen layer is shown at all its time steps."""
        return self.unroll and self.view.through is not None

    @property
    def gate(self) -> str:
        """The letter of the chosen gate; "" in a layer without gates."""
        through = self.view.through
        return through.gates[self.view.gate] if through and len(through.gates) > 1 else ""

    @property
    def layers(self) -> list[str]:
        """Names, first to last."""
        return list(self.view.units)

    @property
    def before(self) -> str:
        """The (first) layer that feeds the chosen one; "" for the network's input."""
        return self.layout.sources[self.view.layer][0]

    @cached_property
    def layout(self) -> Layout:
        """Where the layers stand to each other."""
        return Layout(self.listing.arrangement)

    @cached_property
    def formulas(self) -> tuple[str, ...]:
        """Those of the operations; with errors as e = −δ they say so, and hold as they did."""
        if not self.textbook:
            return self.listing.formulas
        return tuple(map(_with_e, self.listing.formulas))

    @property
    def looks_back(self) -> bool:
        """Whether what is explained comes after the loss: errors, gradients, new weights."""
        phases = self.listing.phases
        return bool(phases) and phases[self.explained] in {"backward", "update"}

    @cached_property
    def first_numbers(self) -> dict[str, int]:
        """The paper's number of each layer's first unit; the inputs are 1, 2, 3 and so on."""
        arrangement = self.listing.arrangement
        return dict(zip(arrangement.layers, arrangement.numbers, strict=True))

    def passes(self, layer: str) -> Iterator[tuple[int, int, int]]:
        """Of a layer without weights: the source (counted), a unit of it, and what it becomes."""
        sources, at = self.layout.sources[layer], self.listing.arrangement.layers.index(layer)
        picked = self.listing.arrangement.picks[at]
        sizes = [len(self.view.units[name]) if name else len(self.view.x) for name in sources]
        beside = len(sources) > 1 and len(self.view.units[layer]) == sum(sizes)
        for place, size in enumerate(sizes):
            before = sum(sizes[:place]) if beside else 0
            if picked:
                yield from ((place, unit, made) for made, unit in enumerate(picked))
            else:
                yield from ((place, unit, before + unit) for unit in range(size))

    def is_weighted(self, layer: str) -> bool:
        """Whether each of the layer's units has weights of its own."""
        return f"{layer}.kernel" in self._read

    @cached_property
    def _read(self) -> frozenset[str]:
        """Names of all slots that the operations read."""
        return frozenset(name for names in self.listing.inputs for name in names.split(", "))

    def number(self, layer: str, unit: int) -> int:
        """What a unit is called: on paper counted through, in code from 0; "": an input."""
        if not self.paper:
            return unit
        return unit + (self.first_numbers[layer] if layer else 1)

    @property
    def unit_name(self) -> str:
        """The chosen unit in words."""
        return f"unit {self.number(self.view.layer, self.view.unit)}"

    @property
    def gradient_name(self) -> str:
        """What stands between a weight and its change."""
        return f"x·{self.signal}" if self.signal else "∂E/∂w"

    @cached_property
    def signal(self) -> str:
        """What a rule teaches with, the error "e" or the target "t"; "" where gradients do."""
        return next((name[2] for name in self.listing.outputs if name.startswith("x·")), "")

    def units(self, layer: str) -> Floats:
        """(units, 3): z, h and the error in the chosen sign."""
        values = self.view.units[layer]
        return values * [1.0, 1.0, -1.0] if self.textbook and not self.signal else values

    @property
    def prediction(self) -> Floats:
        """(outputs,): what the network says of the sample."""
        return self.view.units[self.layers[-1]][:, H]

    def has_net_input(self, layer: str) -> bool:
        """Whether the layer computes a z; its error is dE/dz then, else dE/dh."""
        written, step = self.listing.outputs, f"{layer}/t={self.view.time}"
        return f"{layer}.z" in written or (
            f"{step}.net" in written and f"{step}.gates" not in written
        )

    @property
    def error_sign(self) -> str:
        """The short name of an error."""
        return "e" if self.textbook or self.signal else "δ"

    def error_name(self, layer: str) -> str:
        """What exactly the error of this layer is."""
        if self.signal:
            formulas = zip(self.listing.outputs, self.listing.formulas, strict=True)
            return next((formula for name, formula in formulas if name == f"{layer}.e"), "e")
        of = "z" if self.has_net_input(layer) else "h"
        return f"e = −∂E/∂{of}" if self.textbook else f"δ = ∂E/∂{of}"

    @cached_property
    def written(self) -> Written:
        """What the last operation done wrote."""
        done = self.view.cursor - 1
        if done < 0:
            return Written()
        listing, output = self.listing, self.listing.outputs[done]
        if listing.phases[done] == "update":
            if done == len(listing.outputs) - 1:
                return Written("", frozenset({"new"}))
            change = listing.inputs[-1].split(", ")[1]
            return Written("", frozenset({"change"} if output == change else ()))
        if listing.phases[done] == "loss" == listing.paths[done]:
            return Written("", frozenset({"loss"} if output == "loss.E" else ()))
        layer, of, is_gradient = layer_and_part(output)
        if step_of(listing.paths[done])[1] not in {0, self.view.time}:
            return Written()
        if is_gradient:
            shown = {"z": "error", "net": "error", **{part: part for part in WEIGHTS}}
            if not self.has_net_input(layer):
                shown["h"] = "error"
            return Written(layer, frozenset({shown[of]} if of in shown else ()))
        if of == "e":
            return Written(layer, frozenset({"error"}))
        if of == "net" and self.has_net_input(layer):
            return Written(layer, frozenset({"z"}))
        if of in {"z", "h"}:
            linear = of == "z" and f"{layer}.h" not in listing.outputs
            return Written(layer, frozenset({"z", "h"} if linear else {of}))
        return Written()

    def just_wrote(self, layer: str, part: str) -> bool:
        """Whether the last operation done wrote this part of this layer."""
        return part in self.written.parts and self.written.layer in {"", layer}

    @cached_property
    def unit_order(self) -> tuple[Order, str]:
        """Units of the chosen layer as they are listed, and the name of that order."""
        values = self.view.units[self.view.layer]
        names = {ERROR: f"|{self.error_sign}|", H: "|h|", Z: "|z|"}
        return self._order(values, names)

    @cached_property
    def weight_order(self) -> tuple[Order, str]:
        """Weights of the chosen unit as they are listed, and the name of that order."""
        return self._order(self.view.weights, {GRADIENT: "|gradient|", OLD: "|weight|"})

    def _order(self, values: Floats, names: dict[int, str]) -> tuple[Order, str]:
        """By the first of these columns that is computed, largest first; ties keep their place."""
        if self.largest_first and len(values) >= SORTED_FROM:
            for column, name in names.items():
                if np.isfinite(values[:, column]).any():
                    sizes = np.nan_to_num(np.abs(values[:, column]), nan=-1.0)
                    return np.argsort(-sizes, kind="stable"), f"largest {name} first"
        return np.arange(len(values)), "in order"

    @property
    def inputs(self) -> int:
        """How many weights come from the layer before."""
        return sum(count for part, count in self.view.rows if part == "kernel")

    def weight_at(self, row: int) -> tuple[str, int]:
        """Of a row of the chosen unit's weights: the parameter, and which of its inputs it is."""
        for part, count in self.view.rows:
            if row < count:
                return part, row
            row -= count
        return "", 0

    @property
    def frozen(self) -> NDArray[np.bool_]:
        """Which of the chosen unit's weights the update leaves as they are: (inputs + bias,)."""
        return self.view.frozen

    def weight_label(self, row: int) -> str:
        """A weight's name: w14, u55, b4 on paper, kernel[0, 3] and bias[3] in code."""
        (part, place), unit = self.weight_at(row), self.number(self.view.layer, self.view.unit)
        if not self.paper:
            return self.weight_name_at(row).rpartition(".")[2]
        name = f"{WEIGHTS[part]}{self.gate}"
        if part not in MATRICES:
            return f"{name}{unit}"
        source = self.number(self.view.layer if part == "recurrent_kernel" else self.before, place)
        return f"{name}{source}{',' if max(source, unit) > 9 else ''}{unit}"

    def weight_name_at(self, row: int) -> str:
        """A weight as files name it: "dense_1.kernel[0, 3]"."""
        view, (part, place) = self.view, self.weight_at(row)
        column = view.gate * len(view.units[view.layer]) + view.unit
        index = f"{place}, {column}" if part in MATRICES else f"{column}"
        return f"{view.layer}.{part}[{index}]"

    @property
    def weight_name(self) -> str:
        """The chosen weight, so named; "" if there is none."""
        view = self.view
        return self.weight_name_at(min(view.source, len(view.weights) - 1)) if view.rows else ""

    @cached_property
    def weights_written(self) -> NDArray[np.bool_]:
        """Which of the chosen unit's weights the last operation wrote: (inputs + bias, 4)."""
        mask, layer = np.zeros(self.view.weights.shape, dtype=bool), self.view.layer
        first = 0
        for part, count in self.view.rows:
            mask[first : first + count, GRADIENT] = self.just_wrote(layer, part)
            first += count
        mask[:, CHANGE] = self.just_wrote(layer, "change")
        mask[:, NEW] = self.just_wrote(layer, "new")
        return mask
