"""Lesson 12: seven strategies on four data sets, and curves with names of their own."""

import pytest

from tui_nn.lessons import Lesson, Page, Story, load
from tui_nn_engine import ExperimentError, Trainer

DATA = {"iris": 2, "digits": 3, "circles": 4, "moons": 5}


@pytest.fixture(scope="module")
def pages() -> list[Page]:
    return list(Story(load("L12")).pages())


@pytest.mark.parametrize(("data", "step"), DATA.items())
def test_the_curves_come_as_in_scikit_learns_figure(
    pages: list[Page], data: str, step: int
) -> None:
    (plot,) = pages[step].plots
    assert [one.name for one in plot.curves][2:4] == ["Nesterov", "inverse"]
    last = {one.name: one.values[-1] for one in plot.curves}
    good = ("momentum", "Nesterov", "Adam")
    assert max(last[name] for name in good) < last["constant"]
    assert last["constant"] < last["inverse, momentum"] < last["inverse"]
    assert abs(last["momentum"] - last["Nesterov"]) < 0.02
    assert plot.curves[0].x[0] == 1


def test_a_curve_of_the_history_is_the_loss_that_training_tells(pages: list[Page]) -> None:
    (plot,) = pages[DATA["iris"]].plots
    trainer = Trainer(load("L12").all_experiments()["iris_momentum"])
    while trainer.state.epoch < 200:
        trainer.update()
    assert [*plot.curves[1].values] == trainer.take_ended().column("loss").tolist()


def test_every_figure_that_is_compared_is_exact(pages: list[Page]) -> None:
    compared = [figure for page in pages for figure in page.figures if figure.grade != "computed"]
    assert len(compared) == 7
    assert {figure.grade for figure in compared} == {"exact"}


def test_a_plot_with_too_few_names_is_told() -> None:
    tree = load("matt_mazur").model_dump(mode="json", exclude_unset=True)
    (name,) = [*tree["experiments"]][:1]
    tree["steps"][0]["plots"] = [
        {"title": "E", "value": "loss", "experiments": [name], "epochs": 1, "labels": ["a", "b"]}
    ]
    with pytest.raises(ExperimentError, match="labels has 2 names for 1 experiments"):
        Lesson.parse(tree)
