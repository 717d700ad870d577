"""`tui-nn predict`: what a trained network says of new rows of a table."""

import csv
import sys
from pathlib import Path

import click

from tui_nn.commands.failures import Failure, bad_input
from tui_nn.commands.files import folder_of_run


@click.command()
@click.argument("run", type=folder_of_run, metavar="RUN")
@click.argument("table", type=click.Path(path_type=Path), metavar="TABLE")
def predict(run: Path, table: Path) -> None:
    """Print what the network of a RUN says of each row of a TABLE, as CSV.

    RUN is the folder of a run that was trained on a table. TABLE is a CSV file with the same input
    columns, in any order, and any others. Classes come by name, with the output for each; numbers
    in the units of the data.
    """
    from tui_nn_datasets import read_inputs
    from tui_nn_engine.inspection.prediction import prediction_problem, predictions
    from tui_nn_engine.training.runs import trained

    with bad_input(str(run)):
        trainer = trained(run)
        dataset = trainer.data.dataset
        if problem := prediction_problem(dataset):
            raise Failure(f"{run}: {problem}")
        x = read_inputs(table, dataset.input_names)
    try:
        found = predictions(trainer, x)
    except ValueError as error:
        raise Failure(f"{run}: {error}") from None
    lines = csv.writer(sys.stdout, lineterminator="\n")
    rows = [list(map(str, row)) for row in found.outputs]
    if found.said is None:
        lines.writerow(found.names)
        lines.writerows(rows)
    else:
        lines.writerow(["prediction", *found.names])
        lines.writerows([said, *row] for said, row in zip(found.said, rows, strict=True))
