"""A whole update written down where it goes through time: every step, gate and loss of it."""

import json
from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.stepping.handout import LARGEST, Handout, Operation, handout, largest
from tui_nn_engine.stepping.handout_formats import FORMATS
from tui_nn_engine.stepping.stepper import Stepper

EVERY = {"type": "lstm", "units": 2, "return_sequences": True}
BITS = {"name": "parity", "length": 3, "shortest": 2, "targets": "every", "samples": 8}

EVERY_BIT = {**BITS, "length": 4, "shortest": 4}
LINEAR = {"type": "dense", "units": 1, "activation": "linear"}
GRU = {"type": "gru", "units": 2}
TINY = [[[0.5], [-1.2], [0.8]], [[1.5], [0.3], [-0.6]]]


def dense(units: int, activation: str) -> dict[str, Any]:
    return {"type": "dense", "units": units, "activation": activation}


def stepper_of(layers: list[dict[str, Any]], data: dict[str, Any], loss: str = "mse") -> Stepper:
    """The first update, of a batch of two sequences."""
    training = {"batch_size": 2, "shuffle": False, "threads": 1}
    tree = {"seed": 5, "data": data, "layers": layers, "loss": loss, "training": training}
    return Stepper(Trainer(Experiment.parse(tree)))


def given(x: Any) -> dict[str, Any]:
    """Two sequences, a target each."""
    return {"name": "given", "x": x, "y": [[1], [0]], "task": "regression", "scaling": "none"}


def sequences(steps: int, features: int) -> Any:
    return np.random.default_rng(2).normal(size=(2, steps, features)).round(3).tolist()


def told_of(found: Handout, output: str) -> Operation:
    return next(op for op in found.operations if op.output == output)


def places(operation: Operation) -> list[tuple[int, ...]]:
    """The indices in the names of its elements."""
    return [tuple(json.loads(e.name[e.name.rindex("[") :])) for e in operation.elements]


# -- which numbers are told -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        {"type": "simple_rnn", "units": 2},
        {"type": "gru", "units": 2},
        {"type": "lstm", "units": 2},
        {"type": "gru", "units": 2, "dropout": 0.5, "recurrent_dropout": 0.5},
        {"type": "bidirectional", "layer": {"type": "lstm", "units": 2}},
    ],
)
@pytest.mark.parametrize("every", [False, True])
def test_of_a_tiny_network_every_number_is_told(first: dict[str, Any], every: bool) -> None:
    inner = {**first.get("layer", first), "return_sequences": every}
    layers = [{**first, "layer": inner} if "layer" in first else inner, LINEAR]
    stepper = stepper_of(layers, EVERY_BIT if every else given(TINY))
    found = handout(stepper, 1, Notation())
    stepper.go_to(len(stepper.ops))
    for operation in found.operations:
        assert len({element.name for element in operation.elements}) == operation.total
    products = [op for op in found.operations if op.name == "input products"]
    assert products
    for operation in products:
        array = stepper.program.slots()[operation.output].array
        assert places(operation) == [(1, *index) for index in np.ndindex(array.shape[1:])]
        values = [element.explanation.lines[-1].value for element in operation.elements]
        np.testing.assert_allclose(values, array[1].ravel(), rtol=1e-5)
    for style in ("text", "markdown"):
        assert "left out" not in FORMATS[style](found)


def test_of_a_long_sequence_the_largest_numbers_are_told_and_the_rest_counted() -> None:
    stepper = stepper_of([GRU, LINEAR], given(sequences(20, 1)))
    found = handout(stepper, 0, Notation())
    stepper.go_to(len(stepper.ops))
    products = told_of(found, "gru_1.a")
    array = stepper.program.slots()["gru_1.a"].array[0]
    chosen = [(0, *map(int, np.unravel_index(place, array.shape))) for place in largest(array)]
    assert places(products) == chosen
    assert len({time for _, time, _ in chosen}) > 1
    text = FORMATS["text"](found)
    assert text.count("12 of 120 are shown, those that count most; 108 are left out.") == 1
    assert "of many other numbers the 12 largest" in text


def test_of_a_large_layer_units_are_followed_through_gates_and_steps() -> None:
    units, gates = 70, 4
    stepper = stepper_of([{**EVERY, "units": units}, LINEAR], EVERY_BIT)
    found = handout(stepper, 0, Notation())
    stepper.go_to(len(stepper.ops))
    followed = {row.unit for row in found.layers[0].units}
    assert len(followed) == LARGEST
    columns = {gate * units + unit for gate in range(gates) for unit in followed}
    assert {column for _, column in places(told_of(found, "lstm_1/t=2.net"))} == columns
    every = places(told_of(found, "lstm_1.h"))
    assert every == [(0, time, unit) for time in range(4) for unit in sorted(followed)]
    array = np.abs(stepper.program.slots()["lstm_1.a"].array[0])
    products = told_of(found, "lstm_1.a")
    assert products.total == 4 * gates * units
    assert {column for *_, column in places(products)} <= columns
    values = sorted(array[:, sorted(columns)].ravel())[-LARGEST:]
    assert sorted(array[index[1:]] for index in places(products)) == values


