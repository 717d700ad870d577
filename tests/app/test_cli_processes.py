"""The command line as a process of its own: signals, pipes, terminals, imports, numbers."""

import fcntl
import json
import os
import pty
import resource
import shlex
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training import checkpoint as checkpoints
from tui_nn_engine.training.runs import is_kept, read_metrics

PROGRAM = [sys.executable, "-m", "tui_nn"]
FOR_LONG = ("--set", "training.epochs=1000000")
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the program; what still runs after the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def begin(*words: object, **options) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*PROGRAM, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_for(process: "subprocess.Popen[str]", name: str) -> dict:
    """Read events until one of that name comes."""
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == name:
            return event
    raise AssertionError(f"no {name}; stderr: {process.stderr.read()}")


def last_checkpoint(run: Path) -> checkpoints.Checkpoint:
    return checkpoints.load(run / "checkpoints" / "last.safetensors")


def parameters(run: Path) -> bytes:
    return last_checkpoint(run).snapshot.arrays["parameters"].tobytes()


def trained(file: Path, epochs: int, *assignments: str) -> bytes:
    """Parameters after a plain loop in Python."""
    experiment = Experiment.load(file).overridden([f"training.epochs={epochs}", *assignments])
    trainer = Trainer(experiment)
    for _event in trainer.run():
        pass
    return trainer.parameters.values.tobytes()


# -- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("assignments", [(), ("training.threads=2",)], ids=["default", "2 threads"])
def test_the_program_and_a_plain_loop_end_byte_equal(mnist, tmp_path, start, assignments):
    run = tmp_path / "run"
    options = [word for assignment in assignments for word in ("--set", assignment)]
    process = start("train", mnist, "--out", run, "--quiet", *options)
    assert process.communicate() == ("", "")
    assert process.returncode == 0
    assert parameters(run) == trained(mnist, 1, *assignments)


def test_a_killed_run_resumes_byte_equal(mnist, tmp_path, start):
    run = tmp_path / "run"
    process = start("train", mnist, "--out", run, "--json", *FOR_LONG)
    saved = wait_for(process, "saved")
    while wait_for(process, "progress")["iteration"] <= saved["iteration"]:
        pass
    process.kill()
    process.communicate()
    epochs = last_checkpoint(run).snapshot.epoch + 1
    resumed = start("train", "--resume", run, "--quiet", "--set", f"training.epochs={epochs}")
    assert resumed.communicate() == ("", "")
    assert resumed.returncode == 0
    assert parameters(run) == trained(mnist, epochs)
    assert [row.epoch for row in read_metrics(run / "metrics.jsonl")] == [*range(1, epochs + 1)]


def test_a_run_that_is_being_trained_is_not_gone_on_with(mnist, tmp_path, start):
    run = tmp_path / "run"
    process = start("train", mnist, "--out", run, "--json", *FOR_LONG)
    wait_for(process, "saved")
    before = (run / "metrics.jsonl").read_bytes()
    second = start("train", "--resume", run, "--quiet")
    _, errors = second.communicate()
    assert second.returncode == 2
    assert f"another tui-nn (process {process.pid}) has this run open" in " ".join(errors.split())
    assert (run / "metrics.jsonl").read_bytes().startswith(before)
    process.kill()
    process.communicate()
    third = start("train", "--resume", run, "--quiet", "--set", "training.epochs=1")
    third.communicate()
    assert third.returncode in {0, 2}  # 2: more than an epoch was trained


# -- signals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_saves_the_run_which_resumes_byte_equal(
    mnist, tmp_path, start, number, code, reason
):
    run = tmp_path / "run"
    process = start("train", mnist, "--out", run, "--json", *FOR_LONG)
    wait_for(process, "progress")
    process.send_signal(number)
    output, errors = process.communicate()
    assert process.returncode == code
    *_, saved, ended = map(json.loads, output.splitlines())
    assert (saved["event"], ended["event"], ended["reason"]) == ("saved", "run_ended", reason)
    assert f"tui-nn train --resume {run}" in errors
    snapshot = last_checkpoint(run).snapshot
    assert snapshot.iteration == saved["iteration"] == ended["iteration"]
    epochs = snapshot.epoch + 1
    resumed = start("train", "--resume", run, "--quiet", "--set", f"training.epochs={epochs}")
    resumed.communicate()
    assert parameters(run) == trained(mnist, epochs)


def test_an_interrupted_run_has_the_figures_of_every_epoch_it_saved(xor, tmp_path, start):
    run = tmp_path / "run"
    process = start("train", xor, "--out", run, "--json", *FOR_LONG)
    wait_for(process, "epoch_ended")
    process.send_signal(signal.SIGINT)
    process.communicate()
    epochs = last_checkpoint(run).snapshot.epoch
    kept = [epoch for epoch in range(1, epochs + 1) if is_kept(epoch)]
    assert [row.epoch for row in read_metrics(run / "metrics.jsonl")] == kept


def test_a_signal_during_the_start_is_not_lost(xor, tmp_path):
    """Sent while the engine is being imported, it ends the run at its first event, saved."""
    script = (
        "import os, signal, sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tui_nn_engine':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "from tui_nn.cli import main\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "main(sys.argv[1:], prog_name='tui-nn')\n"
    )
    run = tmp_path / "run"
    words = ["train", xor, "--out", run, "--quiet", *FOR_LONG]
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert done.returncode == 130
    assert "--resume" in done.stderr
    assert last_checkpoint(run).snapshot.iteration == 0


