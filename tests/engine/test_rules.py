"""Learning without gradients, against what the lectures print and against plain loops."""

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.checks.misfits import misfits
from tui_nn_engine.data.prepared import PreparedData, prepare
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.stepping.explain import element_of, explain
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.training.events import RunEnded
from tui_nn_engine.training.health import COLUMNS, health
from tui_nn_engine.training.runs import Run

OR = [[0, 0], [0, 1], [1, 0], [1, 1]]
RULES = ("perceptron", "hebb", "adaline")


def experiment(
    rule: str,
    *,
    data: dict[str, Any] | None = None,
    rate: float = 1.0,
    activation: Any = "step",
    start: list[list[float]] | None = None,
    bias: bool = True,
    **training: Any,
) -> Experiment:
    """One unit on a gate, all weights zero unless told, sample by sample in order."""
    initial = "zeros" if start is None else {"type": "given", "values": start}
    layer = {"type": "dense", "units": 1, "activation": activation, "use_bias": bias}
    return Experiment.parse(
        {
            "dtype": "float64",
            "data": data or {"name": "gates", "gate": "or"},
            "layers": [{**layer, "kernel_initializer": initial}],
            "rule": {"type": rule, "learning_rate": rate},
            "training": {
                "epochs": 3,
                "batch_size": 1,
                "shuffle": False,
                "threads": 1,
                **training,
            },
        }
    )


def weights(trainer: Trainer) -> list[float]:
    """The flat vector: w1, w2, b."""
    return [float(weight) for weight in trainer.parameters.values]


def trained(trainer: Trainer) -> Trainer:
    for _ in trainer.run():
        pass
    return trainer


def accuracies(trainer: Trainer) -> list[float]:
    found: list[float] = []
    while not trainer.done:
        trainer.update()
        found += trainer.take_ended().column("accuracy").tolist()
    return found


# -- what the lectures print ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "learned"), [("and", [2, 2, -2]), ("or", [2, 2, 2]), ("xor", [0, 0, 0])]
)
def test_hebb_learns_gates_in_one_pass_and_not_xor(gate: str, learned: list[float]) -> None:
    data = {"name": "gates", "gate": gate, "bipolar": True, "bipolar_targets": True}
    trainer = trained(Trainer(experiment("hebb", data=data, activation="sign", epochs=1)))
    assert weights(trainer) == learned
    x = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])
    wanted = {"and": [-1, -1, -1, 1], "or": [-1, 1, 1, 1], "xor": [0, 0, 0, 0]}
    assert trainer.predict(x).ravel().tolist() == wanted[gate]


PERCEPTRON = [  # x1 x2 t y e w1 w2: the lecture's table of OR, alpha 0.2
    (0, 0, 0, 0, 0, -0.2, 0.4),
    (0, 1, 1, 1, 0, -0.2, 0.4),
    (1, 0, 1, 0, 1, 0.0, 0.4),
    (1, 1, 1, 1, 0, 0.0, 0.4),
    (0, 0, 0, 0, 0, 0.0, 0.4),
    (0, 1, 1, 1, 0, 0.0, 0.4),
    (1, 0, 1, 0, 1, 0.2, 0.4),
    (1, 1, 1, 1, 0, 0.2, 0.4),
    (0, 0, 0, 0, 0, 0.2, 0.4),
    (0, 1, 1, 1, 0, 0.2, 0.4),
    (1, 0, 1, 1, 0, 0.2, 0.4),
    (1, 1, 1, 1, 0, 0.2, 0.4),
]


def test_the_perceptron_learns_or_as_printed_row_by_row() -> None:
    chosen = experiment("perceptron", rate=0.2, start=[[-0.2], [0.4]], bias=False)
    trainer = Trainer(chosen)
    for row in PERCEPTRON:
        trainer.update()
        assert trainer.program is not None
        slots = trainer.program.slots()
        found = [
            *slots["x"].array.ravel(),
            *(slots[name].array.item() for name in ("t", "dense_1.h", "dense_1.e")),
            *weights(trainer),
        ]
        assert found == pytest.approx(row, abs=1e-15)
        assert trainer.program.loss_value == row[4] ** 2 / 2
    assert accuracies(Trainer(chosen)) == [0.75, 0.75, 1.0]


