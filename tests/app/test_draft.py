import pytest

from tui_nn.draft import Draft
from tui_nn.review import review
from tui_nn.starters import default_experiment, starters
from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.experiments.experiment import Experiment

DATA = {
    "wide & deep": "diabetes",
    "residual": "spiral",
    "many to one": "first_symbol",
    "many to many": "parity",
    "encoder-decoder": "reversing",
    "one to many": "spelling",
    "character model": "words",
    "forecast": "co2",
    "rows as time steps": "mnist_small",
}


def draft_of(name: str) -> Draft:
    return Draft(starters()[name])


@pytest.mark.parametrize("name", starters())
def test_every_starter_can_be_trained_as_it_is(name):
    found = draft_of(name).review()
    assert found.problems == ()
    assert found.trainable is not None
    assert found.data is not None
    assert found.data.dataset.name == DATA.get(name, name)


def test_the_default_is_the_network_the_readme_trains():
    experiment = default_experiment()
    assert experiment.data.name == "mnist_small"
    assert [layer.units for layer in experiment.layers] == [512, 10]
    assert (experiment.optimizer.type, experiment.optimizer.learning_rate) == ("adam", 0.001)
    assert (experiment.training.batch_size, experiment.training.epochs) == (128, 10)
    found = Draft().review()
    assert [row.parameters for row in found.summary] == [401_920, 5_130]


def test_edits_are_undone_and_made_again():
    draft = draft_of("xor")
    before = draft.tree
    assert not draft.modified
    assert not draft.can_undo
    draft.set("training.epochs", 7)
    assert draft.modified
    draft.undo()
    assert draft.tree == before
    assert not draft.modified
    draft.redo()
    assert draft.value("training.epochs") == 7
    assert not draft.can_redo


def test_typing_in_one_field_is_one_step_of_the_history():
    draft = draft_of("xor")
    for value in (1, 12, 123):
        draft.set("training.epochs", value)
    draft.set("training.batch_size", 2)
    draft.undo()
    assert draft.value("training.epochs") == 123
    draft.undo()
    assert draft.value("training.epochs") == 500
    assert not draft.can_undo


def test_an_edit_after_an_undo_ends_what_could_be_redone():
    draft = draft_of("xor")
    draft.set("training.epochs", 1)
    draft.undo()
    draft.set("training.epochs", 2)
    assert not draft.can_redo
    draft.undo()
    assert draft.value("training.epochs") == 500


def test_a_wrong_value_stays_and_is_told_with_its_place():
    draft = draft_of("xor")
    draft.set("layers[0].units", "four")
    found = draft.review()
    assert draft.value("layers[0].units") == "four"
    assert found.experiment is None
    assert [(p.path, p.message) for p in found.problems] == [
        ("layers[0].units", "must be a whole number (is 'four')")
    ]


def test_what_is_right_before_a_wrong_layer_is_still_known():
    draft = draft_of("spiral")
    draft.set("layers[1].units", 0)
    found = draft.review()
    assert [row.name for row in found.summary] == ["dense_1"]
    assert found.data is not None


def test_taking_a_value_away_restores_the_default():
    draft = draft_of("xor")
    draft.set("optimizer.learning_rate", None)
    assert "learning_rate" not in draft.tree["optimizer"]
    experiment = draft.review().experiment
    assert experiment is not None
    assert experiment.optimizer.learning_rate == 0.001


def test_layers_are_inserted_moved_duplicated_and_removed():
    draft = draft_of("xor")
    draft.insert("layers[1]", {"type": "dropout", "rate": 0.25})
    assert [layer["type"] for layer in draft.layers] == ["dense", "dropout", "dense"]
    draft.move("layers[1]", 2)
    assert [layer["type"] for layer in draft.layers] == ["dense", "dense", "dropout"]
    draft.duplicate("layers[2]")
    assert [layer["type"] for layer in draft.layers] == ["dense", "dense", "dropout", "dropout"]
    draft.remove("layers[0]")
    assert [layer["type"] for layer in draft.layers] == ["dense", "dropout", "dropout"]
    for _ in range(4):
        draft.undo()
    assert draft.tree == starters()["xor"].tree()


def test_a_fix_mends_what_it_says():
    draft = Draft()
    draft.set("layers[1].units", 7)
    found = draft.review()
    assert found.trainable is None
    [fix] = found.fixes
    assert fix.remedy == "set its units to 10"
    draft.replace(fix.tree)
    assert draft.review().problems == ()
    draft.undo()
    assert draft.value("layers[1].units") == 7


def test_an_unknown_key_can_be_removed():
    tree = starters()["xor"].tree()
    tree["layers"][0]["unitz"] = 3
    [fix] = review(tree).fixes
    assert fix.problem.path == "layers[0].unitz"
    assert review(fix.tree).problems == ()


