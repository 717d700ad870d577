"""What is handed out: the wheel holds the three packages, whole, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "tui_nn": ROOT / "tui_nn",
    "tui_nn_engine": ROOT / "engine" / "tui_nn_engine",
    "tui_nn_datasets": ROOT / "datasets" / "tui_nn_datasets",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation"]
    options = ["--no-index", "--disable-pip-version-check", "-w", str(folder)]
    done = subprocess.run([*build, *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_nothing_else_at_the_top(names):
    assert {name.partition("/")[0] for name in names} == {*PACKAGES, "tui_nn-0.1.0.dist-info"}


def test_the_packages_are_whole(names):
    """Every file of the sources: styles, lessons, data with its licences, py.typed."""
    sources = {
        f"{package}/{file.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in names if ".dist-info/" not in name} == sources
    assert {f"{package}/py.typed" for package in PACKAGES} <= sources
    assert "tui_nn_datasets/data/mnist_small.npz" in sources
    assert "tui_nn_datasets/data/mnist_small.LICENCE.txt" in sources
    assert "tui_nn/app.tcss" in sources


def test_the_licence_comes_along(names):
    assert "tui_nn-0.1.0.dist-info/licenses/LICENSE" in names


def test_it_trains_from_the_wheel_alone(wheel, xor):
    """Imported out of the zip: not one file of the source tree is used."""
    script = (
        "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
        "import tui_nn, tui_nn_engine, tui_nn_datasets\n"
        "for package in (tui_nn, tui_nn_engine, tui_nn_datasets):\n"
        "    assert '.whl' in package.__file__, package.__file__\n"
        "from tui_nn.cli import main; main()\n"
    )
    words = [str(wheel), "train", str(xor), "--quiet"]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
