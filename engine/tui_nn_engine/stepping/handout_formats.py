"""A handout written down: as text, Markdown, CSV or JSON."""

import csv
import io
import math
from collections.abc import Callable, Iterator
from dataclasses import asdict
from textwrap import wrap
from typing import Any

from tui_nn_engine.blocks import strict_json
from tui_nn_engine.formulas.expressions import number
from tui_nn_engine.stepping.handout import LARGEST, Handout, Layer, Numbers, Operation, Parameter

PHASES = {
    "forward": "Forward pass",
    "loss": "Loss",
    "backward": "Backward pass",
    "update": "Weight update",
}
COLUMNS = ("operation", "phase", "path", "name", "element", "symbol", "symbols", "numbers", "value")
WIDTH = 100  # of sentences; formulas are not broken
SENTENCES = 4  # of one operation; of more, which differ by their numbers, the first
LISTED = 12  # inputs, targets and time steps on a line; of more, the first
NAMED = 5  # elements that a sentence is said to be true of
Table = list[list[str]]


def as_text(handout: Handout) -> str:
    """For a terminal and a printer: plain lines."""
    lines = [_title(handout), "=" * len(_title(handout)), *_facts(handout)]
    for operation in handout.operations:
        lines += _phase_heading(handout, operation, lambda name: ["", name, "-" * len(name)])
        lines += ["", f"{operation.number}. {_operation(operation)}"]
        lines += [f"     {line}" for line in _equations(operation)]
        for remark in _remarks(operation):
            lines += wrap(remark, WIDTH, initial_indent="   ", subsequent_indent="   ")
    for title, table, left_out in _tables(handout):
        lines += ["", title, "-" * len(title), *_aligned(table), *left_out]
    return "\n".join(lines) + "\n"


def as_markdown(handout: Handout) -> str:
    """For a web page or a document: headings, formulas as code, tables."""
    lines = [f"# {_title(handout)}", "", *(f"- {fact}" for fact in _facts(handout))]
    for operation in handout.operations:
        lines += _phase_heading(handout, operation, lambda name: ["", f"## {name}"])
        lines += ["", f"### {operation.number}. {_operation(operation)}", ""]
        lines += [f"- `{line}`" for line in _equations(operation)]
        for remark in _remarks(operation):
            lines += ["", remark]
    for title, (heading, *rows), left_out in _tables(handout):
        lines += ["", f"## {title}", "", _row(heading)]
        lines += [_row(["---", *["---:"] * (len(heading) - 1)]), *map(_row, rows)]
        lines += ["", *left_out] if left_out else []
    return "\n".join(lines) + "\n"


