"""What an explanation is: one element of one operation in symbols, numbers, words.

Only the shapes of it are here, for whoever shows or sends one; `explain` makes them.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Notation:
    """How a person wants to read it.

    `names`: "paper" numbers all units through, inputs first (w14, z4, h4); "code" writes slots
    with their indices (dense_1.kernel[0, 3]). `error`: "delta" shows errors as δ = ∂E/∂z, "e" as
    e = −∂E/∂z (with t − y). `digits`: significant digits.
    """

    names: Literal["paper", "code"] = "paper"
    error: Literal["delta", "e"] = "delta"
    digits: int = 4


@dataclass(frozen=True, slots=True)
class Line:
    """left = symbols = numbers = result, as text, and the result as a number.

    `result` is "" and `value` nan while the operation has not been done.
    """

    left: str
    symbols: str
    numbers: str
    result: str
    value: float


@dataclass(frozen=True, slots=True)
class Share:
    """What one sample of the batch put into a gradient: its own gradient, were it alone.

    The batch's gradient is the mean of these.
    """

    sample: int
    text: str
    value: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """One element of one operation; `lines` has its parts, the element itself is the last.

    `title` says what the element is, `sentence` what it means and why it is computed. `shares` are
    of the samples that matter most, of `samples` in all.
    """

    operation: int
    title: str
    lines: tuple[Line, ...]
    sentence: str
    shares: tuple[Share, ...] = ()
    samples: int = 0
