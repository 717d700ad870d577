import numpy as np
import pytest
from textual.app import App
from textual.color import Color

from tui_nn.palette import (
    CLASS_COLORS,
    CLASS_MARKERS,
    DIVERGING,
    DIVERGING_DARK,
    GRAYSCALE,
    SEQUENTIAL,
    class_color,
    class_marker,
)
from tui_nn.widgets.heatmap import Heatmap, ImageGrid, enlarge, half_blocks, image_grid


def cells(strip):
    """(character, upper colour, lower colour) of every cell."""
    for segment in strip:
        style = segment.style
        colors = [None if c is None else tuple(c.triplet) for c in (style.color, style.bgcolor)]
        yield from ((character, *colors) for character in segment.text)


def test_two_rows_make_one_line():
    image = np.array([[0, 255, 255], [255, 0, 0]], dtype=np.uint8)
    (strip,) = half_blocks(image, GRAYSCALE)
    black, white = (0, 0, 0), (255, 255, 255)
    assert list(cells(strip)) == [("▀", black, white), ("▀", white, black), ("▀", white, black)]
    assert len(list(strip)) == 2  # equal neighbours share a segment


def test_floats_span_the_palette_and_clip():
    strips = half_blocks(np.array([[0.0, 0.5, 1.0, -np.inf, np.inf, 7.0]]).repeat(2, 0), DIVERGING)
    uppers = [upper for _, upper, _ in cells(strips[0])]
    assert uppers == [tuple(DIVERGING[i]) for i in (0, 128, 255, 0, 255, 255)]


def test_an_odd_last_row_leaves_the_lower_half_to_the_screen():
    strips = half_blocks(np.zeros((3, 1), dtype=np.uint8), GRAYSCALE)
    assert len(strips) == 2
    assert list(cells(strips[1])) == [("▀", (0, 0, 0), None)]


def test_values_that_are_not_numbers_are_hatched():
    strips = half_blocks(np.array([[np.nan, 1.0, 0.0], [1.0, np.nan, 0.0]]), GRAYSCALE)
    assert strips[0].text == "╱╱▀"


def test_every_pixel_keeps_its_colour():
    image = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    strips = half_blocks(image, SEQUENTIAL)
    assert len(strips) == 14
    for line, strip in enumerate(strips):
        assert strip.cell_length == 28
        for column, (_, upper, lower) in enumerate(cells(strip)):
            assert upper == tuple(SEQUENTIAL[image[2 * line, column]])
            assert lower == tuple(SEQUENTIAL[image[2 * line + 1, column]])


def test_images_stand_side_by_side_with_captions_below():
    images = np.zeros((3, 4, 6), dtype=np.uint8)
    strips = image_grid(images, 2, ["seven", "a long caption", "1"], gap=1)
    assert [strip.text for strip in strips] == [
        "▀▀▀▀▀▀ ▀▀▀▀▀▀",
        "▀▀▀▀▀▀ ▀▀▀▀▀▀",
        "seven  a long",
        "▀▀▀▀▀▀",
        "▀▀▀▀▀▀",
        "  1   ",
    ]
    assert len(image_grid(images, 3)) == 2
    assert image_grid(images[:0], 3) == []


def test_a_small_array_is_enlarged_whole():
    array, factor = enlarge(np.array([[1.0, 2.0], [3.0, 4.0]]), 7, 2)
    assert factor == 2
    np.testing.assert_array_equal(array, [[1, 1, 2, 2]] * 2 + [[3, 3, 4, 4]] * 2)


def test_a_large_array_becomes_means_of_its_finite_values():
    array = np.arange(20.0).reshape(4, 5)
    array[0, 0] = np.nan
    array[2:, 4] = np.nan
    means, factor = enlarge(array, 3, 1)
    assert factor == -2
    np.testing.assert_allclose(means, [[4.0, 5.0, 6.5], [13.0, 15.0, np.nan]])


class HeatmapApp(App):
    def __init__(self, array, **options):
        super().__init__()
        self.heatmap = Heatmap(array, **options)

    def compose(self):
        yield self.heatmap


def text(widget):
    return [widget.render_line(y).text for y in range(widget.size.height)]


async def test_the_scale_has_the_sign_and_zero_is_neutral():
    app = HeatmapApp([[-1.0, 0.0], [0.25, 0.5]], mode="diverging")
    async with app.run_test(size=(40, 8)) as pilot:
        assert app.heatmap.scale == (-1.0, 1.0)
        scale = next(row for row in text(app.heatmap) if "-1.000" in row)
        assert "+1.000" in scale
        middle = list(cells(app.heatmap.render_line(0)))[10]
        assert middle[1] == tuple(DIVERGING_DARK[128])
        app.theme = "textual-light"
        await pilot.pause()
        assert list(cells(app.heatmap.render_line(0)))[10][1] == tuple(DIVERGING[128])


