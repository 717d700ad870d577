"""Build mode: parts and their forms, problems and how they are mended, undoing, files, panes."""

import pytest
from build_app import BuildApp, go, prompts, ready
from textual.widgets import Input, Select, Tabs
from waiting import screen_text, until

from tui_nn.draft import Draft
from tui_nn.forms.findings import Findings
from tui_nn.forms.parts import PartList
from tui_nn.forms.picker import Picker
from tui_nn.starters import starters
from tui_nn_engine.experiments.experiment import Experiment


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


async def test_where_no_mend_is_known_its_key_says_so():
    app = BuildApp()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await ready(pilot, app)
        app.draft.set("optimizer.beta_1", 2.0)
        app.build.reload()
        await until(pilot, lambda: app.reviews[-1].problems)
        assert not app.reviews[-1].fixes
        await pilot.press("f")
        await until(pilot, lambda: "No mend is known" in screen_text(app))


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
