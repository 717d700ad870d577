"""Makes the README's pictures: `python tools/make_pictures.py` (the app draws them itself)."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["TUI_NN_RUNS"] = tempfile.mkdtemp()
os.environ["TUI_NN_PROGRESS"] = os.environ["TUI_NN_RUNS"] + "/progress.json"

from textual.pilot import Pilot

from tui_nn.app import Laboratory

FOLDER = Path(tempfile.mkdtemp())
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
XOR = """
seed = 1
dtype = "float64"
data = { name = "xor" }
layers = [
  { type = "dense", units = 3, activation = "tanh" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
loss = "binary_crossentropy"
optimizer = { type = "adam", learning_rate = 0.1 }
training = { epochs = 100, batch_size = 4 }
"""
SPIRAL = """
data = { name = "spiral" }
layers = [
  { type = "dense", units = 8, activation = "tanh" },
  { type = "dense", units = 8, activation = "tanh" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
loss = "binary_crossentropy"
optimizer = { type = "adam", learning_rate = 0.02 }
training = { epochs = 300, batch_size = 20 }
"""
RATES = """
[experiment]
data = { name = "moons", validation_fraction = 0.2 }
layers = [
  { type = "dense", units = 8, activation = "tanh" },
  { type = "dense", units = 1, activation = "sigmoid" },
]
loss = "binary_crossentropy"
optimizer = { type = "sgd", learning_rate = 0.1 }
training = { epochs = 60, batch_size = 10 }
[compare]
"optimizer.learning_rate" = [0.3, 0.1, 0.01]
"optimizer.momentum" = [0.0, 0.9]
"""


async def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with laboratory() as (app, pilot):
        await pilot.press("space")
        await until(pilot, lambda: state(app) == "completed")
        await pilot.press("w", "y")
        await picture(app, pilot, "train")
        await pilot.press("1", "down")
        await picture(app, pilot, "build")
    async with laboratory(XOR) as (app, pilot):
        await pilot.press("3")
        await until(pilot, lambda: state(app) == "stepping")
        await pilot.press(*"n" * 11, "full_stop")
        await picture(app, pilot, "step")
    async with laboratory(SPIRAL) as (app, pilot):
        await pilot.press("space")
        await until(pilot, lambda: state(app) == "completed")
        await pilot.press("4")
        await picture(app, pilot, "inspect")
    rates = FOLDER / "rates.toml"
    rates.write_text(RATES)
    command = [sys.executable, "-m", "tui_nn", "compare", str(rates), "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    async with laboratory() as (app, pilot):
        await pilot.press("5")
        await pilot.pause(2.0)
        await pilot.press("/", *"moons", "enter", "a")
        await picture(app, pilot, "compare")
        await pilot.press("6")
        await pilot.pause(2.0)
        await pilot.press(*["home", "down", "down", "down", "down", "down", "enter"])
        await pilot.pause(2.0)
        await pilot.press("n", *"-.7", "enter")
        await picture(app, pilot, "learn")


@asynccontextmanager
async def laboratory(
    experiment: str = "",
) -> AsyncIterator[tuple[Laboratory, Pilot[None]]]:
    path = None
    if experiment:
        path = FOLDER / "experiment.toml"
        path.write_text(experiment)
    app = Laboratory(path)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: state(app) == "ready")
        yield app, pilot


def state(app: Laboratory) -> str:
    return app.desk.monitor.state if app.desk else "opening"


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    while not condition():
        await pilot.pause(0.02)


async def picture(app: Laboratory, pilot: Pilot[None], name: str) -> None:
    app.clear_notifications()
    await pilot.pause(3.0)
    (PICTURES / f"{name}.svg").write_text(app.export_screenshot(title="tui-nn"))


asyncio.run(main())
