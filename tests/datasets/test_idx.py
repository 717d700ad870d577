import gzip
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_nn_datasets import DataError
from tui_nn_datasets.idx import read_idx


def header(*shape: int, kind: int = 8) -> bytes:
    return bytes((0, 0, kind, len(shape))) + b"".join(size.to_bytes(4, "big") for size in shape)


IMAGES = header(2, 2, 3) + bytes(range(12))
# Without the time, which would give the tests of two workers different names.
PACKED = gzip.compress(IMAGES, mtime=0)


@pytest.mark.parametrize("content", [IMAGES, PACKED])
@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_gzipped_or_not_the_bytes_are_the_same(tmp_path: Path, content, name):
    path = tmp_path / name
    path.write_bytes(content)
    images = read_idx(path, 3)
    assert images.dtype == np.uint8
    assert np.array_equal(images, np.arange(12).reshape(2, 2, 3))
    assert images.flags.writeable


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"\x00\x00\x08", "begins with 00 00 08"),
        (header(2, kind=13) + bytes(2), "not an IDX file of bytes in 3 dimensions"),
        (header(2) + bytes(2), "begins with 00 00 08 01 in place of 00 00 08 03"),
        (b"PK\x03\x04 another kind of file", "not an IDX file"),
        (IMAGES[:9], "truncated within its header"),
        (IMAGES[:-1], r"truncated: 11 of the 12 bytes"),
        (IMAGES + b"\0", "more bytes than the 12"),
        (gzip.compress(IMAGES[:-1], mtime=0), r"truncated: 11 of the 12 bytes"),
        (gzip.compress(IMAGES + b"\0", mtime=0), "more bytes than the 12"),
        (PACKED[:-9], "damaged gzip file"),
        (PACKED[:-8] + bytes(8), "damaged gzip file"),
        (PACKED[:10] + b"\xff" * 8 + PACKED[18:], "damaged gzip file"),
        (b"\x1f\x8b", "damaged gzip file"),
        (header(2**32 - 1, 2**32 - 1, 2**32 - 1), "truncated or foreign"),
        (header(60000, 28, 28) + bytes(784), "truncated or foreign"),
        (gzip.compress(header(2**32 - 1, 28, 28), mtime=0), "truncated or foreign"),
    ],
)
def test_what_is_no_such_file_is_refused_by_name(tmp_path: Path, content, message):
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)


def test_sizes_that_lie_take_no_memory(tmp_path: Path):
    path = tmp_path / "images"
    path.write_bytes(header(2**20, 28, 28) + bytes(100))
    tracemalloc.start()
    try:
        with pytest.raises(DataError):
            read_idx(path, 3)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"none: cannot be read \(No such file"):
        read_idx(tmp_path / "none", 3)


@given(st.one_of(st.binary(max_size=64), st.binary(max_size=64).map(lambda b: header(2, 3) + b)))
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    with suppress(DataError):
        assert read_idx(path, 2).ndim == 2
