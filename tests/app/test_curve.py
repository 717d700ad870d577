import numpy as np
import pytest
from textual.app import App
from textual.color import Color
from textual.theme import BUILTIN_THEMES
from waiting import until

from tui_nn.history import History
from tui_nn.widgets.curve import Curve, Series, SeriesStyle
from tui_nn.widgets.plot import (
    BRAILLE,
    Axis,
    Line,
    draw_plot,
    linear_ticks,
    log_ticks,
    number,
    reduce_columns,
)


class CurveApp(App):
    def __init__(self, training, validation=None):
        super().__init__()
        self.training = History()
        self.training.extend(1, training)
        self.validation = History()
        for iteration, value in validation or []:
            self.validation.append(iteration, value)

    def compose(self):
        yield Curve(
            [
                Series("training", self.training),
                Series("validation", self.validation, SeriesStyle("warning", "●", smoothed=False)),
            ],
            title="Loss",
            empty="Press space to start training.",
            redraw_interval=0.0,
        )

    @property
    def curve(self):
        return self.query_one(Curve)


def text(curve):
    return [curve.render_line(y).text for y in range(curve.size.height)]


def is_dots(character):
    return "\u2801" <= character <= "\u28ff"


BLACK = Color(0, 0, 0)
FALLING = np.linspace(1.0, 0.1, 100)


async def test_an_empty_curve_says_what_to_do():
    app = CurveApp([])
    async with app.run_test(size=(60, 12)) as pilot:
        assert "Press space to start training." in "\n".join(text(app.curve))
        await pilot.press("left", "right", "home", "end", "escape", "shift+left")
        assert app.curve.cursor is None
        assert app.curve.cursor_text == ""


async def test_the_picture_names_its_series_without_colour():
    app = CurveApp(FALLING, [(50, 0.5), (100, 0.2)])
    async with app.run_test(size=(80, 20)):
        rows = text(app.curve)
        assert rows[0].startswith("Loss")
        assert "━━━ training" in rows[0]
        assert "━●━ validation" in rows[0]
        assert sum(row.count("●") for row in rows[1:]) == 2
        assert any(is_dots(c) for row in rows for c in row)
        assert "iteration 100  training 0.1000  validation 0.2000" in rows[-1]
        assert "0.6┤" in "\n".join(rows)
        assert rows[-2].split() == ["20", "40", "60", "80", "100"]


async def test_a_falling_series_falls_from_left_to_right():
    app = CurveApp(FALLING)
    async with app.run_test(size=(60, 16)):
        canvas = text(app.curve)[1:-3]
        first = next(y for y, row in enumerate(canvas) if is_dots(row[app.curve._canvas_left]))
        last = next(y for y, row in enumerate(canvas) if is_dots(row[-1]))
        assert first == 0
        assert last > len(canvas) // 2


async def test_the_cursor_tells_values():
    app = CurveApp([0.5, 0.25, np.nan, 0.125], [(2, 0.75)])
    async with app.run_test(size=(60, 12)) as pilot:
        app.curve.focus()
        text(app.curve)
        await pilot.press("home")
        assert app.curve.cursor_text == "iteration 1  training 0.5000  validation none yet"
        await pilot.press("right")
        assert app.curve.cursor_text == "iteration 2  training 0.2500  validation 0.7500"
        await pilot.press("right")
        assert app.curve.cursor_text == "iteration 3  training not finite  validation 0.7500 at 2"
        await pilot.press("shift+right")
        assert app.curve.cursor == 4
        await pilot.press("left", "end", "home", "shift+left")
        assert app.curve.cursor == 1
        assert app.curve.cursor_text in text(app.curve)[-1]
        column = app.curve._canvas_left
        assert any(row[column] == "│" for row in text(app.curve)[1:-3])
        await pilot.press("escape")
        assert app.curve.cursor is None


async def test_a_series_that_is_over_is_not_followed_and_tells_where_it_ended():
    before = History()
    before.extend(4, [0.5, 0.25])
    app = CurveApp([1.0, 0.5, 0.25])
    async with app.run_test(size=(60, 12)) as pilot:
        app.curve.series = [Series("before", before, over=True), *app.curve.series[:1]]
        app.curve.focus()
        text(app.curve)
        assert app.curve.cursor_text == "iteration 3  training 0.2500"
        await pilot.press("end")
        assert app.curve.cursor_text == "iteration 5  before 0.2500  training 0.2500 at 3"
        await pilot.press("escape")
        app.curve.series[1].history.extend(4, [0.125] * 1000)
        expected = "iteration 1,003  before 0.2500 at 5  training 0.1250"
        assert app.curve.cursor_text == expected


async def test_the_cursor_tells_a_range_where_values_were_merged():
    app = CurveApp([])
    async with app.run_test(size=(60, 12)):
        app.training.extend(1, np.tile([0.25, 0.5], 4096))
        app.curve.cursor = 1150
        assert "iteration 1,150  training 0.2500–0.5000 of 4" in app.curve.cursor_text


