"""The whole MNIST: 70,000 digits in four files, fetched once into the user's cache."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from tui_nn_datasets.dataset import DataError, Dataset, Entry
from tui_nn_datasets.idx import read_idx, unpacked
from tui_nn_datasets.images import DIGITS, MNIST_LICENCE, MNIST_SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

Progress = Callable[[str, int, int], None]
"""Told (file, bytes done, bytes in all; 0 where the mirror does not say)."""

SUMS: Mapping[str, str] = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""SHA-256 of each file unpacked: the mirrors' gzip files differ, what is in them does not."""

MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)

_LARGEST = 64_000_000
"""Bytes; the largest file unpacks to 47,040,016, so what goes on beyond this is not MNIST."""
_CHUNK = 1 << 16
"""Bytes read at a time while downloading."""
_TIMEOUT = 30
"""Seconds without an answer before a mirror is given up."""

ENTRY = Entry(
    name="mnist",
    kind="images",
    task="classification",
    shape=(28, 28),
    samples=60_000,
    classes=10,
    dtype="uint8",
    source=MNIST_SOURCE,
    licence=MNIST_LICENCE,
    description="Handwritten digits, all 60,000 for training and 10,000 for testing",
)


def cache_folder() -> Path:
    """Return where fetched data is kept: $TUI_NN_DATA, or "data" in the user's cache."""
    if chosen := os.environ.get("TUI_NN_DATA"):
        return Path(chosen)
    from platformdirs import user_cache_path  # only those who fetch pay for it

    return user_cache_path("tui-nn") / "data"


def _folder() -> Path:
    return cache_folder() / "mnist"


def available() -> bool:
    """Whether all four files are in the cache."""
    return not _missing(_folder(), SUMS)


def mnist() -> Dataset:
    """Return the whole MNIST out of the cache.

    Raises:
        DataError: it was not fetched yet, or a file is damaged.
    """
    if not available():
        raise DataError(
            "mnist is not here yet: run `tui-nn data fetch mnist` (12 MB), or "
            "`tui-nn data fetch mnist --from FOLDER` for files at hand; "
            "mnist_small is always here"
        )
    return ENTRY.dataset(*_part("train"), target_names=DIGITS, test=_part("t10k"))


def _part(part: str) -> tuple[np.ndarray, np.ndarray]:
    images = _find(_folder(), f"{part}-images-idx3-ubyte")
    labels = _find(_folder(), f"{part}-labels-idx1-ubyte")
    if images is None or labels is None:
        raise DataError(f"mnist: files of {part} are gone; run `tui-nn data fetch mnist` again")
    x = read_idx(images, 3)
    if x.shape[1:] != ENTRY.shape:
        raise DataError(f"{images}: images of {x.shape[1:]}, not of {ENTRY.shape}: not MNIST")
    return x, read_idx(labels, 1).astype(np.int64)


def fetch(
    progress: Progress | None = None,
    *,
    mirrors: Sequence[str] = MIRRORS,
    sums: Mapping[str, str] = SUMS,
) -> Path:
    """Bring the files into the cache, each from the first mirror that has it whole.

    A file that is there already is not fetched again. Whatever ends this early, an exception out of
    `progress` too, leaves whole files or none.

    Args:
        progress: told about each piece that arrives.
        mirrors: addresses of folders, in the order to try them.
        sums: the files' names and the SHA-256 of their unpacked content.

    Returns:
        the folder they are in.

    Raises:
        DataError: no mirror has a file, or the cache cannot be written to.
    """
    folder = _folder()
    with _staging(folder) as staging:
        for name, digest in sums.items():
            present = folder / name
            if not (present.is_file() and _sum(present) == digest):
                _fetch_file(name, digest, staging, mirrors, progress)
                (staging / name).replace(present)
    return folder


