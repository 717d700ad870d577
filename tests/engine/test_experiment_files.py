"""Experiments to files and back: nothing lost, comments kept, whatever the file is like."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo

from tui_nn_engine.blocks.paths import steps_of, with_value
from tui_nn_engine.blocks.schema import Block, ExperimentError, choices
from tui_nn_engine.data.data_blocks import GivenData
from tui_nn_engine.experiments.experiment import MAX_SEED, Change, Experiment
from tui_nn_engine.experiments.files import toml_of
from tui_nn_engine.layers.parallel import Branch
from tui_nn_engine.programs.initializers import Given, Uniform

FILE = (Path(__file__).parent / "xor.toml").read_text(encoding="utf-8")


def problems(text: str) -> list[str]:
    with pytest.raises(ExperimentError) as caught:
        Experiment.from_toml(text)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


# Experiments built from the models themselves, so that a new kind is tried without a line here.
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
RECTANGLES = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(NUMBERS, min_size=width, max_size=width), min_size=1, max_size=3
    )
)
PARALLEL = st.just({"type": "parallel", "branches": [{"layers": []}, {"name": "deep"}]})
SPECIAL: dict[type[Block], dict[str, st.SearchStrategy[Any]]] = {
    Given: {"values": st.lists(NUMBERS, max_size=4) | RECTANGLES},
    Uniform: {"minval": st.floats(-2, 0), "maxval": st.floats(0, 2)},
    Branch: {"layers": st.lists(st.just({"type": "dense", "units": 2}) | PARALLEL, max_size=2)},
    GivenData: {"x": RECTANGLES, "y": st.lists(NUMBERS, min_size=1, max_size=4) | RECTANGLES},
}


def values_of(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    if blocks := choices(annotation, metadata):
        return st.one_of([tree_of(block) for block in blocks])
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        marks = [
            m for mark in marks for m in (mark.metadata if isinstance(mark, FieldInfo) else [mark])
        ]
        return values_of(inner, [*marks, *metadata])
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if get_origin(annotation) is tuple:
        least = next((m.min_length for m in metadata if isinstance(m, MinLen)), 0)
        item = values_of(get_args(annotation)[0], [])
        return st.lists(item, min_size=least, max_size=4)
    if get_origin(annotation) is list:
        least = next((m.min_length for m in metadata if isinstance(m, MinLen)), 0)
        return st.lists(values_of(get_args(annotation)[0], []), min_size=least, max_size=3)
    if type(None) in get_args(annotation):
        return st.one_of(
            [values_of(a, metadata) for a in get_args(annotation) if a is not type(None)]
        )
    low = max(
        (m.ge if isinstance(m, Ge) else m.gt for m in metadata if isinstance(m, Ge | Gt)),
        default=None,
    )
    high = min(
        (m.le if isinstance(m, Le) else m.lt for m in metadata if isinstance(m, Le | Lt)),
        default=None,
    )
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        return st.integers(low, high if high is not None else MAX_SEED)
    if annotation is float:
        return st.floats(
            low,
            high,
            allow_nan=False,
            allow_infinity=False,
            exclude_min=any(isinstance(m, Gt) for m in metadata),
            exclude_max=any(isinstance(m, Lt) for m in metadata),
        )
    assert annotation is str, f"say here how to make a {annotation}"
    most = next((m.max_length for m in metadata if isinstance(m, MaxLen)), None)
    return st.text(min_size=1, max_size=most)


def tree_of(
    model: type[Block], needed: tuple[str, ...] = (), without: tuple[str, ...] = ()
) -> st.SearchStrategy[dict[str, Any]]:
    """Trees that the model accepts; what has a default and is not `needed` may be left out."""
    if model is Change:  # of a rate, or of a weight
        when, number = st.integers(0, MAX_SEED), st.floats(1e-6, 1e6)
        rates = st.fixed_dictionaries({"iteration": when, "learning_rate": number})
        weight = {"iteration": when, "weight": st.text(min_size=1), "value": NUMBERS}
        return rates | st.fixed_dictionaries(weight)
    special = SPECIAL.get(model, {})
    made = {
        name: special[name] if name in special else values_of(field.annotation, field.metadata)
        for name, field in model.model_fields.items()
        if name not in without
    }
    wanted = {
        name
        for name, field in model.model_fields.items()
        if field.is_required() or name in {"type", *needed}
    }
    return st.fixed_dictionaries(
        {name: each for name, each in made.items() if name in wanted},
        optional={name: each for name, each in made.items() if name not in wanted},
    )


EXPERIMENTS = (
    tree_of(Experiment, needed=("loss",), without=("rule",))
    | tree_of(Experiment, needed=("rule",), without=Experiment.replaced_by_rule)
).map(Experiment.parse)
TRYING = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@TRYING
@given(EXPERIMENTS, st.booleans())
def test_to_a_file_and_back_loses_nothing(experiment: Experiment, defaults: bool):
    text = experiment.to_toml(defaults=defaults)
    again = Experiment.from_toml(text)
    assert again == experiment
    assert again.tree() == experiment.tree(defaults=defaults)
    assert again.to_toml(text) == text


@TRYING
@given(EXPERIMENTS, EXPERIMENTS)
def test_any_experiment_may_replace_any_other(experiment: Experiment, other: Experiment):
    assert Experiment.from_toml(experiment.to_toml(other.to_toml())) == experiment
    assert Experiment.from_toml(experiment.to_toml(FILE)) == experiment


def test_what_says_the_same_is_left_as_it_is_written():
    assert Experiment.from_toml(FILE).to_toml(FILE) == FILE


def test_what_is_spelled_otherwise_and_says_the_same_is_left_as_it_is_written():
    text = (
        'loss = "mse" # of the lecture\n'
        'layers = [{ type = "dense", units = 1 }] # one will do\n'
        'optimizer = { type = "sgd", learning_rate = 1 } # a large step\n'
        'data = { name = "xor" }\n'
    )
    experiment = Experiment.from_toml(text)
    assert experiment.to_toml(text) == text
    tree = with_value(experiment.tree(), steps_of("optimizer.learning_rate"), 0.5)
    changed = Experiment.parse(tree).to_toml(text)
    assert 'loss = "mse" # of the lecture\n' in changed
    assert "# one will do" in changed
    assert Experiment.from_toml(changed).tree() == tree
    wrong = with_value(experiment.tree(), steps_of("seed"), "some")
    assert toml_of(wrong, text, Experiment.meaning) == f'{text}seed = "some"\n'


def changed(**values: Any) -> str:
    """FILE with values put at paths (dots and brackets as underscores will not do: a dict)."""
    tree = Experiment.from_toml(FILE).tree()
    for path, value in values.items():
        tree = with_value(tree, steps_of(path), value)
    return Experiment.parse(tree).to_toml(FILE)


def test_a_changed_value_leaves_all_comments():
    text = changed(**{"seed": 4, "layers[0].units": 8, "optimizer.learning_rate": 0.25})
    assert text == (
        FILE.replace("seed = 3", "seed = 4")
        .replace("units = 4", "units = 8")
        .replace("0.5 ", "0.25 ")
    )


def layers_changed(change: Any) -> str:
    tree = Experiment.from_toml(FILE).tree()
    change(tree["layers"])
    text = Experiment.parse(tree).to_toml(FILE)
    assert Experiment.from_toml(text).tree() == tree
    return text


def test_adding_a_layer_keeps_the_comments():
    text = layers_changed(lambda layers: layers.append({"type": "dropout", "rate": 0.5}))
    kept = [line for line in FILE.splitlines() if "#" in line]
    assert [line for line in text.splitlines() if "#" in line] == kept


def test_removing_the_last_layer_keeps_the_others_comments():
    text = layers_changed(lambda layers: layers.pop())
    for comment in (
        "# Exclusive or",
        "# four corners",
        "# The hidden layer.",
        "# enough",
        "# bold",
    ):
        assert comment in text


def test_removing_the_first_layer_takes_its_comments_with_it():
    text = layers_changed(lambda layers: layers.pop(0))
    assert "# enough" not in text
    for comment in ("# Exclusive or", "# four corners", "# bold"):
        assert comment in text


def test_a_layer_put_before_others_takes_none_of_their_comments():
    text = layers_changed(lambda layers: layers.insert(0, {"type": "flatten"}))
    assert "units = 4  # enough" in text


@pytest.mark.parametrize(
    "text",
    [
        'layers = [{type="dense", units=3}, {type="dense", units=1}]\nloss = {type="mse"}\n'
        'data.name = "xor"\n',
        'training.epochs = 3\ndata.name = "xor"\nloss.type = "mse"\n[[layers]]\ntype = "dense"\n'
        "units = 3\n",
        'loss = "mse" # mine\n[data]\nname = "xor"\n[[layers]]\ntype = "dense"\nunits = 3\n'
        'activation = { type = "relu" }\n[layers.kernel_initializer]\ntype = "zeros"\n',
        '[training]\nepochs = 3\n[data]\nname = "xor"\n[[training.changes]]\niteration = 3\n'
        'learning_rate = 0.1\n[[layers]]\ntype = "dense"\nunits = 3\n[loss]\ntype = "mse"\n',
    ],
    ids=["inline", "dotted", "mixed", "out of order"],
)
@settings(max_examples=30, deadline=None)
@given(other=EXPERIMENTS)
def test_every_way_of_writing_toml_can_be_written_onto(text: str, other: Experiment):
    experiment = Experiment.from_toml(text)
    assert Experiment.from_toml(experiment.to_toml(text)) == experiment
    assert Experiment.from_toml(other.to_toml(text)) == other


# Files.


def test_save_and_load(tmp_path: Path):
    path = tmp_path / "new folder" / "xor.toml"
    experiment = Experiment.from_toml(FILE)
    experiment.save(path)
    assert Experiment.load(path) == experiment
    path.write_text(FILE, encoding="utf-8")
    experiment.save(path)
    assert path.read_text(encoding="utf-8") == FILE
    assert [each.name for each in path.parent.iterdir()] == ["xor.toml"]


@pytest.mark.parametrize("content", [b"not [ toml", b"\xff\xfe", b"a = " + b"[" * 5000])
def test_saving_over_what_is_no_toml_replaces_it(tmp_path: Path, content: bytes):
    path = tmp_path / "xor.toml"
    path.write_bytes(content)
    Experiment.from_toml(FILE).save(path)
    assert Experiment.load(path) == Experiment.from_toml(FILE)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_save_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "xor.toml"
    path.write_text(FILE, encoding="utf-8")
    monkeypatch.setattr(*((os, "fsync") if failing == "fsync" else (Path, "replace")), full)
    with pytest.raises(OSError, match="No space left"):
        Experiment.from_toml(FILE.replace("seed = 3", "seed = 4")).save(path)
    assert path.read_text(encoding="utf-8") == FILE
    assert [each.name for each in tmp_path.iterdir()] == ["xor.toml"]


def load_error(path: Path) -> str:
    with pytest.raises(ExperimentError) as caught:
        Experiment.load(path)
    (problem,) = caught.value.problems
    return str(problem)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"seed = \n", "not a TOML file: Invalid value (at line 1, column 8)"),
        (b"seed = 1\nseed = 2", "not a TOML file: Cannot overwrite a value (at "),
        (b"seed = " + b"[" * 100_000, "not an experiment: nested too deeply"),
        (b"seed = " + b"{a=" * 100_000, "not an experiment: nested too deeply"),
        (b"seed = " + b"9" * 5000, "not a TOML file: "),
        (b"\x00\x01\x02", "not a TOML file: "),
        (b"\xff\xfe\x00s", "{path} is not a text file (UTF-8)"),
        (b"#" * (16 * 2**20 + 1), "{path} is too large for an experiment file"),
    ],
    ids=["syntax", "twice", "deep list", "deep table", "digits", "binary", "not utf-8", "huge"],
)
def test_hostile_files_get_a_clear_message(tmp_path: Path, content: bytes, message: str):
    path = tmp_path / "hostile.toml"
    path.write_bytes(content)
    assert load_error(path).startswith(message.format(path=path))


@pytest.mark.parametrize(
    "text",
    [
        f"[{'.'.join('a' * 20_000)}]",
        f"[data.{'.'.join('a' * 20_000)}]",
        f"[training.epochs.{'.'.join('a' * 20_000)}]",
        f"seed = 0x{'f' * 5000}",
        f"training = {{ epochs = [{'[],' * 50_000}] }}",
    ],
    ids=["unknown table", "in data", "in a number", "digits", "wide"],
)
def test_what_is_toml_but_hostile_is_problems_and_no_crash(text: str):
    found = problems(text)
    assert all(len(problem) < 300 for problem in found)


def test_files_that_are_not_there(tmp_path: Path):
    missing = tmp_path / "none.toml"
    assert load_error(missing) == f"can't read {missing}: No such file or directory"
    assert load_error(tmp_path) == f"can't read {tmp_path}: Is a directory"


def test_a_byte_order_mark_is_no_problem(tmp_path: Path):
    path = tmp_path / "windows.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    assert Experiment.load(path) == Experiment.from_toml(FILE)
