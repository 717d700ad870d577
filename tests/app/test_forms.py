from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import Field as Declared
from textual.app import App
from textual.widgets import Checkbox, Input, Select, TextArea
from waiting import until

from tui_nn.draft import Draft
from tui_nn.forms.field import Edited, Field
from tui_nn.forms.parts import part_form, parts_of
from tui_nn.forms.spec import Choice, Listing, Number, Numbers, Spec, Variants, specs
from tui_nn.forms.values import number_of, numbers_of, table_of, without_header
from tui_nn.starters import starters
from tui_nn_engine.blocks.schema import Block, ExperimentError, OneOf, Problem, kind_name
from tui_nn_engine.experiments.experiment import Experiment, Training
from tui_nn_engine.layers import LAYERS, Layer
from tui_nn_engine.networks.network import summarize
from tui_nn_engine.primitives.activations import AnyActivation, ReLU
from tui_nn_engine.primitives.losses import LOSSES


class Noise(Layer):
    """A layer that the app has never heard of."""

    type: Literal["noise"] = "noise"
    summary: ClassVar[str] = "adds noise while training"
    stddev: Annotated[float, Declared(ge=0, description="how much")] = 0.1
    shape: Annotated[Literal["normal", "uniform"], Declared(description="of which kind")] = "normal"
    widths: Annotated[list[float], Declared(description="one a channel")] = []
    then: Annotated[AnyActivation, Declared(description="afterwards")] = ReLU()


class Extended(Experiment):
    """The experiment with one more type of layer."""

    layers: Annotated[
        tuple[Annotated[Layer, OneOf((*LAYERS, Noise))], ...], Declared(min_length=1, strict=False)
    ]


class ExtendedDraft(Draft):
    model = Extended


class FormApp(App[None]):
    """One part's form, its edits put into a draft at once."""

    def __init__(self, path: str, draft: Draft) -> None:
        super().__init__()
        self.draft = draft
        self.path = path
        self.edits: list[tuple[str, Any]] = []

    def compose(self):
        self.form = part_form(self.draft.model, self.path, self.draft.value(self.path))
        yield self.form

    def on_edited(self, event: Edited) -> None:
        self.edits.append((event.path, event.value))
        self.draft.set(event.path, event.value)
        self.check()

    def refresh_form(self) -> None:
        self.form.show(self.draft.value(self.form.path))
        self.check()

    def check(self) -> None:
        try:
            self.draft.model.parse(self.draft.tree)
            problems = ()
        except ExperimentError as error:
            problems = error.problems
        self.form.show_problems(problems)

    def field(self, path: str) -> Field:
        return next(one for one in self.query(Field) if one.path == path)

    def has(self, path: str) -> bool:
        return any(one.path == path and one.is_mounted for one in self.query(Field))

    def editor(self, path: str, kind: type) -> Any:
        return self.field(path).query(kind).first()


def app_of(path: str, name: str = "xor") -> FormApp:
    return FormApp(path, Draft(starters()[name]))


def said(field: Field) -> str:
    return str(field.query_one(".field-problem").render()) if field.has_class("-wrong") else ""


async def test_a_number_is_told_as_it_is_typed():
    app = app_of("training")
    async with app.run_test() as pilot:
        app.editor("training.epochs", Input).focus()
        await pilot.press("end", "backspace", "backspace", "backspace", "2", "5")
        await pilot.pause()
        assert app.edits[-1] == ("training.epochs", 25)
        assert app.edits[-2] == ("training.epochs", 2)
        assert app.edits[-3] == ("training.epochs", None)
        assert said(app.field("training.epochs")) == ""


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 0.001), (" 0.5 ", 0.5), (".5", 0.5), ("0,001", "0,001"), ("nan", "nan")],
)
async def test_how_a_person_writes_a_rate(text, value):
    app = app_of("optimizer")
    async with app.run_test() as pilot:
        app.editor("optimizer.learning_rate", Input).value = text
        await pilot.pause()
        assert app.edits == [("optimizer.learning_rate", value)]
        field = app.field("optimizer.learning_rate")
        assert app.editor("optimizer.learning_rate", Input).value == text
        if isinstance(value, float):
            assert said(field) == ""
        else:
            assert said(field).startswith("✗ must be a")
            assert repr(text) in said(field)
            assert ("after a point" in said(field)) == ("," in text)


