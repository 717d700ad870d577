"""Logic gates: truth tables small enough to learn from by hand."""

from itertools import product
from typing import NamedTuple

import numpy as np

from tui_nn_datasets.dataset import DataError, Dataset, Entry, nearest
from tui_nn_datasets.randomness import stream

_OUTPUTS = {
    "buffer": (0, 1),
    "not": (1, 0),
    "and": (0, 0, 0, 1),
    "or": (0, 1, 1, 1),
    "nand": (1, 1, 1, 0),
    "nor": (1, 0, 0, 0),
    "xor": (0, 1, 1, 0),
    "xnor": (1, 0, 0, 1),
    "and_not": (0, 0, 1, 0),
    "implies": (1, 1, 0, 1),
}
"""The output of each gate for its inputs counted upwards in binary: 00, 01, 10, 11."""

GATES = tuple(_OUTPUTS)

ENTRY = Entry(
    name="gates",
    kind="points",
    task="classification",
    shape=(2,),
    samples=4,
    classes=2,
    dtype="float64",
    source="computed: Boolean algebra",
    licence="none needed",
    description="The truth table of a logic gate: " + ", ".join(GATES),
)


class TruthTable(NamedTuple):
    """All inputs of a gate, counted upwards in binary, and its outputs."""

    x: np.ndarray
    """float64 (2^inputs, inputs), each 0 or 1."""
    y: np.ndarray
    """int64 (2^inputs,), each 0 or 1."""


def truth_table(gate: str) -> TruthTable:
    """Return the truth table of a gate, in either case of letters.

    Raises:
        DataError: there is no such gate.
    """
    outputs = _OUTPUTS.get(str(gate).lower())
    if outputs is None:
        raise DataError(f"no gate {gate!r}{nearest(gate, GATES)}; there are {', '.join(GATES)}")
    inputs = len(outputs).bit_length() - 1
    rows = list(product((0.0, 1.0), repeat=inputs))
    return TruthTable(np.array(rows), np.array(outputs, dtype=np.int64))


def gates(
    *,
    gate: str = "and",
    bipolar: bool = False,
    samples: int | None = None,
    noise: float = 0.0,
    seed: int = 0,
) -> Dataset:
    """Return the truth table of a gate, once or repeated, with Gaussian noise on the inputs.

    Args:
        gate: one of `GATES`; "and_not" is A and not B, "buffer" is A itself.
        bipolar: inputs -1 and +1 in place of 0 and 1. The targets stay the classes 0 and 1: how a
            class becomes a target value is the experiment's matter.
        samples: rows, the table over and over from its start; by default the table once.
        noise: the standard deviation of the noise.
        seed: of the noise.
    """
    table = truth_table(gate)
    rows = np.arange(len(table.y) if samples is None else samples) % len(table.y)
    x = table.x[rows]
    if bipolar:
        x = 2 * x - 1
    if noise > 0:
        x = x + stream(seed, "noise of gates").normal(0, noise, x.shape)
    return ENTRY.dataset(
        x,
        table.y[rows],
        input_names=("A", "B")[: x.shape[1]],
        target_names=("0", "1"),
    )
