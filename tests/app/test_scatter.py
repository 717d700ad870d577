import numpy as np
import pytest
from textual.app import App
from textual.color import Color

from tui_nn.palette import CLASS_MARKERS
from tui_nn.widgets.scatter import Scatter


class ScatterApp(App):
    def __init__(self, *arguments, **options):
        super().__init__()
        self.scatter = Scatter(*arguments, **options)

    def compose(self):
        yield self.scatter


def text(widget):
    return [widget.render_line(y).text for y in range(widget.size.height)]


async def test_classes_differ_by_marker_and_are_named():
    points = [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    app = ScatterApp(points, [0, 1, 2], class_names=["setosa", "versicolor", "virginica"])
    async with app.run_test(size=(70, 20)):
        rows = text(app.scatter)
        assert "x2 over x1" in rows[0]
        assert "● setosa" in rows[0]
        assert "▲ versicolor" in rows[0]
        picture = "\n".join(rows[1:])
        assert [picture.count(marker) for marker in CLASS_MARKERS[:4]] == [1, 1, 1, 0]


async def test_points_stand_where_the_axes_say():
    app = ScatterApp([[-2.0, -1.0], [2.0, 3.0], [0.0, 1.0]], [0, 1, 2])
    async with app.run_test(size=(81, 26)):
        rows = text(app.scatter)
        place = {m: (row.index(m), y) for m in "●▲■" for y, row in enumerate(rows[1:]) if m in row}
        assert place["●"][0] < place["■"][0] < place["▲"][0]
        assert place["●"][1] > place["■"][1] > place["▲"][1]
        assert rows[1:][place["■"][1]].lstrip().startswith("1┤")  # on the tick of its value
        tick = rows[-2].index("┬", place["■"][0] - 1)
        assert tick == place["■"][0]


async def test_the_class_with_most_points_shows():
    points = [[0.0, 0.0]] * 5 + [[1.0, 1.0]]
    app = ScatterApp(points, [0, 1, 1, 1, 0, 0])
    async with app.run_test(size=(40, 12)):
        picture = "\n".join(text(app.scatter)[1:])
        assert (picture.count("●"), picture.count("▲")) == (1, 1)


async def test_points_that_are_not_finite_are_left_out_and_counted():
    app = ScatterApp([[0.0, 1.0], [np.nan, 1.0], [1.0, np.inf]])
    async with app.run_test(size=(60, 12)):
        assert "2 not finite, left out" in text(app.scatter)[0]


async def test_nothing_to_show_says_so():
    app = ScatterApp(empty="Choose a data set with two inputs.")
    async with app.run_test(size=(60, 12)) as pilot:
        assert "Choose a data set with two inputs." in "\n".join(text(app.scatter))
        app.scatter.show([[1.0, 2.0]])
        await pilot.pause()
        assert "●" in "\n".join(text(app.scatter))


@pytest.mark.parametrize("scale", [1e-300, 0.0, 1.0, 1e150])
async def test_any_size_fits(scale):
    points = np.random.default_rng(0).standard_normal((5000, 2)) * scale
    app = ScatterApp(points, np.arange(5000) % 12)
    async with app.run_test(size=(200, 60)) as pilot:
        for size in ((200, 60), (40, 12), (10, 3), (1, 1), (16, 5)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            rows = text(app.scatter)
            assert (len(rows[0]), len(rows)) == size


async def test_colours_follow_the_theme():
    app = ScatterApp([[0.0, 0.0], [1.0, 1.0]])
    async with app.run_test(size=(40, 12)) as pilot:
        colors = []
        for theme in ("textual-dark", "textual-light"):
            app.theme = theme
            await pilot.pause()
            strips = [app.scatter.render_line(y) for y in range(1, 11)]
            marker = next(s for strip in strips for s in strip if "●" in s.text)
            assert marker.style.bgcolor == app.scatter.rich_style.bgcolor
            colors.append(Color.from_rich_color(marker.style.color).hex6)
        assert colors[0] != colors[1]


@pytest.mark.parametrize(("points", "labels"), [([1.0, 2.0], None), ([[1.0, 2.0]], [0, 1])])
def test_shapes_must_fit(points, labels):
    with pytest.raises(ValueError, match=r"points must have shape \(n, 2\)"):
        Scatter(points, labels)
