"""The session: every command in every state is answered, and none of them changes the numbers."""

import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from desks import (
    BATCHES,
    MOONS,
    STATES,
    Desk,
    desk,
    kinds,
    nothing,
    paused,
    replayed,
    running,
    stepped_through,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.experiments.schedules import Course
from tui_nn_engine.sessions import session
from tui_nn_engine.sessions.protocol import (
    Break,
    CheckGradient,
    Close,
    Command,
    Export,
    LookAt,
    Open,
    Opened,
    Pause,
    Play,
    PlayOrPause,
    Refused,
    Restart,
    Save,
    SetLearningRate,
    StateChanged,
    Step,
    StepPhase,
    StepTo,
    TrainUntil,
    Update,
    Watch,
)
from tui_nn_engine.training.events import Progress, RunStarted
from tui_nn_engine.training.runs import Run

MNIST: dict[str, Any] = {
    "data": {"name": "mnist_small", "validation_fraction": 0.1},
    "layers": [
        {"type": "dense", "units": 512, "activation": "relu"},
        {"type": "dense", "units": 10, "activation": "softmax"},
    ],
    "loss": {"type": "categorical_crossentropy"},
    "training": {"epochs": 2, "batch_size": 128, "threads": 1},
}

# -- every command in every state -----------------------------------------------------------------

COMMANDS: list[Command] = [
    Open(MOONS),
    Open({"data": {"name": "moons"}, "layers": []}),
    Open(folder="/nowhere/at/all", resume=True),
    Open(),
    Play(),
    Play(epochs=1),
    Pause(),
    PlayOrPause(),
    Update(),
    Step(),
    Step(-1),
    Step(10_000),
    StepTo(3),
    StepPhase(),
    StepPhase(-1),
    LookAt("dense_1", 2, 3),
    LookAt("no such layer", 10**9, -(10**9)),
    Restart(),
    SetLearningRate(0.5),
    SetLearningRate(math.nan),
    SetLearningRate(-1.0),
    TrainUntil(50),
    TrainUntil(0),
    Save(),
    Watch(("dense_1.kernel[0, 0]", "dense_1.bias[5]")),
    Watch(()),
    Watch(("dense_1.kernel[99, 0]",)),
    Break(("loss < 99", "gradient > 1e-9", "dead dense_1", "epoch 1")),
    Break(()),
    Break(("loss",)),
    CheckGradient("dense_1.kernel[0, 0]"),
    CheckGradient("no such weight"),
    Export("/dev/null/handout.md"),
]


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_what_it_says(state: str) -> None:
    assert STATES[state]().last(StateChanged).state == state


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: repr(command)[:60])
@pytest.mark.parametrize("start", [nothing, stepped_through, *STATES.values()])
def test_every_command_in_every_state_is_answered(
    start: Callable[[], Desk], command: Command
) -> None:
    table = start()
    stepping = table.session.state == "stepping"
    said = table(command)
    if not isinstance(command, LookAt) or stepping or table.session.run is None:
        assert said, "a command without an answer"
    table.work(3)
    if table.session.run is not None:
        assert table.last(StateChanged).state == table.session.state
        assert table(Pause())
        assert table(SetLearningRate(0.01))
        assert table(Update())


@pytest.mark.parametrize("start", [nothing, stepped_through, *STATES.values()])
def test_closing_saves_and_leaves_nothing_open(start: Callable[[], Desk]) -> None:
    table = start()
    run = table.session.run
    table(Close())
    assert table.session.run is None
    assert not table.session.running
    if run is not None and run.trainer.state.iteration:
        resumed = Run.resume(run.folder).trainer
        assert resumed.state.iteration == run.trainer.state.iteration
        assert np.isfinite(resumed.parameters.values).all()
    assert isinstance(table(Play())[0], Refused)


commands = st.one_of(
    st.builds(Play, st.integers(0, 2)),
    st.just(Pause()),
    st.just(PlayOrPause()),
    st.just(Update()),
    st.builds(Step, st.integers(-30, 40)),
    st.builds(LookAt, st.sampled_from(["dense_1", "dropout_1", "?"]), st.integers(-1, 9)),
    st.just(Restart()),
    st.builds(SetLearningRate, st.sampled_from([0.001, 0.3, 30.0, 1e300, math.inf, 0.0])),
    st.builds(TrainUntil, st.integers(0, 6)),
    st.just(Save()),
    st.just("work"),
    st.just("resume"),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(commands, max_size=25))
