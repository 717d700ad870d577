"""Single weights by name: "dense_1.kernel[0, 3]", "dense_1.bias[2]"."""

import re
from dataclasses import dataclass
from difflib import get_close_matches

from tui_nn_engine.programs.parameters import Parameters

EXAMPLES = "dense_1.kernel[0, 3] or dense_1.bias[2]"
_FORM = re.compile(r"\s*(\w+\.\w+)\s*\[([^\[\]]*)\]\s*")
_NUMBER = re.compile(r"\s*\d{1,15}\s*")  # counted from 0; none from the end
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Weight:
    """One number of one parameter: `index` in its array, `position` in `Parameters.values`."""

    parameter: str
    index: tuple[int, ...]
    position: int

    @property
    def name(self) -> str:
        """As it is written everywhere: "dense_1.kernel[0, 3]"."""
        return f"{self.parameter}[{', '.join(map(str, self.index))}]"


def weight_named(text: str, parameters: Parameters) -> Weight:
    """The weight that `text` names; spaces do not matter. Raises ValueError saying what is wrong.

    A trainable weight's position is also its place in the flat gradient.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no weight; write it as {EXAMPLES}")
    parameter, inner = match[1], match[2]
    view = parameters.views.get(parameter)
    if view is None:
        raise ValueError(f"there is no parameter {parameter!r}{_nearest(parameter, parameters)}")
    numbers = inner.split(",")
    if len(numbers) != view.ndim or not all(map(_NUMBER.fullmatch, numbers)):
        last = f"{parameter}{[size - 1 for size in view.shape]}"
        raise ValueError(
            f"{text.strip()!r} is no weight: {parameter} has {_counted(view.ndim)}, "
            f"each a whole number from 0, up to {last}"
        )
    index = tuple(map(int, numbers))
    if any(place >= size for place, size in zip(index, view.shape, strict=True)):
        last = f"{parameter}{[size - 1 for size in view.shape]}"
        raise ValueError(
            f"there is no {parameter}{list(index)}: indices count from 0, the last is {last}"
        )
    start = parameters.places[parameter].start
    offset = 0
    for place, size in zip(index, view.shape, strict=True):
        offset = offset * size + place
    return Weight(parameter, index, start + offset)


def weight_at(position: int, parameters: Parameters) -> Weight:
    """The weight at this place of `Parameters.values`. Raises ValueError outside of it."""
    for parameter, place in parameters.places.items():
        if place.start <= position < place.stop:
            rest, index = position - place.start, list[int]()
            for size in reversed(parameters.views[parameter].shape):
                rest, last = divmod(rest, size)
                index.append(last)
            return Weight(parameter, tuple(reversed(index)), position)
    raise ValueError(f"there is no weight at {position}: there are {parameters.values.size}")


def _counted(axes: int) -> str:
    return "one index" if axes == 1 else f"{axes} indices"


def _nearest(parameter: str, parameters: Parameters) -> str:
    known = list(parameters.views)
    if not known:
        return "; this network has none"
    if close := get_close_matches(parameter, known, n=1):
        return f"; did you mean {close[0]!r}?"
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"; there are {', '.join(known[:_LISTED])}{more}"
