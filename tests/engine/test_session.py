"""The session: every command in every state is answered, and none of them changes the numbers."""

import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
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
    HealthReport,
    LookAt,
    Open,
    Opened,
    Pause,
    Play,
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
from tui_nn_engine.sessions.session import Session
from tui_nn_engine.stepping.stepview import Listing, StepView
from tui_nn_engine.training.events import Progress, RunEnded, RunStarted, Saved, SaveFailed
from tui_nn_engine.training.runs import Run, read_metrics

MOONS: dict[str, Any] = {
    "seed": 5,
    "data": {"name": "moons", "samples": 40, "validation_fraction": 0.1, "test_fraction": 0.15},
    "layers": [
        {"type": "dense", "units": 6, "activation": "tanh"},
        {"type": "dropout", "rate": 0.2},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": {"type": "binary_crossentropy"},
    "optimizer": {"type": "adam", "learning_rate": 0.02},
    "training": {"epochs": 3, "batch_size": 8, "threads": 1},
}
MNIST: dict[str, Any] = {
    "data": {"name": "mnist_small", "validation_fraction": 0.1},
    "layers": [
        {"type": "dense", "units": 512, "activation": "relu"},
        {"type": "dense", "units": 10, "activation": "softmax"},
    ],
    "loss": {"type": "categorical_crossentropy"},
    "training": {"epochs": 2, "batch_size": 128, "threads": 1},
}
RELU: dict[str, Any] = {**MOONS, "layers": [{**MOONS["layers"][0], "activation": "relu"}] * 2}
RELU["layers"] = [*RELU["layers"], MOONS["layers"][-1]]
BATCHES = 4  # of an epoch of MOONS: 31 samples, the last batch is ragged


class Desk:
    """A session and all it has said."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.session = Session(self.heard.append)

    def __call__(self, command: Command) -> list[Any]:
        """What is said to this command."""
        before = len(self.heard)
        self.session.handle(command)
        return self.heard[before:]

    def work(self, portions: int = 10_000) -> list[Any]:
        """What is said while it trains, for so many portions or to the end."""
        before = len(self.heard)
        while self.session.running and portions:
            self.session.work()
            portions -= 1
        return self.heard[before:]

    @property
    def run(self) -> Run:
        assert self.session.run is not None
        return self.session.run

    @property
    def weights(self) -> bytes:
        return self.run.trainer.parameters.values.tobytes()

    def last(self, kind: type) -> Any:
        return next((m for m in reversed(self.heard) if isinstance(m, kind)), None)


def desk(tree: dict[str, Any] | None = None, folder: Path | None = None) -> Desk:
    found = Desk()
    found(Open(tree or MOONS, str(folder) if folder else None))
    return found


def replayed(experiment: Experiment, updates: int) -> bytes:
    """The weights after so many updates of a plain loop."""
    trainer = Trainer(experiment)
    for _ in range(updates):
        trainer.update()
    return trainer.parameters.values.tobytes()


def with_training(**training: Any) -> dict[str, Any]:
    return {**MOONS, "training": {**MOONS["training"], **training}}


# -- every command in every state -----------------------------------------------------------------


def nothing() -> Desk:
    return Desk()


def ready() -> Desk:
    return desk()


def running() -> Desk:
    found = desk(with_training(epochs=10**6))
    found(Play())
    found.work(2)
    return found


def paused() -> Desk:
    found = running()
    found(Pause())
    return found


def stepping() -> Desk:
    found = desk()
    found(Update())
    found(Step(3))
    return found


def stepped_through() -> Desk:
    found = desk()
    found(Step(10_000))
    return found


def completed() -> Desk:
    found = desk()
    found(Play())
    found.work()
    return found


def diverged() -> Desk:
    found = desk(RELU)
    found(SetLearningRate(1e30))
    found(Play())
    found.work()
    return found


STATES: dict[str, Callable[[], Desk]] = {
    "ready": ready,
    "running": running,
    "paused": paused,
    "stepping": stepping,
    "completed": completed,
    "diverged": diverged,
}
COMMANDS: list[Command] = [
    Open(MOONS),
    Open({"data": {"name": "moons"}, "layers": []}),
    Open(folder="/nowhere/at/all", resume=True),
    Open(),
    Play(),
    Play(epochs=1),
    Pause(),
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
    (refused,) = (m for m in table(command) if isinstance(m, Refused))
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


def test_a_resumed_run_brings_its_epochs(tmp_path: Path) -> None:
    table = desk(folder=tmp_path / "run")
    table(Play(epochs=2))
    table.work()
    told = np.concatenate([m.epochs.values for m in table.heard if isinstance(m, Progress)])
    again = Desk()
    again(Open(folder=str(tmp_path / "run"), resume=True))
    opened = again.last(Opened)
    assert (opened.iteration, opened.epoch) == (2 * BATCHES, 2)
    assert opened.history.columns[:3] == ("epoch", "iteration", "loss")
    np.testing.assert_array_equal(opened.history.values, told)


# -- training -------------------------------------------------------------------------------------


def test_a_pause_right_after_an_epoch_loses_no_line(tmp_path: Path) -> None:
    table = desk(folder=tmp_path / "run")
    for _ in range(3):
        table(Play(epochs=1))
        while not table.last(Progress) or not len(table.last(Progress).epochs):
            table.work(1)
        table(Pause())
        table.heard.clear()
    assert [row.epoch for row in read_metrics(tmp_path / "run" / "metrics.jsonl")] == [1, 2, 3]


@pytest.mark.parametrize("portions", range(1, 12))
def test_a_pause_at_the_very_end_still_tells_it(portions: int) -> None:
    table = desk(with_training(epochs=1))
    table(Play())
    table.work(portions)
    table(Pause())
    if table.run.trainer.done:
        assert table.session.state == "completed"
        assert table.last(RunEnded).test_metrics
        assert not table.session.running


def test_play_for_an_epoch_stops_at_its_end() -> None:
    table = desk()
    table(Update())
    for epoch in (1, 2):
        table(Play(epochs=1))
        table.work()
        said = table.last(StateChanged)
        assert (said.state, said.epoch, said.batch) == ("paused", epoch, 0)
    table(Play(epochs=1))
    table.work()
    assert table.last(StateChanged).state == "completed"


def test_a_complete_run_says_how_it_does_on_test_data_and_takes_more_epochs() -> None:
    table = completed()
    ended = table.last(RunEnded)
    assert (ended.reason, ended.epoch, ended.iteration) == ("completed", 3, 3 * BATCHES)
    assert set(ended.test_metrics) == {"accuracy"}
    assert isinstance(table(Play())[0], Refused)
    assert table(TrainUntil(5))[-1].state == "paused"
    table(Play())
    table.work()
    assert table.last(RunEnded).epoch == 5
    assert table.weights == replayed(Experiment.parse(with_training(epochs=5)), 5 * BATCHES)


def test_fewer_epochs_end_with_the_one_under_way() -> None:
    table = running()
    table(Pause())
    while table.run.trainer.state.batch == 0:
        table(Update())
    epoch = table.run.trainer.state.epoch
    said = table(TrainUntil(1))[-1]
    assert (said.state, said.epochs) == ("paused", epoch + 1)
    table(Play())
    table.work()
    ended = table.last(RunEnded)
    assert (ended.reason, ended.epoch, ended.iteration) == (
        "completed",
        epoch + 1,
        (epoch + 1) * BATCHES,
    )


def test_fewer_epochs_while_the_first_step_of_an_epoch_is_taken() -> None:
    table = desk()
    table(Play(epochs=1))
    table.work()
    table(Step(2))
    assert table(TrainUntil(1))[-1].epochs == 2


def test_another_number_of_epochs_does_not_begin_a_run() -> None:
    assert desk()(TrainUntil(9))[-1].state == "ready"


def test_restart_is_a_run_of_its_own_and_the_one_before_is_kept() -> None:
    table = paused()
    table(SetLearningRate(0.5))
    table(Update())
    before = table.run
    table(Restart())
    assert table.run.folder != before.folder
    assert table.session.state == "ready"
    assert table.run.trainer.experiment.training.changes == ()
    assert table.run.trainer.learning_rate == 0.02
    kept = Run.resume(before.folder).trainer
    assert kept.state.iteration == before.trainer.state.iteration
    assert kept.parameters.values.tobytes() == before.trainer.parameters.values.tobytes()


def test_where_the_run_before_cannot_be_kept_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = paused()
    (tmp_path / "file").touch()
    table.run.folder = tmp_path / "file"
    assert any(isinstance(message, SaveFailed) for message in table(Restart()))


def test_a_rate_that_explodes_names_layer_and_iteration_and_can_be_mended() -> None:
    table = desk(RELU)
    table(SetLearningRate(1e30))
    table(Play())
    table.work()
    ended = table.last(RunEnded)
    assert (ended.reason, table.session.state) == ("diverged", "diverged")
    assert f"update {ended.iteration + 1}" in ended.message
    assert "dense_" in ended.message or "loss" in ended.message
    assert np.isfinite(table.run.trainer.parameters.values).all()
    table(Restart())
    table(SetLearningRate(0.02))
    table(Play())
    table.work()
    assert table.last(RunEnded).reason == "completed"
    assert table.weights == replayed(Experiment.parse(RELU), 3 * BATCHES)


def test_stepping_into_a_divergence_is_undone() -> None:
    table = desk(RELU)
    table(SetLearningRate(1e30))
    table(Update())
    while not isinstance(table.last(RunEnded), RunEnded):
        table(Step(1))
    before = table.run.trainer.state.iteration
    assert table.session.state == "diverged"
    assert table.weights == replayed(table.run.trainer.experiment, before)
    table(Restart())
    assert table(Step(1))[-1].cursor == 1


def test_health_comes_twice_a_second_and_whenever_it_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("tui_nn_engine.sessions.standing.time.monotonic", lambda: now[0])
    table = desk(with_training(epochs=10**6))
    table(Play())
    reports = []
    for _ in range(20):
        now[0] += 0.1
        reports += [m for m in table.work(1) if isinstance(m, HealthReport)]
    assert len(reports) in {3, 4}
    assert isinstance(table(Update())[-1], HealthReport)


# -- stepping -------------------------------------------------------------------------------------


def test_steps_show_the_operations_and_come_back() -> None:
    table = desk()
    said = table(Step(0))
    assert [type(m) for m in said] == [Listing, StateChanged, StepView]
    operations = len(said[0].names)
    before = table.weights
    assert table(Step(10_000))[-1].cursor == operations
    assert table.weights != before
    assert table(Step(-10_000))[-1].cursor == 0
    assert table.weights == before
    assert table(LookAt("dense_1", 4, 2))[-1].layer == "dense_1"


def test_phases_and_places_do_not_depend_on_what_the_screen_has_seen() -> None:
    table = desk()
    phases = table(Step(0))[0].phases
    backward, update = phases.index("backward"), phases.index("update")
    for _ in range(3):
        table(StepPhase(1))
    assert table.last(StepView).cursor == update
    table(StepPhase(-1))
    assert table.last(StepView).cursor == backward
    for _ in range(2):
        table(StepTo(5))
    assert table.last(StepView).cursor == 5
    assert table(StepTo(-1))[-1].cursor == 0
    assert table(StepPhase(-1))[-1].cursor == 0
    assert table(StepTo(10_000))[-1].cursor == len(phases)
    assert table(StepPhase(1))[-1].iteration == 1, "the next update is opened by a step alone"


def test_a_rate_changed_while_stepping_holds_for_the_update_under_way() -> None:
    table = desk()
    table(Update())
    table(Step(10_000))
    cursor = table.last(StepView).cursor
    view = table(SetLearningRate(0.7))[-1]
    assert view.cursor == cursor, "what was done is done again"
    table(Update())
    assert table.run.trainer.experiment.training.changes[0].iteration == 1
    assert table.weights == replayed(table.run.trainer.experiment, 2)
    assert table.weights != replayed(Experiment.parse(MOONS), 2)


def test_the_last_update_stepped_to_its_end_completes_the_run(tmp_path: Path) -> None:
    table = desk(with_training(epochs=1), tmp_path / "run")
    for _ in range(BATCHES - 1):
        table(Update())
    table(Step(10_000))
    table(Step(1))
    assert table.session.state == "completed"
    assert table.last(RunEnded).test_metrics
    assert table.last(Saved).iteration == BATCHES
    assert [row.epoch for row in read_metrics(tmp_path / "run" / "metrics.jsonl")] == [1]


def test_a_checkpoint_taken_while_stepping_holds_whole_updates(tmp_path: Path) -> None:
    table = desk(folder=tmp_path / "run")
    table(Update())
    view = table(Step(10_000))[-1]
    assert isinstance(table(Save())[-1], Saved)
    assert table(LookAt())[-1].cursor == view.cursor, "saving moves no cursor"
    kept = Run.resume(tmp_path / "run").trainer
    assert kept.state.iteration == 1
    assert kept.parameters.values.tobytes() == replayed(kept.experiment, 1)


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
    assert [type(m) for m in again.heard if isinstance(m, RunStarted)] == [RunStarted]
