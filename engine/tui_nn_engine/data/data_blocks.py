"""The data blocks of an experiment, one for each way that data is made or read."""

from typing import Annotated, Literal

from pydantic import Field

from tui_nn_datasets import DataError, Dataset
from tui_nn_engine.data.data_block import (
    Bipolar,
    DataBlock,
    DataSeed,
    FilePath,
    Noise,
    Samples,
    ScaledData,
    Scaling,
    TestFraction,
    ValidationFraction,
)
from tui_nn_engine.data.sequence_blocks import (
    AddingData,
    Co2Data,
    CopyingData,
    FirstSymbolData,
    ParityData,
    ReversingData,
    SineData,
    SpellingData,
    TextData,
    WordsData,
)


class MnistData(ScaledData):
    """Handwritten digits, 28 x 28, with a test part of their own."""

    name: Literal["mnist_small", "mnist"]
    scaling: Scaling = "minmax"
    flatten: Annotated[
        bool,
        Field(description="each image one row of numbers, (784,); off: 28 rows, as time steps"),
    ] = True
    validation_fraction: ValidationFraction = 0.1


class DigitsData(ScaledData):
    """Handwritten digits, 8 x 8."""

    name: Literal["digits"]
    scaling: Scaling = "minmax"
    flatten: Annotated[
        bool,
        Field(description="each image one row of numbers, (64,); off: 8 rows, as time steps"),
    ] = True
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2


class TableData(ScaledData):
    """An embedded table."""

    name: Literal["iris", "diabetes"]
    scaling: Scaling = "standardize"
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2


class CsvData(ScaledData):
    """A table of one's own, with a header row."""

    name: Literal["csv"]
    path: FilePath
    target: Annotated[
        str | None,
        Field(
            description="column to predict; several parted by commas",
            json_schema_extra={"nothing": "the last"},
        ),
    ] = None
    columns: Annotated[
        str | None,
        Field(
            description="inputs, parted by commas; text becomes one-hot",
            json_schema_extra={"nothing": "all others"},
        ),
    ] = None
    task: Annotated[
        Literal["classification", "multilabel", "regression"] | None,
        Field(
            description="what the target is",
            json_schema_extra={"nothing": "by its values"},
        ),
    ] = None
    scaling: Scaling = "standardize"
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2


class GateData(ScaledData):
    """The truth table of a logic gate."""

    name: Literal["gates"]
    gate: Annotated[
        Literal["and", "or", "nand", "nor", "xor", "xnor", "not", "buffer", "and_not", "implies"],
        Field(description="which gate; buffer: A itself, and_not: A and not B"),
    ] = "and"
    bipolar: Annotated[bool, Field(description="inputs are −1 and +1 instead of 0 and 1")] = False
    bipolar_targets: Bipolar = False


class XorData(ScaledData):
    """The four corners of exclusive or, or clouds around them."""

    name: Literal["xor"]
    samples: Annotated[int, Field(ge=4, le=1_000_000, description="4: the bare corners")] = 4
    noise: Noise = 0.0
    seed: DataSeed = 0
    bipolar_targets: Bipolar = False
    test_fraction: TestFraction = 0.0


class TwoClassPoints(ScaledData):
    """Points in the plane, of two classes."""

    name: Literal["moons", "circles"]
    samples: Samples = 400
    noise: Noise = 0.1
    seed: DataSeed = 0
    bipolar_targets: Bipolar = False
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2


class SpiralData(TwoClassPoints):
    """Two spirals around each other."""

    name: Literal["spiral"]  # type: ignore[assignment]
    noise: Noise = 0.0
    scaling: Scaling = "standardize"


class GaussianData(ScaledData):
    """Round clouds of points, one a class."""

    name: Literal["gaussians"]
    samples: Samples = 400
    noise: Noise = 0.2
    classes: Annotated[int, Field(ge=2, le=20, description="how many clouds")] = 2
    seed: DataSeed = 0
    bipolar_targets: Bipolar = False
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2


class PlaneData(ScaledData):
    """A tilted plane to fit: two inputs, one output."""

    name: Literal["plane"]
    samples: Samples = 400
    noise: Noise = 0.1
    seed: DataSeed = 0
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2


class CurveData(PlaneData):
    """A curve to fit: one input, one output."""

    name: Literal["curve"]  # type: ignore[assignment]


class ArmData(PlaneData):
    """A two-link arm's angles and where its hand is: two inputs, two outputs."""

    name: Literal["arm"]  # type: ignore[assignment]
    noise: Noise = 0.0
    scaling: Scaling = "standardize"


class VennData(PlaneData):
    """Points and which of three overlapping discs they lie in: three labels."""

    name: Literal["venn"]  # type: ignore[assignment]
    noise: Noise = 0.0
    bipolar_targets: Bipolar = False


class GivenData(ScaledData):
    """Samples written in the experiment itself."""

    name: Literal["given"]
    x: Annotated[
        list[list[float]] | list[list[list[float]]],
        Field(min_length=1, description="one row a sample, or one a time step of each sample"),
    ]
    y: Annotated[list[float] | list[list[float]], Field(min_length=1, description="the targets")]
    task: Annotated[
        Literal["classification", "multilabel", "regression"] | None,
        Field(description="what y means"),
    ] = None
    bipolar_targets: Bipolar = False


class ArrayData(ScaledData):
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
    CurveData,
    ArmData,
    VennData,
    FirstSymbolData,
    ParityData,
    AddingData,
    CopyingData,
    ReversingData,
    SineData,
    SpellingData,
    Co2Data,
    WordsData,
    TextData,
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
    | CurveData
    | ArmData
    | VennData
    | FirstSymbolData
    | ParityData
    | AddingData
    | CopyingData
    | ReversingData
    | SineData
    | SpellingData
    | Co2Data
    | WordsData
    | TextData
    | GivenData
    | ArrayData,
    Field(discriminator="name"),
]
