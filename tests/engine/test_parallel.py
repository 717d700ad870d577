"""Branches side by side: how they are named and fed, checked, trained, stepped, explained."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from branches import DROPOUT, NESTED, RESIDUAL, WIDE_AND_DEEP, Layers, dense, experiment, parallel
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.networks.naming import Names
from tui_nn_engine.networks.network import Network, summarize
from tui_nn_engine.stepping.explain import element_of, explain
from tui_nn_engine.stepping.gradient_check import check_gradient
from tui_nn_engine.stepping.handout import handout
from tui_nn_engine.stepping.handout_formats import FORMATS
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.stepview import listing, step_view
from tui_nn_engine.training import checkpoint
from tui_nn_engine.training.health import health

# -- what it is made of -----------------------------------------------------------------------


def test_layers_are_named_in_the_files_order_with_their_places_and_sources():
    rows = summarize(experiment(NESTED), (10,))
    inside = "layers[1].branches[1].layers"
    assert [(row.name, row.path, row.sources, row.output_shape) for row in rows] == [
        ("dense_1", "layers[0]", ("",), (4,)),
        ("select_1", "layers[1].branches[0].layers[0]", ("dense_1",), (2,)),
        ("dense_2", f"{inside}[0]", ("dense_1",), (3,)),
        ("dropout_1", f"{inside}[1].branches[1].layers[0]", ("dense_2",), (3,)),
        ("dense_3", f"{inside}[1].branches[1].layers[1]", ("dropout_1",), (3,)),
        ("add_1", f"{inside}[1]", ("dense_2", "dense_3"), (3,)),
        ("concatenate_1", "layers[1]", ("select_1", "add_1"), (5,)),
        ("dense_4", "layers[2]", ("concatenate_1",), (1,)),
    ]
    assert rows[-1].connections == 5


def test_wide_and_deep_computes_what_the_paper_says():
    """y = [x, a(x)] w + b, a the deep part: Cheng et al. (2016), equation 3, before the sigmoid."""
    layers = [parallel("concatenate", [], [dense(3), dense(2)]), dense(1, "linear")]
    network = Network(experiment(layers, dtype="float64"), (4,))
    parameters = network.parameters()
    p = parameters.views
    x = np.random.default_rng(0).normal(size=(5, 4))
    program = network.compile_forward(5, parameters)
    program.x.array[...] = x
    for call in program.compute:
        call()
    deep = np.tanh(np.tanh(x @ p["dense_1.kernel"]) @ p["dense_2.kernel"])
    wanted = x @ p["dense_3.kernel"][:4] + deep @ p["dense_3.kernel"][4:]
    assert program.output.array == pytest.approx(wanted, abs=1e-12)


def test_each_branch_has_its_own_columns():
    layers = [
        parallel(
            "concatenate",
            [{"type": "select", "columns": [2, 0]}],
            [{"type": "select", "columns": [1]}],
        )
    ]
    network = Network(experiment(layers), (3,))
    program = network.compile_forward(2, network.parameters())
    program.x.array[...] = [[1, 2, 3], [4, 5, 6]]
    for call in program.compute:
        call()
    assert program.output.array.tolist() == [[3, 1, 2], [6, 4, 5]]


def test_it_is_written_and_read_again(tmp_path: Path):
    one = experiment(NESTED)
    one.save(tmp_path / "e.toml")
    assert "[[layers.branches.layers.branches]]" in (tmp_path / "e.toml").read_text()
    assert Experiment.load(tmp_path / "e.toml") == one
    other = one.overridden(["layers[1].branches[1].layers[0].units=7"])
    assert summarize(other, (10,))[2].output_shape == (7,)


def test_what_is_wrong_inside_is_told_with_its_place():
    layers = [parallel("concatenate", [dense(0)], [parallel("ad", [], ["denze"])])]  # type: ignore[list-item]
    layers[0]["branches"].append({"colour": 1})
    with pytest.raises(ExperimentError) as raised:
        experiment(layers)
    assert [problem.path for problem in raised.value.problems] == [
        "layers[0].branches[0].layers[0].units",
        "layers[0].branches[1].layers[0].join",
        "layers[0].branches[1].layers[0].branches[1].layers[0]",
        "layers[0].branches[2].colour",
    ]
    with pytest.raises(ExperimentError, match=r"branches: needs at least 2 of them \(has 1\)"):
        experiment([parallel("add", [])])


# -- how it runs ------------------------------------------------------------------------------


@st.composite
def stacks(draw: st.DrawFn, depth: int = 2) -> Layers:
    """Layers with branches in branches; all that is added has three units."""
    layers: Layers = [dense(3)] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["dense", "dropout", "normalize", "parallel"]))
        if kind == "parallel" and depth:
            join = draw(st.sampled_from(["concatenate", "add"]))
            count = draw(st.integers(2, 3))
            branches = [draw(stacks(depth=depth - 1)) for _ in range(count)]
            if join == "add":
                branches = [[*one, dense(3)] for one in branches]
            layers.append(parallel(join, *branches))
        elif kind == "dropout":
            layers.append({"type": "dropout", "rate": 0.3})
        elif kind == "normalize":
            layers.append({"type": "layer_normalization"})
        else:
            layers.append(dense(draw(st.integers(1, 4))))
    return layers


def trainer_of(layers: Layers, **rest: Any) -> Trainer:
    random = np.random.default_rng(1)
    arrays = random.normal(size=(11, 3)), random.normal(size=(11, 1))
    rest = {"dtype": "float64", "training": {"epochs": 9, "batch_size": 4, "threads": 1}, **rest}
    return Trainer(experiment(layers, "arrays", **rest), data=arrays)


@settings(max_examples=30, deadline=None)
@given(stacks(), st.integers(0, 3), st.integers(0, 999))
def test_stepped_and_plain_runs_are_equal_to_the_byte(layers: Layers, done: int, seed: int):
    layers = [*layers, dense(1, "linear")]
    plain, stepped = trainer_of(layers, seed=seed), trainer_of(layers, seed=seed)
    for _ in range(done):
        plain.update()
        stepped.update()
    plain.update()
    stepper = Stepper(stepped)
    seen = []
    while stepper.forward():
        op = stepper.ops[stepper.cursor - 1]
        assert op.path
        seen.append(op.phase)
        place = stepper.cursor - 1
        explain(stepper, place, element_of(stepper, place, op.path, 0, 0, 0), Notation())
    assert seen == sorted(seen, key=["forward", "loss", "backward", "update"].index)
    assert stepped.parameters.values.tobytes() == plain.parameters.values.tobytes()
    stepper.go_to(0)
    stepper.go_to(len(stepper.ops))
    assert stepped.parameters.values.tobytes() == plain.parameters.values.tobytes()


@pytest.mark.parametrize("layers", [WIDE_AND_DEEP, RESIDUAL, NESTED])
def test_a_resumed_run_goes_on_as_if_never_stopped(layers: Layers, tmp_path: Path):
    whole, half = Trainer(experiment(layers)), Trainer(experiment(layers))
    for _ in range(20):
        whole.update()
    for _ in range(7):
        half.update()
    checkpoint.save(tmp_path / "k", checkpoint.Checkpoint(half.state.snapshot(), ""))
    again = Trainer(experiment(layers))
    again.restore(checkpoint.load(tmp_path / "k").snapshot)
    for _ in range(13):
        again.update()
    assert again.parameters.values.tobytes() == whole.parameters.values.tobytes()


@pytest.mark.parametrize(
    ("layers", "least"), [(WIDE_AND_DEEP, 0.45), (RESIDUAL, 0.45)], ids=["wide & deep", "residual"]
)
def test_it_learns_the_diabetes_table(layers: Layers, least: float):
    """The best linear fit explains 0.52 of it; an untrained network less than nothing."""
    training = {"epochs": 30, "batch_size": 16, "threads": 1}
    optimizer = {"type": "adam", "learning_rate": 0.003}
    one = experiment(layers, training=training, optimizer=optimizer)
    trainer = Trainer(one)
    before = trainer.evaluate(trainer.data.train)
    for _ in trainer.run():
        pass
    after = trainer.evaluate(trainer.data.train)
    assert before.metrics["r2"] < 0.2
    assert after.metrics["r2"] > least
    assert after.loss < 0.6 * before.loss


# -- how it is shown --------------------------------------------------------------------------


def stepper_of(layers: Layers) -> Stepper:
    found = Stepper(trainer_of(layers))
    found.go_to(len(found.ops))
    return found


def test_every_layer_has_outputs_and_errors_of_its_own():
    """A linear branch that is only added, too: its error is the sum's, in its own slot."""
    layers = [dense(3), parallel("add", [], [dense(3, "linear")]), dense(1, "linear")]
    view = step_view(stepper_of(layers), "add_1", 0, 0)
    assert list(view.units) == ["dense_1", "dense_2", "add_1", "dense_3"]
    assert all(np.isfinite(values[:, 1:]).all() for values in view.units.values())
    h, error = 1, 2
    first, inner, join = (view.units[name] for name in ("dense_1", "dense_2", "add_1"))
    assert join[:, h] == pytest.approx(first[:, h] + inner[:, h])
    assert inner[:, error].tolist() == join[:, error].tolist()


