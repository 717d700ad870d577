"""The data blocks of sequences: tasks that ask for a memory, time series, text."""

from typing import Annotated, Literal

from pydantic import Field

from tui_nn_engine.data.data_block import (
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

Encoding = Annotated[
    Literal["one_hot", "tokens"],
    Field(description="one_hot: a row of 0 and 1 a symbol; tokens: its number, for an embedding"),
]
Targets = Annotated[
    Literal["last", "every"],
    Field(description="last: one target a sequence; every: one a time step"),
]
Symbols = Annotated[int, Field(ge=2, le=26, description="how many different symbols")]
Steps = Annotated[int, Field(ge=2, le=1000, description="time steps")]
Shortest = Annotated[
    int, Field(ge=1, le=1000, description="of the sequences; padding follows the shorter ones")
]
Horizon = Annotated[
    int, Field(ge=1, le=100, description="how many values to tell ahead, one output each")
]


class _Generated(DataBlock):
    """Sequences made on the spot."""

    samples: Samples = 1000
    seed: DataSeed = 0
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2


class FirstSymbolData(_Generated):
    """Which symbol came first? Only distraction follows it."""

    name: Literal["first_symbol"]
    delay: Annotated[int, Field(ge=1, le=1000, description="steps after the first")] = 10
    symbols: Symbols = 2
    distractors: Annotated[
        int, Field(ge=1, le=26, description="other symbols, which say nothing")
    ] = 2
    encoding: Encoding = "one_hot"


class ParityData(_Generated):
    """Is the number of ones even or odd?"""

    name: Literal["parity"]
    length: Steps = 8
    shortest: Shortest = 4
    targets: Targets = "last"
    encoding: Encoding = "one_hot"


class AddingData(_Generated):
    """The sum of the two marked numbers among many."""

    name: Literal["adding"]
    length: Steps = 50
    samples: Samples = 2000


class CopyingData(_Generated):
    """Keep a few symbols through a silence, then say them again."""

    name: Literal["copying"]
    length: Annotated[int, Field(ge=2, le=1000, description="symbols to keep")] = 5
    delay: Annotated[int, Field(ge=1, le=1000, description="steps of silence")] = 10
    symbols: Symbols = 8
    encoding: Encoding = "one_hot"
    samples: Samples = 2000


class ReversingData(_Generated):
    """Say the sequence again, from its end to its beginning."""

    name: Literal["reversing"]
    length: Steps = 6
    shortest: Shortest = 6
    symbols: Symbols = 4
    encoding: Encoding = "one_hot"
    samples: Samples = 2000


class SineData(_Generated):
    """What comes next on a wave, with noise or without?"""

    name: Literal["sine"]
    window: Annotated[int, Field(ge=2, le=1000, description="time steps that are seen")] = 20
    horizon: Horizon = 1
    period: Annotated[
        float, Field(ge=2, le=10_000, description="steps of a full turn, within a quarter")
    ] = 20.0
    noise: Noise = 0.0
    targets: Targets = "last"
    samples: Samples = 500


class SpellingData(DataBlock):
    """A number becomes its name, letter by letter: 7 → seven."""

    name: Literal["spelling"]
    count: Annotated[int, Field(ge=2, le=20, description="from zero on")] = 10


class Co2Data(ScaledData):
    """Carbon dioxide in the air of Mauna Loa, month by month, 1958 to 2001.

    The samples are windows in the order of time: validation and test are the last of them.
    """

    name: Literal["co2"]
    window: Annotated[int, Field(ge=2, le=500, description="months that are seen")] = 24
    horizon: Horizon = 1
    differences: Annotated[
        bool, Field(description="the change from month to month in place of the level: no trend")
    ] = True
    targets: Targets = "last"
    scaling: Scaling = "standardize"
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.2


class WordsData(DataBlock):
    """English words, letter by letter: which letter follows?"""

    name: Literal["words"]
    encoding: Encoding = "one_hot"
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.0


class TextData(DataBlock):
    """A text of one's own, character by character: which one follows?

    Windows of a text keep their order: validation and test are its end.
    """

    name: Literal["text"]
    path: FilePath
    lines: Annotated[
        bool, Field(description="each line is a sequence of its own: words, names")
    ] = False
    window: Annotated[int, Field(ge=2, le=1000, description="characters seen at once")] = 32
    stride: Annotated[int, Field(ge=1, le=1000, description="characters from window to window")] = (
        16
    )
    lowercase: Annotated[bool, Field(description="make capitals small first")] = False
    encoding: Encoding = "one_hot"
    validation_fraction: ValidationFraction = 0.1
    test_fraction: TestFraction = 0.0
