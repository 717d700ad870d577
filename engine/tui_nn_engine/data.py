"""The data block of an experiment, and the arrays that a network is trained on.

Splits are stratified and seeded by the experiment; scaling is fitted on the training part alone.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray
from pydantic import Field

from tui_nn_datasets import DataError, Dataset, load, split
from tui_nn_engine.schema import Block

Floats = NDArray[np.floating[Any]]
Scaling = Annotated[
    Literal["none", "minmax", "standardize"],
    Field(
        description="minmax: to 0..1; standardize: mean 0, spread 1, regression targets too; "
        "fitted on the training part"
    ),
]
Fraction = Annotated[float, Field(ge=0, le=0.9)]
ValidationFraction = Annotated[
    Fraction, Field(description="share of the training samples held out to watch overfitting")
]
TestFraction = Annotated[Fraction, Field(description="share held out for the final test")]
Samples = Annotated[int, Field(ge=2, le=1_000_000, description="how many points to make")]
Noise = Annotated[float, Field(ge=0, le=10, description="standard deviation added to each point")]
DataSeed = Annotated[
    int, Field(ge=0, le=2**63 - 1, title="data seed", description="which points are drawn")
]
Bipolar = Annotated[bool, Field(description="two classes are −1 and +1 instead of 0 and 1")]


class DataBlock(Block):
    """Which data, and how it is split and scaled."""

    name: str
    scaling: Scaling = "none"
    validation_fraction: ValidationFraction = 0.0
    loader_options: ClassVar[tuple[str, ...]] = ()

    def load(self) -> Dataset:
        """The samples as stored. Raises `tui_nn_datasets.DataError`."""
        options = {key: getattr(self, key) for key in self.loader_options}
        return load(self.name, **options)


class MnistData(DataBlock):
    """Handwritten digits, 28 x 28, with a test part of their own."""

    name: Literal["mnist_small", "mnist"]
    scaling: Scaling = "minmax"
    flatten: Annotated[
        bool, Field(description="each image as one row of numbers: (28, 28) → (784,)")
    ] = True
    validation_fraction: ValidationFraction = 0.1


class DigitsData(DataBlock):
    """Handwritten digits, 8 x 8."""

    name: Literal["digits"]
    scaling: Scaling = "minmax"
    flatten: Annotated[
        bool, Field(description="each image as one row of numbers: (8, 8) → (64,)")
    ] = True
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2


class TableData(DataBlock):
    """An embedded table."""

    name: Literal["iris", "diabetes"]
    scaling: Scaling = "standardize"
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2


class CsvData(DataBlock):
    """A table of one's own, with a header row."""

    name: Literal["csv"]
    path: Annotated[str, Field(min_length=1, description="the file; from where you started tui-nn")]
    target: Annotated[str | None, Field(description="column to predict; default: the last")] = None
    task: Annotated[
        Literal["classification", "regression"] | None,
        Field(description="default: by the values of the target column"),
    ] = None
    scaling: Scaling = "standardize"
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2
    loader_options: ClassVar[tuple[str, ...]] = ("path", "target", "task")


class GateData(DataBlock):
    """The truth table of a logic gate."""

    name: Literal["gates"]
    gate: Annotated[
        Literal["and", "or", "nand", "nor", "xor", "xnor", "not", "buffer", "and_not", "implies"],
        Field(description="which gate; buffer: A itself, and_not: A and not B"),
    ] = "and"
    bipolar: Annotated[bool, Field(description="inputs are −1 and +1 instead of 0 and 1")] = False
    bipolar_targets: Bipolar = False
    loader_options: ClassVar[tuple[str, ...]] = ("gate", "bipolar")


class XorData(DataBlock):
    """The four corners of exclusive or, or clouds around them."""

    name: Literal["xor"]
    samples: Annotated[int, Field(ge=4, le=1_000_000, description="4: the bare corners")] = 4
    noise: Noise = 0.0
    seed: DataSeed = 0
    bipolar_targets: Bipolar = False
    test_fraction: TestFraction = 0.0
    loader_options: ClassVar[tuple[str, ...]] = ("samples", "noise", "seed")


