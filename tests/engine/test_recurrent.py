"""Recurrent layers: equal to PyTorch's and to Keras's equations; gradients through time checked."""

from typing import Any

import numpy as np
import pytest
from recurrent_trainers import (
    FEATURES,
    STEPS,
    UNITS,
    T,
    X,
    computed,
    numerical,
    output,
    trainer_of,
    wave,
)

from tui_nn_engine import Trainer
from tui_nn_engine.programs.initializers import Orthogonal
from tui_nn_engine.stepping.stepper import Stepper

STARTS = {"kernel": 3, "recurrent_kernel": 4, "bias": 5, "recurrent_bias": 6}
# PyTorch 2.13 in float64: weights by `wave`, biases of the state 0 but for the GRU, whose columns
# it keeps in the order r, z, n; then the mean squared error of the last output and its gradients.
PYTORCH: dict[str, dict[str, list[float]]] = {
    "simple_rnn": {
        "y": [0.394916445, -0.066094423, -0.923285468, 0.908926739],
        "kernel": [-0.237511194, 0.248157333, 0.001844644, 0.007591238],
        "recurrent_kernel": [0.099939252, -0.104933880, -0.195306037, 0.202013675],
        "bias": [-0.206390939, 0.237430224],
    },
    "lstm": {
        "y": [-0.230706751, 0.177413273, -0.210685829, 0.091716148],
        "kernel": [
            *(0.080092825, -0.003419829, -0.000933402, 0.025178580, 0.044785870, 0.054752558),
            *(0.048454709, 0.058779131, -0.006118627, -0.005542518, -0.005786253, -0.003317647),
            *(0.001958838, -0.001657885, -0.018171468, -0.022564955),
        ],
        "recurrent_kernel": [
            *(0.000367739, -0.000835342, -0.001463557, -0.000969194, 0.011241057, -0.003300906),
            *(0.001180938, 0.001878362, 0.002473169, -0.000735068, -0.000249765, 0.002372029),
            *(-0.000420308, 0.004985592, 0.000699141, -0.000129191),
        ],
        "bias": [
            *(0.038511690, 0.005168569, 0.012538393, 0.022165146, -0.069817350, 0.066282720),
            *(0.013743783, 0.010246303),
        ],
    },
    "gru": {
        "y": [-0.494023868, 0.195140901, 0.011557206, 0.173527983],
        "kernel": [
            *(0.051889030, -0.001645978, -0.059546003, -0.007225440, -0.342475966, -0.016764105),
            *(-0.105898815, 0.001677276, 0.027931089, 0.018855164, 0.100333506, 0.086251457),
        ],
        "recurrent_kernel": [
            *(0.099039023, -0.005552776, -0.019048518, -0.007333026, -0.004356691, -0.013905323),
            *(-0.028077161, 0.002131970, -0.001664321, 0.002631960, -0.027242521, 0.005065046),
        ],
        "bias": [
            *(-0.157277500, 0.029564399, 0.001361217, -0.011366285, -0.114622716, -0.039444232),
        ],
        "recurrent_bias": [
            *(-0.157277500, 0.029564399, 0.001361217, -0.011366285, -0.116206952, -0.020617702),
        ],
    },
}


def waved(layer: dict[str, Any], **data: Any) -> Trainer:
    """A trainer whose weights are those that PyTorch was given."""
    trainer = trainer_of([{"units": UNITS, **layer}], **data)
    for name, view in trainer.parameters.views.items():
        view[...] = wave(*view.shape, start=STARTS[name.partition(".")[2]])
    return trainer


@pytest.mark.parametrize("kind", PYTORCH)
def test_output_and_gradients_are_those_of_pytorch(kind: str) -> None:
    trainer = waved({"type": kind})
    gradients = computed(trainer)
    wanted = dict(PYTORCH[kind])
    assert trainer.program is not None
    output = trainer.program.output.array
    np.testing.assert_allclose(output.ravel(), wanted.pop("y"), atol=1e-8)
    assert {name.partition(".")[2] for name in gradients} == set(wanted)
    for part, values in wanted.items():
        np.testing.assert_allclose(gradients[f"{kind}_1.{part}"].ravel(), values, atol=1e-8)


