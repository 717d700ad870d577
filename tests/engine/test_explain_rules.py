"""Explanations of rules without gradients: each operation's own numbers, the lectures' names.

No line speaks of a derivative; a unit of McCulloch and Pitts says why it fires or not.
"""

from typing import Any, Literal

import pytest
from calculator import agree, computed
from rule_experiments import RULES, experiment, logic, points

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.stepping.explain import element_of, explain
from tui_nn_engine.stepping.stepper import Stepper

LAYERS: dict[str, dict[str, Any]] = {
    "perceptron": {"type": "dense", "units": 1, "activation": "step"},
    "hebb": {"type": "dense", "units": 1, "activation": "sign"},
    "adaline": {"type": "dense", "units": 1},
    "fixed": {
        "type": "mcculloch_pitts",
        "units": 1,
        "excitatory": [[2], [0]],
        "inhibitory": [[0], [1]],
        "thresholds": [2],
    },
}


@pytest.mark.parametrize("names", ["paper", "code"])
@pytest.mark.parametrize("rule", LAYERS)
def test_rules_without_gradients_too(rule: str, names: Any) -> None:
    tree = {
        "dtype": "float64",
        "data": {"name": "gates", "gate": "and", "bipolar_targets": rule == "hebb"},
        "rule": rule,
        "layers": [LAYERS[rule]],
        "training": {"epochs": 9, "batch_size": 2, "threads": 1},
    }
    trainer = Trainer(Experiment.parse(tree))
    for _ in range(3):
        trainer.update()
    stepper = Stepper(trainer)
    while stepper.forward():
        index = stepper.cursor - 1
        for sample, source in ((0, 0), (1, 1), (1, 2)):
            element = element_of(stepper, index, stepper.ops[0].path, 0, sample, source)
            found = explain(stepper, index, element, Notation(names, "delta", 17))
            for line in found.lines:
                assert agree(computed(line.numbers), line.value, 1.0), line
                assert "∂" not in line.symbols
                assert "dE" not in line.symbols


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
