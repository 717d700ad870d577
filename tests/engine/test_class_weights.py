"""Weights of classes in training: counted, kept, summed right, the same wherever a loss is told."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.primitives.losses import LOSSES, Hinge, Loss, MeanBiasError
from tui_nn_engine.stepping.explain import explain
from tui_nn_engine.stepping.gradient_check import check_gradient
from tui_nn_engine.stepping.handout import handout
from tui_nn_engine.stepping.stepper import Stepper

X = np.random.default_rng(5).normal(size=(11, 2))
CLASSES = np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
BALANCED = [11 / (3 * 6), 11 / (3 * 3), 11 / (3 * 2)]


def trainer_of(
    loss: dict[str, Any], batch_size: int = 4, activation: str = "softmax", **data: Any
) -> Trainer:
    """Eleven samples: the last batch of an epoch is smaller."""
    tree = {
        "dtype": "float64",
        "data": {"name": "arrays", **data},
        "layers": [{"type": "dense", "units": 3, "activation": activation}],
        "loss": {"type": "categorical_crossentropy", **loss},
        "optimizer": {"type": "sgd", "learning_rate": 1e-12},
        "training": {"epochs": 1, "batch_size": batch_size, "threads": 1},
    }
    return Trainer(Experiment.parse(tree), data=(X, CLASSES))


def by_hand(trainer: Trainer, weights: list[float], part: Any) -> float:
    p = trainer.predict(X)[part.indices]
    labels = CLASSES[part.indices]
    return float(np.mean(np.take(weights, labels) * -np.log(p[np.arange(len(p)), labels])))


@pytest.mark.parametrize("batch_size", [1, 3, 4, 10, 11, 50])
def test_an_epoch_shows_the_weighted_sum_over_the_number_of_samples(batch_size: int) -> None:
    """Whatever the batches, also where the last one is smaller."""
    weights = [0.5, 2.0, 4.0]
    trainer = trainer_of({"class_weight": weights}, batch_size)
    wanted = by_hand(trainer, weights, trainer.data.train)
    for _ in range(trainer.batches_per_epoch):
        trainer.update()
    told = trainer.take_ended().column("loss")[0]
    assert told == pytest.approx(wanted, rel=1e-9)
    assert trainer.evaluate(trainer.data.train).loss == pytest.approx(wanted, rel=1e-9)


def test_validation_samples_are_weighted_too() -> None:
    trainer = trainer_of({"class_weight": [0.5, 2.0, 4.0]}, validation_fraction=0.4)
    assert set(trainer.data.validation.y) == {0, 1, 2}
    wanted = by_hand(trainer, [0.5, 2.0, 4.0], trainer.data.validation)
    assert trainer.evaluate(trainer.data.validation).loss == pytest.approx(wanted, rel=1e-12)


def test_balanced_is_scikit_learns() -> None:
    trainer = trainer_of({"class_weight": "balanced"})
    assert trainer.experiment.loss is not None
    assert trainer.experiment.loss.class_weight == BALANCED
    sklearn = pytest.importorskip("sklearn.utils.class_weight")
    wanted = sklearn.compute_class_weight("balanced", classes=np.arange(3), y=CLASSES)
    np.testing.assert_allclose(trainer.experiment.loss.class_weight, wanted, rtol=1e-15)


def test_balanced_counts_the_training_samples_alone() -> None:
    trainer = trainer_of({"class_weight": "balanced"}, validation_fraction=0.4)
    counts = np.bincount(trainer.data.train.y)
    assert trainer.experiment.loss is not None
    np.testing.assert_allclose(
        trainer.experiment.loss.class_weight, counts.sum() / (3 * counts), rtol=1e-15
    )


def test_balanced_and_the_numbers_it_stands_for_train_alike() -> None:
    """A run's own file has the numbers, so what is resumed or replayed is the same."""
    one, other = trainer_of({"class_weight": "balanced"}), trainer_of({"class_weight": BALANCED})
    assert one.experiment == other.experiment
    assert Experiment.from_toml(one.experiment.to_toml()) == one.experiment
    for trainer in (one, other):
        for _ in range(3):
            trainer.update()
    assert np.array_equal(one.parameters.values, other.parameters.values)


