"""The saved runs as they lie in their folder: read, deleted, brought back; and views of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.style import Style

from tui_nn.run_shelf import Shelf, title_of
from tui_nn.run_view import Viewer, Wish
from tui_nn.widgets.plot import number
from tui_nn.widgets.run_table import COLUMNS, RunTable, Sorting, shortened
from tui_nn_engine import Experiment, Trainer
from tui_nn_engine.training.claim import claimed
from tui_nn_engine.training.records import Label
from tui_nn_engine.training.runs import Run, runs_folder

TREE: dict[str, Any] = {
    "data": {"name": "moons", "samples": 40, "validation_fraction": 0.25},
    "layers": [{"type": "dense", "units": 1, "activation": "sigmoid"}],
    "loss": "binary_crossentropy",
    "optimizer": {"type": "sgd", "learning_rate": 0.1},
    "training": {"epochs": 2},
}
Make = Callable[..., Path]


@pytest.fixture
def make() -> Make:
    def make(name: str, **changes: Any) -> Path:
        folder = runs_folder() / name
        for _ in Run(Trainer(Experiment.parse(TREE | changes)), folder).record():
            pass
        return folder

    return make


def folders(shelf: Shelf) -> list[str]:
    return [str(one.folder.relative_to(runs_folder())) for one in shelf.read()]


def test_newest_first_and_a_comparisons_runs_as_its_file_has_them(make: Make) -> None:
    shelf = Shelf()
    assert shelf.read() == ()
    make("first")
    for place, name in ((1, "both/a"), (0, "both/b")):
        Label(place=place).write(make(name, seed=place))
    make("last")
    (runs_folder() / "broken").mkdir()
    (runs_folder() / "broken" / "experiment.toml").write_text("[data")
    assert folders(shelf) == ["last", "both/b", "both/a", "first"]
    titles = [title_of(one) for one in shelf.read()]
    assert titles == ["last", "both", "both", "first"]
    Label("my best").write(runs_folder() / "first")
    assert folders(shelf)[-1] == "first"  # a name moves nothing
    assert title_of(shelf.read()[-1]) == "my best"


def test_only_what_has_changed_is_read_anew(make: Make) -> None:
    make("a")
    b = make("b")
    shelf = Shelf()
    before = {one.folder.name: one for one in shelf.read()}
    Label("other").write(b)
    after = {one.folder.name: one for one in shelf.read()}
    assert after["a"] is before["a"]
    assert after["b"].label.name == "other"


def test_deleted_runs_come_back_until_the_trash_is_emptied(make: Make) -> None:
    a, shelf = make("a"), Shelf()
    whole = sorted(path.name for path in a.rglob("*"))
    make("comparison/b")
    shelf.delete(a)
    shelf.delete(runs_folder() / "comparison" / "b")
    assert folders(shelf) == []
    assert shelf.can_undo
    make("comparison/b", seed=9)
    with pytest.raises(FileExistsError, match="exists again"):
        shelf.undo()
    (runs_folder() / "comparison" / "b").rename(runs_folder() / "c")
    shelf.undo()
    shelf.undo()
    assert sorted(folders(shelf)) == ["a", "c", "comparison/b"]
    assert sorted(path.name for path in a.rglob("*")) == whole
    assert not shelf.can_undo
    assert shelf.undo() is None
    shelf.delete(a)
    shelf.empty_trash()
    assert not shelf.can_undo
    assert not [*runs_folder().glob(".*")]


def test_a_run_that_is_being_trained_is_not_deleted(make: Make) -> None:
    folder, shelf = make("a"), Shelf()
    claim = claimed(folder)
    with pytest.raises(OSError, match="is being trained"):
        shelf.delete(folder)
    del claim
    shelf.delete(folder)
    assert folders(shelf) == []


def test_a_view_is_the_same_while_nothing_is_new(make: Make) -> None:
    a = make("a")
    viewer = Viewer(Shelf())
    view = viewer.look(Wish())
    assert viewer.look(Wish()) is view
    chosen = viewer.look(Wish(chosen=(a, runs_folder() / "gone")))
    assert [one.folder for one in chosen.chosen] == [a]
    assert [*chosen.curves[0]] == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert chosen.curves[0]["loss"].last == 2
    assert chosen.metric == "accuracy"
    Label("new").write(a)
    again = viewer.look(Wish(chosen=(a,)))
    assert again.rows[0].values["name"] == "new"


def test_rows_show_what_tells_them_apart(make: Make) -> None:
    make("a", seed=1)
    view = Viewer(Shelf()).look(Wish())
    assert {"data", "network"} <= view.columns.keys()  # of a single run all is told
    make("b", seed=2, optimizer="adam")
    view = Viewer(Shelf()).look(Wish())
    assert view.common == ("moons", "1 sigmoid")
    assert not {"data", "network"} & view.columns.keys()
    assert view.columns["metric"] == "accuracy"
    assert view.columns["val_metric"] == "val accuracy"
    differs = {row.record.folder.name: row.values["differs"] for row in view.rows}
    assert differs == {"a": "sgd learning_rate=0.1 seed=1", "b": "adam learning_rate=0.001 seed=2"}
    make("c", dtype="float64")
    view = Viewer(Shelf()).look(Wish())
    differs = {row.record.folder.name: row.values["differs"] for row in view.rows}
    assert differs["b"] == "adam learning_rate=0.001 seed=2"  # float32 goes without saying
    assert differs["c"] == "sgd learning_rate=0.1 seed=0 dtype=float64"
    chosen = (make("d", seed=4), make("e", seed=5))
    view = Viewer(Shelf()).look(Wish(chosen=chosen))
    differs = {row.record.folder.name: row.values["differs"] for row in view.rows}
    assert differs["e"].startswith("seed=5 sgd")  # that of the chosen ones first
    assert differs["b"].startswith("seed=2 adam")


def test_a_figure_stands_below_what_it_is(make: Make) -> None:
    validated = make("a")
    plain = make("b", data={"name": "moons", "samples": 40, "validation_fraction": 0})
    viewer = Viewer(Shelf())
    view = viewer.look(Wish())
    assert view.columns["best"] == "best loss"
    for row in view.rows:
        last, record = row.record.last, row.record
        assert row.values["metric"] == last["accuracy"]
        assert row.values["val_metric"] == last.get("val_accuracy")
        assert row.values["best"] == record.best("loss")
    assert [row.values["val_metric"] is None for row in view.rows] == [True, False]
    other = make("c", seed=1)
    view = viewer.look(Wish(chosen=(validated, other)))  # what is compared decides
    assert view.columns["best"] == "best val loss"
    best = {row.record.folder: row.values["best"] for row in view.rows}
    assert best[plain] is None
    assert best[other] == view.chosen[1].best("val_loss")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (41, "adam optimizer.learning_rate=0.001 seed=2"),
        (30, "adam …arning_rate=0.001 seed=2"),
        (18, "adam …rate=0.001 …"),
        (12, "adam …"),
    ],
)
def test_names_give_way_before_values(cells: int, expected: str) -> None:
    assert shortened("adam optimizer.learning_rate=0.001 seed=2", cells) == expected


@pytest.mark.parametrize("column", ["loss", "val_loss", "best", "metric", "val_metric", "test"])
def test_a_small_figure_keeps_its_exponent(column: str) -> None:
    assert COLUMNS[column][0] >= len(number(7.675e-05))


def test_values_of_any_length_are_told_apart() -> None:
    told = {shortened(f"optimizer.learning_rate={rate:g}", 18) for rate in (0.1, 0.01, 0.001)}
    assert told == {"…learning_rate=0.1", "…earning_rate=0.01", "…arning_rate=0.001"}
    assert shortened("words=[one,two,three,four]", 12) == "words=[one,two,three,four] …"


def test_a_filter_that_is_wrong_hides_nothing(make: Make) -> None:
    make("a")
    view = Viewer(Shelf()).look(Wish(filter="lss < 1"))
    assert "no run has 'lss'" in view.problem
    assert len(view.rows) == view.count == 1
    view = Viewer(Shelf()).look(Wish(filter="loss < 0"))
    assert (len(view.rows), view.count, view.problem) == (0, 1, "")


def test_rows_without_a_value_come_last_either_way(make: Make) -> None:
    make("a", optimizer={"type": "sgd", "learning_rate": 0.5})
    make("b", optimizer={"type": "sgd", "learning_rate": 0.001})
    make("c", data={"name": "moons", "samples": 40, "validation_fraction": 0})
    viewer = Viewer(Shelf())

    def order(sorting: Sorting) -> str:
        rows = viewer.look(Wish(sorting=sorting)).rows
        return "".join(row.record.folder.name for row in rows)

    assert order(Sorting("val_loss")) == "abc"
    assert order(Sorting("val_loss", descending=True)) == "bac"
    assert order(Sorting("name", descending=True)) == "cba"


def test_what_differs_is_whole_before_lesser_columns_are(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunTable, "get_component_rich_style", lambda *_, **__: Style())
    for rate in (0.3, 0.01):
        for momentum in (0.0, 0.9):
            optimizer = {"type": "sgd", "learning_rate": rate, "momentum": momentum}
            make(f"{rate}-{momentum}", optimizer=optimizer)
    view = Viewer(Shelf()).look(Wish())
    table = RunTable()
    table.show(view.rows, view.columns, {}, view.sorting)
    for width in (100, 118):
        shown = [table.row_text(row, width).plain for row in range(4)]
        for told in ("momentum=0.9 learning_rate=0.01 ", "momentum=0 learning_rate=0.3 "):
            assert sum(told in line for line in shown) == 1, shown
        assert all(row.cell_len <= width for row in [table.heading_text(width)])
    assert "test accuracy" in table.heading_text(118).plain
