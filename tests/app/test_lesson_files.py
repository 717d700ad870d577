"""Lesson files: read strictly, every problem told with its place; what the README says works."""

import tomllib
from pathlib import Path

import pytest

from tui_nn.lessons import Lesson, Story, UnknownLessonError, entries, find, load
from tui_nn.lessons.moments import When
from tui_nn_engine import Experiment, ExperimentError, Trainer

ROOT = Path(__file__).parents[2]
SMALL = """
title = "A neuron"
summary = "One unit, one update"

[experiments.one]
dtype = "float64"
data = { name = "given", x = [[2, 1]], y = [[1]], task = "regression" }
loss = { type = "half_squared_error" }
optimizer = { type = "sgd", learning_rate = 0.5 }
training = { epochs = 4, batch_size = 1 }

[[experiments.one.layers]]
type = "dense"
units = 1
use_bias = false
kernel_initializer = { type = "given", values = [[0.5], [-1]] }

[variants.faster]
of = "one"
set = ["optimizer.learning_rate = 1.0"]

[[steps]]
title = "Forward"
text = "z = 2·0.5 − 1"
values = [{ label = "z", value = "dense_1.z[0, 0]", printed = "0" }]
"""


def problems(text: str) -> list[str]:
    with pytest.raises(ExperimentError) as error:
        Story(Lesson.from_toml(text)).pages()
    return [str(problem) for problem in error.value.problems]


def small(**values: str) -> str:
    """The small lesson with more in the table of its one figure."""
    more = ", ".join(f"{key} = {value}" for key, value in values.items())
    return SMALL.replace('printed = "0"', more)


def test_the_small_lesson_is_right():
    (page,) = Story(Lesson.from_toml(SMALL)).pages()
    assert [(f.label, f.shown, f.grade, f.deviates) for f in page.values] == [
        ("z", "0", "exact", False)
    ]


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_each_lesson_is_found_by_name_and_number(entry):
    assert find(entry.name) == find(f"L{entry.number}") == find(str(entry.number)) == entry.name
    assert load(entry.name).title == entry.title
    assert entry.steps > 1
    assert entry.exercises > 0 or entry.name == "matt_mazur"


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.name)
def test_each_experiment_of_a_lesson_is_complete(entry):
    """Build mode can open it, a file can hold it, and it trains."""
    for experiment in load(entry.name).all_experiments().values():
        again = Experiment.from_toml(experiment.to_toml())
        assert again == experiment
        Trainer(again).update()


def test_an_unknown_lesson_is_told_with_the_nearest():
    with pytest.raises(UnknownLessonError, match="did you mean 'backpropagation'"):
        load("backpropagtion")


