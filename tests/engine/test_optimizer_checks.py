"""Options of update rules that fit neither each other nor the data: refused, and mended."""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.checks.misfits import Misfit, misfits
from tui_nn_engine.data.prepared import prepare
from tui_nn_engine.formulas.explanation import Notation
from tui_nn_engine.stepping.explain import explain
from tui_nn_engine.stepping.stepper import Stepper

HIDDEN = {"type": "dense", "units": 3, "activation": "tanh"}
OUTPUT = {"type": "dense", "units": 1, "activation": "sigmoid"}


def experiment_of(optimizer: Any, layers: Any = (HIDDEN, OUTPUT), batch: int = 40) -> Experiment:
    return Experiment.parse(
        {
            "dtype": "float64",
            "data": {
                "name": "moons",
                "samples": 40,
                "test_fraction": 0,
                "validation_fraction": 0,
            },
            "layers": list(layers),
            "loss": "binary_crossentropy",
            "optimizer": optimizer,
            "training": {"epochs": 9, "batch_size": batch, "threads": 1},
        }
    )


def found(experiment: Experiment) -> tuple[Misfit, ...]:
    data = prepare(experiment.data, experiment.seed, experiment.dtype)
    return misfits(experiment, data)


SGD = {"type": "sgd", "learning_rate": 0.1}
DROPOUT = {"type": "dropout", "rate": 0.2}
NOISE = {"type": "gaussian_noise", "stddev": 0.1}
CASES: list[tuple[Any, Any, int, str, str]] = [
    ({**SGD, "clipvalue": 1.0, "clipnorm": 1.0}, (HIDDEN, OUTPUT), 40, "optimizer.clipnorm", "one"),
    (
        {**SGD, "clipnorm": 1.0, "global_clipnorm": 1.0},
        (HIDDEN, OUTPUT),
        40,
        "optimizer.global_clipnorm",
        "one way",
    ),
    ({**SGD, "averaged": True}, (HIDDEN, OUTPUT), 40, "optimizer.averaged", "momentum is 0"),
    ({**SGD, "nesterov": True}, (HIDDEN, OUTPUT), 40, "optimizer.nesterov", "momentum is 0"),
    (
        {**SGD, "momentum": 0.9, "nesterov": True, "averaged": True},
        (HIDDEN, OUTPUT),
        40,
        "optimizer.nesterov",
        "beside averaged",
    ),
    ("lbfgs", (HIDDEN, OUTPUT), 16, "training.batch_size", "all 40"),
    ("lbfgs", (HIDDEN, DROPOUT, OUTPUT), 40, "layers[1]", "at random"),
    ("lbfgs", (HIDDEN, NOISE, OUTPUT), 40, "layers[1]", "at random"),
]


@pytest.mark.parametrize(("optimizer", "layers", "batch", "path", "words"), CASES)
def test_what_does_not_fit_is_refused_and_mended(
    optimizer: Any, layers: Any, batch: int, path: str, words: str
) -> None:
    (problem,) = found(experiment_of(optimizer, layers, batch))
    assert problem.path == path
    assert words in problem.message
    assert problem.remedy
    assert problem.fixed is not None
    assert found(problem.fixed) == ()


def test_all_three_ways_to_clip_are_mended_at_once() -> None:
    all_three = {**SGD, "clipvalue": 1.0, "clipnorm": 1.0, "global_clipnorm": 1.0}
    first, second = found(experiment_of(all_three))
    assert (first.path, second.path) == ("optimizer.clipnorm", "optimizer.global_clipnorm")
    assert first.fixed == second.fixed
    assert first.fixed is not None
    assert found(first.fixed) == ()


def test_more_than_the_samples_is_a_full_batch() -> None:
    assert found(experiment_of("lbfgs", batch=1000)) == ()


def test_clipping_tells_what_it_did() -> None:
    """The norm, and by which factor all was scaled; or that nothing was."""
    for most, word in ((1e-3, "scaled by"), (1e3, "so it stays")):
        for name in ("clipnorm", "global_clipnorm"):
            stepper = Stepper(Trainer(experiment_of({**SGD, name: most})))
            stepper.go_to(len(stepper.ops))
            place = next(
                i for i, op in enumerate(stepper.ops) if op.primitive.name == "clip by norm"
            )
            told = explain(stepper, place, (2,), Notation()).sentence
            gradients = stepper.trainer.parameters.gradient_views
            whole = np.linalg.norm(stepper.trainer.parameters.gradients)
            norm = (
                whole if name == "global_clipnorm" else np.linalg.norm(gradients["dense_1.kernel"])
            )
            assert word in told
            assert f"{norm:.4g}" in told
            if norm > most:
                assert f"{most / norm:.4g}" in told


def test_a_gradient_whose_square_overflows_is_still_scaled_to_the_norm() -> None:
    experiment = experiment_of({**SGD, "clipnorm": 2.0}).model_copy(update={"dtype": "float32"})
    trainer = Trainer(experiment)
    program = trainer.load()
    trainer.parameters.gradients[...] = 1e30
    with np.errstate(all="ignore"):  # as all updates are made
        for call in program.update:
            call()
    kernel = trainer.parameters.named(program.slots()["sgd.g"].array)["dense_1.kernel"]  # type: ignore[arg-type]
    np.testing.assert_allclose(np.linalg.norm(kernel), 2.0, rtol=1e-5)
