"""What the views of Inspect mode are told of weights, samples and losses, each against plain NumPy.

ROC curve and area are scikit-learn 1.7's (`roc_curve`, `roc_auc_score`), the literals its figures.
"""

from typing import Any

import numpy as np
import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.inspection.filters import filters
from tui_nn_engine.inspection.forward import Forward
from tui_nn_engine.inspection.mistakes import mistakes, residuals
from tui_nn_engine.inspection.path import Landscape, loss_path
from tui_nn_engine.inspection.roc import curve, roc
from tui_nn_engine.inspection.spread import Gradients, spread
from tui_nn_engine.inspection.subject import as_given, few_enough, part_of, subject
from tui_nn_engine.inspection.trace import trace
from tui_nn_engine.sessions.inspector import Sights
from tui_nn_engine.sessions.protocol import Inspect


def trained(
    name: str, outputs: int, last: str, loss: str, stopping: Any = None, **data: Any
) -> Trainer:
    trainer = Trainer(
        Experiment.parse(
            {
                "dtype": "float64",
                "data": {"name": name, **data},
                "layers": [
                    {"type": "dense", "units": 5, "activation": "tanh"},
                    {"type": "dropout", "rate": 0.2},
                    {"type": "dense", "units": outputs, "activation": last},
                ],
                "loss": {"type": loss},
                "stopping": stopping or {},
                "optimizer": {"type": "adam", "learning_rate": 0.01},
                "training": {"epochs": 2, "batch_size": 16, "threads": 1},
            }
        )
    )
    for _ in trainer.run():
        pass
    return trainer


def moons(**data: Any) -> Trainer:
    return trained("moons", 1, "sigmoid", "binary_crossentropy", noise=0.4, **data)


def digits() -> Trainer:
    return trained("digits", 10, "softmax", "categorical_crossentropy")


def diabetes() -> Trainer:
    return trained("diabetes", 1, "linear", "mean_squared_error")


def start(trainer: Trainer) -> np.ndarray:
    return trainer.network.parameters().values


# -- ROC -------------------------------------------------------------------------------------------


def test_a_curve_is_scikit_learns() -> None:
    scores = np.array([0.1, 0.4, 0.35, 0.8, 0.8, 0.2])
    false, true, thresholds = curve(scores, np.array([0, 0, 1, 1, 0, 0], bool))
    np.testing.assert_allclose(false, [0, 0.25, 0.5, 0.5, 1])
    np.testing.assert_allclose(true, [0, 0.5, 0.5, 1, 1])
    np.testing.assert_allclose(thresholds, [np.inf, 0.8, 0.4, 0.35, 0.1])
    assert np.trapezoid(true, false) == pytest.approx(0.6875)


def test_curves_against_scikit_learn_itself() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    truths, scores = random.integers(0, 2, 300), random.integers(0, 40, 300) / 40
    theirs = metrics.roc_curve(truths, scores)
    for mine, other in zip(curve(scores, truths.astype(bool)), theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-12)


def test_roc_of_a_network() -> None:
    trainer = moons()
    found = roc(Forward(trainer), "test", 1)
    part = part_of(trainer, "test")
    says = trainer.predict(as_given(trainer, "test"))[:, 0]
    ahead = says[part.y == 1][:, None] - says[part.y == 0]
    assert found.area == pytest.approx(np.mean((ahead > 0) + 0.5 * (ahead == 0)))
    assert 0.5 < found.area < 1
    assert found.at == pytest.approx(
        (np.mean(says[part.y == 0] > 0.5), np.mean(says[part.y == 1] > 0.5))
    )
    assert (found.samples, found.positives) == (len(part), (part.y == 1).sum())
    other = roc(Forward(trainer), "test", 0)
    assert other.area == pytest.approx(found.area)
    assert roc(Forward(digits()), "test", 7).positive == 7


def test_where_there_is_but_one_class_there_is_no_area() -> None:
    false, true, _ = curve(np.array([0.1, 0.7]), np.array([True, True]))
    assert np.isnan(np.trapezoid(true, false))


