"""Labels of which any number may apply: data, checks, metrics, learning; and many outputs."""

from typing import Any

import numpy as np
import pytest

from tui_nn_datasets import DataError, load
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.checks.misfits import misfits
from tui_nn_engine.checks.usual import (
    BINARY,
    HIDDEN,
    MULTICLASS,
    MULTILABEL,
    REGRESSION,
    Usual,
    usual_for,
    usual_network,
)
from tui_nn_engine.data.data_blocks import ArrayData
from tui_nn_engine.data.prepared import PreparedData, prepare
from tui_nn_engine.metrics import exact_match, is_better_large, label_accuracy, metrics_for

SIGMOID = {"type": "dense", "units": 3, "activation": "sigmoid"}
SOFTMAX = {**SIGMOID, "activation": "softmax"}
LINEAR = {"type": "dense", "units": 3}


def experiment(data: Any, layers: list[Any], loss: Any, **rest: Any) -> Experiment:
    data = {"name": data} if isinstance(data, str) else data
    return Experiment.parse({"data": data, "layers": layers, "loss": loss, **rest})


def data_of(one: Experiment) -> PreparedData:
    return prepare(one.data, one.seed, one.dtype)


# -- data -------------------------------------------------------------------------------------


def test_the_discs_overlap_in_every_way():
    data = load("venn", samples=2000)
    assert (data.task, data.classes, data.target_names) == ("multilabel", 0, ("A", "B", "C"))
    counts = np.unique(data.y, axis=0, return_counts=True)[1]
    assert len(counts) == 8
    assert counts.min() > 20
    top = data.x[:, 1] > 0.55
    assert (data.y[top, 0] == 1).any()
    assert (data.y[top, 1:] == 0).all()


def test_noise_moves_points_not_labels():
    exact, noisy = load("venn", noise=0.0), load("venn", noise=0.1)
    assert np.array_equal(exact.y, noisy.y)
    assert not np.array_equal(exact.x, noisy.x)


def test_an_arm_reaches_as_far_as_it_is_long():
    data = load("arm", samples=500)
    assert (data.task, data.y.shape, data.target_names) == (
        "regression", (500, 2), ("hand x", "hand y"),
    )  # fmt: skip
    reach = np.linalg.norm(data.y, axis=1)
    assert reach == pytest.approx(
        np.sqrt(0.6**2 + 0.4**2 + 2 * 0.6 * 0.4 * np.cos(data.x[:, 1])), abs=1e-12
    )


TABLE = "a,b,rent,price,red,round\n" + "\n".join(
    f"{i},{i % 7},{i / 3},{i * 2.5},{i % 2},{int(i > 9)}" for i in range(20)
)


@pytest.mark.parametrize(
    ("target", "task", "wanted", "names"),
    [
        ("rent, price", None, "regression", ("rent", "price")),
        ("red,round", None, "multilabel", ("red", "round")),
        ("red,round", "regression", "regression", ("red", "round")),
        ("round", "multilabel", "multilabel", ("round",)),
        (None, None, "classification", ("0", "1")),
    ],
)
def test_several_columns_of_a_table_are_targets(
    tmp_path: Any, target: Any, task: Any, wanted: str, names: tuple[str, ...]
):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    data = load("csv", path=str(path), target=target, task=task)
    assert (data.task, data.target_names) == (wanted, names)
    if wanted != "classification":
        assert data.y.shape == (20, len(names))
    assert not {"red", "round"} & set(data.input_names) or target != "red,round"


@pytest.mark.parametrize(
    ("target", "task", "message"),
    [
        ("rent, prise", None, "no column 'prise' for the target .did you mean 'price'"),
        ("rent,rent", None, "'rent' is named twice"),
        ("a,b,rent,price,red,round", None, "every column is a target"),
        ("red,round", "classification", "has one target column, and these are 2"),
        ("red,rent", "multilabel", "column 'rent' holds other numbers than 0 and 1"),
    ],
)
def test_targets_that_can_not_be_are_refused(tmp_path: Any, target: str, task: Any, message: str):
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    with pytest.raises(DataError, match=message):
        load("csv", path=str(path), target=target, task=task)


