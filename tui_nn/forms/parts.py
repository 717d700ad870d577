"""The parts of an experiment as a list, each layer with its output shape and its parameters."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.text import Text
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui_nn.forms.field import Field
from tui_nn.forms.form import Form, field
from tui_nn.forms.spec import Listing, Nested, Spec, Variants, scalar, specs, start
from tui_nn_engine.blocks.schema import Problem, kind_name
from tui_nn_engine.experiments.experiment import Experiment, Training
from tui_nn_engine.layers import LAYERS, Branch, Parallel
from tui_nn_engine.networks.network import LayerSummary

GENERAL = ""
"""The path of the part that holds the experiment's own single values, such as its seed."""


@dataclass(frozen=True)
class Part:
    """One part: its path ("layers[1]"), what it is called, what it says in a few words.

    `rail` is drawn before it: the lines of the branches it is in, or that begin or meet in it.
    """

    path: str
    title: str
    brief: str = ""
    summary: LayerSummary | None = None
    rail: str = ""


def parts_of(
    model: type[Experiment], tree: dict[str, Any], summary: Iterable[LayerSummary] = ()
) -> tuple[Part, ...]:
    """All parts in the order of the file; `summary` may end before the last layer."""
    rows = _rows(summary)
    parts: list[Part] = []
    for one in _order(model):
        value = tree.get(one.name)
        if isinstance(one.content, Listing):
            parts += _layers(_listed(value), one.name, _names(_listed(value), one.name), rows)
        elif not scalar(one.content) and _stands(one.name, model, tree):
            value = one.default if value is None else value
            brief = _brief(value) or one.nothing
            parts.append(Part(one.name, one.label.capitalize(), brief))
    own = {
        one.name: tree.get(one.name, one.default) for one in _order(model) if scalar(one.content)
    }
    return (*parts, Part(GENERAL, "General", _brief(own)))


def _rows(summary: Iterable[LayerSummary]) -> dict[str, LayerSummary]:
    """By the path of their part; both ways of a bidirectional layer are one, with their join."""
    found: dict[str, LayerSummary] = {}
    for row in summary:
        path = row.path.removesuffix(".layer")
        before = found.get(path)
        found[path] = row if before is None else _together(before, row)
    return found


def _together(one: LayerSummary, other: LayerSummary) -> LayerSummary:
    """The numbers of both; the output is the last one's."""
    return replace(
        other,
        parameters=one.parameters + other.parameters,
        trainable=one.trainable + other.trainable,
        connections=one.connections + other.connections,
    )


def _layers(
    layers: list[Any],
    path: str,
    names: Mapping[str, str],
    rows: Mapping[str, LayerSummary],
    rail: str = "",
) -> Iterator[Part]:
    """Layers in the order they are computed in: branches before what they meet in."""
    for index, layer in enumerate(layers):
        here = f"{path}[{index}]"
        branches = branches_of(layer)
        for place, branch in enumerate(branches):
            inside, at = _listed(branch, "layers"), f"{here}.branches[{place}]"
            name = branch.get("name") if isinstance(branch, dict) else None
            title = name if isinstance(name, str) and name else f"branch {place + 1}"
            brief = "" if inside else "as it is"
            yield Part(at, title, brief, rail=f"{rail}{'├' if place else '╭'} ")
            yield from _layers(inside, f"{at}.layers", names, rows, f"{rail}│ ")
        brief = f"joins {len(branches)} branches" if branches else _brief(layer, names=False)
        end = f"{rail}╰ " if branches else rail
        yield Part(here, names[here], brief, rows.get(here), end)


def part_form(model: type[Experiment], path: str, value: Any) -> Field | Form:
    """The form of the part at `path`, whose tree is `value`."""
    if path == GENERAL:
        return Form([one for one in _order(model) if scalar(one.content)], "", value)
    if is_branch(path):
        return Form.of(Branch, path, value)
    name = path.partition("[")[0]
    whole = next(one for one in _order(model) if one.name == name)
    content = whole.content.item if isinstance(whole.content, Listing) else whole.content
    if isinstance(content, Nested):
        return Form.of(content.block, path, value)
    assert isinstance(content, Variants)  # noqa: S101
    label = "data set" if content.tag == "name" else "type"
    optional = bool(whole.nothing)
    one = Spec(whole.name, label, whole.help, content, whole.default, not optional, optional)
    return field(replace(one, nothing=whole.nothing), path, value)


_IN_LAYERS = re.compile(r"layers\[\d+\](\.branches\[\d+\](\.layers\[\d+\])?)*")


