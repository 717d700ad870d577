"""Data for tui-nn: embedded sets, generators, a person's own tables. Imports NumPy alone."""

from tui_nn_datasets.catalog import Entry, entries, load, options
from tui_nn_datasets.dataset import NO_TARGET, DataError, Dataset, Task
from tui_nn_datasets.mnist import cache_folder
from tui_nn_datasets.mnist import fetch as fetch_mnist
from tui_nn_datasets.mnist import install as install_mnist
from tui_nn_datasets.randomness import stream
from tui_nn_datasets.splits import split, split_in_time
from tui_nn_datasets.tables import read_inputs
from tui_nn_datasets.text import LINE_END, encoded

__all__ = [
    "LINE_END",
    "NO_TARGET",
    "DataError",
    "Dataset",
    "Entry",
    "Task",
    "cache_folder",
    "encoded",
    "entries",
    "fetch_mnist",
    "install_mnist",
    "load",
    "options",
    "read_inputs",
    "split",
    "split_in_time",
    "stream",
]
