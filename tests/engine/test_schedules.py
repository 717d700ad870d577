"""Schedules: their rates are their sources', and hold wherever training goes."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.experiments.schedules import (
    SCHEDULES,
    Adaptive,
    Constant,
    Cosine,
    Course,
    Exponential,
    InverseScaling,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    Step,
    Warmed,
)
from tui_nn_engine.training.events import Progress
from tui_nn_engine.training.runs import Run
from tui_nn_engine.training.timeline import Timeline

COURSE = Course(batches=4, samples=100)
EPOCHS, UPDATES, BASE = 10, 40, 0.1
Torch = Callable[[Any, Any], Any]


def rates(schedule: Schedule, updates: int = UPDATES) -> list[float]:
    settled = schedule.settled(EPOCHS)
    return [settled.rate(BASE, i, COURSE, {}) for i in range(updates)]


# What runs, PyTorch's of the same name and whether it steps each epoch, and the rates of the
# updates 1, 2, 5, 14, 27 and 40, kept so that a machine without PyTorch checks the same numbers.
SHOWN = (0, 1, 4, 13, 26, 39)
CASES: dict[str, tuple[Schedule, Torch | None, bool, list[float]]] = {
    "constant": (
        Constant(),
        lambda lr, o: lr.ConstantLR(o, 1.0),
        True,
        [0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
    ),
    "warm-up": (
        Constant(warmup=2),
        lambda lr, o: lr.LinearLR(o, 1 / 8, total_iters=7),
        False,
        [0.0125, 0.025, 0.0625, 0.1, 0.1, 0.1],
    ),
    "inverse scaling": (
        InverseScaling(power_t=0.25),
        None,
        True,
        [0.1, 0.1, 0.0315442100901257, 0.0240081323243653, 0.0201967449908148, 0.0182523505972898],
    ),
    "step": (
        Step(step_size=3, gamma=0.5),
        lambda lr, o: lr.StepLR(o, 3, 0.5),
        True,
        [0.1, 0.1, 0.1, 0.05, 0.025, 0.0125],
    ),
    "step by iterations": (
        Step(step_size=7, unit="iterations"),
        lambda lr, o: lr.StepLR(o, 7),
        False,
        [0.1, 0.1, 0.1, 0.01, 0.0001, 1e-06],
    ),
    "exponential": (
        Exponential(gamma=0.8),
        lambda lr, o: lr.ExponentialLR(o, 0.8),
        True,
        [0.1, 0.1, 0.08, 0.0512, 0.0262144, 0.0134217728],
    ),
    "warm-up, then exponential": (
        Exponential(gamma=0.9, unit="iterations", warmup=6, warmup_unit="iterations"),
        lambda lr, o: lr.ChainedScheduler(
            [lr.LinearLR(o, 1 / 6, total_iters=5), lr.ExponentialLR(o, 0.9)]
        ),
        False,
        [
            0.0166666666666667,
            0.03,
            0.054675,
            0.02541865828329,
            0.00646108188922668,
            0.00164232032682607,
        ],
    ),
    "cosine": (
        Cosine(min_learning_rate=0.01),
        lambda lr, o: lr.CosineAnnealingLR(o, EPOCHS, 0.01),
        True,
        [0.1, 0.1, 0.0977975432332819, 0.0814503363531613, 0.0410942352531274, 0.0122024567667181],
    ),
    "cosine by iterations": (
        Cosine(unit="iterations"),
        lambda lr, o: lr.CosineAnnealingLR(o, UPDATES),
        False,
        [
            0.1,
            0.0998458666866564,
            0.0975528258147577,
            0.0761249282357974,
            0.0273004750130227,
            0.000154133313343602,
        ],
    ),
    "one cycle": (
        OneCycle(),
        lambda lr, o: lr.OneCycleLR(o, BASE, UPDATES, cycle_momentum=False),
        False,
        [
            0.004,
            0.00594433726650412,
            0.0320600793759094,
            0.0987464006235087,
            0.0444019985877298,
            4e-07,
        ],
    ),
    "one cycle, straight": (
        OneCycle(anneal="linear", pct_start=0.45, div_factor=10, final_div_factor=100),
        lambda lr, o: lr.OneCycleLR(
            o,
            BASE,
            UPDATES,
            pct_start=0.45,
            anneal_strategy="linear",
            cycle_momentum=False,
            div_factor=10,
            final_div_factor=100,
        ),
        False,
        [
            0.01,
            0.0152941176470588,
            0.0311764705882353,
            0.0788235294117647,
            0.0591318181818182,
            0.000100000000000003,
        ],
    ),
}
NAMED = pytest.mark.parametrize("name", CASES)


@NAMED
def test_the_rates_are_those_written_down(name: str) -> None:
    schedule, _, _, literal = CASES[name]
    found = rates(schedule)
    np.testing.assert_allclose([found[i] for i in SHOWN], literal, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name, (_, build, *_) in CASES.items() if build])
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
def test_they_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    schedule, build, each_epoch, _ = CASES[name]
    assert build is not None
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE)
    reference = build(torch.optim.lr_scheduler, optimizer)
    expected = []
    for update in range(1, UPDATES + 1):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if update < UPDATES and (not each_epoch or update % COURSE.batches == 0):
            reference.step()
    np.testing.assert_allclose(rates(schedule), expected, rtol=1e-9)


def test_inverse_scaling_is_scikit_learns() -> None:
    optimizers = pytest.importorskip("sklearn.neural_network._stochastic_optimizers")
    reference = optimizers.SGDOptimizer([], BASE, "invscaling", power_t=0.25)
    expected, seen = [], 0
    for _ in range(EPOCHS):
        expected += [reference.learning_rate] * COURSE.batches
        seen += COURSE.samples
        reference.iteration_ends(seen)
    np.testing.assert_allclose(rates(InverseScaling(power_t=0.25)), expected, rtol=1e-14)


# -- those that wait for the loss -----------------------------------------------------------------

LOSSES = [1.0, 0.8, 0.79995, 0.7999, 0.9, 0.7, 0.7, 0.7, 0.7, 0.69, 0.69, 0.69, 0.7, 0.7, 0.7, 0.6]


def waited(schedule: Schedule, losses: list[float] = LOSSES) -> list[float]:
    """The rate of each epoch."""
    counters = {spec.name: np.full(spec.shape, spec.start) for spec in schedule.counters}
    found = []
    for epoch, loss in enumerate(losses):
        found.append(schedule.rate(BASE, epoch * COURSE.batches, COURSE, counters))
        schedule.epoch_ended(loss, loss, counters)
    return found


@pytest.mark.parametrize("patience", [1, 2, 3])
def test_reduce_on_plateau_is_pytorchs(patience: int) -> None:
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience - 1, threshold_mode="abs", min_lr=0.004, eps=0.0
    )
    expected = []
    for loss in LOSSES:
        expected.append(optimizer.param_groups[0]["lr"])
        reference.step(loss)
    mine = ReduceOnPlateau(factor=0.5, patience=patience, min_learning_rate=0.004)
    np.testing.assert_allclose(waited(mine), expected, rtol=1e-14)


def test_what_waits_lowers_the_rate_at_these_epochs() -> None:
    def lowered(schedule: Schedule) -> list[int]:
        found = waited(schedule)
        return [i for i in range(1, len(found)) if found[i] < found[i - 1]]

    assert lowered(ReduceOnPlateau(patience=2)) == [4, 8, 12, 14]
    assert lowered(ReduceOnPlateau(patience=3, tol=0.05)) == [5, 9, 12, 15]
    assert lowered(Adaptive(patience=2)) == [4, 8, 12, 14]
    assert waited(Adaptive())[4] == BASE / 5


def test_adaptive_and_plateau_differ_where_many_small_steps_add_up() -> None:
    """scikit-learn compares with the lowest loss, Keras with the last that was clearly better."""
    slowly = [1.0 - 0.00006 * epoch for epoch in range(12)]
    assert set(waited(ReduceOnPlateau(patience=2), slowly)) == {BASE}
    assert len(set(waited(Adaptive(patience=2), slowly))) == 6


def test_adaptive_divides_no_rate_below_a_millionth() -> None:
    assert min(waited(Adaptive(patience=1), [1.0] * 100)) == pytest.approx(BASE / 5**8)
    assert BASE / 5**8 < 1e-6 < BASE / 5**7


# -- what all have in common ----------------------------------------------------------------------


def test_no_schedule_goes_unchecked() -> None:
    checked = {type(schedule) for schedule, *_ in CASES.values()} | {Adaptive, ReduceOnPlateau}
    assert checked == set(SCHEDULES)


@NAMED
def test_no_rate_exceeds_the_optimizers_or_is_negative(name: str) -> None:
    assert all(0 <= rate <= BASE * (1 + 1e-15) for rate in rates(CASES[name][0], 3 * UPDATES))


@NAMED
def test_it_says_when_the_rate_changes(name: str) -> None:
    schedule, found = CASES[name][0].settled(EPOCHS), rates(CASES[name][0], 2 * UPDATES)
    for iteration in range(2 * UPDATES - 1):
        following = schedule.changes_at(iteration, COURSE)
        assert following is None or following > iteration
        assert found[iteration + 1] == found[iteration] or following == iteration + 1


def test_lengths_settle_once() -> None:
    for kind in (Cosine, OneCycle):
        assert kind().settled(7) == kind(epochs=7)
        assert kind(epochs=3).settled(7) == kind(epochs=3)


@pytest.mark.parametrize("batches", [1, 2, 3])
@pytest.mark.parametrize("pct_start", [0.0, 0.3, 1.0])
def test_the_shortest_cycles_have_rates(batches: int, pct_start: float) -> None:
    cycle = OneCycle(epochs=1, pct_start=pct_start)
    found = [cycle.rate(BASE, i, Course(batches, 9), {}) for i in range(5)]
    assert all(math.isfinite(rate) and 0 < rate <= BASE for rate in found)


# -- in training ----------------------------------------------------------------------------------

IN_TRAINING: dict[str, dict[str, Any]] = {
    "warm-up": {"type": "constant", "warmup": 5, "warmup_unit": "iterations"},
    "inverse_scaling": {"type": "inverse_scaling", "power_t": 0.2},
    "step": {"type": "step", "step_size": 2},
    "exponential": {"type": "exponential", "unit": "iterations"},
    "cosine": {"type": "cosine", "warmup": 1},
    "one_cycle": {"type": "one_cycle"},
    "adaptive": {"type": "adaptive", "tol": 0.02},
    "reduce_on_plateau": {"type": "reduce_on_plateau", "tol": 0.2, "patience": 1},
}
TRAINED = pytest.mark.parametrize("name", IN_TRAINING)


def experiment(schedule: Any, **training: Any) -> Experiment:
    return Experiment.parse(
        {
            "seed": 3,
            "data": {"name": "moons", "samples": 40, "validation_fraction": 0.2},
            "layers": [
                {"type": "dense", "units": 4, "activation": "tanh"},
                {"type": "dense", "units": 1, "activation": "sigmoid"},
            ],
            "loss": "binary_crossentropy",
            "optimizer": {"type": "adam", "learning_rate": 0.05},
            "schedule": schedule,
            "training": {"epochs": 12, "batch_size": 9, "threads": 1, **training},
        }
    )


def everything(trainer: Trainer) -> dict[str, bytes]:
    arrays = trainer.state.snapshot().arrays
    clock = {"clock": trainer.state.clock["learning_rate"]}
    return {name: array.tobytes() for name, array in {**arrays, **clock}.items()}


def used(trainer: Trainer, updates: int) -> list[float]:
    """The rates that the operations really read."""
    found = []
    for _ in range(updates):
        found.append(float(trainer.state.clock["learning_rate"]))
        assert found[-1] == np.float32(trainer.learning_rate)
        trainer.update()
    return found


@TRAINED
def test_each_update_uses_its_own_rate(name: str) -> None:
    trainer = Trainer(experiment(IN_TRAINING[name]))
    course = Course(trainer.batches_per_epoch, trainer.samples)
    found = used(trainer, 24)
    assert len(set(found)) > 1
    if not trainer.experiment.schedule.counters:
        schedule = trainer.experiment.schedule
        expected = [schedule.rate(0.05, i, course, {}) for i in range(24)]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@TRAINED
def test_going_back_and_forth_changes_nothing(name: str) -> None:
    trainer = Trainer(experiment(IN_TRAINING[name]))
    timeline, fresh = Timeline(trainer), {0: everything(trainer)}
    for iteration in range(1, trainer.total_iterations + 1):
        trainer.update()
        fresh[iteration] = everything(trainer)
        if iteration % 7 == 0:
            timeline.observe()
    for destination in (31, 2, 20, 19, 35, 0, 33, len(fresh) - 1):
        for _ in timeline.travel(destination):
            pass
        assert everything(trainer) == fresh[destination]


@TRAINED
def test_a_resumed_run_goes_on_as_it_would_have(name: str, tmp_path: Path) -> None:
    straight = Trainer(experiment(IN_TRAINING[name]))
    run = Run(Trainer(experiment(IN_TRAINING[name])), tmp_path)
    for _ in run.record(until=22):
        pass
    run.save()
    resumed = Run.resume(tmp_path)
    used(straight, 22)
    assert everything(resumed.trainer) == everything(straight)
    assert used(resumed.trainer, 20) == used(straight, 20)
    assert everything(resumed.trainer) == everything(straight)


@TRAINED
def test_training_on_for_longer_equals_having_begun_so_long(name: str) -> None:
    """The length of a schedule is that of the run as it began."""
    trainer = Trainer(experiment(IN_TRAINING[name]))
    for _ in trainer.run():
        pass
    trainer.train_until(15)
    written = Experiment.from_toml(trainer.experiment.to_toml(defaults=True))
    for _ in trainer.run():
        pass
    again = Trainer(written)
    for _ in again.run():
        pass
    assert again.state.epoch == 15
    assert everything(again) == everything(trainer)


@TRAINED
def test_a_rate_set_by_hand_holds_from_there_on(name: str) -> None:
    trainer = Trainer(experiment(IN_TRAINING[name]))
    before = used(trainer, 10)
    trainer.change_learning_rate(0.5)
    assert used(trainer, 30) == [0.5] * 30
    again = Trainer(trainer.experiment)
    assert used(again, 40) == before + [0.5] * 30
    assert everything(again) == everything(trainer)


def test_a_schedule_put_into_the_file_of_a_saved_run_begins_there(tmp_path: Path) -> None:
    run = Run(Trainer(experiment("constant")), tmp_path)
    for _ in run.record(until=22):
        pass
    run.save()
    changed = run.trainer.experiment.overridden(["schedule.type=adaptive"])
    changed.save(tmp_path / "experiment.toml")
    resumed = Run.resume(tmp_path).trainer
    assert resumed.state.memory["schedule.best"] == math.inf
    used(resumed, 8)
    assert resumed.state.memory["schedule.best"] < math.inf


def test_progress_tells_the_rate_of_the_next_update() -> None:
    trainer = Trainer(experiment({"type": "exponential", "unit": "iterations"}))
    told = [event for event in trainer.run(until=6, interval=0.0) if isinstance(event, Progress)]
    expected = [0.05 * 0.95**update for update in range(1, 7)]
    assert [event.learning_rate for event in told] == expected


def test_the_validation_loss_decides_where_there_is_one() -> None:
    kind = {"type": "reduce_on_plateau"}
    trainer = Trainer(experiment(kind))
    used(trainer, 3 * trainer.batches_per_epoch)
    best = float(trainer.state.memory["schedule.best"])
    assert best in trainer.take_ended().column("val_loss")


@pytest.mark.parametrize("kind", SCHEDULES, ids=kind_name)
def test_a_file_gives_it_by_its_name(kind: type[Schedule]) -> None:
    name = kind_name(kind)
    parsed = experiment(name)
    assert type(parsed.schedule) is kind
    assert Experiment.from_toml(parsed.to_toml()).schedule == parsed.schedule
    assert issubclass(kind, Warmed) or kind is OneCycle
    assert kind.summary


def test_scikit_learns_name_is_read() -> None:
    assert experiment("invscaling").schedule == InverseScaling()
