"""What may be another in the experiment of a run that goes on."""

from typing import Any

import pytest

from tui_nn_engine import Experiment, ExperimentError, Trainer
from tui_nn_engine.experiments.resuming import resumed

BEGUN = {
    "data": {"name": "moons", "samples": 40, "test_fraction": 0.25},
    "layers": [{"type": "dense", "units": 1, "activation": "sigmoid"}],
    "loss": {"type": "binary_crossentropy", "class_weight": "balanced"},
    "optimizer": {"type": "sgd", "learning_rate": 0.1},
    "schedule": {"type": "cosine"},
    "stopping": {"patience": 5, "loss": 0.1},
    "training": {
        "epochs": 4,
        "batch_size": 15,
        "changes": [
            {"iteration": 3, "learning_rate": 0.2},
            {"iteration": 9, "learning_rate": 0.3},
        ],
    },
}
STORED = Trainer(Experiment.parse(BEGUN)).experiment
UPDATES, EPOCHS = 5, 3  # so many are made, and begun


def refused(wanted: Experiment) -> list[str]:
    with pytest.raises(ExperimentError) as caught:
        resumed(STORED, wanted, UPDATES, EPOCHS)
    return [problem.path for problem in caught.value.problems]


def test_a_file_of_the_run_as_it_began_is_the_run() -> None:
    tree = {**BEGUN, "training": {"epochs": 6, "batch_size": 15}}
    found = resumed(STORED, Experiment.parse(tree), UPDATES, EPOCHS)
    assert found == STORED.overridden(["training.epochs=6"])


@pytest.mark.parametrize(
    "assignment",
    [
        "training.epochs=3",
        "training.epochs=400",
        "stopping.patience=6",
        "stopping.loss=0.01",
        "stopping.seconds=7.0",
        "training.changes=[{iteration=3,learning_rate=0.2},{iteration=5,learning_rate=1.0}]",
    ],
)
def test_what_the_past_does_not_depend_on_may_be_another(assignment: str) -> None:
    wanted = STORED.overridden([assignment])
    assert resumed(STORED, wanted, UPDATES, EPOCHS) == wanted != STORED


@pytest.mark.parametrize("field", ["patience", "loss"])
def test_what_would_end_it_may_go(field: str) -> None:
    stopping = STORED.stopping.model_copy(update={field: None})
    wanted = STORED.model_copy(update={"stopping": stopping})
    assert resumed(STORED, wanted, UPDATES, EPOCHS) == wanted


@pytest.mark.parametrize(
    "assignment",
    [
        "seed=1",
        "dtype=float64",
        "data.samples=41",
        "data.scaling=minmax",
        "layers[0].units=2",
        "layers[0].activation=tanh",
        "loss.label_smoothing=0.1",
        "loss.class_weight=[1.0, 2.0]",
        "optimizer.learning_rate=0.2",
        "optimizer.momentum=0.9",
        "schedule.epochs=9",
        "schedule.type=one_cycle",
        "training.batch_size=16",
        "training.shuffle=false",
        "training.threads=99",
        "training.epochs=2",
        "stopping.patience=4",
        "stopping.loss=0.2",
        "stopping.restore_best_weights=true",
    ],
)
def test_all_else_is_refused_by_its_path(assignment: str) -> None:
    wanted = STORED.overridden([assignment])
    assert refused(wanted) == [assignment.partition("=")[0]]


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [{"iteration": 9, "learning_rate": 0.3}],
        [{"iteration": 3, "learning_rate": 0.25}],
        [{"iteration": 3, "learning_rate": 0.2}, {"iteration": 4, "learning_rate": 0.5}],
    ],
)
def test_changes_that_were_made_stay(changes: list[dict[str, Any]]) -> None:
    tree = STORED.tree()
    wanted = Experiment.parse({**tree, "training": {**tree["training"], "changes": changes}})
    assert refused(wanted) == ["training.changes"]


def test_all_that_differs_is_named_at_once() -> None:
    wanted = STORED.overridden(["seed=1", "training.epochs=1", "training.threads=99"])
    assert set(refused(wanted)) == {"seed", "training.epochs", "training.threads"}
