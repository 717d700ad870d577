from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_nn_engine.blocks.paths import path_of, steps_of, value_at, with_value
from tui_nn_engine.blocks.schema import Block, ExperimentError, Kind, kind_name
from tui_nn_engine.data.data_blocks import DATA_BLOCKS
from tui_nn_engine.experiments.experiment import Change, Experiment, Training, overridden
from tui_nn_engine.experiments.schedules import SCHEDULES, Course
from tui_nn_engine.experiments.stopping import Stopping
from tui_nn_engine.layers import LAYERS
from tui_nn_engine.primitives.activations import ACTIVATIONS
from tui_nn_engine.primitives.losses import LOSSES
from tui_nn_engine.primitives.updates import OPTIMIZERS
from tui_nn_engine.programs.initializers import INITIALIZERS

FILE = (Path(__file__).parent / "xor.toml").read_text(encoding="utf-8")


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
        changes = [{ iteration = -1, learning_rate = 0.1 }]
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
            "loss: 'x' is not known; known: " + ", ".join(map(kind_name, LOSSES)),
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
            "int: is not known here; known: seed, dtype, data, layers, rule, loss, optimizer, "
            "schedule, training, stopping",
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


def test_parallel_blocks_lie_so_deep_in_each_other_and_no_deeper():
    def nested(depth: int) -> dict[str, Any]:
        inner: dict[str, Any] = {"type": "dense", "units": 2}
        for _ in range(depth):
            inner = {"type": "parallel", "branches": [{"layers": [inner]}, {"layers": []}]}
        return {"data": {"name": "xor"}, "loss": {"type": "huber"}, "layers": [inner]}

    assert Experiment.parse(nested(10))
    with pytest.raises(ExperimentError, match="layers: parallel blocks lie 11 deep"):
        Experiment.parse(nested(11))


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
    [
        *DATA_BLOCKS,
        *LAYERS,
        *LOSSES,
        *OPTIMIZERS,
        *ACTIVATIONS,
        *INITIALIZERS,
        *SCHEDULES,
        Stopping,
        Training,
        Change,
    ],
)
def test_every_field_says_in_one_line_what_it_is(model: type[Block]):
    for name, field in model.model_fields.items():
        if name not in {"type", "name"}:
            described = field.description or field.title
            assert described, f"{model.__name__}.{name}"
            assert "\n" not in described


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
    course = Course(batches=4, samples=100)
    rates = [experiment.learning_rate_at(at, course, {}) for at in (0, 9, 10, 19, 20, 10**9)]
    assert rates == [0.5, 0.5, 0.25, 0.25, 0.125, 0.125]


def test_an_experiment_cannot_be_changed_in_place():
    experiment = Experiment.from_toml(FILE)
    with pytest.raises(ValueError, match="frozen"):
        experiment.seed = 4


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("layers[0].units", True, "must be a whole number (is true)"),
        ("layers[0].units", "5", "must be a whole number (is '5')"),
        ("layers[0].units", 5.0, "must be a whole number (is 5.0)"),
        ("layers[0].use_bias", 1, "must be true or false (is 1)"),
        ("optimizer.learning_rate", "0.1", "must be a number (is '0.1')"),
        ("training.shuffle", "no", "must be true or false (is 'no')"),
    ],
)
def test_nothing_is_read_as_what_it_is_not(path: str, value: object, message: str) -> None:
    tree = with_value(Experiment.from_toml(FILE).tree(defaults=True), steps_of(path), value)
    with pytest.raises(ExperimentError) as caught:
        Experiment.parse(tree)
    assert [str(problem) for problem in caught.value.problems] == [f"{path}: {message}"]
