"""Points in the plane, made on the spot: small problems whose answer can be seen.

Every generator takes `samples` (in all, shared evenly among the classes, which take turns), `noise`
(the standard deviation of Gaussian noise, in the units of the points) and `seed`. The same options
make the same points, bit for bit. Coordinates lie in about -1..1; the corners of XOR are 0 and 1.
"""

from dataclasses import replace

import numpy as np

from tui_nn_datasets import gates
from tui_nn_datasets.dataset import Dataset, Entry
from tui_nn_datasets.randomness import stream

_INPUTS = ("x1", "x2")
_TURNS = 1.75


def _entry(name: str, source: str, description: str, samples: int = 200) -> Entry:
    return Entry(
        name=name,
        kind="points",
        task="classification",
        shape=(2,),
        samples=samples,
        classes=2,
        dtype="float64",
        source=source,
        licence="none needed",
        description=description,
    )


XOR = _entry(
    "xor",
    "computed: exclusive or (Minsky and Papert, Perceptrons, 1969)",
    "The four corners of a square, opposite ones alike: no line divides them",
    samples=4,
)
MOONS = _entry(
    "moons",
    "computed: two interleaving half circles",
    "Two half moons, one reaching into the other",
)
CIRCLES = _entry(
    "circles", "computed: two concentric circles", "A ring around a ring: inside against outside"
)
GAUSSIANS = _entry(
    "gaussians", "computed: isotropic normal distributions", "Round clouds of points, one a class"
)
SPIRAL = _entry(
    "spiral",
    "computed: after the two spirals of Lang and Witbrock (1988)",
    "Two spirals wound into each other: hard for a small network",
    samples=400,
)
PLANE = replace(
    _entry("plane", "computed: a linear function", "Regression of a plane: y = a x1 + b x2 + c"),
    task="regression",
    classes=0,
)
VENN = replace(
    _entry(
        "venn",
        "computed: three overlapping discs",
        "Which of three overlapping discs a point lies in: none, one, several, all",
        samples=400,
    ),
    task="multilabel",
    classes=0,
)
ARM = replace(
    PLANE,
    name="arm",
    samples=400,
    source="computed: forward kinematics of two links",
    description="Regression of two outputs: where a two-link arm's hand is, from its two angles",
)
CURVE = replace(
    PLANE,
    name="curve",
    shape=(1,),
    source="computed: a sine",
    description="Regression of a curve: one wave of a sine, y = sin(π x)",
)


def _points(
    entry: Entry, x: np.ndarray, y: np.ndarray, noise: float, seed: int, classes: int = 2
) -> Dataset:
    """Add the noise and name the classes after their numbers."""
    if noise > 0:
        x = x + stream(seed, f"noise of {entry.name}").normal(0, noise, x.shape)
    names = tuple(str(number) for number in range(classes))
    return entry.dataset(x, y, input_names=_INPUTS, target_names=names)