async def test_an_emptied_field_shows_its_default_and_a_needed_one_says_so():
    app = app_of("layers[0]")
    async with app.run_test() as pilot:
        units = app.editor("layers[0].units", Input)
        assert units.placeholder == "needed"
        units.value = ""
        await pilot.pause()
        assert said(app.field("layers[0].units")) == "✗ is missing"
    app = app_of("training")
    async with app.run_test() as pilot:
        batch = app.editor("training.batch_size", Input)
        batch.value = ""
        await pilot.pause()
        assert "batch_size" not in app.draft.tree["training"]
        assert batch.placeholder == "32"
        assert app.editor("training.threads", Input).placeholder == "as usual"


async def test_a_box_says_yes_and_no_in_words():
    app = app_of("training")
    async with app.run_test() as pilot:
        box = app.editor("training.shuffle", Checkbox)
        assert str(box.label) == "yes"
        box.focus()
        await pilot.press("space")
        assert app.edits == [("training.shuffle", False)]
        assert str(box.label) == "no"


async def test_switching_the_kind_keeps_what_both_have():
    app = app_of("optimizer")
    async with app.run_test() as pilot:
        select = app.query(Select).first()
        select.focus()
        await pilot.press("enter", *"sgd", "enter")
        await until(pilot, lambda: app.draft.value("optimizer.type") == "sgd")
        assert app.draft.value("optimizer") == {"type": "sgd", "learning_rate": 0.05}
        await until(pilot, lambda: app.has("optimizer.momentum"))
        assert not any(f.path == "optimizer.beta_1" for f in app.query(Field))
        assert app.editor("optimizer.learning_rate", Input).value == "0.05"


async def test_a_field_of_a_default_kind_is_written_with_its_kind():
    draft = Draft()
    draft.set("optimizer", None)
    app = FormApp("optimizer", draft)
    async with app.run_test() as pilot:
        app.editor("optimizer.learning_rate", Input).value = "0.5"
        await pilot.pause()
        assert draft.value("optimizer") == {"type": "adam", "learning_rate": 0.5}


async def test_a_kind_within_a_layer_has_fields_of_its_own():
    app = app_of("layers[0]")
    async with app.run_test() as pilot:
        app.editor("layers[0].activation", Select).value = "elu"
        await until(pilot, lambda: app.has("layers[0].activation.alpha"))
        app.editor("layers[0].activation.alpha", Input).value = "-2"
        await until(pilot, lambda: said(app.field("layers[0].activation.alpha")))
        assert app.draft.value("layers[0].activation") == {"type": "elu", "alpha": -2.0}
        assert (
            said(app.field("layers[0].activation.alpha")) == "✗ must be greater than 0.0 (is -2.0)"
        )
        assert said(app.field("layers[0].activation")) == ""


async def test_what_was_undone_is_shown_without_being_told_again():
    app = app_of("layers[0]")
    async with app.run_test() as pilot:
        app.editor("layers[0].units", Input).value = "9"
        app.editor("layers[0].activation", Select).value = "relu"
        await pilot.pause()
        told = len(app.edits)
        app.draft.undo()
        app.draft.undo()
        app.refresh_form()
        await pilot.pause()
        assert app.editor("layers[0].units", Input).value == "4"
        assert app.editor("layers[0].activation", Select).value == "tanh"
        assert len(app.edits) == told


async def test_an_unknown_kind_is_kept_and_shown():
    draft = Draft(starters()["xor"])
    draft.set("layers[0].activation", "reluu")
    app = FormApp("layers[0]", draft)
    async with app.run_test() as pilot:
        app.refresh_form()
        await pilot.pause()
        assert app.editor("layers[0].activation", Select).value == "reluu"
        assert "did you mean 'relu'?" in said(app.field("layers[0].activation"))
        assert app.edits == []


