"""A change of what a widget holds is whole, even if who asked for it is called off."""

import asyncio

from textual.app import App, ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Label, Markdown

from tui_nn.widgets.exchange import Exchange


class Pane(App[None]):
    """One container, whose label is exchanged."""

    def compose(self) -> ComposeResult:
        yield Vertical(Label("at first", id="text"))

    async def exchange(self, text: str) -> None:
        """Another label, of the same id: two of them at once would be refused."""
        pane = self.query_one(Vertical)
        await pane.remove_children()
        await pane.mount(Container(Markdown("- a list\n\nand text"), Label(text, id="text")))


async def test_called_off_changes_leave_no_halves() -> None:
    app, exchange = Pane(), Exchange()
    async with app.run_test() as pilot:
        for steps in range(12):  # called off at every point of its way
            asking = asyncio.create_task(exchange(lambda: app.exchange("called off")))
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await exchange(lambda: app.exchange("kept"))
            assert [str(label.content) for label in app.query("#text").results(Label)] == ["kept"]
            await pilot.pause()  # all widgets still answer


async def test_one_that_has_not_begun_is_dropped() -> None:
    app, exchange, made = Pane(), Exchange(), []

    async def change(name: str) -> None:
        made.append(name)
        await asyncio.sleep(0)

    async with app.run_test():
        asking = [
            asyncio.create_task(exchange(lambda name=name: change(name)))  # type: ignore[misc]
            for name in ("first", "dropped", "last")
        ]
        await asyncio.sleep(0)
        asking[1].cancel()
        await asyncio.gather(asking[0], asking[2])
    assert made == ["first", "last"]