def test_a_class_that_never_occurs_is_not_counted() -> None:
    tree = trainer_of({"class_weight": "balanced"}).experiment.tree()
    tree["loss"] = {"type": "categorical_crossentropy", "class_weight": "balanced"}
    hot = np.eye(3)[[0, 0, 0, 2]]
    trainer = Trainer(Experiment.parse(tree), data=(X[:4], hot))
    assert trainer.experiment.loss is not None
    assert trainer.experiment.loss.class_weight == pytest.approx([4 / 6, 1.0, 4 / 2])


def test_weight_and_smoothing_are_operations_of_their_own() -> None:
    stepper = Stepper(trainer_of({"class_weight": [0.5, 2.0, 4.0], "label_smoothing": 0.3}))
    stepper.go_to(len(stepper.ops))
    names = [op.output.name for op in stepper.ops if op.phase == "loss"]
    assert names == ["loss.t′", "loss.c", "loss.E"]
    first = [op.phase for op in stepper.ops].index("loss")
    target = int(stepper.program.y.array[1].argmax())
    smoothed = explain(stepper, first, (1, target), Notation(digits=3))
    assert smoothed.lines[-1].left == f"t{3 + target}′"
    assert smoothed.lines[-1].symbols == f"t{3 + target}·(1 − s) + s/3"
    assert smoothed.lines[-1].numbers == "1·(1 − 0.3) + 0.3/3"
    weight = explain(stepper, first + 1, (1, 0), Notation(digits=3))
    assert weight.lines[-1].left == "c⁽²⁾"
    assert weight.lines[-1].symbols == f"weight of class {target}"
    assert weight.lines[-1].value == [0.5, 2.0, 4.0][target]
    assert f"of class {target} (counted from 0)" in weight.sentence
    loss = explain(stepper, first + 2, (1, 0), Notation(digits=3))
    assert loss.lines[-2].symbols.startswith("−c⁽²⁾·(t3′·ln(")
    slope = explain(stepper, first + 3, (1, 0), Notation(digits=3))
    assert slope.lines[-1].symbols == "c⁽²⁾·(y3 − t3′)/4"


def test_a_handout_tells_them() -> None:
    trainer = trainer_of({"class_weight": [0.5, 2.0, 4.0], "label_smoothing": 0.3})
    stepper = Stepper(trainer)
    stepper.go_to(len(stepper.ops))
    told = handout(stepper, 1, Notation())
    lines = [
        element.explanation.lines[-1].left
        for operation in told.operations
        if operation.phase == "loss"
        for element in operation.elements
    ]
    assert "t4′" in lines
    assert "c⁽²⁾" in lines
    assert "E" in lines


@pytest.mark.parametrize("kind", [kind for kind in LOSSES if kind is not MeanBiasError])
def test_weighted_gradients_are_the_numerical_ones(kind: type[Loss]) -> None:
    loss: dict[str, Any] = {"type": kind_name(kind), "class_weight": [0.5, 2.0, 4.0]}
    if "label_smoothing" in kind.model_fields:
        loss["label_smoothing"] = 0.2
    activation = "tanh" if kind is Hinge else "softmax"
    stepper = Stepper(trainer_of(loss, activation=activation))
    for weight in ("dense_1.kernel[0, 1]", "dense_1.kernel[1, 2]", "dense_1.bias[0]"):
        found = check_gradient(stepper, weight)
        assert found.difference < 1e-6, found
        assert found.backprop != 0


@pytest.mark.parametrize("bipolar", [False, True])
def test_the_sides_of_a_hinge_part_at_zero(bipolar: bool) -> None:
    tree = {
        "data": {"name": "gates", "gate": "and", "bipolar_targets": bipolar},
        "layers": [
            {
                "type": "dense",
                "units": 1,
                "kernel_initializer": {"type": "constant", "value": 0.1},
                "bias_initializer": {"type": "constant", "value": -0.15},
            }
        ],
        "loss": "hinge",
    }
    trainer = Trainer(Experiment.parse(tree))  # 0.1 (x1 + x2) − 0.15: above 0 for (1, 1) alone
    assert trainer.evaluate(trainer.data.train).metrics == {"accuracy": 1.0}
