"""The handout of an update: the screen's own numbers, all of them, in every format."""

import csv
import io
import itertools
import json
import math
from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.stepping.handout import ALL, LARGEST, Handout, handout, largest
from tui_nn_engine.stepping.handout_formats import COLUMNS, FORMATS
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.stepview import step_view

TREE: dict[str, Any] = {
    "seed": 4,
    "data": {"name": "moons", "samples": 12, "test_fraction": 0, "validation_fraction": 0},
    "layers": [
        {"type": "dense", "units": 3, "activation": "tanh"},
        {"type": "dropout", "rate": 0.3},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": {"type": "binary_crossentropy"},
    "optimizer": {"type": "adam"},
    "training": {"epochs": 20, "batch_size": 4, "threads": 1},
}
LARGE = [
    {"type": "dense", "units": 70, "activation": "relu"},
    {"type": "dense", "units": 1, "activation": "sigmoid"},
]
NOTATIONS = [Notation(), Notation("code", "e", 17)]


def stepper_of(updates: int = 3, **changed: Any) -> Stepper:
    trainer = Trainer(Experiment.parse(TREE | changed))
    for _ in range(updates):
        trainer.update()
    return Stepper(trainer)


def rule(**changed: Any) -> Stepper:
    layers = [{"type": "dense", "units": 1, "activation": "step"}]
    return stepper_of(
        1,
        data={"name": "gates"},
        layers=layers,
        rule={"type": "perceptron"},
        loss=None,
        optimizer=None,
        **changed,
    )


# -- the numbers are the screen's -----------------------------------------------------------------


@pytest.mark.parametrize("notation", NOTATIONS, ids=str)
@pytest.mark.parametrize("sample", range(4))
def test_what_step_mode_explains_stands_in_it(sample: int, notation: Notation) -> None:
    stepper = stepper_of()
    found = handout(stepper, sample, notation)
    stepper.go_to(len(stepper.ops))
    for number, operation in enumerate(found.operations):
        explained = [element.explanation for element in operation.elements]
        seen = set()
        for layer, units, sources in (("dense_1", 3, 3), ("dropout_1", 3, 1), ("dense_2", 1, 4)):
            for unit, source in np.ndindex(units, sources):
                look = layer, unit, sample, source, number, notation
                view = step_view(stepper, *look)
                assert view.explanation in explained
                seen.add(explained.index(view.explanation))
        assert seen == set(range(len(explained)))
        assert operation.total == len(operation.elements)


@pytest.mark.parametrize("notation", NOTATIONS, ids=str)
def test_its_tables_are_those_of_step_mode(notation: Notation) -> None:
    stepper = stepper_of()
    found = handout(stepper, 2, notation)
    stepper.go_to(len(stepper.ops))
    sign = 1 if notation.error == "delta" else -1
    assert found.error == ("δ = ∂E/∂z" if sign == 1 else "e = −∂E/∂z")
    for layer in found.layers:
        view = step_view(stepper, layer.name, 0, 2)
        assert (found.loss, found.sample_loss) == (view.loss, view.sample_loss)
        rows = [[row.net_input, row.output, sign * row.error] for row in layer.units]
        np.testing.assert_array_equal(rows, view.units[layer.name])
    rows = {row.name: row for parameter in found.parameters for row in parameter.rows}
    assert len(rows) == 3 * 2 + 3 + 3 + 1
    for layer, units, inputs in (("dense_1", 3, 2), ("dense_2", 1, 3)):
        for unit in range(units):
            names = [f"{layer}.kernel[{source}, {unit}]" for source in range(inputs)]
            table = [rows[name] for name in (*names, f"{layer}.bias[{unit}]")]
            numbers = [[row.old, row.gradient, row.change, row.new] for row in table]
            view = step_view(stepper, layer, unit, 2)
            np.testing.assert_array_equal(numbers, view.weights)


def test_an_element_is_named_as_the_number_it_is() -> None:
    stepper = stepper_of()
    found = handout(stepper, 1, Notation())
    stepper.go_to(len(stepper.ops))
    slots = stepper.program.slots()
    for operation in found.operations:
        for element in operation.elements:
            value = element.explanation.lines[-1].value
            name, _, index = element.name.rpartition("[")
            where = tuple(int(i) for i in index.rstrip("])").split(","))
            if operation.phase == "update":
                vector, _, weight = name.rpartition("(")
                array = slots[vector].array if vector else stepper.trainer.parameters.trainable
                named = stepper.trainer.parameters.named(array)  # type: ignore[arg-type]
                assert value == named[weight][where]
            elif operation.phase != "loss":
                assert value == slots[name].array[where]
                assert operation.phase != "forward" or where[0] == 1


def test_the_stepper_stays_where_it_is_and_the_update_what_it_is() -> None:
    one, plain = stepper_of(), stepper_of()
    for cursor in (0, 5, len(one.ops)):
        one.go_to(cursor)
        first = handout(one, 0, Notation())
        assert one.cursor == cursor
        assert FORMATS["json"](first) == FORMATS["json"](handout(one, 0, Notation()))
    assert one.finish() == plain.finish()
    mine, other = one.trainer.parameters.values, plain.trainer.parameters.values
    assert mine.tobytes() == other.tobytes()
    assert one.trainer.update() == plain.trainer.update()


@pytest.mark.parametrize("sample", [-1, 4])
def test_a_sample_that_is_not_there_is_told(sample: int) -> None:
    with pytest.raises(ValueError, match=f"has 4 samples: there is no sample {sample + 1}"):
        handout(stepper_of(), sample, Notation())


# -- what is left out -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, LARGEST, ALL, ALL + 1, 500])
def test_all_or_the_largest(size: int) -> None:
    values = np.random.default_rng(1).permutation(size) - size // 2
    found = largest(values)
    assert found == sorted(found)
    if size <= ALL:
        assert found == list(range(size))
    else:
        assert len(found) == LARGEST
        others = np.delete(np.abs(values), found)
        assert np.abs(values)[found].min() >= others.max()


def test_of_a_large_layer_units_are_followed_and_the_rest_is_counted() -> None:
    stepper = stepper_of(layers=LARGE)
    found = handout(stepper, 0, Notation())
    first = found.layers[0]
    errors = step_view_errors(stepper)
    assert [row.unit for row in first.units] == largest(errors)
    assert first.total == 70
    followed = {f"[0, {row.unit}]" for row in first.units}
    for operation in found.operations:
        if operation.total == 70 and operation.shape == (4, 70):
            assert {e.name[e.name.index("[") :] for e in operation.elements} == followed
    kernel = found.parameters[0]
    gradient = np.abs(stepper.trainer.parameters.gradient_views["dense_1.kernel"])
    assert kernel.total == gradient.size == 140
    assert sorted(abs(row.gradient) for row in kernel.rows) == sorted(gradient.ravel())[-LARGEST:]
    for style in ("text", "markdown"):
        told = FORMATS[style](found)
        assert told.count("12 of 70 are shown, those that count most; 58 are left out.") >= 5
        assert "12 of 140 are shown, those that count most; 128 are left out." in told
        assert "Of many units the 12 with the largest error are shown" in told


def step_view_errors(stepper: Stepper) -> np.ndarray:
    here = stepper.cursor
    stepper.go_to(len(stepper.ops))
    errors = step_view(stepper, "dense_1", 0, 0).units["dense_1"][:, 2]
    stepper.go_to(here)
    return errors


def test_of_a_small_network_nothing_is_left_out() -> None:
    for style in ("text", "markdown"):
        assert "left out" not in FORMATS[style](handout(stepper_of(), 0, Notation()))


# -- formats --------------------------------------------------------------------------------------


def pages(stepper: Stepper | None = None) -> tuple[Handout, dict[str, str]]:
    found = handout(stepper or stepper_of(), 1, Notation())
    return found, {style: write(found) for style, write in FORMATS.items()}


def strict(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_csv_has_a_row_an_element() -> None:
    found, page = pages()
    heading, *rows = csv.reader(io.StringIO(page["csv"]))
    assert tuple(heading) == COLUMNS
    elements = [(op, element) for op in found.operations for element in op.elements]
    assert len(rows) == len(elements)
    for row, (operation, element) in zip(rows, elements, strict=True):
        line = element.explanation.lines[-1]
        about = [str(operation.number), operation.phase, operation.path, operation.name]
        assert row[:5] == [*about, element.name]
        assert row[5:8] == [line.left, line.symbols, line.numbers]
        assert float(row[8]) == line.value


def test_json_is_strict_and_holds_everything() -> None:
    frozen = [{"type": "dense", "units": 1, "activation": "sigmoid", "kernel_trainable": False}]
    found, page = pages(stepper_of(layers=frozen))
    tree = strict(page["json"])
    assert tree["iteration"] == 4
    assert tree["notation"] == {"names": "paper", "error": "delta", "digits": 4}
    kernel, bias = tree["parameters"]
    assert [row["gradient"] for row in kernel["rows"]] == [None, None]
    assert [row["change"] for row in kernel["rows"]] == [None, None]
    assert all(row["old"] == row["new"] for row in kernel["rows"])
    assert bias["rows"][0]["gradient"] == found.parameters[1].rows[0].gradient
    for mine, told in zip(found.operations, tree["operations"], strict=True):
        for element, plain in zip(mine.elements, told["elements"], strict=True):
            assert plain["name"] == element.name
            lines = plain["explanation"]["lines"]
            assert [line["value"] for line in lines] == [
                line.value for line in element.explanation.lines
            ]


@pytest.mark.parametrize("style", ["text", "markdown"])
def test_every_line_is_told_and_every_sentence(style: str) -> None:
    found, page = pages()
    told = " ".join(page[style].split())
    headings = [line.removeprefix("## ") for line in page[style].splitlines()]
    for phase in ("Forward pass", "Loss", "Backward pass", "Weight update"):
        assert headings.count(phase) == 1
    for operation in found.operations:
        for element in operation.elements:
            for line in element.explanation.lines:
                assert f"{line.left} = " in told
                assert f"= {line.result}" in told
                assert line.symbols in told
                assert line.numbers in told
            assert element.explanation.sentence in told


def test_markdown_tables_are_whole() -> None:
    _, page = pages()
    lines = page["markdown"].splitlines()
    widths = [
        [line.replace("\\|", "").count("|") for line in table]
        for is_table, table in itertools.groupby(lines, lambda line: line.startswith("|"))
        if is_table
    ]
    assert [len(set(table)) for table in widths] == [1] * (3 + 4)
    assert "| w13, dense_1.kernel[0, 0] | " in page["markdown"]


def test_text_fits_a_page_but_for_formulas() -> None:
    _, page = pages()
    assert all(len(line) <= 100 for line in page["text"].splitlines() if " = " not in line)


def test_many_sentences_are_told_once() -> None:
    layers = [{"type": "dense", "units": 20, "activation": "relu"}, {"type": "dropout"}]
    _, page = pages(stepper_of(layers=[*layers, LARGE[1]]))
    assert page["text"].count("Likewise the others.") == 1


# -- learning by a rule ---------------------------------------------------------------------------


@pytest.mark.parametrize("error", ["delta", "e"])
def test_a_rules_error_is_its_own_and_keeps_its_sign(error: Any) -> None:
    stepper = rule()
    found = handout(stepper, 1, Notation(error=error))
    stepper.go_to(len(stepper.ops))
    assert found.error == "e = t − y"
    (row,) = found.layers[0].units
    assert row.error == stepper.program.slots()["dense_1.e"].array[1, 0]
    assert not math.isnan(row.error)
    for style, write in FORMATS.items():
        assert "perceptron" in write(found), style
    lines = FORMATS["text"](found).splitlines()
    heading = next(line for line in lines if line.startswith("weight "))
    assert heading.split() == ["weight", "old", "x·e", "change", "new"]


def test_columns_without_a_number_are_left_out() -> None:
    frozen = {"type": "dense", "units": 1, "activation": "sigmoid", "kernel_trainable": False}
    told = FORMATS["text"](handout(stepper_of(layers=[frozen]), 0, Notation()))
    headings = [line.split() for line in told.splitlines() if line.startswith("weight ")]
    assert headings == [["weight", "old", "new"], ["weight", "old", "gradient", "change", "new"]]
