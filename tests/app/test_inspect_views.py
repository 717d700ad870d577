"""The views of Inspect mode on samples, weights and losses, on the real engine."""

from pathlib import Path
from typing import Any

import pytest

from tui_nn.modes.inspect import Inspect
from tui_nn.widgets.confusion_matrix import ConfusionMatrix
from tui_nn.widgets.images import Images
from tui_nn.widgets.unit_images import UnitImages
from tui_nn.widgets.weight_cells import coloured
from tui_nn_engine.inspection.filters import Filters
from tui_nn_engine.inspection.mistakes import Mistakes
from tui_nn_engine.inspection.roc import Roc
from tui_nn_engine.inspection.trace import Trace

FORM = """
seed = 1
[data]
name = "{data}"
[[layers]]
type = "dense"
units = 16
activation = "tanh"
[[layers]]
type = "dense"
units = {units}
activation = "{activation}"
[loss]
type = "{loss}"
[optimizer]
type = "adam"
learning_rate = 0.003
[training]
epochs = {epochs}
batch_size = 32
threads = 1
"""
DIGITS = FORM.format(
    data="digits", units=10, activation="softmax", loss="categorical_crossentropy", epochs=20
)
MOONS = FORM.format(
    data="moons", units=1, activation="sigmoid", loss="binary_crossentropy", epochs=100000
)
IRIS = FORM.format(
    data="iris", units=3, activation="softmax", loss="categorical_crossentropy", epochs=20
)
MNIST = DIGITS.replace("digits", "mnist_small")
CURVE = FORM.format(
    data="curve", units=1, activation="linear", loss="mean_squared_error", epochs=50
)
VENN = FORM.format(
    data="venn", units=3, activation="sigmoid", loss="binary_crossentropy", epochs=20
)


@pytest.fixture
def written(tmp_path: Path) -> Any:
    """The file of an experiment."""

    def write(text: str) -> Path:
        path = tmp_path / "experiment.toml"
        path.write_text(text)
        return path

    return write


def view(app: Any) -> Any:
    mode = app.app.screen_stack[0]
    assert isinstance(mode, Inspect)
    return mode.view


async def looks_through(app: Any, label: str) -> Any:
    """Press t until that view is on screen."""
    await app.mode("4", "inspect")
    await app.until(lambda: view(app) is not None, "a view")
    for _ in range(8):
        if view(app).label == label:
            return view(app)
        await app.press("t")
    raise AssertionError(label)


# -- samples ---------------------------------------------------------------------------------------


async def test_a_sample_of_the_list_leads_to_what_the_layers_make_of_it(
    laboratory: Any, written: Any
) -> None:
    async with laboratory(written(DIGITS)) as app:
        errors = await looks_through(app, "Mistakes")
        await app.until(lambda: isinstance(app.monitor.sight, Mistakes), "mistakes")
        second = app.monitor.sight.cases[1]
        await app.until(lambda: errors.query_one(Images)._images.size, "pictures")
        await app.pilot.pause()
        await app.pilot.click(Images, offset=(11, 1))
        await app.until(lambda: isinstance(app.monitor.sight, Trace), "the sample")
        assert view(app).label == "Sample"
        assert app.monitor.sight.place == second
        await app.shows("2 of 359 (test)")
        await app.shows("dense_1  16")
        await app.press("left")
        await app.shows("1 of 359 (test)")
        await app.press("right", "right")
        await app.shows("3 of 359 (test)")
        place = app.monitor.sight.place
        await app.press("e")
        await app.until(lambda: app.monitor.sight.iteration == 41, "the same after an epoch")
        assert app.monitor.sight.place == place
        await app.press("p")
        await app.shows("(validation)")


