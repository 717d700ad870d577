"""The app around the modes: going from one to another, global keys, what it opens with."""

from pathlib import Path
from typing import Any

import pytest
from textual.css import stylesheet
from textual.geometry import Offset
from textual.widgets import Input, Select

from tui_nn.widgets.help import Help
from tui_nn.widgets.status_line import Counters, RunTitle
from tui_nn_engine import Experiment

MODES = (
    ("1", "build"),
    ("3", "step"),
    ("4", "inspect"),
    ("5", "compare"),
    ("6", "learn"),
    ("2", "train"),
)


async def test_it_opens_on_digits_ready_to_train(laboratory: Any) -> None:
    async with laboratory() as app:
        assert app.app.current_mode == "train"
        assert "ready" in app.title
        assert "mnist_small · 512 relu → 10 softmax" in app.title
        assert not list((app.folder.parent).glob("*/log")), "what is not trained leaves no folder"


async def test_every_mode_shows_where_the_run_stands(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        await app.press("space")
        await app.state("completed")  # from now on the engine is silent
        for key, name in (("1", "build"), ("3", "step"), ("2", "train"), ("1", "build")):
            await app.mode(key, name)
            await app.until(lambda: "iteration 10/10" in app.counters, f"counters in {name}")
            await app.until(lambda: "xor · 4 tanh → 1 sigmoid" in app.title, f"a title in {name}")


async def test_a_run_is_taken_from_mode_to_mode(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        await app.press("N")
        await app.iteration(1)
        await app.press("n")  # Train mode's way to take the next update apart
        await app.until(lambda: app.app.current_mode == "step", "Step")
        await app.state("stepping")
        await app.until(lambda: app.monitor.view is not None, "a view")
        await app.press("n", "n", "N")
        await app.iteration(2)
        await app.mode("2", "train")
        await app.press("space")
        await app.state("completed")
        assert app.saved() == app.plain(Experiment.load(xor))


async def test_a_saved_step_is_left_by_playing_on(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        await app.mode("3", "step")
        await app.state("stepping")
        await app.press("n", "n", "n")
        await app.until(lambda: app.monitor.view and app.monitor.view.cursor == 3, "three steps")
        await app.press("space")
        await app.state("completed")
        assert "epoch 5/5" in app.counters


async def test_the_help_lists_the_keys(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        await app.press("question_mark")
        await app.until(lambda: isinstance(app.app.screen, Help), "the help")
        await app.shows("Restart")
        await app.press("question_mark")
        await app.until(lambda: not isinstance(app.app.screen, Help), "its end")


async def test_f5_trains_from_anywhere(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        await app.mode("1", "build")
        await app.press("f5")
        await app.state("completed")
        assert app.app.current_mode == "train"


async def test_letters_typed_into_a_dialog_are_text(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        await app.press("l")
        field = app.app.screen.query_one(Input)
        field.value = ""
        await app.press("q", "1", "e", "space", "r")
        assert field.value == "q1e r"
        assert app.app.return_code is None
        assert app.monitor.iteration == 0


async def test_ctrl_q_leaves_from_a_dialog_too(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        await app.press("question_mark", "l", "ctrl+q")
        await app.until(lambda: app.app.return_code == 0, "the end")


async def test_what_is_in_no_file_is_asked_about_once_however_often_one_leaves(
    laboratory: Any, xor: Path
) -> None:
    async with laboratory(xor) as app:
        app.desk.draft.set("layers[0].units", 7)
        await app.press("l", "ctrl+q", "ctrl+q")
        await app.shows("changes that are in no file")
        await app.press("escape")
        await app.until(lambda: len(app.app.screen_stack) == 1, "the mode")
        assert app.app.return_code is None
        await app.press("space")
        await app.state("completed")


async def test_an_edit_is_taken_over_before_and_kept_back_after_the_first_update(
    laboratory: Any, xor: Path
) -> None:
    async with laboratory(xor) as app:
        await app.mode("1", "build")
        app.desk.draft.set("layers[0].units", 7)
        app.app.screen.reload()
        await app.until(lambda: "xor · 7 tanh" in app.title, "the edit in the run")
        await app.mode("2", "train")
        await app.press("N")
        await app.iteration(1)
        await app.mode("1", "build")
        app.desk.draft.set("layers[0].units", 3)
        app.app.screen.reload()
        await app.until(lambda: "≠ Build: r starts it" in app.title, "a hint")
        assert "xor · 7 tanh" in app.title
        await app.mode("2", "train")
        await app.press("space")
        await app.state("completed")
        assert app.monitor.opened.parameters == (21, 8)
        await app.press("r")
        await app.until(lambda: "xor · 3 tanh" in app.title, "the edited network")
        await app.until(lambda: app.monitor.opened.parameters == (9, 4), "its parameters")
        assert "≠ Build" not in app.title


@pytest.mark.parametrize("key", ["2", "3", "f5"])
async def test_that_build_holds_another_experiment_is_said_once_where_the_run_is(
    laboratory: Any, moons: Path, key: str
) -> None:
    async with laboratory(moons, size=(80, 24)) as app:
        await app.press("N")
        await app.iteration(1)
        await app.mode("1", "build")
        app.desk.draft.set("layers[0].units", 3)
        app.app.screen.reload()
        await app.until(lambda: "≠ Build" in app.title, "a hint")
        assert not app.app._notifications
        await app.press(key)
        await app.shows("Build holds another experiment: r starts it")
        await app.shows("  ≠ Build:")
        assert len(app.app._notifications) == 1
        app.app.clear_notifications()
        await app.mode("1", "build")
        await app.mode("2", "train")
        await app.press("N")
        await app.iteration(2)
        assert all("Build" not in said.title for said in app.app._notifications)
        app.app._said.clear()  # as if it no longer stood there
        app.desk.draft.set("layers[0].units", 4)
        await app.mode("1", "build")
        await app.mode("2", "train")
        await app.shows("Build holds another experiment: r starts it")


async def test_the_folder_of_nothing_is_refused_and_one_can_still_train(
    laboratory: Any, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    async with laboratory(tmp_path / "empty") as app:
        await app.until(lambda: "holds no checkpoint" in app.log, "a refusal")
        await app.shows("holds no checkpoint")
        assert "starting" not in app.counters
        await app.press("space")
        await app.iteration(1)
        assert "mnist_small" in app.title


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (40, 12), (20, 6)])
async def test_every_theme_and_size_can_be_drawn(
    laboratory: Any, xor: Path, size: tuple[int, int]
) -> None:
    async with laboratory(xor, size) as app:
        await app.press("space")
        await app.state("completed")
        for key, name in (("1", "build"), ("3", "step"), ("2", "train")):
            await app.mode(key, name)
            for theme in ("textual-light", "nord", "textual-dark"):
                app.app.theme = theme
                await app.pilot.pause()
                assert len(app.screen().splitlines()) == size[1]


async def test_a_theme_reaches_every_mode_wherever_it_is_chosen(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        for theme, bright in (("textual-dark", False), ("textual-light", True), ("nord", False)):
            app.app.theme = theme
            for key, name in MODES:
                await app.mode(key, name)
                await app.pilot.pause()
                assert all((shade > 128) is bright for shade in backgrounds(app)), (theme, name)


def backgrounds(app: Any) -> list[int]:
    """How bright it is behind the counters, in each of the first columns (0 to 255)."""
    line = app.app.screen.query_one(Counters).region.y
    styles = [app.app.screen.get_style_at(column, line) for column in range(20)]
    return [max(style.bgcolor.get_truecolor()) for style in styles]


async def test_styles_are_parsed_once_however_many_modes_are_entered(
    laboratory: Any, xor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Textual would parse all it has, three times over, for each new mode."""
    parsed = []
    parse = stylesheet.parse

    def count(scope: str, css: str, *of: Any, **how: Any) -> Any:
        parsed.append(css)
        return parse(scope, css, *of, **how)

    monkeypatch.setattr(stylesheet, "parse", count)
    async with laboratory(xor) as app:
        for key, name in MODES:
            await app.mode(key, name)
        assert len(parsed) > 50
        assert len(parsed) <= 2 * len(set(parsed))
        parsed.clear()
        app.app.theme = "textual-light"
        await app.pilot.pause()
        assert len(parsed) > 50


async def test_one_may_leave_while_a_mode_is_put_up(laboratory: Any, xor: Path) -> None:
    """Textual mounts nothing more then: a list of choices, begun, gets no list (NoMatches)."""
    async with laboratory(xor) as app:
        app.app.screen.mount(Select([("one", 1), ("two", 2)]))
        app.app.exit()
    assert app.app.return_code == 0


async def test_the_same_is_not_said_twice_at_once(laboratory: Any, xor: Path) -> None:
    async with laboratory(xor) as app:
        for _ in range(3):
            app.app.notify("layers[0]: no such thing [b]", title="Refused")
        await app.shows("layers[0]: no such thing [b]")
        assert app.screen().count("no such thing") == 1
        app.app.notify("something else")
        await app.shows("something else")


async def test_a_click_on_what_is_just_being_removed_is_no_error(
    laboratory: Any, xor: Path
) -> None:
    async with laboratory(xor) as app:
        title = app.app.screen.query_one(RunTitle)
        place, parent = title.region.offset + Offset(3, 0), title._parent
        title._detach()  # as it is for a moment on its way out: it still stands in the picture
        await app.pilot.click(offset=place)
        title._attach(parent)
