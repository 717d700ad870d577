"""`tui-nn sample`: text written by a network that was trained on text."""

import math
from pathlib import Path

import click

from tui_nn.commands.failures import Failure, bad_input
from tui_nn.commands.files import folder_of_run


@click.command()
@click.argument("run", type=folder_of_run, metavar="RUN")
@click.option("--start", default="", metavar="TEXT", help="What is written already.")
@click.option(
    "--count", type=click.IntRange(1, 1000), default=5, metavar="N", help="How many; 5 unless told."
)
@click.option(
    "--length",
    type=click.IntRange(1, 100_000),
    default=100,
    metavar="N",
    help="Symbols of each at most; 100 unless told. A text of lines ends with its line.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(0, 100),
    default=1.0,
    metavar="T",
    help="Below 1: the likely, more often; 0: the likeliest always; above 1: more daring.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Other samples; 0 unless told.",
)
def sample(run: Path, start: str, count: int, length: int, temperature: float, seed: int) -> None:
    """Print text that the network of a RUN writes, symbol by symbol.

    RUN is the folder of a run whose data is text, words or names. The same options give the same
    text.
    """
    from tui_nn_engine.training.runs import trained
    from tui_nn_engine.training.sampling import sampled, sampling_problem

    if math.isnan(temperature):
        raise Failure("--temperature is no number (is nan)")
    with bad_input(str(run)):
        trainer = trained(run)
    dataset = trainer.data.dataset
    if problem := sampling_problem(dataset, trainer.network):
        raise Failure(f"{run}: {problem}")
    for index in range(count):
        try:
            text = sampled(
                trainer.predict,
                dataset,
                start=start,
                length=length,
                temperature=temperature,
                seed=seed,
                index=index,
            )
        except ValueError as error:
            raise Failure(f"--start: {error}") from None
        click.echo(text)