async def test_only_parts_that_the_data_has_are_named(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        mistakes = await looks_through(app, "Mistakes")
        await app.shows("of 4 (train)")
        await app.press("p")
        await app.shows("of 4 (train)")
        assert mistakes.part == "train"
        await looks_through(app, "Sample")
        await app.shows("1 of 4 (train)")


# -- every other view ------------------------------------------------------------------------------


async def test_a_cursor_on_the_roc_curve_and_other_classes(laboratory: Any, written: Any) -> None:
    async with laboratory(written(DIGITS), (80, 24)) as app:
        await app.press("e")
        await app.until(lambda: app.monitor.epoch == 1, "an epoch")
        await looks_through(app, "ROC")
        await app.until(lambda: isinstance(app.monitor.sight, Roc), "a curve")
        await app.shows("ROC of 0 against the rest")
        await app.shows("false alarms (false positive rate)")
        await app.shows(f"(AUC) {app.monitor.sight.area:.4f}")
        await app.shows("as it decides")
        await app.press("left")
        await app.shows("from output")
        await app.press("u")
        await app.shows("ROC of 1 against the rest")


async def test_weights_are_pictures_of_an_image_and_else_numbers(
    laboratory: Any, written: Any
) -> None:
    async with laboratory(written(DIGITS), (140, 24)) as app:
        weights = await looks_through(app, "Weights")
        await app.shows("units 1 to 16 of 16")
        assert weights.query_one(UnitImages).is_on_screen
        await app.press("u")
        await app.until(lambda: app.monitor.sight.layer == "dense_2", "the other layer")
        found: Filters = app.monitor.sight
        await app.shows(f"{found.weights[9, 15]:.2f}")
        assert not weights.query_one(UnitImages).is_on_screen
        await app.press("a")
        await app.shows("at the start")


async def test_as_many_units_are_named_as_are_drawn(laboratory: Any, written: Any) -> None:
    async with laboratory(written(MNIST), (80, 24)) as app:  # the words take a row of pictures
        await app.press("N")
        await app.iteration(1)
        weights = await looks_through(app, "Weights")
        await app.shows("dense_1, after 1 update: units 1 to 5 of 16")
        assert weights.query_one(UnitImages).shown == 5


def test_a_weight_that_rounds_to_nothing_has_no_sign() -> None:
    told = [coloured(value, 0).text.strip() for value in (-0.001, -0.01, 0.0, 1.0)]
    assert told == ["0.00", "-0.01", "0.00", "1.00"]


async def test_names_of_classes_are_whole_beside_the_numbers(laboratory: Any, written: Any) -> None:
    async with laboratory(written(IRIS)) as app:
        await looks_through(app, "Mistakes")
        await app.shows("versicolor  ")
        await app.until(lambda: isinstance(app.monitor.sight, Mistakes), "mistakes")
        await app.shows(f"{app.monitor.sight.margins[0]:+.3f}")
        await app.shows("margin   sepal len")
        await looks_through(app, "Sample")
        await app.shows("setosa   versicolor virginica")


async def test_a_single_number_has_no_spread(laboratory: Any, written: Any) -> None:
    async with laboratory(written(MOONS), (80, 24)) as app:
        await looks_through(app, "Histograms")
        await app.shows("dense_2.bias")
        (line,) = [one for one in app.screen().splitlines() if one[1:].startswith("dense_2.bias")]
        assert line.split() == ["dense_2.bias", "1", *"––––"]


async def test_histograms_then_and_now(laboratory: Any, written: Any) -> None:
    async with laboratory(written(CURVE), (80, 24)) as app:
        await looks_through(app, "Histograms")
        await app.shows("dense_2.kernel")
        await app.shows("at the start")
        await app.press("down", "y")
        await app.shows("counts: log")
        await app.press("space")
        await app.state("completed")
        await app.until(lambda: app.monitor.sight.iteration == app.monitor.total, "the last")
        await app.shows(f"{app.monitor.sight.figures[1, 1, 1]:.3g}")


async def test_the_loss_between_start_and_now(laboratory: Any, written: Any) -> None:
    async with laboratory(written(CURVE), (80, 24)) as app:
        await looks_through(app, "Loss line")
        await app.shows("Both ends are the same weights")
        await app.press("space")
        await app.state("completed")
        await app.shows("from start (0) to now (1)")
        await app.shows("train (")
        assert "u Ends" not in app.screen(), "there is one pair only"


async def test_every_view_stands_any_size(laboratory: Any, written: Any) -> None:
    async with laboratory(written(MOONS), (80, 24)) as app:
        await app.mode("4", "inspect")
        await app.until(lambda: view(app) is not None, "a view")
        await app.pilot.resize_terminal(30, 8)
        seen = set()
        for _ in range(7):
            seen.add(view(app).label)
            await app.press("t")
        assert len(seen) == 7
        await app.press("N")
        await app.iteration(1)


async def test_labels_are_looked_at_one_by_one(laboratory: Any, written: Any) -> None:
    async with laboratory(written(VENN)) as app:
        boundary = await looks_through(app, "Boundary")
        await app.shows("not ")
        first = app.monitor.subject.labels[0]
        await app.shows(f"○ not {first}")
        await app.press("u")
        await app.shows(f"○ not {app.monitor.subject.labels[1]}")
        assert boundary.is_on_screen
        mistakes = await looks_through(app, "Mistakes")
        await app.shows(f"not {first}"[:10])
        assert mistakes.query_one(ConfusionMatrix).cell == (-1, -1)
        await app.until(lambda: isinstance(app.monitor.sight, Mistakes), "mistakes")
        assert app.monitor.sight.matrix.shape == (2, 2)
        await app.press("u")
        await app.until(lambda: app.monitor.sight.label == 1, "the other label")
        await looks_through(app, "Sample")
        await app.shows(f"{first}: true ")