def test_what_the_step_gives_at_zero_is_an_option_of_the_activation() -> None:
    first = {"type": "step", "at_zero": 1}
    trainer = Trainer(experiment("perceptron", activation=first, bias=False))
    trainer.update()
    assert trainer.program is not None
    assert trainer.program.slots()["dense_1.e"].array.item() == -1  # t = 0, y = step(0) = 1


@pytest.mark.parametrize("gate", ["and", "or", "nand", "nor", "implies", "and_not"])
@pytest.mark.parametrize("bipolar", [False, True])
def test_the_perceptron_converges_where_a_line_divides(gate: str, bipolar: bool) -> None:
    data = {"name": "gates", "gate": gate, "bipolar": bipolar, "bipolar_targets": bipolar}
    activation = "sign" if bipolar else "step"
    trainer = Trainer(experiment("perceptron", data=data, activation=activation, epochs=30))
    found = accuracies(trainer)
    assert found[-1] == 1.0
    learned = weights(trainer)
    trainer.train_until(40)
    trained(trainer)
    assert weights(trainer) == learned  # an epoch without an error changed nothing


def test_the_perceptron_goes_round_in_a_circle_on_xor() -> None:
    trainer = Trainer(experiment("perceptron", data={"name": "gates", "gate": "xor"}, epochs=9))
    seen = []
    while not trainer.done:
        trainer.update()
        seen.append(weights(trainer))
    assert max(trainer.take_ended().column("accuracy")) < 1
    circle = seen[8:12]  # from the third epoch on, every epoch goes the same way round, for ever
    assert seen[8:] == circle * 7
    assert len({tuple(each) for each in circle}) == 4


CIRCUITS = {  # the figure of 1943: a unit fires with two spikes at least
    "C = A": ([[2], [0]], None, [0, 0, 1, 1]),
    "C = A and B": ([[1], [1]], None, [0, 0, 0, 1]),
    "C = A or B": ([[2], [2]], None, [0, 1, 1, 1]),
    "C = A and not B": ([[2], [0]], [[0], [1]], [0, 0, 1, 0]),
}


def logic(
    excitatory: list[list[int]], inhibitory: list[list[int]] | None, truth: list[int]
) -> Experiment:
    layer = {
        "type": "mcculloch_pitts",
        "units": 1,
        "excitatory": excitatory,
        "thresholds": [2],
    } | ({"inhibitory": inhibitory} if inhibitory else {})
    return Experiment.parse(
        {
            "data": {"name": "given", "x": OR, "y": truth},
            "layers": [layer],
            "rule": "mcculloch_pitts",
            "training": {"epochs": 1, "threads": 1},
        }
    )


@pytest.mark.parametrize("circuit", CIRCUITS)
def test_mcculloch_and_pitts_circuits_have_their_truth_tables(circuit: str) -> None:
    trainer = Trainer(logic(*CIRCUITS[circuit]))
    assert trainer.predict(np.array(OR)).ravel().tolist() == CIRCUITS[circuit][2]
    before = trainer.parameters.values.copy()
    assert accuracies(trainer) == [1.0]
    assert trainer.parameters.values.tolist() == before.tolist()
    assert trainer.program is not None
    assert {op.phase for op in trainer.program.ops} == {"forward", "loss"}


def test_one_active_inhibitory_input_silences_whatever_excites() -> None:
    chosen = logic([[9], [0]], [[0], [1]], [0, 0, 1, 0])
    assert trained(Trainer(chosen)).predict(np.array([[1, 1]])).item() == 0


def test_circuits_of_several_layers_compute_what_one_cannot() -> None:
    """XOR = (A and not B) or (B and not A)."""
    layers = [
        {
            "type": "mcculloch_pitts",
            "units": 2,
            "excitatory": [[2, 0], [0, 2]],
            "inhibitory": [[0, 1], [1, 0]],
            "thresholds": [2, 2],
        },
        {
            "type": "mcculloch_pitts",
            "units": 1,
            "excitatory": [[1], [1]],
            "thresholds": [1],
        },
    ]
    tree = logic(*CIRCUITS["C = A"]).tree() | {"layers": layers}
    trainer = Trainer(Experiment.parse(tree))
    assert trainer.predict(np.array(OR)).ravel().tolist() == [0, 1, 1, 0]
    summary = trainer.network.summary()
    assert [(row.parameters, row.trainable, row.connections) for row in summary] == [
        (10, 0, 4),
        (3, 0, 2),
    ]


