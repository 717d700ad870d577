"""Training told line by line: for pipes, for programs, for nobody."""

import sys

from tui_nn_engine.blocks import strict_json
from tui_nn_engine.training.events import EpochEnded, Event, Progress, RunEnded, RunStarted, as_json


def nothing(_event: Event) -> None:
    """--quiet."""


def json_lines(event: Event) -> None:
    """--json: one event a line, and after progress a line for each epoch that ended in it."""
    events: list[Event | EpochEnded] = [event]
    if isinstance(event, Progress):
        events += event.epochs
    write("".join(f"{strict_json.dumps(as_json(each))}\n" for each in events))


class Lines:
    """A line for each epoch."""

    epochs = 0

    def show(self, event: Event) -> None:
        """Write what the event has to say."""
        match event:
            case RunStarted():
                self.epochs = event.experiment["training"]["epochs"]
                write(f"{opening(event)}\n")
            case Progress():
                write("".join(f"{line}\n" for line in self.lines(event)))
            case RunEnded():
                write(f"{closing(event)}\n")

    def lines(self, progress: Progress) -> list[str]:
        """The lines of a portion of training."""
        return [f"Epoch {row.epoch}/{self.epochs}, {_figures(row)}" for row in progress.epochs]


class VerboseLines(Lines):
    """A line for each update as well, in scikit-learn's words."""

    def lines(self, progress: Progress) -> list[str]:
        """The updates of a portion, each epoch's line after its last update."""
        rows = list(progress.epochs)
        ended = dict(zip((row.iteration for row in rows), super().lines(progress), strict=True))
        found = []
        for iteration, loss in enumerate(progress.losses.tolist(), progress.first_iteration):
            found.append(f"Iteration {iteration}, loss = {loss:.8f}")
            if iteration in ended:
                found.append(ended[iteration])
        return found


def opening(started: RunStarted) -> str:
    """What is about to be trained, on what, and where the run is kept."""
    at = f", on from update {started.iteration}" if started.iteration else ""
    return (
        f"{started.experiment['data']['name']}: {plural(started.samples, 'sample')}, "
        f"{plural(started.parameters, 'parameter')}, {plural(started.threads, 'thread')}{at}\n"
        f"The run is kept in {started.out}"
    )


def closing(ended: RunEnded) -> str:
    """How far it came, and how the network does on its test data."""
    text = f"{ended.how.capitalize()}: epoch {ended.epoch}, {plural(ended.iteration, 'update')}"
    if ended.done and ended.message:
        text += f"\n{ended.message}"
    if ended.test_loss is None:
        return text
    figures = {"loss": ended.test_loss, **(ended.test_metrics or {})}
    return f"{text}\nTest: {_listed(figures)}"


def plural(count: int, noun: str) -> str:
    """1 update, 2 updates."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def number(value: float) -> str:
    """Four digits that matter."""
    return f"{value:.4g}"


def write(text: str) -> None:
    """Whole portions, at once: who reads along waits for nothing."""
    # A signal that breaks off a write to a full pipe makes Python lose the rest of it; up to
    # PIPE_BUF bytes (4096) a pipe takes whole or not at all.
    for start in range(0, len(text), 1000):
        sys.stdout.write(text[start : start + 1000])
        sys.stdout.flush()


def _figures(row: EpochEnded) -> str:
    figures = {"loss": row.loss, **row.metrics}
    if row.val_loss is not None:
        figures["val_loss"] = row.val_loss
        figures |= {f"val_{name}": value for name, value in (row.val_metrics or {}).items()}
    return _listed(figures)


def _listed(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} = {number(value)}" for name, value in figures.items())
