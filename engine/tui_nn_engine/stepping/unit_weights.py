"""The weights of one unit, row by row: of its inputs, of the state before, its biases, threshold.

A unit of a layer with gates has such rows for each gate; a weight is told by its row.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tui_nn_engine.programs.slots import Array

MATRICES = frozenset({"kernel", "inhibition", "recurrent_kernel"})
"""Parameters (inputs, units); the others are (units,)."""
PARTS = (
    "kernel", "inhibition", "recurrent_kernel", "bias", "recurrent_bias", "threshold"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """`count` rows from `first` on, those of one parameter: its `column`."""

    parameter: str
    column: int
    first: int
    count: int

    @property
    def part(self) -> str:
        """ "kernel" of "dense_1.kernel"."""
        return self.parameter.rpartition(".")[2]

    def index(self, row: int) -> tuple[int, ...]:
        """Where the weight of a row stands in the parameter, the nearest there is."""
        inner = min(max(row - self.first, 0), self.count - 1)
        return (inner, self.column) if self.part in MATRICES else (self.column,)


def unit_weights(parameters: Mapping[str, Array], layer: str, column: int) -> tuple[Rows, ...]:
    """Those of a unit: `column` is where it stands among the units of all gates.

    Along features that share their weights units repeat.
    """
    found: list[Rows] = []
    first = 0
    for part in PARTS:
        array = parameters.get(f"{layer}.{part}")
        if array is None:
            continue
        count = array.shape[0] if part in MATRICES else 1
        found.append(Rows(f"{layer}.{part}", column % array.shape[-1], first, count))
        first += count
    return tuple(found)


def rows_of(found: tuple[Rows, ...], row: int) -> Rows:
    """Those among which a row is; the nearest."""
    return next((rows for rows in found if row < rows.first + rows.count), found[-1])
