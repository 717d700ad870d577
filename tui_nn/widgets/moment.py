"""What every pane of Step mode shows: a moment of an update, as the person wants to see it."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.stepview import Listing, StepView

Floats = NDArray[np.float64]
Order = NDArray[np.intp]

Z, H, ERROR = range(3)
"""Columns of a layer's values."""
OLD, GRADIENT, CHANGE, NEW = range(4)
"""Columns of a unit's weights."""

SORTED_FROM: Final = 17  # fewer rows are seen at one glance, and stay where they are
_GRADIENT = re.compile(r"dE/d\((.+)\.(\w+)\)")
_VALUE = re.compile(r"(.+)\.([zh])")


class Written(NamedTuple):
    """What the last operation done wrote, as far as the panes show it.

    `parts` are of "z", "h", "error", "kernel", "bias" (their gradients), "change", "new", "loss".
    """

    layer: str = ""
    parts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Moment:
    """A moment of an update for one layer, unit and sample.

    `textbook` shows errors as e = -dE/dz instead of delta = dE/dz; `largest_first` sorts the rows
    of large layers by what matters.
    """

    view: StepView
    listing: Listing
    digits: int = 4
    textbook: bool = False
    largest_first: bool = True

    @property
    def layers(self) -> list[str]:
        """Names, first to last."""
        return list(self.view.units)

    @property
    def before(self) -> str:
        """The layer that feeds the chosen one; "" for the network's input."""
        place = self.layers.index(self.view.layer)
        return self.layers[place - 1] if place else ""

    def units(self, layer: str) -> Floats:
        """(units, 3): z, h and the error in the chosen sign."""
        values = self.view.units[layer]
        return values * [1.0, 1.0, -1.0] if self.textbook else values

    @property
    def prediction(self) -> Floats:
        """(outputs,): what the network says of the sample."""
        return self.view.units[self.layers[-1]][:, H]

    def has_net_input(self, layer: str) -> bool:
        """Whether the layer computes a z; its error is dE/dz then, else dE/dh."""
        return f"{layer}.z" in self.listing.outputs

    @property
    def error_sign(self) -> str:
        """The short name of an error."""
        return "e" if self.textbook else "δ"

    def error_name(self, layer: str) -> str:
        """What exactly the error of this layer is."""
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
        if listing.phases[done] == "loss":
            return Written("", frozenset({"loss"}))
        if found := _GRADIENT.fullmatch(output):
            layer, of = found.groups()
            shown = {"z": "error", "kernel": "kernel", "bias": "bias"}
            if not self.has_net_input(layer):
                shown["h"] = "error"
            return Written(layer, frozenset({shown[of]} if of in shown else ()))
        if found := _VALUE.fullmatch(output):
            layer, of = found.groups()
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

    def weight_label(self, row: int) -> str:
        """Where a weight comes from: x3, h3 or bias."""
        if self.view.has_bias and row == len(self.view.weights) - 1:
            return "bias"
        return f"{'h' if self.before else 'x'}{row + 1}"

    @cached_property
    def weights_written(self) -> NDArray[np.bool_]:
        """Which of the chosen unit's weights the last operation wrote: (inputs + bias, 4)."""
        mask = np.zeros(self.view.weights.shape, dtype=bool)
        bias = np.zeros(len(mask), dtype=bool)
        bias[-1:] = self.view.has_bias
        layer = self.view.layer
        mask[:, GRADIENT] = np.where(
            bias, self.just_wrote(layer, "bias"), self.just_wrote(layer, "kernel")
        )
        mask[:, CHANGE] = self.just_wrote(layer, "change")
        mask[:, NEW] = self.just_wrote(layer, "new")
        return mask
