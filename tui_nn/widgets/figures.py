"""Numbers as a person reads them beside each other: so many digits that count, points in line."""

import math
import re
from collections.abc import Iterable

NOT_COMPUTED = "·"
_HEAD = re.compile(r"[^.e]*")


def figure(value: float, digits: int) -> str:
    """A value with `digits` significant digits, no trailing zeros; NaN is "not computed yet"."""
    if math.isnan(value):
        return NOT_COMPUTED
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if -5 < power < max(digits, 6):
        text = f"{value:.{max(digits - 1 - power, 0)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{power}"


def aligned(values: Iterable[float], digits: int) -> list[str]:
    """The figures of a column, all of one width, their decimal points below each other."""
    texts = [figure(value, digits) for value in values]
    heads = [_HEAD.match(text).end() for text in texts]  # type: ignore[union-attr]
    before = max(heads, default=0)
    after = max((len(text) - head for text, head in zip(texts, heads, strict=True)), default=0)
    return [
        text.rjust(before + len(text) - head).ljust(before + after)
        for text, head in zip(texts, heads, strict=True)
    ]
