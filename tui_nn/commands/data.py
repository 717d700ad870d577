"""`tui-nn data`: what data there is, and bringing the whole MNIST here."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui_nn.commands.failures import bad_input

if TYPE_CHECKING:
    from tui_nn_datasets import Entry

COLUMNS = ("name", "kind", "shape", "dtype", "samples", "task", "classes", "source")
WIDE = 120
"""Columns of a terminal that has room for the sources, too."""


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="A list of objects instead of a table.")
@click.pass_context
def data(ctx: click.Context, as_json: bool) -> None:
    """List the data sets: a table, or tab-separated lines where the output is piped."""
    if ctx.invoked_subcommand is not None:
        return
    from tui_nn_datasets import entries

    if as_json:
        click.echo(json.dumps([asdict(entry) for entry in entries()], indent=2))
    elif sys.stdout.isatty():
        _table(entries())
    else:
        lines = (COLUMNS, *map(_cells, entries()))
        click.echo("\n".join("\t".join(line) for line in lines))


@data.command()
@click.argument("name", type=click.Choice(["mnist"]))
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Take the files from there, gzipped or not, instead of the network.",
)
def fetch(name: str, folder: Path | None) -> None:
    """Bring the 70,000 digits of MNIST (12 MB) into the cache, once."""
    from tui_nn_datasets import install_mnist

    with bad_input(name):
        place = _download() if folder is None else install_mnist(folder)
    click.echo(f'{name} is in {place}; an experiment names it with [data] name = "{name}"')


def _cells(entry: "Entry") -> tuple[str, ...]:
    return (
        entry.name,
        entry.kind,
        " × ".join(map(str, entry.shape)),
        entry.dtype,
        str(entry.samples),
        entry.task,
        str(entry.classes or "-"),
        entry.source
        if entry.available
        else f"{entry.source} (not here yet: tui-nn data fetch {entry.name})",
    )


def _table(entries: "tuple[Entry, ...]") -> None:
    """The columns that fit; where the sources don't, they follow below."""
    from rich.table import Table
    from rich.text import Text

    from tui_nn.commands.console import Console

    console = Console(highlight=False)
    wide = console.width >= WIDE
    shown = COLUMNS if wide else COLUMNS[:-1]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in shown:
        right = column in {"samples", "classes"}
        table.add_column(column, justify="right" if right else "left", no_wrap=column != "source")
    for entry in entries:
        table.add_row(*map(Text, _cells(entry)[: len(shown)]))
    console.print(table)
    if not wide:
        sources = (f"{entry.name}: {_cells(entry)[-1]}" for entry in entries)
        console.print(Text("\nSources\n" + "\n".join(sources)))


def _download() -> Path:
    """Fetch, with a bar for each file on a terminal."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from tui_nn_datasets import fetch_mnist

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), disable=not sys.stdout.isatty()) as bars:
        tasks = {}

        def show(file: str, done: int, total: int) -> None:
            if file not in tasks:
                tasks[file] = bars.add_task(file)
            bars.update(tasks[file], completed=done, total=total or None)

        return fetch_mnist(show)
