"""The table of ratios: `python tests/benchmarks/run.py [WORDS ...]`.

Each row measures two things side by side in one process, a repetition of each in turn, and gives
the ratio of their medians, in processor time: a busy machine slows both. All run on one thread.
Rows for PyTorch and scikit-learn appear where these are installed. WORDS choose the rows whose
function has one of them in its name.
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec

from app_open import (
    app_digits,
    app_spiral,
    first_paint,
    key_to_screen,
    looked_at,
    looked_at_often,
    step_opens,
)
from dense_training import (
    gate_sklearn,
    gate_torch,
    mnist_products,
    mnist_sklearn,
    mnist_torch,
    spiral_sklearn,
    spiral_torch,
)
from long_runs import back_digits, comparison, memory, reach_spiral
from ratios import Row
from recurrent_training import lstm_products, lstm_torch

from tui_nn_engine.training.threads import cores

TORCH, SKLEARN = find_spec("torch") is not None, find_spec("sklearn") is not None
PTY = find_spec("pty") is not None and find_spec("fcntl") is not None

ROWS: tuple[tuple[Callable[[], Row], bool], ...] = (
    (mnist_products, True),
    (mnist_torch, TORCH),
    (mnist_sklearn, SKLEARN),
    (spiral_torch, TORCH),
    (gate_torch, TORCH),
    (spiral_sklearn, SKLEARN),
    (gate_sklearn, SKLEARN),
    (lstm_torch, TORCH),
    (lstm_products, True),
    (memory, True),
    (comparison, cores() >= 2),
    (back_digits, True),
    (reach_spiral, True),
    (looked_at, True),
    (looked_at_often, True),
    (first_paint, PTY),
    (app_digits, PTY),
    (app_spiral, PTY),
    (key_to_screen, PTY),
    (step_opens, PTY),
)


def main(words: list[str]) -> int:
    """Print the table; returns how many aims are missed."""
    print(f"{'':<62} {'ratio':>7} {'aim':>7}")
    missed = 0
    for row, possible in ROWS:
        if not possible or not (not words or any(word in row.__name__ for word in words)):
            continue
        measured = row()
        missed += measured.ratio > measured.aim
        print(measured, flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