async def test_the_mouse_reads_and_a_click_keeps():
    app = CurveApp(FALLING)
    async with app.run_test(size=(60, 12)) as pilot:
        text(app.curve)
        await pilot.hover(Curve, offset=(59, 4))
        assert app.curve.cursor == 100
        await pilot.click(Curve, offset=(0, 4))
        assert app.curve.cursor == 1
        app.curve.on_leave()
        assert app.curve.cursor == 1


async def test_the_log_axis_is_labelled_with_values_and_says_what_it_hides():
    values = 10.0 ** np.linspace(0, -3, 200)
    values[50] = 0.0
    app = CurveApp(values)
    async with app.run_test(size=(100, 24)) as pilot:
        assert "not shown" not in text(app.curve)[0]
        app.curve.log_scale = True
        await pilot.pause()
        rows = text(app.curve)
        assert "Loss (log)" in rows[0]
        assert "values ≤ 0 not shown" in rows[0]
        for label in ("1┤", "0.1┤", "0.01┤", "0.001┤"):
            assert any(label in row for row in rows)


async def test_a_log_axis_without_a_positive_value_draws_nothing_and_says_why():
    app = CurveApp([-1.0, 0.0, -2.0])
    async with app.run_test(size=(80, 16)) as pilot:
        app.curve.log_scale = True
        await pilot.pause()
        rows = text(app.curve)
        assert "values ≤ 0 not shown" in rows[0]
        assert not any(is_dots(c) for row in rows for c in row)


async def test_a_log_axis_shows_what_is_positive_of_merged_values():
    app = CurveApp(np.tile([-4.9, 5.0], 5000))
    async with app.run_test(size=(80, 16)) as pilot:
        app.curve.log_scale = True
        for smoothing in (0.0, 10.0):
            app.curve.smoothing = smoothing
            await pilot.pause()
            rows = text(app.curve)
            assert "values ≤ 0 not shown" in rows[0]
            assert any(is_dots(c) for row in rows for c in row)


async def test_smoothing_draws_a_second_calmer_line():
    noise = 1 + 0.5 * np.random.default_rng(0).standard_normal(2000)
    app = CurveApp(noise)
    async with app.run_test(size=(80, 20)) as pilot:
        raw = app.curve.render_line(8)
        app.curve.smoothing = 100.0
        await pilot.pause()
        colors = {s.style.color for s in app.curve.render_line(8) if s.style and s.style.color}
        assert colors > {s.style.color for s in raw if s.style and s.style.color} - {None}


@pytest.mark.parametrize("values", [[1.0], [0.0] * 5, [np.nan, np.inf], [1e279, -1e279], [1e-300]])
@pytest.mark.parametrize("log_scale", [False, True])
async def test_odd_data_is_drawn_without_an_exception(values, log_scale):
    app = CurveApp(values)
    async with app.run_test(size=(60, 14)) as pilot:
        app.curve.log_scale = log_scale
        await pilot.press("tab", "home", "end", "left")
        await pilot.pause()
        assert len(text(app.curve)) == 14


