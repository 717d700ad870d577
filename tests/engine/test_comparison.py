"""A comparison file: the runs it makes, and everything that is wrong with it at once."""

from pathlib import Path
from typing import Any

import pytest

from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.comparisons.comparison import Comparison, Member, ensure_members_fit


def tree(**changes: Any) -> dict[str, Any]:
    return {
        "data": {"name": "moons", "samples": 40},
        "layers": [
            {"type": "dense", "units": 4, "activation": "tanh"},
            {"type": "dense", "units": 1, "activation": "sigmoid"},
        ],
        "loss": "binary_crossentropy",
        "optimizer": {"type": "sgd", "learning_rate": 0.1},
        "training": {"epochs": 2},
    } | changes


def members(**changes: Any) -> tuple[Member, ...]:
    return Comparison.parse(tree(**changes)).members()


def problems(comparison: Any, folder: Path = Path()) -> list[str]:
    with pytest.raises(ExperimentError) as caught:
        Comparison.parse(comparison, folder)
    return [str(problem) for problem in caught.value.problems]


def test_the_product_of_all_lists_the_last_one_fastest() -> None:
    found = members(compare={"seed": [3, 4], "optimizer.learning_rate": [0.1, 0.01]})
    assert [one.name for one in found] == [
        "seed=3 · learning_rate=0.1",
        "seed=3 · learning_rate=0.01",
        "seed=4 · learning_rate=0.1",
        "seed=4 · learning_rate=0.01",
    ]
    assert found[3].settings == {"seed": "seed=4", "learning_rate": "learning_rate=0.01"}
    assert found[3].experiment.seed == 4
    assert found[3].experiment.method.learning_rate == 0.01
    assert len({one.folder for one in found}) == 4


def test_blocks_as_alternatives_are_named_or_name_themselves() -> None:
    plain, momentum = {"type": "sgd"}, {"type": "sgd", "momentum": 0.9}
    named = members(compare={"optimizer": {"plain": plain, "with momentum": momentum}})
    assert [one.name for one in named] == ["plain", "with momentum"]
    assert named[1].experiment.tree()["optimizer"] == momentum  # whole: no rate is left over
    unnamed = members(compare={"optimizer": [plain, momentum]})
    assert [one.name for one in unnamed] == ["optimizer=sgd", "optimizer=sgd momentum=0.9"]
    assert [one.experiment for one in unnamed] == [one.experiment for one in named]


def test_variants_change_several_places_and_multiply_with_the_lists() -> None:
    wide = {"set": ["layers[0].units=16", "training.epochs=5"]}
    found = members(variants={"wide": wide, "deep": {"set": ["seed=1"]}}, compare={"seed": [7, 8]})
    assert [one.name for one in found] == [
        "wide · seed=7", "wide · seed=8", "deep · seed=7", "deep · seed=8",
    ]  # fmt: skip
    assert found[0].experiment.training.epochs == 5
    assert found[0].experiment.tree()["layers"][0]["units"] == 16


def test_paths_that_end_alike_are_told_whole() -> None:
    found = members(compare={"layers[0].units": [2, 3], "layers[1].units": [1]})
    assert found[0].name == "layers[0].units=2 · layers[1].units=1"


