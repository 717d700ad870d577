"""Watching, stopping, checking and writing down, by command; none of it changes the numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from desks import BlockingDesk, kinds
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.sessions.protocol import (
    Break,
    BreakpointsSet,
    CheckGradient,
    Command,
    Export,
    Exported,
    GoTo,
    LookAt,
    Open,
    Pause,
    Play,
    Refused,
    Restart,
    SetWeight,
    StateChanged,
    Step,
    Update,
    Watch,
    Watched,
)
from tui_nn_engine.stepping.gradient_check import GradientChecked, check_gradient
from tui_nn_engine.stepping.handout import handout
from tui_nn_engine.stepping.handout_formats import FORMATS
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.training.events import Progress, RunEnded, Stopped

TREE: dict[str, Any] = {
    "seed": 5,
    "data": {"name": "moons", "samples": 40, "validation_fraction": 0.1, "test_fraction": 0.15},
    "layers": [
        {"type": "dense", "units": 4, "activation": "tanh"},
        {"type": "dropout", "rate": 0.2},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": {"type": "binary_crossentropy"},
    "optimizer": {"type": "adam", "learning_rate": 0.02},
    "training": {"epochs": 10, "batch_size": 8, "threads": 1},
}
TOTAL = 40
NAMES = ("dense_1.kernel[1, 2]", "dense_2.bias[0]")


def watched(desk: BlockingDesk) -> dict[int, list[float]]:
    """The values last told of each iteration."""
    return {
        message.first_iteration + place: row
        for message in kinds(desk.heard, Watched)
        for place, row in enumerate(message.values.tolist())
    }


def plain(updates: int = TOTAL) -> Trainer:
    trainer = Trainer(Experiment.parse(TREE))
    for _ in range(updates):
        trainer.update()
    return trainer


def values_of(trainer: Trainer) -> list[float]:
    views = trainer.parameters.views
    return [float(views["dense_1.kernel"][1, 2]), float(views["dense_2.bias"][0])]


# -- watching -------------------------------------------------------------------------------------


def test_every_update_is_told_from_where_watching_began() -> None:
    desk = BlockingDesk(TREE)
    desk(Watch(NAMES))
    desk(Play(until=3))
    desk(Update())
    desk(Step(2))
    desk(Step(-1))
    desk(Play())
    trainer = Trainer(Experiment.parse(TREE))
    expected = {0: values_of(trainer)}
    while not trainer.done:
        trainer.update()
        expected[trainer.state.iteration] = values_of(trainer)
    assert watched(desk) == expected
    assert all(message.weights == NAMES for message in kinds(desk.heard, Watched))
    assert desk.weights == trainer.parameters.values.tobytes()


def test_it_begins_in_the_midst_of_training_and_ends_there() -> None:
    desk = BlockingDesk(TREE | {"training": {**TREE["training"], "epochs": 10**6}})
    session = desk.session
    session.handle(Play())
    session.work()
    session.work()
    session.handle(Watch(NAMES))
    (begun,) = kinds(desk.heard, Watched)
    assert len(begun.values) == 1
    session.work()
    session.work()
    told = watched(desk)
    assert len(told) > 1
    last = desk.last(Progress).iteration
    assert list(told) == list(range(begun.first_iteration, last + 1))
    session.handle(Watch(()))
    assert desk.last(Watched).weights == ()
    count = len(kinds(desk.heard, Watched))
    session.work()
    session.work()
    assert desk.last(Progress).iteration > last
    assert len(kinds(desk.heard, Watched)) == count


def test_what_is_now_is_told_after_a_journey_and_after_a_change() -> None:
    desk = BlockingDesk(TREE)
    desk(Watch(NAMES))
    desk(Play(until=20))
    told = watched(desk)
    for iteration in (7, 0, 19):
        desk(GoTo(iteration))
        now = desk.last(Watched)
        assert now.first_iteration == iteration
        assert now.values.tolist() == [told[iteration]]
    desk(SetWeight(NAMES[1], 0.25))
    assert desk.last(Watched).values.tolist() == [[told[19][0], 0.25]]


def test_while_stepping_the_values_are_those_before_the_update() -> None:
    desk = BlockingDesk(TREE)
    desk(Play(until=5))
    desk(Step(10_000))
    desk(Watch(NAMES))
    assert watched(desk) == {5: values_of(plain(5))}
    assert desk.last(StateChanged).state == "stepping"


# -- stopping -------------------------------------------------------------------------------------


def test_it_stops_and_goes_on() -> None:
    desk = BlockingDesk(TREE)
    assert desk(Break(("at Iteration 7", "epoch 3")))[0] == BreakpointsSet(
        ("iteration 7", "epoch 3")
    )
    desk(Play())
    assert kinds(desk.heard, Stopped) == [Stopped(7, "iteration 7 is reached")]
    assert (desk.last(StateChanged).state, desk.last(StateChanged).iteration) == ("paused", 7)
    assert desk.last(Progress).iteration == 7
    desk(Play())
    assert kinds(desk.heard, Stopped)[1:] == [Stopped(12, "epoch 3 is complete at iteration 12")]
    desk(Play())
    assert desk.last(StateChanged).state == "completed"
    assert desk.weights == plain().parameters.values.tobytes()


def test_what_holds_already_lets_it_go_on() -> None:
    desk = BlockingDesk(TREE)
    desk(Play(until=5))
    desk(Break(("loss < 99",)))
    desk(Play())
    assert desk.last(StateChanged).iteration == 6
    desk(Play())
    assert desk.last(StateChanged).state == "completed"
    assert len(kinds(desk.heard, Stopped)) == 1


def test_it_stops_at_the_end_of_training_too() -> None:
    desk = BlockingDesk(TREE)
    desk(Break((f"iteration {TOTAL}",)))
    desk(Play())
    assert len(kinds(desk.heard, Stopped)) == 1
    assert desk.last(RunEnded).reason == "completed"
    assert desk.last(StateChanged).state == "completed"


def test_an_update_by_hand_and_one_stepped_tell_it_as_well() -> None:
    desk = BlockingDesk(TREE)
    desk(Break(("iteration 1", "iteration 2", "iteration 3")))
    assert Stopped(1, "iteration 1 is reached") in desk(Update())
    desk(Step(1))
    assert Stopped(2, "iteration 2 is reached") in desk(Update())
    desk(Step(1))
    assert Stopped(3, "iteration 3 is reached") in desk(Play())  # the update under way, no more
    assert (desk.last(StateChanged).state, desk.last(StateChanged).iteration) == ("paused", 3)


def test_one_set_while_it_trains_stops_it() -> None:
    desk = BlockingDesk(TREE | {"training": {**TREE["training"], "epochs": 10**6}})
    desk.session.handle(Play())
    desk.session.work()
    desk.session.work()
    desk(Break(("loss < 99",)))
    assert desk.last(StateChanged).state == "paused"
    assert len(kinds(desk.heard, Stopped)) == 1


def test_a_moment_stops_again_after_going_back() -> None:
    desk = BlockingDesk(TREE)
    desk(Break(("iteration 6",)))
    desk(Play())
    desk(GoTo(2))
    assert desk.last(StateChanged).iteration == 2
    desk(Play())
    assert [message.iteration for message in kinds(desk.heard, Stopped)] == [6, 6]


@pytest.mark.parametrize("command", [Break(("loss < 1", "los < 1")), Watch((NAMES[0], "w14"))])
def test_where_one_is_wrong_nothing_is_changed(command: Command) -> None:
    desk = BlockingDesk(TREE)
    desk(Break(("iteration 7",)))
    desk(Watch(NAMES))
    (refused,) = desk(command)
    assert isinstance(refused, Refused)
    assert "write" in refused.message
    desk(Play())
    assert desk.last(StateChanged).iteration == 7
    assert len(watched(desk)) == 8


@pytest.mark.parametrize(
    "again", [Restart(), Open(TREE | {"seed": 6, "optimizer": {"type": "sgd"}})]
)
def test_the_same_network_on_the_same_data_is_looked_out_for_again(again: Command) -> None:
    desk = BlockingDesk(TREE)
    desk(Watch(NAMES))
    desk(Break(("dead dense_2", "dead dense_1[3]", "iteration 2")))
    said = desk(again)
    assert BreakpointsSet(("dead dense_2", "dead dense_1[3]", "iteration 2")) in said
    assert any(message.weights == NAMES for message in kinds(said, Watched))
    desk(Play())
    assert desk.last(StateChanged).iteration == 2


@pytest.mark.parametrize(
    "other",
    [
        {"layers": [*TREE["layers"][:1], *TREE["layers"]]},
        {"data": {**TREE["data"], "samples": 41}},
    ],
)
def test_another_experiment_begins_without_what_was_looked_out_for(other: dict[str, Any]) -> None:
    desk = BlockingDesk(TREE)
    desk(Watch(NAMES))
    desk(Break(("iteration 2",)))
    said = desk(Open(TREE | other))
    assert BreakpointsSet(()) in said
    assert [message.weights for message in kinds(said, Watched)] == [()]
    desk(Play())
    assert desk.last(StateChanged).state == "completed"
    assert not kinds(desk.heard, Stopped)


# -- checking and writing down --------------------------------------------------------------------


def test_a_gradient_is_checked_in_the_update_laid_open() -> None:
    desk = BlockingDesk(TREE)
    desk(Play(until=5))
    desk(Step(3))
    (found,) = desk(CheckGradient(NAMES[0]))
    assert isinstance(found, GradientChecked)
    assert found == check_gradient(Stepper(plain(5)), NAMES[0])
    desk(Play())
    assert desk.weights == plain().parameters.values.tobytes()


@pytest.mark.parametrize("style", FORMATS)
def test_the_update_laid_open_is_written_down(style: Any, tmp_path: Path) -> None:
    path = tmp_path / "new" / "handout"
    desk = BlockingDesk(TREE)
    desk(Play(until=5))
    desk(Step(3))
    notation = Notation("code", "e", 7)
    desk(LookAt(sample=2, notation=notation))
    assert desk(Export(str(path), style)) == [Exported(str(path))]
    assert path.read_text("utf-8") == FORMATS[style](handout(Stepper(plain(5)), 2, notation))
    desk(Step(1))
    assert desk.last(StateChanged).state == "stepping"
    desk(Play())
    assert desk.weights == plain().parameters.values.tobytes()


def test_of_a_smaller_batch_the_last_sample_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    desk = BlockingDesk(TREE)
    desk(Play(until=3))  # the batch of 8 before has gone, 7 of 31 samples are left
    desk(Step(1))
    desk(LookAt(sample=7))
    desk(Export(str(path), "csv"))
    assert path.read_text("utf-8") == FORMATS["csv"](handout(Stepper(plain(3)), 6, Notation()))


@pytest.mark.parametrize("command", [CheckGradient(NAMES[0]), Export("handout.md")])
def test_without_an_update_laid_open_it_is_refused(command: Command) -> None:
    desk = BlockingDesk(TREE)
    assert desk(command) == [Refused("no update is laid open: take a step first")]


def test_a_place_that_can_not_be_written_is_refused(tmp_path: Path) -> None:
    desk = BlockingDesk(TREE)
    desk(Step(1))
    (tmp_path / "file").touch()
    (refused,) = desk(Export(str(tmp_path / "file" / "handout.md")))
    assert isinstance(refused, Refused)
    desk(Step(1))
    assert desk.last(StateChanged).state == "stepping"


def test_an_update_that_diverges_is_not_written_down_and_stays_as_it_is(tmp_path: Path) -> None:
    desk = BlockingDesk(TREE)
    desk.run.trainer.parameters.views["dense_1.kernel"][...] = np.inf
    desk(Step(2))
    (refused,) = desk(Export(str(tmp_path / "a.md")))
    assert refused.message.startswith("there is no whole update to write down: update 1 gave")
    assert not (tmp_path / "a.md").exists()
    assert desk.session.stepping.cursor == 2


# -- none of it changes the numbers ---------------------------------------------------------------

COMMANDS = st.sampled_from(
    [
        Watch(NAMES),
        Watch(NAMES[:1]),
        Watch(()),
        Break(("loss < 0.5", "gradient > 0.1", "dead dense_1")),
        Break(("loss > 0.6", "epoch 2")),
        Break(()),
        CheckGradient(NAMES[0]),
        Update(),
        Step(3),
        Step(-4),
        Step(30),
        Play(until=17),
        Play(epochs=1),
        Pause(),
        GoTo(5),
    ]
)


@settings(max_examples=40, deadline=None)
@given(st.lists(COMMANDS, max_size=14))
def test_whatever_is_looked_at_the_numbers_stay_the_same(walk: list[Command]) -> None:
    desk = BlockingDesk(TREE)
    for command in walk:
        desk(command)
    desk(Break(()))
    desk(Play())
    assert desk.last(StateChanged).state == "completed"
    trainer = Trainer(Experiment.parse(TREE))
    expected = {0: values_of(trainer)}
    while not trainer.done:
        trainer.update()
        expected[trainer.state.iteration] = values_of(trainer)
    assert desk.weights == trainer.parameters.values.tobytes()
    for message in kinds(desk.heard, Watched):
        columns = [NAMES.index(name) for name in message.weights]
        for place, row in enumerate(message.values.tolist()):
            known = expected[message.first_iteration + place]
            assert row == [known[column] for column in columns]
