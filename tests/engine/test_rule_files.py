"""Experiment files with a rule: read, written back, and what is wrong in them named.

A network that a rule cannot teach is refused, with a remedy that mends it.
"""

from typing import Any

import pytest
from rule_experiments import CIRCUITS, OR, dense, logic, trained

from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.checks.misfits import misfits
from tui_nn_engine.data.prepared import PreparedData, prepare

# -- files -----------------------------------------------------------------------------------------

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


# -- what does not fit -----------------------------------------------------------------------------

GATE = {"name": "gates", "gate": "or"}
BIPOLAR = {"name": "gates", "gate": "or", "bipolar": True, "bipolar_targets": True}
NUMBERS = {"name": "given", "x": OR, "y": [0.5, 1.5, -2, 0]}
LEVELS = {"name": "given", "x": OR, "y": [-1, 1, 1, -1]}


def _prepared(chosen: Experiment) -> PreparedData:
    return prepare(chosen.data, chosen.seed, chosen.dtype)


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
