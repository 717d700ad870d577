"""`tui-nn compare` in this process and as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui_nn.cli import main
from tui_nn_engine.training.runs import runs_folder

RATES = '[compare]\n"optimizer.learning_rate" = [0.1, 0.01]\nseed = [0, 1]\n'


def tui_nn(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="tui-nn")


@pytest.fixture
def rates(xor: Path) -> Path:
    path = xor.with_name("rates.toml")
    path.write_text(xor.read_text() + RATES)
    return path


def test_it_ends_with_a_ranked_table_and_is_not_repeated(rates: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = tui_nn("compare", rates, "--out", out, "--jobs", 2)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "4 runs"
    assert sum("runs ended: " in line for line in lines) == 4
    table = result.stdout[result.stdout.index("Ranked by the best loss") :].splitlines()
    rows = [line.split() for line in table if line.strip()[:1].isdigit()]
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    best = [float(row[3]) for row in rows]
    assert best == sorted(best)
    again = tui_nn("compare", rates, "--out", out)
    assert "4 runs, 4 of them ended before" in again.stdout
    assert again.stdout[again.stdout.index("Ranked") :].splitlines() == table


def test_runs_are_kept_in_a_folder_named_like_the_file(rates: Path) -> None:
    assert tui_nn("compare", rates, "--quiet").stdout == ""
    assert len([*(runs_folder() / "rates").glob("*/run.json")]) == 4


def test_json_is_one_event_a_line_the_ranking_last(rates: Path, tmp_path: Path) -> None:
    result = tui_nn("compare", rates, "--out", tmp_path / "out", "--json", "--jobs", 1)
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert told[0] == {
        "event": "comparison",
        "runs": 4,
        "ended": 0,
        "folder": str(tmp_path / "out"),
    }
    names = [one["event"] for one in told]
    assert names.count("run_started") == names.count("run_ended") == 4
    assert names.count("epoch_ended") == 20
    ranking = told[-1]
    assert (ranking["event"], ranking["figure"], len(ranking["runs"])) == ("ranking", "loss", 4)
    best = [run["best"] for run in ranking["runs"]]
    assert best == sorted(best)
    assert ranking["runs"][0]["settings"].keys() == {"learning_rate", "seed"}


def test_all_problems_are_told_and_nothing_is_run(rates: Path, tmp_path: Path) -> None:
    text = rates.read_text().replace("0.01]", "0]").replace("units = 4", "units = 0")
    rates.write_text(text)
    result = tui_nn("compare", rates, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "has 2 problems:" in result.stderr
    assert "layers[0].units: must be at least 1 (is 0)\n" in result.stderr
    assert "(in learning_rate=0 · seed=0 and 1 more)" in result.stderr
    assert not (tmp_path / "out").exists()
    rates.write_text(rates.read_text().replace("units = 0", "units = 2").replace("0]", "1]"))
    unfit = rates.read_text().replace("units = 1", "units = 3")
    rates.write_text(unfit)
    result = tui_nn("compare", rates)
    assert result.exit_code == 2
    assert "has 1 problem:" in result.stderr
    assert "layers[1].units" in result.stderr


def test_a_plain_experiment_is_no_comparison(xor: Path) -> None:
    result = tui_nn("compare", xor)
    assert result.exit_code == 2
    assert "compare: is missing" in result.stderr
    assert "there is no file 'strategy'" in tui_nn("compare", "strategy").stderr


def test_a_diverged_run_is_a_result(rates: Path, tmp_path: Path) -> None:
    text = rates.read_text().replace('"sigmoid"', '"linear"').replace("adam", "sgd")
    text = text.replace("binary_crossentropy", "mean_squared_error").replace("0.01]", "1e6]")
    rates.write_text(text.replace("epochs = 5", "epochs = 100"))
    result = tui_nn("compare", rates, "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert result.stdout.count(": diverged") == 2
    assert result.stdout.splitlines()[-2].split()[-1] == "diverged"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_all_and_it_goes_on(
    rates: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    rates.write_text(rates.read_text().replace("epochs = 5", "epochs = 1000000"))
    out = tmp_path / "out"
    command = [sys.executable, "-m", "tui_nn", "compare", str(rates), "--out", str(out), "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if json.loads(line)["event"] == "epoch_ended":
                break
        os.kill(process.pid, number)
        rest, said = process.stdout.read(), process.stderr.read()
        assert process.wait(60) == code
    assert "0 of 4 runs ended; the same command goes on" in said
    saved = [event for line in rest.splitlines() if (event := json.loads(line))["event"] == "saved"]
    assert saved
    assert all(Path(event["path"]).exists() for event in saved)


def test_each_data_set_has_a_ranking_of_its_own(rates: Path, tmp_path: Path) -> None:
    data = '[compare.data]\nmoons = { name = "moons", samples = 40 }\nxor = { name = "xor" }\n'
    rates.write_text(rates.read_text() + data)
    result = tui_nn("compare", rates, "--out", tmp_path / "out", "--json")
    runs = json.loads(result.stdout.splitlines()[-1])["runs"]
    assert [run["data"] for run in runs] == ["moons"] * 4 + ["xor"] * 4
    assert [run["rank"] for run in runs] == [1, 2, 3, 4] * 2
    for part in (runs[:4], runs[4:]):
        assert [run["best"] for run in part] == sorted(run["best"] for run in part)
