import copy

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.programs.operations import Sum
from tui_nn_engine.sessions.protocol import LookAt
from tui_nn_engine.sessions.wire import pack, unpack
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.stepview import step_view
from tui_nn_engine.stepping.through_time import ThroughTime, step_of

STEPS, UNITS, SYMBOLS = 4, 3, 4
TREE = {
    "dtype": "float64",
    "data": {"name": "first_symbol", "delay": STEPS - 1, "samples": 40},
    "layers": [
        {"type": "lstm", "units": UNITS},
        {"type": "dense", "units": 2, "activation": "softmax"},
    ],
    "loss": "categorical_crossentropy",
    "optimizer": {"type": "sgd", "learning_rate": 0.1},
    "training": {"batch_size": 4},
}
KINDS = [
    ("simple_rnn", {}),
    ("lstm", {}),
    ("gru", {}),
    ("gru", {"reset_after": False}),
    ("lstm", {"bptt_steps": 2}),
    ("gru", {"recurrent_dropout": 0.3, "dropout": 0.2}),
    ("lstm", {"use_bias": False}),
]


def stepped(kind="lstm", cursor=None, **options):
    tree = copy.deepcopy(TREE)
    tree["layers"][0] |= {"type": kind, **options}
    stepper = Stepper(Trainer(Experiment.parse(tree)))
    stepper.go_to(len(stepper.ops) if cursor is None else cursor)
    return stepper


def looked(stepper, layer, unit=0, source=0, operation=-1, **at):
    return step_view(stepper, layer, unit, 1, source, operation, **at)


def through(stepper, layer, **at) -> ThroughTime:
    found = looked(stepper, layer, **at).through
    assert found is not None
    return found


def place_of(stepper, path, output):
    return next(
        at
        for at, op in enumerate(stepper.ops)
        if op.path == path and op.output.name.endswith(output)
    )


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_the_shares_of_the_time_steps_add_up_to_the_gradient(kind, options):
    stepper, layer = stepped(kind, **options), f"{kind}_1"
    gates = through(stepper, layer).gates
    for gate in range(len(gates)):
        view = looked(stepper, layer, unit=1, gate=gate)
        for source in range(len(view.weights)):
            shares = through(stepper, layer, unit=1, gate=gate, source=source).shares
            assert shares.sum() == pytest.approx(view.weights[source, 1], rel=1e-9, abs=1e-15)


def test_a_penalty_on_the_weights_belongs_to_no_time_step():
    stepper = stepped(kernel_regularizer={"type": "l2", "l2": 0.5})
    view = looked(stepper, "lstm_1")
    assert view.through is not None
    rest = view.weights[0, 1] - view.through.shares.sum()
    assert rest == pytest.approx(2 * 0.5 * view.weights[0, 0])


def test_gates_states_and_errors_of_every_step_are_those_of_the_program():
    stepper = stepped()
    found, slots = through(stepper, "lstm_1", unit=2, gate=1), stepper.program.slots()
    assert found.gates == ("i", "f", "c̃", "o")
    for t in range(1, STEPS + 1):
        at = f"lstm_1/t={t}"
        gates = [slots[f"{at}.{letter}"].array[1, 2] for letter in found.gates]
        np.testing.assert_array_equal(found.values[t - 1], gates)
        np.testing.assert_array_equal(found.states[t - 1], slots[f"{at}.h"].array[1])
        np.testing.assert_array_equal(found.errors[t - 1], slots[f"dE/d({at}.h)"].array[1])
        assert found.cell[t - 1].tolist() == [
            slots[f"{at}.c"].array[1, 2],
            slots[f"dE/d({at}.c)"].array[1, 2],
        ]
        assert found.deltas[t - 1] == slots[f"dE/d({at}.net)"].array[1, UNITS + 2]


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_nothing_is_told_before_it_is_computed(kind, options):
    """Numbers of the update before are still in the slots; they must not be shown as this one's."""
    trainer = stepped(kind, 0, **options).trainer
    trainer.update()
    stepper, layer = Stepper(trainer), f"{kind}_1"
    for cursor in range(len(stepper.ops) + 1):
        stepper.go_to(cursor)
        done = {slot.name for op in stepper.ops[:cursor] for slot in op.outputs}
        found = through(stepper, layer)
        for t in range(1, STEPS + 1):
            at = f"{layer}/t={t}"
            assert np.isfinite(found.states[t - 1]).all() == (f"{at}.h" in done)
            assert np.isfinite(found.errors[t - 1]).all() == (f"dE/d({at}.h)" in done)
    assert np.isfinite(found.shares).all()


