"""What the data blocks of an experiment share: their name, their split, how they are loaded."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from tui_nn_datasets import Dataset, load, options
from tui_nn_engine.blocks.schema import Block

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
FilePath = Annotated[
    str,
    Field(
        min_length=1,
        description="the file; from where you started tui-nn",
        json_schema_extra={"file": True},
    ),
]
Samples = Annotated[int, Field(ge=2, le=1_000_000, description="how many to make")]
Noise = Annotated[float, Field(ge=0, le=10, description="standard deviation added to each value")]
DataSeed = Annotated[
    int, Field(ge=0, le=2**63 - 1, title="data seed", description="which are drawn")
]
Bipolar = Annotated[bool, Field(description="two classes are −1 and +1 instead of 0 and 1")]


class DataBlock(Block):
    """Which data, and how it is loaded: with the fields that are options of its loader."""

    name: str

    @property
    def title(self) -> str:
        """What to call it: its name, or its file's where it comes from one of a person's own."""
        path: str | None = getattr(self, "path", None)
        return Path(path).name if path else self.name

    def load(self) -> Dataset:
        """The samples as stored. Raises `tui_nn_datasets.DataError`."""
        mine = [key for key in options(self.name) if key in type(self).model_fields]
        return load(self.name, **{key: getattr(self, key) for key in mine})


class ScaledData(DataBlock):
    """Data of numbers that may be brought to another range."""

    scaling: Scaling = "none"
    validation_fraction: ValidationFraction = 0.0
