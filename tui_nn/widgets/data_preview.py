"""What a data set looks like: pictures, points, series, rows; shape, split, classes in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import ContentSwitcher, DataTable, Static

from tui_nn.widgets.images import Images
from tui_nn.widgets.plot import number
from tui_nn.widgets.scatter import Scatter
from tui_nn.widgets.sequence_preview import Series, facts_of, is_sequence, shown
from tui_nn.widgets.series_plot import SeriesPlot
from tui_nn_datasets import NO_TARGET, Dataset
from tui_nn_engine.data.prepared import PreparedData

_IMAGES = 60
_POINTS = 5000
_ROWS = 100
_COLUMNS = 30


@dataclass(frozen=True, eq=False)
class Preview:
    """What is shown of a data set; made of it once, off the screen's thread."""

    facts: tuple[str, ...]
    images: NDArray[Any] | None = None
    """(n, rows, columns), one of each class in turn."""
    captions: tuple[str, ...] = ()
    points: NDArray[Any] | None = None
    """(n, 2), with `groups` (n,) named by `names`, over the axes `axes`."""
    groups: NDArray[Any] | None = None
    names: tuple[str, ...] = ()
    axes: tuple[str, str] = ("x1", "x2")
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    series: Series | None = None

    @classmethod
    def of(cls, data: PreparedData) -> "Preview":
        """Images as pictures, series as lines, few inputs as points, all else as a table."""
        facts, dataset = _facts(data), data.dataset
        if dataset.is_image:
            order = _in_turn(dataset.y)[:_IMAGES]
            names = dataset.target_names
            captions = [names[dataset.y[i]] if dataset.classes else "" for i in order]
            return cls(facts, images=dataset.x[order], captions=tuple(captions))
        if is_sequence(dataset):
            picture = shown(dataset)
            if isinstance(picture, Series):
                return cls(facts, series=picture)
            return cls(facts, header=picture.header, rows=picture.rows)
        few = np.linspace(0, len(dataset.x) - 1, min(_POINTS, len(dataset.x))).astype(int)
        x, y = dataset.x[few], dataset.y[few]
        inputs = dataset.input_names or tuple(f"x{i + 1}" for i in range(x[0].size))
        if dataset.shape == (2,):
            groups, names = _groups(dataset, y)
            axes = (inputs[0], inputs[1])
            return cls(facts, points=x, groups=groups, names=names, axes=axes)
        if dataset.shape == (1,) and not dataset.classes:
            points = np.column_stack([x[:, 0], y[:, 0]])
            name = dataset.target_names[0]
            return cls(facts, points=points, names=(name,), axes=(inputs[0], name))
        said = f"{min(_ROWS, len(dataset.x)):,} of {len(dataset.x):,} rows"
        said += ", the classes in turn" if dataset.classes else ""
        if len(inputs) > _COLUMNS:
            said += f"; {_COLUMNS} of {len(inputs)} columns"
        return cls((*facts, f"{said}:"), header=_header(data, inputs), rows=_rows(data))


class DataPreview(VerticalScroll):
    """Shows a `Preview`; None: there is no data yet, and the words say why."""

    DEFAULT_CSS = """
    DataPreview { height: 1fr; width: 1fr; scrollbar-size-vertical: 1; }
    DataPreview > #facts { height: auto; margin-bottom: 1; }
    DataPreview > ContentSwitcher { height: 1fr; min-height: 9; }
    DataPreview DataTable { height: 1fr; background: transparent; }
    """

    def compose(self) -> ComposeResult:
        """Words above, picture below."""
        yield Static(id="facts", markup=False)
        with ContentSwitcher(initial="nothing"):
            yield Static("", id="nothing")
            yield Images(id="images")
            yield Scatter(id="points")
            yield SeriesPlot(id="series")
            yield DataTable(id="rows", cursor_type="none", zebra_stripes=True)

    def show(self, preview: Preview | None, empty: str = "no data") -> None:
        """Show it in the way that suits it."""
        switcher = self.query_one(ContentSwitcher)
        self.query_one("#facts", Static).update("\n".join(preview.facts) if preview else empty)
        if preview is None:
            switcher.current = "nothing"
        elif preview.images is not None:
            switcher.query_one(Images).offer(preview.images, list(preview.captions))
            switcher.current = "images"
        elif preview.points is not None:
            switcher.query_one(Scatter).show(
                preview.points, preview.groups,
                class_names=list(preview.names), axis_names=preview.axes,
            )  # fmt: skip
            switcher.current = "points"
        elif preview.series is not None:
            switcher.query_one(SeriesPlot).show(preview.series)
            switcher.current = "series"
        else:
            table: DataTable[str] = switcher.query_one(DataTable)
            table.clear(columns=True)
            table.header_height = 1 + any("\n" in name for name in preview.header)
            table.add_columns(*preview.header)
            table.add_rows(preview.rows)
            switcher.current = "rows"


