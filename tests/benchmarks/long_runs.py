"""What long runs and many runs take: memory, cores, and the way back to where a run has been."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from dense_training import MNIST, SPIRAL, Task
from ratios import Row
from threadpoolctl import threadpool_limits

from tui_nn_engine.comparisons.comparing import compare
from tui_nn_engine.comparisons.comparison import Comparison
from tui_nn_engine.training.timeline import Timeline

MEMORY = """
import sys
sys.path.insert(0, sys.argv[1])
from dense_training import GATE
from long_runs import peak_memory
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
