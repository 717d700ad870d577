"""The embedded sets hold what their sources hold."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from tui_nn_datasets import DataError, images, load
from tui_nn_datasets.idx import read_idx

DATA = Path(images.__file__).parent / "data"
REAL = Path(__file__).parents[3] / "shared" / "data" / "mnist"


FILES = ("mnist_small.npz", "digits.npz", "iris.csv", "diabetes.csv", "co2.csv", "words.txt")


def short(array: np.ndarray) -> str:
    return sha256(array.tobytes()).hexdigest()[:16]


def test_mnist_small_has_as_many_of_each_digit():
    data = load("mnist_small")
    assert (data.x.dtype, data.y.dtype) == (np.uint8, np.int64)
    assert np.bincount(data.y).tolist() == [1000] * 10
    assert data.x_test is not None
    assert data.y_test is not None
    assert data.x_test.shape == (2000, 28, 28)
    assert np.bincount(data.y_test).tolist() == [200] * 10
    assert (data.x.min(), data.x.max()) == (0, 255)


def test_mnist_small_is_the_images_it_says():
    data = load("mnist_small")
    assert data.digest() == "dc4551f251fa2f90bf23f6fcda40a4a41d61344f5f5066e38dfef4562aef8c8b"
    assert data.y[:10].tolist() == [5, 0, 4, 1, 9, 2, 3, 6, 7, 8]
    assert [short(data.x[i]) for i in (0, 1, 9999)] == [
        "23ceaef5eb61f0e7",
        "2d1c3087ac5f2bed",
        "db9249db6300414e",
    ]


@pytest.mark.skipif(not REAL.exists(), reason="the files of MNIST are not beside the checkout")
def test_mnist_small_is_evenly_spaced_in_the_real_files():
    data = load("mnist_small")
    for part, each, x, y in (
        ("train", 1000, data.x, data.y),
        ("t10k", 200, data.x_test, data.y_test),
    ):
        labels = read_idx(REAL / f"{part}-labels-idx1-ubyte.gz", 1)
        pictures = read_idx(REAL / f"{part}-images-idx3-ubyte.gz", 3)
        wanted = []
        for digit in range(10):
            of_digit = [place for place, label in enumerate(labels) if label == digit]
            wanted += [of_digit[int(i * len(of_digit) / each)] for i in range(each)]
        wanted.sort()
        assert x is not None
        assert y is not None
        assert np.array_equal(x, pictures[wanted])
        assert np.array_equal(y, labels[wanted])


def test_the_small_tables_are_those_of_scikit_learn():
    published = pytest.importorskip("sklearn.datasets")
    iris, other = load("iris"), published.load_iris()
    assert np.array_equal(iris.x, other.data)
    assert np.array_equal(iris.y, other.target)
    assert iris.target_names == tuple(other.target_names)
    assert iris.input_names == tuple(other.feature_names)
    digits, other = load("digits"), published.load_digits()
    assert np.array_equal(digits.x, other.images)
    assert np.array_equal(digits.y, other.target)
    diabetes, other = load("diabetes"), published.load_diabetes(scaled=False)
    assert np.array_equal(diabetes.x, other.data)
    assert np.array_equal(diabetes.y[:, 0], other.target)
    assert diabetes.input_names[:4] == tuple(other.feature_names[:4])


def test_the_small_tables_never_change():
    names = ("digits", "iris", "diabetes", "co2", "words")
    digests = {name: load(name).digest()[:16] for name in names}
    assert digests == {
        "digits": "1fa49054f5d5ba0b",
        "iris": "c9a2400f2744c466",
        "diabetes": "60b7eb451e064131",
        "co2": "b01daf74d9866b96",
        "words": "2bb26387c548d8b5",
    }


@pytest.mark.parametrize("name", FILES)
def test_every_file_has_its_licence_beside_it_and_its_line_in_the_readme(name):
    assert (DATA / name).is_file()
    assert (DATA / f"{Path(name).stem}.LICENCE.txt").is_file()
    assert f"`{name}`" in (DATA / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x80\x04pickle"])
def test_a_damaged_file_is_named(tmp_path, monkeypatch, content):
    (tmp_path / "digits.npz").write_bytes(content)
    monkeypatch.setattr(images, "_FOLDER", tmp_path)
    with pytest.raises(DataError, match=r"digits\.npz: damaged .*install tui-nn again"):
        load("digits")


def test_a_pickle_in_disguise_is_not_run(tmp_path, monkeypatch):
    objects = np.array([{"any": "object"}], dtype=object)
    np.savez(tmp_path / "digits.npz", allow_pickle=True, x=objects, y=objects)
    monkeypatch.setattr(images, "_FOLDER", tmp_path)
    with pytest.raises(DataError, match="allow_pickle=False"):
        load("digits")
