"""JSON as its standard has it: NaN and infinity, which it does not know, become null."""

import json
import math
from typing import Any


def dumps(tree: Any, indent: int | None = None) -> str:
    """As ASCII text, in one line unless indented."""
    try:
        return json.dumps(tree, allow_nan=False, indent=indent)
    except ValueError:
        return json.dumps(_finite(tree), allow_nan=False, indent=indent)


def _finite(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _finite(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_finite(value) for value in tree]
    return None if isinstance(tree, float) and not math.isfinite(tree) else tree
