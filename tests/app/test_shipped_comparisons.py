"""The comparison files that come with tui-nn."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from tui_nn.cli import main
from tui_nn.commands.files import comparison_file
from tui_nn.comparisons import said_of, shipped
from tui_nn.lessons import load
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.comparisons.comparison import Comparison, ensure_members_fit

LAYERS = ("dense_1", "dense_2")
MOMENTUM = {"momentum": 0.9, "nesterovs_momentum": False}
NESTEROV = {"momentum": 0.9, "nesterovs_momentum": True}
STRATEGIES: dict[str, dict[str, Any]] = {
    "constant": {"learning_rate": "constant", "momentum": 0.0},
    "constant, momentum": {"learning_rate": "constant", **MOMENTUM},
    "constant, Nesterov": {"learning_rate": "constant", **NESTEROV},
    "inverse scaling": {"learning_rate": "invscaling", "momentum": 0.0},
    "inverse scaling, momentum": {"learning_rate": "invscaling", **MOMENTUM},
    "inverse scaling, Nesterov": {"learning_rate": "invscaling", **NESTEROV},
    "Adam": {"solver": "adam", "learning_rate_init": 0.01},
}
"""What scikit-learn's example passes to its MLPClassifier."""


@pytest.mark.parametrize("name", shipped())
def test_each_is_right_and_says_what_it_is(name: str) -> None:
    path = shipped()[name]
    ensure_members_fit(Comparison.load(path).members())
    assert 10 < len(said_of(path)) < 70


def test_strategies_are_scikit_learns_seven_on_four_data_sets() -> None:
    members = Comparison.load(shipped()["strategies"]).members()
    assert [one.settings["strategy"] for one in members[:7]] == [*STRATEGIES]
    assert len(members) == 28
    data = [one.experiment.data.name for one in members[::7]]
    assert data == ["iris", "digits", "circles", "moons"]
    assert all(one.experiment.training.epochs == 400 for one in members if "digits" not in one.name)
    adam, nesterov = members[6].experiment, members[2].experiment
    assert (adam.method.learning_rate, nesterov.method.learning_rate) == (0.01, 0.2)
    trainer = Trainer(nesterov)
    assert (trainer.samples, trainer.batches_per_epoch) == (150, 1)


def test_a_name_stands_for_its_file_unless_there_is_a_file_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert comparison_file("strategies") == shipped()["strategies"]
    Path("strategies").write_text("")
    assert comparison_file("strategies") == Path("strategies")


@pytest.mark.parametrize("name", STRATEGIES)
def test_on_iris_each_is_the_curve_of_scikit_learns_figure(name: str) -> None:
    network: Any = pytest.importorskip("sklearn.neural_network")
    members = Comparison.load(shipped()["strategies"]).members()
    (tree,) = [one.experiment.tree() for one in members if one.name == f"iris · {name}"]
    trainer = Trainer(Experiment.parse(tree | {"dtype": "float64"}))
    views = trainer.parameters.views
    given = [(views[f"{one}.kernel"].copy(), views[f"{one}.bias"].copy()) for one in LAYERS]

    class FromGiven(network.MLPClassifier):  # type: ignore[misc]
        def _init_coef(self, *_: Any) -> Any:
            return given.pop(0)

    settings = {"solver": "sgd", "learning_rate_init": 0.2, "alpha": 0.0} | STRATEGIES[name]
    never = {"tol": 0.0, "n_iter_no_change": 10**6}
    reference = FromGiven(batch_size=150, shuffle=False, max_iter=400, **never | settings)
    with pytest.warns(match="Maximum iterations"):
        reference.fit(trainer.data.train.x, trainer.data.train.y)
    while not trainer.done:
        trainer.update()
    losses = trainer.take_ended().column("loss")
    tolerance = 1e-3 if name == "Adam" else 1e-6  # its epsilon is 1e-8, and sits elsewhere
    np.testing.assert_allclose(losses, reference.loss_curve_, rtol=tolerance)


def test_lesson_12_tells_of_the_same_experiments() -> None:
    told = load("L12").all_experiments()
    del told["iris_inverse_faster"]
    members = Comparison.load(shipped()["strategies"]).members()
    assert [*told.values()] == [one.experiment for one in members]


def test_the_comparison_of_the_readme_is_right(tmp_path: Path, xor: Path) -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (block,) = re.findall(r"```toml\n(# rates\.toml.*?)```", text, re.DOTALL)
    (tmp_path / "rates.toml").write_text(block)
    xor.rename(tmp_path / "iris.toml")
    members = Comparison.load(tmp_path / "rates.toml").members()
    assert len(members) == 2 * 2 * 3
    assert members[0].name == "wide · learning_rate=0.1 · seed=0"


@pytest.mark.slow
def test_strategies_run_to_scikit_learns_ranking() -> None:
    result = CliRunner().invoke(main, ["compare", "strategies", "--json"], prog_name="tui-nn")
    assert result.exit_code == 0, result.output
    ranking = json.loads(result.stdout.splitlines()[-1])
    assert ranking["figure"] == "loss"
    order: dict[str, list[str]] = {}
    for run in ranking["runs"]:
        order.setdefault(run["data"], []).append(run["settings"]["strategy"])
    assert [*order] == ["iris", "digits", "circles", "moons"]
    fast = {"Adam", "constant, momentum", "constant, Nesterov"}
    for names in order.values():
        assert set(names[:3]) == fast
        assert names[-1] == "inverse scaling"
    plain = {run["data"]: run["last"] for run in ranking["runs"] if run["run"][-8:] == "constant"}
    accuracies = {name: round(last["accuracy"], 2) for name, last in plain.items()}
    # As in scikit-learn's figure, there 0.98, 0.96, 0.84, 0.85, from other initial weights.
    assert accuracies["iris"] == 0.98
    assert accuracies["digits"] == pytest.approx(0.955, abs=0.01)
    assert accuracies["circles"] == pytest.approx(0.8, abs=0.1)
    assert accuracies["moons"] == pytest.approx(0.83, abs=0.05)
