"""Experiments with sequences to begin from."""

from tui_nn.review import Tree
from tui_nn_engine.experiments.experiment import Experiment


def sequence_starters() -> dict[str, Experiment]:
    """By what they are known as, after Karpathy, The Unreasonable Effectiveness of RNNs (2015)."""
    return {
        "many to one": _starter(
            {"name": "first_symbol"},
            [_lstm(16), _dense(1, "sigmoid")],
            "binary_crossentropy",
            epochs=20,
        ),
        "many to many": _starter(
            {"name": "parity", "targets": "every"},
            [{"type": "masking"}, _lstm(16, every=True), _dense(1, "sigmoid")],
            "binary_crossentropy",
            epochs=40,
        ),
        "encoder-decoder": _starter(
            {"name": "reversing"},
            [
                _lstm(48),
                {"type": "repeat_vector", "n": 6},
                _lstm(48, every=True),
                _dense(4, "softmax"),
            ],
            "categorical_crossentropy",
            epochs=60,
        ),
        "one to many": _starter(
            {"name": "spelling"},
            [{"type": "repeat_vector", "n": 5}, _lstm(24, every=True), _dense(16, "softmax")],
            "categorical_crossentropy",
            epochs=200,
            batch_size=10,
        ),
        "character model": _starter(
            {"name": "words", "encoding": "tokens"},
            [
                {"type": "embedding", "input_dim": 28, "output_dim": 16, "mask_zero": True},
                _lstm(64, every=True),
                _dense(27, "softmax"),
            ],
            "categorical_crossentropy",
            epochs=15,
            learning_rate=0.005,
        ),
        "forecast": _starter(
            {"name": "co2"}, [_lstm(16), _dense(1, "linear")], "mean_squared_error", epochs=60
        ),
        "rows as time steps": _starter(
            {"name": "mnist_small", "flatten": False},
            [_lstm(64), _dense(10, "softmax")],
            "categorical_crossentropy",
            epochs=6,
            batch_size=64,
            learning_rate=0.003,
        ),
        "adding": _starter(
            {"name": "adding", "samples": 5000},
            [_lstm(64), _dense(1, "linear")],
            "mean_squared_error",
            epochs=30,
            learning_rate=0.003,
        ),
    }


def _starter(
    data: Tree,
    layers: list[Tree],
    loss: str,
    *,
    epochs: int,
    batch_size: int = 32,
    learning_rate: float = 0.01,
) -> Experiment:
    """With Adam, its gradient clipped: through time a step may explode."""
    optimizer = {"type": "adam", "learning_rate": learning_rate, "global_clipnorm": 1.0}
    return Experiment.parse(
        {
            "seed": 0,
            "data": data,
            "layers": layers,
            "loss": {"type": loss},
            "optimizer": optimizer,
            "training": {"epochs": epochs, "batch_size": batch_size},
        }
    )


def _lstm(units: int, *, every: bool = False) -> Tree:
    layer: Tree = {"type": "lstm", "units": units}
    return {**layer, "return_sequences": True} if every else layer


def _dense(units: int, activation: str) -> Tree:
    return {"type": "dense", "units": units, "activation": activation}
