"""The table of ratios: `python tests/benchmarks/run.py [WORDS ...]`.

Each row measures two things side by side in one process, a repetition of each in turn, and gives
the ratio of their medians, in processor time: a busy machine slows both. All run on one thread.
Rows for PyTorch and scikit-learn appear where these are installed. WORDS choose the rows whose
function has one of them in its name.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.comparisons.comparing import compare
from tui_nn_engine.comparisons.comparison import Comparison
from tui_nn_engine.training.threads import cores
from tui_nn_engine.training.timeline import Timeline

Work = Callable[[], object]
TORCH, SKLEARN = find_spec("torch") is not None, find_spec("sklearn") is not None
PTY = find_spec("pty") is not None and find_spec("fcntl") is not None


@dataclass(frozen=True)
class Row:
    """A ratio measured; `aim` is the most it should be."""

    name: str
    aim: float
    ratio: float
    detail: str

    def __str__(self) -> str:
        verdict = "met" if self.ratio <= self.aim else "MISSED"
        return f"{self.name:<62} {self.ratio:7.3f} {self.aim:7.3f}  {verdict:<6}  {self.detail}"


def versus(name: str, aim: float, mine: Work, theirs: Work, repetitions: int) -> Row:
    """Time both in turn, after one warm-up; the ratio is of the medians."""
    with threadpool_limits(1):
        mine()
        theirs()
        times = [(seconds(mine), seconds(theirs)) for _ in range(repetitions)]
    a, b = median(t for t, _ in times), median(t for _, t in times)
    return Row(name, aim, a / b, f"{a * 1e3:.2f} ms against {b * 1e3:.2f} ms")


def seconds(work: Work) -> float:
    """Processor time of one call."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


# -- what is trained ------------------------------------------------------------------------------


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


def travelled(task: Task, updates: int, places: list[int]) -> tuple[list[float], float]:
    """Seconds of the clock to reach each place from the tip of a watched run; and of an update."""
    trainer = task.trainer(epochs=10**9)
    timeline = Timeline(trainer)
    with threadpool_limits(1):
        begun = time.perf_counter()
        for _ in trainer.run(until=updates):
            timeline.observe()
        an_update = (time.perf_counter() - begun) / updates
        times = []
        for place in places:
            for _ in timeline.travel(updates):
                pass
            begun = time.perf_counter()
            for _ in timeline.travel(place):
                pass
            times.append(time.perf_counter() - begun)
    return times, an_update


def back_digits() -> Row:
    """What one waits for after `B` far into a run; the detail compares it with an update on."""
    (back,), on = travelled(MNIST, 5000, [4999])
    detail = f"{back * 1e3:.0f} ms, one update on {on * 1e3:.1f} ms"
    return Row("back one update from 5,000 of 784-512-10 / one second", 1.0, back, detail)


def reach_spiral() -> Row:
    """The slowest of 200 places spread over a run."""
    times, _ = travelled(SPIRAL, 10_000, list(range(25, 10_000, 50)))
    detail = f"{max(times) * 1e3:.0f} ms, the median {median(times) * 1e3:.0f} ms"
    return Row("reach any of 10,000 updates of 2-8-8-1 / one second", 1.0, max(times), detail)


# -- through time ---------------------------------------------------------------------------------


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


MEMORY = """
import sys
sys.path.insert(0, sys.argv[1])
from run import GATE, peak_memory
trainer = GATE.trainer(epochs=10**9)
for event in trainer.run(until=int(sys.argv[2])):
    pass
print(peak_memory())
"""


def peak_memory() -> float:
    """The most memory this process ever held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # Linux's ru_maxrss still counts the process that started this one
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def memory_after(iterations: int) -> float:
    """Peak of a process that makes so many updates of the smallest network."""
    command = [sys.executable, "-c", MEMORY, str(Path(__file__).parent), str(iterations)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)


def memory() -> Row:
    """Nothing gathers while it trains."""
    few, many = memory_after(10_000), memory_after(1_000_000)
    detail = f"{many:.1f} MB against {few:.1f} MB"
    return Row("peak memory, a million updates / ten thousand", 1.1, many / few, detail)


def comparison() -> Row:
    """Wall time of 24 runs, one after the other against one on each of two cores."""
    tree = {
        "data": {"name": "mnist_small"},
        "layers": [
            {"type": "dense", "units": 32, "activation": "relu"},
            {"type": "dense", "units": 10, "activation": "softmax"},
        ],
        "loss": "categorical_crossentropy",
        "training": {"epochs": 5, "batch_size": 128},
        "compare": {"seed": [*range(24)]},
    }
    members = Comparison.parse(tree).members()

    def took(jobs: int) -> float:
        with TemporaryDirectory() as folder:
            begun = time.perf_counter()
            for _ in compare(members, Path(folder), jobs):
                pass
            return time.perf_counter() - begun

    one, two = took(1), took(2)
    detail = f"{two:.1f} s against {one:.1f} s, {one / two:.2f} times as fast"
    return Row("24 runs of 784-32-10 on two cores / on one", 1 / 1.8, two / one, detail)


def first_paint() -> Row:
    """The app's first picture against that of an empty Textual app."""
    import screen

    ours, theirs = screen.first_paint()
    detail = f"{ours * 1e3:.0f} ms against {theirs * 1e3:.0f} ms"
    return Row("first paint / an empty Textual app's", 2.0, ours / theirs, detail)


def app_digits() -> Row:
    """How much longer a run takes with the app open, at equal threads."""
    import screen

    plain, app = screen.speeds(screen.DIGITS, epochs=10)
    detail = f"{app:.2f} s against {plain:.2f} s"
    return Row("training 784-512-10 with the app open / headless", 1 / 0.95, app / plain, detail)


def app_spiral() -> Row:
    """The same where updates are many and small."""
    import screen

    plain, app = screen.speeds(screen.SPIRAL, epochs=1500)
    detail = f"{app:.2f} s against {plain:.2f} s"
    return Row("training 2-8-8-1 with the app open / headless", 1 / 0.95, app / plain, detail)


def key_to_screen() -> Row:
    """The 95th percentile while the smallest network trains flat out."""
    import screen

    delay = screen.key_to_screen()
    return Row("key to screen while training / 50 ms", 1.0, delay / 50, f"{delay:.0f} ms")


def step_opens() -> Row:
    """From a key until a layer of 512 units is on screen, in Step mode for the first time."""
    import screen

    first, again, layer = screen.step_opens()
    detail = f"{first:.0f} ms; {again:.0f} ms once it was there, {layer:.0f} ms to another layer"
    return Row("Step mode opens on 784-512-10 / 200 ms", 1.0, first / 200, detail)


def looked_at() -> Row:
    """A boundary at 100 x 60 cells, told while it trains."""
    import looking

    seen, alone, gap = looking.looked_at()
    detail = f"{seen * 1e6:.1f} us an update against {alone * 1e6:.1f} us, "
    name = "training 2-8-8-1 with its boundary looked at / without"
    return Row(name, 1.1, seen / alone, detail + f"{1 / gap:.1f} pictures a second")


def looked_at_often() -> Row:
    """How long such a picture stands, against a tenth of a second."""
    import looking

    gap = looking.looked_at()[2]
    name = "from one boundary to the next while training / 100 ms"
    return Row(name, 1.0, gap / 0.1, f"{gap * 1e3:.0f} ms")


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