def part_at(path: str) -> str:
    """The path of the part that a place belongs to: "layers[1]" for "layers[1].units"."""
    if found := _IN_LAYERS.match(path):
        return found[0]
    head = path.partition(".")[0]
    return GENERAL if head in {"seed", "dtype"} else head


def is_layer(path: str) -> bool:
    """Whether it is the path of a layer: all have one form, in which the type is chosen."""
    return _IN_LAYERS.fullmatch(path) is not None and not is_branch(path)


def is_branch(path: str) -> bool:
    """Whether it is the path of a branch."""
    return re.search(r"\.branches\[\d+\]$", path) is not None


def is_parallel(tree: Any) -> bool:
    """Whether a layer's tree is a block of branches."""
    return isinstance(tree, dict) and tree.get("type") == "parallel"


def listed(path: str) -> tuple[str, int | None]:
    """The list that a part stands in and its index there; ("", None) for one in no list."""
    owner, _, index = path.rpartition("[")
    return (owner, int(index[:-1])) if owner else ("", None)


def layer_kinds(model: type[Experiment]) -> dict[str, str]:
    """The types of layers there are, each with a line on it."""
    layers = next(one for one in specs(model) if one.name == "layers").content
    assert isinstance(layers, Listing)  # noqa: S101
    assert isinstance(layers.item, Variants)  # noqa: S101
    return {name: layers.item.summary(name) for name in layers.item.blocks}


def new_layer(kind: str, before: Iterable[Any]) -> dict[str, Any]:
    """A layer to add, with the plain values of the nearest of its kind before it."""
    same = [one for one in before if isinstance(one, dict) and one.get("type") == kind]
    model = same[-1] if same else {}
    plain = {key: value for key, value in model.items() if not isinstance(value, dict | list)}
    block = next(block for block in LAYERS if kind_name(block) == kind)
    return {**start(block), **plain, "type": kind}


def outline(tree: dict[str, Any]) -> str:
    """A right experiment in a line: its layers, how long it trains."""
    epochs = tree.get("training", {}).get("epochs", Training().epochs)
    return f"{_way(tree['layers'])} · {epochs} epochs"


def _way(layers: list[Any]) -> str:
    """Layers in a line, branches in brackets: [as is | 8 · relu], where they are added a +."""
    words = []
    for layer in layers:
        if is_parallel(layer):
            mark = " + " if layer.get("join") == "add" else " | "
            branches = (_way(branch.get("layers", [])) or "as is" for branch in branches_of(layer))
            words.append(f"[{mark.join(branches)}]")
        elif isinstance(layer, dict):
            kind, brief = layer["type"], _brief(layer, names=False)
            words.append(f"{kind} {brief}".rstrip() if kind != "dense" or not brief else brief)
        else:
            words.append(str(layer))
    return " → ".join(words)


def _stands(name: str, model: type[Experiment], tree: dict[str, Any]) -> bool:
    """Whether the part has a place: what a rule replaces only while it is written beside it."""
    return name in tree or tree.get("rule") is None or name not in model.replaced_by_rule


def _order(model: type[Experiment]) -> list[Spec]:
    """The fields as they stand in the model, not the required first."""
    names = list(model.model_fields)
    return sorted(specs(model), key=lambda one: names.index(one.name))


def _names(layers: list[Any], path: str) -> dict[str, str]:
    """Names by path, as `places.placed` gives them, for layers that may be wrong."""
    counts: dict[str, int] = {}
    named: dict[str, str] = {}

    def name(layers: list[Any], path: str) -> None:
        for index, layer in enumerate(layers):
            here = f"{path}[{index}]"
            for place, branch in enumerate(branches_of(layer)):
                name(_listed(branch, "layers"), f"{here}.branches[{place}].layers")
            named[here] = ", ".join(map(count, _kinds(layer)))

    def count(kind: Any) -> str:
        kind = kind if isinstance(kind, str) and kind else "layer"
        counts[kind] = counts.get(kind, 0) + 1
        return f"{kind}_{counts[kind]}"

    name(layers, path)
    return named


def _kinds(layer: Any) -> tuple[Any, ...]:
    """The layers of a network that a layer's tree stands for; a parallel block for its join."""
    if not isinstance(layer, dict):
        return (layer,)
    if is_parallel(layer):
        return (layer.get("join", Parallel.model_fields["join"].default),)
    if layer.get("type") == "bidirectional":
        way = layer.get("layer")
        way = way.get("type") if isinstance(way, dict) else way
        return way, way, "add" if layer.get("merge_mode") == "sum" else "concatenate"
    return (layer.get("type"),)


