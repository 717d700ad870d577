"""`tui-nn rates`: the learning-rate range test, without a screen."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui_nn.commands.failures import Failure, bad_input
from tui_nn.commands.files import experiment_file, override, read_experiment

if TYPE_CHECKING:
    from tui_nn_engine import Experiment
    from tui_nn_engine.training.rate_range import RatesTried

ROWS = 25


@click.command()
@click.argument("file", type=experiment_file)
@override
@click.option("--from", "lowest", type=float, default=1e-6, help="The first rate; default: 1e-6.")
@click.option("--to", "highest", type=float, default=10.0, help="The last rate; default: 10.")
@click.option("--updates", type=int, default=100, help="How many rates to try; default: 100.")
@click.option("--json", "as_json", is_flag=True, help="All of it as one JSON object.")
def rates(
    file: Path,
    assignments: tuple[str, ...],
    lowest: float,
    highest: float,
    updates: int,
    as_json: bool,
) -> None:
    """Try ever larger learning rates on the experiment FILE and suggest one.

    The range test of Smith (2017): each update of a network that begins as the experiment's does
    has a larger rate than the one before, by equal factors. Suggested is a tenth of the rate at
    which the loss, smoothed, is lowest. Nothing is kept of the training.
    """
    from tui_nn.commands.reports import write
    from tui_nn_engine import Trainer
    from tui_nn_engine.training.rate_range import RangeTest

    with bad_input(str(file)):
        trainer = Trainer(read_experiment(file, assignments))
        try:
            *_, told = RangeTest(trainer, lowest, highest, updates).run()
        except ValueError as error:
            raise Failure(str(error)) from None
    write(f"{_json(told)}\n" if as_json else _text(told, trainer.experiment))


def _json(told: "RatesTried") -> str:
    from tui_nn_engine.blocks import strict_json

    return strict_json.dumps(
        {
            "suggestion": told.suggestion,
            "lowest": told.lowest,
            "steepest": told.steepest,
            "why": told.why,
            "rates": told.rates.tolist(),
            "losses": told.losses.tolist(),
            "smoothed": told.smoothed.tolist(),
        }
    )


def _text(told: "RatesTried", experiment: "Experiment") -> str:
    """A table of some of the rates, and what comes of it."""
    from tui_nn.commands.reports import number

    marks = {told.lowest: "lowest", told.steepest: "steepest"}
    every = max(1, -(-len(told.rates) // ROWS))
    lines = [f"{'rate':>10} {'loss':>10} {'smoothed':>10}"]
    rows = zip(told.rates.tolist(), told.losses.tolist(), told.smoothed.tolist(), strict=True)
    for index, (rate, loss, smoothed) in enumerate(rows):
        if index % every == 0 or rate in marks:
            mark = f"  {marks[rate]}" if rate in marks else ""
            lines.append(f"{rate:>10.2g} {number(loss):>10} {number(smoothed):>10}{mark}")
    if told.why:
        lines.append(f"After {len(told.rates)} of {told.updates} rates: {told.why}.")
    if told.suggestion is None:
        lines.append("No rate is suggested; try others with --from and --to.")
        return "".join(f"{line}\n" for line in lines)
    place = "optimizer" if experiment.rule is None else "rule"
    now = experiment.method.learning_rate
    lines += [
        f"Suggested: {told.suggestion:g}, a tenth of {told.lowest:.2g}, at which the loss is "
        f"lowest (now: {now:g})",
        f"Take it by: --set {place}.learning_rate={told.suggestion:g}",
    ]
    return "".join(f"{line}\n" for line in lines)
