"""Where the layers of a network stand to each other: how far from its input, in which lane.

A parallel block's branches lie one below the other, each in a lane of its own; a branch that leaves
its input as it is gets a narrow one, in which its connections pass by the others.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from tui_nn_engine.stepping.stepview import Arrangement

INPUT = ""
_BRANCH = re.compile(r"\.branches\[(\d+)\]")
_BROAD = 3  # times the lane of a branch without layers


@dataclass(frozen=True)
class Lane:
    """A part of the picture's height: from `top` to `bottom`, both 0 to 1."""

    top: float
    bottom: float

    def rows(self, height: int) -> tuple[int, int]:
        """The first row it has of so many, and how many: at least a heading and one more."""
        first = round(self.top * height)
        return first, max(round(self.bottom * height) - first, 2)

    def middle(self, height: int, place: int, count: int) -> int:
        """The row at which the `place`th of so many lines goes along it."""
        share = (place + 1) / (count + 1)
        return min(int((self.top + share * (self.bottom - self.top)) * height), height - 1)


WHOLE = Lane(0, 1)


@dataclass(frozen=True)
class Layout:
    """Of the layers of an arrangement, by name; "" is the network's input."""

    arrangement: Arrangement

    @cached_property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """What feeds each layer."""
        return dict(zip(self.arrangement.layers, self.arrangement.sources, strict=True))

    @cached_property
    def ranks(self) -> dict[str, int]:
        """How many layers it is from the input, on the longest way."""
        found = {INPUT: 0}
        for layer, sources in self.sources.items():
            found[layer] = 1 + max(found[source] for source in sources)
        return found

    @cached_property
    def lanes(self) -> dict[str, Lane]:
        """The lane each stands in."""
        places = zip(self.arrangement.layers, self.arrangement.places, strict=True)
        return {INPUT: WHOLE, **{layer: self._lane(place) for layer, place in places}}

    def way(self, join: str, branch: int) -> Lane:
        """The lane of one branch of those that meet in a layer."""
        return self._lane(f"{self._places[join]}.branches[{branch}]")

    @cached_property
    def _places(self) -> dict[str, str]:
        return dict(zip(self.arrangement.layers, self.arrangement.places, strict=True))

    @cached_property
    def _joins(self) -> dict[str, int]:
        """By their places, how many branches meet there."""
        return {self._places[layer]: len(fed) for layer, fed in self.sources.items()}

    def _lane(self, place: str) -> Lane:
        """Of what stands at a place, or of the branch there."""
        lane = WHOLE
        for found in _BRANCH.finditer(place):
            block, branch = place[: found.start()], int(found[1])
            shares = [self._share(block, k) for k in range(self._joins[block])]
            height, before = (lane.bottom - lane.top) / sum(shares), sum(shares[:branch])
            top = lane.top + before * height
            lane = Lane(top, top + shares[branch] * height)
        return lane

    def _share(self, block: str, branch: int) -> int:
        inside = f"{block}.branches[{branch}]."
        return _BROAD if any(p.startswith(inside) for p in self.arrangement.places) else 1
