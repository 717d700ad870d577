"""Randomness as a pure function: who asks for the same thing is given the same numbers."""

from functools import cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.random import Generator, Philox
from numpy.random.bit_generator import ISeedSequence


class _Key(ISeedSequence):
    """Hands Philox its key as it is.

    `Philox(key=...)` means the same, but first gathers entropy from the operating system only to
    throw it away, which makes it three times as slow.
    """

    __slots__ = ("_words",)

    def __init__(self, seed: int, purpose: str) -> None:
        self._words = np.array((seed, _purpose_word(purpose)), dtype=np.uint64)

    def generate_state(self, n_words: int, dtype: Any = np.uint64) -> np.ndarray:  # noqa: ARG002
        return self._words


@cache
def _purpose_word(purpose: str) -> int:
    return int.from_bytes(blake2b(purpose.encode(), digest_size=8).digest(), "little")


def stream(seed: int, purpose: str, index: int = 0) -> Generator:
    """Return the random numbers that belong to (seed, purpose, index), from their beginning.

    The counter-based generator Philox 4x64-10 (Salmon et al., "Parallel Random Numbers: As Easy
    as 1, 2, 3", 2011) with the key (seed, hash of the purpose) and the index in the counter's
    highest word: streams never overlap before 2^192 blocks, and there is no state to save.

    Args:
        seed: the experiment's seed, 0 .. 2^64 - 1.
        purpose: what the numbers are for, e.g. "order" or "dropout_1".
        index: which one of them, e.g. the epoch or the iteration, 0 .. 2^64 - 1.

    Raises:
        OverflowError: seed or index does not fit into 64 bits without sign.
    """
    counter = np.array((0, 0, 0, index), dtype=np.uint64)
    key = _Key(seed, purpose)
    return Generator(Philox(key, counter=counter))  # type: ignore[arg-type]  # NumPy's stub forgets
