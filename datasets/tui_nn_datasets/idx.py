"""IDX files, the format MNIST is published in: bytes behind a header of sizes (LeCun et al.)."""

import gzip
import math
import zlib
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tui_nn_datasets.dataset import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNSIGNED_BYTE = 0x08
_DEFLATE_AT_MOST = 1032
"""How many bytes one byte of a gzip file can unpack to."""


@contextmanager
def unpacked(path: Path) -> "Iterator[BufferedIOBase]":
    """Open a file, gzipped or not (its first bytes tell, not its name), to read its content.

    Raises:
        DataError: it cannot be read, or its compressed content is damaged; also within the block.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            with gzip.GzipFile(fileobj=file) if packed else file as content:
                yield content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: damaged gzip file ({error}); get it again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Read unsigned bytes with that many dimensions from an IDX file, gzipped or not.

    Returns:
        uint8, of the shape the header tells.

    Raises:
        DataError: the file cannot be read, is no such file, or is not as long as its header says.
    """
    with unpacked(path) as content:
        magic = bytes((0, 0, _UNSIGNED_BYTE, dimensions))
        found = content.read(4)
        if found != magic:
            raise DataError(
                f"{path}: not an IDX file of bytes in {dimensions} dimensions: it begins with "
                f"{found.hex(' ') or 'nothing'} in place of {magic.hex(' ')}"
            )
        header = content.read(4 * dimensions)
        if len(header) < 4 * dimensions:
            raise DataError(f"{path}: truncated within its header; get it again")
        shape = tuple(np.frombuffer(header, dtype=">u4").tolist())
        size = math.prod(shape)
        _check_size(path, size, packed=isinstance(content, gzip.GzipFile))
        array = np.empty(size, dtype=np.uint8)
        _fill(path, array, content)
        if content.read(1):
            raise DataError(f"{path}: more bytes than the {size} its header tells of; get it again")
    return array.reshape(shape)


def _check_size(path: Path, size: int, *, packed: bool) -> None:
    """Refuse a size the file cannot hold before memory is taken for it."""
    most = path.stat().st_size * (_DEFLATE_AT_MOST if packed else 1)
    if size > most:
        raise DataError(
            f"{path}: truncated or foreign: its header tells of {size} bytes, "
            f"but it holds {most} at most"
        )


def _fill(path: Path, array: np.ndarray, content: BufferedIOBase) -> None:
    done = 0
    while done < array.size:
        chunk = content.read(min(1 << 20, array.size - done))
        if not chunk:
            raise DataError(
                f"{path}: truncated: {done} of the {array.size} bytes its header tells of; "
                "get it again"
            )
        array[done : done + len(chunk)] = np.frombuffer(chunk, dtype=np.uint8)
        done += len(chunk)
