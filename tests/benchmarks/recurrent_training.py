"""What training an LSTM takes, against its matrix products and PyTorch."""

from dataclasses import dataclass

import numpy as np
from ratios import Row, Work, versus

from tui_nn_engine import Experiment, Trainer


@dataclass(frozen=True)
class Rows:
    """An LSTM that reads images row by row: an epoch of it."""

    units: int = 64
    steps: int = 28
    features: int = 28
    batch: int = 128
    samples: int = 2560

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (samples, steps, features) float32 in 0..1, targets (samples,) int64."""
        shape = (self.samples, self.steps, self.features)
        x = np.random.default_rng(0).random(shape, dtype=np.float32)
        return x, np.arange(self.samples) % 10

    def engine(self) -> Work:
        """Ours."""
        experiment = Experiment.parse(
            {
                "data": {"name": "arrays"},
                "layers": [
                    {"type": "lstm", "units": self.units},
                    {"type": "dense", "units": 10, "activation": "softmax"},
                ],
                "loss": "categorical_crossentropy",
                "optimizer": {"type": "adam"},
                "training": {"epochs": 10**9, "batch_size": self.batch, "threads": 1},
            }
        )
        trainer = Trainer(experiment, data=self.arrays())

        def work() -> None:
            updates = self.samples // self.batch
            for _ in trainer.run(until=trainer.state.iteration + updates):
                pass

        return work

    def products(self) -> Work:
        """The matrix products of an epoch of the recurrent layer, and nothing else."""
        dot, random = np.dot, np.random.default_rng(0)
        batch, units, columns = self.batch, self.units, 4 * self.units
        rows = self.steps * batch

        def filled(*shape: int) -> np.ndarray:
            return random.random(shape, dtype=np.float32)

        x, w, u = (
            filled(rows, self.features),
            filled(self.features, columns),
            filled(units, columns),
        )
        a, h, z = filled(rows, columns), filled(batch, units), filled(batch, columns)
        dw, du, dh = np.empty_like(w), np.empty_like(u), np.empty_like(h)

        def work() -> None:
            for _ in range(self.samples // batch):
                dot(x, w, a)
                for _ in range(self.steps):
                    dot(h, u, z)
                for _ in range(self.steps):
                    dot(z, u.T, dh)
                    dot(h.T, z, du)
                dot(x.T, a, dw)

        return work

    def torch(self) -> Work:
        """PyTorch's LSTM, and its usual loop with the fused optimizer."""
        import torch
        from torch import nn

        torch.set_num_threads(1)
        lstm = nn.LSTM(self.features, self.units, batch_first=True)
        dense = nn.Linear(self.units, 10)
        parameters = [*lstm.parameters(), *dense.parameters()]
        optimizer = torch.optim.Adam(parameters, fused=True)
        x, y = (torch.from_numpy(array) for array in self.arrays())
        criterion = nn.CrossEntropyLoss()

        def work() -> None:
            for start in range(0, self.samples, self.batch):
                stop = start + self.batch
                optimizer.zero_grad()
                shown, _ = lstm(x[start:stop])
                criterion(dense(shown[:, -1]), y[start:stop]).backward()
                optimizer.step()

        return work


def lstm_torch() -> Row:
    """An epoch of sequences of 28 steps."""
    mine, theirs = Rows().engine(), Rows().torch()
    return versus("LSTM-64 over 28 steps, batch 128, Adam / PyTorch", 1.5, mine, theirs, 9)


def lstm_products() -> Row:
    """What gates and the walk through time add to the products that must be."""
    mine, theirs = Rows().engine(), Rows().products()
    return versus("LSTM-64 over 28 steps / its matrix products", 2.5, mine, theirs, 9)
