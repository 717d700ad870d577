"""Dialogs: numbers are checked while they are typed, and everything can be left by escape."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App
from textual.widgets import Button, Input, Label, OptionList

from tui_nn.widgets.dialogs import (
    Ask,
    Choose,
    Decide,
    epochs_parser,
    parse_positive,
    parse_whole,
)


@pytest.mark.parametrize(("text", "value"), [("0.01", 0.01), (" 1e-2 ", 0.01), ("3", 3.0)])
def test_positive_numbers(text: str, value: float) -> None:
    assert parse_positive(text) == value


@pytest.mark.parametrize(
    "text", ["", "x", "0", "-1", "nan", "inf", "-inf", "1e999", "0,5", "1e-999"]
)
def test_what_is_no_positive_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|must be"):
        parse_positive(text)


@pytest.mark.parametrize("text", ["", "x", "0", "-3", "2.5", "1e3", "1000000001", "9" * 5000])
def test_what_is_no_number_of_epochs(text: str) -> None:
    with pytest.raises(ValueError, match=r"whole number|must be"):
        parse_whole(text)


def test_no_fewer_epochs_than_have_begun() -> None:
    parse = epochs_parser(10)
    assert [parse("10"), parse("12")] == [10, 12]
    with pytest.raises(ValueError, match="not fewer than the 10 that have begun"):
        parse("3")
    with pytest.raises(ValueError, match="is no whole number"):
        parse("x")


@given(st.text())
def test_any_text_is_a_number_or_a_message(text: str) -> None:
    for parse in (parse_positive, parse_whole):
        try:
            value = parse(text)
        except ValueError:
            continue
        assert value > 0
        assert math.isfinite(value)


class Asking(App[None]):
    def __init__(self, dialog: Any) -> None:
        super().__init__()
        self.dialog = dialog
        self.answers: list[Any] = []

    def on_mount(self) -> None:
        self.push_screen(self.dialog, self.answers.append)


def problem(app: Asking) -> str:
    return str(app.screen.query_one(".problem", Label).render())


async def test_a_wrong_number_is_kept_with_its_problem_beside_it() -> None:
    app = Asking(Ask("Rate", "0.01", parse_positive))
    async with app.run_test() as pilot:
        field = app.screen.query_one(Input)
        assert field.has_focus
        field.value = "0.0x"
        await pilot.pause()
        assert "is no number" in problem(app)
        await pilot.press("enter")
        assert not app.answers
        assert field.value == "0.0x"
        field.value = "0.05"
        await pilot.pause()
        assert problem(app) == ""
        await pilot.press("enter")
    assert app.answers == [0.05]


@pytest.mark.parametrize(
    "dialog",
    [
        lambda: Ask("Rate", "0.01", parse_positive, "a hint"),
        lambda: Decide("Dead", "text", {"a": "A", "b": "B"}),
        lambda: Choose("Runs", [("a", "A")], "none"),
        lambda: Choose("Runs", [], "none"),
    ],
)
async def test_escape_leaves_things_as_they_are(dialog: Any) -> None:
    app = Asking(dialog())
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("escape")
    assert app.answers == [None]


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (("enter",), "a"),
        (("tab", "enter"), "b"),
        (("right", "right", "enter"), "c"),
        (("left", "enter"), "c"),
    ],
)
async def test_decisions_by_key(keys: tuple[str, ...], answer: str) -> None:
    app = Asking(Decide("Dead", "text", {"a": "A", "b": "B", "c": "C"}))
    async with app.run_test() as pilot:
        await pilot.press(*keys)
    assert app.answers == [answer]


async def test_decisions_by_mouse_in_a_small_terminal() -> None:
    choices = {
        "resume": "Go on from iteration 1,234,567",
        "again": "Start anew",
        "leave": "Leave it",
    }
    app = Asking(Decide("The engine has died", "The last autosave is of …" * 4, choices))
    async with app.run_test(size=(80, 24)) as pilot:
        screen = app.screen.region
        assert all(screen.contains_region(button.region) for button in app.screen.query(Button))
        await pilot.click("#leave")
    assert app.answers == ["leave"]


async def test_a_run_is_chosen() -> None:
    app = Asking(Choose("Runs", [("/a", "first [x]"), ("/b", "second")], "none"))
    async with app.run_test() as pilot:
        assert app.screen.query_one(OptionList).option_count == 2
        await pilot.press("down", "enter")
    assert app.answers == ["/b"]