def test_the_experiment_may_stand_in_a_file_beside(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('data.name = "xor"\nlayers = ["flatten"]\nloss = "mse"\n')
    (tmp_path / "all.toml").write_text('experiment = "base.toml"\n[compare]\nseed = [0, 1]\n')
    found = Comparison.load(tmp_path / "all.toml").members()
    assert [one.experiment.data.name for one in found] == ["xor", "xor"]
    inside = {"experiment": tree(), "compare": {"seed": [0, 1]}}
    assert Comparison.parse(inside).members() == members(compare={"seed": [0, 1]})


def test_runs_get_one_thread_each_unless_the_file_says_otherwise() -> None:
    assert members(compare={"seed": [1]})[0].experiment.training.threads == 1
    training = {"epochs": 1, "threads": 2}
    assert members(compare={"seed": [1]}, training=training)[0].experiment.training.threads == 2


def test_the_folder_is_the_same_for_the_same_experiment_and_another_for_another() -> None:
    before, again = members(compare={"seed": [1, 2]}), members(compare={"seed": [2, 1]})
    assert before[0].folder == again[1].folder
    longer = members(compare={"seed": [1, 2]}, training={"epochs": 3})
    assert before[0].folder != longer[0].folder
    odd = members(compare={"optimizer": {"../../§ a/b": {"type": "sgd"}}})
    assert "/" not in odd[0].folder
    assert not odd[0].folder.startswith(".")


def test_all_problems_are_told_at_once_each_once_and_where() -> None:
    found = problems(
        tree(
            loss="binary_crossentropi",
            compare={"optimizer.learning_rate": [0.1, -1.0], "layers[0].units": [0, 3]},
        )
    )
    assert [one for one in found if one.startswith("loss")] == [
        "loss: 'binary_crossentropi' is not known; did you mean 'binary_crossentropy'?"
    ]
    assert (
        "layers[0].units: must be at least 1 (is 0) "
        "(in learning_rate=0.1 · units=0 and 1 more)" in found
    )
    (rate,) = [one for one in found if one.startswith("optimizer.learning_rate")]
    assert rate.endswith("(is -1.0) (in learning_rate=-1 · units=0 and 1 more)")
    assert len(found) == 3


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "compare: is missing"),
        ({"compare": {}}, "compare: lists nothing to compare"),
        ({"compare": {"seed": []}}, "compare: seed needs a list of values"),
        ({"compare": {"seed": 3}}, "compare: seed needs a list of values"),
        ({"compare": {"layers[0": [3]}}, "is no place in an experiment"),
        ({"compare": {"layers[9].units": [3]}}, "there is no item [9] in the experiment"),
        ({"compare": {"sed": [3]}}, "sed: is not known here; did you mean 'seed'?"),
        ({"compare": {"seed": [1, 1]}}, "'seed=1' and 'seed=1' are the same experiment"),
        ({"compare": {"seed": [*range(20_000)]}}, "makes 20,000 runs"),
        ({"variants": {"a": {"set": ["seed"]}}}, "write it as training.epochs=3"),
        ({"variants": {"a": {"of": "x"}}}, "variants.a.set: is missing"),
        ({"experiment": "x.toml", "compare": {"seed": [1]}}, "keep one"),
    ],
)
def test_what_makes_no_comparison_is_told(changes: dict[str, Any], text: str) -> None:
    assert any(text in problem for problem in problems(tree(**changes)))


def test_a_missing_experiment_file_is_named(tmp_path: Path) -> None:
    (found,) = problems({"experiment": "gone.toml", "compare": {"seed": [1]}}, tmp_path)
    assert found.startswith("experiment (gone.toml): ")


def test_what_does_not_fit_its_data_is_found_before_the_first_run() -> None:
    variants = {"iris": {"set": ["data={name='iris'}"]}, "moons": {"set": ["seed=1"]}}
    with pytest.raises(ExperimentError) as caught:
        ensure_members_fit(members(variants=variants))
    assert all("(in iris)" in str(problem) for problem in caught.value.problems)
    ensure_members_fit(members(compare={"seed": [1, 2]}))
    lost = members(compare={"data": {"lost": {"name": "csv", "path": "gone.csv", "target": "y"}}})
    with pytest.raises(ExperimentError, match=r"data: .*gone\.csv"):
        ensure_members_fit(lost)


def test_variants_of_several_sorts_multiply() -> None:
    data = {"moons": {"set": ["data.name=moons"]}, "circles": {"set": ["data.name=circles"]}}
    depth = {"shallow": {"set": ["layers[0].units=2"]}, "wide": {"set": ["layers[0].units=9"]}}
    found = members(variants={"data": data, "depth": depth}, compare={"seed": [5]})
    assert [one.name for one in found] == [
        "moons · shallow · seed=5", "moons · wide · seed=5",
        "circles · shallow · seed=5", "circles · wide · seed=5",
    ]  # fmt: skip
    assert found[3].settings == {"data": "circles", "depth": "wide", "seed": "seed=5"}
    assert found[3].title == "circles · wide"
    assert found[3].experiment.data.name == "circles"
    assert found[3].experiment.tree()["layers"][0]["units"] == 9
    assert members(compare={"seed": [5]})[0].title == ""


def test_what_is_wrong_in_a_sort_of_variants_is_told_where_it_stands() -> None:
    (found,) = problems(
        tree(variants={"depth": {"deep": {"sett": []}, "flat": {"set": ["seed=1"]}}})
    )[:1]
    assert found.startswith("variants.depth.deep.")
    (twice,) = problems(tree(variants={"seed": {"a": {"set": ["seed=1"]}}}, compare={"seed": [1]}))
    assert twice == "variants: two things are called 'seed' here"