async def test_any_size_fits():
    app = CurveApp(np.random.default_rng(0).random(5000) * 1e-5, [(2500, 0.5)])
    async with app.run_test(size=(200, 60)) as pilot:
        app.curve.cursor = 4000
        for size in ((200, 60), (40, 12), (10, 3), (1, 1), (20, 5), (21, 6), (25, 7), (200, 60)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            rows = text(app.curve)
            assert (len(rows[0]), len(rows)) == size
            assert any(is_dots(c) for row in rows for c in row) == (size >= (20, 5))


async def test_colours_follow_the_theme():
    app = CurveApp(FALLING)

    def followed():
        style = next(s.style for s in app.curve.render_line(2) if any(is_dots(c) for c in s.text))
        primary = app.curve._color("primary").hex6
        background = app.curve.rich_style.bgcolor
        return Color.from_rich_color(style.color).hex6 == primary and style.bgcolor == background

    async with app.run_test(size=(60, 12)) as pilot:
        for theme in BUILTIN_THEMES:
            app.theme = theme
            await until(pilot, followed, theme)


async def test_it_draws_once_and_only_when_data_changed(monkeypatch):
    app = CurveApp(FALLING)
    async with app.run_test(size=(60, 12)) as pilot:
        draws = []
        draw = app.curve._draw
        monkeypatch.setattr(app.curve, "_draw", lambda size: draws.append(size) or draw(size))
        text(app.curve)
        app.curve.cursor = 50
        await pilot.pause()
        text(app.curve)
        assert draws == []
        app.training.append(101, 0.05)
        app.curve.data_changed()
        await pilot.pause()
        text(app.curve)
        assert len(draws) == 1
        app.curve.redraw_interval = 3600.0
        timers = []
        monkeypatch.setattr(app.curve, "set_timer", lambda *arguments: timers.append(arguments))
        app.curve.data_changed()
        app.curve.data_changed()
        await pilot.pause()
        text(app.curve)
        assert len(draws) == len(timers) == 1
        timers[0][1]()
        text(app.curve)
        assert len(draws) == 2


async def test_a_million_points_cost_as_much_to_draw_as_a_screen_full(monkeypatch):
    app = CurveApp([])
    async with app.run_test(size=(120, 20)) as pilot:
        rng = np.random.default_rng(0)
        for first in range(1, 1_000_000, 50_000):
            app.training.extend(first, rng.random(50_000))
        drawn = []

        def spy(size, x, y, lines, **colors):
            drawn.extend(line.x.size for line in lines)
            return draw_plot(size, x, y, lines, **colors)

        monkeypatch.setattr("tui_nn.widgets.curve.draw_plot", spy)
        app.curve.data_changed()
        await pilot.pause()
        assert "1,000,000" in text(app.curve)[-1]
        assert max(drawn) <= 240


def test_a_column_keeps_its_minimum_and_maximum():
    x = np.arange(1.0, 1001.0)
    y = np.sin(x)
    y[500] = 50.0
    xs, ys, joined = reduce_columns(x, y, y, 40, (1.0, 1000.0), 0.01)
    assert xs.size <= 80
    assert ys.max() == 50.0
    assert ys.min() == y.min()
    assert np.all(np.diff(xs) >= 0)
    assert joined[1:].all()


def test_a_gap_breaks_the_line_and_nothing_else():
    x = np.arange(1.0, 11.0)
    y = np.where((x == 4) | (x == 5), np.nan, x)
    xs, ys, joined = reduce_columns(x, y, y, 10, (1.0, 10.0), 1e-9)
    np.testing.assert_array_equal(xs, [1, 2, 3, 6, 7, 8, 9, 10])
    np.testing.assert_array_equal(ys, xs)
    np.testing.assert_array_equal(joined, [False, True, True, False, True, True, True, True])


def test_a_line_is_made_of_braille_dots():
    line = Line(np.array([0.0, 2.0]), np.array([0.0, 1.0]), np.array([False, True]), BRAILLE, BLACK)
    axes = Axis(0.0, 2.0, []), Axis(0.0, 1.0, [])
    strips = draw_plot((4, 4), *axes, [line], frame=BLACK, grid=BLACK, text=BLACK)
    assert [s.text for s in strips] == ["│  ⡠", "│⠠⠊ ", "└───", "    "]


def test_a_later_line_covers_an_earlier_one():
    lines = [
        Line(np.array([0.0]), np.array([y]), np.array([False]), marker, Color(red, 0, 0))
        for y, marker, red in ((0.0, BRAILLE, 1), (0.05, BRAILLE, 2), (1.0, "●", 3))
    ]
    axes = Axis(0.0, 1.0, []), Axis(0.0, 1.0, [])
    strips = draw_plot((3, 6), *axes, lines, frame=BLACK, grid=BLACK, text=BLACK)
    cells = [next(iter(s.divide([1, 2])[1])) for s in strips[:4]]
    assert [cell.text for cell in cells] == ["●", " ", " ", "⠐"]
    assert [cells[k].style.color.triplet.red for k in (0, 3)] == [3, 2]


def test_a_gap_is_empty_on_the_screen():
    y = np.full(100, 1.0)
    y[40:60] = np.nan
    x = np.arange(100.0)
    line = Line(*reduce_columns(x, y, y, 100, (0.0, 99.0), 0.01), BRAILLE, Color(1, 2, 3))
    axes = Axis(0.0, 99.0, []), Axis(0.0, 2.0, [])
    strips = draw_plot((101, 12), *axes, [line], frame=BLACK, grid=BLACK, text=BLACK)
    row = next(s.text[1:] for s in strips if any(is_dots(c) for c in s.text))
    assert [is_dots(c) for c in row] == [not 40 <= k < 60 for k in range(100)]


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.1, 4.03), (-3, 9380), (1e-9, 3e-9), (0, 3e12)]
)
@pytest.mark.parametrize("at_most", [2, 5, 10])
def test_linear_ticks_are_round_and_inside(low, high, at_most):
    ticks = linear_ticks(low, high, at_most)
    assert 1 <= len(ticks) <= at_most
    for position, label in ticks:
        assert low - 1e-9 * abs(high) <= position <= high * (1 + 1e-9)
        assert float(label.replace(",", "")) == pytest.approx(position, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize(
    ("low", "high"), [(-3, 0), (0.1, 0.3), (-300, 300), (0.30, 0.302), (-1, 0.5)]
)
@pytest.mark.parametrize("at_most", [2, 4, 8])
def test_log_ticks_are_labelled_with_values(low, high, at_most):
    ticks = log_ticks(low, high, at_most)
    assert 2 <= len(ticks) <= at_most
    for position, label in ticks:
        assert low <= position <= high
        assert np.log10(float(label)) == pytest.approx(position, abs=1e-3)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0.0000"),
        (0.3412, "0.3412"),
        (-12.3456, "-12.35"),
        (1234.56, "1,234.6"),
        (1.5e-7, "1.500e-07"),
        (2.5e8, "2.500e+08"),
    ],
)
def test_numbers_are_read_at_a_glance(value, shown):
    assert number(value) == shown
