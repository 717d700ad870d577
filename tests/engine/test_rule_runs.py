"""Runs of rules without gradients: every way of running ends alike.

Straight through, step by step and back, or resumed from a folder; what a run shows on its way, its
slots and its health, is there as it is for gradients.
"""

from pathlib import Path

import numpy as np
import pytest
from rule_experiments import CIRCUITS, RULES, logic, points, trained

from tui_nn_engine import Trainer
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.training.health import COLUMNS, health
from tui_nn_engine.training.runs import Run


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