@pytest.mark.parametrize(
    ("data", "output", "loss"),
    [
        (
            "iris",
            {"type": "dense", "units": 3, "activation": "softmax"},
            "categorical_crossentropy",
        ),
        ("xor", {"type": "dense", "units": 1, "activation": "sigmoid"}, "binary_crossentropy"),
        ("diabetes", {"type": "dense", "units": 1, "activation": "linear"}, "mean_squared_error"),
    ],
)
def test_other_data_brings_its_output_and_loss_in_one_step(data, output, loss):
    draft = Draft()
    before = draft.tree
    draft.set("data", {"name": data})
    found = draft.review()
    draft.fit_to(found.data)
    assert draft.review().problems == ()
    assert draft.layers == [{"type": "dense", "units": 512, "activation": "relu"}, output]
    assert draft.value("loss") == {"type": loss}
    draft.undo()
    assert draft.tree == before


def test_from_two_classes_to_many_and_from_numbers_to_classes():
    for name in ("xor", "diabetes"):
        draft = draft_of(name)
        draft.set("data", {"name": "digits"})
        draft.fit_to(draft.review().data)
        assert draft.layers[-1] == {"type": "dense", "units": 10, "activation": "softmax"}
        assert draft.value("loss.type") == "categorical_crossentropy"


def test_what_fits_the_other_data_is_kept():
    draft = draft_of("xor")
    draft.set("layers[1].activation", "tanh")
    draft.set("loss", {"type": "half_squared_error"})
    draft.set("data", {"name": "moons"})
    kept = draft.tree
    draft.fit_to(draft.review().data)
    assert draft.tree is kept


def test_data_that_cannot_be_loaded_is_a_problem_not_an_exception(tmp_path):
    draft = Draft()
    draft.set("data", {"name": "csv", "path": str(tmp_path / "nothing.csv")})
    found = draft.review()
    assert found.data is None
    assert [problem.path for problem in found.problems] == ["data"]
    assert "nothing.csv" in found.problems[0].message


def test_a_table_that_changes_on_disk_is_read_again(tmp_path):
    import os

    path = tmp_path / "own.csv"
    path.write_text("a,b,y\n" + "1,2,0\n3,4,1\n" * 5)
    draft = Draft()
    draft.set("data", {"name": "csv", "path": str(path)})
    assert draft.review().data.sample_shape == (2,)
    path.write_text("a,b,c,y\n" + "1,2,5,0\n3,4,6,1\n" * 5)
    os.utime(path, ns=(1, 1))
    assert draft.review().data.sample_shape == (3,)


def test_saving_keeps_comments_and_names_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("# for the lecture\n" + starters()["xor"].to_toml())
    draft = Draft()
    draft.open(path)
    assert draft.path == path
    assert not draft.modified
    draft.set("training.epochs", 3)
    assert draft.modified
    draft.save(path)
    assert not draft.modified
    assert path.read_text().startswith("# for the lecture\n")
    assert Experiment.load(path).training.epochs == 3


def test_undoing_past_an_opened_file_leads_back_to_the_one_before(tmp_path):
    path = tmp_path / "mine.toml"
    starters()["iris"].save(path)
    draft = draft_of("xor")
    draft.set("training.epochs", 3)
    draft.open(path)
    draft.undo()
    assert draft.path is None
    assert draft.modified
    assert draft.value("training.epochs") == 3


def test_a_file_with_wrong_values_is_opened_as_it_is(tmp_path):
    path = tmp_path / "wrong.toml"
    text = starters()["xor"].to_toml().replace("units = 4", "units = -4\ncolour = 1")
    path.write_text(text)
    draft = Draft()
    draft.open(path)
    assert draft.value("layers[0]") == {
        "type": "dense", "units": -4, "colour": 1, "activation": "tanh",
    }  # fmt: skip
    assert {problem.path for problem in draft.review().problems} == {
        "layers[0].units", "layers[0].colour",
    }  # fmt: skip
    draft.set("training.epochs", "many")
    draft.save(path)
    assert not draft.modified
    assert path.read_text() == text.replace("epochs = 500", 'epochs = "many"')
    assert {problem.path for problem in draft.problems} == {
        "layers[0].units", "layers[0].colour", "training.epochs",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["layers = 5\n", "[[layers]]\ntype = 3\n", "data = 1"])
def test_a_broken_file_never_raises_in_the_review(tmp_path, text):
    path = tmp_path / "broken.toml"
    path.write_text(text)
    draft = Draft()
    draft.open(path)
    assert draft.review().problems


def test_a_file_that_is_no_toml_changes_nothing(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("= no toml")
    draft = Draft()
    before = draft.tree
    with pytest.raises(ExperimentError, match="not a TOML file"):
        draft.open(path)
    assert (draft.tree, draft.path) == (before, None)


def test_starting_anew_forgets_the_file_and_is_undone(tmp_path):
    path = tmp_path / "mine.toml"
    draft = draft_of("iris")
    draft.save(path)
    draft.start(starters()["xor"])
    assert (draft.path, draft.modified) == (None, False)
    draft.undo()
    assert (draft.path, draft.modified) == (path, False)
