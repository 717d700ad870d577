"""What all tests share: folders of their own, and a screen that does not move by itself."""

import os

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read once, when Textual is imported

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time, so that a change is judged by what it changes. To look for new ones:
# HYPOTHESIS_PROFILE=random.
settings.register_profile("same", derandomize=True)
settings.register_profile("random", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test, and the processes it starts, would keep for the user stays in its own folder."""
    monkeypatch.setenv("TUI_NN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("TUI_NN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TUI_NN_PROGRESS", str(tmp_path / "progress.json"))


XOR = """
[data]
name = "xor"
[[layers]]
type = "dense"
units = 4
activation = "tanh"
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
[loss]
type = "binary_crossentropy"
[optimizer]
type = "adam"
learning_rate = 0.1
[training]
epochs = 5
batch_size = 2
"""
MNIST = """
[data]
name = "mnist_small"
[[layers]]
type = "dense"
units = 512
activation = "relu"
[[layers]]
type = "dense"
units = 10
activation = "softmax"
[loss]
type = "categorical_crossentropy"
[optimizer]
type = "adam"
[training]
epochs = 1
batch_size = 128
"""
MOONS = """
seed = 3
[data]
name = "moons"
samples = 60
[[layers]]
type = "dense"
units = 6
activation = "tanh"
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
[loss]
type = "binary_crossentropy"
[training]
epochs = 3
batch_size = 16
threads = 1
"""


@pytest.fixture
def xor(tmp_path: Path) -> Path:
    """An experiment file trained in no time: 2-4-1 on exclusive or, two updates an epoch."""
    path = tmp_path / "xor.toml"
    path.write_text(XOR)
    return path


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """An experiment file of 784-512-10, an epoch of mnist_small."""
    path = tmp_path / "mnist.toml"
    path.write_text(MNIST)
    return path


@pytest.fixture
def moons(tmp_path: Path) -> Path:
    """An experiment file of 2-6-1 on two moons, three epochs, with the usual optimizer."""
    path = tmp_path / "moons.toml"
    path.write_text(MOONS)
    return path