def test_of_labels_one_is_looked_at() -> None:
    trainer = trained("venn", 3, "sigmoid", "binary_crossentropy")
    forward, part = Forward(trainer), part_of(trainer, "test")
    says = trainer.predict(as_given(trainer, "test"))[:, 2]
    found, seen = mistakes(forward, "test", (-1, -1), 2), roc(forward, "test", 2)
    assert found.matrix.tolist() == [
        [int(((says > 0.5) == b)[part.y[:, 2] == a].sum()) for b in (False, True)] for a in (0, 1)
    ]
    assert (found.label, seen.positive, seen.positives) == (2, 2, int(part.y[:, 2].sum()))
    ahead = says[part.y[:, 2] == 1][:, None] - says[part.y[:, 2] == 0]
    assert seen.area == pytest.approx(np.mean((ahead > 0) + 0.5 * (ahead == 0)))
    whole = subject(trainer)
    assert (whole.classes, whole.targets) == ((), ())
    one = whole.of_output(1)
    assert one.classes == (f"not {whole.labels[1]}", whole.labels[1])
    np.testing.assert_array_equal(one.values[:, 0], trainer.data.dataset.y[:, 1])


# -- a sample --------------------------------------------------------------------------------------


def test_a_trace_is_each_layers_output() -> None:
    trainer = digits()
    found = trace(Forward(trainer), "test", 11)
    x = part_of(trainer, "test").x[11]
    views = trainer.parameters.views
    hidden = np.tanh(x @ views["dense_1.kernel"] + views["dense_1.bias"])
    assert found.layers == ("dense_1", "dense_2")
    assert (found.shapes, found.told) == (("5", "10"), (5, 10))
    np.testing.assert_allclose(found.values[:5], hidden, rtol=1e-6)
    given = as_given(trainer, "test")[11]
    np.testing.assert_array_equal(found.given, given)
    np.testing.assert_allclose(found.outputs, trainer.predict(given[None])[0], rtol=1e-12)
    np.testing.assert_allclose(found.values[5:], found.outputs, rtol=1e-6)
    assert found.truth.tolist() == [part_of(trainer, "test").y[11]]


def test_samples_come_worst_first() -> None:
    trainer = digits()
    forward = Forward(trainer)
    found, worst = trace(forward, "test", -1), mistakes(forward, "test", (-1, -1))
    assert found.place == worst.cases[0]
    np.testing.assert_array_equal(found.order[: len(worst.cases)], worst.cases)


def test_a_trace_of_a_regression_is_in_the_units_of_the_data() -> None:
    trainer = diabetes()
    forward = Forward(trainer)
    found, worst = trace(forward, "test", -1), residuals(forward, "test", 0)
    assert found.place == worst.cases[0]
    assert found.outputs[0] == pytest.approx(worst.predictions[found.place])
    assert found.truth[0] == worst.targets[found.place]


# -- weights ---------------------------------------------------------------------------------------


def test_filters_are_the_columns_of_a_kernel() -> None:
    trainer = digits()
    found = filters(Forward(trainer), start(trainer), 0, 2)
    kernel = trainer.parameters.views["dense_1.kernel"]
    np.testing.assert_allclose(found.weights, kernel.T[2:], rtol=1e-6)
    assert (found.names, found.of, found.inputs) == (("dense_1", "dense_2"), 5, 64)
    assert found.greatest == pytest.approx(abs(kernel).max())
    fresh = trainer.network.parameters().views["dense_1.kernel"]
    np.testing.assert_allclose(found.start, fresh.T[2:], rtol=1e-6)
    assert filters(Forward(trainer), start(trainer), 1, 0).layer == "dense_2"


def test_weights_of_gates_and_of_the_state_have_names() -> None:
    trainer = Trainer(
        Experiment.parse(
            {
                "data": {"name": "words"},
                "layers": [
                    {"type": "masking"},
                    {"type": "lstm", "units": 3, "return_sequences": True},
                    {"type": "dense", "units": 27, "activation": "softmax"},
                ],
                "loss": "categorical_crossentropy",
            }
        )
    )
    found = filters(Forward(trainer), start(trainer), 1, 2)
    kernel = trainer.parameters.views["lstm_1.recurrent_kernel"]
    assert found.names == ("lstm_1", "lstm_1.recurrent_kernel", "dense_1")
    assert (found.layer, found.of, found.inputs) == ("lstm_1.recurrent_kernel", 12, 3)
    assert found.units[:5] == ("i3", "f1", "f2", "f3", "c̃1")
    np.testing.assert_allclose(found.weights, kernel.T[2:], rtol=1e-6)
    assert filters(Forward(trainer), start(trainer), 2, 0).units[:2] == ("1", "2")


