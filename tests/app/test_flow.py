"""Pieces of text in as many lines as they need, and legends of many curves."""

import pytest
from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.strip import Strip

from tui_nn.history import History
from tui_nn.widgets.curve import Curve, Series
from tui_nn.widgets.flow import flowed


@pytest.mark.parametrize(
    ("width", "most", "lines"),
    [
        (40, 3, ["alpha  beta  gamma  delta"]),
        (12, 3, ["alpha  beta", "gamma  delta"]),
        (6, 9, ["alpha", "beta", "gamma", "delta"]),
        (20, 1, ["alpha  + 3 more"]),
        (23, 1, ["alpha  beta  + 2 more"]),
        (13, 2, ["alpha  beta", "gamma  delta"]),
        (3, 2, ["alpha", "+ 3 more"]),
    ],
)
def test_no_piece_is_torn_and_what_is_left_out_is_said(
    width: int, most: int, lines: list[str]
) -> None:
    pieces = [Strip([Segment(word)]) for word in ("alpha", "beta", "gamma", "delta")]
    found = [line.text for line in flowed(pieces, width, most)]
    assert found == lines


class Many(App[None]):
    def compose(self) -> ComposeResult:
        series = []
        for name in ("constant", "momentum", "Nesterov", "inverse scaling", "Adam"):
            history = History()
            history.extend(1, [3.0, 2.0, 1.0])
            series.append(Series(name, history))
        yield Curve(series, title="Loss", x_label="epoch", redraw_interval=0.0)


async def test_a_curve_names_all_its_lines_and_their_values() -> None:
    app = Many()
    async with app.run_test(size=(44, 24)) as pilot:
        await pilot.pause()
        curve = app.query_one(Curve)
        lines = [curve.render_line(y).text.rstrip() for y in range(24)]
        assert lines[:3] == [
            "Loss",
            "━━━ constant  ━━━ momentum  ━━━ Nesterov",
            "━━━ inverse scaling  ━━━ Adam",
        ]
        assert lines[-3:] == [
            "epoch 3  constant 1.000  momentum 1.000",
            "Nesterov 1.000  inverse scaling 1.000",
            "Adam 1.000",
        ]
        app.query_one(Curve).styles.height = 10
        await pilot.pause()
        lines = [curve.render_line(y).text.rstrip() for y in range(10)]
        assert lines[0] == "Loss  ━━━ constant  ━━━ momentum  + 3 more"
        assert lines[-1] == "epoch 3  constant 1.000  + 4 more"