def test_a_column_may_have_a_comma_in_its_name(tmp_path: Any):
    path = tmp_path / "table.csv"
    path.write_text('a,"b, c"\n' + "\n".join(f"{i},{i / 3}" for i in range(9)))
    assert load("csv", path=str(path), target="b, c").target_names == ("b, c",)


def test_arrays_of_0_and_1_are_labels_unless_one_applies_to_each():
    x = np.zeros((4, 2))
    block = ArrayData(name="arrays")
    labels = prepare(block, 0, "float32", (x, np.array([[1, 1], [0, 0], [1, 0], [0, 1]])))
    assert labels.dataset.task == "multilabel"
    assert labels.targets(labels.train, 2).tolist() == [[1, 1], [0, 0], [1, 0], [0, 1]]
    classes = prepare(block, 0, "float32", (x, np.eye(2)[[0, 1, 1, 0]]))
    assert classes.dataset.task == "classification"


def test_given_labels_must_be_said_and_be_0_or_1():
    x, y = [[0, 1], [1, 1]], [[1, 0], [1, 1]]
    assert load("given", x=x, y=y).task == "regression"
    assert load("given", x=x, y=y, task="multilabel").task == "multilabel"
    with pytest.raises(DataError, match="labels must be 0"):
        load("given", x=x, y=[[1, 2], [0, 1]], task="multilabel")


# -- metrics ----------------------------------------------------------------------------------


def test_metrics_of_labels_are_scikit_learns():
    random = np.random.default_rng(0)
    outputs, targets = random.random((50, 4)), random.integers(0, 2, (50, 4)).astype(float)
    metrics = pytest.importorskip("sklearn.metrics")
    guesses = outputs > 0.5
    exact, single = exact_match(0.5)(outputs, targets), label_accuracy(0.5)(outputs, targets)
    assert exact == pytest.approx(metrics.accuracy_score(targets, guesses))
    assert single == pytest.approx(1 - metrics.hamming_loss(targets, guesses))


def test_metrics_of_labels_by_hand():
    outputs = np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.9]])
    targets = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    assert exact_match(0.5)(outputs, targets) == pytest.approx(1 / 3)
    assert label_accuracy(0.5)(outputs, targets) == pytest.approx(4 / 6)
    assert is_better_large("val_exact_match")


# -- what does not fit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "loss", "path", "message", "remedy"),
    [
        (SOFTMAX, "categorical_crossentropy", "loss", "any number", "use sigmoid outputs"),
        (SIGMOID, "kl_divergence", "loss", "one class of several", "use sigmoid outputs"),
        (SOFTMAX, "binary_crossentropy", "layers[0].activation", "shares out 1", "use sigmoid"),
        (SOFTMAX, "mean_squared_error", "layers[0].activation", "shares out 1", "use sigmoid"),
        (LINEAR, "binary_crossentropy", "layers[0].activation", "needs prob", "use sigmoid"),
        (SIGMOID, "hinge", "layers[0].activation", "never comes down", "use linear"),
        (
            {**SIGMOID, "units": 2},
            "binary_crossentropy",
            "layers[0].units",
            "need (3,)",
            "set its units to 3",
        ),
        (
            SIGMOID,
            {"type": "binary_crossentropy", "class_weight": "balanced"},
            "loss.class_weight",
            "'venn' has labels",
            "remove it",
        ),
    ],
)  # fmt: skip
def test_what_does_not_suit_labels_is_told_and_mended(
    layer: Any, loss: Any, path: str, message: str, remedy: str
):
    one = experiment("venn", [layer], loss)
    (found,) = misfits(one, data_of(one))
    assert found.path == path
    assert message in found.message
    assert found.remedy.startswith(remedy)
    assert found.fixed is not None
    assert misfits(found.fixed, data_of(found.fixed)) == ()


