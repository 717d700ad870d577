"""Batch and layer normalization: as PyTorch reckons them, and what a layer keeps for itself."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.layers import BatchNormalization, LayerNormalization
from tui_nn_engine.layers.normalization import Normalization
from tui_nn_engine.networks.naming import Names
from tui_nn_engine.programs.program import Builder, Contribution, Op, Primitive, Slot
from tui_nn_engine.programs.reading import Reading
from tui_nn_engine.stepping.explain import element_of, explain
from tui_nn_engine.stepping.gradient_check import check_gradient
from tui_nn_engine.stepping.handout import handout
from tui_nn_engine.stepping.handout_formats import FORMATS
from tui_nn_engine.stepping.stepper import Stepper
from tui_nn_engine.stepping.stepview import step_view
from tui_nn_engine.training import checkpoint
from tui_nn_engine.training.timeline import Timeline

# -- the arithmetic -------------------------------------------------------------------------------


class Against(Primitive):
    """Σ h · up, whose gradient is `up`."""

    def __init__(self, up: np.ndarray) -> None:
        self.up = up

    def outputs(self, *inputs: Slot) -> dict[str, tuple[int, ...]]:
        return {"": ()}

    def bind(self, inputs: Sequence[Any], outputs: Sequence[Any]) -> Callable[[], object]:
        return lambda: np.copyto(outputs[0], np.sum(inputs[0] * self.up))

    def gradients(self, op: Op, gradient: Slot) -> Iterator[Contribution]:
        yield Contribution(op.inputs[0], (Slot("up", self.up),))


def run(layer: Normalization, x: np.ndarray, up: np.ndarray, gamma: Any, beta: Any) -> Any:
    """h, and the gradients of x, γ, β; then the moving averages, if it has any."""
    arrays = {"n.x": x.copy(), "n.gamma": np.array(gamma), "n.beta": np.array(beta)}
    kept = {"n.moving_mean": np.zeros(x.shape[-1]), "n.moving_variance": np.ones(x.shape[-1])}
    slots = {name: Slot(name, array, "parameter") for name, array in (arrays | kept).items()}
    gradients = {
        name: Slot(f"dE/d({name})", np.zeros_like(array), "gradient", slots[name])
        for name, array in arrays.items()
    }
    builder = Builder("float64", slots, gradients, {}, seed=0, training=True)
    with builder.within("n"):
        h = layer.emit(builder, slots["n.x"])
        builder.differentiate(builder.apply(Against(up), h, name="E"))
    for op in sorted(builder.ops, key=lambda op: op.phase == "update"):
        op.call()
    return h.array, *(gradients[name].array for name in arrays), *kept.values()


X = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.5], [2.0, 1.0, -1.0], [-1.5, 0.5, 4.0]])
UP = np.array([[0.5, -1.0, 2.0], [1.0, 0.25, -0.5], [-2.0, 1.5, 1.0], [0.75, -0.5, 3.0]])
GAMMA, BETA = [1.5, 0.5, -2.0], [0.1, -0.2, 0.3]
PYTORCH: dict[str, tuple[Normalization, list[Any]]] = {
    # torch.nn.LayerNorm(3, eps=1e-3) of PyTorch 2.13 in float64
    "layer": (
        LayerNormalization(),
        [
            [
                [1.43311436, -0.898297996, -0.715706176],
                [-1.73650524, 0.412168414, 0.3],
                [1.70305227, -0.066412311, 2.97175378],
                [-1.54962041, -0.309974694, -2.33939266],
            ],
            [
                [1.67398483, 0.33495169, -2.00893652],
                [-0.0506401808, -0.0513878881, 0.102028069],
                [-1.17372457, 1.76047958, -0.586755006],
                [-0.221143506, 0.348014374, -0.126870868],
            ],
            [-3.7421786, 2.21341796, 3.63891827],
            [0.25, 0.25, 5.5],
        ],
    ),
    # torch.nn.BatchNorm1d(3, eps=1e-3, momentum=0.01)
    "batch": (
        BatchNormalization(),
        [
            [
                [0.824835626, -0.936839384, 1.12403901],
                [-0.334901376, 0.466664204, 0.0253203301],
                [1.98457263, -0.0947372309, 2.77211703],
                [-2.07450688, -0.23508759, -2.72147637],
            ],
            [
                [1.01852864, -0.0750852026, -0.958705412],
                [0.780567215, -0.149274658, 2.15076627],
                [-1.06298393, 0.37162738, -0.403999207],
                [-0.73611193, -0.14726752, -0.788061652],
            ],
            [-3.64833932, 2.15788677, 2.40344711],
            [0.25, 0.25, 5.5],
            [0.00375, 0.00625, 0.0125],
            # PyTorch averages the variance divided by n - 1: 0.99 + 0.01·s·4/3.
            np.array([1.0122916666666666, 1.0322916666666666, 1.0341666666666667]) * 0.75
            + 0.99 * 0.25,
        ],
    ),
}


@pytest.mark.parametrize("kind", PYTORCH)
def test_values_and_gradients_are_pytorchs(kind: str) -> None:
    layer, wanted = PYTORCH[kind]
    for ours, theirs in zip(run(layer, X, UP, GAMMA, BETA), wanted, strict=False):
        np.testing.assert_allclose(ours, theirs, rtol=2e-8, atol=2e-9)


@pytest.mark.parametrize("shape", [(5, 3), (4, 6, 3), (2, 1)])
@pytest.mark.parametrize("kind", PYTORCH)
def test_so_they_are_for_any_numbers(kind: str, shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    random, width = np.random.default_rng(len(shape)), shape[-1]
    x, up = 3 + 2 * random.normal(size=shape), random.normal(size=shape)
    gamma, beta = random.normal(size=width), random.normal(size=width)
    made = {
        "layer": lambda: torch.nn.LayerNorm(width, eps=1e-3),
        "batch": lambda: torch.nn.BatchNorm1d(width, eps=1e-3, momentum=0.01),
    }[kind]().to(torch.float64)
    made.weight.data, made.bias.data = torch.tensor(gamma), torch.tensor(beta)
    given = torch.tensor(x, requires_grad=True)
    rows = given.reshape(-1, width) if kind == "batch" else given
    h = made(rows).reshape(shape)
    (h * torch.tensor(up)).sum().backward()
    theirs = [h.detach(), given.grad, made.weight.grad, made.bias.grad]
    ours = run(PYTORCH[kind][0], x, up, gamma, beta)
    for mine, other in zip(ours, theirs, strict=False):
        np.testing.assert_allclose(mine, other.numpy(), rtol=1e-9, atol=1e-11)
    if kind == "batch":
        np.testing.assert_allclose(ours[4], made.running_mean.numpy(), rtol=1e-12)


# -- in a network ---------------------------------------------------------------------------------

TREE: dict[str, Any] = {
    "seed": 2,
    "dtype": "float64",
    "data": {"name": "moons", "samples": 40, "validation_fraction": 0.2},
    "layers": [
        {"type": "dense", "units": 4, "activation": "tanh"},
        {"type": "batch_normalization", "momentum": 0.8},
        {"type": "dense", "units": 3, "activation": "relu"},
        {"type": "layer_normalization"},
        {"type": "dense", "units": 1, "activation": "sigmoid"},
    ],
    "loss": "binary_crossentropy",
    "optimizer": {"type": "adam", "learning_rate": 0.05},
    "training": {"epochs": 30, "batch_size": 8, "threads": 1},
}
KEPT = "batch_normalization_1.moving_mean", "batch_normalization_1.moving_variance"


def trainer_of(**changed: Any) -> Trainer:
    return Trainer(Experiment.parse({**TREE, **changed}))


def train(trainer: Trainer, updates: int) -> None:
    for _ in range(updates):
        trainer.update()


def test_parameters_are_counted_as_keras_does() -> None:
    row = trainer_of().network.summary()[1]
    assert (row.parameters, row.trainable, row.connections) == (16, 8, 0)
    views = trainer_of().parameters.views
    assert [name for name in views if name.startswith("batch")] == [
        "batch_normalization_1.gamma",
        "batch_normalization_1.beta",
        *KEPT,
    ]
    for part, value in (("gamma", 1), ("beta", 0), ("moving_mean", 0), ("moving_variance", 1)):
        assert (views[f"batch_normalization_1.{part}"] == value).all()
    bare = {"type": "batch_normalization", "center": False, "gamma_trainable": False}
    row = trainer_of(layers=[bare, TREE["layers"][-1]]).network.summary()[0]
    assert (row.parameters, row.trainable) == (6, 0)


def test_the_averages_follow_the_batches_of_the_layer_before() -> None:
    trainer = trainer_of()
    mean, variance = np.zeros(4), np.ones(4)
    for _ in range(7):
        trainer.update()
        assert trainer.program is not None
        h = trainer.program.slots()["dense_1.h"].array
        mean = 0.8 * mean + 0.2 * h.mean(axis=0)
        variance = 0.8 * variance + 0.2 * h.var(axis=0)
    for name, wanted in zip(KEPT, (mean, variance), strict=True):
        np.testing.assert_allclose(trainer.parameters.views[name], wanted, rtol=1e-12)


def test_after_training_a_sample_is_told_without_the_others() -> None:
    trainer = trainer_of()
    train(trainer, 20)
    x = np.random.default_rng(0).normal(size=(9, 2))
    whole = trainer.predict(x)
    singly = np.concatenate([trainer.predict(x[i : i + 1]) for i in range(9)])
    np.testing.assert_allclose(whole, singly, rtol=1e-12)
    views = trainer.parameters.views
    forward = trainer.network.compile_forward(9, trainer.parameters)
    forward.x.array[...] = x
    for call in forward.compute:
        call()
    slots = {name: np.asarray(slot.array, np.float64) for name, slot in forward.slots().items()}
    centered = (slots["dense_1.h"] - views[KEPT[0]]) / np.sqrt(views[KEPT[1]] + 1e-3)
    np.testing.assert_allclose(slots["batch_normalization_1.x̂"], centered, rtol=1e-12)
    assert {op.phase for op in forward.ops} == {"forward"}


def test_it_goes_on_from_a_checkpoint_to_the_same_bits(tmp_path: Path) -> None:
    whole, half, other = trainer_of(), trainer_of(), trainer_of()
    train(whole, 30)
    train(half, 13)
    saved = checkpoint.Checkpoint(half.state.snapshot(), "")
    checkpoint.save(tmp_path / "k", saved)
    other.restore(checkpoint.load(tmp_path / "k").snapshot)
    train(other, 17)
    assert other.parameters.values.tobytes() == whole.parameters.values.tobytes()
    assert (whole.parameters.views[KEPT[0]] != half.parameters.views[KEPT[0]]).any()


def test_stepped_there_and_back_it_is_the_same_to_the_bit() -> None:
    stepped, plain = trainer_of(), trainer_of()
    for trainer in (stepped, plain):
        train(trainer, 5)
    before = stepped.state.snapshot().arrays["parameters"].tobytes()
    stepper = Stepper(stepped)
    stepper.go_to(len(stepper.ops))
    changed = stepper.slot(KEPT[0])
    assert changed is not None
    moving = next(i for i, op in enumerate(stepper.ops) if op.output.name == KEPT[0])
    old, new = stepper.input_of(moving, changed), stepper.output_of(moving, changed)
    assert old is not None
    assert new is not None
    assert old.tobytes() == stepper.before[KEPT[0]].tobytes() != new.tobytes()
    stepper.cancel()
    assert stepped.state.snapshot().arrays["parameters"].tobytes() == before
    stepper.go_to(moving + 1)
    stepper.finish()
    plain.update()
    assert stepped.parameters.values.tobytes() == plain.parameters.values.tobytes()


def test_gone_back_to_it_has_the_averages_of_that_moment() -> None:
    trainer, fresh = trainer_of(), trainer_of()
    timeline = Timeline(trainer)
    for _ in range(25):
        train(trainer, 1)
        timeline.observe()
    for target in (11, 3, 24, 0):
        list(timeline.travel(target))
        fresh.rewind()
        train(fresh, target)
        assert trainer.parameters.values.tobytes() == fresh.parameters.values.tobytes()


def test_nothing_is_kept_of_an_update_that_is_not_made() -> None:
    trainer = trainer_of()
    train(trainer, 2)
    trainer.parameters.views["dense_3.kernel"][0, 0] = np.nan
    before = trainer.parameters.views[KEPT[0]].copy()
    with pytest.raises(ArithmeticError):
        trainer.update()
    assert np.array_equal(trainer.parameters.views[KEPT[0]], before)


def test_where_nothing_learns_nothing_is_kept() -> None:
    still = {f"{part}_trainable": False for part in ("kernel", "bias")}
    layers = [
        {"type": "batch_normalization", "scale": False, "center": False},
        {**TREE["layers"][-1], **still},
    ]
    trainer = trainer_of(layers=layers)
    assert {op.phase for op in trainer.load().ops} == {"forward", "loss"}


def test_explained_written_down_and_checked() -> None:
    trainer = trainer_of()
    train(trainer, 3)
    stepper = Stepper(trainer)
    for name in ("gamma[1]", "beta[0]"):
        for layer in ("batch_normalization_1", "layer_normalization_1"):
            assert check_gradient(stepper, f"{layer}.{name}").agrees
    assert check_gradient(stepper, "dense_1.kernel[1, 2]").agrees
    stepper.go_to(len(stepper.ops))
    layer = "batch_normalization_1"
    moving = next(i for i, op in enumerate(stepper.ops) if op.output.name == KEPT[1])
    element = element_of(stepper, moving, layer, 2, 0, 0)
    found = explain(stepper, moving, element, Notation())
    assert element == (2,)
    assert found.lines[-1].symbols == "α·σ²5 + (1 − α)·σ²_B"
    assert found.lines[-1].value == trainer.parameters.views[KEPT[1]][2]
    place = next(i for i, op in enumerate(stepper.ops) if op.output.name == f"{layer}.x̂")
    found = explain(stepper, place, (1, 2), Notation())
    assert [line.left for line in found.lines] == ["µ", "σ²", "x̂5"]
    text = FORMATS["text"](handout(stepper, 0, Notation()))
    assert "σ² ← α·σ² + (1 − α)·σ²_B" in text
    view = step_view(stepper, layer, 2, 0)
    assert np.isfinite(view.units[layer][:, 1:]).all()


def test_in_use_it_explains_itself_by_the_averages() -> None:
    trainer = trainer_of()
    train(trainer, 3)
    program = trainer.network.compile_forward(2, trainer.parameters)
    program.x.array[...] = [[0.5, 1.0], [-1.0, 0.2]]
    for call in program.compute:
        call()
    op = next(op for op in program.ops if op.primitive.name == "standardize")
    names = Names(trainer.network, program, trainer.parameters, Notation())
    read = Reading(
        op.inputs, op.outputs, (1, 2), names, lambda s: s.array, lambda s: s.array, done=True
    )
    (line,) = op.primitive.explain(read).equations
    assert line.right.text() == "(h5 − µ5)/√(σ²5 + ε)"
    assert line.right.scalar == pytest.approx(float(op.output.array[1, 2]), rel=1e-12)


# -- batches that have no spread ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("batch_size", "fixed"),
    # 26 samples to train with: in batches of 5 or 25 the last is a single one.
    [(1, 2), (5, 6), (25, 26)],
)
def test_a_batch_of_one_is_refused_and_mended(batch_size: int, fixed: int) -> None:
    training = {**TREE["training"], "batch_size": batch_size}
    with pytest.raises(ExperimentError) as caught:
        trainer_of(training=training)
    (problem,) = caught.value.problems
    assert problem.path == "training.batch_size"
    assert "batch_normalization_1" in problem.message
    mended = problem.fixed  # type: ignore[attr-defined]
    assert mended.training.batch_size == fixed
    assert Trainer(mended).batches.samples == 26
    with_layer = [each for each in TREE["layers"] if each["type"] != "batch_normalization"]
    trainer_of(training=training, layers=with_layer)


def test_of_several_places_a_sample_has_a_spread_of_its_own() -> None:
    tree = {
        **TREE,
        "data": {"name": "arrays", "validation_fraction": 0, "test_fraction": 0},
        "layers": [
            {"type": "batch_normalization"},
            {"type": "flatten"},
            {"type": "dense", "units": 1},
        ],
        "loss": "mean_squared_error",
        "training": {"epochs": 1, "batch_size": 1, "threads": 1},
    }
    x, y = np.random.default_rng(0).normal(size=(4, 5, 2)), np.array([[0.0], [1.0]] * 2)
    assert Trainer(Experiment.parse(tree), data=(x, y)).update() > 0
