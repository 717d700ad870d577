"""`tui-nn lesson`: the lessons there are; and one of them, its figures graded."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from tui_nn.commands.failures import Exit, Failure, bad_input

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tui_nn.lessons import Entry, Figure, FigureTable, Lesson, Page

MARKS = {"exact": "=", "rounded": "≈", "close": "~", "mismatch": "✗", "computed": " "}
STYLES = {
    "exact": "green",
    "rounded": "green",
    "close": "yellow",
    "mismatch": "red",
    "computed": "",
}


@click.command()
@click.argument("name", required=False, metavar="[NAME | PATH]")
@click.option("--json", "as_json", is_flag=True, help="All of it as JSON.")
@click.pass_context
def lesson(ctx: click.Context, name: str | None, as_json: bool) -> None:
    """List the lessons, or tell one: its text and its figures beside the program's own.

    NAME is a lesson's name or number (backpropagation, L6); PATH a lesson file of your own.
    Exits with 1 where the program's numbers are not as the lesson expects.
    """
    if name is None:
        _list(as_json)
        return
    story, pages = _told(name)
    if as_json:
        from tui_nn_engine.blocks import strict_json

        click.echo(strict_json.dumps(_tree(name, story, pages)))
    else:
        _show(story, pages)
    if any(page.deviates for page in pages):
        ctx.exit(Exit.DEVIATES)


def _list(as_json: bool) -> None:
    from tui_nn.lessons import entries

    if as_json:
        from tui_nn_engine.blocks import strict_json

        click.echo(strict_json.dumps([asdict(entry) for entry in entries()]))
    elif sys.stdout.isatty():
        _list_table(entries())
    else:
        lines = (f"{_number(e)}\t{e.name}\t{e.title}\t{e.summary}" for e in entries())
        click.echo("\n".join(lines))


def _number(entry: "Entry") -> str:
    return f"L{entry.number}"


def _list_table(entries: "tuple[Entry, ...]") -> None:
    from rich.table import Table
    from rich.text import Text

    from tui_nn.commands.console import Console

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("", "name", "title", "what it shows"):
        table.add_column(column, no_wrap=column == "name", overflow="fold")
    for entry in entries:
        cells = (_number(entry), entry.name, entry.title, entry.summary)
        table.add_row(*map(Text, cells))
    console = Console(highlight=False)
    console.print(table)
    console.print(
        Text("\nTell one: tui-nn lesson NAME. Do one: tui-nn, then the key of Learn mode.")
    )


def _told(name: str) -> "tuple[Lesson, tuple[Page, ...]]":
    from tui_nn.lessons import Story, UnknownLessonError, load

    try:
        with bad_input(name):
            found = load(name)
            return found, Story(found).pages()
    except UnknownLessonError as error:
        raise Failure(str(error)) from None


def _tree(name: str, story: "Lesson", pages: "tuple[Page, ...]") -> dict[str, Any]:
    from tui_nn.lessons import name_of

    figures = [figure for page in pages for figure in page.figures]
    return {
        "name": name_of(name),
        "number": story.number,
        "title": story.title,
        "summary": story.summary,
        "source": story.source,
        "deviates": any(figure.deviates for figure in figures),
        "grades": _counts(figures),
        "steps": [asdict(page) for page in pages],
    }


def _counts(figures: "list[Figure]") -> dict[str, int]:
    grades = [figure.grade for figure in figures]
    return {grade: grades.count(grade) for grade in MARKS if grade in grades}


def _show(story: "Lesson", pages: "tuple[Page, ...]") -> None:
    """Text and tables: in colour on a terminal, else plain and as wide as it needs to be."""
    from rich.markdown import Markdown
    from rich.rule import Rule

    from tui_nn.commands.console import Console

    terminal = sys.stdout.isatty()
    console = Console(highlight=False, width=None if terminal else 160)
    number = f"L{story.number}  " if story.number else ""
    _line(console, f"{number}{story.title}", "bold")
    _line(console, story.summary)
    if story.source:
        _line(console, story.source, "dim")
    for index, page in enumerate(pages, 1):
        console.print()
        heading = f"{index}  {page.title}"
        if terminal:
            console.print(Rule(heading, align="left"))
            console.print(Markdown(page.text))
        else:
            _line(console, f"{heading}\n\n{page.text}")
        for part in _parts(page):
            console.print()
            console.print(part)
    console.print()
    _line(console, _sum(pages))


def _line(console: Any, text: str, style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style), soft_wrap=True)


def _parts(page: "Page") -> "list[RenderableType]":
    parts: list[RenderableType] = []
    if page.values:
        parts.append(_values(page.values))
    parts += [_table(table) for table in page.tables]
    if remarks := _remarks(page):
        parts.append(_plain("\n".join(remarks)))
    parts += [_plain(_curves(plot)) for plot in page.plots]
    return parts


def _plain(text: str) -> "RenderableType":
    from rich.text import Text

    return Text(text)


def _values(figures: "tuple[Figure, ...]") -> "RenderableType":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for column in ("", "printed", "program", "grade", "from"):
        right = column in {"printed", "program"}
        table.add_column(column, justify="right" if right else "left", overflow="fold")
    for figure in figures:
        note = f"  ({figure.note})" if figure.note else ""
        table.add_row(
            Text(figure.label),
            Text(figure.printed or figure.compared or "-"),
            Text(figure.shown),
            Text(_graded(figure), style=STYLES[figure.grade]),
            Text(f"{figure.formula}{note}", style="dim"),
        )
    return table


def _graded(figure: "Figure") -> str:
    found = f"{MARKS[figure.grade]} {figure.grade}"
    return f"{found} (expected {figure.expected}) !" if figure.deviates else found


def _table(figures: "FigureTable") -> "RenderableType":
    """Where the program's value is not the printed one at its digits, both are shown."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = Text(figures.title) if figures.title else None
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False
    )
    table.add_column("")
    for column in figures.columns:
        table.add_column(Text(column), justify="right")
    for label, cells in zip(figures.labels, figures.rows, strict=True):
        table.add_row(Text(label), *(Text(_cell(cell), style=STYLES[cell.grade]) for cell in cells))
    return table


