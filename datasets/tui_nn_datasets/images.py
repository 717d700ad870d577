"""The embedded pictures: a part of MNIST, and the digits of 8 x 8 pixels."""

import zlib
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from tui_nn_datasets.dataset import DataError, Dataset, Entry

DIGITS = tuple(str(digit) for digit in range(10))
MNIST_SOURCE = "MNIST database of handwritten digits, LeCun, Cortes and Burges (1998)"
MNIST_LICENCE = "CC BY-SA 3.0"

_FOLDER = Path(__file__).parent / "data"

MNIST_SMALL = Entry(
    name="mnist_small",
    kind="images",
    task="classification",
    shape=(28, 28),
    samples=10_000,
    classes=10,
    dtype="uint8",
    source=MNIST_SOURCE,
    licence=MNIST_LICENCE,
    description="Handwritten digits: 1,000 training and 200 test images of each, out of MNIST",
)
DIGITS_8X8 = Entry(
    name="digits",
    kind="images",
    task="classification",
    shape=(8, 8),
    samples=1797,
    classes=10,
    dtype="uint8",
    source="UCI, Optical Recognition of Handwritten Digits, test part, Alpaydin and Kaynak (1998)",
    licence="CC BY 4.0",
    description="Handwritten digits of 8 x 8 pixels with values from 0 to 16",
)


def mnist_small() -> Dataset:
    """Return 10,000 training and 2,000 test images of MNIST, in the order of its files."""
    arrays = _arrays("mnist_small.npz", ("x", "y", "x_test", "y_test"))
    return MNIST_SMALL.dataset(
        arrays["x"],
        arrays["y"].astype(np.int64),
        target_names=DIGITS,
        test=(arrays["x_test"], arrays["y_test"].astype(np.int64)),
    )


def digits() -> Dataset:
    """Return the 1,797 digits of 8 x 8 pixels."""
    arrays = _arrays("digits.npz", ("x", "y"))
    return DIGITS_8X8.dataset(arrays["x"], arrays["y"].astype(np.int64), target_names=DIGITS)


def _arrays(file: str, names: tuple[str, ...]) -> Mapping[str, np.ndarray]:
    path = _FOLDER / file
    try:
        with path.open("rb") as stored, np.load(stored, allow_pickle=False) as archive:
            return {name: archive[name] for name in names}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: damaged ({error}); install tui-nn again") from error