def branches_of(layer: Any) -> list[Any]:
    """A layer's branches as they stand there; [] where it is no parallel block."""
    return _listed(layer, "branches") if is_parallel(layer) else []


def _listed(tree: Any, key: str = "") -> list[Any]:
    """A list as it stands there, [] where something else does."""
    value = (tree.get(key) if isinstance(tree, dict) else None) if key else tree
    return list(value) if isinstance(value, list | tuple) else []


def _brief(value: Any, *, names: bool = True) -> str:
    """A block in a few words: its kind and what is set in it."""
    if not isinstance(value, dict):
        return "" if value is None or isinstance(value, list) else str(value)
    words = []
    for key, part in value.items():
        shown = part.get("type") if isinstance(part, dict) else part
        shown = " ".join(map(str, shown)) if key == "columns" and isinstance(shown, list) else shown
        if key in {"type", "name"}:
            words += [str(shown)] if names else []
        elif isinstance(shown, bool) and not names:
            words.append(key.replace("_", " ") + ("" if shown else " off"))
        elif not isinstance(shown, list | dict) and shown is not None:
            words.append(f"{key.replace('_', ' ')} {shown}" if names else str(shown))
    return " · ".join(words)


class PartList(OptionList):
    """The list of parts; for each layer its output shape, parameters and connections."""

    DEFAULT_CSS = """
    PartList, PartList:focus {
        height: 1fr; border: none; padding: 0; background: transparent;
        scrollbar-size-vertical: 1;
    }
    PartList > .option-list--option { padding: 0 1; }
    """

    parts: tuple[Part, ...] = ()
    _wrong: Sequence[str] = ()

    def show(self, parts: tuple[Part, ...], problems: Iterable[Problem]) -> None:
        """Show these parts, with a sign at those that have a problem."""
        same = [part.path for part in parts] == [part.path for part in self.parts]
        self.parts = parts
        self._wrong = [part_at(problem.path) for problem in problems if problem.path]
        if same:
            self._write()
        else:
            kept = self.highlighted
            self.set_options(Option(prompt) for prompt in self._prompts())
            if kept is not None:
                self.highlighted = min(kept, len(parts) - 1)

    def on_resize(self) -> None:
        """The lines are broken for the width there is."""
        self._write()

    def _write(self) -> None:
        for index, prompt in enumerate(self._prompts()):
            self.replace_option_prompt_at_index(index, prompt)

    def _prompts(self) -> list[Text]:
        width = max(16, self.scrollable_content_region.width - 2)
        return [_prompt(part, self._wrong.count(part.path), width) for part in self.parts]

    def index_of(self, path: str) -> int | None:
        """Where the part with this path stands."""
        return next((i for i, part in enumerate(self.parts) if part.path == path), None)


def totals(parts: Iterable[Part]) -> str:
    """The sums over the layers, in words."""
    layers = [p for p in parts if p.path.startswith("layers[") and not is_branch(p.path)]
    rows = [part.summary for part in layers if part.summary is not None]
    many = "layer" if len(layers) == 1 else "layers"
    if not rows:
        return f"{len(layers)} {many}"
    parameters = sum(row.parameters for row in rows)
    frozen = parameters - sum(row.trainable for row in rows)
    words = [
        f"{len(layers)} {many}"
        + (f", shapes known of {len(rows)}" if len(rows) < len(layers) else ""),
        f"{parameters:,} parameters" + (f", {frozen:,} of them frozen" if frozen else ""),
        f"{sum(row.connections for row in rows):,} connections",
    ]
    return "\n".join(words)


def _prompt(part: Part, wrong: int, width: int) -> Text:
    """Its title and what it says on one line, its shape and numbers on as many as they need."""
    beside = part.rail.replace("╰", " ").replace("├", "│").replace("╭", "│")
    width -= len(part.rail)
    title = Text()
    title.append(f"✗{wrong if wrong > 1 else ''} " if wrong else "", "bold red")
    title.append(part.title, "italic" if is_branch(part.path) else "bold")
    title.append(f"  {part.brief}" if part.brief else "")
    title.truncate(width, overflow="ellipsis")
    first = Text(part.rail, "dim") + title
    row = part.summary
    if row is None:
        return first
    pieces = [f"→ {row.output_shape}"]
    pieces += [f"{row.parameters:,} par."] if row.parameters else []
    pieces += [f"{row.connections:,} conn."] if row.connections else []
    lines = [""]
    for piece in pieces:
        longer = f"{lines[-1]}  {piece}".strip()
        lines = [*lines[:-1], longer] if len(longer) <= width else [*lines, f"  {piece}"]
    return Text("\n").join([first, *(Text(f"{beside}{line}", "dim") for line in lines if line)])
