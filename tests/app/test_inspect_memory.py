"""Inspect on a recurrent network: its state over time, the steps that mattered."""

from pathlib import Path
from typing import Any

import numpy as np

from tui_nn.modes.inspect import Inspect
from tui_nn.views.memory import Memories
from tui_nn.widgets.heatmap import Heatmap
from tui_nn_engine import Experiment

TREE: dict[str, Any] = {
    "data": {"name": "first_symbol", "delay": 5, "samples": 60},
    "layers": [
        {"type": "gru", "units": 3, "return_sequences": True},
        {"type": "lstm", "units": 4},
        {"type": "dense", "units": 2, "activation": "softmax"},
    ],
    "loss": "categorical_crossentropy",
    "training": {"epochs": 2, "batch_size": 16},
}


async def test_the_state_over_time_of_layer_after_layer(laboratory: Any, tmp_path: Path) -> None:
    path = tmp_path / "lstm.toml"
    path.write_text(Experiment.parse(TREE).to_toml())
    async with laboratory(path, (80, 24)) as app:
        await app.mode("4", "inspect")
        mode = app.app.screen_stack[0]
        assert isinstance(mode, Inspect)
        await app.until(lambda: mode.view, "a view")
        for _ in range(12):
            if isinstance(mode.view, Memories):
                break
            await app.press("t")
        await app.shows("gru_1: h of 3 units (rows) over 6 time steps (columns), sample 1")
        await app.shows("gradient × input")
        array = mode.query_one("#states", Heatmap).array
        assert array is not None
        assert array.shape == (3, 6)
        assert np.isfinite(array).all()
        await app.press("right")
        await app.shows("sample 2")
        await app.press("u")
        await app.shows("lstm_1: h of 4 units")
