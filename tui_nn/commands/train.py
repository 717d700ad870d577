"""`tui-nn train`: an experiment without a screen, the same numbers."""

import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Literal, Self

import click

from tui_nn.commands.failures import Exit, Failure, bad_input, internal_error
from tui_nn.commands.files import experiment_file, override, read_experiment

if TYPE_CHECKING:
    from tui_nn_engine import Experiment, Trainer
    from tui_nn_engine.training.events import Event, RunEnded
    from tui_nn_engine.training.runs import Run

Style = Literal["json", "quiet", "verbose"]
Show = Callable[["Event"], None]

ELSEWHERE = "name another folder with --out"
CODES = {
    "diverged": Exit.DIVERGED,
    "interrupted": Exit.INTERRUPTED,
    "terminated": Exit.TERMINATED,
}


class StopSignals:
    """Notes SIGINT and SIGTERM, so that no update is torn; a second signal acts at once."""

    def __init__(self) -> None:
        self.received: int | None = None

    def __enter__(self) -> Self:
        numbers = (signal.SIGINT, signal.SIGTERM)
        self._before = {number: signal.signal(number, self._note) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received = number
        self.__exit__()


@click.command()
@click.argument("file", type=experiment_file, required=False)
@override
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder that keeps the run; default: a new one where runs are kept.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Go on with the run in this folder; FILE may be left out.",
)
@click.option("--json", "style", flag_value="json", help="One event a line.")
@click.option("--quiet", "style", flag_value="quiet", help="Nothing but errors and warnings.")
@click.option("--verbose", "style", flag_value="verbose", help="The loss of every update.")
@click.pass_context
def train(
    ctx: click.Context,
    file: Path | None,
    assignments: tuple[str, ...],
    out: Path | None,
    resume: Path | None,
    style: Style | None,
) -> None:
    """Train the experiment FILE without a screen, with the same numbers.

    The run keeps itself in a folder: the experiment, metrics.jsonl, checkpoints. Ctrl-C saves it,
    --resume goes on with it, and --resume DIR --set training.epochs=20 trains on for longer.
    """
    if file is None and resume is None:
        raise click.UsageError("name an experiment FILE, or a run: --resume DIR")
    if out is not None and resume is not None:
        raise click.UsageError("--resume goes on in its own folder; leave out --out")
    with StopSignals() as stop, bad_input(str(file or resume)):
        if resume is not None:
            run = _resumed(resume, file, assignments)
        else:
            assert file is not None  # noqa: S101
            run = _new(read_experiment(file, assignments), out)
        try:
            ended = _follow(run, style, stop)
        except (BrokenPipeError, MemoryError):
            raise
        except Exception as error:
            raise internal_error(error, run.folder) from None
    ctx.exit(CODES.get(ended.reason, Exit.DONE))


def _new(experiment: "Experiment", out: Path | None) -> "Run":
    """A run in a folder of its own. Raises Failure where the folder can't be had."""
    from tui_nn_engine import Trainer
    from tui_nn_engine.training.runs import Run, runs_folder

    if out is not None:
        with written_in(out, ELSEWHERE):
            _ensure_free(out)
    trainer = Trainer(experiment)
    with written_in(out or runs_folder(), ELSEWHERE):
        run = Run(trainer, out or _claimed(trainer))
        run.begin()
    return run


