"""Explanations say what the engine computed: the lesson's lines, the element, the sentences.

The lines of LESSONS.md's L6 are those it prints, in either naming and with either sign; sentences
speak of the numbers at hand; no primitive is left without an explanation.
"""

import importlib
import pkgutil
from typing import Any

import numpy as np
import pytest
from any_loss import trainer_of
from lesson_network import operation, stepped

import tui_nn_engine.primitives
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.programs.program import Primitive, Slot, Sum
from tui_nn_engine.programs.reading import Reading
from tui_nn_engine.stepping.explain import element_of, explain
from tui_nn_engine.stepping.stepper import Stepper

# -- the update of LESSONS.md's L6 -----------------------------------------------------------------

# Element by element: what the line says, and its result as the lesson prints it.
LINES = {
    ("dense_1.xW", (0, 0)): ("a4 = x1·w14 + x2·w24 + x3·w34", "−0.3"),
    ("dense_1.z", (0, 0)): ("z4 = a4 + b4", "−0.7"),
    ("dense_1.z", (0, 1)): ("z5 = a5 + b5", "0.1"),
    ("dense_1.h", (0, 0)): ("h4 = 1/(1 + e^(−z4))", "0.332"),
    ("dense_1.h", (0, 1)): ("h5 = 1/(1 + e^(−z5))", "0.525"),
    ("dense_2.xW", (0, 0)): ("a6 = h4·w46 + h5·w56", "−0.205"),
    ("dense_2.z", (0, 0)): ("z6 = a6 + b6", "−0.105"),
    ("dense_2.h", (0, 0)): ("y = 1/(1 + e^(−z6))", "0.474"),
    ("loss.E", (0, 0)): ("E = ½·(y − t)²", "0.138"),
    ("dE/d(dense_2.h)", (0, 0)): ("−∂E/∂y = t − y", "0.526"),
    ("dE/d(dense_2.z)", (0, 0)): ("e6 = −∂E/∂y·f′(z6)", "0.131"),
    ("dE/d(dense_2.kernel)", (0, 0)): ("∂E/∂w46 = −h4·e6", "−0.0435"),
    ("dE/d(dense_2.bias)", (0,)): ("∂E/∂b6 = −e6", "−0.131"),
    ("dE/d(dense_1.h)", (0, 0)): ("−∂E/∂h4 = e6·w46", "−0.0394"),
    ("dE/d(dense_1.z)", (0, 0)): ("e4 = −∂E/∂h4·f′(z4)", "−0.00872"),
    ("dE/d(dense_1.z)", (0, 1)): ("e5 = −∂E/∂h5·f′(z5)", "−0.00654"),
    ("dE/d(dense_1.kernel)", (2, 0)): ("∂E/∂w34 = −x3·e4", "0.00872"),
    ("dE/d(dense_1.bias)", (1,)): ("∂E/∂b5 = −e5", "0.00654"),
}
NEW = {
    "w14": "0.192",
    "w15": "−0.306",
    "w24": "0.4",
    "w25": "0.1",
    "w34": "−0.508",
    "w35": "0.194",
    "b4": "−0.408",
    "b5": "0.194",
    "w46": "−0.261",
    "w56": "−0.138",
    "b6": "0.218",
}


def test_the_lines_of_the_lesson_show_what_it_prints() -> None:
    stepper = stepped()
    for (name, element), (line, result) in LINES.items():
        found = explain(stepper, operation(stepper, name), element, Notation("paper", "e", 3))
        last = found.lines[-1]
        assert (f"{last.left} = {last.symbols}", last.result) == (line, result), name
    new = {}
    for place in range(stepper.trainer.parameters.trainable_size):
        found = explain(stepper, len(stepper.ops) - 1, (place,), Notation("paper", "e", 3))
        last = found.lines[-1]
        assert last.symbols == f"{last.left[4:]} + Δ{last.left[4:]}"
        new[last.left.removeprefix("new ")] = last.result
    assert new == NEW


