"""The runs that were saved, newest first."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tui_nn_engine.blocks.schema import ExperimentError
from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.training.records import Label
from tui_nn_engine.training.runs import read_metrics, runs_folder

LIMIT = 100


@dataclass(frozen=True)
class SavedRun:
    """The folder of a run and what it holds, in words."""

    folder: Path
    label: str


def saved_runs() -> list[SavedRun]:
    """The newest saved runs that can be read; reads files, so not for the event loop."""
    try:
        checkpoints = list(runs_folder().glob("*/checkpoints/last.safetensors"))
        dated = sorted(((path.stat().st_mtime, path) for path in checkpoints), reverse=True)
    except OSError:
        return []
    found = []
    for saved, path in dated[:LIMIT]:
        folder = path.parent.parent
        try:
            experiment = Experiment.load(folder / "experiment.toml")
        except ExperimentError:
            continue
        epochs = read_metrics(folder / "metrics.jsonl")
        done = f"epoch {epochs[-1].epoch}/{experiment.training.epochs}" if epochs else "epoch 0"
        loss = f"  loss {epochs[-1].loss:.4g}" if epochs else ""
        when = f"{datetime.fromtimestamp(saved):%d %b %H:%M}"
        name = Label.of(folder).name or experiment.data.title
        found.append(SavedRun(folder, f"{when}  {name}  {done}{loss}"))
    return found
