import numpy as np
import pytest
from textual.app import App
from textual.widgets import Input, OptionList, Select, Static, Tabs
from waiting import form_stands, screen_text, until

from tui_nn.draft import Draft
from tui_nn.forms.field import Field
from tui_nn.forms.findings import Findings
from tui_nn.forms.parts import PartList
from tui_nn.forms.picker import Picker
from tui_nn.modes.build import Build
from tui_nn.starters import starters
from tui_nn.widgets.data_preview import DataPreview, Preview
from tui_nn.widgets.heatmap import ImageGrid
from tui_nn.widgets.scatter import Scatter
from tui_nn_engine.experiments.experiment import Experiment


class BuildApp(App[None]):
    def __init__(self, draft: Draft | None = None) -> None:
        super().__init__()
        self.draft = draft or Draft(starters()["xor"])
        self.build = Build(self.draft)
        self.reviews = []

    def on_mount(self) -> None:
        self.push_screen(self.build)

    def on_build_changed(self, event: Build.Changed) -> None:
        self.reviews.append(event.review)

    @property
    def titles(self) -> list[str]:
        return [part.title for part in self.build.query_one(PartList).parts]

    @property
    def chosen(self) -> str:
        parts = self.build.query_one(PartList)
        return parts.parts[parts.highlighted].title

    def field(self, path: str) -> Field:
        return next(one for one in self.build.query(Field) if one.path == path)

    def has_field(self, path: str) -> bool:
        return any(one.path == path and one.is_mounted for one in self.build.query(Field))


async def ready(pilot, app) -> None:
    await until(pilot, lambda: app.reviews and app.build.query("#form-pane Field"))


async def go(pilot, app, path: str) -> None:
    """Choose a part in the list and wait for its form."""
    listing = app.build.query_one(PartList)
    listing.focus()
    listing.highlighted = listing.index_of(path)
    await until(pilot, lambda: form_stands(app.build, path))
    await pilot.pause()


def prompts(listing: OptionList) -> list[str]:
    return [str(option.prompt) for option in listing.options]


async def test_it_opens_with_parts_shapes_totals_and_data():
    app = BuildApp(Draft())
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        assert app.titles == [
            "Data", "dense_1", "dense_2", "Learning", "Loss", "Optimizer", "Schedule",
            "Training", "Stopping", "General",
        ]  # fmt: skip
        await until(pilot, lambda: "✓ ready to train" in screen_text(app))
        text = screen_text(app)
        assert "→ (512,)  401,920 par.  401,408 conn." in text
        assert "407,050 parameters" in text
        assert "406,528 connections" in text
        assert "rank 3 · (10000, 28, 28) · uint8" in text
        await until(pilot, lambda: app.reviews[-1].trainable is not None)


async def test_typing_a_wrong_number_shows_it_and_mending_it_by_hand_ends_it():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.focused, Select))
        await pilot.press("tab")
        assert isinstance(app.focused, Input)
        await pilot.press("end", "x")
        await until(pilot, lambda: app.reviews[-1].problems)
        assert app.draft.value("layers[0].units") == "4x"
        for told in ("Problems ✗ 1", "✗ must be a whole number (is '4x')", "✗ dense_1"):
            await until(pilot, lambda told=told: told in screen_text(app))
        await until(pilot, lambda: app.reviews[-1].experiment is None)
        await pilot.press("backspace")
        await until(pilot, lambda: not app.reviews[-1].problems)
        await until(pilot, lambda: "✗" not in screen_text(app))


async def test_keys_of_the_mode_are_text_in_a_text_field():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await go(pilot, app, "training")
        app.field("training.epochs").query_one(Input).focus()
        await pilot.press("end", "x", "d", "a", "n", "f")
        await pilot.pause()
        assert app.draft.value("training.epochs") == "500xdanf"
        assert len(app.draft.layers) == 2
        await pilot.press("escape")
        assert isinstance(app.focused, PartList)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: app.draft.value("training.epochs") == 500)
        await pilot.pause()
        assert app.field("training.epochs").query_one(Input).value == "500"


async def test_undo_works_within_a_field_and_redo_brings_it_back():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await go(pilot, app, "layers[0]")
        units = app.field("layers[0].units").query_one(Input)
        units.focus()
        await pilot.press("end", "0", "0")
        await pilot.pause()
        assert app.draft.value("layers[0].units") == 400
        await pilot.press("ctrl+z")
        await pilot.pause()
        assert (app.draft.value("layers[0].units"), units.value) == (4, "4")
        await pilot.press("ctrl+y")
        await pilot.pause()
        assert (app.draft.value("layers[0].units"), units.value) == (400, "400")
        assert app.focused is units