def test_all_problems_of_a_file_at_once_with_their_places():
    text = SMALL.replace('summary = "One unit, one update"', "").replace(
        'values = [{ label = "z", value = "dense_1.z[0, 0]", printed = "0" }]',
        'values = [{ value = "dense_1.z[0, 0", prnted = "0" }, '
        '{ label = "a", value = "1", grade = "wrong" }]',
    )
    text = text.replace("units = 1", "units = 0")
    found = problems(text)
    assert "summary: is missing" in found
    assert any(p.startswith("experiments.one.layers[0].units: must be at least 1") for p in found)
    assert "steps[0].values[0].label: is missing" in found
    assert any(p.startswith("steps[0].values[0].value: can't be read as a formula") for p in found)
    assert any(p.startswith("steps[0].values[0].prnted: is not known here") for p in found)
    assert any("did you mean 'printed'" in p for p in found)
    assert any(p.startswith("steps[0].values[1].grade: must be") for p in found)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"grade": '"mismatch"', "printed": '"1"'}, "a mismatch needs its why"),
        ({"grade": '"mismatch"', "why": '"so"'}, "a mismatch needs the printed figure"),
        ({"printed": '"1"', "same_as": '"1"'}, "not with both"),
        ({"update": "1", "epochs": "1"}, "either update or epochs"),
        ({"update": "0"}, "steps[0].values[0].update: must be at least 1"),
        ({"printed": "0"}, "steps[0].values[0].printed: must be text"),
        ({"experiment": '"two"'}, "steps[0].values[0].experiment: there is no experiment 'two'"),
    ],
)
def test_what_does_not_go_together_is_told(more, told):
    assert any(told in problem for problem in problems(small(**more)))


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("dense_1.zz[0, 0]", "did you mean 'dense_1.z'"),
        ("dense_2.kernel[0]", "did you mean 'dense_1.kernel'"),
        ("new(dense_1.z)[0]", "dense_1.z is no weight; weights: dense_1.kernel"),
        ("gradient(dense_1.h)[0]", "there is no gradient(dense_1.h)"),
        ("two.loss", "there is no 'two.loss' here"),
        ("faster.dense_1.w", "there is no 'dense_1.w' here"),
        ("catalogue.mnits.shape", "write catalogue.NAME.shape"),
        ("gues", "known"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_those_that_are(formula, told):
    (found,) = problems(SMALL.replace("dense_1.z[0, 0]", formula))
    assert found.startswith("steps[0].values[0].value: ")
    assert told in found


def test_an_experiment_that_does_not_fit_its_data_is_told_once():
    text = SMALL.replace("values = [[0.5], [-1]]", "values = [[0.5]]").replace(
        'printed = "0" }', 'printed = "0" }, { label = "again", value = "loss" }'
    )
    (found,) = problems(text)
    assert found.startswith("experiments.one.layers[0].kernel_initializer.values: must have the")


def test_data_that_is_not_there_is_told():
    (found,) = problems(SMALL.replace("x = [[2, 1]]", "x = [[2, 1], [3, 4]]"))
    assert found.startswith("experiments.one.data: ")


def test_wrong_variants_are_told():
    assert any(
        "did you mean 'one'" in p for p in problems(SMALL.replace('of = "one"', 'of = "on"'))
    )
    found = problems(SMALL.replace("optimizer.learning_rate = 1.0", "optimizer.rate = 1.0"))
    assert found[0].startswith("variants.faster: optimizer.rate: is not known here")


def test_a_run_that_diverges_is_told():
    text = SMALL.replace("learning_rate = 0.5", "learning_rate = 1e200")
    (found,) = problems(text.replace("label =", "update = 4, label ="))
    assert "not finite" in found


def test_moments_can_be_asked_for_in_any_order():
    story = Story(Lesson.from_toml(SMALL))
    asked = [When("one", update=3), When("one", epochs=1), When("one", update=1)]
    asked += [When("one", epochs=4), When("one", update=2), When("one", epochs=0)]
    found = {when: story.moment(when).slots["dense_1.kernel"].tolist() for when in asked}
    for when in reversed(asked):
        fresh = Story(Lesson.from_toml(SMALL)).moment(when)
        assert fresh.slots["dense_1.kernel"].tolist() == found[when], when
    assert found[When("one", epochs=0)] == found[When("one", update=1)]
    assert found[When("one", epochs=1)] == found[When("one", update=2)]


TABLE = """
[[steps.tables]]
columns = [
  { label = "wrong", value = "z", grade = "mismatch", why = "So it is." },
  { label = "right", value = "z" },
]
rows = [
  { given = { z = 1 }, printed = ["2", "1"] },
  { given = { z = 3 }, printed = ["", { printed = "4", grade = "mismatch", why = "Here alone." }] },
]
"""


def test_a_column_says_which_grade_its_printed_figures_deserve():
    (page,) = Story(Lesson.from_toml(SMALL + TABLE)).pages()
    cells = [cell for row in page.tables[0].rows for cell in row]
    assert [(cell.grade, cell.why, cell.deviates) for cell in cells] == [
        ("mismatch", "So it is.", False),
        ("exact", "", False),
        ("computed", "", False),
        ("mismatch", "Here alone.", False),
    ]
    bare = TABLE.replace(', why = "So it is."', "")
    assert any("columns[0]: a mismatch needs its why" in one for one in problems(SMALL + bare))


def test_figures_of_the_test_data():
    text = SMALL.replace(
        'data = { name = "given", x = [[2, 1]], y = [[1]], task = "regression" }',
        'data = { name = "moons", samples = 50, test_fraction = 0.2 }',
    ).replace('loss = { type = "half_squared_error" }', 'loss = "mean_squared_error"')
    story = Story(Lesson.from_toml(text))
    moment = story.moment(When("one", epochs=2))
    trainer = Trainer(story.experiments["one"])
    while trainer.state.epoch < 2:
        trainer.update()
    found = trainer.evaluate(trainer.data.test)
    assert moment.value("test.accuracy") == found.metrics["accuracy"]
    assert moment.value("test.loss") == found.loss


def test_old_new_change_gradient_and_error_belong_together():
    story = Story(Lesson.from_toml(SMALL))
    for formula in (
        "new(dense_1.kernel)[0, 0] - old(dense_1.kernel)[0, 0] - change(dense_1.kernel)[0, 0]",
        "change(dense_1.kernel)[0, 0] + learning_rate*gradient(dense_1.kernel)[0, 0]",
        "error(dense_1.z)[0, 0] + delta(dense_1.z)[0, 0]",
        "dense_1.kernel[0, 0] - old(dense_1.kernel)[0, 0]",
        "gradient(dense_1.kernel)[0, 0] - x[0, 0]*delta(dense_1.z)[0, 0]",
        "round(numerical(dense_1.kernel)[0, 0] - gradient(dense_1.kernel)[0, 0], 8)",
    ):
        assert story.result(0, formula) == pytest.approx(0.0, abs=1e-15), formula
    assert story.result(0, "loss") == 0.5
    assert story.result(0, "faster.learning_rate") == 1.0


def test_where_step_mode_goes():
    experiment, when = Story(Lesson.from_toml(SMALL)).place(0)
    assert experiment.layers[0].units == 1
    assert (when.experiment, when.update, when.epochs) == ("one", 1, None)


def readme_lesson() -> str:
    text = (ROOT / "README.md").read_text("utf-8")
    _, _, section = text.partition("## Write a lesson of your own")
    block = section.partition("```toml\n")[2].partition("```")[0]
    assert block
    return block


def test_the_lesson_of_the_readme_is_right():
    lesson = Lesson.from_toml(readme_lesson())
    pages = Story(lesson).pages()
    figures = [figure for page in pages for figure in page.figures]
    assert figures
    assert not any(figure.deviates for figure in figures)
    assert {figure.grade for figure in figures if figure.printed} >= {"rounded"}
    tree = tomllib.loads(readme_lesson())
    assert any("exercise" in value for step in tree["steps"] for value in step["values"])