# -- pipes and disks ---------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["--json", "--verbose", None])
def test_a_reader_that_goes_away_ends_it_quietly(mnist, tmp_path, start, style):
    run = tmp_path / "run"
    process = start("train", mnist, "--out", run, *FOR_LONG, *([style] if style else []))
    assert process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == 141
    assert last_checkpoint(run).snapshot.iteration > 0


@pytest.mark.parametrize("words", [["data"], ["lesson", "L6"], ["--help"], ["train", "--help"]])
def test_tables_into_a_closed_pipe(words):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as out:
        done = subprocess.run([*PROGRAM, *words], stdout=out, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", [["data"], ["lesson", "L6"], ["--help"]])
def test_tables_where_nothing_more_can_be_written(words):
    with Path("/dev/full").open("w") as out:
        done = subprocess.run([*PROGRAM, *words], stdout=out, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == b"Error: the output can't be written: No space left on device\n"


def test_nothing_to_read_from_or_to_write_to(mnist, tmp_path):
    run = tmp_path / "run"
    command = shlex.join([*PROGRAM, "train", str(mnist), "--out", str(run)])
    done = subprocess.run(["sh", "-c", f"{command} <&- >&- 2>&-"])
    assert done.returncode == 0
    assert last_checkpoint(run).snapshot.epoch == 1


def test_an_encoding_without_greek_letters_gets_question_marks(mnist):
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([*PROGRAM, "lesson", "L6"], env=environment, capture_output=True)
    assert done.returncode == 0
    assert b"?" in done.stdout


def test_a_full_disk_is_warned_of_and_training_goes_on(mnist, tmp_path, start):
    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    run = tmp_path / "run"
    process = start("train", mnist, "--out", run, "--quiet", preexec_fn=small_files)
    _, errors = process.communicate()
    assert process.returncode == 0
    assert f"Warning: {run / 'checkpoints' / 'last.safetensors'}: File too large" in errors
    assert [row.epoch for row in read_metrics(run / "metrics.jsonl")] == [1]
    assert list((run / "checkpoints").iterdir()) == []


# -- terminals ---------------------------------------------------------------------------------


def on_a_terminal(*words: object) -> tuple[int, str]:
    """Exit code and output of the program on a terminal of 100 columns."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [*PROGRAM, *map(str, words)], stdin=slave, stdout=slave, stderr=slave, env=environment
    )
    os.close(slave)
    output = b""
    try:
        while portion := os.read(master, 65536):
            output += portion
    except OSError:
        pass  # how Linux tells that the other side is closed
    os.close(master)
    return process.wait(), output.decode()


def test_a_terminal_gets_a_bar_and_a_table(mnist, tmp_path):
    run = tmp_path / "run"
    words = ("--set", "layers[0].units=8", "--set", "training.epochs=2", "--out", run)
    code, output = on_a_terminal("train", mnist, *words)
    assert code == 0
    assert "epoch 2/2" in output
    assert "samples/s" in output
    assert "ETA" in output
    table = output[output.rindex("Completed: 142 updates") :]
    assert all(word in table for word in ("training", "validation", "test", "loss", "accuracy"))
    assert str(run) in table
    assert "\x1b[?25h" in output[output.rindex("\x1b[?25l") :]  # the cursor is given back


def test_a_terminal_is_told_why_a_run_diverged(mnist):
    code, output = on_a_terminal("train", mnist, "--set", "optimizer.learning_rate=1e30")
    assert code == 3
    assert "smaller learning rate" in output.replace("\r\n", " ")


def test_a_terminal_gets_a_table_of_the_data():
    code, output = on_a_terminal("data")
    assert code == 0
    assert "classes" in output
    assert "computed: Boolean algebra" in output


def test_a_terminal_sees_a_bar_while_the_updates_before_a_step_are_made(mnist):
    words = ("--set", "layers[0].units=8", "--iteration", "71", "--format", "csv")
    code, output = on_a_terminal("step", mnist, *words)
    assert code == 0
    bar, heading, rows = output.partition("operation,phase,path")
    assert heading
    assert "training" in bar
    assert "100%" in bar
    assert "training" not in rows


# -- imports -----------------------------------------------------------------------------------


def loaded_after(statements: str, *words: object) -> set[str]:
    """The top-level modules in a process of its own that ran these statements."""
    report = "import sys, json; print('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"{statements}\n{report}", *map(str, words)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_the_command_line_imports_little():
    loaded = loaded_after("import tui_nn.cli")
    assert not loaded & {
        "textual",
        "rich",
        "plotext",
        "pooch",
        "numpy",
        "pydantic",
        "tui_nn_engine",
    }


@pytest.mark.parametrize("command", ["train", "step"])
def test_a_command_never_imports_the_screen(xor, command):
    run_module = (
        "import runpy, sys\n"
        "sys.argv[0] = 'tui-nn'\n"
        "try:\n"
        "    runpy.run_module('tui_nn', run_name='__main__')\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
    )
    loaded = loaded_after(run_module, command, xor)
    assert "tui_nn_engine" in loaded
    assert not loaded & {"textual", "rich", "plotext", "pooch"}


def test_training_by_the_engine_never_imports_the_screen(xor):
    train = (
        "import sys\n"
        "from tui_nn_engine import Experiment, Trainer\n"
        "trainer = Trainer(Experiment.load(sys.argv[1]))\n"
        "for event in trainer.run(): pass\n"
        "trainer.predict([[0.0, 1.0]])\n"
    )
    loaded = loaded_after(train, xor)
    assert not loaded & {"textual", "rich", "click", "plotext", "pooch", "tui_nn"}
