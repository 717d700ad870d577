"""When training ends before its last epoch, and whether it gives back the best weights.

Like Keras's EarlyStopping and scikit-learn's `n_iter_no_change` and `tol`. What is counted is a
pure function of the figures of the epochs and lies in the training state: so a run that is paused,
resumed, replayed or gone back in ends at the same update. Only `seconds` asks a clock; the update
where its time was up is written into the run (`training.changes`), and a replay ends there.
"""

import math
from typing import Annotated, Any, Literal

from numpy.typing import NDArray
from pydantic import Field

from tui_nn_engine.blocks.schema import Block
from tui_nn_engine.experiments.schedules import Counters, Tolerance
from tui_nn_engine.programs.parameters import StateSpec

Figure = Literal[
    "loss", "val_loss", "accuracy", "val_accuracy", "r2", "val_r2",
    "rmse", "val_rmse", "mae", "val_mae",
    "exact_match", "val_exact_match", "label_accuracy", "val_label_accuracy",
]  # fmt: skip
Reason = Literal["stopped_early", "loss_reached", "time_up"]


class Stopping(Block):
    """What stands in `[stopping]`: each of patience, loss and seconds may end the training."""

    patience: Annotated[
        int | None,
        Field(
            ge=1,
            description="it ends after so many epochs in a row without a better figure",
            json_schema_extra={"nothing": "never"},
        ),
    ] = None
    monitor: Annotated[
        Figure | None,
        Field(
            description="the figure that is to get better; default: val_loss where there is "
            "validation data, else loss",
        ),
    ] = None
    tol: Tolerance = 1e-4
    gains: Annotated[
        Literal["add_up", "each_epoch"],
        Field(
            description="small gains add up until they exceed tol (Keras), or an epoch must gain "
            "it by itself (scikit-learn)"
        ),
    ] = "add_up"
    restore_best_weights: Annotated[
        bool, Field(description="the weights in the end are those of the best epoch")
    ] = False
    loss: Annotated[
        float | None,
        Field(
            description="it ends after the first epoch whose training loss is at most this",
            json_schema_extra={"nothing": "never"},
        ),
    ] = None
    seconds: Annotated[
        float | None,
        Field(
            gt=0,
            description="it ends when it has computed for so long; depends on the machine",
            json_schema_extra={"unit": "s", "nothing": "never"},
        ),
    ] = None

    def memory(self, parameters: int) -> tuple[StateSpec, ...]:
        """What it remembers in the training state of a network with so many parameters."""
        found = []
        if self.patience is not None or self.restore_best_weights:
            found += [
                StateSpec("stopping.best", (), math.inf),
                StateSpec("stopping.best_epoch", ()),
                StateSpec("stopping.wait", ()),
            ]
        if self.loss is not None:
            found.append(StateSpec("stopping.loss", (), math.inf))
        if self.restore_best_weights:
            found += [
                StateSpec("stopping.weights", (parameters,)),
                StateSpec("stopping.last", (parameters,)),
                StateSpec("stopping.restored", ()),
            ]
        return tuple(found)

    def epoch_ended(
        self, epoch: int, loss: float, cost: float, weights: NDArray[Any], counters: Counters
    ) -> None:
        """Count an epoch, the weights being those after it.

        `loss` is that of training, `cost` what is to become small: the figure, or its negative.
        """
        if "stopping.loss" in counters:
            counters["stopping.loss"][()] = loss
        if "stopping.best" not in counters:
            return
        best, wait = counters["stopping.best"], counters["stopping.wait"]
        each = self.gains == "each_epoch"
        clearly = cost <= best - self.tol if each else cost < best - self.tol
        wait[()] = 0.0 if clearly else wait + 1
        if cost < best if each else clearly:
            best[()], counters["stopping.best_epoch"][()] = cost, epoch
            if "stopping.weights" in counters:
                counters["stopping.weights"][...] = weights

    def reason(self, counters: Counters) -> Reason | None:
        """Why it ends here, by what was counted; None: it goes on."""
        if self.loss is not None and counters["stopping.loss"] <= self.loss:
            return "loss_reached"
        if self.patience is not None and counters["stopping.wait"] >= self.patience:
            return "stopped_early"
        return None

    def lifted(self, reason: Reason) -> "Stopping":
        """Without what made it end for this reason: somebody wants to train on."""
        field = {"stopped_early": "patience", "loss_reached": "loss", "time_up": "seconds"}[reason]
        return self.model_copy(update={field: None})
