"""What makes stepping, going back and explaining possible: an update is a list of operations."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_nn_engine.blocks.schema import kind_name
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.networks.network import Network
from tui_nn_engine.primitives.activations import ACTIVATIONS
from tui_nn_engine.primitives.losses import LOSSES
from tui_nn_engine.programs.parameters import Parameters
from tui_nn_engine.programs.program import Builder, Op, Program, Slot

LASTING = {"parameter", "state"}
NAMES = [kind_name(kind) for kind in ACTIVATIONS]


class Run:
    """A network with its parameters, the state of its optimizer, and one program on them."""

    def __init__(self, tree: dict[str, Any], shape: tuple[int, ...], batch: int) -> None:
        self.network = Network(Experiment.parse({"data": {"name": "arrays"}, **tree}), shape)
        self.parameters: Parameters = self.network.parameters()
        values = self.parameters.values
        optimizer = self.network.experiment.optimizer
        self.state: dict[str, np.ndarray] = {
            "iteration": np.zeros((), np.int64),
            "learning_rate": np.array(optimizer.learning_rate, values.dtype),
        }
        for spec in optimizer.states(self.parameters.trainable_size):
            self.state[spec.name] = np.full(spec.shape, spec.start, values.dtype)
        self.program = self.compile(batch)

    def compile(self, batch: int) -> Program:
        program = self.network.compile(batch, self.parameters, self.state)
        self.feed(program, 0)
        return program

    def feed(self, program: Program, seed: int) -> None:
        random = np.random.default_rng(seed)
        program.x.array[...] = random.normal(size=program.x.shape)
        width = program.y.shape[-1]
        program.y.array[...] = np.eye(width)[random.integers(0, width, program.y.shape[:-1])]


def layers() -> st.SearchStrategy[list[dict[str, Any]]]:
    units, names = st.integers(1, 5), st.sampled_from(NAMES)
    dense = st.fixed_dictionaries(
        {"type": st.just("dense"), "units": units, "activation": names},
        optional={
            "use_bias": st.booleans(),
            "kernel_regularizer": st.sampled_from(["l1", "l2", "l1_l2"]),
            "bias_regularizer": st.just("l2"),
            "kernel_trainable": st.booleans(),
            "bias_trainable": st.booleans(),
        },
    )
    dropout = st.builds(lambda rate: {"type": "dropout", "rate": rate}, st.floats(0, 0.9))
    noise = st.builds(lambda sd: {"type": "gaussian_noise", "stddev": sd}, st.floats(0, 2))
    activation = st.builds(lambda name: {"type": "activation", "activation": name}, names)
    normalization = st.fixed_dictionaries(
        {"type": st.sampled_from(["batch_normalization", "layer_normalization"])},
        optional={"scale": st.booleans(), "center": st.booleans()},
    )
    flatten = st.just({"type": "flatten"})
    inner = st.lists(dense | dropout | noise | activation | normalization | flatten, max_size=4)
    return st.builds(lambda before, last: [*before, last], inner, dense)


def optimizers() -> st.SearchStrategy[dict[str, Any]]:
    momentum, nesterov = st.sampled_from([0, 0.5]), st.booleans()
    return st.one_of(
        st.just({"type": "adam"}),
        st.builds(lambda m, n: {"type": "sgd", "momentum": m, "nesterov": n}, momentum, nesterov),
        st.builds(lambda m: {"type": "rmsprop", "momentum": m}, momentum),
    )


def trees() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "seed": st.integers(0, 1000),
            "dtype": st.sampled_from(["float32", "float64"]),
            "layers": layers(),
            "loss": st.sampled_from([kind_name(kind) for kind in LOSSES]),
            "optimizer": optimizers(),
        }
    )


def runs() -> st.SearchStrategy[Run]:
    shapes = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)
    return st.builds(Run, trees(), shapes, st.integers(1, 4))


def same(left: np.ndarray, right: np.ndarray) -> bool:
    """Bit for bit, also where not finite."""
    return left.dtype == right.dtype and left.tobytes() == right.tobytes()


def inputs_and_outputs(op: Op) -> tuple[list[np.ndarray], list[np.ndarray]]:
    before = [slot.array.copy() for slot in op.inputs]
    with np.errstate(all="ignore"):
        op.call()
    return before, [slot.array.copy() for slot in op.outputs]


@settings(max_examples=150, deadline=None)
@given(runs())
def test_every_operation_can_be_run_again_from_its_inputs(run: Run):
    ops = run.program.ops
    records = [inputs_and_outputs(op) for op in ops]
    for op, (before, after) in zip(ops, records, strict=True):
        for slot, values in zip(op.inputs, before, strict=True):
            if slot.role in LASTING:
                slot.array[...] = values
            assert same(slot.array, values), f"{slot.name} no longer is what {op.path} read"
        for slot in op.outputs:
            if slot not in op.inputs:
                slot.array.fill(-7)
        op.call()
        for slot, values in zip(op.outputs, after, strict=True):
            assert same(slot.array, values), slot.name


@settings(max_examples=150, deadline=None)
@given(runs())
def test_every_slot_is_written_once_and_read_after_that(run: Run):
    program = run.program
    known = {program.x, program.y}
    gradients = {slot for op in program.ops for slot in op.outputs if slot.role == "gradient"}
    for op in program.ops:
        for slot in op.inputs:
            # The flat gradient is all the gradients of the parameters seen as one vector.
            if slot.role not in LASTING | {"input"} and slot.name != "gradient":
                assert slot in known, f"{op.path} reads {slot.name} before it is written"
        for slot in op.outputs:
            assert slot.role in LASTING or slot not in known, f"{slot.name} is written twice"
            known.add(slot)
    written = [slot.array for slot in known if slot.role not in LASTING and slot.array.size]
    for index, array in enumerate(written):
        assert not any(np.shares_memory(array, other) for other in written[:index])
    assert all(slot.of is not None for slot in gradients)


@settings(max_examples=150, deadline=None)
@given(trees(), st.integers(1, 4))
def test_running_equals_stepping_bit_for_bit(tree: dict[str, Any], batch: int):
    whole, stepped = Run(tree, (3,), batch), Run(tree, (3,), batch)
    with np.errstate(all="ignore"):
        for update in range(3):
            for run in (whole, stepped):
                run.feed(run.program, update)
            for call in (*whole.program.compute, *whole.program.update):
                call()
            for op in stepped.program.ops:
                op.call()
            for run in (whole, stepped):
                run.state["iteration"] += 1
    assert same(whole.parameters.values, stepped.parameters.values)
    for name, array in whole.state.items():
        assert same(array, stepped.state[name])
    for left, right in zip(whole.program.ops, stepped.program.ops, strict=True):
        for one, other in zip(left.outputs, right.outputs, strict=True):
            assert same(one.array, other.array), one.name


@settings(max_examples=30, deadline=None)
@given(runs())
def test_names_tell_slots_apart_and_phases_follow_one_another(run: Run):
    found: dict[str, Slot] = {}
    for op in run.program.ops:
        for slot in (*op.inputs, *op.outputs):
            assert found.setdefault(slot.name, slot) is slot, f"two slots are named {slot.name}"
    assert run.program.slots().keys() >= found.keys()
    order = ["forward", "loss", "backward", "update"]
    phases = [order.index(op.phase) for op in run.program.ops]
    assert phases == sorted(phases)


TREE = {
    "dtype": "float64",
    "layers": [
        {"type": "dense", "units": 4, "activation": "tanh"},
        {"type": "dropout", "rate": 0.25},
        {"type": "dense", "units": 3, "activation": "softmax"},
    ],
    "loss": "categorical_crossentropy",
    "optimizer": {"type": "sgd", "momentum": 0.9},
}


def run_all(program: Program) -> None:
    for call in (*program.compute, *program.update):
        call()


def test_the_program_of_a_ragged_last_batch_works_on_the_same_parameters():
    run = Run(TREE, (2,), 5)
    full, last = run.program, run.compile(2)
    assert (full.batch, last.batch) == (5, 2)
    before = run.parameters.values.copy()
    run_all(full)
    between, velocity = run.parameters.values.copy(), run.state["velocity"].copy()
    run_all(last)
    assert not same(before, between)
    assert not same(between, run.parameters.values)
    assert not same(velocity, run.state["velocity"])
    named = last.slots()
    for name, slot in full.slots().items():
        if slot.role in {"parameter", "state"}:
            assert np.shares_memory(slot.array, named[name].array), name
        elif slot.role == "value":
            assert not np.shares_memory(slot.array, named[name].array), name


def test_the_list_of_operations_reads_like_the_lecture():
    run = Run(TREE, (2,), 5)
    assert [(op.phase, op.path, op.primitive.name, op.output.name) for op in run.program.ops] == [
        ("forward", "dense_1", "matmul", "dense_1.xW"),
        ("forward", "dense_1", "add bias", "dense_1.z"),
        ("forward", "dense_1", "tanh", "dense_1.h"),
        ("forward", "dropout_1", "dropout mask", "dropout_1.mask"),
        ("forward", "dropout_1", "multiply", "dropout_1.h"),
        ("forward", "dense_2", "matmul", "dense_2.xW"),
        ("forward", "dense_2", "add bias", "dense_2.z"),
        ("forward", "dense_2", "softmax", "dense_2.h"),
        ("loss", "loss", "categorical_crossentropy", "loss.E"),
        ("backward", "loss", "loss gradient", "dE/d(dense_2.z)"),
        ("backward", "dense_2", "bias gradient", "dE/d(dense_2.bias)"),
        ("backward", "dense_2", "kernel gradient", "dE/d(dense_2.kernel)"),
        ("backward", "dense_2", "errors back", "dE/d(dropout_1.h)"),
        ("backward", "dropout_1", "multiply", "dE/d(dense_1.h)"),
        ("backward", "dense_1", "error × slope", "dE/d(dense_1.z)"),
        ("backward", "dense_1", "bias gradient", "dE/d(dense_1.bias)"),
        ("backward", "dense_1", "kernel gradient", "dE/d(dense_1.kernel)"),
        ("update", "sgd", "step", "sgd.-ηg"),
        ("update", "sgd", "velocity", "velocity"),
        ("update", "sgd", "new weights", "weights"),
    ]


@settings(max_examples=30, deadline=None)
@given(runs())
def test_every_operation_can_be_shown(run: Run):
    for op in run.program.ops:
        assert op.primitive.name
        assert "=" in op.primitive.formula or "←" in op.primitive.formula or op.path
        assert op.primitive.formula
        assert op.output is op.outputs[0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(
    ("parameter", "path", "name"),
    [
        ("dense_1.kernel", "dense_1", "dense_1.xW"),
        ("dense_1.bias", "dense_1", "dense_1.z"),
        ("dense_2.kernel", "dense_2", "dense_2.xW"),
    ],
)
def test_what_is_not_finite_is_traced_to_where_it_began(
    parameter: str, path: str, name: str, value: float
):
    run = Run(TREE, (2,), 5)
    run_all(run.program)
    assert run.program.first_not_finite() is None
    run.parameters.views[parameter].flat[0] = value
    with np.errstate(all="ignore"):
        for call in run.program.compute:
            call()
    op = run.program.first_not_finite()
    assert op is not None
    assert (op.path, op.output.name) == (path, name)


def test_a_gradient_that_is_not_finite_is_found_too():
    run = Run({**TREE, "layers": TREE["layers"][::2], "loss": "mse"}, (2,), 5)
    run_all(run.program)
    (op,) = [op for op in run.program.ops if op.output.name == "dE/d(dense_1.z)"]
    op.outputs[1].array[0, 0] = np.nan
    assert run.program.first_not_finite() is op


def test_the_path_is_restored_after_a_failure():
    builder = Builder("float32", {}, {}, {}, seed=0, training=True)
    with pytest.raises(ZeroDivisionError), builder.within("dense_1", "loss"):
        raise ZeroDivisionError
    assert (builder.path, builder.phase) == ("", "forward")
