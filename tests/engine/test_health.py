"""The health of layers, against the same numbers worked out the long way."""

from typing import Any

import numpy as np

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.health import COLUMNS, health

TREE: dict[str, Any] = {
    "seed": 2,
    "dtype": "float64",
    "data": {"name": "moons", "samples": 40},
    "layers": [
        {"type": "dense", "units": 8, "activation": "relu"},
        {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 5, "activation": "tanh", "kernel_trainable": False},
        {"type": "dense", "units": 1, "activation": "sigmoid", "use_bias": False},
    ],
    "loss": {"type": "binary_crossentropy"},
    "optimizer": {"type": "sgd", "learning_rate": 0.5},
    "training": {"epochs": 3, "batch_size": 16, "threads": 1},
}


def measured(trainer: Trainer) -> dict[str, dict[str, float]]:
    assert trainer.program is not None
    with np.errstate(all="ignore"):
        table = health(trainer, trainer.program)
    names = [name for name, _ in trainer.network.layers]
    assert table.shape == (len(names), len(COLUMNS))
    return {
        name: dict(zip(COLUMNS, row, strict=True))
        for name, row in zip(names, table.tolist(), strict=True)
    }


def test_sizes_of_weights_activations_gradients_and_updates() -> None:
    trainer = Trainer(Experiment.parse(TREE))
    for _ in range(4):
        trainer.update()
    before = {name: view.copy() for name, view in trainer.parameters.views.items()}
    trainer.update()
    found = measured(trainer)
    program, after = trainer.program, trainer.parameters.views
    assert program is not None
    slots = program.slots()

    one = found["dense_1"]
    kernel, bias = after["dense_1.kernel"], after["dense_1.bias"]
    np.testing.assert_allclose(one["weight_mean"], kernel.mean())
    np.testing.assert_allclose(one["weight_std"], kernel.std())
    h = slots["dense_1.h"].array
    np.testing.assert_allclose(one["activation_mean"], h.mean())
    np.testing.assert_allclose(one["activation_std"], h.std())
    assert one["dead"] == np.mean([(h[:, unit] == 0).all() for unit in range(8)])
    gradient = np.concatenate(
        [
            trainer.parameters.gradient_views[f"dense_1.{part}"].ravel()
            for part in ("kernel", "bias")
        ]
    )
    np.testing.assert_allclose(one["gradient_norm"], np.linalg.norm(gradient))
    change = np.concatenate(
        [(after[n] - before[n]).ravel() for n in ("dense_1.kernel", "dense_1.bias")]
    )
    weights = np.concatenate([kernel.ravel(), bias.ravel()])
    np.testing.assert_allclose(
        one["update_ratio"], np.linalg.norm(change) / np.linalg.norm(weights), rtol=1e-9
    )


def test_what_a_layer_has_not_is_nan() -> None:
    trainer = Trainer(Experiment.parse(TREE))
    trainer.update()
    found = measured(trainer)
    dropout = found["dropout_1"]
    assert np.isnan(
        [dropout["weight_mean"], dropout["gradient_norm"], dropout["update_ratio"]]
    ).all()
    assert np.isfinite([dropout["activation_mean"], dropout["dead"]]).all()
    frozen = found["dense_2"]  # only its bias is trained
    assert np.isfinite([frozen["weight_std"], frozen["gradient_norm"]]).all()
    np.testing.assert_allclose(
        frozen["gradient_norm"], np.linalg.norm(trainer.parameters.gradient_views["dense_2.bias"])
    )


def test_dead_units_are_found() -> None:
    layers = [
        {
            **TREE["layers"][0],
            "bias_initializer": {
                "type": "given",
                "values": [-1e3, 0.0, -1e3, 0.0, 0.0, 0.0, 1.0, 1.0],
            },
        },
        TREE["layers"][-1],
    ]
    trainer = Trainer(Experiment.parse({**TREE, "layers": layers}))
    trainer.update()
    assert trainer.program is not None
    h = trainer.program.slots()["dense_1.h"].array
    dead = int((h == 0).all(axis=0).sum())
    assert dead >= 2
    assert measured(trainer)["dense_1"]["dead"] == dead / 8


def test_nothing_trainable_and_numbers_that_overflow_are_no_fault() -> None:
    frozen = [
        {**layer, "kernel_trainable": False, "bias_trainable": False}
        for layer in (TREE["layers"][0], TREE["layers"][-1])
    ]
    trainer = Trainer(Experiment.parse({**TREE, "layers": frozen}))
    trainer.update()
    assert np.isnan(measured(trainer)["dense_1"]["update_ratio"])
    trainer = Trainer(Experiment.parse({**TREE, "dtype": "float32"}))
    trainer.update()
    trainer.parameters.values[...] = 3e38
    assert measured(trainer)["dense_1"]["weight_mean"] > 1e38