def sigmoid(z: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-z)))


@pytest.mark.parametrize("use_bias", [True, False])
def test_a_gru_that_resets_before_the_product_follows_kerass_equations(use_bias: bool) -> None:
    trainer = waved({"type": "gru", "reset_after": False, "use_bias": use_bias})
    computed(trainer)
    w, u = wave(FEATURES, 3 * UNITS, start=3), wave(UNITS, 3 * UNITS, start=4)
    b = wave(3 * UNITS, start=5) * use_bias
    h = np.zeros((2, UNITS))
    for t in range(STEPS):
        x_z, x_r, x_h = np.split(X[:, t] @ w + b, 3, axis=1)
        u_z, u_r, u_h = np.split(u, 3, axis=1)
        z, r = sigmoid(x_z + h @ u_z), sigmoid(x_r + h @ u_r)
        candidate = np.tanh(x_h + (r * h) @ u_h)
        h = z * h + (1 - z) * candidate
    assert trainer.program is not None
    np.testing.assert_allclose(trainer.program.output.array, h, atol=1e-12)


# -- gradients through time -----------------------------------------------------------------------

DENSE = {"type": "dense", "units": 2}
NETWORKS: dict[str, list[dict[str, Any]]] = {
    "simple_rnn": [{"type": "simple_rnn", "units": 3}, DENSE],
    "lstm": [{"type": "lstm", "units": 3}, DENSE],
    "gru": [{"type": "gru", "units": 3}, DENSE],
    "gru, reset before": [{"type": "gru", "units": 3, "reset_after": False}, DENSE],
    "no biases": [
        {"type": "lstm", "units": 2, "use_bias": False, "return_sequences": True},
        {"type": "gru", "units": 2, "use_bias": False, "return_sequences": True},
        {"type": "simple_rnn", "units": 2, "use_bias": False},
    ],
    "stacked": [
        {"type": "gru", "units": 3, "return_sequences": True, "kernel_regularizer": "l2"},
        {"type": "lstm", "units": 2, "return_sequences": True, "recurrent_regularizer": "l2"},
        {"type": "simple_rnn", "units": 2, "bias_regularizer": "l2"},
    ],
    "other activations, a state of their own": [
        {
            "type": "lstm",
            "units": 2,
            "return_sequences": True,
            "activation": "softplus",
            "recurrent_activation": "tanh",
            "initial_state": [0.5, -1.0],
            "initial_cell_state": [1.5, 0.3],
        },
        {
            "type": "gru",
            "units": 2,
            "activation": "swish",
            "recurrent_activation": "softplus",
            "initial_state": [1.0, 0.0],
        },
    ],
    "dropout": [
        {
            "type": "lstm",
            "units": 4,
            "dropout": 0.3,
            "recurrent_dropout": 0.3,
            "return_sequences": True,
        },
        {"type": "gru", "units": 4, "reset_after": False, "recurrent_dropout": 0.4},
        DENSE,
    ],
    "bidirectional": [
        {"type": "bidirectional", "layer": {"type": "lstm", "units": 2, "return_sequences": True}},
        {"type": "bidirectional", "layer": {"type": "gru", "units": 2}, "merge_mode": "sum"},
    ],
    "from one sequence to another": [
        {"type": "lstm", "units": 2},
        {"type": "repeat_vector", "n": 3},
        {"type": "gru", "units": 2},
    ],
    "flattened": [
        {"type": "simple_rnn", "units": 2, "return_sequences": True},
        {"type": "flatten"},
        DENSE,
    ],
}