# -- against plain loops and gradient descent -----------------------------------------------------


def points(rule: str, size: int, **changes: Any) -> Experiment:
    """Three clouds of points, an output for each, by batches of `size`; the last may be ragged."""
    activation = {"perceptron": "step", "hebb": "step", "adaline": "linear"}[rule]
    tree = {
        "seed": 4,
        "dtype": "float64",
        "data": {"name": "gaussians", "samples": 30, "classes": 3, "test_fraction": 0},
        "layers": [{"type": "dense", "units": 3, "activation": activation}],
        "rule": {"type": rule, "learning_rate": 0.03},
        "training": {"epochs": 4, "batch_size": size, "threads": 1},
    }
    return Experiment.parse(tree | changes)


@pytest.mark.parametrize("size", [1, 4, 30])
@pytest.mark.parametrize("rule", RULES)
def test_a_plain_loop_gives_the_same(rule: str, size: int) -> None:
    trainer = Trainer(points(rule, size))
    w = trainer.parameters.views["dense_1.kernel"].copy()
    b = trainer.parameters.views["dense_1.bias"].copy()
    while not trainer.done:
        loss = trainer.update()
        assert trainer.program is not None
        change_w, change_b, error = np.zeros_like(w), np.zeros_like(b), 0.0
        for x, t in zip(trainer.program.x.array, trainer.program.y.array, strict=True):
            z = x @ w + b
            y = z if rule == "adaline" else (z > 0).astype(float)
            e = t if rule == "hebb" else t - y
            change_w += 0.03 * np.outer(x, e)
            change_b += 0.03 * e
            error += 0.5 * float((t - y) @ (t - y))
        w, b = w + change_w, b + change_b
        np.testing.assert_allclose(trainer.parameters.views["dense_1.kernel"], w, atol=1e-12)
        np.testing.assert_allclose(trainer.parameters.views["dense_1.bias"], b, atol=1e-12)
        assert loss == pytest.approx(error / len(trainer.program.x.array), abs=1e-12)


@pytest.mark.parametrize("size", [1, 5])
def test_adaline_is_gradient_descent_on_the_half_squared_error(size: int) -> None:
    rule = points("adaline", size)
    tree = rule.tree()
    del tree["rule"]
    tree["loss"] = "half_squared_error"
    tree["optimizer"] = {"type": "sgd", "learning_rate": 0.03 * size}  # its gradient is the mean
    tree["data"]["validation_fraction"] = 1 / 6  # 25 samples: batches that are all whole
    adaline = trained(Trainer(Experiment.parse(rule.tree() | {"data": tree["data"]})))
    descent = trained(Trainer(Experiment.parse(tree)))
    assert adaline.samples == 25
    if size == 1:
        assert adaline.parameters.values.tobytes() == descent.parameters.values.tobytes()
    np.testing.assert_allclose(
        adaline.parameters.values, descent.parameters.values, rtol=0, atol=1e-12
    )


def test_adaline_learns_from_the_net_input_also_before_a_sign() -> None:
    data = {"name": "gates", "gate": "and", "bipolar": True, "bipolar_targets": True}
    linear, sign = (
        trained(Trainer(experiment("adaline", data=data, rate=0.1, activation=kind, epochs=20)))
        for kind in ("linear", "sign")
    )
    assert weights(linear) == weights(sign)
    assert weights(linear) != [0, 0, 0]
    assert sign.evaluate(sign.data.train).metrics["accuracy"] == 1
    assert sign.evaluate(sign.data.train).loss == linear.evaluate(linear.data.train).loss


def test_adaline_diverges_in_words_at_too_large_a_rate() -> None:
    trainer = Trainer(experiment("adaline", rate=50.0, activation="linear", epochs=3000))
    *_, last = trainer.run()
    assert isinstance(last, RunEnded)
    assert last.reason == "diverged"
    assert "not finite" in last.message
    assert np.isfinite(trainer.parameters.values).all()


