"""What one begins from with sequences learns, in a short version of itself."""

import numpy as np
import pytest

from tui_nn.sequence_starters import sequence_starters
from tui_nn_engine import Trainer

SHORT = {
    "many to one": ({"training.epochs": 4}, "accuracy", 0.99),
    "many to many": ({"training.epochs": 12}, "accuracy", 0.99),
    "encoder-decoder": (
        {
            "training.epochs": 12,
            "data.symbols": 3,
            "data.length": 4,
            "data.shortest": 4,
            "layers[1].n": 4,
            "layers[3].units": 3,
        },
        "accuracy",
        0.9,
    ),
    "one to many": ({"training.epochs": 150}, "accuracy", 0.95),
    "character model": ({"training.epochs": 3}, "accuracy", 0.25),
    "forecast": ({"training.epochs": 20}, "r2", 0.85),
    "rows as time steps": (
        {"training.epochs": 8, "optimizer.learning_rate": 0.01, "data.name": "digits"},
        "accuracy",
        0.8,
    ),
    "adding": (
        {"training.epochs": 12, "data.length": 6, "data.samples": 2000, "layers[0].units": 16},
        "r2",
        0.9,
    ),
}


@pytest.mark.parametrize("name", sequence_starters())
def test_it_learns(name):
    changes, metric, least = SHORT[name]
    settings = {**changes, "training.threads": 1}
    written = [f"{path}={str(value).lower()}" for path, value in settings.items()]
    trainer = Trainer(sequence_starters()[name].overridden(written))
    parts = (trainer.data.test, trainer.data.validation, trainer.data.train)
    part = next(part for part in parts if len(part))
    before = trainer.evaluate(part).metrics[metric]
    for _ in trainer.run():
        pass
    after = trainer.evaluate(part).metrics[metric]
    assert before < least < after


def test_the_forecast_beats_the_same_month_of_last_year():
    trainer = Trainer(sequence_starters()["forecast"].overridden(["training.threads=1"]))
    for _ in trainer.run():
        pass
    data, test = trainer.data.dataset, trainer.data.test
    last_year = data.x[test.indices, -12, 0]
    naive = np.sqrt(np.mean((last_year - test.y[:, 0]) ** 2))
    assert trainer.evaluate(test).metrics["rmse"] < 0.85 * naive


def test_the_character_model_beats_counting_pairs():
    """Below the loss of a bigram model: how often each letter follows each other, plus one."""
    settings = ["training.threads=1", "training.epochs=4"]
    trainer = Trainer(sequence_starters()["character model"].overridden(settings))
    for _ in trainer.run():
        pass
    train, unseen = trainer.data.train, trainer.data.validation
    counts = np.ones((28, 27))
    told = train.y >= 0
    np.add.at(counts, (train.x[told].astype(int), train.y[told]), 1)
    shares = counts / counts.sum(axis=1, keepdims=True)
    told = unseen.y >= 0
    pairs = -np.log(shares[unseen.x[told].astype(int), unseen.y[told]]).mean()
    assert trainer.evaluate(unseen).loss < pairs - 0.1
