"""A session in the past: back, forth and differently on; nothing is lost, nothing told twice."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from desks import BlockingDesk, kinds, replayed, with_training

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.sessions.protocol import (
    Back,
    Branched,
    Close,
    Command,
    GoTo,
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
    SetWeight,
    StateChanged,
    Step,
    TrainUntil,
    Update,
)
from tui_nn_engine.stepping.stepview import Listing, StepView
from tui_nn_engine.training import checkpoint
from tui_nn_engine.training.events import Progress, RunEnded, Saved
from tui_nn_engine.training.runs import Run, read_metrics

TEN_EPOCHS = with_training(epochs=10)
ORIGINAL = Experiment.parse(TEN_EPOCHS)


class Traveller(BlockingDesk):
    """Says where it is."""

    @property
    def place(self) -> tuple[str, int, int]:
        """State, iteration and tip as they were told last."""
        told = self.last(StateChanged)
        assert told.iteration == self.run.trainer.state.iteration
        return told.state, told.iteration, told.tip


def at(iteration: int) -> Traveller:
    found = Traveller(TEN_EPOCHS)
    found(Play(until=iteration))
    assert found.place == ("paused", iteration, iteration)
    return found


def saved(folder: Path) -> checkpoint.Checkpoint:
    return checkpoint.load(folder / "checkpoints" / "last.safetensors")


@pytest.mark.parametrize("commands", [(GoTo(9),), (Back(epochs=1), Back(), Back()), (Step(-1),)])
def test_the_health_told_is_that_of_the_place_reached(commands: tuple[Command, ...]) -> None:
    traveller = at(17)
    traveller.run.timeline.observe()
    traveller(*commands)
    place = traveller.run.trainer.state.iteration
    told = traveller.last(HealthReport)
    assert told.iteration == place < 17
    plain = at(place).last(HealthReport)
    np.testing.assert_array_equal(told.values, plain.values)
    assert told.verdicts == plain.verdicts


@pytest.mark.parametrize(
    "commands",
    [(GoTo(0),), (GoTo(5), GoTo(17)), (Step(5), Back()), (Back(), Step(5), GoTo(17))],
)
def test_where_it_comes_without_an_update_no_health_is_known(commands: tuple[Command, ...]) -> None:
    traveller = at(17)
    for command in commands:
        traveller(command)
    told = traveller.last(HealthReport)
    assert told.iteration == traveller.run.trainer.state.iteration
    assert len(told.values) == len(told.verdicts) == 0
    traveller(Update())
    assert len(traveller.last(HealthReport).values) == len(ORIGINAL.layers)


def test_play_until_an_iteration() -> None:
    assert at(17).weights == replayed(ORIGINAL, 17)


@pytest.mark.parametrize(
    ("commands", "place"),
    [
        ((GoTo(5),), 5),
        ((GoTo(0),), 0),
        ((GoTo(-3),), 0),
        ((GoTo(17),), 17),
        ((Back(),), 16),
        ((Back(), Back(), Back()), 14),
        ((Back(updates=100),), 0),
        ((Back(epochs=1),), 16),
        ((Back(epochs=1), Back(epochs=1)), 12),
        ((Back(epochs=2),), 12),
        ((GoTo(5), Update(), Update()), 7),
        ((GoTo(5), Play(epochs=1)), 8),
        ((GoTo(5), Play(until=9)), 9),
        ((GoTo(5), GoTo(11)), 11),
    ],
)
def test_places_in_the_past(commands: tuple[Command, ...], place: int) -> None:
    desk = at(17)
    folder = desk.run.folder
    desk(*commands)
    assert desk.place == ("paused", place, 17)
    assert desk.weights == replayed(ORIGINAL, place)
    assert desk.run.folder == folder


def test_on_beyond_the_tip_is_trained() -> None:
    desk = at(17)
    desk(GoTo(3), GoTo(25))
    assert desk.place == ("paused", 25, 25)
    assert desk.weights == replayed(ORIGINAL, 25)
    told = desk(GoTo(10**6))
    assert desk.place == ("completed", 40, 40)
    assert len(kinds(told, RunEnded)) == 1


def test_a_completed_run_can_be_looked_back_at_and_completed_again() -> None:
    desk = Traveller(TEN_EPOCHS)
    desk(Play())
    desk(Back())
    assert desk.place == ("paused", 39, 40)
    desk(Play())
    assert desk.place == ("completed", 40, 40)
    assert desk.weights == replayed(ORIGINAL, 40)
    (refused,) = kinds(desk(GoTo(50)), Refused)
    assert "training is complete" in refused.message


def test_playing_on_unchanged_is_the_same_run_and_tells_no_epoch_twice() -> None:
    desk = at(17)
    desk(GoTo(2), Play(until=13), Back(epochs=1), Play())
    rows = read_metrics(desk.run.folder / "metrics.jsonl")
    lines = (desk.run.folder / "metrics.jsonl").read_text().splitlines()
    assert [row.epoch for row in rows] == list(range(1, 11))
    assert len(lines) == 10
    straight = Traveller(TEN_EPOCHS)
    straight(Play())
    assert (straight.run.folder / "metrics.jsonl").read_text().splitlines() == lines


# -- changes --------------------------------------------------------------------------------------


def test_a_change_in_the_past_begins_a_run_and_keeps_the_one_before() -> None:
    desk = at(17)
    before = desk.run.folder
    told = desk(GoTo(9), SetLearningRate(0.3))
    (branched,) = kinds(told, Branched)
    folder = desk.run.folder
    assert (branched.iteration, Path(branched.folder)) == (9, folder)
    assert folder != before
    assert desk.place == ("paused", 9, 9)
    kept = Run.resume(before)
    assert kept.trainer.state.iteration == 17
    assert kept.trainer.parameters.values.tobytes() == replayed(ORIGINAL, 17)
    assert kept.trainer.experiment.training.changes == ()
    assert [row.iteration for row in read_metrics(before / "metrics.jsonl")] == [4, 8, 12, 16]
    assert [row.iteration for row in read_metrics(folder / "metrics.jsonl")] == [4, 8]
    desk(Play())
    assert desk.weights == replayed(Experiment.load(folder / "experiment.toml"), 40)
    assert desk.weights != replayed(ORIGINAL, 40)
    rows = read_metrics(folder / "metrics.jsonl")
    assert [row.epoch for row in rows] == list(range(1, 11))


def test_a_weight_set_by_hand_at_the_tip_is_no_branch() -> None:
    desk = at(6)
    told = desk(SetWeight("dense_1.kernel[1, 4]", 1.25))
    assert kinds(told, Branched) == []
    assert desk.run.trainer.parameters.views["dense_1.kernel"][1, 4] == 1.25
    desk(Play(until=20), GoTo(3), GoTo(20), Close())
    (folder,) = Path(desk.heard[0].folder).parent.iterdir()
    resumed = Run.resume(folder)
    for _ in resumed.record():
        pass
    headless = Run(Trainer(Experiment.load(folder / "experiment.toml")))
    for _ in headless.record():
        pass
    ends = [run.trainer.parameters.values.tobytes() for run in (resumed, headless)]
    assert ends[0] == ends[1] == replayed(Experiment.load(folder / "experiment.toml"), 40)
    assert ends[0] != replayed(ORIGINAL, 40)


def test_later_changes_remain_until_a_branch_drops_them() -> None:
    desk = at(6)
    desk(SetLearningRate(0.1), Play(until=12), SetWeight("dense_2.bias[0]", 2.0), Play(until=18))
    whole = desk.run.trainer.experiment
    desk(GoTo(3), Play(until=18))
    assert desk.weights == replayed(whole, 18)
    desk(GoTo(8), SetWeight("dense_1.bias[3]", -1.0))
    assert [c.iteration for c in desk.run.trainer.experiment.training.changes] == [6, 8]
    (first, second) = kinds(desk.heard, Opened)[0].folder, desk.run.folder
    assert len(Experiment.load(Path(first) / "experiment.toml").training.changes) == 2
    assert len(Experiment.load(second / "experiment.toml").training.changes) == 2


def test_a_change_at_the_very_start_of_a_run_branches_too() -> None:
    desk = at(6)
    before = desk.run.folder
    desk(GoTo(0), SetWeight("dense_1.kernel[0, 0]", 0.5))
    assert saved(before).snapshot.iteration == 6
    desk(Play(until=7))
    assert desk.weights == replayed(desk.run.trainer.experiment, 7)
    assert desk.run.folder != before


@pytest.mark.parametrize(
    "wrong", [SetLearningRate(math.nan), SetWeight("dense_7.bias[0]", 1.0), SetLearningRate(-1.0)]
)
def test_a_wrong_change_in_the_past_changes_nothing(wrong: Command) -> None:
    desk = at(17)
    folder = desk.run.folder
    told = desk(GoTo(9), wrong)
    assert len(kinds(told, Refused)) == 1
    assert kinds(told, Branched) == []
    assert (desk.run.folder, desk.place) == (folder, ("paused", 9, 17))
    desk(GoTo(17))
    assert desk.weights == replayed(ORIGINAL, 17)


def test_where_the_run_before_can_not_be_saved_there_is_no_branch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = at(17)
    desk(GoTo(9))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save", full)
    (refused,) = kinds(desk(SetLearningRate(0.5)), Refused)
    assert "No space left" in refused.message
    assert desk.place == ("paused", 9, 17)
    assert desk.run.trainer.learning_rate == 0.02


def test_a_change_while_it_plays_in_the_past_goes_on_in_the_branch() -> None:
    desk = at(17)
    desk(GoTo(4))
    desk.session.handle(Play(until=24))
    desk.session.handle(SetLearningRate(0.2))
    assert desk.session.running
    desk.work()
    assert len(kinds(desk.heard, Branched)) == 1
    assert desk.place == ("paused", 24, 24)
    assert desk.weights == replayed(desk.run.trainer.experiment, 24)


# -- stepping in the past -------------------------------------------------------------------------


def test_stepping_back_goes_on_into_the_update_before() -> None:
    desk = at(3)
    desk(Step(2), Step(-2))
    told = desk(Step(-1))
    (listing,) = kinds(told, Listing)
    view = kinds(told, StepView)[-1]
    assert (view.iteration, view.cursor) == (3, len(listing.names) - 1)
    assert desk.place == ("stepping", 2, 3)
    desk(Step(1), Step(1))
    assert kinds(desk.heard, StepView)[-1].iteration == 4
    desk(Update())
    assert desk.weights == replayed(ORIGINAL, 4)


def test_back_undoes_the_update_under_way_first_and_lays_the_next_open() -> None:
    desk = at(5)
    desk(Step(4), Back())
    assert desk.place == ("stepping", 5, 5)
    assert kinds(desk.heard, StepView)[-1].cursor == 0
    desk(Back())
    assert desk.place == ("stepping", 4, 5)
    desk(Step(3), GoTo(2))
    assert desk.place == ("stepping", 2, 5)
    desk(Pause(), Update(), Play(until=8))
    assert desk.weights == replayed(ORIGINAL, 8)


def test_a_weight_set_while_stepping_is_seen_at_once() -> None:
    desk = at(2)
    desk(LookAt("dense_1", 3), Step(5))
    told = desk(SetWeight("dense_1.kernel[1, 3]", 9.0))
    view = kinds(told, StepView)[-1]
    assert view.cursor == 5
    assert view.weights[1, 0] == 9.0
    desk(Update())
    assert desk.weights == replayed(desk.run.trainer.experiment, 3)


# -- on the way -----------------------------------------------------------------------------------


@pytest.fixture
def on_the_way(monkeypatch: pytest.MonkeyPatch) -> Traveller:
    """Travelling from 17 to 12, an update a portion."""
    desk = at(17)
    desk.run.timeline.keyframes.clear()
    travel = desk.run.timeline.travel
    monkeypatch.setattr(desk.run.timeline, "travel", lambda place: travel(place, 0.0))
    desk.session.handle(GoTo(12))
    assert desk.place == ("travelling", 1, 17)
    return desk


def test_each_portion_tells_where_it_is(on_the_way: Traveller) -> None:
    on_the_way.session.work()
    assert on_the_way.place == ("travelling", 2, 17)
    on_the_way(Save())
    assert on_the_way.place == ("paused", 12, 17)


@pytest.mark.parametrize(
    ("command", "state", "place"),
    [
        (Pause(), "paused", 1),
        (Update(), "paused", 2),
        (Step(0), "stepping", 1),
        (GoTo(14), "paused", 14),
        (Back(), "paused", 11),
        (Back(epochs=1), "paused", 8),
        (Play(until=3), "paused", 3),
        (LookAt("dense_1"), "paused", 12),
        (TrainUntil(12), "paused", 12),
        (SetLearningRate(0.5), "paused", 12),
        (SetWeight("dense_1.bias[0]", 0.5), "paused", 12),
    ],
)
def test_commands_on_the_way(
    on_the_way: Traveller, command: Command, state: str, place: int
) -> None:
    told = on_the_way(command)
    assert on_the_way.place == (state, place, 17)
    change = isinstance(command, SetLearningRate | SetWeight)
    assert len(kinds(told, Refused)) == change
    on_the_way(Pause(), GoTo(17))
    assert on_the_way.weights == replayed(ORIGINAL, 17)


# -- nothing is lost ------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [Close(), Save(), Restart(), Open(TEN_EPOCHS)])
@pytest.mark.parametrize("stepping", [0, 3])
def test_saving_in_the_past_saves_the_tip(command: Command, stepping: int) -> None:
    desk = at(17)
    folder = desk.run.folder
    desk(GoTo(5))
    if stepping:
        desk(Step(stepping))
    desk(command)
    kept = saved(folder).snapshot
    assert kept.iteration == 17
    assert kept.arrays["parameters"].tobytes() == replayed(ORIGINAL, 17)


def test_an_autosave_in_the_past_does_not_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_nn_engine.training.runs.AUTOSAVE_SECONDS", 0.0)
    desk = at(17)
    told = desk(GoTo(5), Play(until=15))
    assert kinds(told, Saved) == []
    told = desk(Play(until=19))
    assert kinds(told, Saved)[-1].iteration >= 18


def test_fewer_epochs_than_reached_are_not_possible_in_the_past() -> None:
    desk = at(17)
    desk(GoTo(2), TrainUntil(1))
    assert desk.run.trainer.experiment.training.epochs == 5


def test_after_a_divergence_one_can_go_back_and_on_differently() -> None:
    layers = [{"type": "dense", "units": 1}]
    tree = {**TEN_EPOCHS, "layers": layers, "loss": {"type": "mean_squared_error"}}
    tree["optimizer"] = {"type": "sgd", "learning_rate": 1e3}
    desk = Traveller(tree)
    told = desk(Play())
    (ended,) = kinds(told, RunEnded)
    assert ended.reason == "diverged"
    assert ended.iteration > 2
    desk(GoTo(1))
    assert desk.place == ("paused", 1, ended.iteration)
    desk(SetLearningRate(1e-4), Play())
    assert desk.place == ("completed", 40, 40)
    assert np.isfinite(desk.run.trainer.parameters.values).all()


def test_a_resumed_run_goes_back_to_before_it_was_resumed() -> None:
    desk = at(17)
    folder = str(desk.run.folder)
    desk(Close())
    desk(Open(folder=folder, resume=True))
    desk(Back(updates=8))
    assert desk.place == ("paused", 9, 17)
    assert desk.weights == replayed(ORIGINAL, 9)
    told = desk(Play())
    assert kinds(told, Progress)[0].first_iteration == 10
    assert len((Path(folder) / "metrics.jsonl").read_text().splitlines()) == 10
