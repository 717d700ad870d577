import os
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le, Lt, MinLen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic.fields import FieldInfo
from tui_nn_engine.data import DATA_BLOCKS, GivenData
from tui_nn_engine.experiment import MAX_SEED, Change, Experiment, Training, overridden
from tui_nn_engine.initializers import INITIALIZERS, Given, Uniform
from tui_nn_engine.layers import LAYERS
from tui_nn_engine.paths import path_of, steps_of, value_at, with_value
from tui_nn_engine.primitives.activations import ACTIVATIONS
from tui_nn_engine.primitives.losses import LOSSES
from tui_nn_engine.primitives.updates import OPTIMIZERS
from tui_nn_engine.schema import Block, ExperimentError, Kind, choices, kind_name

FILE = """\
# Exclusive or, by hand.
seed = 3

[data]  # four corners
name = "xor"

# The hidden layer.
[[layers]]
type = "dense"
units = 4  # enough
activation = "tanh"

# The output.
[[layers]]
type = "dense"
units = 1
activation = "sigmoid"

[loss]
type = "binary_crossentropy"

[optimizer]
type = "sgd"
learning_rate = 0.5  # bold

[training]
epochs = 20
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ExperimentError) as caught:
        Experiment.from_toml(text)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem) for problem in caught.value.problems]


def with_line(old: str, new: str) -> str:
    assert FILE.count(old) == 1
    return FILE.replace(old, new)


def test_all_problems_of_a_file_at_once():
    text = """
        sed = 3
        seed = -1
        dtype = "float16"
        [data]
        name = "xor"
        noise = nan
        [[layers]]
        type = "dense"
        units = 0
        unit = 4
        activation = { type = "leaky_relu", negative_slope = 3 }
        [[layers]]
        type = "dens"
        [loss]
        type = "mse"
        [optimizer]
        type = "adam"
        beta_1 = 1
        learning_rate = 0
        [training]
        epochs = 1.5
        batch_size = "many"
        shuffle = "perhaps"
        changes = [{ iteration = -1 }]
    """
    assert problems(text) == [
        "seed: must be at least 0 (is -1)",
        "dtype: must be 'float32' or 'float64' (is 'float16')",
        "data.noise: must be a finite number (is nan)",
        "layers[0].units: must be at least 1 (is 0)",
        "layers[0].activation.negative_slope: must be at most 1.0 (is 3)",
        "layers[0].unit: is not known here; did you mean 'units'?",
        "layers[1]: 'dens' is not known; did you mean 'dense'?",
        "optimizer.learning_rate: must be greater than 0.0 (is 0)",
        "optimizer.beta_1: must be less than 1.0 (is 1)",
        "training.epochs: must be a whole number (is 1.5)",
        "training.batch_size: must be a whole number (is 'many')",
        "training.shuffle: must be true or false (is 'perhaps')",
        "training.changes[0].iteration: must be at least 0 (is -1)",
        "training.changes[0].learning_rate: is missing",
        "sed: is not known here; did you mean 'seed'?",
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["data: is missing", "layers: is missing", "loss: is missing"]),
        (
            "data = 3\nlayers = 3\nloss = 3\noptimizer = []\ntraining = 'long'",
            [
                "data: must be a table (is 3)",
                "layers: must be a list (is 3)",
                "loss: must be a table (is 3)",
                "optimizer: must be a table (is [])",
                "training: must be a table (is 'long')",
            ],
        ),
    ],
)
def test_whole_blocks_missing_or_of_the_wrong_kind(text: str, wanted: list[str]):
    assert problems(text) == wanted


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ('"xor"', '"xr"', "data: 'xr' is not known; did you mean 'xor'?"),
        ('name = "xor"', "", "data: needs its 'name', which says what it is (is {})"),
        ('"tanh"', '"tnah"', "layers[0].activation: 'tnah' is not known; did you mean 'tanh'?"),
        (
            '"binary_crossentropy"',
            '"x"',
            "loss: 'x' is not known; known: categorical_crossentropy, binary_crossentropy, "
            "mean_squared_error, half_squared_error",
        ),
        ('"xor"', '"xor"\nsampels = 3', "data.sampels: is not known here; did you mean 'samples'?"),
        ("epochs = 20", "epoch = 20", "training.epoch: is not known here; did you mean 'epochs'?"),
        ("epochs = 20", "threads = 2000", "training.threads: must be at most 1024 (is 2000)"),
        ("epochs = 20", "changes = [3]", "training.changes[0]: must be a table (is 3)"),
        (
            "seed = 3",
            f"seed = {2**63}",
            f"seed: must be at most {2**63 - 1} (is {2**63})",
        ),
        (
            "seed = 3",
            "int = 3",
            "int: is not known here; known: seed, dtype, data, layers, loss, optimizer, training",
        ),
        (
            "units = 1\n",
            "units = 1\nkernel_initializer = { type = 'given', values = ['a'] }\n",
            "layers[1].kernel_initializer.values[0]: must be a number (is 'a')",
        ),
        (
            "units = 1\n",
            "units = 1\nkernel_initializer = { type = 'given', values = [[1], ['a']] }\n",
            "layers[1].kernel_initializer.values[1][0]: must be a number (is 'a')",
        ),
        (
            "units = 1\n",
            "units = 1\nkernel_initializer = { type = 'given', values = [[1], [2, 3]] }\n",
            "layers[1].kernel_initializer.values: rows must be equally long (have [1, 2] numbers)",
        ),
        (
            "units = 1\n",
            "units = 1\nkernel_initializer = { type = 'uniform', minval = 1, maxval = 0 }\n",
            "layers[1].kernel_initializer: minval (1.0) must not be above maxval (0.0)",
        ),
        (
            "units = 1\n",
            f"units = 'many{'y' * 100}'\n",
            f"layers[1].units: must be a whole number (is 'many{'y' * 52}...)",
        ),
        ('"xor"', "3", None),
    ],
)
def test_one_mistake_is_one_problem(old: str, new: str, wanted: str | None):
    found = problems(with_line(old, new))
    assert len(found) == 1
    assert wanted is None or found == [wanted]


def test_a_list_with_only_wrong_items_is_not_called_empty_as_well():
    one = FILE[: FILE.index("# The output")] + FILE[FILE.index("[loss]") :]
    assert problems(one.replace("units = 4", "units = 0")) == [
        "layers[0].units: must be at least 1 (is 0)"
    ]
    assert problems(
        one[: one.index("# The hidden")].replace("seed = 3", "layers = []\nloss = 'mse'")
    )[0].startswith("layers: needs at least 1 of them (has 0)")


def test_a_bare_string_stands_for_its_kind_with_defaults():
    short = Experiment.from_toml(FILE)
    long = Experiment.from_toml(with_line('"tanh"', '{ type = "tanh" }'))
    assert short == long
    assert long.tree()["layers"][0]["activation"] == "tanh"
    leaky = with_line('"tanh"', '{ type = "leaky_relu", negative_slope = 0.2 }')
    assert Experiment.from_toml(leaky).tree()["layers"][0]["activation"] == "leaky_relu"
    leakier = Experiment.from_toml(leaky.replace("0.2", "0.3")).tree()["layers"][0]["activation"]
    assert leakier == {"type": "leaky_relu", "negative_slope": 0.3}


ALIASES = [
    (place, alias, kind_name(kind))
    for place, kinds in (
        ("loss", LOSSES),
        ("optimizer", OPTIMIZERS),
        ("layers[0].activation", ACTIVATIONS),
        ("layers[0].kernel_initializer", INITIALIZERS),
        ("layers[0]", LAYERS),
    )
    for kind in kinds
    for alias in kind.aliases
]


@pytest.mark.parametrize(("place", "alias", "name"), ALIASES)
def test_aliases_are_read_and_the_canonical_name_is_written_back(place: str, alias: str, name: str):
    tree = with_value(Experiment.from_toml(FILE).tree(), steps_of(f"{place}.type"), alias)
    if place == "loss":
        tree["loss"] = alias  # a bare string, too
    experiment = Experiment.parse(tree)
    written = value_at(experiment.tree(), steps_of(place))
    assert (written if isinstance(written, str) else written["type"]) == name
    assert f'"{alias}"' not in experiment.to_toml()


@pytest.mark.parametrize("kinds", [LOSSES, OPTIMIZERS, ACTIVATIONS, INITIALIZERS, LAYERS])
def test_no_name_means_two_things(kinds: tuple[type[Kind], ...]):
    names = [name for kind in kinds for name in (kind_name(kind), *kind.aliases)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "model",
    [*DATA_BLOCKS, *LAYERS, *LOSSES, *OPTIMIZERS, *ACTIVATIONS, *INITIALIZERS, Training, Change],
)
def test_every_field_says_in_one_line_what_it_is(model: type[Block]):
    for name, field in model.model_fields.items():
        if name not in {"type", "name"}:
            described = field.description or field.title
            assert described, f"{model.__name__}.{name}"
            assert "\n" not in described


# Experiments built from the models themselves, so that a new kind is tried without a line here.
NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
RECTANGLES = st.integers(1, 3).flatmap(
    lambda width: st.lists(
        st.lists(NUMBERS, min_size=width, max_size=width), min_size=1, max_size=3
    )
)
SPECIAL: dict[type[Block], dict[str, st.SearchStrategy[Any]]] = {
    Given: {"values": st.lists(NUMBERS, max_size=4) | RECTANGLES},
    Uniform: {"minval": st.floats(-2, 0), "maxval": st.floats(0, 2)},
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
    return st.text(min_size=1)


def tree_of(model: type[Block]) -> st.SearchStrategy[dict[str, Any]]:
    """Trees that the model accepts; what has a default may be left out."""
    special = SPECIAL.get(model, {})
    made = {
        name: special[name] if name in special else values_of(field.annotation, field.metadata)
        for name, field in model.model_fields.items()
    }
    wanted = {n for n, field in model.model_fields.items() if field.is_required() or n == "type"}
    return st.fixed_dictionaries(
        {name: each for name, each in made.items() if name in wanted},
        optional={name: each for name, each in made.items() if name not in wanted},
    )


EXPERIMENTS = tree_of(Experiment).map(Experiment.parse)
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
        Experiment.from_toml(with_line("seed = 3", "seed = 4")).save(path)
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


# Overrides: --set.


@pytest.mark.parametrize(
    ("assignment", "path", "value"),
    [
        ("training.epochs=3", "training.epochs", 3),
        (" training.epochs = 3 ", "training.epochs", 3),
        ("layers[1].units=7", "layers[1].units", 7),
        ("layers[0].activation=relu", "layers[0].activation", "relu"),
        ('layers[0].activation="relu"', "layers[0].activation", "relu"),
        (
            "layers[0].activation.type=leaky_relu",
            "layers[0].activation",
            "leaky_relu",
        ),
        (
            "layers[0].kernel_initializer.type=zeros",
            "layers[0].kernel_initializer",
            "zeros",
        ),
        ("training.threads=2", "training.threads", 2),
        ("training.shuffle=false", "training.shuffle", False),
        ("data={name='iris'}", "data", {"name": "iris"}),
        (
            "training.changes=[{iteration=1, learning_rate=0.5}]",
            "training.changes[0].learning_rate",
            0.5,
        ),
    ],
)
def test_an_override_is_put_in(assignment: str, path: str, value: Any):
    experiment = Experiment.from_toml(FILE).overridden([assignment])
    assert value_at(experiment.tree(), steps_of(path)) == value


def test_overrides_are_made_in_order_and_a_bare_string_becomes_a_table():
    overrides = ["layers[0].activation=leaky_relu", "layers[0].activation.negative_slope=0.1"]
    experiment = Experiment.from_toml(FILE).overridden(overrides)
    wanted = {"type": "leaky_relu", "negative_slope": 0.1}
    assert experiment.tree()["layers"][0]["activation"] == wanted


def test_overrides_leave_what_they_are_made_on_alone():
    tree = Experiment.from_toml(FILE).tree()
    kept = Experiment.from_toml(FILE).tree()
    overridden(tree, ["layers[0].units=9", "training.epochs=1"])
    assert tree == kept


@pytest.mark.parametrize(
    ("assignments", "wanted"),
    [
        (["training.epochs"], ["--set training.epochs: write it as training.epochs=3"]),
        (
            ["layers[9].units=3"],
            ["--set layers[9].units=3: there is no item [9]"],
        ),
        (
            ["=3", "a..b=3", "layers[x].units=3", "layers[0=3"],
            [
                "--set =3: '' is no place in an experiment; write it as layers[1].units",
                "--set a..b=3: 'a..b' is no place in an experiment; write it as layers[1].units",
                "--set layers[x].units=3: 'layers[x].units' is no place in an experiment; "
                "write it as layers[1].units",
                "--set layers[0=3: 'layers[0' is no place in an experiment; "
                "write it as layers[1].units",
            ],
        ),
        (["training.epoch=3"], ["training.epoch: is not known here; did you mean 'epochs'?"]),
        (["training.epochs=no"], ["training.epochs: must be a whole number (is 'no')"]),
        (["training.epochs="], ["training.epochs: must be a whole number (is '')"]),
        (["seed.x=3"], ["seed: must be a whole number (is {'x': 3})"]),
        (["seed=" + "[" * 5000], None),
        (["seed=" + "9" * 5000], None),
        (["a." * 5000 + "b=3"], None),
    ],
)
def test_overrides_that_cannot_be_made(assignments: list[str], wanted: list[str] | None):
    with pytest.raises(ExperimentError) as caught:
        Experiment.from_toml(FILE).overridden(assignments)
    assert wanted is None or [str(problem) for problem in caught.value.problems] == wanted


KEYS = st.from_regex(r"[^.\[\]]+", fullmatch=True)


@given(KEYS, st.lists(KEYS | st.integers(0, 99), max_size=9))
def test_a_path_and_its_steps_are_two_spellings_of_one_place(first: str, rest: list[Any]):
    steps = (first, *rest)
    assert steps_of(path_of(steps)) == steps


# What a run asks an experiment.


def test_the_learning_rate_follows_the_changes():
    changes = [{"iteration": 10, "learning_rate": 0.25}, {"iteration": 20, "learning_rate": 0.125}]
    tree = with_value(Experiment.from_toml(FILE).tree(), ("training", "changes"), changes)
    experiment = Experiment.parse(tree)
    rates = [experiment.learning_rate_at(iteration) for iteration in (0, 9, 10, 19, 20, 10**9)]
    assert rates == [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def test_an_experiment_cannot_be_changed_in_place():
    experiment = Experiment.from_toml(FILE)
    with pytest.raises(ValueError, match="frozen"):
        experiment.seed = 4
