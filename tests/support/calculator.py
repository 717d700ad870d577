"""A calculator that reads an explanation's lines of numbers, and finds in them their results."""

import math
import re
from typing import Any

import numpy as np

from tui_nn_engine.formulas.explanation import Explanation, Notation
from tui_nn_engine.primitives.erf import erf

SIGNS = {"−": "-", "·": "*", "²": "**2", "³": "**3", "^": "**", "∞": "inf", "½": "0.5"}


def phi(z: float) -> float:
    return 0.5 * (1 + float(erf(np.array(z * math.sqrt(0.5)))))


CALCULATOR: dict[str, Any] = {
    "exp": np.exp,
    "ln": np.log,
    "tanh": np.tanh,
    "cosh": np.cosh,
    "sqrt": np.sqrt,
    "max": max,
    "min": min,
    "abs": abs,
    "sgn": np.sign,
    "Φ": phi,
    "φ": lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    "inf": math.inf,
    "nan": math.nan,
}


def computed(numbers: str) -> float:
    """What the numbers of a line come to."""
    text = numbers.replace("e^(", "exp(").replace("√(", "sqrt(")
    text = re.sub(r"\(the other \d+ terms: ", "(", text)
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text)
    for sign, python in SIGNS.items():
        text = text.replace(sign, python)
    with np.errstate(all="ignore"):
        return float(eval(text, {"__builtins__": {}}, CALCULATOR))


def sizes_in(numbers: str) -> float:
    """How large the numbers of a line are: what rounding is relative to."""
    plain = numbers.replace("−", "-")
    return max((abs(float(n)) for n in re.findall(r"\d+\.?\d*(?:e-?\d+)?", plain)), default=0.0)


def agree(found: float, wanted: float, size: float) -> bool:
    """Whether two numbers are the same up to rounding."""
    return found == wanted or abs(found - wanted) <= 1e-9 * max(size, abs(wanted), 1e-3)


def check(found: Explanation, notation: Notation) -> None:
    """Every line computes to its result, in the notation's sign and no other."""
    assert found.sentence.endswith((".", ")")), found
    assert found.title, found
    for line in found.lines:
        size = sizes_in(line.numbers)
        if math.isfinite(line.value):
            assert agree(computed(line.numbers), line.value, size), line
            assert agree(computed(line.result), line.value, size), line
        if notation.error == "e":
            assert "δ" not in f"{line.left}{line.symbols}{line.numbers}", line
            assert not re.search(r"dE/d\(\w+\.[zh]\)", line.left + line.symbols), line
        else:
            assert not re.search(r"\be(\d|\()", line.left + line.symbols), line
    for share in found.shares:
        assert agree(computed(share.text), share.value, sizes_in(share.text)), share
