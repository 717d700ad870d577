"""What the network says to a picture that somebody draws."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tui_nn_engine.inspection.forward import Forward

BOX = 20  # of MNIST's 28 x 28
Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """The outputs (outputs,) for a drawing, and the picture (height, width) that was looked at."""

    iteration: int
    outputs: NDArray[np.float64]
    picture: Image


def guess(forward: Forward, picture: NDArray[np.generic], *, centre: bool) -> Guess:
    """For a picture (height, width) as bright as the data's; `centre`: put in place before.

    Raises ValueError for one of another shape than the data's.
    """
    data = forward.trainer.data.dataset
    if not data.is_image or picture.shape != data.shape:
        raise ValueError(f"{data.name} has samples of shape {data.shape}, not {picture.shape}")
    seen = np.asarray(picture, np.float32)
    if centre:
        seen = centred(seen)
    outputs = forward.run(seen[None]).output.array[0]
    iteration = forward.trainer.state.iteration
    return Guess(iteration, np.atleast_1d(outputs).astype(np.float64), seen)


def centred(picture: Image) -> Image:
    """As MNIST's digits were made: fitted into a box of 20/28, its centre of mass in the middle.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits". An empty picture
    stays as it is. Where the mass lies far off the middle, the box still stays inside.
    """
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    if not rows.size:
        return picture
    inner = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    size, side = max(inner.shape), min(picture.shape)
    scale = side * BOX / 28 / size
    height, width = (max(1, round(length * scale)) for length in inner.shape)
    fitted = _resized(inner, height, width)
    total = fitted.sum()
    place = []
    for axis, length, room in ((0, height, picture.shape[0]), (1, width, picture.shape[1])):
        mass = float(fitted.sum(axis=1 - axis) @ np.arange(length)) / float(total)
        place.append(int(np.clip(round(room / 2 - 0.5 - mass), 0, room - length)))
    out = np.zeros_like(picture)
    out[place[0] : place[0] + height, place[1] : place[1] + width] = fitted
    return out


def _resized(picture: Image, height: int, width: int) -> Image:
    """Each new pixel the mean of the old ones it covers, by share."""
    shares = [_shares(old, new) for old, new in zip(picture.shape, (height, width), strict=True)]
    return np.asarray(shares[0] @ picture @ shares[1].T, np.float32)


def _shares(old: int, new: int) -> NDArray[np.float64]:
    """(new, old), rows that sum to 1: how much of old pixel j lies in new pixel i."""
    edges = np.linspace(0, old, new + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixel = np.arange(old)
    overlap = np.minimum(high, pixel + 1) - np.maximum(low, pixel)
    covered: NDArray[np.float64] = np.clip(overlap, 0, None) * (new / old)
    return covered
