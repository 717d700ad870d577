"""`tui-nn check`: all that keeps an experiment from being trained."""

from pathlib import Path

import click

from tui_nn.commands.failures import Exit, enough_memory
from tui_nn.commands.files import experiment_file, override, read_experiment


@click.command()
@click.argument("file", type=experiment_file)
@override
@click.pass_context
def check(ctx: click.Context, file: Path, assignments: tuple[str, ...]) -> None:
    """Name all problems of an experiment FILE, each with its place.

    Exits with 0 where it can be trained, with 2 where not.
    """
    from tui_nn.commands.reports import plural
    from tui_nn_datasets import DataError
    from tui_nn_engine import ExperimentError, Trainer

    try:
        with enough_memory(str(file)):
            trainer = Trainer(read_experiment(file, assignments))
    except ExperimentError as error:
        click.echo("\n".join(map(str, error.problems)))
        ctx.exit(Exit.BAD_INPUT)
    except DataError as error:
        click.echo(f"data: {error}")
        ctx.exit(Exit.BAD_INPUT)
    data = trainer.data
    click.echo(
        f"{file} can be trained: {data.dataset.name} ({plural(len(data.train), 'sample')} for "
        f"training, {len(data.validation)} for validation, {len(data.test)} for the test), "
        f"{plural(trainer.parameters.values.size, 'parameter')}, "
        f"{plural(trainer.total_iterations, 'update')}"
    )
