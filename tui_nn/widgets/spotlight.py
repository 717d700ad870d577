"""What is explained, as a place in the network: a neuron or a weight, and what it comes from."""

from dataclasses import dataclass

from tui_nn.widgets.moment import Moment, layer_and_part

_OF_GRADIENT = {"z": "error", "net": "error", "h": "error", "kernel": "", "recurrent_kernel": ""}

Unit = tuple[str, int]
Edge = tuple[Unit, Unit]


@dataclass(frozen=True)
class Spotlight:
    """A neuron's value ("z", "h", "error", "bias") or, `value` "", a weight into it.

    `into`: it comes from all that feeds the neuron; `out`: from all that the neuron feeds.
    """

    unit: Unit
    value: str = ""
    into: bool = False
    out: bool = False


def spotlight(moment: Moment) -> Spotlight | None:
    """Where the explained element is; None for one that is no part of the chosen layer."""
    view, listing, operation = moment.view, moment.listing, moment.explained
    if operation >= len(listing.names):
        return None
    chosen = view.layer, view.unit
    if listing.phases[operation] == "update":
        return Spotlight(chosen)
    if listing.phases[operation] == "loss" != listing.paths[operation]:
        return None  # a penalty on a layer's weights
    if listing.phases[operation] == "loss":
        last = moment.layers[-1]
        return Spotlight((last, min(view.unit, len(view.units[last]) - 1)), "h")
    layer, part, is_gradient = layer_and_part(listing.outputs[operation])
    output = "h" if f"{layer}.h" in listing.outputs else "z"
    if is_gradient and part == output and layer in moment.layout.sources[view.layer]:
        return Spotlight((layer, _unit_before(moment, layer)), "error", out=True)
    if layer != view.layer:
        return None
    if is_gradient:
        return Spotlight(chosen, _OF_GRADIENT.get(part, part))
    if part == "e":
        return Spotlight(chosen, "error")
    value = {"h": "h", "e": "error"}.get(part, "z")
    joins = len(moment.layout.sources[layer]) > 1
    return Spotlight(chosen, value, into=part in {"xW", "z"} or joins)


def _unit_before(moment: Moment, layer: str) -> int:
    """The unit of a layer that the chosen weight, or the chosen unit of a join, comes from."""
    view, last = moment.view, len(moment.view.units[layer]) - 1
    if moment.is_weighted(view.layer):
        return min(view.source, last)
    sources = moment.layout.sources[view.layer]
    passed = (
        u for k, u, made in moment.passes(view.layer) if (sources[k], made) == (layer, view.unit)
    )
    return next(passed, min(view.unit, last))