# -- every way of running ends alike --------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7])
@pytest.mark.parametrize("rule", RULES)
def test_stepping_ends_as_running_does_and_back_leaves_no_trace(rule: str, size: int) -> None:
    straight, stepped = Trainer(points(rule, size)), Trainer(points(rule, size))
    for _ in range(6):
        before = stepped.parameters.values.tobytes()
        stepper = Stepper(stepped)
        while stepper.forward():
            pass
        after = stepped.parameters.values.tobytes()
        stepper.go_to(0)
        assert stepped.parameters.values.tobytes() == before
        stepper.finish()
        assert stepped.parameters.values.tobytes() == after
        straight.update()
    assert straight.parameters.values.tobytes() == stepped.parameters.values.tobytes()


def test_operations_and_slots_have_the_names_that_are_documented() -> None:
    trainer = Trainer(points("perceptron", 7))
    stepper = Stepper(trainer)
    stepper.go_to(len(stepper.ops))
    written = [op.output.name for op in stepper.ops]
    assert written == [
        "dense_1.xW",
        "dense_1.z",
        "dense_1.h",
        "loss.E",
        "dense_1.e",
        "x·e(dense_1.bias)",
        "x·e(dense_1.kernel)",
        "perceptron.Δw",
        "weights",
    ]
    slots = stepper.program.slots()
    e, x = slots["dense_1.e"].array, slots["x"].array
    np.testing.assert_array_equal(e, slots["t"].array - slots["dense_1.h"].array)
    np.testing.assert_allclose(slots["x·e(dense_1.kernel)"].array, x.T @ e)
    assert np.shares_memory(slots["x·e"].array, slots["x·e(dense_1.bias)"].array)
    hebb = Trainer(points("hebb", 7))
    assert "x·t(dense_1.kernel)" in hebb.load().slots()
    assert "dense_1.e" not in hebb.load().slots()


@pytest.mark.parametrize("rule", RULES)
def test_a_run_resumes_exactly(rule: str, tmp_path: Path) -> None:
    straight = trained(Trainer(points(rule, 4)))
    run = Run(Trainer(points(rule, 4)), tmp_path / "run")
    list(run.record(5))
    run.save()
    resumed = Run.resume(tmp_path / "run")
    list(resumed.record())
    assert resumed.trainer.parameters.values.tobytes() == straight.parameters.values.tobytes()


def test_the_rate_can_be_changed_while_it_runs() -> None:
    trainer = Trainer(points("adaline", 4))
    for _ in range(3):
        trainer.update()
    trainer.change_learning_rate(0.25)
    before = trainer.parameters.values.copy()
    trainer.update()
    step = trainer.parameters.values - before
    np.testing.assert_allclose(step, 0.25 * trainer.parameters.gradients)
    assert trainer.experiment.method.learning_rate == 0.03
    again = trained(Trainer(trainer.experiment))
    assert again.parameters.values.tobytes() == trained(trainer).parameters.values.tobytes()


def test_health_is_measured() -> None:
    trainer = Trainer(points("perceptron", 4))
    trainer.update()
    assert trainer.program is not None
    row = dict(zip(COLUMNS, health(trainer, trainer.program)[0], strict=True))
    assert row["gradient_norm"] == pytest.approx(np.linalg.norm(trainer.parameters.gradients))
    assert row["update_ratio"] > 0
    logical = trained(Trainer(logic(*CIRCUITS["C = A"])))
    assert logical.program is not None
    assert np.isnan(health(logical, logical.program)[0][-3:-1]).all()


# -- files and problems ---------------------------------------------------------------------------

