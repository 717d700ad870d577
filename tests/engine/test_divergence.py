"""Numbers that are not finite: the run stops, says where, and nothing is lost."""

import numpy as np

from tui_nn_engine import DivergedError, Experiment, Trainer
from tui_nn_engine.training.events import Progress, RunEnded


def diverging() -> Experiment:
    """Three layers on 31 points by batches of 7: five updates an epoch."""
    return Experiment.parse(
        {
            "data": {
                "name": "moons",
                "samples": 40,
                "validation_fraction": 0.1,
                "test_fraction": 0.15,
            },
            "layers": [
                {"type": "dense", "units": 8, "activation": "relu"},
                {"type": "dense", "units": 8, "activation": "relu"},
                {"type": "dense", "units": 1},
            ],
            "loss": {"type": "mean_squared_error"},
            "optimizer": {"type": "sgd", "learning_rate": 1e30},
            "training": {"epochs": 4, "batch_size": 7, "threads": 1},
        }
    )


def test_a_divergence_names_update_and_layer_and_writes_nothing() -> None:
    trainer = Trainer(diverging())
    made, error = 0, None
    while error is None:
        before = trainer.state.snapshot()
        try:
            trainer.update()
            made += 1
        except DivergedError as caught:
            error = caught
    assert error.iteration == made + 1 == trainer.state.iteration + 1
    assert error.path.startswith("dense_")
    assert f"update {made + 1} gave a number that is not finite, first in {error.path}" in str(
        error
    )
    assert "learning rate" in str(error)
    after = trainer.state.snapshot()
    assert (after.iteration, after.epoch, after.batch) == (made, *divmod(made, 5))
    for name, array in before.arrays.items():
        assert array.tobytes() == after.arrays[name].tobytes(), name
        assert np.isfinite(array).all()


def test_a_run_that_diverges_tells_what_went_well_and_ends() -> None:
    trainer = Trainer(diverging())
    events = list(trainer.run(interval=1e9))
    ended = events[-1]
    assert isinstance(ended, RunEnded)
    assert ended.reason == "diverged"
    assert "dense_" in ended.message
    assert f"update {ended.iteration + 1} " in ended.message
    losses = [loss for e in events if isinstance(e, Progress) for loss in e.losses]
    assert len(losses) == ended.iteration > 0
    assert np.isfinite(losses).all()
    assert isinstance(list(trainer.run())[-1], RunEnded)


def test_after_a_divergence_a_smaller_rate_goes_on() -> None:
    trainer = Trainer(diverging())
    list(trainer.run())
    trainer.restart()
    trainer.change_learning_rate(1e-3)
    ended = list(trainer.run())[-1]
    assert isinstance(ended, RunEnded)
    assert ended.reason == "completed"
