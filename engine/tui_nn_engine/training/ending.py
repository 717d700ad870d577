"""When a training ends, why, and with which weights."""

import math
from dataclasses import dataclass
from typing import Literal

from tui_nn_engine.experiments.experiment import Experiment
from tui_nn_engine.experiments.stopping import Reason
from tui_nn_engine.metrics import is_better_large
from tui_nn_engine.training.events import RunEnded
from tui_nn_engine.training.state import TrainingState


@dataclass(frozen=True)
class Ending:
    """Of the training of one state; `columns` are the names of an epoch's figures.

    All it knows is in the experiment and the state's memory, so it is the same in whatever way a
    state was come to.
    """

    state: TrainingState
    columns: tuple[str, ...]

    def epoch_ended(self, experiment: Experiment, row: tuple[float, ...]) -> None:
        """Take note of an epoch's figures; the weights are those after its last update."""
        figures = dict(zip(self.columns, row, strict=True))
        name = self.monitor(experiment)
        cost = -figures[name] if is_better_large(name) else figures[name]
        experiment.stopping.epoch_ended(
            int(figures["epoch"]),
            figures["loss"],
            cost,
            self.state.parameters.values,
            self.state.memory,
        )

    def monitor(self, experiment: Experiment) -> str:
        """The figure that decides what is better."""
        usual = "val_loss" if "val_loss" in self.columns else "loss"
        return experiment.stopping.monitor or usual

    def reason(self, experiment: Experiment) -> Reason | Literal["completed"] | None:
        """Why training ends where the state stands; None: it goes on."""
        if found := self.early(experiment):
            return found
        return "completed" if self.state.epoch >= experiment.training.epochs else None

    def early(self, experiment: Experiment) -> Reason | None:
        """What ends it here, whatever the number of epochs."""
        training, stopping, at = experiment.training, experiment.stopping, self.state.iteration
        if found := stopping.reason(self.state.memory):
            return found
        over = any(one.iteration <= at for one in training.time_ups(stopping.seconds))
        return "time_up" if over else None

    def time_left(self, experiment: Experiment, spent: float) -> float:
        """Seconds until its time is up, where so many are spent.

        Where an earlier run has written down when its time was up, that holds, and no clock.
        """
        training, limit = experiment.training, experiment.stopping.seconds
        return math.inf if limit is None or training.time_ups(limit) else limit - spent

    def settle(self, *, ended: bool) -> None:
        """Have the best weights in place where training has ended, and the last ones where not.

        The last ones wait in the state's memory, so that one can train on.
        """
        memory, weights = self.state.memory, self.state.parameters.values
        restored = memory.get("stopping.restored")
        if restored is None or bool(restored) == ended or not memory["stopping.best_epoch"]:
            return
        last = memory["stopping.last"]
        if ended:
            last[...], weights[...] = weights, memory["stopping.weights"]
        else:
            weights[...], last[...] = last, 0
        restored[()] = ended

    def told(self, experiment: Experiment) -> RunEnded:
        """The end of training."""
        reason = self.reason(experiment) or "completed"
        why = self._words(experiment, reason)
        return RunEnded(reason, self.state.epoch, self.state.iteration, why)

    def _words(self, experiment: Experiment, reason: str) -> str:
        """The reason in a sentence; "" where it needs none."""
        stopping, memory = experiment.stopping, self.state.memory
        said = []
        if reason == "stopped_early":
            said.append(
                f"{self.monitor(experiment)} did not get better by {stopping.tol:g} "
                f"for {stopping.patience} epochs"
            )
        elif reason == "loss_reached":
            said.append(f"the loss is {memory['stopping.loss']:.4g}, at most {stopping.loss:g}")
        elif reason == "time_up":
            said.append(f"{stopping.seconds:g} s of computing are over")
        if memory.get("stopping.restored"):
            said.append(f"the weights are those after epoch {memory['stopping.best_epoch']:.0f}")
        return "; ".join(said)
