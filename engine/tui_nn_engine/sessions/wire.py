"""Messages between two processes: a dataclass as a safetensors block, length first.

The same container as the checkpoints': scalars and text in a JSON header, arrays raw. Only the
classes named here are ever made of what is read.
"""

import json
from dataclasses import fields, is_dataclass
from typing import Any, BinaryIO, get_args

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as read_arrays
from safetensors.numpy import save as pack_arrays

from tui_nn_engine.formulas.explanation import Explanation, Line, Notation, Share
from tui_nn_engine.sessions.protocol import Command, Message
from tui_nn_engine.stepping.stepview import Arrangement
from tui_nn_engine.stepping.through_time import ThroughTime
from tui_nn_engine.training.events import Epochs
from tui_nn_engine.training.health_over_time import Clipping, OverTime
from tui_nn_engine.training.verdicts import Verdict

PARTS = (
    Epochs,
    Notation,
    Explanation,
    Line,
    Share,
    Arrangement,
    ThroughTime,
    OverTime,
    Clipping,
    Verdict,
)
CLASSES: dict[str, type] = {
    kind.__name__: kind for kind in (*get_args(Command), *get_args(Message), *PARTS)
}
MAX_BYTES = 2**30


class WireError(Exception):
    """What was read is no message."""


def pack(message: object) -> bytes:
    """A message as bytes, with its length in front (8 bytes, little-endian)."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    header = json.dumps(_plain(message, arrays))
    body = pack_arrays(arrays, {"message": header})
    return len(body).to_bytes(8, "little") + body


def read(stream: BinaryIO) -> Any | None:
    """The next message, or None where the stream has ended.

    Raises WireError for what is no message, and for one that breaks off.
    """
    length = stream.read(8)
    if not length:
        return None
    size = int.from_bytes(length, "little")
    if size > MAX_BYTES:
        raise WireError(f"a message of {size} bytes")
    body = stream.read(size)
    if len(length) < 8 or len(body) < size:
        raise WireError("the stream ends within a message")
    return unpack(body)


def unpack(body: bytes) -> Any:
    """The message in a block. Raises WireError."""
    try:
        start = 8 + int.from_bytes(body[:8], "little")
        header = json.loads(body[8:start])["__metadata__"]["message"]
        message = _build(json.loads(header), read_arrays(body))
    except (SafetensorError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise WireError(f"{type(error).__name__}: {error}") from None
    if type(message) not in CLASSES.values():
        raise WireError(f"not a message: {header[:80]}")
    return message


def _plain(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if is_dataclass(value):
        inner = {f.name: _plain(getattr(value, f.name), arrays) for f in fields(value)}
        return {"$": type(value).__name__, **inner}
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.asarray(value, order="C")
        return {"$array": name}
    if isinstance(value, dict):
        return {key: _plain(item, arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, arrays) for item in value]
    return value


def _build(value: Any, arrays: dict[str, np.ndarray[Any, Any]], sequence: type[Any] = tuple) -> Any:
    """A message's own fields are tuples; an experiment's tree, a plain dict, keeps its lists."""
    if isinstance(value, list):
        return sequence(_build(item, arrays, sequence) for item in value)
    if not isinstance(value, dict):
        return value
    if "$array" in value:
        return arrays[value["$array"]]
    sequence = tuple if "$" in value else list
    inner = {key: _build(item, arrays, sequence) for key, item in value.items() if key != "$"}
    return CLASSES[value["$"]](**inner) if "$" in value else inner