def test_the_error_of_the_shared_input_is_the_sum_over_the_branches():
    stepper = stepper_of([dense(3), parallel("concatenate", [], [dense(2)]), dense(1, "linear")])
    listed = listing(stepper)
    place = listed.outputs.index("dE/d(dense_1.h)")
    assert (listed.names[place], listed.paths[place]) == ("sum", "dense_1")
    said = explain(stepper, place, (1, 2), Notation())
    assert "2 paths" in said.sentence
    shares = [stepper.slot(name) for name in listed.inputs[place].split(", ")]
    total = sum(slot.array for slot in shares if slot is not None)
    assert stepper.ops[place].output.array == pytest.approx(total)


def test_numbers_on_paper_are_given_once():
    stepper = stepper_of([NESTED[0], parallel("add", [DROPOUT], [DROPOUT]), *NESTED[1:]])
    names = Names(stepper.trainer.network, stepper.program, stepper.trainer.parameters, Notation())
    outputs = [op.output for op in stepper.ops if op.output.name.endswith(".h")]
    said = [names.symbol(slot, (0, unit)) for slot in outputs for unit in range(slot.shape[1])]
    assert len(set(said)) == len(said)
    arrangement = listing(stepper).arrangement
    numbers = dict(zip(arrangement.layers, arrangement.numbers, strict=True))
    assert numbers["dense_1"] == 4
    assert numbers["dropout_1"] == 4  # 4′
    assert numbers["dropout_2"] == 8  # else 4′ as well
    assert numbers["add_1"] == 12
    slot = stepper.slot("dense_2.kernel")
    assert slot is not None
    assert names.symbol(slot, (0, 0)) == f"w{numbers['add_1']},{numbers['dense_2']}"