class TwoClassPoints(DataBlock):
    """Points in the plane, of two classes."""

    name: Literal["moons", "circles"]
    samples: Samples = 400
    noise: Noise = 0.1
    seed: DataSeed = 0
    bipolar_targets: Bipolar = False
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2
    loader_options: ClassVar[tuple[str, ...]] = ("samples", "noise", "seed")


class SpiralData(TwoClassPoints):
    """Two spirals around each other."""

    name: Literal["spiral"]  # type: ignore[assignment]
    noise: Noise = 0.0
    scaling: Scaling = "standardize"


class GaussianData(DataBlock):
    """Round clouds of points, one a class."""

    name: Literal["gaussians"]
    samples: Samples = 400
    noise: Noise = 0.2
    classes: Annotated[int, Field(ge=2, le=20, description="how many clouds")] = 2
    seed: DataSeed = 0
    bipolar_targets: Bipolar = False
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2
    loader_options: ClassVar[tuple[str, ...]] = ("samples", "noise", "classes", "seed")


class PlaneData(DataBlock):
    """A tilted plane to fit: two inputs, one output."""

    name: Literal["plane"]
    samples: Samples = 400
    noise: Noise = 0.1
    seed: DataSeed = 0
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2
    loader_options: ClassVar[tuple[str, ...]] = ("samples", "noise", "seed")


class GivenData(DataBlock):
    """Samples written in the experiment itself."""

    name: Literal["given"]
    x: Annotated[list[list[float]], Field(min_length=1, description="one row a sample")]
    y: Annotated[list[float] | list[list[float]], Field(min_length=1, description="the targets")]
    task: Annotated[
        Literal["classification", "regression"] | None, Field(description="what y means")
    ] = None
    bipolar_targets: Bipolar = False
    loader_options: ClassVar[tuple[str, ...]] = ("x", "y", "task")


class ArrayData(DataBlock):
    """Arrays handed to `Trainer(experiment, data=(x, y))` in Python."""

    name: Literal["arrays"]
    bipolar_targets: Bipolar = False
    validation_fraction: ValidationFraction = 0.0
    test_fraction: TestFraction = 0.0

    def load(self) -> Dataset:
        """There is nothing to load: the caller has the arrays."""
        message = "data.name is 'arrays': give them, Trainer(experiment, data=(x, y))"
        raise DataError(message)


DATA_BLOCKS: tuple[type[DataBlock], ...] = (
    MnistData,
    DigitsData,
    TableData,
    CsvData,
    GateData,
    XorData,
    TwoClassPoints,
    SpiralData,
    GaussianData,
    PlaneData,
    GivenData,
    ArrayData,
)
AnyData = Annotated[
    MnistData
    | DigitsData
    | TableData
    | CsvData
    | GateData
    | XorData
    | TwoClassPoints
    | SpiralData
    | GaussianData
    | PlaneData
    | GivenData
    | ArrayData,
    Field(discriminator="name"),
]


@dataclass(frozen=True, eq=False)
class Scaler:
    """x -> (x - shift) / scale; images have one shift and scale, tables one a column."""

    shift: Floats
    scale: Floats

    @classmethod
    def fit(cls, kind: str, x: NDArray[Any], *, whole: bool) -> "Scaler":
        """Fit on training inputs x (samples, ...); `whole`: one range for all of them."""
        if kind == "none":
            return cls(np.zeros(1), np.ones(1))
        axis = None if whole else 0
        values = x.astype(np.float64)
        if kind == "minmax":
            low = np.min(values, axis=axis)
            shift, scale = low, np.max(values, axis=axis) - low
        else:
            shift, scale = np.mean(values, axis=axis), np.std(values, axis=axis)
        scale = np.where(scale > 0, scale, 1.0)  # a constant column carries nothing: leave it at 0
        return cls(np.atleast_1d(shift), np.atleast_1d(scale))

    def apply(self, x: NDArray[Any], dtype: DTypeLike) -> Floats:
        """Scaled copy of x, contiguous, of the given dtype."""
        # In the precision of x: float32 could not tell the years 2023.1 and 2023.2 well apart.
        out = np.array(x, dtype=np.promote_types(x.dtype, dtype), order="C")
        out -= self.shift.astype(out.dtype)
        out /= self.scale.astype(out.dtype)
        return out.astype(dtype, copy=False)

    def invert(self, x: Floats) -> Floats:
        """Back to the units of the data."""
        return np.asarray(x * self.scale + self.shift, dtype=x.dtype)