TEXT = """# a perceptron
[data]
name = "gates" # by hand

[[layers]]
type = "dense"
units = 1
activation = "step"

[rule]
type = "perceptron" # Rosenblatt's
learning_rate = 0.2

[training]
batch_size = 1
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ExperimentError) as caught:
        Experiment.from_toml(text)
    return [str(problem) for problem in caught.value.problems]


def test_a_file_with_a_rule_is_read_and_written_back() -> None:
    first = Experiment.from_toml(TEXT)
    assert (first.loss, first.optimizer) == (None, None)
    assert first.to_toml(TEXT) == TEXT
    for defaults in (False, True):
        assert Experiment.from_toml(first.to_toml(defaults=defaults)).rule == first.rule
    assert "optimizer" not in first.tree(defaults=True)
    short = Experiment.from_toml(TEXT.replace("perceptron", "widrow_hoff"))
    assert '"adaline"' in short.to_toml()
    other = first.overridden(["rule.learning_rate=0.5", "rule.type=hebb"])
    assert other.method.learning_rate == 0.5
    assert 'type = "hebb" # Rosenblatt\'s' in other.to_toml(TEXT)


def test_exactly_one_way_to_learn() -> None:
    both = TEXT + '[loss]\ntype = "half_squared_error"\n[optimizer]\ntype = "sgd"\n'
    said = "can't stand beside [rule]: keep one of them (perceptron needs none)"
    assert problems(both) == [f"loss: {said}", f"optimizer: {said}"]
    none = TEXT.partition("[rule]")[0]
    assert problems(none) == ["loss: is missing"]
    assert problems(none + '[optimizer]\ntype = "adam"') == ["loss: is missing"]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("perceptron", "percepton", ["rule: 'percepton' is not known; did you mean 'perceptron'?"]),
        ("0.2", "-1", ["rule.learning_rate: must be greater than 0.0 (is -1)"]),
        ("learning_rate", "rate", ["rule.rate: is not known here; known: learning_rate, type"]),
        ("perceptron", "fixed", ["rule.learning_rate: is not known here; did you mean 'type'?"]),
    ],
)
def test_what_is_wrong_in_a_rule_is_named(old: str, new: str, wanted: list[str]) -> None:
    found = problems(TEXT.replace(old, new))
    assert [one.partition(";")[0] for one in found] == [one.partition(";")[0] for one in wanted]


def test_what_is_wrong_in_mcculloch_pitts_units_is_named() -> None:
    tree = logic([[1], [1]], None, [0, 0, 0, 1]).tree()
    layer = tree["layers"][0]
    wrong = {
        "excitatory": [[1], [0.5]],
        "inhibitory": [[-1], [0]],
        "thresholds": ["two"],
    }
    with pytest.raises(ExperimentError) as caught:
        Experiment.parse({**tree, "layers": [{**layer, **wrong}]})
    assert sorted(str(one) for one in caught.value.problems) == [
        "layers[0].excitatory[1][0]: must be a whole number (is 0.5)",
        "layers[0].inhibitory[0][0]: must be at least 0 (is -1)",
        "layers[0].thresholds[0]: must be a whole number (is 'two')",
    ]
    wrong = {
        "excitatory": [[1]],
        "inhibitory": [[1], [0, 1]],
        "thresholds": [1, 2],
    }
    sized = Experiment.parse({**tree, "layers": [{**layer, **wrong}]})
    with pytest.raises(ExperimentError) as caught:
        Trainer(sized)
    shape = "must have the shape (2, 1): a row an input, a column a unit"
    assert [str(one) for one in caught.value.problems] == [
        f"layers[0].excitatory: {shape} (has (1, 1))",
        f"layers[0].inhibitory: {shape} (has rows of unequal length)",
        "layers[0].thresholds: must have the shape (1,) (has (2,))",
    ]


GATE = {"name": "gates", "gate": "or"}
BIPOLAR = {"name": "gates", "gate": "or", "bipolar": True, "bipolar_targets": True}
NUMBERS = {"name": "given", "x": OR, "y": [0.5, 1.5, -2, 0]}
LEVELS = {"name": "given", "x": OR, "y": [-1, 1, 1, -1]}


def dense(activation: str = "linear", **more: Any) -> dict[str, Any]:
    return {"type": "dense", "units": 1, "activation": activation, **more}


@pytest.mark.parametrize(
    ("rule", "data", "layers", "wanted", "mended"),
    [
        (
            "perceptron",
            GATE,
            [dense("sigmoid")],
            "layers[0].activation: perceptron with targets of 0 and 1 needs step at the output "
            "(is sigmoid); to mend it: use step",
            [dense("step")],
        ),
        (
            "perceptron",
            BIPOLAR,
            [dense(), {"type": "activation", "activation": "step"}],
            "layers[1].activation: perceptron with targets of -1 and +1 needs sign at the output "
            "(is step); to mend it: use sign",
            [dense(), {"type": "activation", "activation": "sign"}],
        ),
        (
            "perceptron",
            LEVELS,
            [dense("step")],
            "layers[0].activation: perceptron with targets of -1 and +1 needs sign at the output "
            "(is step); to mend it: use sign",
            [dense("sign")],
        ),
        (
            "adaline",
            GATE,
            [dense("step")],
            "layers[0].activation: adaline with targets of 0 and 1 needs linear at the output "
            "(is step); to mend it: use linear",
            [dense()],
        ),
        (
            "perceptron",
            GATE,
            [dense("tanh", units=4), dense("step")],
            "layers[0]: perceptron teaches a single layer and sends no errors back: dense_1 can't "
            "learn beside dense_2; to mend it: keep its weights as they start, as in Rosenblatt's "
            "machine",
            [
                dense("tanh", units=4, kernel_trainable=False, bias_trainable=False),
                dense("step"),
            ],
        ),
        (
            "hebb",
            GATE,
            [dense(), {"type": "dropout"}],
            "layers[1]: hebb compares what dense_1 gives with the targets: nothing but an "
            "activation may follow it; to mend it: take out what follows",
            [dense()],
        ),
        (
            "adaline",
            GATE,
            [dense("tanh"), {"type": "activation", "activation": "sign"}],
            "layers[0].activation: adaline needs a single activation after the sum, but tanh is "
            "followed by another; to mend it: use linear here",
            [dense(), {"type": "activation", "activation": "linear"}],
        ),
    ],
)
def test_networks_that_a_rule_cannot_teach_are_refused_and_mended(
    rule: str,
    data: dict[str, Any],
    layers: list[dict[str, Any]],
    wanted: str,
    mended: list[dict[str, Any]],
) -> None:
    chosen = Experiment.parse({"data": data, "layers": layers, "rule": rule})
    with pytest.raises(ExperimentError) as caught:
        Trainer(chosen)
    assert str(caught.value.problems[0]) == wanted
    for _ in range(4):
        found = misfits(chosen, _prepared(chosen))
        if not found:
            break
        assert found[0].fixed is not None
        chosen = found[0].fixed
    else:
        raise AssertionError("never mended")
    assert chosen.tree()["layers"] == mended
    trained(Trainer(chosen))


def _prepared(chosen: Experiment) -> PreparedData:
    return prepare(chosen.data, chosen.seed, chosen.dtype)


def test_numbers_to_predict_need_adaline() -> None:
    chosen = Experiment.parse({"data": NUMBERS, "layers": [dense("step")], "rule": "perceptron"})
    first = misfits(chosen, _prepared(chosen))[0]
    assert str(first) == (
        "rule: perceptron needs targets of 0 and 1, or of -1 and +1, but 'given' has numbers to "
        "predict; to mend it: use adaline"
    )
    assert first.fixed is not None
    second = misfits(first.fixed, _prepared(chosen))[0]
    assert second.remedy == "use linear"
    assert second.fixed is not None
    assert misfits(second.fixed, _prepared(chosen)) == ()


def test_a_layer_that_stays_as_it_is_may_come_before_the_one_that_learns() -> None:
    """Rosenblatt's machine: fixed features, then a layer that learns; here they divide XOR."""
    hidden = {
        **dense("step", units=2, kernel_trainable=False, bias_trainable=False),
        "kernel_initializer": {"type": "given", "values": [[1, 1], [1, 1]]},
        "bias_initializer": {"type": "given", "values": [-0.5, -1.5]},
    }
    chosen = experiment("perceptron", data={"name": "gates", "gate": "xor"}, epochs=30)
    both = Experiment.parse(chosen.tree() | {"layers": [hidden, dense("step")]})
    trainer = Trainer(both)
    before = trainer.parameters.views["dense_1.kernel"].tolist()
    assert accuracies(trainer)[-1] == 1
    assert trainer.parameters.views["dense_1.kernel"].tolist() == before


