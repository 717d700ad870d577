"""A network in one line."""

from tui_nn_engine.experiment import Experiment


def outline(experiment: Experiment) -> str:
    """The layers with their units and activations: 512 relu → 10 softmax."""
    parts = []
    for layer in experiment.layers:
        about = [str(getattr(layer, "units", "")) or layer.type]
        activation = getattr(layer, "activation", None)
        if activation is not None and activation.type != "linear":
            about.append(activation.type)
        parts.append(" ".join(about))
    return " → ".join(parts)