@contextmanager
def written_in(folder: Path, remedy: str) -> Iterator[None]:
    """A folder that nothing can be kept in is bad input."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise Failure(f"can't write in {folder}: {why}; {remedy}") from None


def _ensure_free(folder: Path) -> None:
    """Raises Failure where an experiment lies already: a run would write its own over it."""
    from tui_nn_engine.training.runs import is_run

    if not (folder / "experiment.toml").exists():
        return
    if is_run(folder):
        resume = f"go on with it by `{_resume_command(folder)}`"
        raise Failure(f"{folder} holds a run already; {resume}, or name another folder")
    raise Failure(
        f"{folder / 'experiment.toml'} is there already and is no run's: a run kept in this folder "
        "would overwrite it; name another folder"
    )


def _claimed(trainer: "Trainer") -> Path:
    """A new folder: made at once, so that of two runs started together each has its own."""
    from tui_nn_engine.training.runs import new_folder

    while True:
        folder = new_folder(trainer.experiment.data.name)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder


def _resumed(folder: Path, file: Path | None, assignments: tuple[str, ...]) -> "Run":
    """Go on with a run; a FILE replaces its experiment, but for what belongs to the run itself."""
    from tui_nn_engine.training.runs import Run

    if not (folder / "experiment.toml").is_file():
        raise Failure(f"{folder} is not the folder of a run: it holds no experiment.toml")
    run = Run.resume(folder, read_experiment(file or folder / "experiment.toml", assignments))
    with written_in(folder, "make it writable, or go on in a copy of it"):
        run.begin()
    if not run.checkpoint_path.exists():
        _warn(f"{folder} holds no checkpoint yet, so its run begins anew")
    training, schedule = run.trainer.experiment.training, run.trainer.experiment.schedule
    by_hand = any(change.learning_rate is not None for change in training.changes)
    if schedule.length is not None and schedule.length < training.epochs and not by_hand:
        _warn(
            f"the {schedule.type} schedule has the length the run began with, {schedule.length} "
            "epochs; those after it train at its lowest rate"
        )
    return run


def _warn(message: str) -> None:
    click.echo(f"Warning: {message}", err=True)


def _follow(run: "Run", style: Style | None, stop: StopSignals) -> "RunEnded":
    """Train to the end, or until a signal comes; then the run is saved first."""
    from tui_nn_engine.training.events import RunEnded, Saved, SaveFailed

    with _report(style) as show:
        warned: Event | None = None

        def tell(event: "Event") -> None:
            nonlocal warned
            show(event)
            if isinstance(event, SaveFailed) and event != warned:  # once, until it works again
                _warn(f"{event.path}: {event.message}")
            if isinstance(event, Saved | SaveFailed):
                warned = event

        try:
            for event in run.record():
                tell(event)
                if isinstance(event, RunEnded):
                    ended = event
                elif stop.received is not None:
                    tell(run.save())
                    ended = _stopped(run, stop.received)
                    tell(ended)
                    break
        except BrokenPipeError:
            run.save()
            raise
    _say_why(ended, run.folder)
    if isinstance(warned, SaveFailed):
        click.echo(f"The end of the run is not saved: {warned.message}", err=True)
    if style in {None, "verbose"}:
        _say_how_layers_do(run.trainer)
    return ended


def _stopped(run: "Run", number: int) -> "RunEnded":
    from tui_nn_engine.training.events import RunEnded

    state = run.trainer.state
    reason: Literal["interrupted", "terminated"]
    reason = "interrupted" if number == signal.SIGINT else "terminated"
    return RunEnded(reason, state.epoch, state.iteration, out=str(run.folder))


def _say_why(ended: "RunEnded", folder: Path) -> None:
    """What to do about a run that is not complete."""
    if ended.reason == "diverged":
        click.echo(f"Diverged: {ended.message}", err=True)
    elif not ended.done:
        click.echo(
            f"{ended.reason.capitalize()} after update {ended.iteration}; "
            f"go on with: {_resume_command(folder)}",
            err=True,
        )


def _say_how_layers_do(trainer: "Trainer") -> None:
    """What is wrong with layers after the last update, where something is, and what to try."""
    from tui_nn_engine.training.verdicts import judge

    if trainer.program is None:
        return
    _, verdicts = judge(trainer, trainer.program)
    for (name, _), verdict in zip(trainer.network.layers, verdicts, strict=True):
        if verdict is not None and verdict.severity == "bad":
            remedy = f" Try: {verdict.remedy}." if verdict.remedy else ""
            click.echo(f"{name} is {verdict.word}: {verdict.why}{remedy}", err=True)


def _resume_command(folder: Path) -> str:
    return f"tui-nn train --resume {shlex.quote(str(folder))}"


def _report(style: Style | None) -> AbstractContextManager[Show]:
    """How the events are shown: on a terminal a bar, else lines."""
    from tui_nn.commands import reports

    if style == "json":
        return nullcontext(reports.json_lines)
    if style == "quiet":
        return nullcontext(reports.nothing)
    if style == "verbose":
        return nullcontext(reports.VerboseLines().show)
    if not sys.stdout.isatty():
        return nullcontext(reports.Lines().show)
    from tui_nn.commands.live import live

    return live()
