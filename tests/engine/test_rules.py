"""Rules without gradients learn what the lectures print, and what plain loops come to.

Hebb's rule, the perceptron, the adaline, and the circuits and networks whose weights stand fixed.
"""

import numpy as np
import pytest
from rule_experiments import CIRCUITS, OR, RULES, dense, experiment, logic, points, trained

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.events import RunEnded


def weights(trainer: Trainer) -> list[float]:
    """The flat vector: w1, w2, b."""
    return [float(weight) for weight in trainer.parameters.values]


def accuracies(trainer: Trainer) -> list[float]:
    found: list[float] = []
    while not trainer.done:
        trainer.update()
        found += trainer.take_ended().column("accuracy").tolist()
    return found


# -- what the lectures print -----------------------------------------------------------------------


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


# -- against plain loops and gradient descent ------------------------------------------------------


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