def test_what_can_not_learn_or_not_fire_is_told() -> None:
    tree = logic(*CIRCUITS["C = A"]).tree()
    idle = Experiment.parse(tree | {"rule": "perceptron"})
    assert [str(one) for one in misfits(idle, _prepared(idle))] == [
        "rule: perceptron has nothing to teach: no layer has weights that learn; to mend it: use "
        "fixed"
    ]
    bipolar = Experiment.parse(tree | {"data": BIPOLAR})
    (found,) = misfits(bipolar, _prepared(bipolar))
    assert str(found) == (
        "layers[0]: mcculloch_pitts_1 needs inputs of 0 and 1, but the inputs of 'gates' are "
        "others; to mend it: make the inputs 0 and 1"
    )
    assert found.fixed is not None
    assert misfits(found.fixed, _prepared(found.fixed)) == ()
    between = [dense("tanh"), {**tree["layers"][0], "excitatory": [[1]]}]
    fed = Experiment.parse(tree | {"layers": between})
    (found,) = misfits(fed, _prepared(fed))
    assert "but the outputs of dense_1 are others" in found.message
    trained(Trainer(Experiment.parse(tree | {"layers": [dense("step"), between[1]]})))


def test_a_network_worked_out_by_hand_is_fixed_with_any_layers() -> None:
    """XNOR = OR(AND, (NOT x1) AND (NOT x2)) by sigmoid units, as in the lecture."""
    layers = [
        {
            **dense("sigmoid", units=2),
            "kernel_initializer": {"type": "given", "values": [[20, -20], [20, -20]]},
            "bias_initializer": {"type": "given", "values": [-30, 10]},
        },
        {
            **dense("sigmoid"),
            "kernel_initializer": {"type": "given", "values": [[20], [20]]},
            "bias_initializer": {"type": "given", "values": [-10]},
        },
    ]
    data = {"name": "gates", "gate": "xnor"}
    chosen = Experiment.parse({"data": data, "layers": layers, "rule": "fixed"})
    trainer = trained(Trainer(chosen))
    assert (trainer.predict(np.array(OR)).ravel() > 0.5).tolist() == [True, False, False, True]
    assert trainer.parameters.trainable_size == 0
    assert weights(trainer) == weights(Trainer(chosen))