async def test_given_weights_are_edited_as_a_table():
    draft = Draft(starters()["xor"])
    given = {"type": "given", "values": [[1.0, 2.0], [3.0, 4.0]]}
    draft.set("layers[0].kernel_initializer", given)
    app = FormApp("layers[0]", draft)
    path = "layers[0].kernel_initializer.values"
    async with app.run_test(size=(80, 60)) as pilot:
        area = app.editor(path, TextArea)
        assert area.text == "1.0 2.0\n3.0 4.0"
        area.text = "1, 2\n3, x"
        await pilot.pause()
        assert said(app.field(path)) == "✗ row 2, column 2: 'x' is no number"
        area.text = "1, 2\n3, -0.5"
        await pilot.pause()
        assert app.draft.value(path) == [[1.0, 2.0], [3.0, -0.5]]
        assert said(app.field(path)) == ""


async def test_the_list_of_losses_holds_them_all_each_with_its_own_fields():
    app = app_of("loss")
    async with app.run_test(size=(80, 60)) as pilot:
        select = app.editor("loss", Select)
        field = app.field("loss")
        assert [name for name, _ in field.names()] == [kind_name(kind) for kind in LOSSES]
        assert all(summary for _, summary in field.names())
        select.value = "huber"
        await until(pilot, lambda: app.has("loss.delta"))
        app.editor("loss.delta", Input).value = "0.5"
        await pilot.pause()
        assert app.draft.value("loss") == {"type": "huber", "delta": 0.5}
        select.value = "binary_crossentropy"
        await until(pilot, lambda: app.has("loss.label_smoothing"))
        app.editor("loss.label_smoothing", Input).value = "0.1"
        await pilot.pause()
        assert app.draft.value("loss") == {"type": "binary_crossentropy", "label_smoothing": 0.1}


async def test_weights_of_classes_are_numbers_or_a_word():
    app = app_of("loss")
    path = "loss.class_weight"
    async with app.run_test(size=(80, 60)) as pilot:
        area, field = app.editor(path, TextArea), app.field(path)
        for text, value in (("1 2.5", [1.0, 2.5]), ("balanced\n", "balanced")):
            area.text = text
            await pilot.pause()
            assert app.draft.value(path) == value
            assert said(field) == ""
        field.show_problems([Problem(path, "weighs classes")])
        assert said(field) == "✗ weighs classes"
        area.text = "balancd"
        await pilot.pause()
        assert said(field) == "✗ row 1, column 1: 'balancd' is no number"
        area.text = ""
        await pilot.pause()
        assert app.draft.value(path) is None


async def test_a_list_of_blocks_grows_and_shrinks():
    app = app_of("training")
    async with app.run_test(size=(80, 60)) as pilot:
        await pilot.click("Button")
        await until(pilot, lambda: app.has("training.changes[0].iteration"))
        app.editor("training.changes[0].iteration", Input).value = "5"
        app.editor("training.changes[0].learning_rate", Input).value = "0.1"
        await pilot.pause()
        assert app.draft.value("training.changes") == [{"iteration": 5, "learning_rate": 0.1}]
        app.query("Button").first().press()
        await until(pilot, lambda: app.draft.value("training.changes") == [])
        await until(pilot, lambda: not any("changes[0]" in f.path for f in app.query(Field)))


async def test_a_new_type_of_layer_has_its_form_by_itself():
    tree = starters()["xor"].tree()
    tree["layers"].insert(1, {"type": "noise"})
    draft = ExtendedDraft(Extended.parse(tree))
    assert [part.title for part in parts_of(Extended, tree)][1:4] == [
        "dense_1",
        "noise_1",
        "dense_2",
    ]
    app = FormApp("layers[1]", draft)
    async with app.run_test(size=(80, 60)) as pilot:
        assert [f.path.removeprefix("layers[1]") for f in app.query(Field)] == [
            "", ".stddev", ".shape", ".widths", ".then",
        ]  # fmt: skip
        app.editor("layers[1].stddev", Input).value = "0.25"
        app.editor("layers[1].shape", Select).value = "uniform"
        app.editor("layers[1].widths", TextArea).text = "1 2.5"
        app.editor("layers[1].then", Select).value = "tanh"
        await pilot.pause()
        layer = Extended.parse(draft.tree).layers[1]
        assert isinstance(layer, Noise)
        assert (layer.stddev, layer.shape, layer.widths) == (0.25, "uniform", [1.0, 2.5])
        assert layer.then.type == "tanh"
        assert draft.review().problems == ()


