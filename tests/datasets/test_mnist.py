"""Fetching and installing MNIST: tiny files in its place, from a server of our own."""

import gzip
import threading
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from tui_nn_datasets import DataError, cache_folder, entries, fetch_mnist, install_mnist, load
from tui_nn_datasets import mnist as mnist_module

REAL = Path(__file__).parents[3] / "shared" / "data" / "mnist"


def idx(array: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes((0, 0, 8, array.ndim)) + sizes + array.astype(np.uint8).tobytes()


def images(count: int) -> np.ndarray:
    return np.arange(count * 784).reshape(count, 28, 28) % 251


FILES = {
    "train-images-idx3-ubyte": idx(images(20)),
    "train-labels-idx1-ubyte": idx(np.arange(20) % 10),
    "t10k-images-idx3-ubyte": idx(images(10)),
    "t10k-labels-idx1-ubyte": idx(np.arange(10)),
}
SUMS = {name: sha256(content).hexdigest() for name, content in FILES.items()}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TUI_NN_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "cache" / "mnist"


def fill(folder: Path, suffix: str = ".gz") -> Path:
    folder.mkdir()
    for name, content in FILES.items():
        stored = gzip.compress(content) if suffix else content
        (folder / f"{name}{suffix}").write_bytes(stored)
    return folder


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Yield a folder of files and the address it is served at."""
    folder = fill(tmp_path / "served")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def stored(cache: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in cache.iterdir()} if cache.exists() else {}


def available() -> bool:
    return next(entry.available for entry in entries() if entry.name == "mnist")


def test_before_it_is_fetched_it_says_how_to():
    assert not available()
    with pytest.raises(DataError, match="tui-nn data fetch mnist"):
        load("mnist")


def test_fetched_it_is_there_whole(served, cache):
    seen: list[tuple[str, int, int]] = []
    folder = fetch_mnist(lambda *told: seen.append(told), mirrors=[served[1]], sums=SUMS)
    assert folder == cache
    assert stored(cache) == FILES
    assert available()
    for name in FILES:
        size = (served[0] / f"{name}.gz").stat().st_size
        assert (name, size, size) in seen
    assert all(done <= total for _, done, total in seen)
    data = load("mnist")
    assert np.array_equal(data.x, images(20))
    assert data.x_test is not None
    assert np.array_equal(data.x_test, images(10))
    assert data.y.tolist() == [*range(10), *range(10)]
    assert data.y.dtype == np.int64


def test_what_is_there_already_is_not_fetched_again(served, cache):
    fetch_mnist(mirrors=[served[1]], sums=SUMS)
    fetch_mnist(mirrors=[], sums=SUMS)
    (cache / "t10k-labels-idx1-ubyte").write_bytes(b"damaged")
    fetched: set[str] = set()
    fetch_mnist(lambda name, *_: fetched.add(name), mirrors=[served[1]], sums=SUMS)
    assert fetched == {"t10k-labels-idx1-ubyte"}
    assert stored(cache) == FILES


def test_a_mirror_that_fails_gives_way_to_the_next(served, cache):
    nobody = "http://127.0.0.1:9/"
    fetch_mnist(mirrors=[nobody, f"{served[1]}nowhere/", served[1]], sums=SUMS)
    assert stored(cache) == FILES


def test_a_mirror_with_another_file_gives_way_to_the_next(served, cache):
    other = served[0] / "other"
    other.mkdir()
    for name in FILES:
        (other / f"{name}.gz").write_bytes(gzip.compress(b"something else"))
    fetch_mnist(mirrors=[f"{served[1]}other", served[1]], sums=SUMS)
    assert stored(cache) == FILES


def test_a_mirror_may_serve_the_file_unpacked(served, cache):
    for name, content in FILES.items():
        (served[0] / f"{name}.gz").write_bytes(content)
    fetch_mnist(mirrors=[served[1]], sums=SUMS)
    assert stored(cache) == FILES


def test_when_all_mirrors_fail_it_says_why_and_what_to_do_by_hand(served, cache):
    wrong = {name: sha256(b"").hexdigest() for name in SUMS}
    nobody, nowhere = "http://127.0.0.1:9/", f"{served[1]}nowhere/"
    with pytest.raises(DataError) as caught:
        fetch_mnist(mirrors=[nobody, nowhere, served[1]], sums=wrong)
    message = str(caught.value)
    assert f"{nobody}: no answer (ConnectionError)" in message
    assert f"{nowhere}: answers 404" in message
    assert f"{served[1]}: " in message
    assert f"has the SHA-256 {SUMS['train-images-idx3-ubyte']}" in message
    assert "tui-nn data fetch mnist --from FOLDER" in message
    assert all(f"{name}.gz" in message for name in FILES)
    assert stored(cache) == {}


@pytest.mark.parametrize("damage", [lambda packed: packed[:-20], lambda packed: b"", bytes])
def test_damaged_downloads_leave_nothing(served, cache, damage):
    for path in served[0].glob("*.gz"):
        path.write_bytes(damage(path.read_bytes()))
    kept = stored(cache)
    sums = dict.fromkeys(SUMS, "0" * 64)
    with pytest.raises(DataError, match="could not be fetched"):
        fetch_mnist(mirrors=[served[1]], sums=sums)
    assert stored(cache) == kept == {}


def test_interrupted_it_leaves_whole_files_or_none(served, cache):
    def interrupt(name: str, done: int, total: int) -> None:
        if name == "t10k-images-idx3-ubyte":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_mnist(interrupt, mirrors=[served[1]], sums=SUMS)
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    assert stored(cache) == {name: FILES[name] for name in names}
    assert not available()


def test_a_file_without_end_is_cut_off(served, cache, monkeypatch):
    monkeypatch.setattr(mnist_module, "_LARGEST", 200_000)
    bomb = gzip.compress(bytes(1_000_000))
    (served[0] / "train-images-idx3-ubyte.gz").write_bytes(bomb)
    with pytest.raises(DataError, match="larger than any file of MNIST"):
        fetch_mnist(mirrors=[served[1]], sums={"train-images-idx3-ubyte": "0"})
    (served[0] / "train-images-idx3-ubyte.gz").write_bytes(bytes(300_000))
    with pytest.raises(DataError, match="sends more than any file of MNIST holds"):
        fetch_mnist(mirrors=[served[1]], sums={"train-images-idx3-ubyte": "0"})


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_files_at_hand_are_installed_unpacked(tmp_path, cache, suffix):
    assert install_mnist(fill(tmp_path / "hand", suffix), sums=SUMS) == cache
    assert stored(cache) == FILES
    assert load("mnist").classes == 10


def test_a_missing_file_is_named_and_nothing_installed(tmp_path, cache):
    folder = fill(tmp_path / "hand")
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="no t10k-labels-idx1-ubyte here"):
        install_mnist(folder, sums=SUMS)
    assert stored(cache) == {}


@pytest.mark.parametrize(
    "content", [b"", b"other", gzip.compress(b"other", mtime=0), b"\x1f\x8b\x08"]
)
def test_a_wrong_file_is_named_and_nothing_installed(tmp_path, cache, content):
    folder = fill(tmp_path / "hand")
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz: "):
        install_mnist(folder, sums=SUMS)
    assert stored(cache) == {}


def test_a_cache_that_cannot_be_written_to_is_named(tmp_path, monkeypatch):
    folder = fill(tmp_path / "hand")
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TUI_NN_DATA", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot be written to .*TUI_NN_DATA"):
        install_mnist(folder, sums=SUMS)


def test_files_copied_gzipped_into_the_cache_are_read(tmp_path, cache):
    cache.parent.mkdir()
    fill(cache)
    assert available()
    assert load("mnist").digest() == load("mnist").digest()
    assert len(load("mnist").x) == 20


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-images-idx3-ubyte", FILES["train-images-idx3-ubyte"][:-1], "truncated"),
        ("train-labels-idx1-ubyte", idx(np.arange(19) % 10), "20 samples but 19 targets"),
        ("t10k-labels-idx1-ubyte", idx(np.arange(10) + 1), "the targets go from 1 to 10"),
        ("t10k-images-idx3-ubyte", idx(np.zeros((10, 8, 8))), "not MNIST"),
        ("t10k-images-idx3-ubyte", FILES["t10k-labels-idx1-ubyte"], "not an IDX file"),
    ],
)
def test_damaged_files_in_the_cache_are_refused(tmp_path, cache, name, content, message):
    install_mnist(fill(tmp_path / "hand"), sums=SUMS)
    (cache / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        load("mnist")


def test_without_a_choice_the_cache_is_the_users(monkeypatch):
    import platformdirs

    monkeypatch.delenv("TUI_NN_DATA")
    assert cache_folder() == platformdirs.user_cache_path("tui-nn") / "data"


@pytest.mark.skipif(not REAL.exists(), reason="the files of MNIST are not beside the checkout")
def test_the_real_files_have_the_sums_that_are_expected():
    install_mnist(REAL)
    data = load("mnist")
    entry = next(entry for entry in entries() if entry.name == "mnist")
    assert data.x.shape == (entry.samples, *entry.shape) == (60000, 28, 28)
    assert data.x_test is not None
    assert data.x_test.shape == (10000, 28, 28)
    assert data.y[:5].tolist() == [5, 0, 4, 1, 9]
    fetch_mnist(mirrors=[])  # finds every file there with its right sum
