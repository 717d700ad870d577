"""Of two processes one alone writes in the folder of a run."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.sessions import protocol
from tui_nn_engine.sessions.session import Session
from tui_nn_engine.training.checkpoint import CheckpointError
from tui_nn_engine.training.claim import claimed, is_claimed
from tui_nn_engine.training.runs import Run

TREE: dict[str, Any] = {
    "data": {"name": "xor"},
    "layers": [{"type": "dense", "units": 1, "activation": "sigmoid"}],
    "loss": "binary_crossentropy",
    "training": {"epochs": 2},
}
HOLDER = """
import sys
from pathlib import Path
from tui_nn_engine.training.claim import claimed
claim = claimed(Path(sys.argv[1]))
print("has it", flush=True)
sys.stdin.read()
"""
Hold = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Another process that has a claim on a folder, until it is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(folder: Path) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "has it\n"
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a run that has ended."""
    run = Run(Trainer(Experiment.parse(TREE)), tmp_path / "run")
    for _ in run.record():
        pass
    run.release()
    return run.folder


def test_a_run_that_another_process_has_is_not_gone_on_with(folder: Path, hold: Hold) -> None:
    other = hold(folder)
    metrics = (folder / "metrics.jsonl").read_bytes()
    with pytest.raises(CheckpointError, match=rf"process {other.pid}\) has this run open"):
        Run.resume(folder)
    assert (folder / "metrics.jsonl").read_bytes() == metrics
    other.kill()
    other.wait()
    assert Run.resume(folder).trainer.state.epoch == 2


def test_no_run_is_begun_where_another_process_has_one(tmp_path: Path, hold: Hold) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    hold(folder)
    with pytest.raises(BlockingIOError, match="has this run open"):
        Run(Trainer(Experiment.parse(TREE)), folder).begin()


def test_this_process_has_its_claim_until_all_let_go(folder: Path) -> None:
    first, second = Run.resume(folder), Run.resume(folder)
    assert is_claimed(folder)
    first.release()
    assert is_claimed(folder)
    second.release()
    assert not is_claimed(folder)


def test_a_session_lets_go_of_a_run_that_it_leaves(folder: Path) -> None:
    said: list[object] = []
    session = Session(said.append)
    session.handle(protocol.Open(folder=str(folder), resume=True))
    assert is_claimed(folder)
    session.handle(protocol.Open(TREE))
    assert not any(isinstance(one, protocol.Refused) for one in said)
    assert not is_claimed(folder)


def test_a_session_says_that_another_process_has_the_run(folder: Path, hold: Hold) -> None:
    hold(folder)
    said: list[object] = []
    Session(said.append).handle(protocol.Open(folder=str(folder), resume=True))
    (refused,) = [one for one in said if isinstance(one, protocol.Refused)]
    assert "has this run open; end that one first" in refused.message


def test_the_folder_of_no_run_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        Run.resume(tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_where_nothing_can_be_written_nobody_is_kept_away(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    claim = claimed(missing)
    assert not is_claimed(missing)
    del claim