def test_labels_of_minus_1_and_1_are_mended_to_a_loss_that_takes_them():
    one = experiment({"name": "venn", "bipolar_targets": True}, [SIGMOID], "binary_crossentropy")
    (found,) = misfits(one, data_of(one))
    assert (found.path, found.remedy) == ("loss", "use mean_squared_error")
    data = data_of(one)
    assert set(np.unique(data.targets(data.train, 3))) == {-1.0, 1.0}


def test_a_monitor_that_labels_do_not_have():
    stopping = {"patience": 3, "monitor": "val_accuracy"}
    one = experiment("venn", [SIGMOID], "binary_crossentropy", stopping=stopping)
    (found,) = misfits(one, data_of(one))
    assert "exact_match" in found.message


# -- learning ---------------------------------------------------------------------------------


def trained(one: Experiment) -> dict[str, float]:
    trainer = Trainer(one)
    for _ in trainer.run():
        pass
    return trainer.evaluate(trainer.data.test).metrics


def test_labels_are_learned():
    layers = [{"type": "dense", "units": 24, "activation": "relu"}] * 2
    training = {"epochs": 80, "batch_size": 32, "threads": 1}
    optimizer = {"type": "adam", "learning_rate": 0.01}
    data = {"name": "venn", "samples": 600}
    rest = {"training": training, "optimizer": optimizer}
    found = trained(experiment(data, [*layers, SIGMOID], "binary_crossentropy", **rest))
    assert found["exact_match"] > 0.8  # the commonest combination alone: under 0.3
    assert found["label_accuracy"] > 0.93


def test_two_outputs_are_learned():
    layers = [{"type": "dense", "units": 24, "activation": "tanh"}, {"type": "dense", "units": 2}]
    training = {"epochs": 60, "batch_size": 16, "threads": 1}
    optimizer = {"type": "adam", "learning_rate": 0.01}
    rest = {"training": training, "optimizer": optimizer}
    found = trained(experiment("arm", layers, "mean_squared_error", **rest))
    assert found["r2"] > 0.97
    assert found["rmse"] < 0.1


# -- the tables -------------------------------------------------------------------------------

COLUMNS: list[tuple[Any, Usual, dict[str, Any]]] = [
    ("diabetes", REGRESSION, {"units": 1}),
    ("arm", REGRESSION, {"units": 2}),
    ("spiral", BINARY, {"units": 1, "activation": "sigmoid"}),
    ("venn", MULTILABEL, {"units": 3, "activation": "sigmoid"}),
    ("iris", MULTICLASS, {"units": 3, "activation": "softmax"}),
    ({"name": "digits", "flatten": False}, MULTICLASS, {"units": 10, "activation": "softmax"}),
]


@pytest.mark.parametrize("size", HIDDEN)
@pytest.mark.parametrize(("data", "column", "output"), COLUMNS)
def test_what_is_usual_fits_and_can_be_trained(
    data: Any, column: Usual, output: dict[str, Any], size: str
):
    one = experiment(data, ["flatten"], "mean_squared_error")
    prepared = data_of(one)
    assert usual_for(prepared) == column
    tree = usual_network(prepared, size)
    assert tree["layers"][-1] == {"type": "dense", **output}
    found = Experiment.parse(one.tree() | tree)
    assert misfits(found, prepared) == ()
    hidden = [layer for layer in found.layers[:-1] if layer.type == "dense"]
    assert (len(hidden), {layer.units for layer in hidden}) == (HIDDEN[size][0], {HIDDEN[size][1]})  # type: ignore[attr-defined]
    assert tuple(metrics_for(prepared, found.loss)) == column.metrics
    if size == "small":
        assert np.isfinite(Trainer(found).update())


def test_what_is_usual_fits_targets_of_minus_1_and_1():
    data = {"name": "circles", "bipolar_targets": True}
    one = experiment(data, ["flatten"], "mean_squared_error")
    prepared = data_of(one)
    found = Experiment.parse(one.tree() | usual_network(prepared, "small"))
    assert misfits(found, prepared) == ()