@pytest.mark.parametrize("network", NETWORKS)
def test_gradients_through_time_are_the_numerical_ones(network: str) -> None:
    trainer = trainer_of(NETWORKS[network], wave(2, 4, 3, start=1))
    computed(trainer)
    backprop = trainer.parameters.gradients.copy()
    assert np.abs(backprop).min() > 0 or network == "dropout"
    np.testing.assert_allclose(backprop, numerical(trainer), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", ["simple_rnn", "lstm", "gru"])
def test_truncated_errors_stay_within_the_last_window(kind: str) -> None:
    """As if the state at its beginning had been given, and no step before had been made."""
    x = wave(1, 5, FEATURES, start=1)
    truncated = waved({"type": kind, "bptt_steps": 2}, x=x, t=T[:1])
    gradients = computed(truncated)
    assert truncated.program is not None
    slots = truncated.program.slots()
    given = {"initial_state": slots[f"{kind}_1/t=3.h"].array[0].tolist()}
    if kind == "lstm":
        given["initial_cell_state"] = slots["lstm_1/t=3.c"].array[0].tolist()
    window = waved({"type": kind, **given}, x=x[:, 3:], t=T[:1])
    for name, gradient in computed(window).items():
        np.testing.assert_allclose(gradients[name], gradient, atol=1e-14)
    whole = computed(waved({"type": kind}, x=x, t=T[:1]))
    assert any(not np.allclose(whole[name], gradients[name]) for name in whole)
    longer = computed(waved({"type": kind, "bptt_steps": 5}, x=x, t=T[:1]))
    assert all(np.array_equal(whole[name], longer[name]) for name in whole)


# -- both ways, tokens ----------------------------------------------------------------------------


@pytest.mark.parametrize("sequences", [False, True])
def test_backwards_is_forwards_on_the_sequence_turned_round(sequences: bool) -> None:
    t = wave(2, STEPS, UNITS, start=2) if sequences else T
    layer = {"type": "gru", "return_sequences": sequences}
    forwards = output(waved(layer, x=X[:, ::-1].copy(), t=t))
    backwards = output(waved({**layer, "go_backwards": True}, t=t))
    np.testing.assert_allclose(backwards, forwards[:, ::-1] if sequences else forwards, atol=1e-14)


def test_bidirectional_is_one_layer_each_way_side_by_side() -> None:
    layer = {"type": "lstm", "units": UNITS}
    both = trainer_of([{"type": "bidirectional", "layer": layer}], t=wave(2, 4, start=2))
    assert [row.name for row in both.network.summary()] == ["lstm_1", "lstm_2", "concatenate_1"]
    values = dict(both.parameters.views)
    for way in (1, 2):
        alone = trainer_of([{**layer, "go_backwards": way == 2}])
        for name, view in alone.parameters.views.items():
            view[...] = values[name.replace("lstm_1", f"lstm_{way}")]
        half = slice((way - 1) * UNITS, way * UNITS)
        np.testing.assert_array_equal(output(both)[:, half], output(alone))


def test_an_embedding_is_a_dense_layer_on_tokens_as_one_hot_rows() -> None:
    tokens = np.array([[0.0, 2.0, 2.0, 1.0], [2.0, 1.0, 0.0, 0.0]])
    table = wave(3, 2, start=3)
    rnn = {"type": "simple_rnn", "units": 2}
    looked_up = trainer_of([{"type": "embedding", "input_dim": 3, "output_dim": 2}, rnn], tokens)
    dense = {"type": "dense", "units": 2, "use_bias": False}
    multiplied = trainer_of([dense, rnn], np.eye(3)[tokens.astype(int)])
    looked_up.parameters.views["embedding_1.embeddings"][...] = table
    multiplied.parameters.views["dense_1.kernel"][...] = table
    ours, theirs = computed(looked_up), computed(multiplied)
    np.testing.assert_allclose(output(looked_up), output(multiplied), atol=1e-15)
    np.testing.assert_allclose(ours["embedding_1.embeddings"], theirs["dense_1.kernel"], atol=1e-15)


# -- how they start, what they are asked ----------------------------------------------------------


def test_orthogonal_keeps_lengths() -> None:
    for shape in ((4, 12), (6, 6), (8, 3)):
        q = Orthogonal().initial(shape, 1, "u")
        few = q @ q.T if shape[0] <= shape[1] else q.T @ q
        np.testing.assert_allclose(few, np.eye(min(shape)), atol=1e-12)
    larger = Orthogonal(gain=3.0).initial((2, 5), 1, "u")
    np.testing.assert_allclose(larger @ larger.T, 9 * np.eye(2), atol=1e-12)


def test_the_forget_gate_starts_open() -> None:
    def bias(**fields: Any) -> list[float]:
        layer = {"type": "lstm", "units": 2, **fields}
        return trainer_of([layer]).parameters.views["lstm_1.bias"].tolist()

    assert bias() == [0, 0, 1, 1, 0, 0, 0, 0]
    assert bias(unit_forget_bias=False) == [0] * 8
    given = [float(number) for number in range(8)]
    assert bias(bias_initializer={"type": "given", "values": given}) == given


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        ({"type": "lstm", "units": 2, "initial_state": [1.0]}, "each of the 2 units (has 1)"),
        (
            {"type": "gru", "units": 2, "kernel_initializer": {"type": "given", "values": [[1.0]]}},
            "must have the shape (2, 6) (has (1, 1))",
        ),
        ({"type": "lstm", "units": 2, "activation": "softmax"}, "'softmax' is not known"),
    ],
)
def test_what_does_not_fit_is_told(layer: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re_of(told)):
        trainer_of([layer])