def as_csv(handout: Handout) -> str:
    """One row an element, `COLUMNS` each; numbers in `value` as exactly as they are."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for operation in handout.operations:
        about = (operation.number, operation.phase, operation.path, operation.name)
        for element in operation.elements:
            line = element.explanation.lines[-1]
            value = repr(line.value) if math.isfinite(line.value) else ""
            writer.writerow(
                (*about, element.name, line.left, line.symbols, line.numbers, value),
            )
    return file.getvalue()


def as_json(handout: Handout) -> str:
    """All of it; what is unknown (nan) is null."""
    return strict_json.dumps(asdict(handout), indent=1) + "\n"


FORMATS: dict[str, Callable[[Handout], str]] = {
    "text": as_text,
    "markdown": as_markdown,
    "csv": as_csv,
    "json": as_json,
}


# -- what text and Markdown have in common --------------------------------------------------------


def _title(handout: Handout) -> str:
    sample = f", sample {handout.sample} of {handout.batch}" if handout.batch > 1 else ""
    return f"{handout.experiment['data']['name']}: update {handout.iteration}{sample}"


def _facts(handout: Handout) -> Iterator[str]:
    tree, digits = handout.experiment, handout.notation.digits
    yield f"Network: {_in_words(tree['layers'])}"
    if "rule" in tree:
        yield f"Rule: {tree['rule']['type']}, learning rate {handout.learning_rate:g}"
    else:
        optimizer = tree["optimizer"]["type"]
        yield f"Loss: {tree['loss']['type']}"
        yield f"Update rule: {optimizer}, learning rate {handout.learning_rate:g}"
    yield f"Epoch {handout.epoch}; {tree['dtype']}, seed {tree['seed']}"
    yield f"Inputs: {_listed(handout.inputs, digits)}"
    yield f"Targets: {_listed(handout.targets, digits)}"
    yield (
        f"Loss of the sample {number(handout.sample_loss, digits)}, "
        f"of the batch {number(handout.loss, digits)}"
    )
    if any(len(operation.elements) < operation.total for operation in handout.operations):
        yield (
            f"Of many units the {LARGEST} with the largest error are shown, of many weights the "
            f"{LARGEST} with the largest gradient, of many other numbers the {LARGEST} largest"
        )


def _listed(values: Numbers, digits: int) -> str:
    """A line of them: "0, 1", over time "t=1: 0, 1; t=2: 1, 1"."""
    over_time = any(isinstance(value, tuple) for value in values)
    found = [
        f"t={time}: {_listed(value, digits)}" if isinstance(value, tuple) else number(value, digits)
        for time, value in enumerate(values[:LISTED], 1)
    ]
    if len(values) > LISTED:
        found.append(f"… ({len(values) - LISTED} more{' time steps' if over_time else ''})")
    return ("; " if over_time else ", ").join(found)


def _in_words(layers: list[dict[str, Any]]) -> str:
    return " → ".join(map(_layer_in_words, layers))


def _layer_in_words(layer: dict[str, Any]) -> str:
    if "branches" in layer:
        ways = (_in_words(branch.get("layers", [])) or "as it is" for branch in layer["branches"])
        return f"{layer.get('join', 'concatenate')}({', '.join(ways)})"
    units = f" {layer['units']}" if "units" in layer else ""
    activation = layer.get("activation")
    name = activation["type"] if isinstance(activation, dict) else activation
    return f"{layer['type']}{units}{f' ({name})' if name else ''}"


def _phase_heading(
    handout: Handout, operation: Operation, heading: Callable[[str], list[str]]
) -> list[str]:
    """Before the first operation of a phase."""
    before = operation.number - 2
    if before >= 0 and handout.operations[before].phase == operation.phase:
        return []
    return heading(PHASES[operation.phase])


def _operation(operation: Operation) -> str:
    shape = " × ".join(map(str, operation.shape)) or "a number"
    formula = f", {operation.formula}" if operation.formula else ""
    return f"{operation.path}: {operation.name}{formula} (→ {operation.output}, {shape})"


def _equations(operation: Operation) -> Iterator[str]:
    """The lines of all its elements; one that belongs to several is told once."""
    told = set()
    for element in operation.elements:
        for line in element.explanation.lines:
            parts = dict.fromkeys((line.left, line.symbols, line.numbers, line.result))
            text = " = ".join(filter(None, parts))
            if text not in told:
                told.add(text)
                yield text


def _remarks(operation: Operation) -> list[str]:
    """Each sentence once, saying of which elements it is true; then what is left out."""
    true_of: dict[str, list[str]] = {}
    for element in operation.elements:
        told = element.explanation
        true_of.setdefault(told.sentence, []).append(told.lines[-1].left)
    found = list(true_of)
    if len(found) > SENTENCES:
        found = [f"{_some(true_of[found[0]])}: {found[0]} Likewise the others."]
    elif len(found) > 1:
        found = [f"{_some(names)}: {sentence}" for sentence, names in true_of.items()]
    return [*found, *_left_out(len(operation.elements), operation.total)]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _left_out(shown: int, total: int) -> list[str]:
    if shown == total:
        return []
    return [f"{shown} of {total} are shown, those that count most; {total - shown} are left out."]


def _tables(handout: Handout) -> Iterator[tuple[str, Table, list[str]]]:
    """Title, rows with their heading, and what is left out."""
    digits = handout.notation.digits
    for layer in handout.layers:
        rows = _filled(_units(layer, handout.error, digits))
        yield f"Units of {layer.name}", rows, _left_out(len(layer.units), layer.total)
    for parameter in handout.parameters:
        rows = _filled(_weights(parameter, handout.direction, digits))
        yield f"Weights: {parameter.name}", rows, _left_out(len(parameter.rows), parameter.total)


def _units(layer: Layer, error: str, digits: int) -> Table:
    rows = [
        [str(row.unit), *(_cell(v, digits) for v in (row.net_input, row.output, row.error))]
        for row in layer.units
    ]
    return [["unit", "net input z", "output h", error], *rows]


def _filled(table: Table) -> Table:
    """Without the columns that have nothing below their heading."""
    columns = [column for column in zip(*table, strict=True) if any(column[1:])]
    return [list(row) for row in zip(*columns, strict=True)]


def _weights(parameter: Parameter, direction: str, digits: int) -> Table:
    rows = []
    for row in parameter.rows:
        name = row.name if row.symbol == row.name else f"{row.symbol}, {row.name}"
        values = (row.old, row.gradient, row.change, row.new)
        rows.append([name, *(_cell(value, digits) for value in values)])
    return [["weight", "old", direction, "change", "new"], *rows]


def _cell(value: float, digits: int) -> str:
    return "" if math.isnan(value) else number(value, digits)


def _aligned(table: Table) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        ).rstrip()
        for row in table
    ]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
