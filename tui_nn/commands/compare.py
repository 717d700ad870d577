"""`tui-nn compare`: all runs of a comparison file on the machine's cores, and their ranking."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tui_nn.commands.failures import Exit, bad_input
from tui_nn.commands.files import comparison_file
from tui_nn.commands.train import ELSEWHERE, StopSignals, written_in

if TYPE_CHECKING:
    from tui_nn.commands.comparison_reports import Report
    from tui_nn_engine.comparisons.comparing import Told
    from tui_nn_engine.comparisons.comparison import Member

Style = Literal["json", "quiet"]


@click.command()
@click.argument("file", type=comparison_file)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder that keeps the runs; default: one named like FILE where runs are kept.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 1024),
    metavar="N",
    help="Runs at a time; default: one on each core.",
)
@click.option("--json", "style", flag_value="json", help="One event a line, the ranking last.")
@click.option("--quiet", "style", flag_value="quiet", help="Nothing but errors and warnings.")
@click.pass_context
def compare(
    ctx: click.Context, file: Path, out: Path | None, jobs: int | None, style: Style | None
) -> None:
    """Run an experiment with all combinations of the values that FILE lists, and rank the runs.

    FILE is an experiment file with a section more:

    \b
      [compare]
      "optimizer.learning_rate" = [0.1, 0.01]
      seed = [0, 1, 2]

    `strategies` needs no file: seven strategies on four data sets, as in lesson L12.

    Each run keeps itself in a folder. Stopped or killed, and started again by the same command, it
    goes on: no run that has ended is repeated, not even one that diverged.
    """
    from tui_nn_engine.comparisons.comparing import unfinished
    from tui_nn_engine.comparisons.comparison import Comparison, ensure_members_fit
    from tui_nn_engine.experiments.files import ensure_writable
    from tui_nn_engine.training.runs import runs_folder

    with StopSignals() as stop, bad_input(str(file)):
        members = Comparison.load(file).members()
        ensure_members_fit(members)
        folder = out or runs_folder() / file.stem
        if unfinished(members, folder):
            with written_in(folder, ELSEWHERE):
                ensure_writable(folder)
        with _report(style, members, folder) as report:
            failed = _follow(members, folder, jobs, stop, report)
    if stop.received is not None:
        click.echo(f"{report.standing()}; the same command goes on with the others", err=True)
        ctx.exit(128 + stop.received)
    ctx.exit(Exit.INTERNAL if failed else Exit.DONE)


def _follow(
    members: "Sequence[Member]", folder: Path, jobs: int | None, stop: StopSignals, report: "Report"
) -> int:
    """Train all; returns how many could not be trained, which were told one by one."""
    from tui_nn_engine.comparisons.comparing import compare
    from tui_nn_engine.sessions.protocol import Refused
    from tui_nn_engine.training.events import SaveFailed

    failed = 0
    report.open()
    with closing(compare(members, folder, jobs, lambda: stop.received is not None)) as told:
        for one in told:
            report.show(one)
            failed += isinstance(one.event, Refused)
            if isinstance(one.event, Refused | SaveFailed):
                _warn(members, one)
    if stop.received is None:
        report.close()
    return failed


def _warn(members: "Sequence[Member]", told: "Told") -> None:
    path = getattr(told.event, "path", "")
    message = getattr(told.event, "message", "")
    where = f"{path}: " if path else ""
    click.echo(f"Warning: {members[told.member].name}: {where}{message}", err=True)


def _report(
    style: Style | None, members: "Sequence[Member]", folder: Path
) -> "AbstractContextManager[Report]":
    """How the events are shown: on a terminal bars, else lines."""
    from tui_nn.commands import comparison_reports as reports

    if style == "json":
        return nullcontext(reports.JsonLines(members, folder))
    if style == "quiet":
        return nullcontext(reports.Report(members, folder))
    if not sys.stdout.isatty():
        return nullcontext(reports.Lines(members, folder))
    return reports.live(members, folder)
