"""What a run may become when it goes on: nothing that makes its experiment tell another past.

An experiment in the folder of a run says how it came about. So when a run is gone on with, only
that may be another which its past does not depend on.
"""

from typing import Any

from tui_nn_engine.blocks.schema import ExperimentError, Problem
from tui_nn_engine.experiments.differences import all_differences
from tui_nn_engine.experiments.experiment import Experiment


def resumed(stored: Experiment, wanted: Experiment, iteration: int, epochs: int) -> Experiment:
    """`wanted`, for the run of `stored` that has made `iteration` updates and begun `epochs`.

    What the run settled when it began (threads, the length of a schedule, balanced weights of
    classes) or has written down (changes), and `wanted` leaves open, stays. Raises ExperimentError
    naming every place that differs and may not.
    """
    wanted = _settled(stored, wanted)
    problems = [
        Problem(path, objection)
        for path, (old, new) in all_differences([stored, wanted]).items()
        if (objection := _objection(path, old, new, iteration, epochs))
    ]
    made = [one for one in stored.training.changes if one.iteration <= iteration]
    kept = [c for c in wanted.training.changes if c.iteration < iteration or c in made]
    if kept != made:
        past = f"what was changed until update {iteration} stays; only later changes can be others"
        problems.append(Problem("training.changes", past))
    if problems:
        raise ExperimentError(problems)
    return wanted


def _settled(stored: Experiment, wanted: Experiment) -> Experiment:
    training, loss = wanted.training, wanted.loss
    given = training.model_fields_set
    own = {name: getattr(stored.training, name) for name in ("threads", "changes")}
    own = {name: value for name, value in own.items() if name not in given}
    if loss is not None and stored.loss is not None and loss.class_weight == "balanced":
        loss = loss.model_copy(update={"class_weight": stored.loss.class_weight})
    settled = {
        "training": training.model_copy(update=own),
        "schedule": wanted.schedule.settled(stored.schedule.length or stored.training.epochs),
        "loss": loss,
    }
    return wanted.model_copy(update=settled)


def _objection(path: str, old: Any, new: Any, iteration: int, epochs: int) -> str:
    """Why this can't be another from here on; "" where it can."""
    anew = f"is {_spelled(old)} in this run and can't become {_spelled(new)}; start a new run"
    match path:
        case "training.epochs":
            return "" if new >= epochs else f"is {new}, but {epochs} are begun; name no fewer"
        case "stopping.patience" if new is None or (old is not None and new >= old):
            return ""
        case "stopping.loss" if new is None or (old is not None and new <= old):
            return ""
        case "stopping.seconds" | "data.path":  # where time was up, and the data, are checked
            return ""
        case "stopping.patience" | "stopping.loss":
            return f"{anew}, for the end of this one can only be put off"
        case "optimizer.learning_rate" | "rule.learning_rate":
            change = f"{{iteration = {iteration}, learning_rate = {new}}}"
            return f"{anew}, or add to training.changes {change}"
    return "" if path.startswith("training.changes[") else anew


def _spelled(value: Any) -> str:
    return "nothing" if value is None else repr(value)