def test_whatever_one_does_a_plain_loop_ends_with_the_same_numbers(walk: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        walk_through(walk, desk(folder=Path(folder) / "run"))


def walk_through(walk: list[Any], table: Desk) -> None:
    for command in walk:
        if command == "work":
            table.work(1)
        elif command == "resume":
            if table.run.checkpoint_path.exists():
                table(Open(folder=str(table.run.folder), resume=True))
        else:
            said = table(command)
            assert said or isinstance(command, LookAt)
    table(Step(0))  # nothing may be left over
    if table.session.state == "stepping":
        table(Step(-10_000))
    trainer = table.run.trainer
    assert table.weights == replayed(trainer.experiment, trainer.state.iteration)
    course = Course(trainer.batches_per_epoch, trainer.samples)
    rate = trainer.experiment.learning_rate_at(trainer.state.iteration, course, {})
    assert trainer.learning_rate == rate


# -- opening --------------------------------------------------------------------------------------


def test_opening_tells_what_there_is() -> None:
    opened = desk().last(Opened)
    assert opened.layers == ("dense_1", "dropout_1", "dense_2")
    assert opened.shapes == ("6", "6", "1")
    assert opened.parameters == (18, 0, 7)
    assert (opened.iteration, opened.epoch, opened.batch) == (0, 0, 0)
    assert (opened.batches_per_epoch, opened.samples, opened.threads) == (BATCHES, 31, 1)
    assert opened.experiment["optimizer"]["learning_rate"] == 0.02


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (Open({**MOONS, "loss": {"type": "mse?"}}), "loss"),
        (Open({**MOONS, "data": {"name": "moons", "smaples": 1}}), "samples"),
        (Open({**MOONS, "layers": [{"type": "dense", "units": 3}]}), "units"),
        (Open(folder="/nowhere", resume=True), "/nowhere holds no checkpoint"),
        (Open({**MOONS, "data": {"name": "csv", "path": "/no.csv", "target": "y"}}), "/no.csv"),
        (Open(), "experiment"),
    ],
)
def test_what_cannot_be_opened_is_refused_and_the_run_goes_on(command: Open, says: str) -> None:
    table = running()
    before = table.run
    (refused,) = kinds(table(command), Refused)
    assert says in refused.message
    assert table.run is before
    iteration = before.trainer.state.iteration
    table.work(2)
    assert before.trainer.state.iteration > iteration


def test_too_little_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    table = paused()

    def too_large(*_: Any) -> None:
        raise MemoryError("Unable to allocate 3. TiB")

    monkeypatch.setattr(session, "Trainer", too_large)
    refused = table(Open(MOONS))[-1]
    assert refused == Refused("not enough memory: Unable to allocate 3. TiB")
    monkeypatch.setattr(Trainer, "_update", too_large)
    table(Play())
    assert Refused("not enough memory: Unable to allocate 3. TiB") in table.work()
    assert table.session.state == "paused"


def test_a_run_that_was_never_begun_leaves_no_folder() -> None:
    table = desk()
    table(Open(MOONS))
    table(Restart())
    table(Close())
    assert not Path(table.last(Opened).folder).exists()


def test_opening_the_folder_of_its_own_run_goes_on_from_where_it_stands(tmp_path: Path) -> None:
    table = desk(folder=tmp_path / "run")
    table(Update())
    table(Save())
    for _ in range(4):
        table(Update())
    table(Open(folder=str(tmp_path / "run"), resume=True))
    assert table.last(Opened).iteration == 5
    assert table.weights == replayed(table.run.trainer.experiment, 5)


def test_a_run_that_was_never_saved_is_opened_at_its_start(tmp_path: Path) -> None:
    table = desk(folder=tmp_path / "run")
    table.run.begin()
    del table  # killed before its first checkpoint
    again = Desk()
    again(Open(folder=str(tmp_path / "run"), resume=True))
    opened = again.last(Opened)
    assert (opened.iteration, opened.folder) == (0, str(tmp_path / "run"))
    again(Update())
    assert again.weights == replayed(again.run.trainer.experiment, 1)


def test_the_experiment_of_somebody_is_no_run(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    Experiment.parse(MOONS).save(path)
    before = path.read_bytes()
    (refused,) = Desk()(Open(folder=str(tmp_path), resume=True))
    assert f"no run was begun there; open or train the file {path}" in refused.message
    assert path.read_bytes() == before


def test_a_resumed_run_brings_its_epochs(tmp_path: Path) -> None:
    table = desk(folder=tmp_path / "run")
    table(Play(epochs=2))
    table.work()
    told = np.concatenate([m.epochs.values for m in kinds(table.heard, Progress)])
    again = Desk()
    again(Open(folder=str(tmp_path / "run"), resume=True))
    opened = again.last(Opened)
    assert (opened.iteration, opened.epoch) == (2 * BATCHES, 2)
    assert opened.history.columns[:3] == ("epoch", "iteration", "loss")
    np.testing.assert_array_equal(opened.history.values, told)


# -- the promise ----------------------------------------------------------------------------------


def test_paused_stepped_saved_killed_and_resumed_ends_byte_equal(tmp_path: Path) -> None:
    plain = Trainer(Experiment.parse(MNIST))
    for _ in plain.run():
        pass
    table = desk(MNIST, tmp_path / "run")
    table(Play())
    while table.run.trainer.state.iteration < 5:
        table.work(1)
    table(Pause())
    table(Step(7))
    table(Step(-3))
    table(Step(2))
    table(Save())
    table(Step(10_000))
    table(Play(epochs=1))
    table.work()
    table(Save())
    table(Update())
    table(Step(4))
    del table  # killed: nothing is saved
    again = Desk()
    again(Open(folder=str(tmp_path / "run"), resume=True))
    assert again.last(Opened).epoch == 1
    again(Play())
    again.work()
    assert again.weights == plain.parameters.values.tobytes()
    state, other = again.run.trainer.state.arrays(), plain.state.arrays()
    assert {name: array.tobytes() for name, array in state.items()} == {
        name: array.tobytes() for name, array in other.items()
    }
    assert len(kinds(again.heard, RunStarted)) == 1