def _cell(figure: "Figure") -> str:
    if figure.grade in {"exact", "computed"} and not figure.deviates:
        return f"{figure.shown} {MARKS[figure.grade]}".rstrip()
    return f"{figure.shown} {MARKS[figure.grade]} {figure.printed}"


def _remarks(page: "Page") -> list[str]:
    """What there is to say of figures: the same of several is said once."""
    said: dict[tuple[str, str], list[str]] = {}
    for figure in page.figures:
        if figure.deviates:
            expected = f"{figure.grade}, but the lesson expects {figure.expected}"
            why = f"{expected}: {figure.why}" if figure.why else expected
            said.setdefault(("!", why), []).append(figure.label)
        elif figure.why:
            said.setdefault((MARKS[figure.grade], figure.why), []).append(figure.label)
    return [f"{mark} {_all(labels)}: {why}" for (mark, why), labels in said.items()]


def _all(labels: list[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{labels[0]} … {labels[-1]} ({len(labels)})"


def _curves(plot: Any) -> str:
    lines = [plot.title]
    for curve in plot.curves:
        last = len(curve.values) - 1
        chosen = sorted({0, last // 4, last // 2, 3 * last // 4, last} if last >= 0 else ())
        points = ", ".join(f"{curve.x[i]}: {curve.values[i]:.4g}" for i in chosen)
        end = "; then it diverges" if curve.diverged else ""
        lines.append(f"  {curve.name}, by {plot.over}: {points}{end}")
    return "\n".join(lines)


def _sum(pages: "tuple[Page, ...]") -> str:
    figures = [figure for page in pages for figure in page.figures]
    counts = ", ".join(f"{count} {grade}" for grade, count in _counts(figures).items())
    deviating = sum(figure.deviates for figure in figures)
    if deviating:
        return f"{counts}. {deviating} not as the lesson expects: see the lines marked !"
    return f"{counts or 'No figures'}. All as the lesson expects."