def test_explanations_say_which_branch():
    stepper = stepper_of([dense(2), parallel("concatenate", [], [dense(2)]), dense(1, "linear")])
    listed = listing(stepper)

    def said(output: str, element: tuple[int, ...]) -> Any:
        return explain(stepper, listed.outputs.index(output), element, Notation())

    joined = said("concatenate_1.h", (0, 3))
    assert (joined.lines[0].left, joined.lines[0].symbols) == ("h11", "h7")
    assert "Unit 2 of branch 2 of 2" in joined.sentence
    back = said("dE/d(dense_2.h)", (0, 1))
    assert (back.lines[0].left, back.lines[0].symbols) == ("∂E/∂h7", "∂E/∂h11")


def test_the_unit_looked_at_is_followed_through_a_join():
    stepper = stepper_of([dense(3), parallel("add", [], [dense(3)]), dense(1, "linear")])
    place = listing(stepper).outputs.index("dE/d(dense_2.h)")
    assert element_of(stepper, place, "add_1", 2, 1, 0) == (1, 2)


@pytest.mark.parametrize("weight", ["dense_2.kernel[0, 0]", "dense_1.bias[1]"])
def test_the_numerical_gradient_agrees_where_branches_meet(weight: str):
    stepper = stepper_of(NESTED)
    found = check_gradient(stepper, weight)
    assert found.agrees
    assert found.backprop


@pytest.mark.parametrize("layers", [WIDE_AND_DEEP, RESIDUAL, NESTED])
def test_health_and_handout_tell_of_every_layer(layers: Layers):
    stepper = stepper_of([dense(10), *layers])
    trainer = stepper.trainer
    names = [name for name, _ in trainer.network.layers]
    rows = health(trainer, stepper.program)
    assert np.isfinite(rows[[name != "dropout_1" for name in names], 2]).all()
    written = handout(stepper, 0, Notation())
    assert [layer.name for layer in written.layers] == names
    for write in FORMATS.values():
        assert "concatenate" in write(written) or "add" in write(written)


def test_the_sums_of_parameters_count_each_layer_once():
    network = Network(experiment(NESTED), (10,))
    rows = network.summary()
    assert sum(row.parameters for row in rows) == network.parameters().values.size
    assert all(a.name != b.name for a, b in pairwise(rows))
