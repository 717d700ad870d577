"""The layers of a network as a flat list: what each is called, where it stands, what feeds it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.layers.bidirectional import Bidirectional
from tui_nn_engine.layers.layer import Layer, Shape
from tui_nn_engine.layers.parallel import Parallel

INPUT = ""
"""In the place of a layer's name: the input of the network."""


@dataclass(frozen=True, slots=True)
class Place:
    """A layer in a network. A parallel block is the layers of its branches, then its join; a
    bidirectional one both its layers, then their join.

    `name` is its type and number, counted per type: "dense_1"; `path` where it stands in the file:
    "layers[1].branches[0].layers[2]"; `sources` the names of the layers it is fed by.
    """

    name: str
    path: str
    layer: Layer
    sources: tuple[str, ...]

    @property
    def top(self) -> int:
        """The index of the layer at the top of the file that it is, or is within."""
        return top_of(self.path)


def top_of(path: str) -> int:
    """1 for "layers[1].branches[0].layers[2]"."""
    return int(path[len("layers[") : path.index("]")])


def placed(layers: Sequence[Layer]) -> tuple[Place, ...]:
    """All layers in the order of the file, which is the order they are computed in."""
    counts: dict[str, int] = {}
    found: list[Place] = []

    def put(layer: Layer, path: str, sources: Sequence[str]) -> str:
        kind = kind_name(type(layer))
        counts[kind] = counts.get(kind, 0) + 1
        found.append(Place(f"{kind}_{counts[kind]}", path, layer, tuple(sources)))
        return found[-1].name

    def put_all(layers: Sequence[Layer], path: str, source: str) -> str:
        for index, layer in enumerate(layers):
            here = f"{path}[{index}]"
            if isinstance(layer, Parallel):
                ends = [
                    put_all(branch.layers, f"{here}.branches[{place}].layers", source)
                    for place, branch in enumerate(layer.branches)
                ]
                source = put(layer.joining, here, ends)
            elif isinstance(layer, Bidirectional):
                ends = [put(way, f"{here}.layer", [source]) for way in layer.ways]
                source = put(layer.joining, here, ends)
            else:
                source = put(layer, here, [source])
        return source

    put_all(layers, "layers", INPUT)
    return tuple(found)


def shaped(
    places: Sequence[Place], sample_shape: Shape
) -> Iterator[tuple[Place, tuple[Shape, ...], Shape]]:
    """Each with the shapes of what feeds it and of its output, for samples of one shape."""
    shapes = {INPUT: sample_shape}
    for place in places:
        fed = tuple(shapes[source] for source in place.sources)
        shapes[place.name] = place.layer.output_shape(*fed)
        yield place, fed, shapes[place.name]


def fed_by(places: Sequence[Place]) -> tuple[tuple[int, ...], ...]:
    """For each layer the indices of those that it feeds, directly or by way of others."""
    after: dict[str, set[int]] = {place.name: set() for place in places}
    for index in reversed(range(len(places))):
        for source in places[index].sources:
            if source != INPUT:
                after[source] |= {index, *after[places[index].name]}
    return tuple(tuple(sorted(after[place.name])) for place in places)
