"""The line of keys follows the focus, and is left alone where it would say the same."""

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.widgets import Input
from textual.widgets._footer import FooterKey
from waiting import until

from tui_nn.widgets.key_line import KeyLine


class Counted(Input):
    BINDINGS = [Binding("ctrl+t", "count", "Count")]


class Fields(App[None]):
    BINDINGS = [Binding("ctrl+s", "save", "Save")]

    def compose(self) -> ComposeResult:
        yield Input(id="one")
        yield Input(id="two")
        yield Counted(id="three")
        yield KeyLine()

    @property
    def keys(self) -> dict[str, FooterKey]:
        return {key.description: key for key in self.query(FooterKey)}


async def test_the_keys_are_made_anew_only_where_they_change() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        await until(pilot, lambda: [*app.keys] == ["Save"])
        before = app.keys["Save"]
        await pilot.press("tab")
        await pilot.pause()
        assert app.focused is app.query_one("#two")
        assert app.keys["Save"] is before
        await pilot.press("tab")
        await until(pilot, lambda: sorted(app.keys) == ["Count", "Save"])
        await pilot.press("tab")
        await until(pilot, lambda: [*app.keys] == ["Save"])
