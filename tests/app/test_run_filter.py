"""Filtering runs by what a person types."""

from typing import Any

import pytest

from tui_nn.run_filter import filtered
from tui_nn_engine import Experiment
from tui_nn_engine.training.events import EpochEnded, RunEnded
from tui_nn_engine.training.records import Label, Record
from tui_nn_engine.training.runs import Outcome, runs_folder


def record(
    name: str, rate: float, loss: float, tags: tuple[str, ...] = (), **changes: Any
) -> Record:
    tree = {
        "data": {"name": "moons", "samples": 40},
        "layers": [
            {"type": "dense", "units": 4, "activation": "relu"},
            {"type": "dense", "units": 1, "activation": "sigmoid"},
        ],
        "loss": "binary_crossentropy",
        "optimizer": {"type": "sgd", "learning_rate": rate},
    }
    epochs = (EpochEnded(1, 5, loss, {"accuracy": 0.5}),)
    reason = "diverged" if loss != loss else "completed"
    outcome = Outcome(1.0, RunEnded(reason, 1, 5))
    folder = runs_folder() / "rates" / name.lower()
    return Record(folder, Experiment.parse(tree | changes), epochs, outcome, Label(name, tags))


def names(text: str) -> str:
    return " ".join(one.label.name for one in filtered(RECORDS, text))


ADAM = {"optimizer": {"type": "adam", "learning_rate": 0.01}}
RECORDS = [
    record("A", 0.1, 0.3, ("kept",)),
    record("B", 0.01, 0.2, seed=3),
    record("C", 0.001, float("nan"), data={"name": "circles", "samples": 40}),
    record("D", 0.0, 0.1, **ADAM),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "A B C D"),
        ("optimizer.learning_rate >= 0.01", "A B D"),
        ("optimizer.learning_rate<0.01", "C"),
        ("loss < 0.25 and optimizer.learning_rate = 0.01", "B D"),
        ("loss ≤ 0.2, seed != 3", "D"),
        ("optimizer.type = SGD", "A B C"),
        ("optimizer = adam", "D"),
        ("optimizer.momentum >= 0", "A B C"),
        ("layers[0].units == 4", "A B C D"),
        ("layers[1].activation = 'sigmoid'", "A B C D"),
        ("data.name != moons", "C"),
        ("state = diverged", "C"),
        ("kept", "A"),
        ("Circ", "C"),
        ("rates", "A B C D"),
        ("loss > 0", "A B D"),
        ("epoch >= 2", ""),
        ("loss < abc", ""),
        ("name = b", "B"),
    ],
)
def test_what_a_filter_finds(text: str, found: str) -> None:
    assert names(text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("optimizer.lerning_rate > 1", "did you mean 'optimizer.learning_rate'?"),
        ("val_los < 1", "no run has 'val_los'"),
        ("< 3", "'< 3' is no comparison; write it as "),
        ("loss <", "'loss <' is no comparison"),
        ("layers[ > 3", "is no place in an experiment"),
    ],
)
def test_what_is_not_understood_is_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        filtered(RECORDS, text)
    assert said in str(caught.value)