@dataclass(frozen=True, eq=False)
class Part:
    """Training, validation or test samples: x scaled (samples, ...), y as the data has it."""

    x: Floats
    y: NDArray[Any]
    indices: NDArray[np.intp]
    """Which samples of the data set these are."""

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class PreparedData:
    """A data set split and scaled as the experiment says."""

    dataset: Dataset
    block: DataBlock
    train: Part
    validation: Part
    test: Part
    scaler: Scaler
    target_scaler: Scaler

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one input sample."""
        return self.train.x.shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of inputs and targets."""
        return self.train.x.dtype

    @cached_property
    def sha256(self) -> str:
        """The sum of the samples as stored."""
        return self.dataset.digest()

    @property
    def outputs(self) -> tuple[int, ...]:
        """How many outputs a network for these targets may have, the usual number first."""
        if self.dataset.task == "regression":
            return (self.dataset.y.shape[1],)
        return (1, 2) if self.dataset.classes == 2 else (self.dataset.classes,)

    def targets(self, part: Part, outputs: int) -> Floats:
        """Targets (samples, outputs): regression values, a 0/1 column, or one-hot rows."""
        if self.dataset.task == "regression":
            return self.target_scaler.apply(part.y, self.dtype)
        low = -1.0 if getattr(self.block, "bipolar_targets", False) else 0.0
        classes = np.ones(1) if outputs == 1 else np.arange(outputs)
        hot = part.y[:, None] == classes
        return np.where(hot, 1.0, low).astype(self.dtype)


def prepare(
    block: DataBlock,
    seed: int,
    dtype: DTypeLike,
    arrays: tuple[NDArray[Any], NDArray[Any]] | None = None,
) -> PreparedData:
    """Load (or take `arrays`), split and scale. Raises `tui_nn_datasets.DataError`."""
    dataset = block.load() if arrays is None else _of_arrays(*arrays)
    stratify = dataset.task == "classification"
    everything = np.arange(len(dataset.y))
    test: tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]
    if dataset.x_test is not None and dataset.y_test is not None:
        kept = everything
        test = (dataset.x_test, dataset.y_test, np.arange(len(dataset.y_test)))
    else:
        fraction = getattr(block, "test_fraction", 0.0)
        kept, held = split(dataset.y, fraction, seed, purpose="test", stratify=stratify)
        test = (dataset.x[held], dataset.y[held], held)
    inner, outer = split(
        dataset.y[kept], block.validation_fraction, seed, purpose="validation", stratify=stratify
    )
    flat = getattr(block, "flatten", False)
    fitted_on = dataset.x[kept[inner]]
    scaler = Scaler.fit(block.scaling, fitted_on, whole=dataset.is_image)

    def part(x: NDArray[Any], y: NDArray[Any], indices: NDArray[np.intp]) -> Part:
        with np.errstate(over="ignore"):
            scaled = scaler.apply(x, dtype)
        if not np.isfinite(scaled).all():
            raise DataError(
                f"{dataset.name}: holds values too large for {np.dtype(dtype)}; "
                'scale them, or set dtype = "float64"'
            )
        shape = (len(x), prod(x.shape[1:])) if flat else x.shape
        return Part(scaled.reshape(shape), y, indices)

    train_y = dataset.y[kept[inner]]
    regression = dataset.task == "regression" and block.scaling == "standardize"
    return PreparedData(
        dataset,
        block,
        part(fitted_on, train_y, kept[inner]),
        part(dataset.x[kept[outer]], dataset.y[kept[outer]], kept[outer]),
        part(*test),
        scaler,
        Scaler.fit("standardize" if regression else "none", train_y, whole=False),
    )


def _of_arrays(x: NDArray[Any], y: NDArray[Any]) -> Dataset:
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1 and np.isin(y, (0, 1)).all() and (y.sum(axis=1) == 1).all():
        # One-hot rows are class numbers written differently, and tell how many classes there are.
        names = tuple(map(str, range(y.shape[1])))
        dataset = load("given", x=np.asarray(x), y=y.argmax(axis=1), task="classification")
        return replace(dataset, target_names=names)
    return load("given", x=np.asarray(x), y=y)
