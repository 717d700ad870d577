"""Going back and forth in training: every place is bit for bit what a fresh run has there."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.checks.misfits import misfits
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.training.state import Snapshot
from tui_nn_engine.training.timeline import OVERHEAD, Timeline

MOONS: dict[str, Any] = {
    "seed": 3,
    "data": {"name": "moons", "samples": 30, "validation_fraction": 0.2},
    "layers": [
        {"type": "dense", "units": 3, "activation": "tanh"},
        {"type": "dropout", "rate": 0.3},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": {"type": "binary_crossentropy"},
    "optimizer": {"type": "adam", "learning_rate": 0.05},
    "training": {"epochs": 500, "batch_size": 7, "threads": 1},
}
WALKING = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def tree(**values: Any) -> dict[str, Any]:
    return {**MOONS, **values}


def trainer_of(values: dict[str, Any] | None = None, **training: Any) -> Trainer:
    found = values or MOONS
    return Trainer(Experiment.parse({**found, "training": {**found["training"], **training}}))


def facts(state: Snapshot) -> tuple[Any, ...]:
    """All there is, comparable bit for bit."""
    arrays = {name: array.tobytes() for name, array in state.arrays.items()}
    return state.iteration, state.epoch, state.batch, arrays


def here(trainer: Trainer) -> tuple[Any, ...]:
    return facts(trainer.state.snapshot())


def train(trainer: Trainer, updates: int) -> None:
    for _ in range(updates):
        trainer.update()


def fresh(experiment: Experiment, iteration: int) -> tuple[Any, ...]:
    """The state of a run of this experiment from its start."""
    trainer = Trainer(experiment)
    train(trainer, iteration)
    return here(trainer)


def go(timeline: Timeline, iteration: int, interval: float = 0.05) -> None:
    *_, last = timeline.travel(iteration, interval)
    assert last == iteration == timeline.trainer.state.iteration


# -- random walks ---------------------------------------------------------------------------------

NETWORKS = st.builds(
    lambda units, activation, dropout, optimizer, batch, shuffle, dtype, seed: tree(
        seed=seed,
        dtype=dtype,
        layers=[
            {"type": "dense", "units": units, "activation": activation},
            *([{"type": "dropout", "rate": 0.4}] if dropout else []),
            {"type": "dense", "units": 1, "activation": "sigmoid"},
        ],
        optimizer=optimizer,
        training={"epochs": 500, "batch_size": batch, "shuffle": shuffle, "threads": 1},
    ),
    st.integers(1, 5),
    st.sampled_from(["tanh", "relu", "sigmoid"]),
    st.booleans(),
    st.sampled_from(
        [
            {"type": "sgd", "learning_rate": 0.1},
            {"type": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
            {"type": "rmsprop", "learning_rate": 0.01},
            {"type": "adam", "learning_rate": 0.02},
        ]
    ),
    st.sampled_from([1, 7, 24, 64]),
    st.booleans(),
    st.sampled_from(["float32", "float64"]),
    st.integers(0, 9),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("train"), st.integers(1, 12)),
        st.tuples(st.just("observe"), st.just(0)),
        st.tuples(st.just("travel"), st.floats(0, 1)),
        st.tuples(st.just("interrupted"), st.floats(0, 1)),
        st.tuples(st.just("half an update"), st.integers(1, 30)),
        st.tuples(st.just("rate"), st.floats(1e-3, 0.2)),
        st.tuples(st.just("weight"), st.floats(-2, 2)),
    ),
    min_size=4,
    max_size=14,
)


@WALKING
@given(NETWORKS, STEPS, st.integers(0, 20_000))
def test_wherever_one_walks_each_place_is_as_in_a_fresh_run(
    network: dict[str, Any], steps: list[tuple[str, Any]], budget: int
) -> None:
    """Training, stepping, going back, changing: the experiment that results says it all."""
    trainer = trainer_of(network)
    timeline = Timeline(trainer, budget)
    for kind, value in steps:
        match kind:
            case "train":
                train(trainer, value)
            case "observe":
                timeline.observe()
            case "travel":
                go(timeline, round(value * timeline.tip), interval=0.0)
            case "interrupted":
                way = timeline.travel(round(value * timeline.tip), interval=0.0)
                assert next(way) == trainer.state.iteration
            case "half an update":
                stepper = Stepper(trainer)
                stepper.go_to(value)
                stepper.cancel()
            case "rate" | "weight":
                timeline.branch()
                if kind == "rate":
                    trainer.change_learning_rate(value)
                else:
                    trainer.change_weight("dense_1.kernel[1, 0]", value)
        assert timeline._bytes <= budget
        assert here(trainer) == fresh(trainer.experiment, trainer.state.iteration)
    tip, place = timeline.tip, trainer.state.iteration
    farthest = facts(timeline.farthest())
    assert farthest == fresh(trainer.experiment, tip)
    train(trainer, tip - place)
    assert here(trainer) == farthest


@WALKING
@given(NETWORKS, st.integers(0, 20), st.integers(1, 15))
def test_as_many_updates_back_as_forward_change_nothing(
    network: dict[str, Any], before: int, count: int
) -> None:
    trainer = trainer_of(network)
    timeline = Timeline(trainer)
    train(trainer, before)
    states = []
    for _ in range(count):
        states.append(here(trainer))
        trainer.update()
    for state in reversed(states):
        go(timeline, trainer.state.iteration - 1)
        assert here(trainer) == state


# -- keyframes ------------------------------------------------------------------------------------


def observed(updates: int, every: int, budget: int) -> Timeline:
    """A run with a keyframe every so many updates, as far as the budget lets it."""
    timeline = Timeline(trainer_of(), budget)
    for _ in range(updates // every):
        train(timeline.trainer, every)
        timeline._due = 0.0
        timeline.observe()
        assert timeline._bytes <= budget
    return timeline


def size(timeline: Timeline) -> int:
    return OVERHEAD + sum(a.nbytes for a in timeline.trainer.state.arrays().values())


def test_the_budget_is_kept_and_old_keyframes_are_sparse() -> None:
    one = size(Timeline(trainer_of()))
    timeline = observed(2000, 5, 20 * one)
    places = [0, *(each.iteration for each in timeline.keyframes)]
    assert len(places) == 21
    gaps = np.diff(places)
    assert gaps[-3:].max() <= 40
    assert gaps.max() <= 2.5 * 2000 / 20  # nowhere much more than evenly spread ones leave
    assert gaps[:7].mean() > 2 * gaps[-7:].mean()


def test_keyframes_cost_a_fiftieth_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    timeline, clock = Timeline(trainer_of()), [0.0]
    snapshot = timeline.trainer.state.snapshot

    def slow() -> Snapshot:
        clock[0] += 1.0
        return snapshot()

    monkeypatch.setattr("tui_nn_engine.training.timeline.time.perf_counter", lambda: clock[0])
    monkeypatch.setattr(timeline.trainer.state, "snapshot", slow)
    for _ in range(1000):
        timeline.trainer.update()
        clock[0] += 1.0
        timeline.observe()
    assert 18 <= len(timeline.keyframes) <= 20


def test_a_replay_leaves_keyframes_for_the_way_further_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    timeline = observed(400, 200, 2**28)
    made = []
    replay = timeline.trainer.replay
    monkeypatch.setattr(timeline.trainer, "replay", lambda: (made.append(1), replay()))
    go(timeline, 390)
    assert len(made) == 190
    made.clear()
    for iteration in range(389, 359, -1):
        go(timeline, iteration)
    assert len(made) < 100


def test_without_any_keyframe_it_replays_from_the_start() -> None:
    trainer = trainer_of()
    timeline = Timeline(trainer, 0)
    train(trainer, 50)
    timeline.observe()
    assert timeline.keyframes == []
    go(timeline, 20)
    assert here(trainer) == fresh(trainer.experiment, 20)
    assert timeline.in_past
    go(timeline, 50)
    assert not timeline.in_past


@pytest.mark.parametrize("iteration", [-1, 51])
def test_where_it_has_not_been_it_does_not_travel(iteration: int) -> None:
    trainer = trainer_of()
    train(trainer, 50)
    before = here(trainer)
    with pytest.raises(ValueError, match="not within 0 and 50"):
        next(Timeline(trainer).travel(iteration))
    assert here(trainer) == before


def test_a_replay_does_not_tell_epochs_twice() -> None:
    trainer = trainer_of()
    timeline = Timeline(trainer)
    train(trainer, 30)
    assert len(trainer.take_ended()) == 10  # of three batches each
    go(timeline, 2)
    go(timeline, 28)
    assert len(trainer.take_ended()) == 0
    train(trainer, 2)
    assert trainer.take_ended().column("epoch").tolist() == [10]


def test_a_branch_drops_the_future() -> None:
    timeline = observed(100, 10, 2**28)
    trainer = timeline.trainer
    go(timeline, 45)
    timeline.branch()
    assert (timeline.tip, timeline.in_past) == (45, False)
    assert max(each.iteration for each in timeline.keyframes) <= 45
    with pytest.raises(ValueError, match="45"):
        next(timeline.travel(46))
    trainer.change_learning_rate(0.5)
    train(trainer, 60)
    go(timeline, 80)
    assert here(trainer) == fresh(trainer.experiment, 80)


# -- weights set by hand --------------------------------------------------------------------------


def test_a_weight_set_by_hand_is_in_the_experiment_and_a_replay_repeats_it() -> None:
    trainer = trainer_of()
    train(trainer, 9)
    trainer.change_weight(" dense_1.kernel[0,2] ", 0.75)
    trainer.change_weight("dense_2.bias[0]", -1.5)
    trainer.change_learning_rate(0.01)
    trainer.change_weight("dense_2.bias[0]", 2.0)
    assert trainer.parameters.views["dense_1.kernel"][0, 2] == 0.75
    assert trainer.parameters.views["dense_2.bias"][0] == 2.0
    train(trainer, 20)
    written = Experiment.from_toml(trainer.experiment.to_toml(defaults=True))
    assert [
        (change.iteration, change.weight, change.value, change.learning_rate)
        for change in written.training.changes
    ] == [
        (9, "dense_1.kernel[0, 2]", 0.75, None),
        (9, None, None, 0.01),
        (9, "dense_2.bias[0]", 2.0, None),
    ]
    assert fresh(written, 29) == here(trainer)


def test_a_change_at_the_end_of_a_run_is_repeated_too() -> None:
    trainer = trainer_of(epochs=2)
    train(trainer, trainer.total_iterations)
    trainer.change_weight("dense_1.bias[1]", 4.0)
    assert fresh(trainer.experiment, trainer.total_iterations) == here(trainer)


def test_a_change_before_the_first_update() -> None:
    trainer = trainer_of()
    trainer.change_weight("dense_1.kernel[1, 1]", -3.0)
    assert here(Trainer(trainer.experiment)) == here(trainer)
    timeline = Timeline(trainer)
    train(trainer, 5)
    go(timeline, 0)
    assert trainer.parameters.views["dense_1.kernel"][1, 1] == -3.0


def test_a_frozen_weight_may_be_set_and_stays() -> None:
    layers = [{"type": "dense", "units": 3, "activation": "tanh", "kernel_trainable": False}]
    trainer = trainer_of(tree(layers=[*layers, MOONS["layers"][-1]]))
    trainer.change_weight("dense_1.kernel[1, 2]", 0.125)
    train(trainer, 10)
    assert trainer.parameters.views["dense_1.kernel"][1, 2] == 0.125


IMPOSSIBLE = [
    ("dense_9.kernel[0, 0]", 1.0, "weight: there is no parameter 'dense_9.kernel'"),
    ("dense_1.kernel[2, 0]", 1.0, "indices count from 0, the last is dense_1.kernel[1, 2]"),
    ("dense_1.kernel[0]", 1.0, "has 2 indices"),
    ("dense_1.bias[0]", 1e39, "value: must be finite as a float32"),
    ("kernel", 1.0, "write it as"),
]


@pytest.mark.parametrize(("name", "value", "says"), IMPOSSIBLE)
def test_a_weight_that_can_not_be_set_is_refused(name: str, value: float, says: str) -> None:
    trainer = trainer_of()
    train(trainer, 3)
    before = here(trainer)
    with pytest.raises(ExperimentError) as caught:
        trainer.change_weight(name, value)
    assert says in str(caught.value)
    assert here(trainer) == before
    assert trainer.experiment.training.changes == ()


@pytest.mark.parametrize(("name", "value", "says"), IMPOSSIBLE)
def test_in_a_file_the_check_finds_it(name: str, value: float, says: str) -> None:
    trainer = trainer_of()
    changes = [{"iteration": 2, "learning_rate": 0.1}]
    changes.append({"iteration": 4, "weight": name, "value": value})
    experiment = Experiment.parse(tree(training={"changes": changes}))
    (problem,) = misfits(experiment, trainer.data)
    assert problem.path.startswith("training.changes[1].")
    assert says in f"{problem.path.rpartition('.')[2]}: {problem.message}"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_number_is_no_value(value: float) -> None:
    trainer = trainer_of()
    with pytest.raises(ExperimentError, match="value: must be"):
        trainer.change_weight("dense_1.bias[0]", value)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {"learning_rate": 0.1, "weight": "dense_1.bias[0]", "value": 1.0},
            ".learning_rate: can't stand beside a weight: a change is of one or the other",
        ),
        ({}, ".learning_rate: is missing"),
        ({"weight": "dense_1.bias[0]"}, ".value: is missing"),
        ({"value": 1.0}, ".value: needs the weight that it is for"),
    ],
)
def test_a_change_is_of_a_rate_or_of_a_weight(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        Experiment.parse(tree(training={"changes": [{"iteration": 4, **change}]}))
    (problem,) = caught.value.problems
    assert str(problem) == f"training.changes[0]{says}"
