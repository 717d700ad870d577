"""What an ended epoch is told by: its loss and metrics, on the training and the validation data."""

import numpy as np

from tui_nn_engine.metrics import counted
from tui_nn_engine.programs.program import Program
from tui_nn_engine.training.batches import Batches
from tui_nn_engine.training.evaluation import Evaluator
from tui_nn_engine.training.events import Epochs
from tui_nn_engine.training.state import TrainingState

Row = tuple[float, ...]


class Figures:
    """Figures of the epochs of one training, by name: see `events.Epochs`."""

    def __init__(self, state: TrainingState, batches: Batches, evaluator: Evaluator) -> None:
        self._state, self._batches, self._evaluator = state, batches, evaluator
        self._mask = evaluator.network.mask(batches.x)
        names = ("loss", *evaluator.metrics)
        self._validation = evaluator.data.validation
        val = tuple(f"val_{name}" for name in names) if len(self._validation) else ()
        self._penalized = any(spec.penalty is not None for spec in evaluator.network.specs)
        penalty = ("penalty",) if self._penalized else ()
        self.columns = ("epoch", "iteration", *names, *penalty, *val)
        self._ended: list[Row] = []

    def end(self, program: Program) -> Row:
        """Of the epoch whose last update this program just made, to be told."""
        row = self.row(program)
        self._ended.append(row)
        return row

    def take(self) -> Epochs:
        """Those ended since the last call."""
        ended, self._ended = self._ended, []
        return Epochs(self.columns, np.array(ended).reshape(len(ended), len(self.columns)))

    def losses(self, row: Row) -> tuple[float, float]:
        """Training loss, and the loss to go by: on the validation data where there is any."""
        loss = row[self.columns.index("loss")]
        return loss, row[self.columns.index("val_loss")] if len(self._validation) else loss

    def row(self, program: Program) -> Row:
        """Of the epoch whose last update this program just made."""
        state, batches = self._state, self._batches
        loss = float(np.dot(state.epoch_losses, batches.shares))
        targets = batches.targets(state.epoch)
        metrics = self._evaluator.metrics.values()
        mask = None if self._mask is None else batches.ordered(self._mask, state.epoch)
        compared = counted(state.epoch_outputs, targets, mask)
        row = [metric(*compared) for metric in metrics]
        if self._penalized:
            row.append(program.penalty)
        if len(self._validation):
            evaluation = self._evaluator.evaluate(self._validation)
            row += [evaluation.loss, *evaluation.metrics.values()]
        return (state.epoch + 1, state.iteration, loss, *row)
