"""The session trains and steps: where it stops, what it keeps, and that no number changes."""

from pathlib import Path

import numpy as np
import pytest
from desks import (
    BATCHES,
    MOONS,
    RELU,
    completed,
    desk,
    kinds,
    paused,
    replayed,
    running,
    with_training,
)

from tui_nn_engine import Experiment
from tui_nn_engine.sessions.protocol import (
    HealthReport,
    LookAt,
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
)
from tui_nn_engine.stepping.stepview import Listing, StepView
from tui_nn_engine.training.events import Progress, RunEnded, Saved, SaveFailed
from tui_nn_engine.training.runs import Run, read_metrics

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


def test_play_or_pause_pressed_twice_rests_whatever_the_screen_has_seen() -> None:
    table = desk(with_training(epochs=100))
    table(PlayOrPause())
    assert table.session.running
    table(PlayOrPause())
    assert table.session.state == "paused"
    assert not table.session.running
    table(PlayOrPause())
    assert table.session.state == "running"


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
        reports += kinds(table.work(1), HealthReport)
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
