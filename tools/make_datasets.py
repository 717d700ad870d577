"""Make the files of datasets/tui_nn_datasets/data anew.

    python tools/make_datasets.py FOLDER

FOLDER holds the four IDX files of MNIST, gzipped or not, and co2.csv, the weekly table that
statsmodels ships (statsmodels/datasets/co2). The small tables are those that scikit-learn ships,
which is needed for this alone. The same inputs give the same bytes. (words.txt is written by hand.)
"""

import csv
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes, load_digits, load_iris

from tui_nn_datasets.idx import read_idx

DATA = Path(__file__).parents[1] / "datasets" / "tui_nn_datasets" / "data"


def evenly_spaced(labels: np.ndarray, each: int) -> np.ndarray:
    """Return, in file order, the indices of `each` images of every digit.

    Of the n images of a digit, counted from 0 in file order, these are the floor(i n / each)-th.
    """
    chosen = []
    for digit in range(10):
        of_digit = np.flatnonzero(labels == digit)
        chosen.append(of_digit[np.arange(each) * len(of_digit) // each])
    return np.sort(np.concatenate(chosen))


def idx(folder: Path, name: str, dimensions: int) -> np.ndarray:
    """Read one of MNIST's files, gzipped or not."""
    path = folder / name
    return read_idx(path if path.exists() else folder / f"{name}.gz", dimensions)


def make_mnist_small(folder: Path) -> None:
    """Take 1,000 training and 200 test images of each digit."""
    arrays = {}
    for part, each, suffix in (("train", 1000, ""), ("t10k", 200, "_test")):
        labels = idx(folder, f"{part}-labels-idx1-ubyte", 1)
        chosen = evenly_spaced(labels, each)
        arrays["x" + suffix] = idx(folder, f"{part}-images-idx3-ubyte", 3)[chosen]
        arrays["y" + suffix] = labels[chosen]
    np.savez_compressed(DATA / "mnist_small.npz", **arrays)


def make_digits() -> None:
    """Store the 8 x 8 digits as bytes."""
    digits = load_digits()
    np.savez_compressed(
        DATA / "digits.npz", x=digits.images.astype(np.uint8), y=digits.target.astype(np.uint8)
    )


def write_table(name: str, header: list[str], columns: list[list[object]]) -> None:
    """Write a CSV file; numbers as short as they can be without changing."""
    with (DATA / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(zip(*columns, strict=True))


def shortest(column: np.ndarray) -> list[object]:
    """Return whole numbers as ints, so that they are written without a fraction."""
    return [int(value) if value == int(value) else float(value) for value in column]


def make_iris() -> None:
    """Write the irises with the names of their species."""
    iris = load_iris()
    species = [str(iris.target_names[number]) for number in iris.target]
    inputs = [shortest(column) for column in iris.data.T]
    write_table("iris.csv", [*iris.feature_names, "species"], [*inputs, list(species)])


def make_diabetes() -> None:
    """Write the diabetes table in raw units, the serum measurements under their own names."""
    diabetes = load_diabetes(scaled=False)
    serum = ["tc", "ldl", "hdl", "tch", "ltg", "glu"]
    inputs = [shortest(column) for column in diabetes.data.T]
    header = [*diabetes.feature_names[:4], *serum, "progression"]
    write_table("diabetes.csv", header, [*inputs, shortest(diabetes.target)])


def make_co2(folder: Path) -> None:
    """Write the mean of each month's weeks; months without one are drawn on a line between others.

    The weeks of a month are those whose date lies in it.
    """
    with (folder / "co2.csv").open(encoding="utf-8") as file:
        weeks = [(row["date"], row["co2"]) for row in csv.DictReader(file)]
    months = [f"{year}-{month:02}" for year in range(1958, 2002) for month in range(1, 13)]
    months = months[2:]  # it begins in March 1958
    by_month: dict[str, list[float]] = {month: [] for month in months}
    for date, value in weeks:
        if value:
            by_month[f"{date[:4]}-{date[4:6]}"].append(float(value))
    known = [i for i, month in enumerate(months) if by_month[month]]
    means = [np.mean(by_month[months[i]]) for i in known]
    filled = np.interp(np.arange(len(months)), known, means).round(2)
    write_table("co2.csv", ["month", "ppm"], [list(months), shortest(filled)])


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    DATA.mkdir(exist_ok=True)
    make_mnist_small(Path(sys.argv[1]))
    make_digits()
    make_iris()
    make_diabetes()
    make_co2(Path(sys.argv[1]))
    for path in sorted(DATA.iterdir()):
        print(f"{path.stat().st_size:>9,}  {path.name}")


if __name__ == "__main__":
    main()