def install(folder: str | Path, *, sums: Mapping[str, str] = SUMS) -> Path:
    """Copy files at hand, gzipped or not, into the cache: all of them, or none.

    Args:
        folder: where the files are, named as in `sums`, with or without ".gz".
        sums: the files' names and the SHA-256 of their unpacked content.

    Returns:
        the folder they are in now.

    Raises:
        DataError: a file is missing, damaged or not the right one, or the cache is not writable.
    """
    source = Path(folder)
    if missing := _missing(source, sums):
        raise DataError(
            f"{source}: no {', '.join(missing)} here; put the files there, gzipped (.gz) or not"
        )
    target = _folder()
    with _staging(target) as staging:
        for name, digest in sums.items():
            if (found := _find(source, name)) is not None:
                _unpack(found, staging / name, digest)
        for name in sums:
            (staging / name).replace(target / name)
    return target


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _missing(folder: Path, names: Mapping[str, str]) -> list[str]:
    return [name for name in names if _find(folder, name) is None]


@contextmanager
def _staging(folder: Path) -> "Iterator[Path]":
    """Give a passing folder beside the files, so that a finished one is moved in one step."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".staging-", dir=folder) as staging:
            yield Path(staging)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written to ({error.strerror or error}); free it, or set "
            "TUI_NN_DATA to another folder"
        ) from error


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        sha = sha256()
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()


def _unpack(source: Path, target: Path, digest: str) -> None:
    """Copy the unpacked content and check its sum; stop where it grows beyond all reason."""
    size = 0
    with target.open("wb") as out, unpacked(source) as content:
        sha = sha256()
        while chunk := content.read(1 << 20):
            size += len(chunk)
            if size > _LARGEST:
                raise DataError(f"{source}: larger than any file of MNIST; get the right one")
            sha.update(chunk)
            _write(out, chunk)
    if sha.hexdigest() != digest:
        raise DataError(
            f"{source}: not the file it should be: its unpacked content has the SHA-256 "
            f"{sha.hexdigest()}, and should have {digest}; get it again"
        )


def _write(out: BinaryIO, chunk: bytes) -> None:
    try:
        out.write(chunk)
    except OSError as error:
        raise DataError(f"{out.name}: cannot be written ({error.strerror or error})") from error


class _Bar:
    """What pooch tells of a download, told on."""

    def __init__(self, name: str, progress: Progress | None) -> None:
        self.total = 0
        self._done = 0
        self._name = name
        self._progress = progress

    def update(self, size: int) -> None:
        self._done += size
        if self._done > _LARGEST:
            raise DataError("sends more than any file of MNIST holds")
        if self._progress is not None:
            done = min(self._done, self.total) if self.total else self._done
            self._progress(self._name, done, self.total)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        pass


def _fetch_file(
    name: str, digest: str, staging: Path, mirrors: Sequence[str], progress: Progress | None
) -> None:
    from pooch import HTTPDownloader  # only those who fetch pay for it

    packed = staging / f"{name}.gz"
    problems = []
    for mirror in mirrors:
        download = HTTPDownloader(
            progressbar=_Bar(name, progress), chunk_size=_CHUNK, timeout=_TIMEOUT
        )
        try:
            download(f"{mirror.rstrip('/')}/{name}.gz", str(packed), None)
            _unpack(packed, staging / name, digest)
        except (DataError, OSError, ValueError) as error:
            problems.append(f"  {mirror}: {_reason(error)}")
        else:
            return
    raise DataError("\n".join((f"mnist: {name} could not be fetched:", *problems, _BY_HAND)))


def _reason(error: Exception) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"answers {response.status_code}"
    if isinstance(error, DataError):
        return str(error)
    return f"no answer ({type(error).__name__})"


_BY_HAND = "\n".join(
    (
        "Without a network, bring these files of the MNIST database by other means (any computer",
        "that reaches one of the addresses above will do; gzipped or not) into one folder:",
        *(f"  {name}.gz" for name in SUMS),
        "and run `tui-nn data fetch mnist --from FOLDER`.",
    )
)