def test_with_the_other_sign_the_same_lines_have_delta() -> None:
    stepper = stepped()
    for name, element, line, result in (
        ("dE/d(dense_2.h)", (0, 0), "∂E/∂y = y − t", "−0.526"),
        ("dE/d(dense_2.z)", (0, 0), "δ6 = ∂E/∂y·f′(z6)", "−0.131"),
        ("dE/d(dense_1.z)", (0, 1), "δ5 = ∂E/∂h5·f′(z5)", "0.00654"),
        ("dE/d(dense_1.kernel)", (2, 0), "∂E/∂w34 = x3·δ4", "0.00872"),
    ):
        found = explain(stepper, operation(stepper, name), element, Notation(digits=3))
        last = found.lines[-1]
        assert (f"{last.left} = {last.symbols}", last.result) == (line, result)


def test_names_as_in_code() -> None:
    stepper = stepped()
    notation = Notation("code", "delta", 3)
    found = explain(stepper, operation(stepper, "dense_1.xW"), (0, 1), notation)
    assert found.lines[-1].left == "dense_1.xW[0, 1]"
    assert found.lines[-1].symbols.startswith("x[0, 0]·dense_1.kernel[0, 1] + ")
    found = explain(stepper, len(stepper.ops) - 1, (0,), notation)
    assert found.lines[-1].left == "new dense_1.kernel[0, 0]"
    found = explain(stepper, operation(stepper, "dE/d(dense_1.z)"), (0, 1), notation)
    assert found.lines[-1].left == "dE/d(dense_1.z)[0, 1]"
    found = explain(stepper, operation(stepper, "dE/d(dense_1.z)"), (0, 1), Notation("code", "e"))
    assert found.lines[-1].left == "e(dense_1.z)[0, 1]"


# -- what is looked at, and what is said -----------------------------------------------------------

BATCH: dict[str, Any] = {
    "dtype": "float64",
    "data": {"name": "circles", "samples": 12, "test_fraction": 0, "validation_fraction": 0},
    "layers": [
        {"type": "dense", "units": 9, "activation": "relu"},
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 2, "activation": "softmax", "kernel_trainable": False},
    ],
    "loss": "categorical_crossentropy",
    "optimizer": {"type": "adam"},
    "training": {"epochs": 1, "batch_size": 12, "threads": 1},
}


@pytest.mark.parametrize(
    ("name", "layer", "unit", "source", "element"),
    [
        ("dense_1.z", "dense_1", 4, 1, (5, 4)),
        ("dense_2.z", "dense_1", 4, 1, (5, 1)),  # it has but two units
        ("dE/d(dense_1.kernel)", "dense_1", 4, 1, (1, 4)),
        ("dE/d(dense_1.kernel)", "dense_1", 4, 2, (1, 4)),  # the bias is looked at
        ("dE/d(dense_1.bias)", "dense_1", 4, 2, (4,)),
        ("dE/d(dropout_1.h)", "dense_2", 1, 6, (5, 6)),  # what comes back along its weight
        ("loss.E", "dense_2", 1, 6, (5, 1)),
        ("weights", "dense_1", 4, 1, (13,)),
        ("weights", "dense_1", 4, 2, (18 + 4,)),
        ("weights", "dense_2", 1, 6, (18 + 9 + 1,)),  # its kernel is frozen: the bias
        ("weights", "dropout_1", 1, 6, (9 + 1,)),  # it has none: the nearest there is
    ],
)
def test_the_element_looked_at(
    name: str, layer: str, unit: int, source: int, element: tuple[int, ...]
) -> None:
    stepper = stepped(BATCH)
    assert element_of(stepper, operation(stepper, name), layer, unit, 5, source) == element


def test_each_sample_of_a_batch_has_its_share_the_largest_first() -> None:
    stepper = stepped(BATCH)
    gradient = operation(stepper, "dE/d(dense_1.kernel)")
    found = explain(stepper, gradient, (1, 0), Notation())
    x, delta = (slot.array for slot in stepper.ops[gradient].inputs)
    own = 12 * x[:, 1] * delta[:, 0]
    order = np.argsort(-np.abs(own), kind="stable")[:8]
    assert [share.sample for share in found.shares] == order.tolist()
    np.testing.assert_allclose([share.value for share in found.shares], own[order])
    assert found.samples == 12
    assert "mean of its 12 samples" in found.sentence
    assert "x2⁽" in found.lines[-1].symbols
    assert "(the other 6 terms: " in found.lines[-1].numbers