async def test_layers_are_added_from_the_picker_and_removed():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("down", "a")
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.titles[1:4] == ["dense_1", "dropout_1", "dense_2"])
        await until(pilot, lambda: app.has_field("layers[1].rate"))
        assert app.chosen == "dropout_1"
        await until(pilot, lambda: isinstance(app.focused, Select))
        await pilot.press("escape", "x")
        await until(pilot, lambda: app.titles[1:3] == ["dense_1", "dense_2"])
        await pilot.press("ctrl+z", "ctrl+z")
        await until(pilot, lambda: app.draft.tree == starters()["xor"].tree())


async def test_leaving_the_picker_adds_nothing():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.build)
        assert not app.draft.can_undo


async def test_a_layer_is_moved_and_duplicated_and_stays_chosen():
    app = BuildApp(Draft(starters()["spiral"]))
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await go(pilot, app, "layers[2]")
        await pilot.press("ctrl+up")
        await until(pilot, lambda: [x["units"] for x in app.draft.layers] == [8, 1, 8])
        assert app.chosen == "dense_2"
        await until(pilot, lambda: app.has_field("layers[1].units"))
        assert app.field("layers[1].units").query_one(Input).value == "1"
        await pilot.press("J")
        await until(pilot, lambda: [x["units"] for x in app.draft.layers] == [8, 8, 1])
        await pilot.press("J")
        await pilot.pause()
        assert [x["units"] for x in app.draft.layers] == [8, 8, 1]
        await pilot.press("K", "K", "d")
        await until(pilot, lambda: [x["units"] for x in app.draft.layers] == [1, 1, 8, 8])


async def test_every_layer_can_go_and_the_screen_says_what_is_missing():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await go(pilot, app, "layers[1]")
        await pilot.press("x", "x", "x")
        await until(pilot, lambda: app.draft.layers == [])
        await until(pilot, lambda: app.reviews[-1].problems)
        await until(pilot, lambda: [one.path for one in app.reviews[-1].problems][:1] == ["layers"])
        await pilot.press("a")
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await pilot.press("enter")
        await until(pilot, lambda: app.draft.layers == [{"type": "dense"}])
        await until(pilot, lambda: any("is missing" in p.message for p in app.reviews[-1].problems))


@pytest.mark.parametrize("by_key", [True, False])
async def test_a_misfit_is_mended_by_its_key_and_by_its_line(by_key):
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await go(pilot, app, "layers[1]")
        app.field("layers[1].units").query_one(Input).value = "5"
        await until(pilot, lambda: app.reviews[-1].fixes)
        await pilot.pause()
        findings = app.build.query_one(Findings)
        assert any("press f to mend: set its units to 1" in line for line in prompts(findings))
        if by_key:
            await pilot.press("f")
        else:
            findings.focus()
            await pilot.press("home", "down", "enter")
        await until(pilot, lambda: app.draft.value("layers[1].units") == 1)
        await until(pilot, lambda: not app.reviews[-1].problems)
        assert app.field("layers[1].units").query_one(Input).value == "1"


async def test_a_problem_leads_to_its_field():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        app.draft.set("optimizer.beta_1", 2.0)
        app.build.reload()
        await until(pilot, lambda: app.reviews[-1].problems)
        await pilot.pause()
        await pilot.click(Findings, offset=(5, 0))
        await until(pilot, lambda: app.has_field("optimizer.beta_1"))
        await until(pilot, lambda: app.focused is app.field("optimizer.beta_1").query_one(Input))
        await until(pilot, lambda: "✗ must be less than 1.0 (is 2.0)" in screen_text(app))


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


async def test_a_starter_begins_anew():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, Picker))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: app.draft.tree == starters()["spiral"].tree())
        assert not app.draft.modified


async def test_files_are_saved_asked_for_and_opened(tmp_path, monkeypatch):
    from textual_fspicker import FileOpen, FileSave

    monkeypatch.chdir(tmp_path)
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, FileSave))
        await pilot.pause()
        name = app.screen.query_one(Input)
        assert name.value == "experiment.toml"
        name.focus()
        name.value = "mine"
        await pilot.press("enter")
        path = tmp_path / "mine.toml"
        await until(pilot, path.exists)
        await until(pilot, lambda: app.draft.path == path)
        assert Experiment.load(path).tree() == app.draft.tree
        app.draft.set("training.epochs", 3)
        app.build.reload()
        await until(
            pilot, lambda: "changed" in str(app.build.query_one("#parts-pane").border_title)
        )
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not app.draft.modified)
        assert Experiment.load(path).training.epochs == 3

        starters()["iris"].save(tmp_path / "other.toml")
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, FileOpen))
        await pilot.pause()
        app.screen.query_one(Input).focus()
        app.screen.query_one(Input).value = "other.toml"
        await pilot.press("enter")
        await until(pilot, lambda: app.draft.path == tmp_path / "other.toml")
        await until(pilot, lambda: app.reviews[-1].experiment.data.name == "iris")


