"""Inspect on text: what the network writes, while it learns to; every step is judged."""

from pathlib import Path
from typing import Any

import pytest

from tui_nn.modes.inspect import Inspect
from tui_nn.views.errors import Confusion
from tui_nn.views.text import Written
from tui_nn_engine.inspection.mistakes import Mistakes
from tui_nn_engine.inspection.trace import Trace
from tui_nn_engine.inspection.writing import Writing

TEXT = """
[data]
name = "text"
path = "PATH"
window = 8
stride = 4
validation_fraction = 0.2
[[layers]]
type = "dense"
units = 4
activation = "softmax"
[loss]
type = "categorical_crossentropy"
[optimizer]
type = "adam"
learning_rate = 0.1
[training]
epochs = 60
threads = 1
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "own.txt").write_text("abc\n" * 60)
    path = tmp_path / "text.toml"
    path.write_text(TEXT.replace("PATH", str(tmp_path / "own.txt")))
    return path


def view(app: Any) -> Any:
    mode = app.app.screen_stack[0]
    assert isinstance(mode, Inspect)
    return mode.view


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_it_writes_what_it_has_learned(laboratory: Any, text: Path, size: Any) -> None:
    async with laboratory(text, size) as app:
        await app.mode("4", "inspect")
        await app.until(lambda: isinstance(view(app), Written), "the text")
        await app.shows("temperature 1")
        await app.shows("not trained yet")
        await app.press("space")
        await app.state("completed")
        await app.press("left", "left", "left", "left")
        await app.shows("the likeliest symbol, always")
        await app.until(
            lambda: (
                isinstance(app.monitor.sight, Writing)
                and app.monitor.sight.iteration == app.monitor.total
                and app.monitor.sight.texts == ("abc\n" * 30,)
            ),
            "what it has learned",
        )
        await app.press("right", "right", "right", "right", "right", "right", "right")
        await app.shows("the unlikely, too")
        first = app.monitor.sight.texts
        await app.press("d")
        await app.until(lambda: app.monitor.sight.texts != first, "other draws")


async def test_the_other_views_judge_every_step(laboratory: Any, text: Path) -> None:
    async with laboratory(text) as app:
        await app.mode("4", "inspect")
        await app.until(lambda: isinstance(view(app), Written), "the text")
        await app.press("t")
        await app.until(lambda: isinstance(view(app), Confusion), "the mistakes")
        await app.until(lambda: isinstance(app.monitor.sight, Mistakes), "them told")
        samples = app.monitor.subject.sizes[0]
        assert app.monitor.sight.matrix.sum() == 8 * samples
        for _ in range(8):
            if view(app).label == "Sample":
                break
            await app.press("t")
        await app.until(lambda: isinstance(app.monitor.sight, Trace), "a sample")
        sight = app.monitor.sight
        assert 1 <= sight.step <= 8
        assert "".join(sight.symbols) in "abc⏎" * 3  # as the data has it, not as numbers
        await app.shows(f"reads {''.join(sight.symbols)}")
        values = sight.values.reshape(8, 4)
        step, unit = divmod(int(abs(values).argmax()), 4)
        await app.shows(f"the greatest: unit {unit + 1} at step {step + 1}")
        await app.shows("says")
