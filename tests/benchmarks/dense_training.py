"""What training networks of dense layers takes, against their matrix products and libraries."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from ratios import Row, Work, versus

from tui_nn_engine import Experiment, Trainer


@dataclass(frozen=True)
class Task:
    """A network and its data, for all who are compared."""

    sizes: tuple[int, ...]
    hidden: str
    batch: int
    samples: int
    optimizer: str
    rate: float

    @property
    def classes(self) -> int:
        """Of the targets."""
        return max(2, self.sizes[-1])

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Inputs (samples, features) float32 in 0..1, targets (samples,) int64."""
        random = np.random.default_rng(0)
        x = random.random((self.samples, self.sizes[0]), dtype=np.float32)
        return x, np.arange(self.samples) % self.classes

    def trainer(self, epochs: int) -> Trainer:
        """Ours."""
        single = self.sizes[-1] == 1
        layers = [
            {"type": "dense", "units": units, "activation": self.hidden}
            for units in self.sizes[1:-1]
        ]
        output = {"type": "dense", "units": self.sizes[-1]}
        output["activation"] = "sigmoid" if single else "softmax"
        loss = "binary_crossentropy" if single else "categorical_crossentropy"
        experiment = Experiment.parse(
            {
                "data": {"name": "arrays"},
                "layers": [*layers, output],
                "loss": {"type": loss},
                "optimizer": {"type": self.optimizer, "learning_rate": self.rate},
                "training": {"epochs": epochs, "batch_size": self.batch, "threads": 1},
            }
        )
        return Trainer(experiment, data=self.arrays())


MNIST = Task((784, 512, 10), "relu", 128, 6000, "adam", 0.001)
SPIRAL = Task((2, 8, 8, 1), "tanh", 10, 400, "adam", 0.01)
GATE = Task((2, 2, 1), "tanh", 1, 4, "sgd", 0.1)


def engine(task: Task, updates: int) -> Work:
    """So many updates of ours, as a run makes them: losses, epochs and accuracy included."""
    trainer = task.trainer(epochs=10**9)

    def work() -> None:
        for _ in trainer.run(until=trainer.state.iteration + updates):
            pass

    return work


def products(task: Task, updates: int) -> Work:
    """The matrix products of as many updates, and nothing else."""
    dot = np.dot
    random = np.random.default_rng(0)
    sizes, batch = task.sizes, task.batch
    h = [random.random((batch, size), dtype=np.float32) for size in sizes]
    w = [random.random(pair, dtype=np.float32) for pair in pairwise(sizes)]
    back, slopes = [np.empty_like(a) for a in h], [np.empty_like(a) for a in w]
    forward = [np.empty_like(a) for a in h]

    def work() -> None:
        for _ in range(updates):
            for i in range(len(w)):
                dot(h[i], w[i], forward[i + 1])
            for i in reversed(range(len(w))):
                dot(h[i].T, h[i + 1], slopes[i])
                if i:
                    dot(h[i + 1], w[i].T, back[i])

    return work


def torch_loop(task: Task, updates: int) -> Work:
    """PyTorch's usual loop, with the fused optimizer, on batches already cut."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[task.hidden]
    modules: list[Any] = []
    for inputs, units in pairwise(task.sizes):
        modules += [nn.Linear(inputs, units), activation()]
    network = nn.Sequential(*modules[:-1])
    fused = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[task.optimizer]
    optimizer = fused(network.parameters(), lr=task.rate, fused=True)
    x, y = (torch.from_numpy(array) for array in task.arrays())
    criterion: Any = nn.CrossEntropyLoss()
    if task.sizes[-1] == 1:
        criterion, y = nn.BCEWithLogitsLoss(), y.float()[:, None]
    starts = iter_forever(task.samples, task.batch)

    def work() -> None:
        for _ in range(updates):
            start = next(starts)
            xb, yb = x[start : start + task.batch], y[start : start + task.batch]
            optimizer.zero_grad()
            loss = criterion(network(xb), yb)
            loss.backward()
            optimizer.step()

    return work


def sklearn_fits(task: Task, fits: int, samples: int) -> Work:
    """So many calls of MLPClassifier's `partial_fit`, each once over the next `samples`."""
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier(
        task.sizes[1:-1],
        activation=task.hidden,
        solver=task.optimizer,
        alpha=0.0,
        batch_size=task.batch,
        learning_rate_init=task.rate,
        momentum=0.0,
    )
    x, y = task.arrays()
    classes = np.arange(task.classes)
    starts = iter_forever(task.samples, samples)

    def work() -> None:
        for _ in range(fits):
            start = next(starts)
            stop = start + samples
            network.partial_fit(x[start:stop], y[start:stop], classes=classes)

    return work


def iter_forever(samples: int, batch: int) -> Iterator[int]:
    """Where batches start, epoch after epoch."""
    while True:
        yield from range(0, samples, batch)


# -- the rows -------------------------------------------------------------------------------------


def mnist_products() -> Row:
    """What the engine adds to the products that must be."""
    mine, theirs = engine(MNIST, 47), products(MNIST, 47)
    return versus("784-512-10, batch 128, Adam / its matrix products", 1.6, mine, theirs, 15)


def mnist_torch() -> Row:
    """An epoch of 6,000 digits."""
    mine, theirs = engine(MNIST, 47), torch_loop(MNIST, 47)
    return versus("784-512-10, batch 128, Adam / PyTorch, fused Adam", 1.0, mine, theirs, 15)


def mnist_sklearn() -> Row:
    """An epoch of 6,000 digits."""
    mine, theirs = engine(MNIST, 47), sklearn_fits(MNIST, 1, MNIST.samples)
    return versus("784-512-10, batch 128, Adam / scikit-learn", 0.6, mine, theirs, 11)


def spiral_torch() -> Row:
    """Small networks are where calls cost more than numbers."""
    mine, theirs = engine(SPIRAL, 1000), torch_loop(SPIRAL, 1000)
    return versus("2-8-8-1, batch 10, Adam / PyTorch, fused Adam", 1 / 12, mine, theirs, 9)


def gate_torch() -> Row:
    """The smallest network there is."""
    mine, theirs = engine(GATE, 1000), torch_loop(GATE, 1000)
    return versus("2-2-1, batch 1, SGD / PyTorch, fused SGD", 1 / 12, mine, theirs, 9)


def spiral_sklearn() -> Row:
    """One partial_fit an update."""
    mine, theirs = engine(SPIRAL, 300), sklearn_fits(SPIRAL, 300, SPIRAL.batch)
    return versus("2-8-8-1, batch 10, Adam / scikit-learn", 1 / 6, mine, theirs, 9)


def gate_sklearn() -> Row:
    """One partial_fit an update."""
    mine, theirs = engine(GATE, 300), sklearn_fits(GATE, 300, GATE.batch)
    return versus("2-2-1, batch 1, SGD / scikit-learn", 1 / 6, mine, theirs, 9)
