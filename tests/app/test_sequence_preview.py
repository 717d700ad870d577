"""Sequences before training: symbols as they are written, series as lines, all else by the step."""

import numpy as np
import pytest
from textual.app import App
from textual.widgets import DataTable, Static

from tui_nn.draft import review
from tui_nn.widgets.data_preview import DataPreview, Preview
from tui_nn.widgets.series_plot import SeriesPlot


def preview(**data):
    tree = {
        "data": data,
        "layers": [{"type": "flatten"}, {"type": "dense", "units": 1}],
        "loss": {"type": "mean_squared_error"},
    }
    found = review(tree)
    assert found.data is not None, found.problems
    return Preview.of(found.data), found.data.dataset


def test_symbols_are_read_from_rows_and_tokens_alike():
    for name, options in (("first_symbol", {}), ("parity", {}), ("reversing", {"shortest": 2})):
        rows, _ = preview(name=name, **options)
        tokens, data = preview(name=name, encoding="tokens", **options)
        assert rows.rows == tokens.rows
        assert rows.header == ("sequence", "→ each step" if data.steps else "→ class")
    said, wanted = tokens.rows[0]
    assert wanted == said[::-1]
    assert 2 <= len(said) <= 6


def test_words_are_written_out_without_padding():
    found, _ = preview(name="words")
    assert ("⏎able", "able⏎") in found.rows
    facts = " ".join(found.facts).replace("\xa0", " ")
    assert "11 time steps of 27 features · 3 to 11 steps are real, padding follows" in facts
    assert "a target at each of 11 steps" in facts


def test_a_number_is_spelt():
    found, _ = preview(name="spelling")
    assert found.rows[7] == ("7", "seven")


def test_several_numbers_a_step_are_told_step_by_step():
    found, _ = preview(name="adding", length=4)
    assert found.header == ("sequence", "step", "value", "marker", "→ target")
    assert [row[:2] for row in found.rows[:5]] == [
        ("1", "1"), ("1", "2"), ("1", "3"), ("1", "4"), ("2", "1"),
    ]  # fmt: skip
    marked = sum(float(row[2]) for row in found.rows[:4] if row[3] == "1")
    assert float(found.rows[3][4]) == pytest.approx(marked, abs=2e-3)
    assert found.rows[0][4] == ""


@pytest.mark.parametrize("targets", ["last", "every"])
def test_a_series_is_what_is_seen_and_what_follows(targets):
    found, data = preview(name="co2", horizon=3, targets=targets)
    assert found.series is not None
    assert np.array_equal(found.series.seen[0], data.x[0, :, 0])
    assert np.array_equal(found.series.following[0], np.atleast_2d(data.y[0])[-1])


@pytest.mark.parametrize(
    ("options", "shown"),
    [({"name": "sine"}, "series"), ({"name": "words"}, "rows"), ({"name": "adding"}, "rows")],
)
async def test_they_are_drawn(options, shown):
    found, data = preview(**options)

    class PreviewApp(App[None]):
        def compose(self):
            yield DataPreview()

    app = PreviewApp()
    async with app.run_test(size=(50, 24)) as pilot:
        app.query_one(DataPreview).show(found)
        await pilot.pause()
        visible = [w.id for w in app.query("ContentSwitcher > *") if w.display]
        assert visible == [shown]
        facts = str(app.query_one("#facts", Static).render())
        assert f"rank {data.x.ndim} · {data.x.shape}" in facts
        if shown == "series":
            plot = app.query_one(SeriesPlot)
            text = "\n".join(plot.render_line(y).text for y in range(plot.size.height))
            assert "to foretell" in text
            assert "●" in text.split("\n", 1)[1]
            assert any("⠀" < sign <= "⣿" for sign in text.split("\n", 1)[1])
        else:
            assert app.query_one(DataTable).row_count == len(found.rows)


def test_sequences_written_in_the_experiment_have_no_names_but_are_shown():
    series, _ = preview(name="given", x=[[[1], [0.5], [-1]]], y=[[1]], task="regression")
    assert (series.series.name, series.series.seen.tolist()) == ("x", [[1, 0.5, -1]])
    steps, _ = preview(name="given", x=[[[1, 0], [0, 1]]], y=[[1]], task="regression")
    assert "x1" in " ".join(map(str, steps.header)) + " ".join(map(str, steps.rows))


def test_numbers_are_no_symbols_though_they_are_0_and_1():
    for name in ("xor", "gates", "adding", "sine"):
        _, data = preview(name=name)
        assert data.symbols(data.x[0]) is None