def test_histograms_count_every_weight_then_and_now() -> None:
    trainer = digits()
    found = spread(trainer, start(trainer), Gradients(trainer, start(trainer)))
    assert found.names == ("dense_1.kernel", "dense_1.bias", "dense_2.kernel", "dense_2.bias")
    assert found.weights.sum(axis=2).T.tolist() == [list(found.sizes)] * 2
    assert found.gradients.sum(axis=2).T.tolist() == [list(found.sizes)] * 2
    kernel = trainer.parameters.views["dense_1.kernel"]
    low, high = found.weight_ranges[0]
    counts = np.histogram(kernel, found.weights.shape[2], (low, high))[0]
    np.testing.assert_array_equal(found.weights[0, 1], counts)
    np.testing.assert_allclose(found.figures[0, 1, :2], [kernel.mean(), kernel.std()])
    assert found.figures[1, 0, :2].tolist() == [0, 0], "biases start at 0"


def test_gradients_are_those_of_the_mean_loss() -> None:
    trainer = trained("iris", 3, "softmax", "categorical_crossentropy", test_fraction=0.2)
    alone = Gradients(trainer, start(trainer))
    before = trainer.parameters.values.copy(), trainer.parameters.gradients.copy()
    found = alone.of(trainer.parameters.values)
    program = alone._program
    numerical = []
    for position in (0, 7, len(found) - 1):
        losses = []
        for step in (1e-5, -1e-5):
            alone._parameters.values[...] = trainer.parameters.values
            alone._parameters.values[position] += step
            for op in program.ops:
                if op.phase in {"forward", "loss"}:
                    op.call()
            losses.append(program.loss_value)
        numerical.append((losses[0] - losses[1]) / 2e-5)
    np.testing.assert_allclose(found[[0, 7, -1]], numerical, rtol=1e-5, atol=1e-9)
    np.testing.assert_array_equal(trainer.parameters.values, before[0])
    np.testing.assert_array_equal(trainer.parameters.gradients, before[1])


# -- the line between two sets of weights ----------------------------------------------------------


def test_the_path_goes_from_the_start_to_now() -> None:
    trainer = moons(validation_fraction=0.2)
    found = loss_path(Landscape(trainer), start(trainer), 0)
    assert (found.ends, found.choices) == (("start", "now"), ("start to now",))
    at = {
        round(float(alpha), 6): column
        for alpha, column in zip(found.alphas, found.losses.T, strict=True)
    }
    now = [trainer.evaluate(part_of(trainer, name)).loss for name in found.parts]
    np.testing.assert_allclose(at[1.0], now, rtol=1e-9)
    there = trainer.parameters.values.copy()
    trainer.parameters.values[...] = start(trainer)
    then = [trainer.evaluate(part_of(trainer, name)).loss for name in found.parts]
    np.testing.assert_allclose(at[0.0], then, rtol=1e-9)
    assert found.distance == pytest.approx(np.linalg.norm(there - start(trainer)))
    assert found.parts == ("train", "validation")


def test_early_stoppings_best_weights_are_an_end() -> None:
    trainer = trained(
        "moons", 1, "sigmoid", "binary_crossentropy", stopping={"restore_best_weights": True}
    )
    found = loss_path(Landscape(trainer), start(trainer), 1)
    assert found.choices == ("start to now", "start to best", "best to now")
    assert found.ends == ("start", "best")
    best = trainer.state.memory["stopping.weights"]
    assert found.distance == pytest.approx(np.linalg.norm(best - start(trainer)))


def test_a_large_network_is_asked_about_fewer_samples() -> None:
    trainer = digits()
    assert few_enough(trainer, 1e9, (50, 500)) == 500
    assert few_enough(trainer, 1e5, (50, 500)) == int(1e5 / trainer.parameters.values.size)
    assert few_enough(trainer, 1e2, (50, 500)) == 50


# -- all of them, in a session ---------------------------------------------------------------------


@pytest.mark.parametrize("view", ["mistakes", "roc", "trace", "filters", "spread", "path"])
@pytest.mark.parametrize("make", [moons, digits, diabetes])
def test_looking_changes_no_number(make: Any, view: Any) -> None:
    trainer = make()
    before = trainer.state.snapshot()
    found = Sights(trainer).view(Inspect(view))
    assert (found is None) == (view == "roc" and make is diabetes)
    for name, array in trainer.state.snapshot().arrays.items():
        np.testing.assert_array_equal(array, before.arrays[name])