def _facts(data: PreparedData) -> tuple[str, ...]:
    dataset, x = data.dataset, data.dataset.x
    low, high = float(data.train.x.min()), float(data.train.x.max())
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    return (
        dataset.description,
        f"rank {x.ndim} · {x.shape} · {x.dtype}",
        *([_joined(facts_of(dataset))] if is_sequence(dataset) else []),
        f"→ after scaling {data.sample_shape} {data.dtype} in {low:.3g}..{high:.3g}",
        _joined(f"{name} {len(part):,}" for name, part in parts.items()),
        _targets(data),
    )


def _targets(data: PreparedData) -> str:
    dataset = data.dataset
    if dataset.task == "multilabel":
        shares = zip(dataset.target_names, data.train.y.mean(axis=0), strict=True)
        shown = _joined(f"{name}: {share:.0%}" for name, share in shares)
        return f"{len(dataset.target_names)} labels, of train {shown}"
    if not dataset.classes:
        low, high = float(dataset.y.min()), float(dataset.y.max())
        return f"to predict: {', '.join(dataset.target_names)}, {number(low)} to {number(high)}"
    y = data.train.y
    counts = np.bincount(y[y != NO_TARGET], minlength=dataset.classes)
    if (counts == counts[0]).all():
        return f"{dataset.classes} classes, {counts[0]:,} of each in train"
    pairs = list(zip(dataset.target_names, counts, strict=True))
    more = f" · and {len(pairs) - 12} more" if len(pairs) > 12 else ""
    shown = _joined(f"{name}: {count:,}" for name, count in pairs[:12])
    return f"{dataset.classes} classes, in train {shown}{more}"


def _joined(words: Iterable[str]) -> str:
    """With a line break between the words only, not within."""
    return " · ".join(word.replace(" ", "\N{NO-BREAK SPACE}") for word in words)


def _in_turn(y: NDArray[Any]) -> NDArray[np.intp]:
    """Indices of samples such that the classes take turns."""
    if y.ndim != 1:
        return np.arange(len(y))
    order = np.argsort(y, kind="stable")
    starts = np.searchsorted(y[order], y[order])
    rank_in_class = np.arange(len(y)) - starts
    return order[np.lexsort((y[order], rank_in_class))]


def _groups(dataset: Dataset, y: NDArray[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """What points are told apart by: their class, their labels, or how large their number is."""
    if dataset.classes:
        return y, dataset.target_names
    if dataset.task == "multilabel":
        rows, groups = np.unique(y > 0, axis=0, return_inverse=True)
        names = ("+".join(np.array(dataset.target_names)[row].tolist()) or "none" for row in rows)
        return groups.ravel(), tuple(names)
    return _thirds(y[:, 0])


def _thirds(values: NDArray[Any]) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """A regression's target in three groups of equal size."""
    edges = np.quantile(values, [1 / 3, 2 / 3])
    names = (f"y < {number(edges[0])}", "between", f"y > {number(edges[1])}")
    return np.searchsorted(edges, values), names


def _header(data: PreparedData, inputs: tuple[str, ...]) -> tuple[str, ...]:
    """Names, below those of inputs the numbers by which a select layer picks them."""
    targets = ("class",) if data.dataset.classes else data.dataset.target_names
    numbered = (f"{name}\n{column}" for column, name in enumerate(inputs[:_COLUMNS]))
    return (*numbered, *(f"→ {name}" for name in targets))


def _rows(data: PreparedData) -> tuple[tuple[str, ...], ...]:
    dataset = data.dataset
    rows = []
    for index in _in_turn(dataset.y)[:_ROWS]:
        x, y = dataset.x[index], dataset.y[index]
        cells = [f"{value:.4g}" for value in np.ravel(x)[:_COLUMNS]]
        targets = [dataset.target_names[y]] if dataset.classes else [f"{v:.4g}" for v in y]
        rows.append((*cells, *targets))
    return tuple(rows)
