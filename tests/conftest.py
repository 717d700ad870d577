"""What all tests share: folders of their own, and a screen that does not move by itself."""

import os

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read once, when Textual is imported

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs and fetched data of a test, and of the processes it starts, stay in its own folder."""
    monkeypatch.setenv("TUI_NN_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("TUI_NN_DATA", str(tmp_path / "data"))
