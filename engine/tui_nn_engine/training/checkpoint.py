"""Checkpoints: one training state in one safetensors file, read without executing anything."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as read_arrays
from safetensors.numpy import save as pack_arrays

from tui_nn_engine.experiments.files import write_atomically
from tui_nn_engine.training.state import Snapshot

FORMAT = "tui-nn checkpoint 1"
MAX_BYTES = 8 * 2**30


class CheckpointError(Exception):
    """A file that can't be used as a checkpoint; says which, why, and what to do."""


@dataclass(frozen=True)
class Checkpoint:
    """A state, and the SHA-256 of the data it was trained on."""

    snapshot: Snapshot
    data_sha256: str


def pack(checkpoint: Checkpoint) -> bytes:
    """The content of a checkpoint file."""
    snapshot = checkpoint.snapshot
    about = {
        "format": FORMAT,
        "iteration": str(snapshot.iteration),
        "epoch": str(snapshot.epoch),
        "batch": str(snapshot.batch),
        "data_sha256": checkpoint.data_sha256,
    }
    # As one text: the library writes several in any order, and equal runs have equal files.
    return pack_arrays(dict(snapshot.arrays), {"tui-nn": json.dumps(about)})


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write it atomically: until it is whole, the file that was there stays. Raises OSError."""
    write_atomically(path, pack(checkpoint))


def load(path: Path) -> Checkpoint:
    """Read and check it. Raises CheckpointError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{path} is too large for a checkpoint")
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"can't read {path}: {error.strerror}") from None
    about = _metadata(path, content)
    try:
        numbers = {name: int(about[name]) for name in ("iteration", "epoch", "batch")}
        arrays: dict[str, np.ndarray[Any, Any]] = read_arrays(content)
        sha256 = about["data_sha256"]
    except (SafetensorError, KeyError, ValueError, TypeError, OverflowError):
        raise CheckpointError(f"{path} is damaged; an older checkpoint may be whole") from None
    if not all(0 <= number < 2**63 for number in numbers.values()):
        raise CheckpointError(f"{path} is damaged: it stands at an impossible place ({numbers})")
    if "parameters" in arrays and not np.isfinite(arrays["parameters"]).all():
        raise CheckpointError(f"{path} is damaged: it holds weights that are not finite")
    return Checkpoint(Snapshot(arrays=arrays, **numbers), sha256)


def _metadata(path: Path, content: bytes) -> dict[str, str]:
    """The header's metadata, which the library's NumPy reader does not give."""
    length = int.from_bytes(content[:8], "little")
    foreign = CheckpointError(f"{path} is no checkpoint of tui-nn")
    if len(content) < 8 or length > len(content) - 8:
        raise CheckpointError(f"{path} is truncated or no checkpoint of tui-nn")
    try:
        about = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["tui-nn"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise foreign from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise foreign
    return about
