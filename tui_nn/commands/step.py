"""`tui-nn step`: one whole update, every operation with its numbers put in."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import click

from tui_nn.commands.failures import Exit, Failure, bad_input
from tui_nn.commands.files import experiment_file, override, read_experiment

if TYPE_CHECKING:
    from tui_nn_engine import Trainer
    from tui_nn_engine.formulas.explanation import Notation

SUFFIXES = {".md": "markdown", ".csv": "csv", ".json": "json"}


@click.command()
@click.argument("file", type=experiment_file)
@override
@click.option(
    "--iteration",
    type=click.IntRange(min=1),
    default=1,
    metavar="K",
    help="Which update, counted from 1, the first; those before it are trained first.",
)
@click.option(
    "--sample",
    type=click.IntRange(min=1),
    default=1,
    metavar="I",
    help="Which sample of its batch to follow, counted from 1.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "markdown", "csv", "json"]),
    help="Default: as the name of --out ends (.md, .csv, .json), else text.",
)
@click.option(
    "--names",
    type=click.Choice(["paper", "code"]),
    default="paper",
    help="w14, z4 as on paper (the default), or dense_1.kernel[0, 3] as in code.",
)
@click.option(
    "--error",
    type=click.Choice(["delta", "e"]),
    default="delta",
    help="Errors as δ = ∂E/∂z (the default), or as e = −∂E/∂z, with t − y.",
)
@click.option(
    "--digits",
    type=click.IntRange(1, 17),
    default=4,
    help="Significant digits; 4 unless told.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write there instead of here.",
)
def step(
    file: Path,
    assignments: tuple[str, ...],
    iteration: int,
    sample: int,
    style: str | None,
    names: Literal["paper", "code"],
    error: Literal["delta", "e"],
    digits: int,
    out: Path | None,
) -> None:
    """Print update K of the experiment FILE, operation by operation, as Step mode shows it.

    Forward pass, loss, backward pass and new weights: each number as symbols, with the numbers put
    in, and its result. Of large layers the units and weights that count most, saying so.
    """
    from tui_nn_engine import Trainer
    from tui_nn_engine.formulas.explanation import Notation

    with bad_input(str(file)):
        trainer = Trainer(read_experiment(file, assignments))
        text = _told(trainer, iteration, sample, Notation(names, error, digits), style, out)
    if out is None:
        click.echo(text, nl=False)
        return
    from tui_nn_engine.experiments.files import write_atomically

    try:
        write_atomically(out, text.encode())
    except OSError as problem:
        raise Failure(f"can't write {out}: {problem.strerror}") from None


def _told(
    trainer: "Trainer",
    iteration: int,
    sample: int,
    notation: "Notation",
    style: str | None,
    out: Path | None,
) -> str:
    """The handout, written down. Raises Failure, or ends the command where it diverges."""
    from tui_nn_engine import DivergedError
    from tui_nn_engine.stepping.handout import handout
    from tui_nn_engine.stepping.handout_formats import FORMATS
    from tui_nn_engine.stepping.stepper import Stepper

    total = trainer.total_iterations
    if iteration > total:
        raise Failure(
            f"this experiment makes {total} updates, so there is no update {iteration}; "
            f"add epochs: --set training.epochs={-(-iteration // trainer.batches_per_epoch)}"
        )
    _train(trainer, iteration - 1)
    try:
        found = handout(Stepper(trainer), sample - 1, notation)
    except DivergedError as error:
        _diverged(str(error))
    except ValueError as error:
        raise Failure(str(error)) from None
    return FORMATS[style or SUFFIXES.get(out.suffix if out else "", "text")](found)


def _train(trainer: "Trainer", updates: int) -> None:
    """Make so many updates, with a bar where a person sees it."""
    from tui_nn_engine.training.events import Progress, RunEnded

    with _bar(updates) as show:
        for event in trainer.run(updates):
            if isinstance(event, Progress):
                show(event.iteration)
            elif isinstance(event, RunEnded):
                if event.reason == "diverged":
                    _diverged(event.message)
                made = trainer.state.iteration
                raise Failure(
                    f"training ends after update {made} ({event.message}), so there is no update "
                    f"{updates + 1}"
                )


@contextmanager
def _bar(updates: int) -> Iterator[Callable[[int], None]]:
    """Inside, what it yields shows on the terminal how many updates are made."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.progress import Progress

    from tui_nn.commands.console import Console

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("training", total=updates)
        yield lambda made: bar.update(task, completed=made)


def _diverged(message: str) -> NoReturn:
    click.echo(f"Diverged: {message}", err=True)
    click.get_current_context().exit(Exit.DIVERGED)
