"""Whether branches fit where they meet: which of them does not, and how it is made to."""

from typing import Any

from tui_nn_engine.blocks.paths import steps_of, value_at
from tui_nn_engine.checks.mending import Misfit, mended
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.layers import Join, Place
from tui_nn_engine.layers.layer import Shape

Tree = dict[str, Any]
Mend = tuple[str, dict[str, Any]]


def join_misfit(
    experiment: Experiment, place: Place, join: Join, shapes: tuple[Shape, ...]
) -> Misfit:
    """Of branches whose outputs have these shapes, which do not fit each other."""
    branches: list[Tree] = value_at(experiment.tree(), steps_of(place.path))["branches"]
    gives = [f"{_called(branches, k)} gives {shape}" for k, shape in enumerate(shapes)]
    remedy, values = (_added if join.type == "add" else _flattened)(place.path, branches, shapes)
    return Misfit(
        f"{place.path}.join",
        f"{place.name}: {join.needs}, but {', '.join(gives[:-1])} and {gives[-1]}",
        remedy,
        mended(experiment, values) if values else None,
    )


def _added(path: str, branches: list[Tree], shapes: tuple[Shape, ...]) -> Mend:
    """Bring them to the shape of the one that leaves its input as it is, else of the first.

    Where a branch ends in no dense layer it gets one without a bias: the projection of He et al.,
    "Deep Residual Learning for Image Recognition" (2016), section 3.2.
    """
    as_it_is = (
        shape for branch, shape in zip(branches, shapes, strict=True) if not _inside(branch)
    )
    goal = next(as_it_is, shapes[0])
    words: list[str] = []
    values: dict[str, Any] = {}
    for k, (branch, shape) in enumerate(zip(branches, shapes, strict=True)):
        if shape == goal:
            continue
        if shape[:-1] != goal[:-1]:
            return "", {}
        layers, units = _inside(branch), goal[-1]
        inside = f"{path}.branches[{k}].layers"
        if layers and isinstance(layers[-1], dict) and layers[-1].get("type") == "dense":
            values[f"{inside}[{len(layers) - 1}].units"] = units
            words.append(f"set the units of the last layer of {_called(branches, k)} to {units}")
        else:
            values[inside] = [*layers, {"type": "dense", "units": units, "use_bias": False}]
            words.append(f"end {_called(branches, k)} in a dense layer of {units} units")
    return " and ".join(words), values


def _flattened(path: str, branches: list[Tree], shapes: tuple[Shape, ...]) -> Mend:
    """Each as one row of numbers."""
    values = {
        f"{path}.branches[{k}].layers": [*_inside(branch), {"type": "flatten"}]
        for k, (branch, shape) in enumerate(zip(branches, shapes, strict=True))
        if len(shape) > 1
    }
    return "end each branch of more than one axis in a flatten layer", values


def _inside(branch: Tree) -> list[Any]:
    return list(branch.get("layers", ()))


def _called(branches: list[Tree], place: int) -> str:
    name = branches[place].get("name")
    return f"branch {place + 1} ({name})" if name else f"branch {place + 1}"
