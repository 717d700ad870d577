"""Makes the README's pictures: `python tools/make_pictures.py` (the app draws them itself)."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["TUI_NN_RUNS"] = tempfile.mkdtemp()

from textual.pilot import Pilot

from tui_nn.app import Laboratory

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"


async def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    app = Laboratory()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: state(app) == "ready")
        await pilot.press("space")
        await until(pilot, lambda: state(app) == "completed")
        await pilot.press("w", "y")
        await picture(app, pilot, "train")
        await pilot.press("1", "down")
        await picture(app, pilot, "build")
        await pilot.press("2", "r")
        await until(pilot, lambda: state(app) == "ready")
        await pilot.press("3")
        await until(pilot, lambda: state(app) == "stepping")
        await pilot.press(*"n" * 13)
        await picture(app, pilot, "step")


def state(app: Laboratory) -> str:
    return app.desk.monitor.state if app.desk else "opening"


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    while not condition():
        await pilot.pause(0.02)


async def picture(app: Laboratory, pilot: Pilot[None], name: str) -> None:
    app.clear_notifications()
    await pilot.pause(2.0)
    (PICTURES / f"{name}.svg").write_text(app.export_screenshot(title="tui-nn"))


asyncio.run(main())
