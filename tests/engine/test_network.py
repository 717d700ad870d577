from typing import Any

import numpy as np
import pytest

from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.networks.network import Network
from tui_nn_engine.programs.parameters import Parameters
from tui_nn_engine.programs.program import Program

DENSE = {"type": "dense", "units": 5, "activation": "tanh"}
END = {"type": "dense", "units": 3, "activation": "softmax"}
DROPOUT = {"type": "dropout", "rate": 0.5}


def network_of(layers: list[dict[str, Any]], shape: tuple[int, ...] = (4,), **rest: Any) -> Network:
    tree = {"data": {"name": "arrays"}, "loss": "categorical_crossentropy", "optimizer": "sgd"}
    return Network(Experiment.parse({**tree, "layers": layers, **rest}), shape)


def compiled(network: Network, batch: int, parameters: Parameters) -> tuple[Program, np.ndarray]:
    """The training program, and the counter of iterations it reads."""
    iteration = np.zeros((), np.int64)
    state = {"iteration": iteration, "learning_rate": np.array(0.1, parameters.values.dtype)}
    program = network.compile(batch, parameters, state)
    random = np.random.default_rng(batch)
    program.x.array[...] = random.normal(size=program.x.shape)
    program.y.array[...] = np.eye(3)[random.integers(0, 3, program.y.shape[:-1])]
    return program, iteration


def run(program: Program) -> None:
    for call in (*program.compute, *program.update):
        call()


def test_784_512_10():
    layers = [{**DENSE, "units": 512, "activation": "relu"}, {**END, "units": 10}]
    network = network_of(layers, (784,))
    first, last = network.summary()
    assert (first.name, first.input_shape, first.output_shape) == ("dense_1", (784,), (512,))
    assert (last.name, last.input_shape, last.output_shape) == ("dense_2", (512,), (10,))
    assert first.parameters + last.parameters == network.parameters().values.size == 407_050
    assert (first.parameters, last.parameters) == (784 * 512 + 512, 512 * 10 + 10)
    assert (first.connections, last.connections) == (784 * 512, 512 * 10)
    assert network.output_shape == (10,)


def test_names_are_counted_per_type():
    layers = [{"type": "flatten"}, DENSE, DROPOUT, DENSE, {"type": "activation"}, DROPOUT, END]
    names = [name for name, _ in network_of(layers, (2, 4)).layers]
    assert names == [
        "flatten_1",
        "dense_1",
        "dropout_1",
        "dense_2",
        "activation_1",
        "dropout_2",
        "dense_3",
    ]


@pytest.mark.parametrize(
    ("shape", "layers", "shapes"),
    [
        ((4,), [DENSE, END], [(5,), (3,)]),
        ((28, 28), [{"type": "flatten"}, END], [(784,), (3,)]),
        ((7, 4), [DENSE, {"type": "flatten"}, END], [(7, 5), (35,), (3,)]),
        ((7, 4), [DROPOUT, DENSE, {"type": "activation"}], [(7, 4), (7, 5), (7, 5)]),
        ((2, 3, 4), [DENSE, {"type": "flatten"}], [(2, 3, 5), (30,)]),
    ],
)
def test_shapes_are_inferred_and_true(shape: Any, layers: Any, shapes: Any):
    network = network_of(layers, shape)
    assert [row.output_shape for row in network.summary()] == shapes
    program = network.compile_forward(6, network.parameters())
    for call in program.compute:
        call()
    assert program.output.shape == (6, *shapes[-1])


def test_what_is_frozen_or_absent_is_counted_so():
    frozen = {**DENSE, "kernel_trainable": False}
    bare = {**END, "use_bias": False}
    network = network_of([frozen, bare])
    first, last = network.summary()
    assert (first.parameters, first.trainable) == (4 * 5 + 5, 5)
    assert (last.parameters, last.trainable, last.connections) == (15, 15, 15)
    assert network.parameters().trainable_size == 20
    assert list(network.parameters().views) == ["dense_1.kernel", "dense_1.bias", "dense_2.kernel"]


def test_a_dense_layer_over_time_connects_at_each_step():
    (row,) = network_of([DENSE], (7, 4)).summary()
    assert (row.parameters, row.connections) == (25, 7 * 4 * 5)