def test_a_recurrent_layer_needs_sequences() -> None:
    with pytest.raises(ValueError, match="lstm needs sequences"):
        trainer_of([{"type": "lstm", "units": 2}], np.ones((2, 3)))


def re_of(text: str) -> str:
    return "".join(f"\\{sign}" if sign in "()[]." else sign for sign in text)


# -- stepping -------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", ["stacked", "dropout", "gru, reset before"])
def test_stepped_forwards_and_back_it_is_the_same_to_the_byte(network: str) -> None:
    x = wave(5, 4, 3, start=1)
    t = wave(5, 2, start=2)
    plain, stepped = (trainer_of(NETWORKS[network], x, t, batch_size=2) for _ in range(2))
    for _ in range(7):
        plain.update()
        stepper = Stepper(stepped)
        stepper.go_to(len(stepper.ops))
        stepper.go_to(len(stepper.ops) // 3)
        stepper.finish()
    assert plain.parameters.values.tobytes() == stepped.parameters.values.tobytes()


@pytest.mark.parametrize("network", [*NETWORKS, "truncated"])
def test_an_update_reads_nothing_that_it_has_not_written(network: str) -> None:
    layers = NETWORKS.get(network) or [
        {"type": "gru", "units": 3, "return_sequences": True, "bptt_steps": 3},
        {"type": "lstm", "units": 2, "bptt_steps": 2},
    ]
    trainer = trainer_of(layers, wave(2, 4, 3, start=1))
    computed(trainer)
    gradients = trainer.parameters.gradients.tobytes()
    assert trainer.program is not None
    for op in trainer.program.ops:
        for slot in op.outputs:
            if slot.role in {"value", "gradient"}:
                slot.array.fill(np.nan)
    computed(trainer)
    assert trainer.parameters.gradients.tobytes() == gradients


def test_a_resumed_run_goes_on_to_the_byte() -> None:
    x, t = wave(5, 4, 3, start=1), wave(5, 2, start=2)
    whole, begun, resumed = (trainer_of(NETWORKS["dropout"], x, t, batch_size=2) for _ in range(3))
    for _ in range(9):
        whole.update()
    for _ in range(4):
        begun.update()
    resumed.restore(begun.state.snapshot())
    for _ in range(5):
        resumed.update()
    assert resumed.parameters.values.tobytes() == whole.parameters.values.tobytes()


def test_what_is_not_computed_yet_is_not_known() -> None:
    stepper = Stepper(trainer_of(NETWORKS["lstm"], wave(2, 4, 3, start=1)))
    first = stepper.ops[1]
    a = first.inputs[0]
    assert (a.name, first.path) == ("lstm_1/t=1.a", "lstm_1/t=1")
    assert stepper.input_of(1, a) is None
    stepper.go_to(1)
    assert stepper.input_of(1, a) is a.array
