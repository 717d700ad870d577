"""A test that hangs is ended within its limit and named, and those after it are run."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
HANGING = """
from textual.app import App

async def test_that_hangs():
    async with App().run_test() as pilot:
        while True:  # whatever is raised within the app's tasks is swallowed
            try:
                await pilot.pause(0.05)
            except BaseException:
                pass

def test_after_it():
    pass
"""


def test_a_hang_in_an_app_is_ended_and_named(tmp_path: Path) -> None:
    (tmp_path / "test_hanging.py").write_text(HANGING)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml")]
    options = ["--rootdir", str(tmp_path), "-n", "1", "--timeout", "3", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *options, str(tmp_path / "test_hanging.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "crashed while running 'test_hanging.py::test_that_hangs'" in done.stdout
    assert "1 failed, 1 passed" in done.stdout
