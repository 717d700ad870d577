"""`tui-nn predict`: what a trained network says of new rows, and of which it can say nothing."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tui_nn.cli import main
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.inspection.prediction import predictions
from tui_nn_engine.training.runs import Run, trained

ROWS = "size,city,rooms,{target}\n" + "".join(
    f"{20 + n},{('Wien', 'Graz', 'Linz')[n % 3]},{n % 4 + 1},{{{n % 2}}}\n" for n in range(60)
)
NEW = "city;note;rooms;size\nGraz;a;2;31\nWien;b;4;72\n"
X = [[31, 1, 0, 0, 2], [72, 0, 0, 1, 4]]  # size, city=Graz, city=Linz, city=Wien, rooms


def tui_nn(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="tui-nn")


def run_of(folder: Path, target: str, values: tuple[str, str], head: dict[str, Any]) -> Path:
    """A run of two epochs on a table with this target."""
    table = folder / "rows.csv"
    table.write_text(ROWS.replace("{target}", target).format(*values))
    layers = [{"type": "dense", "units": 4, "activation": "tanh"}, {"type": "dense"} | head]
    loss = layers[1].pop("loss")
    data = {"name": "csv", "path": str(table), "target": target}
    tree = {"data": data, "layers": layers, "loss": loss, "training": {"epochs": 2, "threads": 1}}
    for _ in Run(Trainer(Experiment.parse(tree)), folder / "run").record():
        pass
    (folder / "new.csv").write_text(NEW)
    return folder / "run"


def predicted(run: Path) -> tuple[list[str], list[list[str]]]:
    result = tui_nn("predict", run, run.parent / "new.csv")
    assert result.exit_code == 0, result.output
    header, *rows = csv.reader(io.StringIO(result.stdout))
    return header, rows


SIGMOID = {"units": 1, "activation": "sigmoid", "loss": "binary_crossentropy"}
SOFTMAX = {"units": 2, "activation": "softmax", "loss": "categorical_crossentropy"}
LINEAR = {"units": 1, "activation": "linear", "loss": "mean_squared_error"}


@pytest.mark.parametrize(("head", "names"), [(SIGMOID, ["yes"]), (SOFTMAX, ["no", "yes"])])
def test_classes_come_by_name_with_their_outputs(
    tmp_path: Path, head: dict[str, Any], names: list[str]
) -> None:
    run = run_of(tmp_path, "bought", ("no", "yes"), head)
    header, rows = predicted(run)
    assert header == ["prediction", *names]
    outputs = trained(run).predict(np.array(X, float))
    assert [list(map(np.float32, row[1:])) for row in rows] == outputs.tolist()
    yes = outputs[:, -1] > 0.5
    assert [row[0] for row in rows] == ["yes" if one else "no" for one in yes]


def test_numbers_come_in_the_units_of_the_data(tmp_path: Path) -> None:
    run = run_of(tmp_path, "price", ("10000.5", "30000.25"), LINEAR)
    header, rows = predicted(run)
    assert header == ["price"]
    outputs = trained(run).predict(np.array(X, float))
    assert [[np.float32(cell) for cell in row] for row in rows] == outputs.tolist()
    assert all(5000 < float(row[0]) < 40000 for row in rows)


def test_labels_are_those_that_apply(tmp_path: Path) -> None:
    head = SIGMOID | {"units": 2}
    run = run_of(tmp_path, "loud,cheap", ("0,1", "1,1"), head)
    header, rows = predicted(run)
    assert header == ["prediction", "loud", "cheap"]
    for row in rows:
        names = zip(("loud", "cheap"), row[1:], strict=True)
        assert row[0] == " ".join(name for name, output in names if float(output) > 0.5)
    assert "cheap" in rows[0][0]


def test_an_embedded_table_has_its_columns_and_the_run_stays_as_it_was(tmp_path: Path) -> None:
    tree = {
        "data": {"name": "iris"},
        "layers": [{"type": "dense", "units": 3, "activation": "softmax"}],
        "loss": "categorical_crossentropy",
        "training": {"epochs": 9, "threads": 1},
    }
    trainer = Trainer(Experiment.parse(tree))
    for _ in Run(trainer, tmp_path / "run").record():
        pass
    data = trainer.data.dataset
    lines = [",".join(data.input_names), *(",".join(map(str, row)) for row in data.x[:5])]
    (tmp_path / "new.csv").write_text("\n".join(lines))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    header, rows = predicted(tmp_path / "run")
    assert header == ["prediction", *data.target_names]
    wanted = trainer.predict(data.x[:5]).argmax(axis=1)
    assert [row[0] for row in rows] == [data.target_names[place] for place in wanted]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_it_says_nothing_of(tmp_path: Path) -> None:
    run = run_of(tmp_path, "bought", ("no", "yes"), SIGMOID)
    new = tmp_path / "new.csv"
    for content, message in (
        ("size,city\n1,Wien\n", "no column 'rooms'; the network's inputs are size, city=Graz"),
        ("size,rooms,town\n1,2,Wien\n", "no column 'city'; the network's inputs are"),
        ("size,rooms,city\n1,2,Rom\n", "line 2, column 'city': 'Rom' is none of the texts"),
        ("size,rooms,city\n1,2,Wien\n1,2,\n", "line 3, column 'city': missing value"),
        ("size,rooms,city\n1,x,Wien\n", "line 2, column 'rooms': 'x' is not a finite number"),
    ):
        new.write_text(content)
        result = tui_nn("predict", run, new)
        assert result.exit_code == 2
        assert message in result.stderr
        assert not result.stdout
    assert "cannot be read" in tui_nn("predict", run, tmp_path / "none.csv").stderr
    assert "is not the folder of a run" in tui_nn("predict", tmp_path, new).stderr


def test_pictures_are_no_table(tmp_path: Path) -> None:
    tree = {
        "data": {"name": "digits"},
        "layers": [{"type": "dense", "units": 10, "activation": "softmax"}],
        "loss": "categorical_crossentropy",
        "training": {"epochs": 1, "threads": 1},
    }
    for _ in Run(Trainer(Experiment.parse(tree)), tmp_path / "pictures").record():
        pass
    refused = tui_nn("predict", tmp_path / "pictures", tmp_path / "new.csv")
    assert refused.exit_code == 2
    assert "'digits' is no table" in refused.stderr


def test_what_is_not_finite_is_no_prediction(tmp_path: Path) -> None:
    run = run_of(tmp_path, "price", ("10.5", "30.25"), LINEAR)
    (tmp_path / "new.csv").write_text("size,rooms,city\n1,2,Wien\n1e300,2,Wien\n")
    failed = tui_nn("predict", run, tmp_path / "new.csv")
    assert failed.exit_code == 2
    assert "row 2 holds a number too large for float32" in failed.stderr
    trainer = trained(run)
    trainer.parameters.values[-1] = np.nan
    with pytest.raises(ValueError, match="of row 1 is not finite: has it diverged"):
        predictions(trainer, np.array(X, float))
