"""Numbers that are not finite: noticed before they touch a weight, and traced to where they came
from.
"""

import math

import numpy as np

from tui_nn_engine.programs.parameters import Parameters
from tui_nn_engine.programs.program import Program


class DivergedError(ArithmeticError):
    """A loss or gradient is not finite; the state is as it was before that update."""

    def __init__(self, iteration: int, path: str, operation: str) -> None:
        self.iteration, self.path, self.operation = iteration, path, operation
        super().__init__(
            f"update {iteration} gave a number that is not finite, first in {path} ({operation}). "
            "Try a smaller learning rate, other initial weights, or scaled inputs"
        )


def ensure_finite(iteration: int, program: Program, parameters: Parameters) -> float:
    """The loss that was just computed for this update.

    Raises DivergedError where it or a gradient is not finite.
    """
    loss, gradients = program.loss_value, parameters.gradients
    # The dot product is one fast pass; only where it overflows must each number be looked at.
    square = np.dot(gradients, gradients)
    if not (math.isfinite(loss) and (math.isfinite(square) or np.isfinite(gradients).all())):
        op = program.first_not_finite()
        path, name = (op.path, op.primitive.name) if op else ("loss", "loss")
        raise DivergedError(iteration, path, name)
    return loss
