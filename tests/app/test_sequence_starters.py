"""What one begins from with sequences learns, in a short version of itself."""

import numpy as np
import pytest

from tui_nn.sequence_starters import sequence_starters
from tui_nn_engine import Trainer

SHORT = {
    "many to one": ({"training.epochs": 4}, "accuracy", 0.99),
    "many to many": ({"training.epochs": 12}, "accuracy", 0.99),
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
    before = trainer.evaluate(trainer.data.test).metrics[metric]
    for _ in trainer.run():
        pass
    after = trainer.evaluate(trainer.data.test).metrics[metric]
    assert before < least < after


def test_the_forecast_beats_the_same_month_of_last_year():
    trainer = Trainer(sequence_starters()["forecast"].overridden(["training.threads=1"]))
    for _ in trainer.run():
        pass
    data, test = trainer.data.dataset, trainer.data.test
    last_year = data.x[test.indices, -12, 0]
    naive = np.sqrt(np.mean((last_year - test.y[:, 0]) ** 2))
    assert trainer.evaluate(test).metrics["rmse"] < 0.85 * naive
