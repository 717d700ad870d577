"""Equations as one writes them on paper: a step a line, the equals signs below each other."""

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from tui_nn.widgets.figures import NOT_COMPUTED
from tui_nn_engine.formulas.explanation import Line

WIDEST_LEFT = 14  # a longer left side stands on a line of its own
_LEAST = 8
_OPERATORS = frozenset("+-−·/=")


def derivation(lines: Sequence[Line], width: int, styles: tuple[str, str, str]) -> Text:
    """left = symbols = numbers = result for each line, wrapped into `width` cells.

    `styles` are those of the parts, of what the last line says, and of its result.
    """
    lefts = [cell_len(line.left) for line in lines]
    margin = max((size for size in lefts if size <= min(WIDEST_LEFT, width // 3)), default=2)
    part, plain, result = styles
    text = Text()
    for place, line in enumerate(lines):
        last = place == len(lines) - 1
        if last and len(lines) > 1:
            text.append("\n")
        for row in _rows(line, margin, width, whole=not last):
            text.append_text(row[0].copy()).append("\n")
            text.stylize(plain if last else part, len(text) - len(row[0]) - 1, len(text))
            if last and row[1]:
                start = len(text) - 1 - len(row[0]) + row[0].plain.index("= ") + 2
                text.stylize(result, start, len(text) - 1)
    text.rstrip()
    return text


def _rows(line: Line, margin: int, width: int, *, whole: bool) -> Iterator[tuple[Text, bool]]:
    """The rows of one equation, and whether each shows its result."""
    steps = _steps(line)
    left = line.left
    size = cell_len(left)
    if size > margin:
        long = " = ".join([left, *steps])
        if whole and cell_len(long) <= width:
            yield Text(long), len(steps) == 1
            return
        for row in wrapped(left, width):
            yield Text(row), False
        left, size = "", 0
    head = " " * (margin - size) + left + " = "
    if whole and margin + 3 + cell_len(" = ".join(steps)) <= width:
        yield Text(head + " = ".join(steps)), len(steps) == 1
        return
    for place, step in enumerate(steps):
        for row in wrapped(step, max(width - margin - 3, _LEAST)):
            yield Text(head + row), place == len(steps) - 1 and "= " in head
            head = " " * (margin + 3)
        head = " " * margin + " = "


def _steps(line: Line) -> list[str]:
    """What stands between the equals signs: nothing twice."""
    steps: list[str] = []
    for step in (line.symbols, line.numbers, line.result or NOT_COMPUTED):
        if step and step not in (line.left, *steps[-1:]):
            steps.append(step)
    return steps


def wrapped(text: str, width: int) -> list[str]:
    """Rows of at most `width` cells, broken before an operator where that is possible."""
    rows = [""]
    for word in _terms(text):
        joined = f"{rows[-1]} {word}" if rows[-1] else word
        if cell_len(joined) <= width:
            rows[-1] = joined
            continue
        if rows[-1]:
            rows.append("")
        while cell_len(word) > width:
            rows[-1], word = word[:width], word[width:]
            rows.append("")
        rows[-1] = word
    return rows


def _terms(text: str) -> list[str]:
    """Words, each operator with the word that it stands before."""
    terms: list[str] = []
    glued = ""
    for word in text.split():
        if word in _OPERATORS:
            glued += f"{word} "
        else:
            terms.append(glued + word)
            glued = ""
    return [*terms, glued.strip()] if glued else terms
