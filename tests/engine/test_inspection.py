"""What Inspect mode is told, against plain NumPy and scikit-learn, and that telling costs nothing.

The literals of precision, recall and F1 are scikit-learn 1.7's (`precision_recall_fscore_support`
with zero_division=0) for the labels beside them.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.inspection.forward import Forward, chosen, threshold
from tui_nn_engine.inspection.guess import centred, guess
from tui_nn_engine.inspection.mistakes import (
    confusion,
    figures,
    margins,
    mistakes,
    residuals,
)
from tui_nn_engine.inspection.path import Landscape
from tui_nn_engine.inspection.subject import as_given, part_of, subject
from tui_nn_engine.inspection.surface import Grid, surface
from tui_nn_engine.sessions.protocol import Inspect, Open, Play, Refused
from tui_nn_engine.sessions.session import Session

TRUTHS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3])
GUESSES = np.array([0, 0, 1, 2, 1, 1, 0, 2, 2, 2, 1, 0, 0, 1])


def experiment(name: str, **options: Any) -> Experiment:
    outputs = options.pop("outputs", 1)
    last = options.pop("last", "sigmoid")
    loss = options.pop("loss", "binary_crossentropy")
    return Experiment.parse(
        {
            "dtype": "float64",
            "data": {"name": name, **options},
            "layers": [
                {"type": "dense", "units": 5, "activation": "tanh"},
                {"type": "dense", "units": 3, "activation": "tanh"},
                {"type": "dense", "units": outputs, "activation": last},
            ],
            "loss": {"type": loss},
            "optimizer": {"type": "adam", "learning_rate": 0.01},
            "training": {"epochs": 3, "batch_size": 16, "threads": 1},
        }
    )


def digits() -> Experiment:
    return experiment("digits", outputs=10, last="softmax", loss="categorical_crossentropy")


def diabetes() -> Experiment:
    return experiment("diabetes", last="linear", loss="mean_squared_error")


def trained(wanted: Experiment) -> Trainer:
    trainer = Trainer(wanted)
    for _ in trainer.run():
        pass
    return trainer


def plain(trainer: Trainer, scaled: np.ndarray) -> list[np.ndarray]:
    """The outputs of the three layers, written down anew."""
    views, h, found = trainer.parameters.views, scaled, []
    for number in (1, 2, 3):
        h = h @ views[f"dense_{number}.kernel"] + views[f"dense_{number}.bias"]
        if number < 3:
            h = np.tanh(h)
        elif h.shape[1] == 1:
            h = 1 / (1 + np.exp(-h))
        else:
            h = np.exp(h - h.max(axis=1, keepdims=True))
            h /= h.sum(axis=1, keepdims=True)
        found.append(h)
    return found


# -- mistakes --------------------------------------------------------------------------------------


def test_confusion_and_figures_are_scikit_learns() -> None:
    matrix = confusion(TRUTHS, GUESSES, 4)
    assert matrix.tolist() == [[2, 1, 1, 0], [1, 2, 0, 0], [1, 1, 3, 0], [1, 1, 0, 0]]
    expected = [
        [0.4, 0.5, 0.4444444444444444],
        [0.4, 0.6666666666666666, 0.5],
        [0.75, 0.6, 0.6666666666666666],
        [0.0, 0.0, 0.0],
    ]
    np.testing.assert_allclose(figures(matrix), expected, rtol=1e-15)


def test_figures_against_scikit_learn_itself() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    truths, guesses = random.integers(0, 6, 300), random.integers(0, 5, 300)
    matrix = confusion(truths, guesses, 6)
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(truths, guesses))
    theirs = metrics.precision_recall_fscore_support(truths, guesses, zero_division=0)
    np.testing.assert_allclose(figures(matrix), np.stack(theirs[:3], axis=1), rtol=1e-12)


def test_margins_tell_mistakes_by_their_sign() -> None:
    outputs = np.array([[0.2, 0.7, 0.1], [0.5, 0.2, 0.3]])
    np.testing.assert_allclose(margins(outputs, np.array([1, 2]), 0.5), [0.5, -0.2])
    single = np.array([[0.9], [0.9], [0.1]])
    np.testing.assert_allclose(margins(single, np.array([1, 0, 0]), 0.5), [0.4, -0.4, 0.4])


def test_mistakes_of_a_network_worst_first() -> None:
    trainer = trained(digits())
    found = mistakes(Forward(trainer), "test", (-1, -1))
    part = part_of(trainer, "test")
    outputs = plain(trainer, part.x)[-1]
    guesses = outputs.argmax(axis=1)
    matrix = np.zeros((10, 10), int)
    for truth, taken in zip(part.y, guesses, strict=True):
        matrix[truth, taken] += 1
    assert found.matrix.tolist() == matrix.tolist()
    assert found.accuracy == pytest.approx(np.mean(part.y == guesses))
    assert found.found == len(part)
    assert (np.diff(found.margins) >= 0).all()
    assert (found.margins[0] < 0) == (found.truths[0] != found.guesses[0])
    np.testing.assert_array_equal(found.truths, part.y[found.cases])
    given = as_given(trainer, "test")
    assert found.inputs.dtype == np.uint8
    np.testing.assert_array_equal(found.inputs, given[found.cases])
    np.testing.assert_allclose(given.reshape(len(given), -1) / 16, part.x)


def test_the_cases_of_one_cell() -> None:
    trainer = trained(digits())
    forward = Forward(trainer)
    matrix = mistakes(forward, "train", (-1, -1)).matrix
    wrong = np.argwhere(matrix * (1 - np.eye(10, dtype=int)))
    truth, taken = map(int, wrong[0])
    found = mistakes(forward, "train", (truth, taken))
    assert found.found == matrix[truth, taken] > 0
    assert set(found.truths.tolist()) == {truth}
    assert set(found.guesses.tolist()) == {taken}
    assert (found.margins <= 0).all()


def test_residuals_are_in_the_units_of_the_data() -> None:
    trainer = trained(diabetes())
    found = residuals(Forward(trainer), "test", 0)
    part = part_of(trainer, "test")
    predicted = trainer.predict(as_given(trainer, "test"))[:, 0]
    np.testing.assert_allclose(found.predictions, predicted, rtol=1e-12)
    np.testing.assert_array_equal(found.targets, part.y[:, 0])
    errors = found.predictions - found.targets
    assert found.rmse == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert found.rmse == pytest.approx(trainer.evaluate(part).metrics["rmse"])
    assert found.r2 == pytest.approx(trainer.evaluate(part).metrics["r2"])
    assert abs(errors[found.cases[0]]) == pytest.approx(abs(errors).max())
    assert (np.diff(abs(errors[found.cases])) <= 0).all()


# -- the surface -----------------------------------------------------------------------------------


def test_a_surface_is_the_network_at_its_points() -> None:
    trainer = trained(experiment("moons"))
    grid = Grid(trainer.data.dataset.x, 30, 20)
    found = surface(Forward(trainer), grid)
    left, right, bottom, top = found.span
    x = trainer.data.dataset.x
    assert left < x[:, 0].min() < x[:, 0].max() < right
    assert bottom < x[:, 1].min() < x[:, 1].max() < top
    assert found.outputs.shape == (1, 20, 30)
    corners = np.array([[left, top], [right, top], [left, bottom], [right, bottom]])
    first, second, out = plain(trainer, trainer.data.scaler.apply(corners, np.float64))
    at = found.outputs[0][[0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_allclose(at, out[:, 0], rtol=1e-6)
    assert (found.layers, found.units, found.sizes) == (("dense_1", "dense_2"), (5, 3), (5, 3))
    assert found.neurons.shape == (8, 16, 16)
    neurons = found.neurons[:, [0, 0, -1, -1], [0, -1, 0, -1]].T
    np.testing.assert_allclose(neurons, np.hstack([first, second]), rtol=1e-6)


def test_a_fitted_curve_has_one_row() -> None:
    data = {"x": [[0.0], [1.0], [2.0]], "y": [1.0, 3.0, 2.0], "task": "regression"}
    wanted = experiment("given", **data, last="linear", loss="mean_squared_error")
    trainer = trained(wanted)
    found = surface(Forward(trainer), Grid(trainer.data.dataset.x, 40, 9))
    assert found.outputs.shape == (1, 1, 40)
    across = np.linspace(*found.span, 40)[:, None]
    np.testing.assert_allclose(found.outputs[0, 0], trainer.predict(across)[:, 0], rtol=1e-6)


def test_only_one_or_two_inputs_make_a_picture() -> None:
    with pytest.raises(ValueError, match="needs 1 or 2, not 64"):
        Grid(np.zeros((5, 8, 8)), 10, 10)


# -- drawings --------------------------------------------------------------------------------------


def test_a_guess_is_what_the_network_predicts() -> None:
    trainer = trained(digits())
    picture = as_given(trainer, "test")[3]
    found = guess(Forward(trainer), picture, centre=False)
    np.testing.assert_allclose(found.outputs, trainer.predict(picture[None])[0], rtol=1e-12)
    np.testing.assert_array_equal(found.picture, picture)
    with pytest.raises(ValueError, match=r"shape \(8, 8\), not \(28, 28\)"):
        guess(Forward(trainer), np.zeros((28, 28)), centre=True)


def test_centring_puts_digits_where_mnist_has_them() -> None:
    images = Trainer(
        experiment("mnist_small", outputs=10, last="softmax", loss="categorical_crossentropy")
    ).data.dataset.x[:200]
    for image in images.astype(np.float32):
        made = centred(image)
        assert max(np.ptp(np.flatnonzero(made.any(axis=axis))) for axis in (0, 1)) == 19
        for axis in (0, 1):
            weight = made.sum(axis=1 - axis)
            assert abs(weight @ np.arange(28) / weight.sum() - 13.5) <= 1.0


def test_centring_moves_and_scales_a_small_drawing_in_a_corner() -> None:
    picture = np.zeros((28, 28), np.float32)
    picture[2:8, 20:23] = 255
    made = centred(picture)
    rows, columns = np.flatnonzero(made.any(axis=1)), np.flatnonzero(made.any(axis=0))
    assert (rows[0], rows[-1]) == (4, 23)
    assert (columns[0], columns[-1]) == (9, 18)
    assert made.max() == pytest.approx(255)
    assert not centred(np.zeros((28, 28), np.float32)).any()


# -- what there is, and the session ----------------------------------------------------------------


def test_the_subject_says_what_there_is() -> None:
    found = subject(Trainer(experiment("moons", test_fraction=0.2)))
    assert (found.image, found.inputs, found.outputs) == ((), ("x1", "x2"), 1)
    assert found.parts == ("test", "validation", "train")
    assert found.points.shape == (400, 2)
    assert set(found.values[:, 0].tolist()) == {0.0, 1.0}
    assert subject(Trainer(digits())).image == (8, 8)
    assert subject(Trainer(diabetes())).classes == ()


def test_a_part_without_samples_is_none() -> None:
    trainer = Trainer(experiment("xor"))
    found = subject(trainer)
    assert (found.parts, found.sizes) == (("train",), (4,))
    with pytest.raises(ValueError, match="no samples for 'test': train"):
        mistakes(Forward(trainer), "test", (-1, -1))
    assert Landscape(trainer).parts.keys() == {"train"}
    both = experiment("moons", test_fraction=0.1, validation_fraction=0.0)
    assert subject(Trainer(both)).parts == ("test", "train")


def test_two_classes_with_bipolar_targets_part_at_zero() -> None:
    trainer = Trainer(experiment("moons", bipolar_targets=True, last="tanh", loss="mse"))
    assert threshold(trainer) == 0.0
    assert chosen(np.array([[-0.5], [0.2]]), 0.0).tolist() == [0, 1]


def test_looking_on_changes_no_number_and_follows_training() -> None:
    told: list[Any] = []
    session = Session(told.append)
    session.handle(Open(experiment("moons").tree()))
    session.handle(Inspect("surface", columns=20, rows=20))
    session.handle(Play())
    while session.running:
        session.work()
    seen = [m for m in told if type(m).__name__ == "Surface"]
    assert seen[0].iteration == 0
    assert seen[-1].iteration == session.run.trainer.state.iteration > 0
    assert not np.allclose(seen[0].outputs, seen[-1].outputs)
    alone = trained(experiment("moons"))
    assert session.run.trainer.parameters.values.tobytes() == alone.parameters.values.tobytes()


def test_a_view_that_does_not_fit_is_refused_and_does_not_stop_another_run(tmp_path: Path) -> None:
    told: list[Any] = []
    session = Session(told.append)
    session.handle(Open(experiment("moons").tree()))
    session.handle(Inspect("guess", np.zeros((28, 28), np.float32)))
    assert isinstance(told[-1], Refused)
    session.handle(Inspect("surface", columns=9, rows=9))
    session.handle(Open(digits().tree()))
    session.handle(Play())
    while session.running:
        session.work()
    assert session.state == "completed"