def test_sentences_are_about_the_numbers_at_hand() -> None:
    stepper = stepped(BATCH)
    z = np.asarray(stepper.program.slots()["dense_1.z"].array)
    for sample, unit in ((*np.argwhere(z > 0)[0],), (*np.argwhere(z < 0)[0],)):
        said = explain(stepper, operation(stepper, "dense_1.h"), (sample, unit), Notation())
        assert ("passes nothing on" in said.sentence) == bool(z[sample, unit] < 0)
        said = explain(stepper, operation(stepper, "dE/d(dense_1.z)"), (sample, unit), Notation())
        assert ("no error passes" in said.sentence) == bool(z[sample, unit] < 0)
    mask = np.asarray(stepper.program.slots()["dropout_1.mask"].array)
    for element in map(tuple, np.argwhere(mask >= 0)):
        said = explain(stepper, operation(stepper, "dropout_1.mask"), element, Notation())
        assert ("this one is dropped" in said.sentence) == (mask[element] == 0)
        assert said.lines[-1].numbers == ("0" if mask[element] == 0 else "1/(1 − 0.5)")
    assert explain(stepper, operation(stepper, "dropout_1.h"), (0, 3), Notation()).lines[
        -1
    ].symbols == ("h6·m6")


def test_softmax_errors_with_either_sign() -> None:
    tree = {**BATCH, "layers": [{"type": "dense", "units": 2, "activation": "softmax"}]}
    tree["loss"] = "half_squared_error"
    stepper = Stepper(trainer_of(tree, np.ones((1, 2)), np.array([[1.0, 0.0]])))
    stepper.go_to(len(stepper.ops))
    place = operation(stepper, "dE/d(dense_1.z)")
    said = [explain(stepper, place, (0, 1), Notation("paper", sign)) for sign in ("delta", "e")]  # type: ignore[arg-type]
    assert [[(line.left, line.symbols) for line in each.lines] for each in said] == [
        [("Σ", "∂E/∂y3·y3 + ∂E/∂y4·y4"), ("δ4", "y4·(∂E/∂y4 − Σ)")],
        [("Σ", "−∂E/∂y3·y3 + (−∂E/∂y4)·y4"), ("e4", "y4·(−∂E/∂y4 − Σ)")],
    ]
    assert "e = −∂E/∂z" not in said[0].sentence
    assert "e = −∂E/∂z" in said[1].sentence


def test_where_paths_meet_their_shares_are_added() -> None:
    class Letters:
        def symbol(self, slot: Slot, index: Any, *, sample: bool, as_: str) -> str:
            return slot.name

        def negated(self, slot: Slot) -> bool:
            return False

    one, other, both = (
        Slot(name, np.array([value])) for name, value in zip("abc", (1.0, -2.0, -1.0), strict=True)
    )
    read = Reading(
        (one, other), (both,), (0,), Letters(), lambda s: s.array, lambda s: s.array, done=True
    )
    meaning = Sum().explain(read)
    (line,) = meaning.equations
    assert (line.left, line.right.text(), line.right.text(4), line.value) == (
        "c",
        "a + b",
        "1 + (−2)",
        -1.0,
    )
    assert "2 paths" in meaning.sentence


# -- every primitive -------------------------------------------------------------------------------

for found in pkgutil.iter_modules(tui_nn_engine.primitives.__path__):
    importlib.import_module(f"tui_nn_engine.primitives.{found.name}")
importlib.import_module("tui_nn_engine.experiments.rules")


def primitives(kind: type[Primitive] = Primitive) -> set[type[Primitive]]:
    """Every primitive of the engine that runs: those that nothing more special stands for."""
    below = {found for sub in kind.__subclasses__() for found in primitives(sub)}
    if not kind.__module__.startswith("tui_nn_engine"):
        return below
    runs = kind.bind is not Primitive.bind and "name" in dir(kind)
    return below | ({kind} if runs else set())


def test_no_primitive_goes_unexplained() -> None:
    found = primitives()
    assert len(found) > 30
    assert {kind.__name__ for kind in found if kind.explain is Primitive.explain} == set()
