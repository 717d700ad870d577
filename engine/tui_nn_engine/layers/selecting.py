"""Some columns of a table: for branches that do not see all of it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tui_nn_engine.blocks.schema import Problem
from tui_nn_engine.layers.layer import Layer, Shape
from tui_nn_engine.primitives.joining import Select as SelectColumns
from tui_nn_engine.programs.program import Builder, Slot


class Select(Layer):
    """Of its input (..., columns) only some columns go on, in the order they are listed."""

    type: Literal["select"] = "select"
    summary: ClassVar[str] = "only some columns of a table go on, as into one branch"
    rearranges: ClassVar[bool] = True
    columns: Annotated[
        list[Annotated[int, Field(ge=0)]],
        Field(min_length=1, description="which, counted from 0: 0 2 3"),
    ]

    def output_shape(self, shape: Shape) -> Shape:
        """(..., columns)."""
        return (*shape[:-1], len(self.columns))

    def problems(self, shape: Shape) -> list[Problem]:
        """Each must exist and be named once."""
        found = []
        beyond = [column for column in self.columns if column >= shape[-1]]
        if beyond:
            last = shape[-1] - 1
            message = f"there is no column {beyond[0]}: they count from 0, the last is {last}"
            found.append(Problem("columns", message))
        if len(set(self.columns)) < len(self.columns):
            twice = next(one for one in self.columns if self.columns.count(one) > 1)
            found.append(Problem("columns", f"column {twice} is listed twice"))
        return found

    def emit(self, builder: Builder, x: Slot) -> Slot:
        """A gather."""
        return builder.apply(SelectColumns(self.columns), x, name="h")
