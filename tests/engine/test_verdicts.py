"""What is made to vanish, explode, die or saturate is called so, and all else is not."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import DivergedError, Experiment, Trainer
from tui_nn_engine.training.health import COLUMNS
from tui_nn_engine.training.verdicts import Verdict, judge, verdicts

OUTPUT = {"type": "dense", "units": 1, "activation": "sigmoid"}


def dense(units: int, activation: str, **more: Any) -> dict[str, Any]:
    return {"type": "dense", "units": units, "activation": activation, **more}


def experiment(*layers: dict[str, Any], **more: Any) -> Experiment:
    tree = {
        "data": {"name": "moons", "samples": 300},
        "layers": [*layers, OUTPUT],
        "loss": "binary_crossentropy",
        "optimizer": {"type": "sgd", "learning_rate": 0.1},
        "training": {"epochs": 1000, "batch_size": 32, "threads": 1},
    }
    return Experiment.parse(tree | more)


def after(updates: int, *layers: dict[str, Any], **more: Any) -> tuple[Verdict | None, ...]:
    trainer = Trainer(experiment(*layers, **more))
    for _ in range(updates):
        trainer.update()
    assert trainer.program is not None
    return judge(trainer, trainer.program)[1]


def words(found: tuple[Verdict | None, ...]) -> list[str]:
    return [verdict.word if verdict else "" for verdict in found]


@pytest.mark.parametrize("updates", [1, 10, 100])
def test_a_deep_sigmoid_network_vanishes_from_the_front(updates: int) -> None:
    found = after(updates, *[dense(10, "sigmoid")] * 8)
    assert words(found)[:3] == ["vanishing"] * 3
    assert words(found)[-3:] == ["learning"] * 3
    first = found[0]
    assert first is not None
    assert "times smaller than that of a layer after it" in first.why
    assert "relu" in first.remedy


def test_the_same_network_of_relu_units_does_not() -> None:
    for updates in (1, 10, 100):
        assert "vanishing" not in words(after(updates, *[dense(10, "relu")] * 8))


PLANE: dict[str, Any] = {
    "data": {"name": "plane", "samples": 200},
    "layers": [dense(8, "tanh"), dense(1, "linear")],
    "loss": "mean_squared_error",
    "optimizer": {"type": "sgd", "learning_rate": 10.0},
}


@pytest.mark.parametrize("updates", range(1, 9))
def test_a_rate_of_ten_explodes(updates: int) -> None:
    found = after(updates, **PLANE)
    assert words(found)[-1] == "exploding"
    assert found[-1] is not None
    assert "rate" in found[-1].remedy


def test_a_rate_of_a_tenth_does_not() -> None:
    gentle = PLANE | {"optimizer": {"type": "sgd", "learning_rate": 0.1}}
    for updates in (1, 10, 100):
        assert "exploding" not in words(after(updates, **gentle))


def test_where_it_diverged_it_exploded() -> None:
    trainer = Trainer(experiment(**PLANE))
    for _ in range(9):
        trainer.update()
    with pytest.raises(DivergedError):  # noqa: PT012
        while True:
            trainer.update()
    assert trainer.program is not None
    assert words(judge(trainer, trainer.program)[1])[-1] == "exploding"


def test_an_error_that_grows_on_the_way_back_explodes() -> None:
    wild = {"type": "random_normal", "stddev": 1.0}
    layers = [dense(20, "linear", kernel_initializer=wild)] * 5
    last = dense(1, "linear", kernel_initializer={"type": "random_normal", "stddev": 1e-5})
    slow = PLANE | {"layers": [*layers, last], "optimizer": {"type": "sgd", "learning_rate": 1e-9}}
    assert "vanishing" in words(after(1, **slow))  # the small last weights hold the error back
    wide = dense(20, "tanh", kernel_initializer={"type": "random_normal", "stddev": 1.0})
    row = dict.fromkeys(COLUMNS, 0.1) | {"saturated": float("nan"), "dead": 0.0}
    big = row | {"gradient_rms": 1e3, "gradient_norm": 1e3}
    table = np.array([list(big.values()), list(row.values())])
    net = Experiment.parse({**experiment(wide).tree()}).places()
    assert words(verdicts(table, net, samples=32)) == ["exploding", "learning"]


def test_weights_that_have_grown_out_of_bounds_have_exploded_even_if_they_rest() -> None:
    row = dict.fromkeys(COLUMNS, 0.1) | {"update_ratio": 1e-4, "update_size": 0.2}
    layers = experiment().places()
    (verdict,) = verdicts(np.array([list(row.values())]), layers, samples=32)
    assert verdict is not None
    assert (verdict.word, verdict.why) == (
        "exploding",
        "Its weights are 2,000 times as large as fresh ones would be.",
    )


def test_relu_units_with_a_large_negative_bias_are_dead() -> None:
    bias = {"type": "constant", "value": -100.0}
    found = after(10, dense(8, "relu", bias_initializer=bias))
    assert words(found) == ["dead", "learning"]
    assert found[0] is not None
    assert found[0].why.startswith("100 % of its ReLU units gave 0")
    before = after(10, dense(6, "tanh"), dense(8, "relu", bias_initializer=bias))
    assert words(before) == ["not learning", "dead", "learning"]
    assert before[0] is not None
    assert "dense_2, after it, is dead" in before[0].why


def test_a_few_dead_units_are_no_verdict_and_neither_is_a_small_batch() -> None:
    bias = {"type": "given", "values": [-100.0, -100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]}
    assert words(after(10, dense(8, "relu", bias_initializer=bias)))[0] == "learning"
    single = after(10, dense(8, "relu"), training={"batch_size": 1, "threads": 1})
    assert "dead" not in words(single)


def test_tanh_with_huge_weights_is_saturated() -> None:
    huge = {"type": "random_normal", "stddev": 50.0}
    found = after(10, dense(8, "tanh", kernel_initializer=huge))
    assert words(found) == ["saturated", "learning"]
    assert words(after(10, dense(8, "sigmoid", kernel_initializer=huge)))[0] == "saturated"


def test_saturation_is_the_share_of_outputs_on_the_flat_parts() -> None:
    trainer = Trainer(experiment(dense(8, "tanh"), dense(6, "sigmoid"), dense(4, "relu")))
    trainer.parameters.values[...] *= 9
    trainer.update()
    assert trainer.program is not None
    table, _ = judge(trainer, trainer.program)
    share = table[:, COLUMNS.index("saturated")]
    slots = trainer.program.slots()
    tanh, sigmoid = slots["dense_1.h"].array, slots["dense_2.h"].array
    assert 0.05 < share[0] < 0.95
    assert share[0] == pytest.approx(np.mean(np.abs(tanh) > 0.9))
    assert share[1] == pytest.approx(np.mean((sigmoid < 0.05) | (sigmoid > 0.95)))
    assert np.isnan(share[2])
    slopes = slots["dense_1.f'(z)"].array[np.abs(tanh) > 0.9]
    assert slopes.max() < 0.2  # as the reason says: less than a fifth is left


@pytest.mark.parametrize(
    ("layers", "optimizer", "loss"),
    [
        ([dense(16, "relu"), dense(16, "relu")], {"type": "adam", "learning_rate": 0.003}, 0.1),
        ([dense(8, "tanh")], {"type": "sgd", "learning_rate": 0.5, "momentum": 0.9}, 0.1),
        ([dense(8, "sigmoid")], {"type": "adam", "learning_rate": 0.05}, 0.3),
    ],
)
def test_a_well_trained_network_learns(
    layers: list[dict[str, Any]], optimizer: dict[str, Any], loss: float
) -> None:
    trainer = Trainer(experiment(*layers, optimizer=optimizer))
    for update in range(1, 1201):
        trainer.update()
        if update % 300 == 0:
            assert trainer.program is not None
            assert set(words(judge(trainer, trainer.program)[1])) == {"learning"}, update
    assert trainer.evaluate(trainer.data.train).loss < loss


def test_weights_that_start_at_zero_do_not_explode() -> None:
    zero = {**OUTPUT, "kernel_initializer": "zeros"}
    for updates in (1, 2, 5):
        assert words(after(updates, layers=[zero])) == ["learning"]


def test_steps_of_next_to_nothing_are_slow_and_large_ones_fast() -> None:
    rates = {1e-6: "slow", 0.01: "learning", 1.0: "fast"}
    for rate, word in rates.items():
        optimizer = {"type": "sgd", "learning_rate": rate}
        assert words(after(1, dense(8, "tanh"), optimizer=optimizer))[0] == word


def test_a_search_for_the_length_of_a_step_is_not_fast() -> None:
    rows = np.array([[0.1, 0.3, 0.0, 0.5, np.nan, 0.1, 0.3, 0.2, 0.3, 0.0]])
    layers = experiment().places()
    assert words(verdicts(rows, layers, samples=32)) == ["fast"]
    assert words(verdicts(rows, layers, samples=32, searched=True)) == ["learning"]
    assert words(after(3, dense(8, "tanh"), optimizer={"type": "lbfgs"}, training=FULL)) == [
        "learning",
        "learning",
    ]


FULL = {"epochs": 100, "batch_size": 300, "threads": 1}


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        ([dense(4, "step")], "its own activation is flat everywhere"),
        ([dense(4, "tanh"), dense(4, "sign")], "dense_2, after it, is flat everywhere"),
        (
            [
                dense(4, "tanh"),
                dense(4, "tanh", kernel_initializer="zeros", kernel_trainable=False),
            ],
            "the weights of dense_2, after it, are all 0",
        ),
    ],
)
def test_no_gradient_and_who_holds_it_back(layers: list[dict[str, Any]], why: str) -> None:
    first = after(3, *layers)[0]
    assert first is not None
    assert first.word == "not learning"
    assert why in first.why


def test_frozen_layers_and_those_without_weights() -> None:
    frozen = dense(4, "relu", kernel_trainable=False, bias_trainable=False)
    dropout = {"type": "dropout", "rate": 0.1}
    assert words(after(3, frozen, dropout)) == ["frozen", "", "learning"]


def test_a_rule_without_gradients_is_not_judged() -> None:
    trainer = Trainer(
        Experiment.parse(
            {
                "data": {"name": "gates"},
                "layers": [dense(1, "step")],
                "rule": {"type": "perceptron"},
            }
        )
    )
    trainer.update()
    assert trainer.program is not None
    assert judge(trainer, trainer.program)[1] == (None,)


def test_every_bad_verdict_says_why_and_what_to_try() -> None:
    huge = {"type": "random_normal", "stddev": 50.0}
    nets = [
        [dense(10, "sigmoid")] * 8,
        [dense(4, "step")],
        [dense(8, "tanh", kernel_initializer=huge)],
    ]
    found = [verdict for layers in nets for verdict in after(2, *layers) if verdict]
    bad = [verdict for verdict in found if verdict.severity == "bad"]
    assert {verdict.word for verdict in bad} == {"vanishing", "not learning", "saturated"}
    for verdict in bad:
        assert verdict.why.endswith(".")
        assert verdict.remedy


def test_a_layer_is_judged_beside_what_it_feeds_not_the_branch_beside_it() -> None:
    inner = {"type": "dense", "units": 4, "activation": "tanh"}
    block = {"type": "parallel", "branches": [{"layers": [inner]}, {"layers": [inner]}]}
    places = experiment(block).places()
    small, large = (dict.fromkeys(COLUMNS, 0.1) for _ in range(2))
    small["gradient_rms"], large["gradient_rms"] = 1e-6, 1.0
    for row in (small, large):
        row["update_ratio"] = row["update_size"] = 1e-3
    join = dict.fromkeys(COLUMNS, float("nan"))
    last = large | {"gradient_rms": 1e-5}
    rows = np.array([list(row.values()) for row in (small, large, join, last)])
    found = verdicts(rows, places, samples=32)
    assert [one and one.word for one in found] == ["learning", "exploding", None, "learning"]