async def test_an_existing_file_is_overwritten_only_after_asking(tmp_path, monkeypatch):
    from textual_fspicker import FileSave

    monkeypatch.chdir(tmp_path)
    path = tmp_path / "experiment.toml"
    path.write_text("# another's\n")
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        for answer in (["escape"], ["down", "enter"], ["enter"]):
            assert path.read_text() == "# another's\n"
            await pilot.press("S")
            await until(pilot, lambda: isinstance(app.screen, FileSave))
            await pilot.pause()
            app.screen.query_one(Input).focus()
            await pilot.press("enter")
            await until(pilot, lambda: isinstance(app.screen, Picker))
            await pilot.press(*answer)
            await until(pilot, lambda: app.screen is app.build)
        await until(pilot, lambda: app.draft.path == path)
        assert Experiment.load(path).data.name == "xor"


async def test_what_is_wrong_is_saved_too_and_said(tmp_path):
    path = tmp_path / "mine.toml"
    draft = Draft(starters()["xor"])
    draft.save(path)
    text = path.read_text()
    draft.set("training.epochs", -1)
    app = BuildApp(draft)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await ready(pilot, app)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(app._notifications) == 1)
        [note] = app._notifications
        assert "a problem and can't be trained yet" in note.message
        assert path.read_text() == text.replace("epochs = 500", "epochs = -1")
        assert not draft.modified


async def test_a_broken_file_is_shown_with_all_its_problems(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text(
        'colour = 1\nlayers = [5, {type = "dens", units = 2}]\n'
        '[data]\nname = "xor"\nnoise = "much"\n'
    )
    draft = Draft(starters()["xor"])
    draft.open(path)
    app = BuildApp(draft)
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await until(pilot, lambda: app.reviews[-1].problems)
        places = {problem.path for problem in app.reviews[-1].problems}
        assert {"colour", "layers[0]", "layers[1]", "data.noise", "loss"} <= places
        for index in range(len(app.titles)):
            app.build.query_one(PartList).highlighted = index
            await pilot.pause()
        await go(pilot, app, "data")
        assert app.field("data.noise").query_one(Input).value == "much"


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_in_a_small_terminal_every_pane_is_a_tab_away(size):
    app = BuildApp()
    async with app.run_test(size=size) as pilot:
        await ready(pilot, app)
        build = app.build
        seen = set()
        for _ in range(4):
            seen |= {pane.id for pane in build.query(".pane") if pane.region.area}
            await pilot.press("p")
            await pilot.pause()
        assert seen == {"parts-pane", "form-pane", "data-pane", "problems-pane"}
        await pilot.press("escape")
        assert build.query_one(Tabs).active == "parts"
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.focused, Select))
        assert build.query_one(Tabs).active == "form"
        assert build.query_one("#form-pane").region.width > 20
        tab = build.query_one("#problems")
        await pilot.click(tab)
        await until(pilot, lambda: build.query_one("#problems-pane").region.area > 0)


async def test_resizing_keeps_the_field_that_is_edited():
    app = BuildApp()
    async with app.run_test(size=(160, 48)) as pilot:
        await ready(pilot, app)
        await go(pilot, app, "layers[0]")
        field = app.field("layers[0].units").query_one(Input)
        field.focus()
        await pilot.press("end", "7")
        for size in [(120, 36), (40, 12), (200, 60), (80, 24), (120, 36)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert field.value == "47"
        assert app.draft.value("layers[0].units") == 47


async def test_a_change_made_elsewhere_is_shown_after_reload():
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await go(pilot, app, "optimizer")
        app.draft.set("optimizer.learning_rate", 0.25)
        app.build.reload()
        await pilot.pause()
        assert app.field("optimizer.learning_rate").query_one(Input).value == "0.25"


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


async def test_labels_are_shown_as_the_groups_they_make():
    preview = Preview.of(Draft(starters()["venn"]).review().data)
    assert set(preview.names) == {"none", "A", "B", "C", "A+B", "A+C", "B+C", "A+B+C"}
    assert preview.facts[-1].startswith("3 labels, of train A:")


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


def test_columns_of_a_table_have_the_numbers_that_pick_them():
    preview = Preview.of(Draft(starters()["diabetes"]).review().data)
    assert preview.header[:3] == ("age\n0", "sex\n1", "bmi\n2")
    assert preview.header[-1] == "→ progression"