def _turns(samples: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Return each sample's class and its place within the class, from 0 to 1."""
    y = np.arange(samples, dtype=np.int64) % classes
    place = np.arange(samples) // classes
    last = np.maximum(np.bincount(y, minlength=classes) - 1, 1)
    return y, place / last[y]


def xor(*, samples: int = 4, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Return the corners 00, 01, 10, 11 over and over, each with its noise."""
    table = gates.truth_table("xor")
    rows = np.arange(samples) % len(table.y)
    return _points(XOR, table.x[rows], table.y[rows], noise, seed)


def moons(*, samples: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return two half circles of radius 2/3: about (-1/3, -1/6) above, (1/3, 1/6) below."""
    y, place = _turns(samples)
    angle = np.pi * place
    sign = 1 - 2 * y
    x = np.stack((sign * (np.cos(angle) - 0.5), sign * (np.sin(angle) - 0.25)), axis=1)
    return _points(MOONS, x / 1.5, y, noise, seed)


def circles(*, samples: int = 200, noise: float = 0.05, seed: int = 0) -> Dataset:
    """Return a circle of radius 1 (class 0) around one of radius 1/2 (class 1)."""
    y = np.arange(samples, dtype=np.int64) % 2
    angle = 2 * np.pi * (np.arange(samples) // 2) / ((samples + 1) // 2)
    radius = np.where(y == 0, 1.0, 0.5)
    x = radius[:, None] * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return _points(CIRCLES, x, y, noise, seed)


def gaussians(
    *, samples: int = 200, classes: int = 2, noise: float = 0.2, seed: int = 0
) -> Dataset:
    """Return clouds whose centres stand evenly on a circle of radius 0.6, the first at its right.

    Here the noise is the clouds' standard deviation.
    """
    y = np.arange(samples, dtype=np.int64) % classes
    angle = 2 * np.pi * y / classes
    x = 0.6 * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    return _points(GAUSSIANS, x, y, noise, seed, classes)


def spiral(*, samples: int = 400, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Return two Archimedean spirals of 1.75 turns from the middle out to radius 1.

    Point i of n has the radius (i + 1) / n, so that the two never meet in the middle.
    """
    y = np.arange(samples, dtype=np.int64) % 2
    radius = (np.arange(samples) // 2 + 1) / ((samples + 1) // 2)
    angle = 2 * np.pi * _TURNS * radius + np.pi * y
    x = radius[:, None] * np.stack((np.sin(angle), np.cos(angle)), axis=1)
    return _points(SPIRAL, x, y, noise, seed)


def plane(
    *,
    samples: int = 200,
    noise: float = 0.1,
    seed: int = 0,
    a: float = 1.0,
    b: float = -0.5,
    c: float = 0.25,
) -> Dataset:
    """Return y = a x1 + b x2 + c + noise over points drawn evenly from the square -1..1."""
    x = stream(seed, "points of plane").uniform(-1, 1, (samples, 2))
    y = a * x[:, :1] + b * x[:, 1:] + c
    if noise > 0:
        y = y + stream(seed, "noise of plane").normal(0, noise, y.shape)
    return PLANE.dataset(x, y, input_names=_INPUTS, target_names=("y",))


def curve(*, samples: int = 200, noise: float = 0.1, seed: int = 0) -> Dataset:
    """Return y = sin(π x) + noise over points drawn evenly from the interval -1..1."""
    x = stream(seed, "points of curve").uniform(-1, 1, (samples, 1))
    y = np.sin(np.pi * x)
    if noise > 0:
        y = y + stream(seed, "noise of curve").normal(0, noise, y.shape)
    return CURVE.dataset(x, y, input_names=("x",), target_names=("y",))


def venn(*, samples: int = 400, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Return points drawn evenly from the square -1..1, labelled with the discs they lie in.

    The discs have radius 0.6; their centres stand evenly on a circle of radius 0.35, the first at
    its top. Noise moves the points after they are labelled.
    """
    x = stream(seed, "points of venn").uniform(-1, 1, (samples, 2))
    angle = np.pi / 2 - 2 * np.pi * np.arange(3) / 3
    centres = 0.35 * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    inside = np.linalg.norm(x[:, None] - centres, axis=2) < 0.6
    if noise > 0:
        x = x + stream(seed, "noise of venn").normal(0, noise, x.shape)
    names = ("A", "B", "C")
    return VENN.dataset(x, inside.astype(np.float64), input_names=_INPUTS, target_names=names)


def arm(*, samples: int = 400, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Return the hand's place for angles of shoulder and elbow drawn evenly from 0..pi.

    The upper arm is 0.6 long, the forearm 0.4; the elbow's angle is measured from the upper arm.
    """
    x = stream(seed, "points of arm").uniform(0, np.pi, (samples, 2))
    upper, fore = x[:, 0], x[:, 0] + x[:, 1]
    hand = 0.6 * np.cos(upper) + 0.4 * np.cos(fore), 0.6 * np.sin(upper) + 0.4 * np.sin(fore)
    y = np.stack(hand, axis=1)
    if noise > 0:
        y = y + stream(seed, "noise of arm").normal(0, noise, y.shape)
    return ARM.dataset(x, y, input_names=("shoulder", "elbow"), target_names=("hand x", "hand y"))