def test_a_bidirectional_layer_is_told_by_both_its_layers_and_their_join():
    way = {"type": "lstm", "units": 2, "return_sequences": True}
    tree = starters()["xor"].tree()
    tree["layers"] = [
        {"type": "lstm", "units": 4, "return_sequences": True},
        {"type": "bidirectional", "layer": way, "merge_mode": "sum"},
        {"type": "bidirectional", "layer": way},
        {"type": "gru", "units": 1},
    ]
    experiment = Experiment.parse(tree)
    rows = summarize(experiment, (5, 3))
    parts = parts_of(Experiment, tree, rows)[1:5]
    assert [part.title for part in parts] == [
        "lstm_1",
        "lstm_2, lstm_3, add_1",
        "lstm_4, lstm_5, concatenate_1",
        "gru_1",
    ]
    named = [name for part in parts for name in part.title.split(", ")]
    assert named == [row.name for row in rows]
    found = [part.summary for part in parts]
    assert sum(row.parameters for row in found if row) == sum(row.parameters for row in rows)
    assert [row.output_shape for row in found if row] == [(5, 4), (5, 2), (5, 4), (1,)]


def test_every_block_there_is_has_a_form():
    def walk(fields: tuple[Spec, ...]) -> int:
        count = 0
        for field in fields:
            content = field.content.item if isinstance(field.content, Listing) else field.content
            blocks = content.blocks.values() if isinstance(content, Variants) else []
            count += 1 + sum(walk(specs(block)) for block in blocks)
        return count

    assert walk(specs(Experiment)) > 100


def test_a_type_that_no_form_can_show_is_refused():
    class Odd(Block):
        odd: complex = 0j

    with pytest.raises(TypeError, match="no form"):
        specs(Odd)


def test_what_a_form_knows_of_a_field():
    epochs, *_ = specs(Training)
    assert (epochs.label, epochs.content, epochs.default) == ("epochs", Number(whole=True), 10)
    assert epochs.help == "passes over the training data · at least 1"
    loss = next(one for one in specs(Experiment) if one.name == "loss")
    assert isinstance(loss.content, Variants)
    assert loss.content.chosen("mse") == "mean_squared_error"
    noise = {one.name: one.content for one in specs(Noise)}
    assert noise["shape"] == Choice(("normal", "uniform"))
    assert noise["widths"] == Numbers(frozenset({1}))


@pytest.mark.parametrize(
    ("text", "whole", "value"),
    [("12", True, 12), ("1e3", True, 1000), ("1.5", True, 1.5), ("", True, None),
     ("inf", False, "inf"), ("12x", True, "12x"), ("3", False, 3.0)],
)  # fmt: skip
def test_numbers_are_read_or_left_as_text(text, whole, value):
    read = number_of(text, whole=whole)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "ranks", "value"),
    [("1 2", {1, 2}, [1.0, 2.0]), ("1 2;", {1, 2}, [[1.0, 2.0]]), ("1;2", {1, 2}, [[1.0], [2.0]]),
     ("1 2", {2}, [[1.0, 2.0]]), ("1\n2", {1}, [1.0, 2.0]), ("  ", {1}, None), ("1 a", {1}, "1 a"),
     ("1 2 | 3 4\n5 6|", {2, 3}, [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]]), ("|", {2, 3}, None),
     ("1 2", {2, 3}, [[1.0, 2.0]]), ("1 | a", {2, 3}, "1 | a"), ("1 | 2", {2}, "1 | 2")],
)  # fmt: skip
def test_tables_of_numbers(text, ranks, value):
    assert numbers_of(text, frozenset(ranks)) == value
    if isinstance(value, list):
        assert numbers_of(table_of(value), frozenset(ranks)) == value


def test_a_header_of_a_csv_file_is_left_out():
    assert without_header("a,b\n1,2\n") == "1,2\n"
    assert without_header("1e-3,2E5\n1,2\n") == "1e-3,2E5\n1,2\n"