@pytest.mark.parametrize("values", [[-0.25, 1.0], [-1.0, 0.25], [0.5, 1.0], [np.nan, -1.0]])
def test_a_diverging_scale_reaches_equally_far_on_both_sides(values):
    assert Heatmap([values], mode="diverging").scale == (-1.0, 1.0)


async def test_hovering_tells_the_value():
    app = HeatmapApp([[-1.0, 0.125], [np.nan, 0.5]], mode="diverging")
    async with app.run_test(size=(60, 9)) as pilot:
        text(app.heatmap)
        await pilot.hover(Heatmap, offset=(12, 1))
        assert app.heatmap.caption == "row 0, column 1: 0.1250"
        await pilot.hover(Heatmap, offset=(2, 6))
        assert "row 1, column 0: not finite" in text(app.heatmap)[-1]
        await pilot.hover(Heatmap, offset=(50, 6))
        assert app.heatmap.caption == ""


async def test_an_array_without_room_says_so():
    app = HeatmapApp(np.zeros((100, 200)))
    async with app.run_test(size=(70, 20)):
        assert "100×200 shown as means of 3×3" in "\n".join(text(app.heatmap))


async def test_a_new_array_replaces_the_old():
    app = HeatmapApp(None, mode="grayscale", empty="No image chosen.")
    async with app.run_test(size=(40, 8)) as pilot:
        assert "No image chosen." in "\n".join(text(app.heatmap))
        app.heatmap.array = np.ones((2, 2))
        await pilot.pause()
        assert "▀" in text(app.heatmap)[0]
        app.heatmap.mode = "sequential"
        await pilot.pause()
        assert next(cells(app.heatmap.render_line(0)))[1] == tuple(SEQUENTIAL[0])


async def test_any_size_and_any_values_fit():
    array = np.array([[np.nan, np.inf, -np.inf], [1e300, -1e300, 0.0]])
    for mode in ("grayscale", "diverging", "sequential"):
        app = HeatmapApp(array, mode=mode)
        async with app.run_test(size=(200, 60)) as pilot:
            for size in ((200, 60), (40, 12), (10, 3), (1, 1), (2, 2)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                rows = text(app.heatmap)
                assert (len(rows[0]), len(rows)) == size


def test_a_heatmap_has_two_dimensions():
    with pytest.raises(ValueError, match="2 dimensions"):
        Heatmap(np.zeros(3))


class ImagesApp(App):
    def compose(self):
        yield ImageGrid(empty="No images.")


async def test_as_many_images_show_as_fit():
    app = ImagesApp()
    async with app.run_test(size=(60, 32)) as pilot:
        grid = app.query_one(ImageGrid)
        assert "No images." in "\n".join(text(grid))
        grid.show(np.zeros((10, 28, 28), dtype=np.uint8), [f"digit {k}" for k in range(10)])
        assert grid.fitting(60, 32) == (2, 2)
        shown = "\n".join(text(grid))
        assert [f"digit {k}" in shown for k in range(10)] == [True] * 4 + [False] * 6
        await pilot.resize_terminal(5, 3)
        await pilot.pause()
        assert len(text(grid)) == 3


def luminance(palette):
    return palette @ np.array([0.2126, 0.7152, 0.0722])


def test_palettes_mean_what_they_say():
    for palette in (DIVERGING, DIVERGING_DARK, SEQUENTIAL, GRAYSCALE):
        assert (palette.shape, palette.dtype) == ((256, 3), np.uint8)
    for palette in (DIVERGING, DIVERGING_DARK):
        red, _, blue = palette.astype(int).T
        assert np.all(blue[:124] > red[:124])
        assert np.all(red[132:] > blue[132:])
        distance = np.abs(luminance(palette) - luminance(palette)[128])
        assert np.all(np.diff(distance[:128]) <= 1e-9)
        assert np.all(np.diff(distance[128:]) >= -1e-9)
    for palette in (SEQUENTIAL, GRAYSCALE):
        assert np.all(np.diff(luminance(palette)) > 0)


def test_forty_classes_differ_and_each_marker_is_one_cell():
    assert len({(class_color(k), class_marker(k)) for k in range(40)}) == 40
    assert len(set(CLASS_MARKERS)) == 10
    assert len({Color.parse(c).hex6 for c in CLASS_COLORS}) == 8