def test_windows_begin_where_errors_are_cut():
    assert through(stepped("lstm", 0), "lstm_1").cuts == ()
    assert through(stepped("lstm", 0, bptt_steps=1), "lstm_1").cuts == (2, 3, 4)
    stepper = stepped("lstm", bptt_steps=3)
    found = through(stepper, "lstm_1")
    assert found.cuts == (2,)
    assert found.shares[0] == 0
    assert not np.isfinite(found.errors[0]).any()


def test_a_layer_without_time_has_nothing_through_time():
    assert looked(stepped(), "dense_1").through is None


def test_an_operation_on_all_gates_is_explained_for_the_gate_looked_at():
    stepper = stepped()
    net = place_of(stepper, "lstm_1/t=3", ".net")
    symbols = [
        looked(stepper, "lstm_1", 1, 0, net, gate=gate).explanation.lines[-1].left
        for gate in range(4)
    ]
    assert symbols == ["zi6⟨3⟩", "zf6⟨3⟩", "zc̃6⟨3⟩", "zo6⟨3⟩"]


def test_an_operation_on_all_steps_is_explained_for_the_step_looked_at():
    stepper = stepped()
    names = [
        looked(stepper, "lstm_1", 1, 0, 0, gate=1, time=time).explanation.lines[-1].left
        for time in (2, 4, 0)
    ]
    assert names == ["af6⟨2⟩", "af6⟨4⟩", "af6⟨4⟩"]


def test_the_weights_of_a_gate_are_those_of_its_columns():
    stepper = stepped()
    view = looked(stepper, "lstm_1", unit=2, gate=3)
    assert view.rows == (("kernel", SYMBOLS), ("recurrent_kernel", UNITS), ("bias", 1))
    before = stepper.before
    column = 3 * UNITS + 2
    expected = np.concatenate(
        [
            before["lstm_1.kernel"][:, column],
            before["lstm_1.recurrent_kernel"][:, column],
            before["lstm_1.bias"][column : column + 1],
        ]
    )
    np.testing.assert_array_equal(view.weights[:, 0], expected)
    lefts = [
        looked(stepper, "lstm_1", 2, source, gate=3, notation=Notation("code"))
        for source in (0, SYMBOLS, SYMBOLS + UNITS)
    ]
    assert [view.explanation.title.partition(": ")[0] for view in lefts] == [
        "new lstm_1.kernel[0, 11]",
        "new lstm_1.recurrent_kernel[0, 11]",
        "new lstm_1.bias[11]",
    ]


def test_each_steps_gradient_is_explained_for_the_recurrent_weight_looked_at():
    stepper = stepped()
    share = place_of(stepper, "lstm_1/t=3", "⟨3⟩")
    view = looked(stepper, "lstm_1", 0, SYMBOLS + 1, share, gate=1)
    assert view.explanation.lines[-1].left == "∂E/∂uf65⟨3⟩"


def test_a_view_through_time_goes_over_the_wire():
    view = looked(stepped(), "lstm_1", gate=2)
    found = unpack(pack(view)[8:])
    np.testing.assert_array_equal(found.through.shares, view.through.shares)
    assert found.rows == view.rows
    assert found.through.gates == view.through.gates
    assert unpack(pack(LookAt("lstm_1", gate=1, time=3))[8:]) == LookAt("lstm_1", gate=1, time=3)


def test_the_step_of_a_path():
    assert step_of("lstm_1/t=12") == ("lstm_1", 12)
    assert step_of("dense_1") == ("dense_1", 0)


def test_a_sum_says_what_it_is_the_gradient_of():
    """Weights of time steps, and of a penalty, are summed up as states are; no h among them."""
    found = {
        (op.output.name.replace("/t=2", "/t"), op.primitive.formula)
        for layer in ("lstm", "gru")
        for op in stepped(layer, kernel_regularizer="l2").ops
        if isinstance(op.primitive, Sum)
        and (op.path.endswith("/t=2") or op.output.of.role == "parameter")
    }
    assert found == {
        ("dE/d(lstm_1.kernel)", "∂E/∂W = Σ shares"),
        ("dE/d(lstm_1.recurrent_kernel)", "∂E/∂U = Σ shares"),
        ("dE/d(lstm_1/t.c)", "∂E/∂c = Σ shares"),
        ("dE/d(gru_1.kernel)", "∂E/∂W = Σ shares"),
        ("dE/d(gru_1.recurrent_kernel)", "∂E/∂U = Σ shares"),
        ("dE/d(gru_1.recurrent_bias)", "∂E/∂b′ = Σ shares"),
        ("dE/d(gru_1/t.h)", "∂E/∂h = Σ shares"),
        ("dE/d(gru_1/t.s (z, r))", "∂E/∂s = Σ shares"),
    }