# -- explained like everything else ---------------------------------------------------------------


@pytest.mark.parametrize("names", ["paper", "code"])
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("rule", RULES)
def test_every_operation_is_explained_with_its_own_numbers(
    rule: str, size: int, names: Literal["paper", "code"]
) -> None:
    trainer = Trainer(points(rule, size))
    trainer.update()
    stepper = Stepper(trainer)
    stepper.go_to(len(stepper.ops))
    for index, op in enumerate(stepper.ops):
        element = element_of(stepper, index, "dense_1", 2, size - 1, 1)
        found = explain(stepper, index, element, Notation(names, "delta", 17))
        last = found.lines[-1]
        place = element if op.phase != "loss" else ()
        assert last.value == pytest.approx(float(op.output.array[place]))
        assert len(found.sentence) > 20
        assert "∂" not in last.left + last.symbols
        assert "dE/d" not in last.left + last.symbols


def test_the_lecture_s_names_stand_in_the_explanations() -> None:
    trainer = Trainer(experiment("perceptron", rate=0.2, start=[[-0.2], [0.4]], bias=False))
    for _ in range(2):
        trainer.update()
    stepper = Stepper(trainer)
    stepper.go_to(len(stepper.ops))
    told = {
        op.primitive.name: explain(
            stepper, index, element_of(stepper, index, "dense_1", 0, 0, 0), Notation()
        ).lines[-1]
        for index, op in enumerate(stepper.ops)
    }
    lines = {
        name: f"{line.left} = {line.symbols} = {line.numbers} = {line.result}"
        for name, line in told.items()
    }
    assert lines["error"] == "e3 = t − y = 1 − 0 = 1"
    assert lines["input × error"] == "x·e(w13) = x1·e3 = 1·1 = 1"
    assert lines["step"] == "Δw13 = η·x·e(w13) = 0.2·1 = 0.2"
    assert lines["new weights"] == "new w13 = w13 + Δw13 = −0.2 + 0.2 = 0"


@pytest.mark.parametrize("sample", range(4))
def test_a_unit_that_fires_or_not_says_why(sample: int) -> None:
    trainer = Trainer(logic([[2], [2]], [[0], [1]], [0, 0, 1, 0]))
    stepper = Stepper(trainer)
    stepper.go_to(len(stepper.ops))
    fire = next(i for i, op in enumerate(stepper.ops) if op.primitive.name == "fire")
    place = element_of(stepper, fire, "mcculloch_pitts_1", 0, sample, 0)
    found = explain(stepper, fire, place, Notation())
    assert found.lines[-1].symbols == "0 if i3 > 0 else 1 if z3 ≥ θ3 else 0"
    reasons = ["Fewer spikes", "An inhibitory input", "Enough spikes", "An inhibitory input"]
    assert found.sentence.startswith(reasons[sample])
    assert found.lines[-1].value == [0, 0, 1, 0][sample]