def test_frozen_parameters_stay_the_others_move():
    network = network_of([{**DENSE, "kernel_trainable": False}, {**END, "bias_trainable": False}])
    parameters = network.parameters()
    before = {name: view.copy() for name, view in parameters.views.items()}
    run(compiled(network, 8, parameters)[0])
    moved = {n for n, view in parameters.views.items() if not np.array_equal(view, before[n])}
    assert moved == {"dense_1.bias", "dense_2.kernel"}


def test_a_network_of_frozen_layers_alone_runs_and_learns_nothing():
    frozen = {**END, "kernel_trainable": False, "bias_trainable": False}
    network = network_of([frozen])
    parameters = network.parameters()
    before = parameters.values.copy()
    program, _ = compiled(network, 4, parameters)
    run(program)
    assert program.loss is not None
    assert program.loss.array > 0
    assert {op.phase for op in program.ops} == {"forward", "loss"}
    assert np.array_equal(parameters.values, before)


def reference_update(p: dict[str, np.ndarray], x: np.ndarray, t: np.ndarray, rate: float) -> float:
    """One SGD update of 4-5(tanh)-3(softmax), written by hand; returns the loss before it."""
    h = np.tanh(x @ p["dense_1.kernel"] + p["dense_1.bias"])
    e = np.exp(h @ p["dense_2.kernel"] + p["dense_2.bias"])
    y = e / e.sum(axis=1, keepdims=True)
    delta_2 = (y - t) / len(x)
    delta_1 = delta_2 @ p["dense_2.kernel"].T * (1 - h**2)
    p["dense_2.kernel"] -= rate * h.T @ delta_2
    p["dense_2.bias"] -= rate * delta_2.sum(axis=0)
    p["dense_1.kernel"] -= rate * x.T @ delta_1
    p["dense_1.bias"] -= rate * delta_1.sum(axis=0)
    return float(-(t * np.log(y)).sum() / len(x))


