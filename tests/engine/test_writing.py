"""What a network writes is told like every other view, and changes no number."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.sessions import wire
from tui_nn_engine.sessions.inspector import Sights
from tui_nn_engine.sessions.protocol import Inspect


def bigram(path: Path, **data: Any) -> Trainer:
    path.write_text("abc\n" * 40)
    tree = {
        "data": {"name": "text", "path": str(path), "window": 8, "stride": 4, **data},
        "layers": [{"type": "dense", "units": 4, "activation": "softmax"}],
        "loss": {"type": "categorical_crossentropy"},
        "optimizer": {"type": "adam", "learning_rate": 0.1},
        "training": {"epochs": 60, "threads": 1},
    }
    return Trainer(Experiment.parse(tree))


def test_it_writes_as_it_has_learned(tmp_path: Path) -> None:
    trainer = bigram(tmp_path / "own.txt")
    sights, look = Sights(trainer), Inspect("writing", temperature=0.0)
    for _ in trainer.run():
        pass
    before = trainer.state.snapshot()
    found = sights.view(look)
    assert found is not None
    assert found.texts == ("abc\n" * 30,)
    assert (found.iteration, found.temperature) == (trainer.state.iteration, 0.0)
    assert wire.read(io.BytesIO(wire.pack(found))) == found
    for name, array in trainer.state.snapshot().arrays.items():
        np.testing.assert_array_equal(array, before.arrays[name])


def test_a_seed_draws_the_same_again(tmp_path: Path) -> None:
    sights = Sights(bigram(tmp_path / "own.txt"))
    one, same, other = (sights.view(Inspect("writing", seed=seed)) for seed in (0, 0, 1))
    assert one == same
    assert one != other


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    tree = {
        "data": {"name": "xor"},
        "layers": [{"type": "dense", "units": 1}],
        "loss": {"type": "mean_squared_error"},
    }
    with pytest.raises(ValueError, match="'xor' is no text"):
        Sights(Trainer(Experiment.parse(tree))).view(Inspect("writing"))
