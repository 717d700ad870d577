"""A network in one line."""

from collections.abc import Iterable

from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.layers import Bidirectional, Layer, Parallel


def outline(experiment: Experiment) -> str:
    """The layers with their units and activations, branches in brackets: 512 relu → 10 softmax."""
    return _way(experiment.layers)


def _way(layers: Iterable[Layer]) -> str:
    return " → ".join(map(_said, layers))


def _said(layer: Layer) -> str:
    if isinstance(layer, Parallel):
        mark = " + " if layer.join == "add" else " | "
        return f"[{mark.join(_way(branch.layers) or 'as is' for branch in layer.branches)}]"
    if isinstance(layer, Bidirectional):
        return f"{layer.type} {_said(layer.layer)}"
    if layer.over_time:
        numbers = (getattr(layer, field, None) for field in ("units", "output_dim", "n"))
        size = next((str(number) for number in numbers if number is not None), "")
        return f"{layer.type} {size}".rstrip()
    about = [str(getattr(layer, "units", "")) or layer.type]
    activation = getattr(layer, "activation", None)
    if activation is not None and activation.type != "linear":
        about.append(activation.type)
    return " ".join(about)
