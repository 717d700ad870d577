"""Breakpoints: what a person types, when it stops, and that it lets training go on."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.programs.weights import weight_at
from tui_nn_engine.stepping.breakpoints import EXAMPLES, Breakpoints, condition

TREE: dict[str, Any] = {
    "seed": 1,
    "data": {"name": "moons", "samples": 40, "test_fraction": 0, "validation_fraction": 0},
    "layers": [
        {"type": "dense", "units": 6, "activation": "relu"},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": {"type": "binary_crossentropy"},
    "optimizer": {"type": "sgd", "learning_rate": 0.1},
    "training": {"epochs": 100, "batch_size": 8, "threads": 1},
}
TRAINER = Trainer(Experiment.parse(TREE))


def trainer_of(**changed: Any) -> Trainer:
    return Trainer(Experiment.parse(TREE | changed))


@pytest.mark.parametrize(
    ("typed", "spelled"),
    [
        ("loss < 0.1", "loss < 0.1"),
        ("loss<.1", "loss < 0.1"),
        ("  Loss  <=  1E-3 ", "loss <= 0.001"),
        ("stop when loss is below 0.123456789", "loss < 0.123456789"),
        ("loss > 10", "loss > 10"),
        ("loss ≥ 10.", "loss >= 10"),
        ("gradient > 10", "gradient > 10"),
        ("|gradient| > 10", "gradient > 10"),
        ("stop when any |gradient| > 10", "gradient > 10"),
        ("| grad | over 1e30", "gradient > 1e+30"),
        ("gradients ≤ 1e-6", "gradient <= 1e-06"),
        ("iteration 500", "iteration 500"),
        ("at iteration 500", "iteration 500"),
        ("iteration=1,500", "iteration 1500"),
        ("after 3", None),
        ("epoch 3", "epoch 3"),
        ("when epoch == 3", "epoch 3"),
        ("dead dense_1[3]", "dead dense_1[3]"),
        ("DEAD dense_1 [ 03 ]", "dead dense_1[3]"),
        ("dead  dense_1", "dead dense_1"),
    ],
)
def test_forms_that_are_understood(typed: str, spelled: str | None) -> None:
    if spelled is None:
        with pytest.raises(ValueError, match="no condition"):
            condition(typed, TRAINER)
        return
    found = condition(typed, TRAINER)
    assert found.text == spelled
    assert condition(found.text, TRAINER).text == spelled


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_are_spelled_as_they_should_be(text: str) -> None:
    assert condition(text, TRAINER).text == text


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "write one as loss < 0.1, .* or dead dense_1\\[3\\]"),
        ("loss", "'loss' is no condition; write one as"),
        ("loss = 0.1", "no condition"),
        ("loss < ten", "no condition"),
        ("loss < nan", "no condition"),
        ("loss < -1", "-1 is never passed"),
        ("gradient > 1e999", "1e999 is never passed"),
        ("accuracy > 0.9", "no condition"),
        ("iteration 0", "count from 1"),
        ("epoch " + "9" * 5000, "count from 1"),
        ("iteration ,", "count from 1"),
        ("dead dens_1", "no layer 'dens_1'; did you mean 'dense_1'"),
        ("dead conv", "there are dense_1, dense_2"),
        ("dead dense_1[6]", "no unit 6: they count from 0 to 5"),
        ("dead dense_1[-1]", "no condition"),
    ],
)
def test_what_is_no_condition_is_told(typed: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        condition(typed, TRAINER)


def test_a_rule_has_no_gradient() -> None:
    trainer = trainer_of(
        layers=[{"type": "dense", "units": 1, "activation": "step"}],
        rule={"type": "perceptron"},
        loss=None,
        optimizer=None,
    )
    assert condition("loss < 0.1", trainer).text == "loss < 0.1"
    with pytest.raises(ValueError, match="perceptron learns by a rule and has no gradient"):
        condition("|gradient| > 10", trainer)


@given(st.text(alphabet="los<>=|gradientepochd 0123456789.[]_,-", max_size=25))
def test_any_text_is_a_condition_or_a_message(text: str) -> None:
    try:
        found = condition(text, TRAINER)
    except ValueError:
        return
    assert condition(found.text, TRAINER).text == found.text


# -- when they stop -------------------------------------------------------------------------------


def reasons(trainer: Trainer, text: str, updates: int) -> dict[int, str]:
    """Why it stops, by the number of the update."""
    found = Breakpoints(trainer, [text])
    told = {}
    for _ in range(updates):
        if reason := found.check(trainer.update()):
            told[trainer.state.iteration] = reason
    return told


def rises(truth: list[bool]) -> list[int]:
    """Updates, from 1, at which it becomes true."""
    return [i + 1 for i, now in enumerate(truth) if now and not (i and truth[i - 1])]


@pytest.mark.parametrize("limit", [0.1, 0.4, 0.5, 99])
@pytest.mark.parametrize("sign", ["<", ">"])
def test_a_loss_stops_where_it_passes_and_not_again_until_it_came_back(
    limit: float, sign: str
) -> None:
    alone = trainer_of()
    losses = np.array([alone.update() for _ in range(120)])
    truth = losses < limit if sign == "<" else losses > limit
    told = reasons(trainer_of(), f"loss {sign} {limit}", 120)
    assert list(told) == rises(truth.tolist())
    for iteration, reason in told.items():
        words = reason.split()
        assert words[0] == "loss"
        assert words[2:] == [sign, f"{limit:g}", "at", "iteration", str(iteration)]
        np.testing.assert_allclose(float(words[1]), losses[iteration - 1], rtol=1e-3)


def test_a_stop_is_told_with_the_digits_that_it_needs() -> None:
    found = condition("loss < 0.1", TRAINER)
    told = found.check(TRAINER, 0.09999999)
    assert told is not None
    assert told.startswith("loss 0.09999999 < 0.1 at iteration")


def test_what_holds_already_stops_once_and_lets_training_go_on() -> None:
    trainer = trainer_of()
    found = Breakpoints(trainer, ["loss < 99"])
    stops = [bool(found.check(trainer.update())) for _ in range(30)]
    assert stops == [True] + [False] * 29


def test_the_largest_gradient_of_all_is_named() -> None:
    alone, largest = trainer_of(), []
    for _ in range(60):
        alone.update()
        sizes = np.abs(alone.parameters.gradients)
        largest.append((float(sizes.max()), weight_at(int(sizes.argmax()), alone.parameters).name))
    limit = sorted(size for size, _ in largest)[30]
    told = reasons(trainer_of(), f"gradient > {limit!r}", 60)
    assert list(told) == rises([size > limit for size, _ in largest])
    for iteration, reason in told.items():
        assert reason.startswith(f"|gradient| of {largest[iteration - 1][1]} ")
        assert reason.endswith(f"at iteration {iteration}")
    assert 0 < len(told) < 60


def test_all_gradients_small_is_a_condition_too() -> None:
    trainer = trainer_of()
    assert condition("gradient < 1e-3", trainer).check(trainer, trainer.update()) is None
    trainer.parameters.gradients[:] = -1e-4
    told = condition("gradient < 1e-3", trainer).check(trainer, 0.5)
    assert told == "the largest |gradient| of dense_1.kernel[0, 0] 0.0001 < 0.001 at iteration 1"


def test_moments() -> None:
    assert reasons(trainer_of(), "iteration 7", 20) == {7: "iteration 7 is reached"}
    assert reasons(trainer_of(), "epoch 2", 20) == {10: "epoch 2 is complete at iteration 10"}


def test_a_moment_comes_again_after_going_back() -> None:
    trainer = trainer_of()
    found = Breakpoints(trainer, ["iteration 3"])
    for _ in range(3):
        trainer.update()
    snapshot = trainer.state.snapshot()
    assert found.check(0.5) == "iteration 3 is reached"
    trainer.state.restore(snapshot)
    assert found.check(0.5) == "iteration 3 is reached"


def kill(trainer: Trainer, *units: int) -> None:
    trainer.parameters.views["dense_1.kernel"][:, list(units)] = 0
    trainer.parameters.views["dense_1.bias"][list(units)] = -1


def test_a_unit_that_dies_is_named_once() -> None:
    trainer = trainer_of()
    whole = Breakpoints(trainer, ["dead dense_1"])
    one = Breakpoints(trainer, ["dead dense_1[3]"])
    other = Breakpoints(trainer, ["dead dense_1[2]"])
    trainer.parameters.views["dense_1.bias"][:] = 5  # all alive
    told = []
    for killed in ((), (3,), (), (1, 4), ()):
        kill(trainer, *killed)
        loss = trainer.update()
        told.append((whole.check(loss), one.check(loss), other.check(loss)))
    zero = "0 for every sample of the batch at iteration"
    assert told == [
        (None, None, None),
        (f"dense_1[3] gives {zero} 2", f"dense_1[3] gives {zero} 2", None),
        (None, None, None),
        (f"dense_1[1], dense_1[4] give {zero} 4", None, None),
        (None, None, None),
    ]


def test_many_dead_units_are_counted() -> None:
    trainer = trainer_of(
        layers=[{"type": "dense", "units": 20, "activation": "relu"}, TREE["layers"][1]]
    )
    kill(trainer, *range(20))
    told = Breakpoints(trainer, ["dead dense_1"]).check(trainer.update())
    assert told is not None
    assert "dense_1[4] and 15 more give 0" in told


def test_several_conditions_are_all_told_and_none_twice() -> None:
    trainer = trainer_of()
    found = Breakpoints(trainer, ["loss < 99", "iteration 1", "LOSS<99", "iteration 5"])
    assert found.texts == ("loss < 99", "iteration 1", "iteration 5")
    told = found.check(trainer.update())
    assert told is not None
    assert told.endswith("< 99 at iteration 1; iteration 1 is reached")
    assert Breakpoints(trainer, []).check(0.0) is None
