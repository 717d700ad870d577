"""`tui-nn lesson`: the list, a lesson told, its exit codes."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from tui_nn.cli import main
from tui_nn.lessons import entries


def tui_nn(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="tui-nn")


@pytest.fixture
def mine(tmp_path):
    text = """
title = "A neuron"
summary = "One unit"
[experiments.one]
dtype = "float64"
data = { name = "given", x = [[2]], y = [[1]], task = "regression" }
loss = "half_squared_error"
[[experiments.one.layers]]
type = "dense"
units = 1
kernel_initializer = { type = "given", values = [[0.333]] }
[[steps]]
title = "Forward"
text = "Twice a third."
values = [{ label = "z", value = "dense_1.z[0, 0]", printed = "0.67" }]
"""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_the_list():
    result = tui_nn("lesson")
    assert result.exit_code == 0
    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert [(line[0], line[1]) for line in lines] == [(f"L{e.number}", e.name) for e in entries()]


def test_the_list_as_json():
    found = json.loads(tui_nn("lesson", "--json").stdout)
    assert [entry["name"] for entry in found] == [entry.name for entry in entries()]
    assert all(entry["title"] and entry["summary"] for entry in found)


def test_every_lesson_by_the_name_of_the_list_ends_well():
    for entry in json.loads(tui_nn("lesson", "--json").stdout):
        assert tui_nn("lesson", entry["name"]).exit_code == 0, entry["name"]


def test_a_lesson_told():
    result = tui_nn("lesson", "L6")
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    line = next(line for line in result.stdout.splitlines() if line.split()[:2] == ["e6", "0.1311"])
    assert line.split()[1:5] == ["0.1311", "0.131169", "~", "close"]
    assert "error(dense_2.z)[0, 0]" in line
    assert "The slide went on with y = 0.474" in result.stdout
    assert "All as the lesson expects." in result.stdout


def test_a_lesson_as_json():
    result = tui_nn("lesson", "losses", "--json")
    tree = json.loads(result.stdout)
    assert (result.exit_code, tree["name"], tree["deviates"]) == (0, "losses", False)
    assert tree["grades"]["mismatch"] == 4
    p1 = next(f for f in tree["steps"][0]["values"] if f["label"] == "p1")
    assert (p1["printed"], p1["grade"], p1["expected"]) == ("0.7", "mismatch", "mismatch")
    assert p1["value"] == pytest.approx(0.591272, abs=1e-6)


def test_a_file_of_ones_own(mine):
    result = tui_nn("lesson", mine)
    assert result.exit_code == 0
    assert "≈ rounded" in result.stdout
    assert json.loads(tui_nn("lesson", mine, "--json").stdout)["name"] == "mine"


def test_a_number_that_deviates_is_told_with_exit_code_1(mine):
    mine.write_text(mine.read_text().replace('"0.67"', '"0.76"'))
    result = tui_nn("lesson", mine)
    assert result.exit_code == 1
    assert "! z: mismatch, but the lesson expects rounded" in result.stdout
    assert "1 not as the lesson expects" in result.stdout
    assert json.loads(tui_nn("lesson", mine, "--json").stdout)["deviates"] is True


def test_a_slide_called_wrong_that_is_right_deviates(mine):
    said = 'printed = "0.67", grade = "mismatch", why = "so it seemed"'
    mine.write_text(mine.read_text().replace('printed = "0.67"', said))
    assert tui_nn("lesson", mine).exit_code == 1


def test_all_problems_of_a_file_with_exit_code_2(mine):
    text = mine.read_text().replace("dense_1.z", "dense_2.z").replace('title = "Forward"', "")
    mine.write_text(text)
    result = tui_nn("lesson", mine)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "steps[0].title: is missing" in result.stderr
    mine.write_text(text.replace("[[steps]]", '[[steps]]\ntitle = "Forward"'))
    result = tui_nn("lesson", mine)
    assert result.exit_code == 2
    assert "steps[0].values[0].value: there is no 'dense_2.z' here" in result.stderr
    assert "did you mean 'dense_1.z'" in result.stderr


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("backprop", "there is no lesson 'backprop'; did you mean 'backpropagation'?"),
        ("L99", "there is no lesson 'L99'"),
        ("no/such.toml", "can't read no/such.toml"),
    ],
)
def test_a_lesson_that_is_not_there(name, told):
    result = tui_nn("lesson", name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr


def test_the_list_loads_no_engine():
    """So that it is there at once."""
    script = (
        "import sys; from tui_nn.lessons import entries; entries();"
        "assert not {'numpy', 'pydantic', 'tui_nn_engine', 'textual'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
