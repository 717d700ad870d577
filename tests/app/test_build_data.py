"""Build mode's data: the network and loss that other data bring, what is usual, the preview."""

from pathlib import Path

import numpy as np
import pytest
from build_app import BuildApp, prompts, ready
from textual.app import App
from textual.widgets import Button, Input, OptionList, Select, Static
from textual_fspicker import FileOpen
from waiting import screen_text, until

from tui_nn.draft import Draft
from tui_nn.forms.picker import Picker
from tui_nn.starters import starters
from tui_nn.widgets.data_preview import DataPreview, Preview
from tui_nn.widgets.heatmap import ImageGrid
from tui_nn.widgets.scatter import Scatter


async def test_other_data_brings_a_network_that_fits_in_one_step():
    app = BuildApp(Draft())
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        before = app.draft.tree
        app.field("data").query(Select).first().value = "iris"
        await until(pilot, lambda: app.reviews[-1].experiment.data.name == "iris")
        await until(pilot, lambda: app.reviews[-1].problems == ())
        assert app.draft.layers[1] == {"type": "dense", "units": 3, "activation": "softmax"}
        await until(pilot, lambda: "sepal" in screen_text(app))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: app.draft.tree == before)
        await until(pilot, lambda: app.reviews[-1].experiment.data.name == "mnist_small")
        await until(pilot, lambda: app.field("data").query(Select).first().value == "mnist_small")


@pytest.mark.parametrize(
    ("begin", "name", "output", "loss"),
    [
        ("iris", "venn", {"units": 3, "activation": "sigmoid"}, "binary_crossentropy"),
        ("venn", "iris", {"units": 3, "activation": "softmax"}, "categorical_crossentropy"),
        ("venn", "arm", {"units": 2, "activation": "linear"}, "mean_squared_error"),
        ("arm", "spiral", {"units": 1, "activation": "sigmoid"}, "binary_crossentropy"),
        ("wide & deep", "iris", {"units": 3, "activation": "softmax"}, "categorical_crossentropy"),
    ],
)
def test_switching_the_data_brings_the_tasks_output_and_loss(begin, name, output, loss):
    draft = Draft(starters()[begin])
    draft.set("data", {"name": name})
    draft.fit_to(draft.review().data)
    last = draft.layers[-1]
    assert {"activation": "linear", **last} == {"type": "dense", **output}
    assert draft.value("loss.type") == loss
    assert draft.review().problems == ()
    assert len(draft.layers) == len(starters()[begin].layers)


@pytest.mark.parametrize("keys", [["u"], ["n"]])
async def test_what_is_usual_for_the_data_is_a_key_away(keys):
    app = BuildApp(Draft(starters()["venn"]))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(pilot, app)
        before = app.draft.tree
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(app.screen, Picker))
        if keys == ["n"]:
            names = app.screen.query_one(OptionList)
            names.highlighted = names.get_option_index("usual")
            await pilot.press("enter")
        await until(pilot, lambda: "Usual for venn: multi-label" in screen_text(app))
        names = app.screen.query_one(OptionList)
        assert prompts(names)[0] == "small   10 · relu → 3 · sigmoid · 150 epochs"
        names.highlighted = 1
        await pilot.press("enter")
        await until(pilot, lambda: [x["units"] for x in app.draft.layers] == [50, 50, 3])
        assert app.draft.value("data") == before["data"]
        await until(pilot, lambda: app.reviews[-1].trainable is not None)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: app.draft.tree == before)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("mnist_small", ImageGrid),
        ("spiral", Scatter),
        ("iris", "rows"),
        ("diabetes", "rows"),
        ("xor", Scatter),
    ],
)
async def test_the_preview_suits_the_data(name, shown):
    data = Draft(starters()[name]).review().data
    preview = Preview.of(data)

    class PreviewApp(App[None]):
        def compose(self):
            yield DataPreview()

    app = PreviewApp()
    async with app.run_test(size=(40, 30)) as pilot:
        app.query_one(DataPreview).show(preview)
        await pilot.pause()
        visible = [w for w in app.query("ContentSwitcher > *") if w.display]
        assert len(visible) == 1
        assert visible[0].id == shown if isinstance(shown, str) else isinstance(visible[0], shown)
        facts = str(app.query_one("#facts", Static).render())
        assert f"rank {data.dataset.x.ndim} · {data.dataset.x.shape}" in facts
        assert f"train\xa0{len(data.train):,}" in facts


def test_the_first_images_are_one_of_each_class():
    preview = Preview.of(Draft().review().data)
    assert preview.captions[:12] == (*"0123456789", "0", "1")
    assert preview.images is not None
    assert preview.images.dtype == np.uint8


def test_the_classes_are_counted():
    preview = Preview.of(Draft(starters()["spiral"]).review().data)
    assert any("2 classes" in fact and "in train" in fact for fact in preview.facts)


async def test_labels_are_shown_as_the_groups_they_make():
    preview = Preview.of(Draft(starters()["venn"]).review().data)
    assert set(preview.names) == {"none", "A", "B", "C", "A+B", "A+C", "B+C", "A+B+C"}
    assert preview.facts[-1].startswith("3 labels, of train A:")


def test_columns_of_a_table_have_the_numbers_that_pick_them():
    preview = Preview.of(Draft(starters()["diabetes"]).review().data)
    assert preview.header[:3] == ("age\n0", "sex\n1", "bmi\n2")
    assert preview.header[-1] == "→ progression"


async def test_a_table_of_ones_own_is_chosen_among_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tables").mkdir()
    rows = "".join(f"{n},{n % 7},{'yes' if n % 2 else 'no'}\n" for n in range(30))
    (tmp_path / "tables" / "houses.csv").write_text(f"size,rooms,sold\n{rows}")
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        app.field("data").query(Select).first().value = "csv"
        await until(pilot, lambda: app.has_field("data.path"), "its form")
        field = app.field("data.path")
        await until(pilot, lambda: field.has_class("-wrong"), "that a file is missing")
        field.query_one(Button).press()
        await until(pilot, lambda: isinstance(app.screen, FileOpen), "a choice of files")
        await until(pilot, lambda: "tables" in screen_text(app), "the folder it was started from")
        app.screen.query_one(Input).value = str(tmp_path / "tables" / "houses.csv")
        app.screen.query_one(Input).focus()
        await pilot.press("enter")
        await until(pilot, lambda: app.draft.value("data.path") == "tables/houses.csv", "the path")
        assert field.query_one(Input).value == "tables/houses.csv"
        await until(pilot, lambda: "sold from 2 columns" in screen_text(app), "the preview")
        await until(pilot, lambda: app.reviews[-1].problems == (), "a network that fits")
        field.query_one(Button).press()
        await until(pilot, lambda: isinstance(app.screen, FileOpen), "a choice of files")
        await until(pilot, lambda: "houses.csv" in screen_text(app), "the folder of the file")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, FileOpen), "the form again")
        assert app.draft.value("data.path") == "tables/houses.csv"