def test_inputs_of_a_layer_are_not_taken_for_its_units() -> None:
    layer = {"type": "simple_rnn", "units": 2, "dropout": 0.5}
    stepper = stepper_of([layer, LINEAR], given(sequences(3, 30)))
    found = handout(stepper, 0, Notation())
    stepper.go_to(len(stepper.ops))
    array = stepper.program.slots()["simple_rnn_1.x′"].array[0]
    chosen = [(0, *map(int, np.unravel_index(place, array.shape))) for place in largest(array)]
    assert places(told_of(found, "simple_rnn_1.x′")) == chosen


# -- the sample -----------------------------------------------------------------------------------


def facts(found: Handout, name: str) -> list[str]:
    """What text and Markdown say of it."""
    lines = [line for style in ("text", "markdown") for line in FORMATS[style](found).splitlines()]
    return [line.removeprefix("- ") for line in lines if line.removeprefix("- ").startswith(name)]


def test_the_whole_sequence_is_told_and_the_targets_of_all_steps() -> None:
    stepper = stepper_of([EVERY, LINEAR], EVERY_BIT)
    found = handout(stepper, 1, Notation())
    for name, slot in (("inputs", stepper.program.x), ("targets", stepper.program.y)):
        rows = slot.array[1].tolist()
        steps = [
            f"t={time}: {', '.join(f'{v:g}' for v in row)}" for time, row in enumerate(rows, 1)
        ]
        assert len(steps) == 4
        assert facts(found, name.title()) == [f"{name.title()}: {'; '.join(steps)}"] * 2
        assert json.loads(FORMATS["json"](found))[name] == rows


def test_one_target_of_a_sequence_stays_one() -> None:
    found = handout(stepper_of([GRU, LINEAR], given(TINY)), 0, Notation())
    assert facts(found, "Inputs") == ["Inputs: t=1: 0.5; t=2: −1.2; t=3: 0.8"] * 2
    assert facts(found, "Targets") == ["Targets: 1"] * 2
    tree = json.loads(FORMATS["json"](found))
    np.testing.assert_allclose(tree["inputs"], TINY[0], rtol=1e-6)
    assert tree["targets"] == [1]


def test_of_a_long_sequence_the_first_steps_stand_in_the_line_and_all_in_json() -> None:
    x = sequences(20, 15)
    found = handout(stepper_of([GRU, LINEAR], given(x)), 1, Notation())
    line, _ = facts(found, "Inputs")
    *steps, more = line.split("; ")
    assert [step.count(",") for step in steps] == [12] * 12
    assert all(step.endswith(", … (3 more)") for step in steps)
    assert (steps[-1][:5], more) == ("t=12:", "… (8 more time steps)")
    np.testing.assert_allclose(json.loads(FORMATS["json"](found))["inputs"], x[1], rtol=1e-5)


def test_without_layers_over_time_a_sample_is_one_list() -> None:
    found = handout(stepper_of([{"type": "flatten"}, LINEAR], given(TINY)), 0, Notation())
    assert facts(found, "Inputs") == ["Inputs: 0.5, −1.2, 0.8"] * 2


# -- the loss -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "layers", "loss"),
    [
        (BITS, [{"type": "masking"}, EVERY, dense(1, "sigmoid")], "binary_crossentropy"),
        (
            {**BITS, "encoding": "tokens"},
            [
                {"type": "embedding", "input_dim": 3, "output_dim": 5, "mask_zero": True},
                EVERY,
                dense(2, "softmax"),
            ],
            "categorical_crossentropy",
        ),
        (
            {"name": "spelling", "count": 2},
            [{"type": "repeat_vector", "n": 4}, EVERY, dense(6, "softmax")],
            "categorical_crossentropy",
        ),
    ],
)
def test_the_loss_of_every_step_is_told(data: Any, layers: Any, loss: str) -> None:
    tree = {"data": data, "layers": layers, "loss": loss, "training": {"batch_size": 4}}
    stepper = Stepper(Trainer(Experiment.parse(tree)))
    found = handout(stepper, 0, Notation("code", "delta", 6))
    told: Operation = next(op for op in found.operations if op.output == "loss.E")
    steps, outputs = stepper.program.output.shape[1:]
    assert len(told.elements) == steps * outputs
    assert told.elements[0].explanation.lines[-1].value == pytest.approx(found.loss, rel=1e-5)
    for operation in found.operations:
        assert operation.elements
        for element in operation.elements:
            for line in element.explanation.lines:
                assert np.isfinite(line.value)