def test_a_ragged_batch_and_the_full_one_train_the_same_parameters():
    """250 samples in batches of 30: eight full ones and one of 10, each with its own divisor."""
    network = network_of([DENSE, END], dtype="float64")
    parameters = network.parameters()
    wanted = {name: view.copy() for name, view in parameters.views.items()}
    programs = {size: compiled(network, size, parameters)[0] for size in (30, 10)}
    random = np.random.default_rng(0)
    x, t = random.normal(size=(250, 4)), np.eye(3)[random.integers(0, 3, 250)]
    for start in [*range(0, 250, 30)] * 3:
        program = programs[min(30, 250 - start)]
        program.x.array[...] = x[start : start + 30]
        program.y.array[...] = t[start : start + 30]
        run(program)
        loss = reference_update(wanted, x[start : start + 30], t[start : start + 30], 0.1)
        assert program.loss is not None
        assert float(program.loss.array) == pytest.approx(loss, rel=1e-12)
    for name, view in parameters.views.items():
        np.testing.assert_allclose(view, wanted[name], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch", [1, 7, 32])
def test_the_forward_program_equals_the_training_programs_output(batch: int, dtype: str):
    network = network_of([DENSE, END], dtype=dtype)
    parameters = network.parameters()
    training, _ = compiled(network, batch, parameters)
    forward = network.compile_forward(batch, parameters, with_loss=True)
    forward.x.array[...], forward.y.array[...] = training.x.array, training.y.array
    for call in (*training.compute, *forward.compute):
        call()
    assert np.array_equal(forward.output.array, training.output.array)
    assert forward.loss is not None
    assert training.loss is not None
    assert forward.loss.array == training.loss.array
    assert forward.output.array.dtype == dtype


def test_dropout_is_off_outside_training():
    network = network_of([DROPOUT, DENSE, DROPOUT, END])
    parameters = network.parameters()
    bare = network_of([DENSE, END]).compile_forward(6, parameters)
    forward = network.compile_forward(6, parameters)
    bare.x.array[...] = forward.x.array[...] = np.random.default_rng(0).normal(size=(6, 4))
    for call in (*bare.compute, *forward.compute):
        call()
    assert [op.path for op in forward.ops] == [op.path for op in bare.ops]
    assert np.array_equal(forward.output.array, bare.output.array)


def masks_of(program: Program) -> list[np.ndarray]:
    return [slot.array.copy() for name, slot in program.slots().items() if name.endswith(".mask")]


def test_a_dropout_mask_is_a_pure_function_of_the_iteration():
    layers = [{**DENSE, "units": 500}, DROPOUT, DENSE, {**DROPOUT, "rate": 0.2}, END]
    program, iteration = compiled(network := network_of(layers), 8, network.parameters())
    seen = []
    for step in (0, 1, 2, 1, 0):
        iteration[...] = step
        run(program)
        seen.append(masks_of(program))
    assert len(seen[0]) == 2
    for layer in range(2):
        assert np.array_equal(seen[0][layer], seen[4][layer])
        assert np.array_equal(seen[1][layer], seen[3][layer])
        assert not np.array_equal(seen[0][layer], seen[1][layer])
    assert set(np.unique(seen[0][0])) == {0, 2}
    assert set(np.unique(seen[0][1])) == {0, np.float32(1.25)}
    assert np.mean(seen[0][0] == 0) == pytest.approx(0.5, abs=0.03)


def test_masks_differ_between_layers_and_seeds():
    layers = [{**DENSE, "units": 50}, DROPOUT, DROPOUT, END]
    first, _ = compiled(network := network_of(layers), 8, network.parameters())
    other, _ = compiled(network := network_of(layers, seed=1), 8, network.parameters())
    run(first)
    run(other)
    one, two = masks_of(first)
    assert not np.array_equal(one, two)
    assert not np.array_equal(one, masks_of(other)[0])


def test_dropout_of_nothing_is_no_operation():
    program, _ = compiled(
        network := network_of([{**DROPOUT, "rate": 0}, END]), 4, network.parameters()
    )
    assert "dropout_1" not in {op.path for op in program.ops}


NOISE = {"type": "gaussian_noise", "stddev": 0.5}


def test_noise_is_a_pure_function_of_seed_layer_and_iteration():
    layers = [{**DENSE, "units": 500}, NOISE, {**NOISE, "stddev": 2.0}, END]
    program, iteration = compiled(network := network_of(layers), 8, network.parameters())
    other, _ = compiled(network := network_of(layers, seed=1), 8, network.parameters())
    seen = []
    for step in (0, 1, 0):
        iteration[...] = step
        run(program)
        slots = program.slots()
        seen.append([slots[f"gaussian_noise_{n}.noise"].array.copy() for n in (1, 2)])
        np.testing.assert_array_equal(
            slots["gaussian_noise_1.h"].array, slots["dense_1.h"].array + seen[-1][0]
        )
    run(other)
    assert np.array_equal(seen[0], seen[2])
    assert not np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0][0], other.slots()["gaussian_noise_1.noise"].array)
    assert not np.array_equal(seen[0][0] * 4, seen[0][1])
    assert np.std(seen[0], axis=(1, 2)) == pytest.approx([0.5, 2.0], rel=0.05)
    assert np.mean(seen[0], axis=(1, 2)) == pytest.approx([0, 0], abs=0.1)


def test_noise_is_off_outside_training_and_where_there_is_none():
    network = network_of([NOISE, END])
    forward = network.compile_forward(6, network.parameters())
    assert {op.path for op in forward.ops} == {"dense_1"}
    silent = network_of([{**NOISE, "stddev": 0}, END])
    assert "gaussian_noise_1" not in {
        op.path for op in compiled(silent, 4, silent.parameters())[0].ops
    }


def test_the_same_seed_starts_the_same_and_another_differently():
    layers = [DENSE, END]
    first, again = network_of(layers).parameters(), network_of(layers).parameters()
    other = network_of(layers, seed=1).parameters()
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)


def test_a_layer_starts_the_same_whatever_follows_it():
    alone, followed = network_of([DENSE]).parameters(), network_of([DENSE, END]).parameters()
    assert np.array_equal(alone.views["dense_1.kernel"], followed.views["dense_1.kernel"])
