"""Learning by a rule, from the form to the last weight, as a person at the screen does it."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input, Select, TextArea

from tui_nn.cli import main
from tui_nn.draft import Draft
from tui_nn.forms.field import Edited, Field
from tui_nn.forms.parts import PartList, part_form, parts_of
from tui_nn.modes.step import Step
from tui_nn.review import review
from tui_nn_engine import Experiment, Trainer

SIGMOID = """dtype = "float64"
[data]
name = "gates"
gate = "or"
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"
[loss]
type = "binary_crossentropy"
[optimizer]
type = "sgd"
learning_rate = 0.5
[training]
epochs = 6
batch_size = 1
shuffle = false
threads = 1
"""
PERCEPTRON = (
    SIGMOID.partition("[loss]")[0].replace("sigmoid", "step")
    + '[rule]\ntype = "perceptron"\nlearning_rate = 0.2\n'
    + "[training]"
    + SIGMOID.partition("[training]")[2]
)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    path = tmp_path / "gate.toml"
    path.write_text(SIGMOID)
    return path


# -- the draft ----------------------------------------------------------------------------------


def titles(draft: Draft) -> list[str]:
    return [part.title for part in parts_of(draft.model, draft.tree)]


def test_a_rule_takes_the_place_of_loss_and_optimizer_and_gives_it_back() -> None:
    draft = Draft(Experiment.from_toml(SIGMOID))
    before = draft.tree
    draft.set("rule", {"type": "perceptron"})
    # A rule has a rate, so a schedule makes as much sense beside it as beside an optimizer.
    assert titles(draft) == [
        "Data",
        "dense_1",
        "Learning",
        "Schedule",
        "Training",
        "Stopping",
        "General",
    ]
    assert "loss" not in draft.tree
    assert "optimizer" not in draft.tree
    draft.set("rule.learning_rate", 0.2)
    draft.set("layers[0].activation", "step")
    draft.set("rule", None)
    assert draft.tree == before | {"layers": draft.tree["layers"]}
    assert titles(draft) == [
        "Data", "dense_1", "Learning", "Loss", "Optimizer", "Schedule", "Training", "Stopping",
        "General",
    ]  # fmt: skip
    for _ in range(4):
        draft.undo()
    assert draft.tree == before
    draft.redo()
    assert draft.tree["rule"] == {"type": "perceptron"}


def test_a_schedule_moves_the_rate_of_a_rule() -> None:
    rule = Experiment.from_toml(PERCEPTRON)
    trainer = Trainer(rule.overridden(["schedule.type=exponential", "schedule.gamma=0.5"]))
    batches, rates = trainer.batches_per_epoch, []
    for _ in range(3 * batches):
        rates.append(float(trainer.state.clock["learning_rate"]))
        trainer.update()
    assert rates == [0.2] * batches + [0.1] * batches + [0.05] * batches


def test_without_a_loss_in_its_past_a_draft_says_that_one_is_missing() -> None:
    draft = Draft(Experiment.from_toml(PERCEPTRON))
    draft.set("rule", None)
    assert [str(one) for one in draft.review().problems] == ["loss: is missing"]


def test_what_stands_beside_a_rule_is_shown_and_taken_out() -> None:
    tree = Experiment.from_toml(SIGMOID).tree() | {"rule": {"type": "hebb"}}
    assert [part.title for part in parts_of(Experiment, tree)][2:5] == [
        "Learning", "Loss", "Optimizer",
    ]  # fmt: skip
    found = review(tree)
    assert [one.path for one in found.problems] == ["loss", "optimizer"]
    assert [fix.remedy for fix in found.fixes] == ["remove loss", "remove optimizer"]
    left = review(review(found.fixes[0].tree).fixes[0].tree)
    assert left.experiment is not None
    assert left.experiment.rule is not None


def test_other_data_keeps_the_rule_and_fits_the_network() -> None:
    draft = Draft(Experiment.from_toml(PERCEPTRON))
    draft.set("data", {"name": "iris"})
    data = draft.review().data
    assert data is not None
    draft.fit_to(data)
    assert draft.tree["rule"]["type"] == "perceptron"
    assert draft.layers == [{"type": "dense", "units": 3, "activation": "step"}]
    assert draft.review().trainable is not None


# -- the form -----------------------------------------------------------------------------------


class FormApp(App[None]):
    def __init__(self, draft: Draft, path: str) -> None:
        super().__init__()
        self.draft, self.path = draft, path

    def compose(self) -> ComposeResult:
        yield part_form(self.draft.model, self.path, self.draft.value(self.path))

    def on_edited(self, event: Edited) -> None:
        self.draft.set(event.path, event.value)


async def test_gradient_descent_is_one_of_the_choices() -> None:
    app = FormApp(Draft(Experiment.from_toml(SIGMOID)), "rule")
    async with app.run_test(size=(100, 30)) as pilot:
        select: Select[str] = app.query(Select).first()
        assert select.value == Select.NULL
        assert select.prompt == "by gradient"
        select.value = "hebb"
        await pilot.pause()
        assert app.draft.tree["rule"] == {"type": "hebb"}
        assert [str(one.spec.name) for one in app.query(Field)][1:] == ["learning_rate"]
        select.value = Select.NULL
        await pilot.pause()
        assert "rule" not in app.draft.tree
        assert app.draft.tree["loss"] == {"type": "binary_crossentropy"}


async def test_synapses_are_whole_numbers_in_a_table() -> None:
    layer = {"type": "mcculloch_pitts", "units": 1}
    tree = Experiment.from_toml(PERCEPTRON).tree()
    draft = Draft()
    draft.replace(tree | {"layers": [layer], "rule": {"type": "fixed"}})
    app = FormApp(draft, "layers[0]")
    async with app.run_test(size=(100, 40)) as pilot:
        areas = {
            field.spec.name: field.query_one(TextArea)
            for field in app.query(Field)
            if field.spec.name in {"excitatory", "inhibitory", "thresholds"}
        }
        areas["excitatory"].text = "2\n2"
        areas["thresholds"].text = "2"
        await pilot.pause()
        assert draft.layers[0] | layer == {**layer, "excitatory": [[2], [2]], "thresholds": [2]}
        assert draft.review().trainable is not None
        areas["inhibitory"].text = "0\n0.5"
        await pilot.pause()
        assert [str(one) for one in draft.review().problems] == [
            "layers[0].inhibitory[1][0]: must be a whole number (is 0.5)"
        ]


# -- the whole program --------------------------------------------------------------------------


async def build_perceptron(app: Any, pilot: Pilot[None]) -> None:
    """Down to Learning, choose the rule, make the mend that is offered, type a rate."""
    draft = app.desk.draft
    await app.mode("1", "build")
    await app.until(lambda: isinstance(app.app.focused, PartList), "the list of parts")
    await app.press("down", "down")
    await app.shows("by gradient")
    await app.press("enter")
    await app.until(lambda: isinstance(app.app.focused, Select), "the choice")
    await app.press("enter", "down", "enter")
    await app.until(lambda: draft.value("rule") == {"type": "perceptron"}, "the rule")
    await app.shows("press f to mend: use step")
    await app.press("escape", "f")
    await app.until(lambda: draft.value("layers[0].activation") == "step", "the mend")
    await app.shows("ready to train")
    field = next(one for one in app.app.screen.query(Field) if one.path == "rule.learning_rate")
    field.query_one(Input).focus()
    await app.press("0", "full_stop", "2", "escape")
    await app.until(lambda: draft.value("rule.learning_rate") == 0.2, "the rate")
    await app.until(lambda: "rate 0.2 " in app.counters, "the edits in the run")


async def test_a_perceptron_is_built_trained_and_taken_apart(laboratory: Any, gate: Path) -> None:
    wanted = Experiment.from_toml(PERCEPTRON)
    async with laboratory(gate) as app:
        await build_perceptron(app, app.pilot)
        assert Experiment.parse(app.desk.draft.tree) == wanted
        await app.mode("2", "train")
        await app.press("space")
        await app.state("completed")
        assert app.saved() == app.plain(wanted)
        await app.press("r")
        await app.state("ready")
        await app.mode("3", "step")
        await app.state("stepping")
        straight, before = Trainer(wanted), 0
        while not straight.update():  # as long as the output is right
            before += 1
        for done in range(1, before + 1):
            await app.press("N")
            await app.iteration(done)
        await app.until(lambda: (v := app.monitor.view) and v.iteration == before + 1, "the next")
        count = len(app.monitor.listing.names)
        for done in range(1, count + 1):
            await app.press("n")
            await app.until(lambda: (v := app.monitor.view) and v.cursor == done, f"{done} steps")  # noqa: B023
        assert isinstance(app.app.screen, Step)
        await app.shows("x·e")
        view = app.monitor.view
        error = view.units["dense_1"][0, 2]
        assert error == view.target[0] - view.units["dense_1"][0, 1] != 0
        assert view.weights[:, 1].tolist() == [view.x[0] * error, view.x[1] * error, error]
        assert view.weights[:, 3].tolist() == straight.parameters.values.tolist()
        assert not view.frozen.any()


def tui_nn(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="tui-nn")


def test_the_command_line_trains_by_a_rule_and_resumes(tmp_path: Path) -> None:
    path, out = tmp_path / "perceptron.toml", tmp_path / "run"
    path.write_text(PERCEPTRON)
    result = tui_nn("train", path, "--out", out, "--set", "rule.learning_rate=0.5")
    assert result.exit_code == 0, result.output
    assert "learning_rate = 0.5" in (out / "experiment.toml").read_text()
    assert tui_nn("train", "--resume", out, "--set", "training.epochs=9").exit_code == 0
    assert tui_nn("check", path).exit_code == 0
    path.write_text(PERCEPTRON + '[optimizer]\ntype = "adam"\n')
    wrong = tui_nn("check", path)
    assert wrong.exit_code == 2
    assert "optimizer: can't stand beside [rule]" in wrong.output
