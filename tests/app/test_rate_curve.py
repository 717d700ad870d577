"""The learning rate drawn in Build mode, as the schedule's form is filled in."""

from textual.app import App
from textual.widgets import Input, Select, Static
from waiting import screen_text, until

from tui_nn.draft import Draft
from tui_nn.forms.field import Field
from tui_nn.forms.parts import PartList
from tui_nn.modes.build import Build
from tui_nn.starters import starters
from tui_nn.widgets.curve import Curve
from tui_nn.widgets.rate_curve import RateCurve


class BuildApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.build = Build(Draft(starters()["xor"]))

    def on_mount(self) -> None:
        self.push_screen(self.build)

    @property
    def rates(self) -> dict[str, list[float]]:
        """What is drawn, rounded."""
        series = self.build.query_one(RateCurve).query_one(Curve).series
        return {one.name: one.history.buckets().mean.round(6).tolist() for one in series}


def kind(app: BuildApp) -> Select[str] | None:
    """Where the kind of schedule is chosen, once that form is up."""
    found = (one for one in app.build.query(Field) if one.is_mounted and one.path == "schedule")
    return next((one.query(Select).first() for one in found if one.query(Select)), None)


async def test_the_curve_follows_the_form() -> None:
    app = BuildApp()
    async with app.run_test(size=(120, 36)) as pilot:
        pane, listing = app.build.query_one("#rate-pane"), app.build.query_one(PartList)
        await until(pilot, lambda: app.rates)
        assert not pane.display
        listing.highlighted = listing.index_of("schedule")
        await until(pilot, lambda: pane.display and kind(app))
        assert set(app.rates["rate"]) == {0.05}
        chosen = kind(app)
        assert chosen is not None
        chosen.value = "exponential"
        await until(pilot, lambda: len(set(app.rates["rate"])) > 10)
        assert app.rates["rate"][:2] == [0.05, 0.0475]
        gamma = next(
            one for one in app.build.query(Field) if one.is_mounted and one.path == "schedule.gamma"
        )
        gamma.query_one(Input).value = "0.5"
        await until(pilot, lambda: app.rates["rate"][:3] == [0.05, 0.025, 0.0125])
        gamma.query_one(Input).value = "2"  # wrong: nothing can be drawn
        await until(pilot, lambda: not app.rates)
        await until(pilot, lambda: "drawn here as soon as" in screen_text(app))


async def test_what_waits_for_the_loss_says_so_and_shows_an_example() -> None:
    app = BuildApp()
    async with app.run_test(size=(80, 24)) as pilot:
        listing = app.build.query_one(PartList)
        await until(pilot, lambda: app.rates)
        listing.highlighted = listing.index_of("schedule")
        await until(pilot, lambda: kind(app))
        chosen = kind(app)
        assert chosen is not None
        chosen.value = "adaptive"
        await until(pilot, lambda: "example" in app.rates)
        assert set(app.rates["while the loss falls"]) == {0.05}
        assert min(app.rates["example"]) < 1e-5
        words = str(app.build.query_one(RateCurve).query_one(Static).content)
        assert words == "It waits for the loss; in the example that falls to epoch 125."
