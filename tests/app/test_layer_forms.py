"""One form serves all layers: it shows the chosen one, and edits are that one's."""

from build_app import BuildApp, go, ready
from textual.widgets import Input, Select
from waiting import until

from tui_nn.draft import Draft
from tui_nn_engine.experiments.experiment import Experiment

THREE = {
    "data": {"name": "xor"},
    "layers": [
        {"type": "dense", "units": 4, "activation": "tanh"},
        {"type": "dropout", "rate": 0.25},
        {"type": "dense", "units": 1, "activation": "sigmoid", "kernel_regularizer": "l2"},
    ],
    "loss": "binary_crossentropy",
}


def draft() -> Draft:
    return Draft(Experiment.parse(THREE))


async def test_another_layer_is_shown_in_the_same_fields() -> None:
    app = BuildApp(draft())
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await go(pilot, app, "layers[0]")
        units = app.field("layers[0].units")
        assert units.query_one(Input).value == "4"
        await go(pilot, app, "layers[2]")
        assert app.field("layers[2].units") is units
        assert units.query_one(Input).value == "1"
        assert app.field("layers[2].activation").query_one(Select).value == "sigmoid"
        assert app.field("layers[2].kernel_regularizer").query_one(Select).value == "l2"
        await until(pilot, lambda: app.has_field("layers[2].kernel_regularizer.l2"))
        units.query_one(Input).focus()
        await pilot.press("end", "7")
        await until(pilot, lambda: app.draft.value("layers[2].units") == 17)
        assert app.draft.value("layers[0].units") == 4
        await go(pilot, app, "layers[0]")
        assert units.query_one(Input).value == "4"
        assert app.field("layers[0].kernel_regularizer").query_one(Select).value == Select.NULL


async def test_a_layer_of_another_type_has_its_own_fields_and_problems() -> None:
    app = BuildApp(draft())
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await go(pilot, app, "layers[0]")
        await go(pilot, app, "layers[1]")
        await until(pilot, lambda: app.has_field("layers[1].rate"))
        assert not app.has_field("layers[1].units")
        rate = app.field("layers[1].rate")
        rate.query_one(Input).focus()
        await pilot.press("end", "x")
        await until(pilot, lambda: rate.has_class("-wrong"))
        await go(pilot, app, "layers[0]")
        await until(pilot, lambda: app.has_field("layers[0].units"))
        assert not app.build.query("#form-pane .-wrong")
        await go(pilot, app, "layers[1]")
        await until(pilot, lambda: app.has_field("layers[1].rate"))
        await until(pilot, lambda: app.field("layers[1].rate").has_class("-wrong"))
        assert app.field("layers[1].rate").query_one(Input).value == "0.25x"


async def test_what_was_typed_last_belongs_to_the_layer_where_it_was_typed() -> None:
    app = BuildApp(draft())
    async with app.run_test(size=(120, 36)) as pilot:
        await ready(pilot, app)
        await go(pilot, app, "layers[0]")
        app.field("layers[0].units").query_one(Input).value = "44"
        app.build._select("layers[2]")  # before the field has heard of it
        await until(pilot, lambda: app.has_field("layers[2].units"))
        await until(pilot, lambda: app.draft.value("layers[0].units") == 44)
        assert app.draft.value("layers[2].units") == 1
        assert app.field("layers[2].units").query_one(Input).value == "1"


async def test_a_field_one_is_led_to_is_in_view_however_low_the_screen() -> None:
    app = BuildApp(draft())
    async with app.run_test(size=(120, 18)) as pilot:
        await ready(pilot, app)
        pane = app.build.query_one("#form-pane")
        for place in (
            "layers[2].bias_regularizer",  # its form is yet to come
            "layers[2].units",  # it is there, scrolled past
            "layers[2].bias_regularizer",
        ):
            app.build._select("layers[2]", place=place)
            await until(pilot, lambda place=place: app.has_field(place), place)
            await until(pilot, lambda: pane.region.contains_region(app.focused.region), place)
            assert app.focused in app.field(place).query("*")
        assert pane.scroll_y > 0
