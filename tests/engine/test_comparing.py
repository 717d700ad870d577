"""Runs on several cores: each trained once, surviving a kill, and equal to a run alone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tui_nn_engine import Trainer
from tui_nn_engine.comparisons.comparing import Told, compare, unfinished
from tui_nn_engine.comparisons.comparison import Comparison, Member
from tui_nn_engine.sessions.protocol import Refused
from tui_nn_engine.training.checkpoint import load
from tui_nn_engine.training.events import Progress, RunEnded, RunStarted
from tui_nn_engine.training.runs import Outcome, read_metrics

TREE: dict[str, Any] = {
    "data": {"name": "moons", "samples": 40},
    "layers": [{"type": "dense", "units": 1, "activation": "sigmoid"}],
    "loss": "binary_crossentropy",
    "optimizer": {"type": "sgd", "learning_rate": 0.1},
    "training": {"epochs": 3},
}


def members(epochs: int = 3, **values: list[Any]) -> tuple[Member, ...]:
    tree = TREE | {"training": {"epochs": epochs}, "compare": values}
    return Comparison.parse(tree).members()


def ended(told: list[Told]) -> dict[int, str]:
    return {one.member: one.event.reason for one in told if isinstance(one.event, RunEnded)}


def started(told: list[Told]) -> list[int]:
    return sorted(one.member for one in told if isinstance(one.event, RunStarted))


def weights(folder: Path) -> bytes:
    path = folder / "checkpoints" / "last.safetensors"
    return load(path).snapshot.arrays["parameters"].tobytes()


def test_every_run_ends_as_it_would_alone(tmp_path: Path) -> None:
    runs = members(seed=[0, 1, 2])
    told = [*compare(runs, tmp_path, jobs=2)]
    assert ended(told) == dict.fromkeys(range(3), "completed")
    for index, member in enumerate(runs):
        trainer = Trainer(member.experiment)
        for _ in trainer.run():
            pass
        assert weights(tmp_path / member.folder) == trainer.parameters.values.tobytes()
        losses = [
            loss
            for one in told
            if one.member == index and isinstance(one.event, Progress)
            for loss in one.event.losses
        ]
        assert len(losses) == trainer.total_iterations


def test_what_has_ended_is_not_repeated(tmp_path: Path) -> None:
    assert started([*compare(members(seed=[0, 1]), tmp_path, jobs=1)]) == [0, 1]
    assert [*compare(members(seed=[0, 1]), tmp_path)] == []
    more = members(seed=[1, 2, 0])
    assert unfinished(more, tmp_path) == [1]
    assert started([*compare(more, tmp_path)]) == [1]


def test_a_diverged_run_is_a_result_and_is_not_repeated(tmp_path: Path) -> None:
    linear = {"layers": [{"type": "dense", "units": 1}], "loss": "mean_squared_error"}
    rates = {"optimizer.learning_rate": [1e3, 0.01]}
    tree = TREE | linear | {"training": {"epochs": 50}, "compare": rates}
    runs = Comparison.parse(tree).members()
    assert ended([*compare(runs, tmp_path, jobs=1)]) == {0: "diverged", 1: "completed"}
    assert [*compare(runs, tmp_path)] == []


def test_a_run_that_cannot_be_trained_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    tree = TREE | {"variants": {"iris": {"set": ["data={name='iris'}"]}, "b": {"set": ["seed=1"]}}}
    runs = Comparison.parse(tree).members()
    told = [*compare(runs, tmp_path, jobs=1)]
    assert [one.member for one in told if isinstance(one.event, Refused)] == [0]
    assert ended(told) == {1: "completed"}


def test_stopping_saves_what_is_under_way_and_it_goes_on_from_there(tmp_path: Path) -> None:
    runs = members(epochs=10**9, seed=[0, 1])
    progressed: set[int] = set()
    stream = compare(runs, tmp_path, jobs=2, stop=lambda: len(progressed) == 2)
    for one in stream:
        if isinstance(one.event, Progress):
            progressed.add(one.member)
    stood = [load(tmp_path / m.folder / "checkpoints/last.safetensors").snapshot for m in runs]
    assert all(one.iteration for one in stood)
    again = compare(runs, tmp_path, jobs=1)
    first = next(again)
    assert isinstance(first.event, RunStarted)
    assert first.event.iteration == stood[0].iteration
    again.close()
    assert unfinished(runs, tmp_path) == [0, 1]


def test_a_worker_that_dies_costs_its_run_alone(tmp_path: Path) -> None:
    runs = members(epochs=10**9, seed=[0, 1])
    told: list[Told] = []
    stream = compare(runs, tmp_path, jobs=1, stop=lambda: started(told) == [0, 1])
    for one in stream:
        told.append(one)
        if one.member == 0 and isinstance(one.event, RunStarted):
            (worker,) = _children()
            os.kill(worker, signal.SIGKILL)
    (refused,) = [one for one in told if isinstance(one.event, Refused)]
    assert refused.member == 0


SCRIPT = """
import sys
from pathlib import Path
from tui_nn_engine.comparisons.comparing import compare
from tui_nn_engine.comparisons.comparison import Comparison
members = Comparison.load(Path(sys.argv[1])).members()
for told in compare(members, Path(sys.argv[2]), jobs=2):
    print(told.member, type(told.event).__name__, flush=True)
"""
LONG = """
[data]
name = "moons"
samples = 40
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
[loss]
type = "binary_crossentropy"
[compare]
"training.epochs" = [1, 2, 3, 6000, 6010, 4]
"""


@pytest.fixture
def child(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    (tmp_path / "long.toml").write_text(LONG)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "long.toml"), str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_killed_half_way_it_goes_on_and_repeats_nothing(
    tmp_path: Path, child: "subprocess.Popen[str]"
) -> None:
    assert child.stdout is not None
    progress = set()
    for line in child.stdout:
        member, name = line.split()
        if name == "Progress" and member in {"3", "4"}:
            progress.add(member)
        if len(progress) == 2:
            break
    child.kill()
    child.wait()
    out = tmp_path / "out"
    runs = Comparison.load(tmp_path / "long.toml").members()
    left = unfinished(runs, out)
    assert set(left) <= {3, 4, 5}
    before = {i: (out / runs[i].folder / "run.json").stat().st_mtime_ns for i in range(3)}
    told = [*compare(runs, out, jobs=2)]
    assert {one.member for one in told} <= set(left)
    assert not unfinished(runs, out)
    for index, member in enumerate(runs):
        rows = read_metrics(out / member.folder / "metrics.jsonl")
        assert rows[-1].epoch == member.experiment.training.epochs
        if index in before:
            path = out / member.folder / "run.json"
            assert path.stat().st_mtime_ns == before[index]
    trainer = Trainer(runs[3].experiment)
    for _ in trainer.run():
        pass
    assert weights(out / runs[3].folder) == trainer.parameters.values.tobytes()
    assert Outcome.of(out / runs[3].folder).seconds > 0


def _children() -> list[int]:
    """The worker processes of this one."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == os.getpid() and fields[0] != "Z":
                line = (path.parent / "cmdline").read_bytes()
                if b"tui_nn_engine.comparisons.worker" in line:
                    found.append(int(path.parent.name))
        if found:
            return found
    raise AssertionError("no worker")
